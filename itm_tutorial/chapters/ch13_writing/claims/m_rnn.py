"""m-RNN: what the division by the prior brings, and where a writer should read the image.

The report divides for image-to-text without a figure of the scores as they are, and no comparison of places of the
image could be read there. The effects are ours. NIC reads the image once, before the words.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch13_writing.measures.likelihoods import division, ranking, trained_writer
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of

BESIDE, INSIDE, ONCE, VSE = "image at the multimodal layer", "image in the recurrence", "image once (nic)", "vse"
NEAR = 10  # points of R@10
write = partial(trained_writer, epochs=4, batch_size=64, learning_rate=3e-3)

CLAIMS = (
    Claim(
        name="m_rnn",
        corpus="scenes",
        arms=(
            Arm(BESIDE, "m_rnn", fit=None, start=write),
            Arm(INSIDE, "m_rnn_recurrence", fit=None, start=write),
            Arm(ONCE, "nic", fit=None, start=write),
            Arm(VSE, "vse", fit=None, start=trained_writer, measures=(ranking,)),
        ),
        measures=(ranking, division),
        effects=(
            Above(
                "division by the prior raises image-to-text R@1 (points)",
                Of(BESIDE, "divided.i2t_r1"),
                Of(BESIDE, "raw.i2t_r1"),
            ),
            Above(
                "division by the number of words raises image-to-text R@1 (points)",
                Of(BESIDE, "per_word.i2t_r1"),
                Of(BESIDE, "raw.i2t_r1"),
            ),
            Above(
                "division by the prior beats division by the number of words in image-to-text R@1 (points)",
                Of(BESIDE, "divided.i2t_r1"),
                Of(BESIDE, "per_word.i2t_r1"),
            ),
            Above(
                "a caption's mean explains more of the variance of the scores than after the division (points)",
                Of(BESIDE, "column_share.raw"),
                Of(BESIDE, "column_share.divided"),
            ),
            Above(
                "the image at the multimodal layer beats the image in the recurrence (rsum, divided by the prior)",
                BESIDE,
                INSIDE,
                metric="divided.rsum",
            ),
            Above(
                "the image at the multimodal layer beats the image read once (rsum, divided by the prior)",
                BESIDE,
                ONCE,
                metric="divided.rsum",
            ),
            Above(
                f"text-to-image R@10 is at most {NEAR} points below that of a ranking model (points beyond)",
                BESIDE,
                VSE,
                metric="raw.t2i_r10",
                by=-NEAR,
            ),
        ),
    ),
)
