"""CHAIN-VSE: characters against words where queries are misspelt. Only robustness is claimed, not recall without noise.

The figure of the paper shows recall at noise 0, .05, .10 and .25; what noise changes there could not be read. Here each
letter of a query is replaced by another one with this probability, in the captions of the test split alone.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch10_sentences.measures.chain_vse import NOISE, misspelt, text_weights, with_word_dropout
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

SIZE = {"embed_size": 128, "margin": 0.2}  # one loss for all: all hinges
WORDS = {**SIZE, "max_violation": False}
FIT = {"epochs": 3, "learning_rate": 6e-3}  # the rate of ``vse`` for all; no arm's was tuned
CHARACTERS, GRU, DROPOUT = "characters", "GRU over words", "GRU, word dropout"


def loses_less(than: str) -> tuple[Above, ...]:
    """Effects: how much more of R@10 a model of words loses, by the percentage of replaced letters."""
    return tuple(
        Above(
            f"characters lose less than the {than} at {noise} % of letters replaced (text to image R@10)",
            Of(than, f"lost.{noise}.r10"),
            Of(CHARACTERS, f"lost.{noise}.r10"),
        )
        for noise in NOISE
    )


CLAIMS = (
    Claim(
        name="chain_vse",
        corpus="scenes",
        arms=(
            Arm(CHARACTERS, "chain_vse", {**SIZE, "stem_maps": 16, "maps": 32}, FIT),
            Arm(GRU, "vsepp", WORDS, FIT),
            Arm(DROPOUT, "vsepp", WORDS, FIT, start=with_word_dropout),
        ),
        measures=(retrieval, misspelt, text_weights),
        effects=(
            *loses_less(GRU),
            *loses_less(DROPOUT),
            Above("characters find more than the GRU over words at 10 % (R@10)", CHARACTERS, GRU, "t2i.10.r10"),
            Above("characters find more than with word dropout at 10 % (R@10)", CHARACTERS, DROPOUT, "t2i.10.r10"),
            Above("word dropout helps the GRU at 10 % (R@10)", DROPOUT, GRU, "t2i.10.r10"),
            Above("the text encoder of characters has fewer weights (thousands)", GRU, CHARACTERS, "text_weights"),
        ),
    ),
)
