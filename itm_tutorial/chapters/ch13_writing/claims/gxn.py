"""GXN: does it help to match images and captions if the embeddings must also write and imagine?

The paper's ablation was not readable to us, so this claim is ours. All arms have the same two encoders per side, the
same hinge, the same batches and the same number of updates; they differ in the losses beside the hinge. In the control
a caption is to imagine the feature of another image of its batch. Both weights are 1: of four pairs of weights from 0
to 10, not both 0, this pair had the highest rsum on the validation split of seed 7, below that of matching alone.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch13_writing.measures.gxn import imagined_recall, written_truth
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

FIT = {"epochs": 3, "batch_size": 128, "learning_rate": 6e-3}
SIZE = {"embed_size": 96, "word_dim": 64, "hidden_size": 96}
MATCH, WRITE, IMAGINE = "match", "match and write", "match and imagine"
BOTH, SHUFFLED = "match, write and imagine", "match, write and imagine other images"

CLAIMS = (
    Claim(
        name="gxn",
        corpus="scenes",
        arms=(
            Arm(MATCH, "gxn_match", SIZE, FIT),
            Arm(WRITE, "gxn_write", SIZE, FIT, measures=(retrieval, written_truth)),
            Arm(IMAGINE, "gxn_imagine", SIZE, FIT, measures=(retrieval, imagined_recall)),
            Arm(BOTH, "gxn", SIZE, FIT, measures=(retrieval, imagined_recall, written_truth)),
            Arm(
                SHUFFLED,
                "gxn",
                {**SIZE, "targets": "shuffled"},
                FIT,
                measures=(retrieval, imagined_recall, written_truth),
            ),
        ),
        measures=(retrieval,),
        effects=(
            Above("to write and to imagine helps to match (rsum)", BOTH, MATCH),
            Above("to imagine one's own image helps more than to imagine another (rsum)", BOTH, SHUFFLED),
            Above("to write helps to match (rsum)", WRITE, MATCH),
            Above("to imagine helps to match (rsum)", IMAGINE, MATCH),
            Above(
                "an imagined feature finds its image more often than one that was trained on other images (R@10)",
                BOTH,
                SHUFFLED,
                "imagined_t2i_r10",
            ),
            Above(
                "statements of a written caption are true of its picture more often than of others (points)",
                Of(BOTH, "true_statements"),
                Of(BOTH, "true_of_others"),
            ),
        ),
    ),
)
