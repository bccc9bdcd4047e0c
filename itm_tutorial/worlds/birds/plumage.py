"""The appearance of birds: the build, common to a genus, and the plumage, which distinguishes its species."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random


@dataclass(frozen=True)
class Build:
    """The shape of a bird, in units of its body's length.

    Attributes:
        order: its basic shape.
        stature: "small", "medium" or "large".
        figure: "plump", "slender", "sturdy" or "long-necked".
        beak: a name in ``BEAKS``.
        tail: "short", "long" or "forked".
        legs: "short" or "long".
        depth: of its body.
        posture: degrees from level to upright, as it stands.
        neck: from its shoulder to the centre of its head.
        head: radius of its head.
        poses: its poses, the most common first.
    """

    order: str
    stature: str
    figure: str
    beak: str
    tail: str
    legs: str
    depth: float
    posture: float
    neck: float
    head: float
    poses: tuple[str, ...]


BEAKS = {  # the attributes of each: size, shape
    "cone": ("short", "pointed"),
    "needle": ("long", "thin"),
    "thin": ("short", "thin"),
    "dagger": ("long", "pointed"),
    "hooked": ("short", "hooked"),
    "flat": (None, "flat"),
}
_PERCHING, _SWIMMING = ("perched", "standing", "flying"), ("swimming", "standing", "flying")
_WADING, _SOARING = ("standing", "flying"), ("perched", "flying", "standing")
BUILDS = (
    Build("finch", "small", "plump", "cone", "forked", "short", 0.64, 24, 0.24, 0.27, _PERCHING),
    Build("warbler", "small", "slender", "thin", "long", "short", 0.50, 24, 0.25, 0.22, _PERCHING),
    Build("duck", "medium", "plump", "flat", "short", "short", 0.52, 4, 0.42, 0.21, _SWIMMING),
    Build("hawk", "large", "sturdy", "hooked", "long", "short", 0.54, 46, 0.25, 0.22, _SOARING),
    Build("heron", "large", "long-necked", "dagger", "short", "long", 0.44, 22, 0.80, 0.14, _WADING),
    Build("hummer", "small", "slender", "needle", "short", "short", 0.46, 38, 0.27, 0.23, ("flying", "perched")),
    Build("parrot", "medium", "sturdy", "hooked", "long", "short", 0.54, 42, 0.24, 0.27, ("perched", "flying")),
    Build("gull", "medium", "slender", "dagger", "short", "short", 0.44, 6, 0.30, 0.18, ("standing", "flying")),
    Build("quail", "medium", "plump", "cone", "short", "short", 0.70, 16, 0.34, 0.19, ("standing", "perched")),
    Build("sandpiper", "small", "plump", "needle", "short", "long", 0.54, 12, 0.34, 0.18, _WADING),
    Build("thrush", "medium", "plump", "thin", "long", "long", 0.58, 22, 0.26, 0.22, _PERCHING),
    Build("swan", "large", "long-necked", "flat", "short", "short", 0.50, 4, 0.78, 0.15, _SWIMMING),
)


@dataclass(frozen=True)
class Plumage:
    """The attributes of a species or of one of its individuals; every colour is a name in ``portrait.COLOURS``.

    Attributes:
        build: common to the genus.
        crown, face, throat, breast, belly, back, wings, tail, beak, legs: their colours.
        wing_bars: their colour, or None.
        eye_ring: its colour, or None.
        eye_stripe: its colour, or None.
        pattern: of the breast: "plain", "spotted" or "streaked".
        crest: whether the crown ends in a crest.
        variant: (field, value) that females and young birds have instead of the adult male's.
    """

    build: Build
    crown: str
    face: str
    throat: str
    breast: str
    belly: str
    back: str
    wings: str
    tail: str
    beak: str
    legs: str
    wing_bars: str | None = None
    eye_ring: str | None = None
    eye_stripe: str | None = None
    pattern: str = "plain"
    crest: bool = False
    variant: tuple[str, str] | None = None


UPPER = ("brown", "grey", "black", "blue", "green", "tan", "white", "purple", "orange")
UNDER = ("white", "yellow", "tan", "orange", "grey", "red", "pink", "blue")
BRIGHT = ("red", "yellow", "blue", "orange", "black", "white", "green", "purple", "pink")
BEAK = ("black", "yellow", "orange", "grey", "red")
LEGS = ("orange", "grey", "pink", "yellow", "black", "red")
_CHANGES = ("crown", "face", "throat", "breast", "wings", "tail", "beak", "legs", "wing_bars", "eye_ring")
_CHANGES += ("eye_stripe", "pattern", "crest", "belly")
_OFTEN = (3, 2, 2, 3, 3, 2, 2, 1, 2, 1, 1, 2, 1, 1)


def common(options: tuple[str, ...], rng: Random, but: tuple[str | None, ...] = ()) -> str:
    """One of the options, the first more often than the last."""
    left = [option for option in options if option not in but]
    return rng.choices(left, [1 / (1 + 0.22 * i) for i in range(len(left))])[0]


def draw_genus(order: Build, rng: Random) -> Plumage:
    """Samples the build and the usual colours of a genus.

    Args:
        order: one of ``BUILDS``, which is varied a little.
        rng: the random stream of the genus.

    Returns:
        The attributes from which those of its species are sampled.
    """
    build = replace(
        order,
        depth=round(order.depth * rng.uniform(0.94, 1.06), 3),
        neck=round(order.neck * rng.uniform(0.94, 1.08), 3),
        head=round(order.head * rng.uniform(0.94, 1.06), 3),
    )
    upper = common(UPPER, rng)
    under = common(UNDER, rng, but=(upper,))
    accent = common(BRIGHT, rng, but=(upper, under))
    wings = upper if rng.random() < 0.5 else common(UPPER, rng)
    face = rng.choice((upper, under, accent))
    return Plumage(
        build=build,
        crown=rng.choice((upper, accent)),
        face=face,
        throat=rng.choice((face, under, accent)),
        breast=rng.choice((under, under, accent)),
        belly=under,
        back=upper,
        wings=wings,
        tail=rng.choice((upper, wings)),
        beak=common(BEAK, rng),
        legs=common(LEGS, rng),
        pattern=rng.choices(("plain", "spotted", "streaked"), (6, 2, 2))[0],
        crest=rng.random() < 0.2,
    )


def draw_species(genus: Plumage, rng: Random) -> Plumage:
    """Samples a species: three to five of its attributes differ from the genus's, but not its build."""
    looks = genus
    for name in dict.fromkeys(rng.choices(_CHANGES, _OFTEN, k=rng.randint(4, 6))):
        looks = replace(looks, **{name: _other(looks, name, rng)})
    looks = _different(looks, rng)
    if rng.random() < 0.5:
        name = rng.choice(("crown", "face", "breast", "wings"))
        looks = replace(looks, variant=(name, common(("brown", "tan", "grey"), rng, but=(getattr(looks, name),))))
    return looks


