"""GSMN: messages along the dependency tree and the layout, against none, an MLP per node, and random trees.

The paper's ablation (Flickr30K, R@1 of captions / of images): without a graph 63.2 / 48.7, sparse graph 71.4 / 53.9,
dense graph 72.6 / 53.7. Its released structure level passes nothing between nodes: the arm "MLP per node" is this case.
That arm, random trees with the same degrees, and the minimal pairs whose colours are swapped are ours.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch15_attention.measures.gsmn import trees_at_test
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import minimal_pairs, oracle_rsum, retrieval
from itm_tutorial.chapters.small_galleries import trained_on_small_validation

SIZE = {"embed_size": 64, "word_dim": 64, "blocks": 4, "kernels": 4}
TRAINED = partial(trained_on_small_validation, epochs=1, batch_size=32, learning_rate=4e-3)
TREE, DENSE, RANDOM = "dependency trees", "all edges", "random trees"
MLP, NODES = "MLP per node", "no structure"
READS = (retrieval, minimal_pairs, trees_at_test)

CLAIMS = (
    Claim(
        name="gsmn",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            Arm(NODES, "gsmn_nodes", SIZE, None, start=TRAINED),
            Arm(MLP, "gsmn_code", SIZE, None, start=TRAINED),
            Arm(TREE, "gsmn", SIZE, None, start=TRAINED, measures=READS),
            Arm(DENSE, "gsmn_dense", SIZE, None, start=TRAINED),
            Arm(RANDOM, "gsmn", {**SIZE, "graph": "random"}, None, start=TRAINED),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            Above("messages beat matching nodes alone (rsum)", TREE, NODES),
            Above("messages beat an MLP per node, the public code's level (rsum)", TREE, MLP),
            Above("dependency trees beat random trees with the same degrees (rsum)", TREE, RANDOM),
            Above("all edges beat dependency trees (rsum)", DENSE, TREE),
            *(
                Above(f"where colours are swapped, {TREE} beat {what} (points)", TREE, other, minimal_pairs="binding")
                for other, what in ((NODES, "nodes alone"), (MLP, "an MLP per node"), (RANDOM, "random trees"))
            ),
            Above(
                "a trained model reads its trees: random ones lower rsum",
                Of(TREE, "trees.own"),
                Of(TREE, "trees.random"),
            ),
        ),
    ),
)
