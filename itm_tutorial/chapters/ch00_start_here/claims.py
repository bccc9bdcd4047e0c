"""Chapter 00: what a bag of words can do, and where the order of words decides."""

from __future__ import annotations

from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import minimal_pairs, oracle, retrieval, seconds

CLAIMS = (
    Claim(
        name="start_here",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle),
            Arm("untrained", "vse", fit=None, measures=(retrieval, minimal_pairs)),
            Arm("bow", "bow"),
            Arm("vse", "vse"),
        ),
        measures=(seconds, retrieval, minimal_pairs),
        effects=(
            Above("vse beats bow where the binding decides (points)", "vse", "bow", minimal_pairs="binding"),
            Above("vse is above chance where the binding decides (points)", "vse", 50, minimal_pairs="binding"),
            Above("bow is above chance where the binding decides (points)", "bow", 50, minimal_pairs="binding"),
            Above("vse beats bow over all queries (rsum)", "vse", "bow"),
            Above("bow beats an untrained model (rsum)", "bow", "untrained"),
            Above("bow stays under the ceiling (rsum)", "ceiling", "bow"),
            Above("vse beats an untrained model (rsum)", "vse", "untrained"),
            Above("vse stays under the ceiling (rsum)", "ceiling", "vse"),
            Above("vse beats bow where the relation decides (points)", "vse", "bow", minimal_pairs="relation"),
            Above("vse beats bow where the count decides (points)", "vse", "bow", minimal_pairs="count"),
            Above("vse beats bow where the object decides (points)", "vse", "bow", minimal_pairs="object"),
        ),
    ),
)
