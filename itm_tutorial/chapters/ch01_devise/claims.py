"""Chapter 01: a word space reaches labels that a classifier never saw, and the visual space has fewer hubs."""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch01_devise.measures import (
    chance,
    labels,
    on_its_network,
    ridge_to_pictures,
    ridge_to_words,
)
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of

# Every map starts from the same trained classifier. Of its epochs the last is at a tenth of the rate, with the network
# free: shorter runs flatter the rank loss.
Map = partial(Arm, start=on_its_network, after="softmax", fit={"epochs": 7})
START = {"classify_until": 0.0}

ZERO_SHOT, TREE = "zero_shot_hit.1", "hierarchical_precision.5"
HUBS = ("N_1 unseen", "N_1 all", "N_5 unseen", "N_5 all")
FEWER_HUBS = "fewer hubs in the visual space: skewness of"

CLAIMS = (
    Claim(
        name="devise",
        corpus="objects",
        arms=(
            Control("chance", chance),
            Arm("softmax", "softmax"),
            Map("devise", "devise", START),
            Map("devise, one negative", "devise", {**START, "negatives": "one"}),
            Map("l2", "devise", {**START, "loss": "l2"}),
            Map("dem", "dem", START),
            Control("ridge to words", ridge_to_words),
            Control("ridge to pictures", ridge_to_pictures),
        ),
        measures=(labels,),
        effects=(
            Above("devise: zero-shot hit@1 beyond 3 times chance (points)", "devise", Of("chance", times=3), ZERO_SHOT),
            Above(
                "devise: zero-shot hit@5 beyond twice chance (points)",
                "devise",
                Of("chance", times=2),
                "zero_shot_hit.5",
            ),
            Above("devise beats softmax in zero-shot hit@1 (points)", "devise", "softmax", ZERO_SHOT),
            Above("devise beats softmax in hierarchical precision@5 (points)", "devise", "softmax", TREE),
            Above("rank loss beats L2 in zero-shot hit@1 (points)", "devise", "l2", ZERO_SHOT),
            Above(
                "one negative beats all of them in zero-shot hit@1 (points)",
                "devise, one negative",
                "devise",
                ZERO_SHOT,
            ),
            Above("softmax beats devise in flat hit@1 (points)", "softmax", "devise", "flat_hit.1"),
            Above("dem beats L2 in zero-shot hit@1 (points)", "dem", "l2", ZERO_SHOT),
            *(Above(f"{FEWER_HUBS} {n}, L2 less dem", "l2", "dem", f"skewness.{n}") for n in HUBS),
            *(
                Above(
                    f"{FEWER_HUBS} {n}, ridge to words less to pictures",
                    "ridge to words",
                    "ridge to pictures",
                    f"skewness.{n}",
                )
                for n in HUBS
            ),
        ),
    ),
)
