"""Chapter 02: the hardest negative against all of them, in long runs and in noise; order embeddings; a second stage."""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch02_vsepp.measures import backbone_free, backbone_frozen, entailment, long_run, overtaken
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Gain, Of
from itm_tutorial.chapters.measures import minimal_pairs, oracle_rsum, retrieval, rsum, seconds

# A bag of words converges in half a minute, so that losses can be compared where they end and not on the way.
LONG = {"sentence": "bow", "embed_size": 512, "word_dim": 300}
LOSSES = {
    "sum": {"max_violation": False},
    "max": {},
    "max, warm-up": {"warmup": 0.2},
    "top 5": {"loss": "top_k_hinges", "k": 5},
    "infonce": {"loss": "infonce"},
}


def long_arm(loss: str, batch_size: int = 128, name: str = "", **more) -> Arm:
    """An arm that trains until it stands still."""
    fit = {"epochs": 40, "learning_rate": 1e-3, "batch_size": batch_size}
    columns = {"batch_size": batch_size}
    return Arm(name or loss, "vsepp", {**LONG, **LOSSES[loss]}, fit, columns=columns, measures=(long_run,), **more)


At128 = partial(Above, where={"batch_size": 128})
FROM_32_TO_512 = {"to": {"batch_size": 512}, "over": {"batch_size": 32}}
WRONG = {"wrong_captions": 0.1}  # in training alone: measured on captions that are right
ORDER = Of("order, GRU", "entailment.order")
Second = partial(Arm, model="vsepp", after="first stage", fit={"sampler": "images"})  # an epoch shows each image once

CLAIMS = (
    Claim(
        name="vsepp",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            *(long_arm(loss) for loss in LOSSES),
            Control("max: above sum from this epoch on", partial(overtaken, "max", "sum")),
            Control("max, warm-up: above sum from this epoch on", partial(overtaken, "max, warm-up", "sum")),
            *(long_arm(loss, batch_size) for batch_size in (32, 512) for loss in ("sum", "max, warm-up")),
            *(long_arm(loss, name=f"{loss}, 10 % wrong", training=WRONG) for loss in ("max, warm-up", "top 5")),
            Arm("vse, GRU", "vse"),  # these three by their recipes
            Arm("vsepp, GRU", "vsepp", {"warmup": 0.2}),
            Arm("order, GRU", "order"),
        ),
        measures=(rsum, entailment),
        effects=(
            At128("max with a warm-up beats sum at convergence (rsum)", "max, warm-up", "sum"),
            At128("max without a warm-up beats sum at convergence (rsum)", "max", "sum"),
            At128("a warm-up helps max (rsum)", "max, warm-up", "max"),
            At128("InfoNCE beats max with a warm-up (rsum)", "infonce", "max, warm-up"),
            At128("top 5 beats max with a warm-up (rsum)", "top 5", "max, warm-up"),
            Above(
                "a batch of 512 over one of 32 helps max more than sum (rsum)",
                Gain("max, warm-up", **FROM_32_TO_512),
                Gain("sum", **FROM_32_TO_512),
            ),
            At128("with 10 % wrong captions top 5 beats max (rsum)", "top 5, 10 % wrong", "max, warm-up, 10 % wrong"),
            Above("with the GRU, vsepp beats vse in ten epochs (rsum)", "vsepp, GRU", "vse, GRU"),
            Above(
                "order violation tells entailment better than vse's cosine (AUC points)",
                ORDER,
                Of("vse, GRU", "entailment.cosine"),
            ),
            Above(
                "order violation tells it better than its own embeddings' cosine",
                ORDER,
                Of("order, GRU", "entailment.cosine"),
            ),
        ),
    ),
    # Is it worth training the backbone too, once all above it has learned to read it?
    Claim(
        name="second_stage",
        corpus="scenes",
        arms=(
            Arm("first stage", "vsepp", {"warmup": 0.2}),
            Second("on, backbone frozen", start=backbone_frozen),
            Second("on, all weights free", start=backbone_free),
        ),
        measures=(seconds, retrieval, minimal_pairs),
        effects=(
            Above(
                "the backbone trained too, 0.5 of the epochs at 0.1 of the rate, raises rsum",
                "on, all weights free",
                "first stage",
            ),
            Above("more than going on with it frozen (rsum)", "on, all weights free", "on, backbone frozen"),
        ),
    ),
)
