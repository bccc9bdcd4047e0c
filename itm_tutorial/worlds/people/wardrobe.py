"""Clothes and attributes of people, with weights that sum to about a hundred."""

from __future__ import annotations

from itm_tutorial.worlds.scenes.brush import Colour
from itm_tutorial.worlds.scenes.palette import COLOURS as SCENE_COLOURS

COLOURS: dict[str, Colour] = SCENE_COLOURS | {"navy": (40, 54, 112), "beige": (208, 194, 148)}
HAIR: dict[str, Colour] = {
    "black": (36, 32, 36),
    "brown": (116, 72, 40),
    "blonde": (236, 200, 112),
    "grey": (172, 174, 178),
    "red": (188, 82, 36),
}
SKINS: dict[str, Colour] = {  # drawn, but never described: no description mentions skin
    "fair": (252, 222, 196),
    "light": (240, 200, 164),
    "olive": (212, 166, 122),
    "brown": (158, 106, 70),
    "deep": (102, 66, 46),
}

Weights = dict[str, float]
SKIN_WEIGHTS: Weights = {"fair": 24, "light": 32, "olive": 20, "brown": 14, "deep": 10}
SEXES: Weights = {"man": 54, "woman": 46}
BUILDS: Weights = {"average": 62, "slim": 12, "heavy": 10, "tall": 9, "short": 7}
HAIR_COLOURS: Weights = {"black": 46, "brown": 29, "blonde": 12, "grey": 8, "red": 5}
HAIR_STYLES: dict[str, Weights] = {
    "man": {"short": 72, "curly": 11, "bald": 9, "long": 5, "ponytail": 3},
    "woman": {"long": 44, "ponytail": 22, "short": 13, "bun": 12, "curly": 9},
}
UPPERS: dict[str, Weights] = {
    "man": {"t-shirt": 30, "shirt": 20, "jacket": 20, "hoodie": 11, "sweater": 10, "coat": 6, "tank top": 3},
    "woman": {"t-shirt": 24, "shirt": 16, "jacket": 16, "dress": 13, "sweater": 12, "coat": 8, "hoodie": 6}
    | {"tank top": 5},
}
LOWERS: dict[str, Weights] = {
    "man": {"jeans": 48, "trousers": 34, "shorts": 18},
    "woman": {"jeans": 46, "trousers": 22, "skirt": 20, "shorts": 12},
}
SHOES: Weights = {"sneakers": 56, "loafers": 28, "boots": 16}
BAGS: dict[str, Weights] = {
    "man": {"": 46, "backpack": 34, "shoulder bag": 18, "handbag": 2},
    "woman": {"": 36, "handbag": 28, "shoulder bag": 18, "backpack": 18},
}
HATS: dict[str, Weights] = {
    "man": {"": 78, "cap": 14, "beanie": 6, "sun hat": 2},
    "woman": {"": 82, "sun hat": 7, "beanie": 6, "cap": 5},
}
PATTERNS: Weights = {"plain": 58, "striped": 18, "checked": 14, "dotted": 10}
PRINTS: Weights = {"": 62, "logo": 20, "star": 9, "heart": 9}

TOP_COLOURS: Weights = {"black": 25, "white": 18, "grey": 13, "blue": 11, "navy": 7, "red": 8, "green": 5, "pink": 4}
TOP_COLOURS |= {"yellow": 3, "beige": 2, "purple": 2, "brown": 1, "orange": 1}
COAT_COLOURS: Weights = {"black": 34, "navy": 12, "grey": 12, "brown": 10, "beige": 10, "green": 7, "red": 7, "blue": 6}
COAT_COLOURS |= {"orange": 1, "yellow": 1}
LOWER_COLOURS: dict[str, Weights] = {
    "jeans": {"blue": 56, "navy": 18, "black": 17, "grey": 9},
    "trousers": {"black": 46, "grey": 16, "beige": 14, "navy": 11, "brown": 7, "white": 4, "green": 2},
    "shorts": {"black": 26, "beige": 22, "blue": 20, "grey": 12, "white": 9, "red": 7, "green": 4},
    "skirt": {"black": 34, "red": 12, "white": 12, "navy": 12, "grey": 10, "pink": 8, "green": 6, "yellow": 6},
}
SHOE_COLOURS: dict[str, Weights] = {
    "sneakers": {"white": 46, "black": 28, "grey": 9, "red": 7, "blue": 6, "pink": 2, "yellow": 2},
    "loafers": {"black": 62, "brown": 30, "white": 8},
    "boots": {"black": 60, "brown": 36, "red": 4},
}
BAG_COLOURS: Weights = {"black": 42, "brown": 16, "blue": 10, "red": 9, "grey": 8, "beige": 5, "green": 4, "pink": 4}
BAG_COLOURS |= {"yellow": 1, "white": 1}
HAT_COLOURS: Weights = {
    "black": 30,
    "blue": 16,
    "red": 14,
    "white": 13,
    "grey": 10,
    "beige": 9,
    "green": 5,
    "yellow": 3,
}
UMBRELLA_COLOURS: Weights = {"black": 34, "red": 20, "blue": 18, "yellow": 10, "green": 9, "pink": 9}

GENERAL = {  # a more general word for it
    **dict.fromkeys(("t-shirt", "shirt", "jacket", "hoodie", "sweater", "coat", "tank top"), "top"),
    **dict.fromkeys(("jeans", "trousers"), "pants"),
    **dict.fromkeys(("sneakers", "loafers", "boots"), "shoes"),
    **dict.fromkeys(("backpack", "shoulder bag", "handbag"), "bag"),
    **dict.fromkeys(("cap", "beanie", "sun hat"), "hat"),
}
OPEN = ("jacket", "coat")  # worn open: from the front, a shirt of another colour is visible
PRINTED = ("t-shirt", "sweater", "hoodie")
PATTERNED = ("t-shirt", "shirt", "sweater", "dress", "tank top")
SLEEVES: dict[str, Weights] = {  # all others have long sleeves
    "t-shirt": {"short": 84, "long": 16},
    "shirt": {"long": 68, "short": 32},
    "dress": {"short": 44, "none": 36, "long": 20},
    "tank top": {"none": 1},
}
