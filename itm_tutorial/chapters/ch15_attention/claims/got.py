"""GOT: SCAN with and without the transport distance; the plan against attention; a uniform plan as control.

On Flickr30K the paper adds nodes, edges and both to one variant of SCAN and reports a gain for each. These three
comparisons are the paper's; the uniform plan, the entropies and the pointing game are ours.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch15_attention.measures.got import plan_and_attention
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

FIT = {"epochs": 1, "batch_size": 64, "learning_rate": 3e-3}
SIZE = {"embed_size": 128, "word_dim": 64}
SCAN, NODES, EDGES = "SCAN", "+ nodes", "+ edges"
BOTH, UNIFORM = "+ nodes and edges", "+ both, uniform plan"

CLAIMS = (
    Claim(
        name="got",
        corpus="scenes",
        # All arms have the encoders, the score and the hinge of SCAN; they differ in the second term of the loss.
        arms=(
            Arm(SCAN, "got", {**SIZE, "weight": 0.0}, FIT),
            Arm(NODES, "got_nodes", SIZE, FIT),
            Arm(EDGES, "got_edges", SIZE, FIT),
            Arm(BOTH, "got", SIZE, FIT),
            Arm(UNIFORM, "got", {**SIZE, "uniform": True}, FIT, measures=(retrieval,)),
        ),
        measures=(retrieval, plan_and_attention),
        effects=(
            *(Above(f"{arm} beats SCAN (rsum)", arm, SCAN) for arm in (NODES, EDGES, BOTH)),
            Above("the best plan beats a uniform plan (rsum)", BOTH, UNIFORM),
            Above(
                "attention is spread wider than the plan (entropy, nats)",
                Of(BOTH, "entropy.attention"),
                Of(BOTH, "entropy.plan"),
            ),
            Above(
                "the plan points at nouns better than attention (points)",
                Of(BOTH, "pointing.plan.noun"),
                Of(BOTH, "pointing.attention.noun"),
            ),
            Above(
                "without transport in the loss, too, the plan points better than attention (nouns, points)",
                Of(SCAN, "pointing.plan.noun"),
                Of(SCAN, "pointing.attention.noun"),
            ),
        ),
    ),
)
