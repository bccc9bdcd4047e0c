"""The rows of the table of chapter 14: what each method changes, what its paper claimed, which effects are shown."""

from itm_tutorial.chapters.family import Member

MEMBERS = (
    Member(
        model="dan",
        part="interaction",
        change="Image and caption attend apart from each other in K steps, each asked by a memory of its own side. The "
        "score sums the dot products of all steps, the means included, so that it is one product with an index that "
        "is K + 1 times as wide.",
        claimed="R@1, image to text and text to image: 55.0 and 39.4 on Flickr30K. We found no table in which K "
        "changes.",
        claim="dan",
        effects=(
            "two steps of attention beat two steps with equal weights (rsum)",
            "one step of attention beats the means (rsum)",
            "two steps of attention beat one (rsum)",
            "two steps of attention beat the means (rsum)",
        ),
    ),
    Member(
        model="sm_lstm",
        part="interaction",
        change="For each pair, T steps select regions and words, asked by the state of an LSTM that adds up what they "
        "find. Every pair costs a network. The equations of the paper were not readable to us; these are ours.",
        claimed="R@1, image to text and text to image: 42.5 and 30.2 on Flickr30K, 53.2 and 40.7 on 1,000 images of "
        "COCO, with two models together. The tables of steps and context were not readable to us.",
        claim="sm_lstm",
        effects=(
            "three steps beat one (rsum)",
            "three steps that attend again beat three with the same maps (rsum)",
            "global context helps (rsum)",
            "attending again reaches more of the named objects (points)",
            "the squared penalty makes the maps reach more of the named objects (points)",
        ),
    ),
    Member(
        model="sco",
        part="image encoder",
        change="The image encoder predicts named concepts, and a gate with one number per dimension joins them with "
        "the mean region. In training, the embedding must also write the caption. The equations of the paper were not "
        "readable to us; these are ours.",
        claimed="R@1, image to text and text to image: 55.5 and 41.1 on Flickr30K, 69.9 and 56.7 on 1,000 images of "
        "COCO. We found no figures of its ablation.",
        claim="sco",
        effects=(
            "concepts and context behind a gate beat the context alone (rsum)",
            "a gate beats two linear maps (rsum)",
            "concepts of one's own captions beat those of another image's (rsum)",
            "to write helps to match (rsum)",
            "to write helps where the binding of words decides (points)",
        ),
    ),
)
