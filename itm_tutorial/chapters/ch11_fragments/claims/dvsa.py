"""DVSA: the sum of the words' best regions against DeFrag's score and one vector per image; where words point; length.

The paper compares this score with that of DeFrag in words; the figures of that run were not readable. The comparison
with one vector per image, the pointing game and the measures of length are ours.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch11_fragments.measures.dvsa import length_bias
from itm_tutorial.chapters.ch11_fragments.measures.pointing import ALL_CONTROLS, pointing
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Best, Of
from itm_tutorial.chapters.measures import minimal_pairs, oracle_rsum, retrieval

LEAD = 20  # points above the best control
SIZE = {"embed_size": 128, "word_dim": 64}
# each learning rate is the best of 1e-3, 3e-3 and 6e-3 on the validation split of seed 7
FIT = {"epochs": 3, "batch_size": 32, "learning_rate": 3e-3}
MAX, THRESHOLDED, DEFRAG = "best region", "thresholded sum", "thresholded sum, divided as in DeFrag"
WHOLE, BRNN = "whole image (vse)", "best region, BRNN"


def points_above_controls(word_class: str) -> Above:
    """The effect of the pointing game for one word class."""
    return Above(
        f"pointing game, {word_class}s: {LEAD} points above the best of four controls (points beyond)",
        Of(MAX, f"pointing.model.{word_class}"),
        Best(MAX, tuple(f"pointing.{control}.{word_class}" for control in ALL_CONTROLS)),
        by=LEAD,
    )


CLAIMS = (
    Claim(
        name="dvsa",
        corpus="scenes",
        # The first three differ in the score alone; all read the same regions, of which the fourth takes the mean.
        arms=(
            Control("ceiling", oracle_rsum),
            Arm(MAX, "dvsa", SIZE, FIT, measures=(retrieval, minimal_pairs, length_bias, pointing)),
            Arm(THRESHOLDED, "dvsa", {**SIZE, "pooling": "thresholded"}, FIT),
            Arm(DEFRAG, "dvsa", {**SIZE, "pooling": "thresholded", "smoothing": 10.0}, FIT),
            Arm(WHOLE, "vse", {"dim": 128, "word_dim": 64, "features": "regions"}, FIT),
            Arm(BRNN, "dvsa_brnn", SIZE, FIT),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            Above("each word's best region beats the thresholded sum (rsum)", MAX, THRESHOLDED),
            Above("each word's best region beats the thresholded sum, divided as in DeFrag (rsum)", MAX, DEFRAG),
            Above("the thresholded sum beats one vector per image (rsum)", THRESHOLDED, WHOLE),
            Above("each word's best region beats one vector per image (rsum)", MAX, WHOLE),
            Above("a bidirectional recurrent network beats words without context (rsum)", BRNN, MAX),
            points_above_controls("noun"),
            points_above_controls("colour"),
            Above("sums rise with the length of a caption (correlation)", Of(MAX, "length.raw.correlation"), 0),
            Above(
                "the caption that an image ranks first is longer than the gallery's mean (words)",
                Of(MAX, "length.raw.first_words"),
                Of(MAX, "length.gallery_words"),
            ),
            Above(
                "dividing the sums by the number of words raises image-to-text R@1 (points)",
                Of(MAX, "length.divided.i2t_r1"),
                Of(MAX, "length.raw.i2t_r1"),
            ),
        ),
    ),
)
