"""CVSE: consensus from a graph of co-occurrence, against the graph with exchanged nodes, without edges, without any.

In the drawn scenes, places imply things: outside its usual places, a thing has a fiftieth of its weight. No setting of
the world turns this off, so the controls change the graph and not the world. Captions mention less of a scene than by
default, so that more is left to infer. The comparisons are ours.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch15_attention.measures.cvse import left_unsaid
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

FIT = {"epochs": 6, "batch_size": 128, "learning_rate": 3e-3}
SIZE = {"embed_size": 128, "word_dim": 64}
GRAPH, PERMUTED, UNLINKED, INSTANCE = "graph of captions", "permuted graph", "no edges", "instance only"

CLAIMS = (
    Claim(
        name="cvse",
        corpus="scenes",
        configuration={"completeness": 0.3},
        # The first three have the same weights to learn and differ in the graph alone.
        arms=(
            Arm(GRAPH, "cvse", SIZE, FIT),
            Arm(PERMUTED, "cvse", {**SIZE, "graph": "permuted"}, FIT),
            Arm(UNLINKED, "cvse", {**SIZE, "graph": "unlinked"}, FIT),
            Arm(INSTANCE, "cvse_instance", SIZE, FIT, measures=(retrieval,)),
        ),
        measures=(retrieval, left_unsaid),
        effects=(
            *(Above(f"the graph of captions beats: {other} (rsum)", GRAPH, other) for other in (PERMUTED, UNLINKED)),
            Above("consensus beats the instance alone (rsum)", GRAPH, INSTANCE),
            *(
                Above(
                    f"more weight on what is shown but not said than with: {other} (percent)",
                    Of(GRAPH, "unsaid"),
                    Of(other, "unsaid"),
                )
                for other in (PERMUTED, UNLINKED)
            ),
        ),
    ),
)
