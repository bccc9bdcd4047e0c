"""The world of the drawn birds, modelled on CUB: its names, sizes and words."""

from itm_tutorial.worlds.birds.drawing import paint
from itm_tutorial.worlds.birds.meeting import meet
from itm_tutorial.worlds.birds.plumage import BUILDS, draw_genus, draw_species
from itm_tutorial.worlds.species.grammar import Lexicon
from itm_tutorial.worlds.species.world import Size, World

GENERA = (
    "tirrel quillet brindlet morvet sallow pellick wistle garnick tavvy lorrin chiffet drumble nettick osprit "
    "plimmet rasket sorrick thirple umbret vellow whimbet yaffer zillet bracket corvel dabbit emmet fernel grebbit "
    "hobbin ibbet jackle knottle lintel mirrick nobbet orlin puddock quarrel rimmet"
)
NOUNS = {
    "bird": ("bird",),
    "head": ("head",),
    "crown": ("crown", "cap"),
    "face": ("face", "cheeks", "cheek patch"),
    "throat": ("throat", "chin"),
    "breast": ("breast", "chest"),
    "belly": ("belly", "underside", "abdomen", "stomach"),
    "back": ("back", "mantle"),
    "wings": ("wings", "wing feathers"),
    "tail": ("tail", "tail feathers", "rectrices"),
    "beak": ("beak", "bill"),
    "legs": ("legs", "feet"),
    "neck": ("neck",),
    "crest": ("crest", "tuft"),
    "wing bars": ("wing bars", "wingbars"),
    "eye ring": ("eye ring", "eyering"),
    "eye stripe": ("eye stripe", "eye line"),
}
VALUES = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big"),
    "medium": ("medium sized",),
    "plump": ("plump", "round", "chubby"),
    "slender": ("slender", "slim"),
    "sturdy": ("sturdy", "stocky"),
    "pointed": ("pointed", "sharp", "pointy"),
    "thin": ("thin", "narrow", "slim"),
    "hooked": ("hooked", "curved"),
    "flat": ("flat", "broad"),
    "forked": ("forked", "notched"),
    "spotted": ("spotted", "speckled"),
    "streaked": ("streaked", "striped"),
    "grey": ("grey", "gray"),
    "tan": ("tan", "beige", "buff"),
    "red": ("red", "crimson"),
}
APPEAL = {
    "crown": 1.2, "face": 0.5, "head": 0.8, "throat": 0.6, "breast": 1.2, "belly": 1.1, "back": 0.8, "wings": 1.3,
    "tail": 0.8, "beak": 1.3, "legs": 0.7, "neck": 1.2, "crest": 1.6, "wing bars": 1.5, "eye ring": 0.9,
    "eye stripe": 1.1,
}  # fmt: skip
POSES = {
    ("perched", "branch"): ("perched on a branch", "sitting on a branch", "on a branch"),
    ("standing", "grass"): ("standing in the grass", "on the grass"),
    ("standing", "sand"): ("standing on the sand", "on a sandy shore"),
    ("standing", "snow"): ("standing in the snow", "in the snow"),
    ("swimming", "water"): ("swimming in the water", "floating on the water", "on a lake"),
    ("flying", "sky"): ("flying in the sky", "in flight"),
}
WORLD = World(
    name="birds",
    root="bird",
    genera=tuple(GENERA.split()),
    sizes={
        "tiny": Size((3, 1, 2), pictures=6, per_genus=3),
        "mini": Size((34, 6, 20), pictures=30),
        "full": Size((100, 50, 50), pictures=60),  # CUB as Reed et al. (2016) split it
    },
    orders=BUILDS,
    genus=draw_genus,
    species=draw_species,
    meet=meet,
    paint=paint,
    lexicon=Lexicon("bird", NOUNS, VALUES, APPEAL, POSES),
)
