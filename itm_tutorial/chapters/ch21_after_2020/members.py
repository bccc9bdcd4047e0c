"""The rows of the table of chapter 21: what each method changes, what its paper claimed, which effects are shown."""

from itm_tutorial.chapters.family import Member

MEMBERS = (
    Member(
        model="clip",
        part="loss",
        change="A softmax over the batch in both directions, with a learned temperature; both encoders are trained "
        "from scratch, on pairs from the web.",
        claimed="Zero-shot, R@1 image to text and text to image: Flickr30K 88.0 / 68.7, COCO (5,000 images) 58.4 / "
        "37.8. Prompts add almost 5 points on ImageNet.",
        claim="contrastive_losses_long",
        effects=(
            "softmax beats max of hinges at a batch of 16 (rsum)",
            "softmax beats max of hinges at a batch of 1024 (rsum)",
        ),
    ),
    Member(
        model="siglip",
        part="loss",
        change="A sigmoid for each pair, with a learned bias. No term reads the whole batch, so the loss can be "
        "added up in chunks.",
        claimed="The sigmoid is clearly better below batches of 16,000; from 32,000 on, larger batches add little.",
        claim="siglip",
        effects=(
            "a bias from the batch beats the published -10 (rsum)",
            "a bias from the batch beats a bias of 0 (rsum)",
        ),
    ),
    Member(
        model="gpo",
        part="interaction",
        change="Each number is sorted over the regions, and over the words; the weights of the ranks are learned. Mean "
        "and maximum are two choices of these weights.",
        claimed="COCO, 1,000 images, regions, R@1 text to image and image to text: mean 54.0 / 68.5, maximum 60.7 / "
        "74.5, learned 61.7 / 78.5; a learned attention 56.2 / 70.2.",
        claim="gpo",
        effects=(
            "learned pooling beats the mean (rsum)",
            "learned pooling beats the maximum (rsum)",
            "the maximum beats the mean (rsum)",
            "leaving out regions and words helps learned pooling (rsum)",
        ),
    ),
    Member(
        model="sgraf",
        part="interaction",
        change="The similarity of a word and what it attends to is a vector. A graph, or a filter, makes one score of "
        "these vectors.",
        claimed="Flickr30K, R@1 image to text and text to image: filter 73.7 / 56.1, graph 75.2 / 56.2, both 77.8 / "
        "58.5.",
        claim="sgraf",
        effects=(
            "a graph over similarity vectors beats SCAN's mean of cosines (rsum)",
            "the graph beats the filter (rsum)",
            "both together beat the graph alone (rsum)",
        ),
    ),
    Member(
        model="pcme",
        part="loss",
        change="An embedding is a normal distribution. The loss compares samples, so an uncertain embedding can be "
        "wide.",
        claimed="COCO, 1,000 images: R@1 image to text 68.8, and 68.0 for its means alone.",
        claim="pcme",
        effects=(
            "a caption's spread grows with the images that it is true of",
            "an image's spread grows with the captions that are true of it",
            "distributions beat their means alone (rsum)",
        ),
    ),
    Member(
        model="albef",
        part="interaction",
        change="Two encoders make a shortlist; a head that reads an image and a caption together ranks it again. Its "
        "negatives are drawn from the batch, hard ones more often.",
        claimed="No ablation of the matching loss was readable to us; the claim is ours.",
        claim="albef",
        effects=(
            "the head on a shortlist of 8 beats the cosine (R@1 of captions, points)",
            "hard negatives beat random ones (R@1 of captions by the head, points)",
            "the head tells minimal pairs apart better than the cosine (accuracy, points)",
        ),
    ),
)
