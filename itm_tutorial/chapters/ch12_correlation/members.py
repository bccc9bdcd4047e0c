"""The rows of the table of chapter 12: what each method changes, what its paper claimed, which effects are shown."""

from itm_tutorial.chapters.ch12_correlation.claims.dcca import LARGE, SMALL
from itm_tutorial.chapters.family import Member

MEMBERS = (
    Member(
        model="dcca",
        part="loss",
        change="Two networks are trained so that the total correlation of their outputs is as large as possible. There "
        "are no negatives and no margin.",
        claimed="R@1 on Flickr30K, image to text and text to image: 16.7 and 12.6, with DeFrag at 16.4 and 10.3. The "
        "paper does not compare with linear CCA.",
        claim="dcca",
        effects=(
            "two networks beat linear CCA (rsum)",
            "test pairs correlate more than with linear CCA (sum)",
            f"a batch of {LARGE} beats one of {SMALL}, the dimension plus one (R@10)",
        ),
    ),
    Member(
        model="fisher_vector",
        part="text encoder",
        change="A sentence is the direction in which its words would move a mixture of all word vectors. CCA joins it "
        "to the image, in closed form.",
        claimed="R@1 on Flickr8K with the same CCA, image to text and text to image: 22.6 and 19.1 with the mean of "
        "the word vectors, 28.4 and 20.6 with the Gaussian mixture, 28.5 and 20.6 with the hybrid one.",
        claim="fisher_vector",
        effects=(
            "Fisher vectors beat the mean of word vectors (R@10)",
            "eight components beat one (R@10)",
            "the hybrid mixture beats the Gaussian (R@10)",
            "above chance where the binding decides (points)",
        ),
    ),
    Member(
        model="spe",
        part="loss",
        change="Captions of one image must be closer to each other than to captions of other images. Only the ten "
        "worst negatives of an anchor count.",
        claimed="The neighbour terms help the ranks across views (abstract; the table was not readable to us). R@1 on "
        "Flickr30K as others quote it: 35.7 and 25.1 with mean word vectors, 40.3 and 29.7 with Fisher vectors.",
        claim="spe",
        effects=(
            "a caption finds another one of its image better (R@1)",
            "an image finds its captions better (R@1)",
            "with a weight of 1, a caption finds another one of its image better (R@1)",
            "with a weight of 1, an image finds its captions better (R@1)",
        ),
    ),
    Member(
        model="two_branch",
        part="interaction",
        change="The same two branches serve two models. The embedding network compares their outputs by distance; the "
        "similarity network reads their element-wise product and says whether the pair belongs together.",
        claimed="The embedding network is for retrieval, the similarity network for phrases: so we read the abstract. "
        "The tables were not readable to us.",
        claim="two_branch",
        effects=(
            "the embedding network beats the similarity network (rsum)",
            "it does so with as many negatives per positive (rsum)",
            "more negatives help the similarity network (rsum)",
        ),
    ),
    Member(
        model="two_way_net",
        part="loss",
        change="One network runs in both directions and predicts each view from the other. Batch normalisation and two "
        "penalties keep the variance of its middle layer.",
        claimed="A squared distance can be shown to maximise correlation, as long as the variance stays (abstract). "
        "The ablation was not readable to us, and the paper's R@1 on Flickr30K, 49.8 and 36.0, is in doubt: see below.",
        claim="two_way_net",
        effects=(
            "the variance of h is larger than without batch normalisation",
            "retrieval is better than without batch normalisation (R@5)",
            "retrieval is better than without decorrelation (R@5)",
        ),
    ),
    Member(
        model="rrf_net",
        part="text encoder",
        change="On both sides, one residual layer is applied four times, and a weighted sum fuses its four states.",
        claimed="R@1 on Flickr30K, image to text and text to image: 47.6 and 35.4. The ablation was not readable to "
        "us.",
        claim="rrf_net",
        effects=(
            "four applications beat a single layer of as many weights (rsum)",
            "shared weights are within 10 points of unshared ones (rsum)",
            "fusing all states beats the last one (rsum)",
        ),
    ),
)
