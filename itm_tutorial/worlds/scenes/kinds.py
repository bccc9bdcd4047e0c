"""The kinds of things, their families, and the places where they usually are, as plain tables.

All kinds of a family have one drawing template (``templates.TEMPLATES``), so that a wolf looks like a dog; they differ
in a few numbers beside the template. ``weight`` decreases within and between families, which gives a long tail as in
real captions.
"""

from __future__ import annotations

from dataclasses import dataclass

ANY = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey", "white"]
PLACES = ("field", "beach", "street", "desert", "snow", "forest", "lake", "park", "farm", "room")
LIGHTS = ("day", "evening", "night")


@dataclass(frozen=True)
class Kind:
    """One kind of thing.

    Attributes:
        name: the most common word for it; every name is one word.
        family: its hypernym ("animal").
        synonyms: other words for it (singular); may be empty.
        height: usual height of its box, as a fraction of the image.
        aspect: width over height of its box, seen from the side.
        habitat: "ground", "sky", "water", or "top" (small enough to stand on furniture as well as on the ground).
        places: its usual places; it is rarely elsewhere.
        colours: its possible colours, the most common first.
        patterns: whether it may be striped or spotted too.
        weight: how common it is.
    """

    name: str
    family: str
    synonyms: tuple[str, ...] = ()
    height: float = 0.3
    aspect: float = 1.0
    habitat: str = "ground"
    places: tuple[str, ...] = PLACES
    colours: tuple[str, ...] = tuple(ANY)
    patterns: bool = False
    weight: float = 1.0


OPEN = ("field", "beach", "desert", "snow", "forest", "lake", "park", "farm")
TOWN = ("street", "park", "beach", "snow")
GREEN = ("field", "forest", "lake", "park", "farm")
FUR = ("brown", "black", "white", "grey", "orange", "yellow")
PAINT = ("red", "blue", "white", "black", "yellow", "green", "grey", "orange", "pink", "purple")
WOOD = ("brown", "white", "red", "black", "blue", "green", "yellow")
PETALS = ("red", "yellow", "pink", "purple", "white", "orange", "blue")

