"""Is a contrastively trained model a bag of words? Retrieval, minimal pairs, and captions with the same words.

Yuksekgonul et al., "When and Why Vision-Language Models Behave like Bags-of-Words", ICLR 2023
(https://arxiv.org/abs/2210.01936), say that retrieval can be done well without order, so that contrastive training does
not force a model to learn it. The drawn experiment is ours: CLIP with a transformer over words, the same with a bag of
words, and DVSA with a recurrent network over words, whose score is made of words and regions.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch21_after_2020.measures.word_order import same_words, shuffled_retrieval
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import minimal_pairs, retrieval

FIT = {"epochs": 2, "batch_size": 64, "learning_rate": 1e-3}
CLIP, BAG, WORDS = "clip, transformer", "clip, bag of words", "dvsa, BRNN"
PREFERS = "prefers.colours swapped"

CLAIMS = (
    Claim(
        name="word_order",
        corpus="scenes",
        arms=(
            Arm(CLIP, "clip_features", fit=FIT, measures=(retrieval, minimal_pairs, same_words, shuffled_retrieval)),
            Arm(BAG, "clip_features", {"sentence": "bow"}, FIT),
            # as in the claim of chapter 11, but for two epochs
            Arm(
                WORDS,
                "dvsa_brnn",
                {"embed_size": 128, "word_dim": 64},
                {"epochs": 2, "batch_size": 32, "learning_rate": 3e-3},
            ),
        ),
        measures=(retrieval, minimal_pairs, same_words),
        effects=(
            Above("a bag of words reaches nine tenths of the transformer's rsum", BAG, Of(CLIP, times=0.9)),
            Above(
                "with shuffled words, three quarters of the transformer's rsum are left",
                Of(CLIP, "shuffled_rsum"),
                Of(CLIP, "rsum", times=0.75),
            ),
            Above("clip is above chance where the binding decides (points)", CLIP, 50, minimal_pairs="binding"),
            Above("clip is above chance where the relation decides (points)", CLIP, 50, minimal_pairs="relation"),
            Above("clip is above chance where the object decides (points)", CLIP, 50, minimal_pairs="object"),
            Above("clip prefers the true caption to one with swapped colours (points over chance)", CLIP, 50, PREFERS),
            Above(
                "a score of words and regions does better where the binding decides",
                WORDS,
                CLIP,
                minimal_pairs="binding",
            ),
            Above("a score of words and regions does better on swapped colours (points)", WORDS, CLIP, PREFERS),
        ),
    ),
)
