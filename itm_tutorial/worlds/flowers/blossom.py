"""The appearance of flowers: the form, common to a genus, and the colours, which distinguish its species."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from itm_tutorial.worlds.species.portrait import COLOURS

LEAF_SHADES = {"dark green": (44, 106, 54), "light green": (136, 192, 82), "grey": (136, 156, 140)}
SHADES = COLOURS | LEAF_SHADES


@dataclass(frozen=True)
class Form:
    """The shape of a flower.

    Attributes:
        order: its basic shape.
        side: whether its petals are seen from the front ("face"), or from the side as a "cup" or a "bell".
        petal: their shape: "round", "pointed", "heart", "frilled", "narrow" or "fused" (to a bell).
        petals: number of petals in the outermost layer.
        layers: number of layers of petals.
        arrangement: "single", "few", "cluster" or "spike".
        leaf: "oval", "narrow", "heart" or "jagged".
        fullness: width of a petal, relative to the width that just fills the circle.
        trumpet: whether it has a trumpet in the centre.
    """

    order: str
    side: str
    petal: str
    petals: int
    layers: int
    arrangement: str
    leaf: str
    fullness: float
    trumpet: bool = False


FORMS = (  # fullness and arrangement vary a little from genus to genus
    Form("daisy", "face", "narrow", 14, 1, "single", "jagged", 0.85),
    Form("star", "face", "pointed", 5, 1, "few", "oval", 0.8),
    Form("rose", "face", "round", 6, 4, "single", "jagged", 1.3),
    Form("lily", "face", "pointed", 6, 1, "few", "narrow", 0.85),
    Form("tulip", "cup", "pointed", 6, 1, "single", "narrow", 1.0),
    Form("bell", "bell", "fused", 5, 1, "spike", "oval", 1.0),
    Form("poppy", "face", "frilled", 4, 1, "single", "jagged", 1.15),
    Form("pansy", "face", "round", 5, 1, "few", "heart", 1.0),
    Form("narcissus", "face", "round", 6, 1, "single", "narrow", 0.95, True),
    Form("phlox", "face", "heart", 5, 1, "cluster", "oval", 1.0),
    Form("dahlia", "face", "pointed", 10, 4, "single", "oval", 1.2),
    Form("orchid", "face", "round", 5, 1, "spike", "narrow", 0.9),
    Form("primrose", "face", "heart", 5, 1, "few", "oval", 1.0),
    Form("carnation", "face", "frilled", 8, 3, "few", "narrow", 1.2),
    Form("campion", "bell", "fused", 5, 1, "few", "heart", 1.0),
)
_VARIED = {  # other possible values for a genus of this order
    "arrangement": {"single": ("single", "few"), "few": ("few", "single", "cluster"), "cluster": ("cluster", "spike")},
    "petals": {4: (4, 5), 5: (5, 5, 4), 6: (6, 6, 5), 8: (8, 10), 10: (10, 12), 14: (11, 14, 18)},
}


@dataclass(frozen=True)
class Blossom:
    """The attributes of a species or of one of its individuals; every colour is a name in ``SHADES``.

    Attributes:
        form: common to the genus.
        petals: their colour.
        edge: the colour of their rims, or None.
        base: the colour around the centre, or None.
        pattern: of the petals: "plain", "spotted" or "striped".
        ink: the colour of spots or stripes.
        centre: its colour.
        centre_size: "small" or "large".
        stamens: their colour, or None.
        leaves: their shade.
        stem: its colour.
        variant: (field, value) that some individuals have instead of the usual one.
    """

    form: Form
    petals: str
    edge: str | None
    base: str | None
    pattern: str
    ink: str
    centre: str
    centre_size: str
    stamens: str | None
    leaves: str
    stem: str = "light green"
    variant: tuple[str, str] | None = None

    @property
    def large(self) -> bool:
        """Whether single blooms are large enough for marks and stamens to be seen."""
        return self.form.arrangement in ("single", "few")


PETALS = ("pink", "yellow", "white", "purple", "red", "orange", "blue")
INNER = ("yellow", "white", "red", "purple", "orange", "pink", "black")
CENTRES = ("yellow", "brown", "orange", "white", "black", "red", "purple")
_LEAVES, _STEMS = tuple(LEAF_SHADES), ("light green", "dark green", "brown", "red")
_PALETTES = {"petals": PETALS, "edge": INNER, "base": INNER, "ink": INNER, "centre": CENTRES, "stamens": CENTRES}
_PALETTES |= {"leaves": _LEAVES, "stem": _STEMS}


def common(options: tuple[str, ...], rng: Random, but: tuple[str | None, ...] = ()) -> str:
    """One of the options, the first more often than the last."""
    left = [option for option in options if option not in but]
    return rng.choices(left, [1 / (1 + 0.15 * i) for i in range(len(left))])[0]


def draw_genus(order: Form, rng: Random) -> Blossom:
    """Samples the form and the usual colours of a genus.

    Args:
        order: one of ``FORMS``, which is varied a little.
        rng: the random stream of the genus.

    Returns:
        The attributes from which those of its species are sampled.
    """
    form = replace(
        order,
        fullness=round(order.fullness * rng.uniform(0.9, 1.1), 3),
        arrangement=rng.choice(_VARIED["arrangement"].get(order.arrangement, (order.arrangement,))),
        petals=order.petals if order.order == "pansy" else rng.choice(_VARIED["petals"][order.petals]),
    )
    petals = common(PETALS, rng)
    return Blossom(
        form=form,
        petals=petals,
        edge=None,
        base=None,
        pattern="plain",
        ink=common(INNER, rng, but=(petals,)),
        centre=common(CENTRES, rng, but=(petals,)),
        centre_size=rng.choice(("small", "large")),
        stamens=None,
        leaves=common(_LEAVES, rng),
    )


def draw_species(genus: Blossom, rng: Random) -> Blossom:
    """Samples a species: several of its attributes differ from the genus's, but not its form."""
    looks = genus
    names = ["petals", "edge", "base", "leaves", "stem"]
    if looks.form.side == "face":
        names += ["centre", "centre", "centre_size", "petals"]
    if looks.large:
        names += ["pattern", "pattern", "ink"] + (["stamens", "stamens"] if looks.form.side == "face" else [])
    for name in dict.fromkeys(rng.choices(names, k=rng.randint(4, 7))):
        looks = replace(looks, **{name: _other(looks, name, rng)})
    looks = _different(looks, rng)
    if rng.random() < 0.4:
        looks = replace(looks, variant=("petals", common(PETALS, rng, but=(looks.petals, *_inner(looks)))))
    return looks


