"""Skip-thoughts: what a frozen sentence encoder that learned from stories is worth, against encoders that did not.

The comparisons are ours. The paper calls its encoders on par with the best published rankings of its time, except for
R@1 of image annotation. On MSCOCO-1K its R@1 are 30.6 / 22.7 (uni-skip, image to text / text to image) and 33.8 / 25.9
(combine-skip); those of the mean of word2vec with CCA, as later papers quote them, 33.2 / 24.2.

All arms have the same two linear maps, loss, features, epochs and number of weights to learn; only the frozen encoder
differs. Texts and encoders have the seed of the run, so that the spread over seeds covers the training on stories too.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch10_sentences.measures.skip_thought import (
    exchanged,
    initial_weights,
    long_memory,
    mean_of_words,
    of_seed,
    recalls,
    recalls_of_kept_out,
)
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above

Frozen = partial(Arm, model="skip_thought", start=of_seed, fit={"epochs": 10})
KEPT_OUT = "R@10 of captions with words that the stories lack"

CLAIMS = (
    Claim(
        name="skip_thought",
        corpus="scenes",
        arms=(
            Frozen("stories"),
            Frozen("stories, no expansion", options={"expansion": False}),
            Frozen("stories, expanded words exchanged", start=exchanged),
            Frozen("shuffled stories", options={"encoder": "shuffled"}),
            Frozen("random GRU, initial weights", start=initial_weights),
            Frozen("random GRU, long memory", start=long_memory),
            Frozen("mean of word vectors", start=mean_of_words),
        ),
        measures=(recalls, recalls_of_kept_out),
        effects=(
            Above("stories beat the GRU before training (R@10)", "stories", "random GRU, initial weights", "r10"),
            Above("stories beat a random GRU with a long memory (R@10)", "stories", "random GRU, long memory", "r10"),
            Above("stories beat the mean of word vectors (R@10)", "stories", "mean of word vectors", "r10"),
            Above("stories beat the same sentences in random order (R@10)", "stories", "shuffled stories", "r10"),
            Above(f"expansion beats <unk> ({KEPT_OUT})", "stories", "stories, no expansion", "kept_out_r10"),
            Above(
                f"expansion beats the same vectors on other words ({KEPT_OUT})",
                "stories",
                "stories, expanded words exchanged",
                "kept_out_r10",
            ),
        ),
    ),
)
