"""NIC: a writer ranks images nearly as a ranking model does, and gives every image the commonest captions.

The paper reports ranking by log P, with image-to-text scores that are divided by the caption's prior, and no figures of
the scores as they are. The writer that sees no image, the share of the commonest captions and all sizes are ours.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch13_writing.measures.likelihoods import common_captions, division, ranking, trained_writer
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of

WRITER, BLIND, VSE = "nic", "nic without the image", "vse"
CHANCE = 3  # times the R@10 of a random ranking
NEAR = 10  # points of R@10
write = partial(trained_writer, epochs=4, batch_size=64, learning_rate=3e-3)
COMMON = {name: f"commonest captions first: {name}" for name in (WRITER, VSE)}
DIVIDED = f"commonest captions first: {WRITER}, divided"

CLAIMS = (
    Claim(
        name="nic",
        corpus="scenes",
        arms=(
            Arm(WRITER, "nic", fit=None, start=write, measures=(ranking, division)),
            Arm(BLIND, "nic", {"sees_image": False}, fit=None, start=write),
            Arm(VSE, "vse", fit=None, start=trained_writer),
            *(Control(row, partial(common_captions, BLIND, name)) for name, row in COMMON.items()),
            Control(DIVIDED, partial(common_captions, BLIND, WRITER, corrected=True)),
        ),
        measures=(ranking,),
        effects=(
            Above(
                f"text-to-image R@10 is above {CHANCE} times that of a random ranking (points)",
                Of(WRITER, "raw.t2i_r10"),
                Of(WRITER, "chance_r10", times=CHANCE),
            ),
            Above(
                "text-to-image R@10 is above that of a writer that sees no image (points)",
                WRITER,
                BLIND,
                metric="raw.t2i_r10",
            ),
            Above(
                f"text-to-image R@10 is at most {NEAR} points below that of a ranking model (points beyond)",
                WRITER,
                VSE,
                metric="raw.t2i_r10",
                by=-NEAR,
            ),
            Above(
                "the commonest 1 % of the captions come first for more than twice as many images as with a ranking "
                "model (points beyond)",
                Of(COMMON[WRITER]),
                Of(COMMON[VSE], times=2),
                metric="common_first",
            ),
            Above(
                "division by the prior makes the commonest captions come first for fewer images (points)",
                COMMON[WRITER],
                DIVIDED,
                metric="common_first",
            ),
            Above(
                "division by the prior raises image-to-text R@1 (points)",
                Of(WRITER, "divided.i2t_r1"),
                Of(WRITER, "raw.i2t_r1"),
            ),
            Above(
                "a caption's mean explains more of the variance of the scores than after the division (points)",
                Of(WRITER, "column_share.raw"),
                Of(WRITER, "column_share.divided"),
            ),
        ),
    ),
)