def _different(looks: Plumage, rng: Random) -> Plumage:
    """Ensures that wing bars differ in colour from the wings, and eye rings and stripes from the head."""
    head = (looks.face, looks.crown)
    for name, around in (("wing_bars", (looks.wings,)), ("eye_ring", head), ("eye_stripe", head)):
        if getattr(looks, name) in around:
            looks = replace(looks, **{name: _other(looks, name, rng)})
    return looks


def _other(looks: Plumage, name: str, rng: Random) -> str | bool | None:
    """Another value for one of the attributes."""
    now = getattr(looks, name)
    if name == "crest":
        return not now
    if name == "pattern":
        return rng.choice([p for p in ("plain", "spotted", "streaked") if p != now])
    if name == "wing_bars":
        return common(("white", "yellow", "black", "orange"), rng, but=(now, looks.wings))
    if name in ("eye_ring", "eye_stripe"):
        return common(("white", "yellow", "black", "red"), rng, but=(now, looks.face, looks.crown))
    palette = {"beak": BEAK, "legs": LEGS, "wings": UPPER, "tail": UPPER, "belly": UNDER, "breast": UNDER}
    return common(palette.get(name, BRIGHT), rng, but=(now,))


def individual(species: Plumage, rng: Random) -> Plumage:
    """One bird of a species: if sexes or ages differ, a quarter of the birds have the variant."""
    other = rng.random() < 0.25
    return replace(species, **dict([species.variant])) if species.variant and other else species
