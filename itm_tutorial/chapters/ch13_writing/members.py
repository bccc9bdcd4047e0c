"""The rows of the table of chapter 13: what each method changes, what its paper claimed, which effects are shown."""

from itm_tutorial.chapters.ch13_writing.claims.nic import CHANCE, NEAR
from itm_tutorial.chapters.family import Member

MEMBERS = (
    Member(
        model="nic",
        part="interaction",
        change="An LSTM reads the image once, as its first input, and writes the caption. An image and a caption are "
        "compared by log P(caption | image). There are no negatives.",
        claimed="R@1, image to text and text to image: 20 and 19 on Flickr8K, 17 and 17 on Flickr30K, with scores that "
        "are divided by the prior from image to text. An image at every step is worse (no numbers). The authors call "
        "ranking an unsatisfactory way to evaluate a model that writes.",
        claim="nic",
        effects=(
            f"text-to-image R@10 is above {CHANCE} times that of a random ranking (points)",
            f"text-to-image R@10 is at most {NEAR} points below that of a ranking model (points beyond)",
            "division by the prior makes the commonest captions come first for fewer images (points)",
            "division by the prior raises image-to-text R@1 (points)",
        ),
    ),
    Member(
        model="m_rnn",
        part="interaction",
        change="A recurrence reads the words alone, and a multimodal layer adds the image at each step. All images "
        "share the recurrence. From image to text, P(caption | image) is divided by the caption's prior.",
        claimed="R@1, image to text and text to image: 14.5 and 11.5 on Flickr8K, 18.4 and 12.6 on Flickr30K, with "
        "AlexNet. The report divides without numbers for the scores as they are.",
        claim="m_rnn",
        effects=(
            "division by the prior raises image-to-text R@1 (points)",
            "division by the prior beats division by the number of words in image-to-text R@1 (points)",
            "the image at the multimodal layer beats the image in the recurrence (rsum, divided by the prior)",
            "the image at the multimodal layer beats the image read once (rsum, divided by the prior)",
        ),
    ),
    Member(
        model="gxn",
        part="loss",
        change="Two embeddings per side are matched by cosines. In training, the caption must also be written from the "
        "image's embedding, and the image's feature be imagined from the caption's. The equations of the paper were "
        "not readable to us; these are ours.",
        claimed="R@1, image to text and text to image: 56.8 and 41.5 on Flickr30K, 68.5 and 56.6 on 1,000 images of "
        "COCO. The ablation was not readable to us.",
        claim="gxn",
        effects=(
            "to write and to imagine helps to match (rsum)",
            "to imagine one's own image helps more than to imagine another (rsum)",
            "an imagined feature finds its image more often than one that was trained on other images (R@10)",
        ),
    ),
)
