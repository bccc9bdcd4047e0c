"""SDT-RNN: does composing a sentence along its dependency tree help, against plain word order and the mean of words?

Socher et al. 2014 report mean ranks (image search, describing, captions of one image; lower is better): SDT-RNN 12.5,
16.9 and 10.5; DT-RNN 13.6, 19.2 and 11.1; the mean of word vectors 14.6, 21.1 and 11.8; a plain RNN 19.2, 27.1 and
18.5 (table 1, Pascal1K). The plain RNN is the weaker of the two baselines there. The control with shuffled trees, the
reordered captions and the minimal pairs are ours.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch10_sentences.measures.sdt_rnn import agreement, ranks, with_shuffled_trees
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import minimal_pairs

# All arms have the same fixed word vectors, image map, loss, size and epochs. Learning rates were compared on the
# validation split of seed 7: 1e-3, 3e-3, 1e-2 and 2e-2 for the trees, 3e-3, 1e-2 and 2e-2 for the plain network, and
# 1e-2, 3e-2 and 6e-2 for the mean of words.
SIZE, EPOCHS = {"embed_size": 64}, 4
TREE, CHAIN, MEAN = ({"epochs": EPOCHS, "learning_rate": rate} for rate in (1e-2, 1e-2, 3e-2))
SDT, DT, PLAIN, WORDS, SHUFFLED = "sdt_rnn", "dt_rnn", "plain RNN", "mean of words", "sdt_rnn, shuffled trees"
OTHERS = {PLAIN: "a plain RNN", WORDS: "the mean of fixed word vectors", SHUFFLED: "the same trees with shuffled words"}

RankBelow = partial(Above, worse=SDT)  # a lower rank is better, so that the other arm stands in front

CLAIMS = (
    Claim(
        name="sdt_rnn",
        corpus="scenes",
        arms=(
            Arm(SDT, "sdt_rnn", SIZE, TREE),
            Arm(DT, "dt_rnn", SIZE, TREE),
            Arm(PLAIN, "sdt_rnn", {**SIZE, "compose": "chain"}, CHAIN),
            Arm(WORDS, "sdt_rnn", {**SIZE, "compose": "mean"}, MEAN),
            Arm(SHUFFLED, "sdt_rnn", SIZE, TREE, start=with_shuffled_trees),
        ),
        measures=(ranks, agreement, minimal_pairs),
        effects=(
            *(Above(f"trees beat {what} (rsum)", SDT, arm) for arm, what in OTHERS.items()),
            Above("a matrix per relation beats one per position of the child (rsum)", SDT, DT),
            *(Above(f"trees beat {what} (image search, R@10)", SDT, arm, "t2i.r10") for arm, what in OTHERS.items()),
            *(
                RankBelow(f"image search: a lower mean rank than {what} (ranks)", arm, metric="t2i.mean_rank")
                for arm, what in OTHERS.items()
            ),
            *(
                RankBelow(f"captions of one image are nearer than with {what} (ranks)", arm, metric="same_image")
                for arm, what in OTHERS.items()
            ),
            *(
                RankBelow(
                    f"captions of the same facts in another order: nearer than with {what} (ranks)",
                    arm,
                    metric="reordered",
                )
                for arm, what in OTHERS.items()
            ),
            Above("trees are above chance where the binding decides (points)", SDT, 50, minimal_pairs="binding"),
            Above("trees are above chance where the relation decides (points)", SDT, 50, minimal_pairs="relation"),
        ),
    ),
)