def _inner(looks: Blossom) -> tuple[str | None, ...]:
    return looks.edge, looks.base, looks.ink, looks.centre, looks.stamens


def _other(looks: Blossom, name: str, rng: Random) -> str:
    """Another value for one of the attributes."""
    now = getattr(looks, name)
    if name == "centre_size":
        return "large" if now == "small" else "small"
    if name == "pattern":
        return rng.choice([p for p in ("spotted", "striped") if p != now])
    return common(_PALETTES[name], rng, but=(now,))


def _different(looks: Blossom, rng: Random) -> Blossom:
    """Ensures that marks differ in colour from the petal, and the centre from what surrounds it."""
    for name in ("edge", "base", "ink"):
        if getattr(looks, name) == looks.petals:
            looks = replace(looks, **{name: common(INNER, rng, but=(looks.petals,))})
    around = (looks.petals, looks.base)
    if looks.centre in around:
        looks = replace(looks, centre=common(CENTRES, rng, but=around))
    if looks.stamens in (looks.petals, looks.base, looks.centre):
        looks = replace(looks, stamens=common(CENTRES, rng, but=(*around, looks.centre)))
    return looks


def individual(species: Blossom, rng: Random) -> Blossom:
    """One flower of a species: if it has two colours, a fifth of the flowers have the rarer one."""
    other = rng.random() < 0.2
    return replace(species, **dict([species.variant])) if species.variant and other else species
