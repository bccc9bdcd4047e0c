"""Two-branch networks: the embedding network against the similarity network, with few and with as many negatives.

That the embedding network retrieves better and the similarity network is for phrases is how we read the paper's
abstract; its tables were not readable to us, so the sizes are ours. The control takes away one difference: it gives
the similarity network as many negatives per positive pair as count for the embedding network, ten images and ten
captions. All arms have the same branches and the same batches. Phrase localisation is left out: ``cite`` shows it.
"""

from __future__ import annotations

from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import retrieval
from itm_tutorial.training.siblings import siblings

FIT, SIZE = {"epochs": 5, "sampler": siblings}, {"embed_size": 128}
EMBEDDING, SIMILARITY, MANY = "embedding network", "similarity network", "similarity network, 20 negatives"
PLAIN = "embedding network, no neighbours"

CLAIMS = (
    Claim(
        name="two_branch",
        corpus="scenes",
        arms=(
            Arm(EMBEDDING, "two_branch", SIZE, FIT),
            Arm(PLAIN, "two_branch", SIZE | {"neighbour_weight": 0.0}, FIT),
            Arm(SIMILARITY, "two_branch_similarity", SIZE, FIT),
            Arm(MANY, "two_branch_similarity_20", SIZE, FIT),
        ),
        measures=(retrieval,),
        effects=(
            Above("the embedding network beats the similarity network (rsum)", EMBEDDING, SIMILARITY),
            Above("it does so with as many negatives per positive (rsum)", EMBEDDING, MANY),
            Above("more negatives help the similarity network (rsum)", MANY, SIMILARITY),
            Above("neighbourhoods help the embedding network (rsum)", EMBEDDING, PLAIN),
        ),
    ),
)
