"""What can be read from a caption's embedding: a joint model against encoders of text alone, and against no training.

Lindström, Bensch, Björklund and Drewes, "Probing Multimodal Embeddings for Linguistic Properties: the Visual-Semantic
Case", COLING 2020, compare joint embeddings with other encoders of one modality. The untrained encoders and the random
labels are added here, so the claims are the course's own in size and partly in kind.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch10_sentences.measures.probing import beside_the_image, of_bert, of_model, of_word_vectors
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of

JOINT, BAG = "joint GRU", "joint bag of words"
NO_TRAINING, NO_TRAINING_BAG = "untrained GRU", "untrained bag of words"
WORDS, BERT = "mean word vectors, text alone", "mini BERT, text alone"
SIZE = {"dim": 256}  # of every embedding that is learned here; word vectors have 50 numbers, the BERT's words 128
TASKS = {"object": "which object", "count": "how many", "swapped": "was a word swapped"}


def above(better: str, worse: str | float, task: str, metric: str = "linear") -> Above:
    """The accuracy of a probe on one encoder above that on another, in points."""
    beside = worse if isinstance(worse, str) else "the most common label"
    kind = metric.partition(",")[0]
    return Above(f"{TASKS[task]}: {better} above {beside} ({kind} probe, points)", better, worse, f"{task}.{metric}")


CLAIMS = (
    Claim(
        name="probing",
        corpus="scenes",
        arms=(
            Control(WORDS, of_word_vectors),
            Control(BERT, of_bert),
            Arm(NO_TRAINING, "vse", SIZE, fit=None),
            Arm(NO_TRAINING_BAG, "bow", SIZE, fit=None),
            Arm(JOINT, "vse", SIZE, measures=(of_model, beside_the_image)),
            Arm(BAG, "bow", SIZE, measures=(of_model, beside_the_image)),
        ),
        measures=(of_model,),
        effects=(
            *(above(JOINT, other, task) for task in TASKS for other in (WORDS, BERT, NO_TRAINING, BAG)),
            *(above(JOINT, 0, task, "linear, lead") for task in TASKS),
            above(JOINT, 0, "swapped", "network, lead"),
            Above(
                "was a word replaced, always by the same few: joint bag of words above the most common label (points)",
                BAG,
                0,
                "replaced.linear, lead",
            ),
            Above(
                "was a word swapped: joint bag of words above the most common label (points)",
                BAG,
                0,
                "swapped.linear, lead",
            ),
            Above(
                "was a word swapped: joint GRU, picture beside caption, above the most common label (points)",
                JOINT,
                0,
                "beside the image.linear, lead",
            ),
            Above(
                "the joint GRU's lead over the most common label is larger for the object than for the count (points)",
                Of(JOINT, "object.linear, lead"),
                Of(JOINT, "count.linear, lead"),
            ),
            Above(
                "random labels: the joint GRU's probe of the object above the most common label (points)",
                Of(JOINT, "object.linear, random labels"),
                Of(JOINT, "object.majority"),
            ),
        ),
    ),
)
