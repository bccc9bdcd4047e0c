"""IMRAM: three steps of attention against one, and against two controls that take the update or the margin away.

The paper compares K = 1, 2 and 3 (on COCO-5K, Text-IMRAM: R@1 of 46.2, 50.4 and 51.4 image to text). The controls are
ours. S is a sum over steps, so more steps also mean a smaller margin per step: without an update, three steps rank as
one does and train as with a third of the margin. What three steps gain beyond both controls is due to the update.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch11_fragments.measures.pointing import pointing
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import minimal_pairs, retrieval
from itm_tutorial.chapters.small_galleries import trained_on_small_validation

SIZE = {"embed_size": 32, "word_dim": 64}
TRAINED = partial(trained_on_small_validation, epochs=2, batch_size=32, learning_rate=6e-3)
ONE, TWO, THREE = "K = 1", "K = 2", "K = 3"
STILL, THIRD = "K = 3, no update", "K = 1, a third of the margin"

CLAIMS = (
    Claim(
        name="imram",
        corpus="scenes",
        arms=(
            Arm(ONE, "imram", {**SIZE, "steps": 1}, None, start=TRAINED),
            Arm(THIRD, "imram", {**SIZE, "steps": 1, "margin": 0.2 / 3}, None, start=TRAINED),
            Arm(STILL, "imram", {**SIZE, "memory": "none"}, None, start=TRAINED),
            Arm(TWO, "imram_k2", SIZE, None, start=TRAINED),
            Arm(THREE, "imram", SIZE, None, start=TRAINED, measures=(retrieval, minimal_pairs, pointing)),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            Above("three steps beat one (rsum)", THREE, ONE),
            Above("two steps beat one (rsum)", TWO, ONE),
            Above("three steps beat three without an update (rsum)", THREE, STILL),
            Above("three steps beat one with a third of the margin (rsum)", THREE, THIRD),
            Above("a third of the margin alone beats the whole margin (rsum)", THIRD, ONE),
            Above("three steps beat one where the relation decides (points)", THREE, ONE, minimal_pairs="relation"),
            Above(
                "the last step points at nouns better than equal weights do (points)",
                Of(THREE, "pointing.model.noun"),
                Of(THREE, "pointing.uniform.noun"),
            ),
        ),
    ),
)
