"""The rows of the table of chapter 11: what each method changes, what its paper claimed, which effects are shown."""

from itm_tutorial.chapters.ch11_fragments.claims.dvsa import LEAD
from itm_tutorial.chapters.family import Member

MEMBERS = (
    Member(
        model="defrag",
        part="loss",
        change="Pairs of words from a dependency tree are compared with regions. The score adds all positive dot "
        "products. A second loss pulls each pair of words to regions of its own image, with labels that the model "
        "guesses.",
        claimed="The two losses together are better than either alone (abstract; the table by loss was not readable to "
        "us). R@1 on Flickr8K, image to text and text to image: 12.6 and 9.7 with detected regions, 5.9 and 5.2 "
        "without.",
        claim="defrag",
        effects=(
            "both objectives beat the global one (rsum)",
            "both objectives beat the alignment one (rsum)",
            "fragments beat one vector per image (rsum)",
            "pointing game, nouns: the alignment objective adds to the global one (points)",
        ),
    ),
    Member(
        model="dvsa",
        part="interaction",
        change="Each word takes its best region, and the score is the sum over words. There is one loss, a hinge.",
        claimed="The simpler score beats the authors' own run of DeFrag (those numbers were not readable to us). R@1 "
        "on Flickr30K: 20.0 and 15.0 with DeFrag's pairs of words, 22.2 and 15.2 with words from a bidirectional "
        "network.",
        claim="dvsa",
        effects=(
            "each word's best region beats one vector per image (rsum)",
            "a bidirectional recurrent network beats words without context (rsum)",
            f"pointing game, nouns: {LEAD} points above the best of four controls (points beyond)",
        ),
    ),
    Member(
        model="cite",
        part="interaction",
        change="A phrase mixes K embeddings of its pair with a region, and one classifier judges the mixture. It is "
        "trained with the true boxes of phrases.",
        claimed="Phrase localisation: 4, 3 and 4 % more than the compared models on Flickr30K Entities, ReferIt and "
        "Visual Genome (abstract).",
        claim="cite",
        effects=(
            "four, chosen, localise phrases better than one of equal size (IoU 0.5, points)",
            "four, chosen, localise phrases better than four, equal weights (IoU 0.5, points)",
        ),
    ),
    Member(
        model="align2ground",
        part="interaction",
        change="Each phrase takes its best region, and the chosen regions alone must be recognised as the caption's "
        "image.",
        claimed="Pointing game on Visual Genome: 4.9 % more than earlier methods without boxes (abstract).",
        claim="align2ground",
        effects=(
            "matched regions localise phrases better than local sum (pointing, points)",
            "matched regions localise phrases better than local sum (IoU 0.5, points)",
            "matched regions retrieve images better than the local sum (R@1)",
        ),
    ),
    Member(
        model="info_ground",
        part="loss",
        change="Words attend to regions. All images of a batch compete for each word, and false nouns compete with the "
        "true noun of a caption.",
        claimed="Pointing game on Flickr30K Entities, trained on COCO: 76.7 %; plausible false nouns gain about 10 "
        "points over random ones (abstract).",
        claim="info_ground",
        effects=(
            "plausible nouns beat random nouns (pointing, points)",
            "plausible nouns beat no nouns (pointing, points)",
            "no nouns beat synonyms (pointing, points)",
        ),
    ),
)
