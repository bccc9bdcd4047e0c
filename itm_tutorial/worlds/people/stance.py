"""The joints of a person, in body lengths: x from the centre in the direction they face, y down from the top."""

from __future__ import annotations

from itm_tutorial.worlds.people.view import Sighting

WIDTH = {"slim": 0.84, "heavy": 1.34, "short": 1.06}  # relative to the average build, 1


def hand(sighting: Sighting, which: int) -> tuple[float, float]:
    """The position of a hand: -1 is the right one (from the side, the far one), 1 the left one (the near one)."""
    v, wide = sighting.view, WIDTH.get(sighting.person.build, 1.0)
    if sighting.person.umbrella and which == 1:
        return (0.115, 0.30) if v.angle == "side" else (0.125 * wide, 0.285)
    if v.angle == "side":
        return 0.02 - 0.15 * which * v.stride, 0.478 - 0.02 * abs(v.stride)
    return which * (0.118 * wide + 0.03), 0.478 + 0.012 * which * v.stride
