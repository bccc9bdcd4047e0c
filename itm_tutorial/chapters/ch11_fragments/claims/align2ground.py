"""Align2Ground: regions that must carry the caption's score, against a local sum and against random regions.

The paper's tables were not readable to us, so this claim is ours. All arms have the same encoders and the same hinge on
the local score; they differ in the score that is added to it: none, that of the matched regions, or that of as many
regions drawn at random.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch11_fragments.measures.align2ground import validation_recall
from itm_tutorial.chapters.ch11_fragments.measures.localisation import localisation
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of

FIT = {"epochs": 1, "batch_size": 64, "learning_rate": 3e-3}
SIZE = {"embed_size": 128}

CLAIMS = (
    Claim(
        name="align2ground",
        corpus="scenes",
        arms=(
            Arm("matched regions", "align2ground", SIZE, FIT),
            Arm("local sum", "align2ground_local", SIZE, FIT),
            Arm("random regions", "align2ground", {**SIZE, "score": "random"}, FIT),
        ),
        measures=(localisation, validation_recall),
        effects=(
            *(
                Above(
                    f"matched regions localise phrases better than {other} ({what})", "matched regions", other, metric
                )
                for other in ("local sum", "random regions")
                for metric, what in (("pointing.model.all", "pointing, points"), ("iou.model.all", "IoU 0.5, points"))
            ),
            Above(
                "matched regions retrieve images better than the local sum (R@1)",
                "matched regions",
                "local sum",
                "t2i_r1",
            ),
            Above(
                "the local sum points better than a region drawn by area (points)",
                Of("local sum", "pointing.model.all"),
                Of("local sum", "pointing.by area.all"),
            ),
            Above(
                "pointing flatters: more phrases are pointed at than covered (points)",
                Of("matched regions", "pointing.model.all"),
                Of("matched regions", "iou.model.all"),
            ),
        ),
    ),
)
