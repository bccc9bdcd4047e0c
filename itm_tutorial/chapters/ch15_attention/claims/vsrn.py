"""VSRN: reasoning, the GRU and writing, alone and together, against shuffled regions and regions that hear nothing.

The paper's ablation (1,000 images of COCO, R@1 of captions / of images): mean of regions 64.3 / 49.2, reasoning
68.5 / 56.8, GRU 72.3 / 59.6, both 76.2 / 62.8, without writing 74.6 / 61.2; regions in random order 75.1 / 62.3. Its
last row is an average of two models. That regions which hear of themselves alone do worse, and the minimal pairs, are
ours. All arms write captions, except the one that says so.
"""

from __future__ import annotations

from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import minimal_pairs, oracle_rsum, retrieval

FIT = {"epochs": 3, "batch_size": 64, "learning_rate": 2e-3}
SIZE = {"embed_size": 96, "word_dim": 64}
MEAN, REASONING, GRU, BOTH = "mean of regions", "reasoning", "GRU", "reasoning and GRU"
SILENT, SHUFFLED, OWN = "both, no writing", "both, regions shuffled", "both, no messages"

CLAIMS = (
    Claim(
        name="vsrn",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            Arm(MEAN, "vsrn_mean", SIZE, FIT),
            Arm(REASONING, "vsrn_reasoning", SIZE, FIT),
            Arm(GRU, "vsrn_gru", SIZE, FIT),
            Arm(BOTH, "vsrn", SIZE, FIT),
            Arm(SILENT, "vsrn_match", SIZE, FIT),
            Arm(SHUFFLED, "vsrn", {**SIZE, "order": "shuffled"}, FIT),
            Arm(OWN, "vsrn", {**SIZE, "affinity": "own"}, FIT),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            Above("reasoning beats the mean of regions (rsum)", REASONING, MEAN),
            Above("the GRU beats the mean of regions (rsum)", GRU, MEAN),
            Above("the GRU alone beats reasoning alone (rsum)", GRU, REASONING),
            Above("reasoning adds to the GRU (rsum)", BOTH, GRU),
            Above("the GRU adds to reasoning (rsum)", BOTH, REASONING),
            Above("writing captions helps (rsum)", BOTH, SILENT),
            Above("the order of confidence beats a shuffled one (rsum)", BOTH, SHUFFLED),
            Above("messages between regions beat layers without messages (rsum)", BOTH, OWN),
            *(
                Above(f"reasoning beats the mean of regions where {what} (points)", REASONING, MEAN, minimal_pairs=kind)
                for kind, what in (("binding", "colours are swapped"), ("relation", "a relation differs"))
            ),
        ),
    ),
)
