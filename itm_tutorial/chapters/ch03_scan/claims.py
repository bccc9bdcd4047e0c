"""Chapter 03: attention against one vector per image, and whether words attend to what they name."""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch03_scan.measures import pointing
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Best, Of
from itm_tutorial.chapters.measures import mean_of_scores, minimal_pairs, oracle_rsum, retrieval
from itm_tutorial.evaluation.grounding import CONTROLS

KINDS = ("binding", "relation", "count", "object")
LEAD = 20  # points above the best control
BOTH = ("scan, regions", "scan i2t, regions")


def scan_above_vsepp(features: str) -> tuple[Above, ...]:
    """The effects of attention where both models read the same features."""
    scan, vsepp, given = f"scan, {features}", f"vsepp, {features}", f"given the same {features}, scan beats vsepp"
    by_kind = (Above(f"{given} where the {kind} decides (points)", scan, vsepp, minimal_pairs=kind) for kind in KINDS)
    return (Above(f"{given} (rsum)", scan, vsepp), *by_kind)


def points_above_controls(word_class: str) -> Above:
    """The effect of the pointing game for one word class."""
    return Above(
        f"pointing game, {word_class}s: scan is {LEAD} points above the best control (points beyond)",
        Of("scan, regions", f"pointing.model.{word_class}"),
        Best("scan, regions", tuple(f"pointing.{control}.{word_class}" for control in CONTROLS)),
        by=LEAD,
    )


CLAIMS = (
    Claim(
        name="scan",
        corpus="scenes",
        # Both models read the same features and have the same loss; only vsepp takes the mean of the regions.
        arms=(
            Control("ceiling", oracle_rsum),
            Arm("vsepp, regions", "vsepp", {"features": "regions", "warmup": 0.2}),
            Arm("scan, regions", "scan", {"features": "regions"}, measures=(retrieval, minimal_pairs, pointing)),
            Arm("scan i2t, regions", "scan_i2t", {"features": "regions"}),
            Arm("vsepp, grid", "vsepp", {"features": "grid", "warmup": 0.2}),
            Arm("scan, grid", "scan", {"features": "grid"}),
            Control("scan t2i + i2t, regions", partial(mean_of_scores, BOTH)),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            *scan_above_vsepp("regions"),
            *scan_above_vsepp("grid"),
            Above("scan stays under the ceiling (rsum)", "ceiling", "scan, regions"),
            Above("words that attend to regions beat regions that attend to words (rsum)", *BOTH),
            Above("both together beat words alone (rsum)", "scan t2i + i2t, regions", "scan, regions"),
            *(points_above_controls(word_class) for word_class in ("noun", "colour", "relation")),
        ),
    ),
)
