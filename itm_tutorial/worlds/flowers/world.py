"""The world of the drawn flowers, modelled on Oxford-102 Flowers: its names, sizes and words."""

from itm_tutorial.worlds.flowers.blossom import FORMS, draw_genus, draw_species
from itm_tutorial.worlds.flowers.drawing import paint
from itm_tutorial.worlds.flowers.meeting import meet
from itm_tutorial.worlds.species.grammar import Lexicon
from itm_tutorial.worlds.species.world import Size, World

GENERA = (
    "amaris belvine corrisia dulcen elfwort farrowia glimmery hallisia irrelia jessaly kellory lumaria marrowisp "
    "nerisia oravine pellaria quillory rosmelle sellisia tarravine ullaria"
)
NOUNS = {
    "flower": ("flower", "blossom", "bloom"),
    "petals": ("petals",),
    "edges": ("edges", "rims", "borders"),
    "ring": ("inner ring", "ring"),
    "base": ("base",),
    "center": ("center", "middle", "disk"),
    "trumpet": ("trumpet", "tube"),
    "stamens": ("stamens", "filaments", "anthers"),
    "spots": ("spots", "dots"),
    "stripes": ("stripes", "lines", "veins"),
    "leaves": ("leaves",),
    "stem": ("stem", "stalk"),
}
VALUES = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big"),
    "closed": ("closed", "unopened"),
    "cup": ("cup shaped",),
    "bell": ("bell shaped", "hanging"),
    "round": ("round", "rounded"),
    "pointed": ("pointed", "pointy", "sharp"),
    "heart": ("heart shaped",),
    "frilled": ("frilly", "ruffled", "wavy"),
    "narrow": ("narrow", "thin", "slender"),
    "oval": ("oval", "smooth"),
    "jagged": ("jagged", "toothed"),
    "many": ("many", "numerous"),
    "layered": ("layered", "overlapping"),
    "spotted": ("spotted", "speckled"),
    "striped": ("striped", "streaked"),
    "purple": ("purple", "violet"),
    "grey": ("grey", "gray"),
    "red": ("red", "crimson"),
    "light green": ("light green", "pale green"),
}
APPEAL = {
    "petals": 2.6, "edges": 1.5, "ring": 1.2, "base": 1.2, "center": 1.5, "trumpet": 1.7, "stamens": 1.3, "spots": 1.2,
    "stripes": 1.2, "leaves": 0.8, "stem": 0.6,
}  # fmt: skip
_GROWTH = {
    "single": ("growing", "standing alone"),
    "few": ("growing with others", "beside others"),
    "cluster": ("in a round cluster", "clustered"),
    "spike": ("in a long spike", "along a tall stem"),
}
_PLACES = {
    "leaves": ("among green leaves", "before dark leaves"),
    "meadow": ("in a meadow", "in the grass"),
    "soil": ("on bare soil", "in the soil"),
    "sky": ("under the sky", "against a blue sky"),
    "pot": ("in a pot",),
}
POSES = {
    (growth, place): tuple(f"{how} {where}" for how in hows for where in wheres)
    for growth, hows in _GROWTH.items()
    for place, wheres in _PLACES.items()
}
WORLD = World(
    name="flowers",
    root="flower",
    genera=tuple(GENERA.split()),
    sizes={
        "tiny": Size((3, 1, 2), pictures=6, per_genus=3),
        "mini": Size((28, 5, 17), pictures=30),
        "full": Size((62, 20, 20), pictures=80),  # Oxford-102 Flowers as Reed et al. (2016) split it
    },
    orders=FORMS,
    genus=draw_genus,
    species=draw_species,
    meet=meet,
    paint=paint,
    lexicon=Lexicon("flower", NOUNS, VALUES, APPEAL, POSES),
)
