"""CAMP: gated messages against messages without gates, the paper's gate against the code's, and the printed loss.

On Flickr30K the paper reports R@1 of 68.1 and 51.5 (image to text, text to image), and 61.7 and 45.1 without gates. The
comparisons of the two gates and of the two losses, and the measure of the gates, are ours. All arms have the same
encoders, and begin with one epoch of cosines and one in which all negatives count. Scores of the first 200 test images
with all of their captions are compared, since each pair costs a network.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch15_attention.measures.camp import gates
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.small_galleries import small_gallery, trained_on_small_validation

SIZE = {"embed_size": 32, "word_dim": 64}
TRAINED = partial(trained_on_small_validation, epochs=4, batch_size=32, learning_rate=8e-3)
VECTOR, SCALAR, NONE, EASIEST = "vector gate", "scalar gate", "no gates", "vector gate, easiest negatives"
WITH_GATES = (small_gallery, gates)

CLAIMS = (
    Claim(
        name="camp",
        corpus="scenes",
        arms=(
            Arm(VECTOR, "camp", SIZE, None, start=TRAINED, measures=WITH_GATES),
            Arm(SCALAR, "camp_scalar", SIZE, None, start=TRAINED, measures=WITH_GATES),
            Arm(NONE, "camp", {**SIZE, "gate": "none"}, None, start=TRAINED),
            Arm(EASIEST, "camp_easiest", SIZE, None, start=TRAINED),
        ),
        measures=(small_gallery,),
        effects=(
            Above("vector gates beat no gates (rsum)", VECTOR, NONE),
            Above("scalar gates beat no gates (rsum)", SCALAR, NONE),
            Above("scalar gates, as in the code, beat vector gates, as in the paper (rsum)", SCALAR, VECTOR),
            Above("the hardest negatives beat the easiest ones of the printed loss (rsum)", VECTOR, EASIEST),
            *(
                Above(
                    f"{name}s are more open in matched pairs than in others (area under the curve, points)",
                    Of(name, "gate.area_under_curve"),
                    50,
                )
                for name in (VECTOR, SCALAR)
            ),
        ),
    ),
)