_ROWS = [
    # animals
    Kind("dog", "animal", ("puppy",), 0.20, 1.25, "ground", PLACES, FUR, weight=3.0),
    Kind("cat", "animal", ("kitten",), 0.16, 1.25, "top", ("room", "street", "farm", "park"), FUR, True, 2.2),
    Kind("horse", "animal", ("pony",), 0.32, 1.15, "ground", ("field", "farm", "beach", "park"), FUR, weight=1.8),
    Kind("cow", "animal", (), 0.28, 1.35, "ground", ("field", "farm"), ("brown", "black", "white"), True, 1.4),
    Kind(
        "sheep",
        "animal",
        ("lamb",),
        0.20,
        1.25,
        "ground",
        ("field", "farm", "snow"),
        ("white", "grey", "black"),
        weight=1.4,
    ),
    Kind(
        "pig",
        "animal",
        ("hog",),
        0.18,
        1.4,
        "ground",
        ("farm", "field"),
        ("pink", "brown", "black", "white"),
        True,
        0.9,
    ),
    Kind(
        "wolf",
        "animal",
        (),
        0.21,
        1.3,
        "ground",
        ("snow", "forest", "desert"),
        ("grey", "white", "black", "brown"),
        weight=0.6,
    ),
    Kind(
        "fox",
        "animal",
        (),
        0.17,
        1.45,
        "ground",
        ("forest", "snow", "field"),
        ("orange", "red", "grey", "white"),
        weight=0.6,
    ),
    Kind(
        "deer",
        "animal",
        ("stag",),
        0.32,
        0.95,
        "ground",
        ("forest", "field", "snow", "lake"),
        ("brown", "orange", "grey"),
        True,
        0.6,
    ),
    Kind(
        "bear", "animal", (), 0.28, 1.3, "ground", ("forest", "snow", "lake"), ("brown", "black", "white"), weight=0.5
    ),
    # birds
    Kind(
        "duck",
        "bird",
        (),
        0.12,
        1.2,
        "water",
        ("lake", "park", "farm"),
        ("brown", "white", "yellow", "green", "grey"),
        weight=1.3,
    ),
    Kind(
        "hen",
        "bird",
        ("chicken",),
        0.14,
        1.05,
        "ground",
        ("farm", "field"),
        ("brown", "white", "red", "black"),
        weight=1.1,
    ),
    Kind("swan", "bird", (), 0.17, 1.2, "water", ("lake", "park"), ("white", "black", "grey"), weight=0.6),
    Kind("owl", "bird", (), 0.15, 0.75, "top", ("forest", "farm", "snow"), ("brown", "white", "grey"), True, 0.5),
    Kind(
        "parrot",
        "bird",
        (),
        0.15,
        0.75,
        "top",
        ("beach", "forest", "room"),
        ("green", "red", "blue", "yellow"),
        weight=0.5,
    ),
    Kind("penguin", "bird", (), 0.18, 0.65, "ground", ("snow",), ("black", "blue", "grey"), weight=0.6),
    # people: the colour is that of their clothes
    Kind("man", "person", ("guy",), 0.36, 0.38, "ground", PLACES, PAINT, True, 3.0),
    Kind("woman", "person", ("lady",), 0.34, 0.40, "ground", PLACES, PAINT, True, 2.8),
    Kind("boy", "person", ("lad",), 0.26, 0.44, "ground", PLACES, PAINT, True, 2.2),
    Kind("girl", "person", (), 0.26, 0.46, "ground", PLACES, PAINT, True, 2.2),
    # vehicles
    Kind(
        "car",
        "vehicle",
        ("auto",),
        0.18,
        1.95,
        "ground",
        ("street", "beach", "desert", "snow", "park"),
        PAINT,
        weight=2.6,
    ),
    Kind("van", "vehicle", ("minivan",), 0.23, 1.65, "ground", ("street", "beach", "park"), PAINT, weight=1.0),
    Kind(
        "bus",
        "vehicle",
        ("coach",),
        0.28,
        1.9,
        "ground",
        ("street",),
        ("red", "yellow", "blue", "green", "white", "orange"),
        weight=1.2,
    ),
    Kind("truck", "vehicle", ("lorry",), 0.27, 1.8, "ground", ("street", "desert", "farm"), PAINT, weight=1.2),
    Kind(
        "taxi", "vehicle", ("cab",), 0.19, 1.9, "ground", ("street",), ("yellow", "black", "white", "green"), weight=0.7
    ),
    Kind(
        "tractor",
        "vehicle",
        (),
        0.27,
        1.2,
        "ground",
        ("farm", "field"),
        ("green", "red", "blue", "orange", "yellow"),
        weight=0.7,
    ),
    # cycles
    Kind("bicycle", "cycle", ("bike",), 0.20, 1.5, "ground", ("street", "park", "beach", "forest"), PAINT, weight=1.4),
    Kind("motorbike", "cycle", ("motorcycle",), 0.20, 1.55, "ground", ("street", "desert"), PAINT, weight=0.8),
    Kind("scooter", "cycle", ("moped",), 0.19, 1.3, "ground", ("street", "beach"), PAINT, weight=0.4),
    # boats
    Kind("sailboat", "boat", ("yacht",), 0.34, 0.85, "water", ("lake", "beach"), PAINT, True, 1.1),
    Kind("ship", "boat", ("ferry",), 0.22, 1.9, "water", ("lake", "beach"), PAINT, weight=0.6),
    Kind("canoe", "boat", ("rowboat",), 0.11, 2.6, "water", ("lake", "beach"), WOOD, weight=0.6),
    # aircraft
    Kind(
        "plane", "aircraft", ("airplane",), 0.14, 2.1, "sky", tuple(p for p in PLACES if p != "room"), PAINT, weight=1.2
    ),
    Kind("balloon", "aircraft", ("airship",), 0.24, 0.8, "sky", OPEN, PAINT, True, 1.0),
    Kind(
        "helicopter",
        "aircraft",
        ("chopper",),
        0.15,
        1.8,
        "sky",
        ("street", "desert", "snow", "beach", "field"),
        PAINT,
        weight=0.6,
    ),
    Kind("kite", "aircraft", (), 0.19, 0.8, "sky", ("beach", "field", "park"), PAINT, True, 0.8),
    # buildings
    Kind(
        "house",
        "building",
        ("cottage",),
        0.36,
        1.1,
        "ground",
        ("field", "street", "snow", "lake", "park", "forest"),
        ("white", "red", "yellow", "blue", "grey", "pink", "brown"),
        weight=2.0,
    ),
    Kind(
        "barn",
        "building",
        ("shed",),
        0.34,
        1.25,
        "ground",
        ("farm", "field"),
        ("red", "brown", "white", "green"),
        weight=1.0,
    ),
    Kind(
        "church",
        "building",
        ("chapel",),
        0.44,
        0.85,
        "ground",
        ("street", "field", "snow"),
        ("white", "grey", "brown", "yellow"),
        weight=0.6,
    ),
    Kind(
        "tower",
        "building",
        (),
        0.50,
        0.42,
        "ground",
        ("street", "desert", "beach", "park"),
        ("grey", "white", "brown", "red"),
        True,
        0.6,
    ),
    Kind(
        "castle",
        "building",
        ("fort",),
        0.42,
        1.2,
        "ground",
        ("forest", "snow", "desert", "lake"),
        ("grey", "brown", "white", "pink"),
        weight=0.5,
    ),
    Kind(
        "tent", "building", (), 0.22, 1.45, "ground", ("forest", "desert", "lake", "beach", "field"), PAINT, True, 0.9
    ),
    Kind(
        "windmill",
        "building",
        ("mill",),
        0.46,
        0.85,
        "ground",
        ("field", "farm"),
        ("white", "brown", "red", "grey"),
        weight=0.5,
    ),
    # trees
    Kind("oak", "tree", (), 0.42, 0.95, "ground", GREEN, ("green", "orange", "red", "yellow"), weight=1.4),
    Kind(
        "pine",
        "tree",
        ("fir",),
        0.44,
        0.62,
        "ground",
        ("forest", "snow", "lake", "park"),
        ("green", "white", "blue"),
        weight=1.3,
    ),
    Kind("palm", "tree", (), 0.44, 0.8, "ground", ("beach", "desert", "street"), ("green", "yellow"), weight=0.9),
    Kind(
        "birch",
        "tree",
        (),
        0.44,
        0.6,
        "ground",
        ("forest", "park", "lake", "snow"),
        ("green", "yellow", "orange"),
        weight=0.6,
    ),
    Kind(
        "bush",
        "tree",
        ("shrub",),
        0.16,
        1.35,
        "ground",
        GREEN + ("street",),
        ("green", "red", "yellow", "pink"),
        True,
        0.9,
    ),
    Kind("cactus", "tree", (), 0.30, 0.7, "ground", ("desert",), ("green", "blue"), weight=0.8),
    # flowers
    Kind("tulip", "flower", (), 0.16, 0.5, "ground", ("field", "park", "farm"), PETALS, weight=0.8),
    Kind("rose", "flower", (), 0.16, 0.55, "ground", ("park", "farm"), PETALS, weight=0.8),
    Kind(
        "daisy",
        "flower",
        (),
        0.14,
        0.6,
        "ground",
        ("field", "park", "forest"),
        ("white", "yellow", "pink", "purple"),
        weight=0.7,
    ),
    Kind("sunflower", "flower", (), 0.26, 0.5, "ground", ("field", "farm"), ("yellow", "orange", "red"), weight=0.6),
    # furniture
    Kind("chair", "furniture", (), 0.24, 0.68, "ground", ("room", "beach", "park"), WOOD, weight=1.5),
    Kind("table", "furniture", ("desk",), 0.20, 1.6, "ground", ("room", "park"), WOOD, weight=1.5),
    Kind("bench", "furniture", (), 0.19, 1.8, "ground", ("park", "street", "lake"), WOOD, weight=1.1),
    Kind("sofa", "furniture", ("couch",), 0.22, 1.9, "ground", ("room",), tuple(ANY), True, 1.1),
    Kind(
        "bed",
        "furniture",
        (),
        0.22,
        1.8,
        "ground",
        ("room",),
        ("white", "blue", "red", "pink", "brown", "green"),
        True,
        0.8,
    ),
    Kind("stool", "furniture", (), 0.17, 0.8, "ground", ("room", "farm"), WOOD, weight=0.6),
    # fruit
    Kind("apple", "fruit", (), 0.09, 1.0, "top", ("room", "farm", "park"), ("red", "green", "yellow"), weight=1.3),
    Kind("lemon", "fruit", (), 0.08, 1.25, "top", ("room", "farm"), ("yellow", "green"), weight=0.5),
    Kind("pear", "fruit", (), 0.11, 0.75, "top", ("room", "farm"), ("green", "yellow", "red", "brown"), weight=0.7),
    Kind(
        "pumpkin",
        "fruit",
        (),
        0.14,
        1.25,
        "top",
        ("farm", "field", "room"),
        ("orange", "yellow", "green", "white"),
        weight=0.7,
    ),
    # toys
    Kind("ball", "toy", (), 0.11, 1.0, "top", ("beach", "park", "room", "field", "street", "snow"), PAINT, True, 2.0),
    Kind("cube", "toy", ("block",), 0.12, 1.0, "top", ("room", "park"), PAINT, True, 0.8),
    Kind("drum", "toy", (), 0.14, 1.1, "top", ("room", "street", "park"), PAINT, True, 0.6),
    # vessels
    Kind("bucket", "vessel", ("pail",), 0.14, 0.95, "top", ("beach", "farm"), PAINT, True, 0.8),
    Kind("basket", "vessel", (), 0.15, 1.15, "top", ("room", "park", "farm", "field"), WOOD, weight=0.8),
    Kind("vase", "vessel", ("jar",), 0.17, 0.65, "top", ("room",), PAINT, True, 0.8),
]
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(kind.family for kind in _ROWS))
