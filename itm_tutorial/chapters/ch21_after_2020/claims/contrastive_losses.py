"""Hinges, softmax and sigmoid against the size of the batch, with everything else equal.

SigLIP reports the sigmoid clearly above the softmax below batches of 16,000 pairs; the sizes here are those of a
laptop, and the comparison with hinges is ours. Every arm has the same first weights, features and encoders, and sees
every caption equally often, but for the rest of an epoch that fills no batch. So a batch that is k times larger takes k
times fewer steps; with Adam it gets a rate that is sqrt(k) times larger, the same for all losses. Three epochs of
batches of 1,024 are 44 steps, too few for any loss to settle; the second claim has four times as many.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch21_after_2020.measures.contrastive import LOSSES, embedding_space, with_its_loss
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Gain
from itm_tutorial.chapters.measures import oracle_rsum, retrieval

SIZES = (16, 64, 256, 1024)
RATE = 2e-3  # at a batch of 64
OPTIONS = {"features": "global", "sentence": "bow", "embed_size": 256}  # one linear map on each side
LARGEST = {"to": {"batch_size": 1024}, "over": {"batch_size": 64}}


def arm(loss: str, batch_size: int, epochs: int) -> Arm:
    """One loss at one size of the batch."""
    fit = {"epochs": epochs, "batch_size": batch_size, "learning_rate": RATE * (batch_size / 64) ** 0.5}
    return Arm(loss, "clip_features", OPTIONS, fit, start=with_its_loss, columns={"batch_size": batch_size})


def arms(epochs: int) -> tuple[Arm | Control, ...]:
    """Every loss at every size of the batch, and the ceiling."""
    return (Control("ceiling", oracle_rsum), *(arm(loss, size, epochs) for size in SIZES for loss in LOSSES))


EFFECTS = (
    *(
        Above(f"{better} beats {worse} at a batch of {size} (rsum)", better, worse, where={"batch_size": size})
        for size in (16, 1024)
        for better, worse in (
            ("sigmoid", "softmax"),
            ("softmax", "max of hinges"),
            ("sum of hinges", "max of hinges"),
        )
    ),
    Above(
        "a batch of 1,024 over one of 64 helps the softmax more than the sigmoid (rsum)",
        Gain("softmax", **LARGEST),
        Gain("sigmoid", **LARGEST),
    ),
    Above(
        "a batch of 1,024 over one of 64 helps the max of hinges more than their sum (rsum)",
        Gain("max of hinges", **LARGEST),
        Gain("sum of hinges", **LARGEST),
    ),
)
MEASURES = (retrieval, embedding_space)
CLAIMS = (
    Claim(name="contrastive_losses", corpus="scenes", arms=arms(3), measures=MEASURES, effects=EFFECTS),
    Claim(name="contrastive_losses_long", corpus="scenes", arms=arms(12), measures=MEASURES, effects=EFFECTS),
)
