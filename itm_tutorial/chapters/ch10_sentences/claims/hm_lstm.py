"""HM-LSTM: do phrases that meet regions help, and is a hierarchy needed for it?

The paper has no ablation: it compares whole systems (region to phrase, R@1, R@5 and R@10: 10.8, 22.6 and 30.7, against
7.2, 18.1 and 26.8 of DeepVS, Niu et al. 2017). So the claims below are ours. The control is an LSTM from left to right
over the sentence and over the phrases cut out of it, with the same loss.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch10_sentences.measures.hm_lstm import phrases_to_regions
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

# All arms have the same fixed word vectors, regions, size and epochs. Learning rates of 3e-3 and 8e-3 were compared on
# the validation split of seed 7, for the tree and for the chain.
SIZE, FIT = {"embed_size": 64}, {"epochs": 4, "batch_size": 128, "learning_rate": 8e-3}
FULL, ROOT, ONE, CHAIN, EQUAL = "hm_lstm", "root only", "one kind of children", "chain on cut-out phrases", "unweighted"

CLAIMS = (
    Claim(
        name="hm_lstm",
        corpus="scenes",
        arms=(
            Arm(FULL, "hm_lstm", SIZE, FIT),
            Arm(ROOT, "hm_lstm", {**SIZE, "root_first": 1.0}, FIT),
            Arm(ONE, "hm_lstm", {**SIZE, "children": "one"}, FIT),
            Arm(CHAIN, "hm_lstm", {**SIZE, "reader": "chain"}, FIT),
            Arm(EQUAL, "hm_lstm", {**SIZE, "weighted": False}, FIT),
        ),
        measures=(retrieval, phrases_to_regions),
        effects=(
            Above("pairs of phrases and regions help sentences find images (rsum)", FULL, ROOT),
            Above("phrases find their region better than with the root alone (R@1)", FULL, ROOT, "phrase_r1"),
            Above(
                "phrases find their region more often than by chance (R@1)",
                FULL,
                Of(FULL, "phrase_chance"),
                "phrase_r1",
            ),
            Above("more often than another phrase in their place (R@1)", FULL, Of(FULL, "phrase_other"), "phrase_r1"),
            Above("two kinds of children beat one (rsum)", FULL, ONE),
            Above("two kinds of children beat one (phrase to region, R@1)", FULL, ONE, "phrase_r1"),
            Above("the tree beats a chain on cut-out phrases (rsum)", FULL, CHAIN),
            Above("the tree beats a chain on cut-out phrases (phrase to region, R@1)", FULL, CHAIN, "phrase_r1"),
            Above("weights by similarity help (phrase to region, R@1)", FULL, EQUAL, "phrase_r1"),
        ),
    ),
)
