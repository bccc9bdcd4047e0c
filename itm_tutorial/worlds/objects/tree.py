"""The tree of kinds, and the choice of kinds that training shows."""

from __future__ import annotations

from itm_tutorial.worlds.scenes.kinds import FAMILIES, KINDS
from itm_tutorial.worlds.streams import stream

ROOT = "thing"
GROUPS = {
    "creature": ("animal", "bird", "person"),
    "plant": ("tree", "flower", "fruit"),
    "transport": ("vehicle", "cycle", "boat", "aircraft"),
    "artefact": ("building", "furniture", "toy", "vessel"),
}


def parents() -> dict[str, str]:
    """Maps every kind, family and group to its parent: a fox is an animal, an animal a creature."""
    of_families = {family: group for group, families in GROUPS.items() for family in families}
    return {kind.name: kind.family for kind in KINDS.values()} | of_families | dict.fromkeys(GROUPS, ROOT)


def unseen_kinds(seed: int) -> frozenset[str]:
    """Draws the kinds that training never shows: about a quarter of every family, 21 of 69 in all.

    Args:
        seed: of the world; another seed hides other kinds.

    Returns:
        Their names; every family keeps at least two seen kinds.
    """
    hidden = []
    for family in FAMILIES:
        same_family = [kind.name for kind in KINDS.values() if kind.family == family]
        hidden += stream("objects", seed, "unseen", family).sample(same_family, (len(same_family) + 2) // 4)
    return frozenset(hidden)
