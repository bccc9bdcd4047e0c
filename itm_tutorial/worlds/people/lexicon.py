"""The words of the descriptions, the most common first: kinds, colours, styles, and other phrases."""

NOUNS: dict[str, tuple[str, ...]] = {
    "man": ("man", "guy", "male", "gentleman"),
    "woman": ("woman", "lady", "female", "girl"),
    "person": ("person", "pedestrian"),
    "t-shirt": ("t-shirt", "tee"),
    "shirt": ("shirt", "button-up shirt"),
    "jacket": ("jacket", "zip jacket"),
    "hoodie": ("hoodie", "hooded sweatshirt"),
    "sweater": ("sweater", "pullover", "jumper"),
    "coat": ("coat", "long coat", "overcoat"),
    "tank top": ("tank top", "singlet"),
    "dress": ("dress", "frock"),
    "top": ("top", "upper garment"),
    "jeans": ("jeans", "denim jeans"),
    "trousers": ("trousers", "slacks"),
    "pants": ("pants", "bottoms"),
    "shorts": ("shorts", "short pants"),
    "skirt": ("skirt",),
    "sneakers": ("sneakers", "trainers", "running shoes"),
    "loafers": ("loafers", "leather shoes"),
    "boots": ("boots",),
    "shoes": ("shoes", "footwear"),
    "backpack": ("backpack", "rucksack", "knapsack"),
    "handbag": ("handbag", "purse"),
    "shoulder bag": ("shoulder bag", "messenger bag", "crossbody bag"),
    "bag": ("bag",),
    "cap": ("cap", "baseball cap"),
    "beanie": ("beanie", "knit hat"),
    "sun hat": ("sun hat", "wide brimmed hat"),
    "hat": ("hat",),
    "umbrella": ("umbrella", "parasol"),
}
PLURAL = ("jeans", "trousers", "pants", "shorts", "sneakers", "loafers", "boots", "shoes")
COLOURS: dict[str, tuple[str, ...]] = {
    "grey": ("grey", "gray"),
    "purple": ("purple", "violet"),
    "red": ("red", "scarlet"),
    "navy": ("navy", "dark blue"),
    "beige": ("beige", "tan", "khaki"),
}
HAIR_COLOURS: dict[str, tuple[str, ...]] = {
    "blonde": ("blonde", "blond", "fair"),
    "grey": ("grey", "gray", "silver"),
    "red": ("red", "ginger"),
}
STYLES: dict[str, tuple[str, ...]] = {
    "short": ("short", "cropped"),
    "long": ("long", "shoulder length"),
    "curly": ("curly", "frizzy"),
    "bald": ("bald",),
}
TIED = {"ponytail": ("in a ponytail", "tied back in a ponytail"), "bun": ("in a bun", "tied up in a bun")}
BUILDS = {"slim": ("slim", "thin", "slender"), "heavy": ("heavy", "stout"), "tall": ("tall",), "short": ("short",)}
PATTERNS: dict[str, tuple[str, ...]] = {
    "plain": ("plain",),
    "striped": ("striped", "stripy"),
    "checked": ("checked", "plaid", "checkered"),
    "dotted": ("dotted", "spotted", "polka dot"),
}
SLEEVES = {"long": ("long-sleeved",), "short": ("short-sleeved",), "none": ("sleeveless",)}
PRINTS = {"logo": ("logo", "emblem"), "star": ("star",), "heart": ("heart",)}
PLACES: dict[str, tuple[str, ...]] = {
    "street": ("down the street", "on the street", "in the city"),
    "park": ("in the park", "through a park"),
    "station": ("at the station", "on a platform"),
    "shop": ("in a shop", "in a store"),
    "campus": ("on the campus", "outside a brick building"),
    "river": ("by the river", "along the water"),
}
STANDING = {
    "street": "on the street",
    "park": "in the park",
    "river": "by the river",
}  # for standing; "along" and "through" are for walking
ANGLES: dict[str, tuple[str, ...]] = {
    "front": ("from the front", "facing the camera"),
    "back": ("from behind", "from the back"),
    "side": ("from the side", "in profile"),
}
WEARS = ("is wearing", "wears", "is dressed in", "has on")
PRONOUNS = {"man": ("he", "his"), "woman": ("she", "her"), "person": ("this person", "their")}
WHERE = {"backpack": "on {} back", "shoulder bag": "over one shoulder", "handbag": "in one hand"}
