"""The words of the captions: plurals, synonyms, and the phrases for relations, places and light."""

from itm_tutorial.worlds.scenes.kinds import KINDS

NUMBERS = {2: "two", 3: "three", 4: "four"}
VAGUE = ("some", "several")
SIZES = {"small": ("small", "little", "tiny"), "large": ("large", "big", "huge")}
STATURES = {"small": ("short", "small"), "large": ("tall", "big")}  # words for the size of people
COLOUR_SYNONYMS = {"grey": ("grey", "gray"), "purple": ("purple", "violet"), "red": ("red", "scarlet")}
PATTERNS = {"striped": ("striped",), "spotted": ("spotted", "dotted")}
IRREGULAR = {"man": "men", "woman": "women", "sheep": "sheep", "wolf": "wolves", "deer": "deer", "person": "people"}
IRREGULAR |= {
    "bus": "buses",
    "bench": "benches",
    "birch": "birches",
    "church": "churches",
    "fox": "foxes",
    "lady": "ladies",
}
IRREGULAR |= {
    "cactus": "cacti",
    "daisy": "daisies",
    "bush": "bushes",
    "ferry": "ferries",
    "lorry": "lorries",
    "pony": "ponies",
}
IRREGULAR |= {
    "puppy": "puppies",
    "aircraft": "aircraft",
    "fruit": "fruit",
    "furniture": "furniture",
    "couch": "couches",
}
IRREGULAR |= {"coach": "coaches", "canoe": "canoes", "toy": "toys"}
HYPERNYMS = ("animal", "bird", "person", "vehicle", "boat", "aircraft", "building", "tree", "flower", "toy")

# (relation, whether reversed) -> phrases, the most common first
RELATIONS = {
    ("left", False): ("to the left of", "left of"),
    ("left", True): ("to the right of", "right of"),
    ("front", False): ("in front of",),
    ("front", True): ("behind",),
    ("above", False): ("above", "over"),
    ("above", True): ("below", "under"),
    ("on", False): ("on", "on top of"),
}
BESIDE = ("near", "next to", "beside", "with")  # for two things side by side; the last one not after a verb

PLACES = {
    "field": ("in a field", "on the grass", "in a green meadow"),
    "beach": ("on the beach", "on a sandy beach", "by the sea"),
    "street": ("on a street", "in the street", "in the city"),
    "desert": ("in the desert", "in a dry desert"),
    "snow": ("in the snow", "in a snowy landscape"),
    "forest": ("in the forest", "in the woods"),
    "lake": ("at the lake", "by a lake"),
    "park": ("in the park", "in a park"),
    "farm": ("on a farm", "on the farm"),
    "room": ("in a room", "indoors", "in the living room"),
}
LIGHTS = {"evening": ("at sunset", "in the evening"), "night": ("at night", "in the dark")}
VERBS = {  # by family or habitat: (singular, plural)
    "animal": (("stands", "stand"), ("is standing", "are standing"), ("waits", "wait")),
    "bird": (("sits", "sit"), ("is", "are")),
    "person": (("stands", "stand"), ("is standing", "are standing"), ("waits", "wait"), ("poses", "pose")),
    "vehicle": (("is parked", "are parked"), ("stands", "stand")),
    "cycle": (("is parked", "are parked"), ("stands", "stand")),
    "boat": (("floats", "float"), ("lies", "lie")),
    "aircraft": (("flies", "fly"), ("is flying", "are flying")),
    "building": (("stands", "stand"), ("is", "are")),
    "tree": (("grows", "grow"), ("stands", "stand")),
    "flower": (("grows", "grow"), ("blooms", "bloom")),
}
LIES = (("lies", "lie"), ("is", "are"))


def plural(noun: str) -> str:
    """The plural of a noun of this world."""
    return IRREGULAR.get(noun, noun + "s")


def nouns(kind: str) -> tuple[str, ...]:
    """The words for a kind or a family, the most common first."""
    return (kind, *KINDS[kind].synonyms) if kind in KINDS else (kind,)


def sizes(name: str) -> dict[str, tuple[str, ...]]:
    """The words for the sizes of a kind or a family, the most common first."""
    return STATURES if (KINDS[name].family if name in KINDS else name) == "person" else SIZES
