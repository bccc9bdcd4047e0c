"""RVE: regions read in the order of their words, in a random order, as the detector gives them, and not at all.

The random order is the paper's own control: in its ablation it is as good as no recurrent network. The order of the
detector and the shortlist at test are ours. Scores of the first 200 test images with all of their captions are
compared, since each pair costs a network.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch15_attention.measures.rve import shortlist_recall
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.small_galleries import small_gallery, trained_on_small_validation

TRAINED = partial(trained_on_small_validation, epochs=2, batch_size=32, learning_rate=2e-3)
SIZE = {"embed_size": 64, "word_dim": 64}
WORDS, RANDOM, GIVEN, NONE = "order of the words", "random order", "order of the detector", "no recurrent network"

CLAIMS = (
    Claim(
        name="rve",
        corpus="scenes",
        arms=(
            Arm(WORDS, "rve", SIZE, None, start=TRAINED, measures=(small_gallery, shortlist_recall)),
            Arm(RANDOM, "rve", {**SIZE, "order": "random"}, None, start=TRAINED),
            Arm(GIVEN, "rve", {**SIZE, "order": "given"}, None, start=TRAINED),
            Arm(NONE, "rve_no_rnn", SIZE, None, start=TRAINED),
        ),
        measures=(small_gallery,),
        effects=(
            *(Above(f"order of the words beats: {other} (rsum)", WORDS, other) for other in (RANDOM, GIVEN, NONE)),
            Above(
                "a shortlist of 50 by the cheap sum holds the right image more often than 50 drawn at random (percent)",
                Of(WORDS, "shortlist.ceiling"),
                Of(WORDS, "shortlist.chance"),
            ),
        ),
    ),
)
