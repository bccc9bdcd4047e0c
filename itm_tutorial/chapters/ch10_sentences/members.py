"""The rows of the table of chapter 10: what each method changes, what its paper claimed, which effects are shown."""

from itm_tutorial.chapters.family import Member

MEMBERS = (
    Member(
        model="sdt_rnn",
        part="text encoder",
        change="The dependency tree decides which vectors are added, and each relation has its own matrix. The words "
        "keep fixed vectors. No side is normalised, and other captions of the same image are no negatives.",
        claimed="Mean rank of image search on Pascal1K: 12.5, against 13.6 with a matrix per position of the child, "
        "14.6 of the mean of word vectors and 19.2 of a plain recurrent network.",
        claim="sdt_rnn",
        effects=(
            "trees beat the mean of fixed word vectors (rsum)",
            "trees beat a plain RNN (rsum)",
            "trees beat the same trees with shuffled words (rsum)",
        ),
    ),
    Member(
        model="m_cnn",
        part="interaction",
        change="The image is an input of the convolutions over words. Four variants let it in at the level of words, "
        "short phrases, long phrases and the sentence, and their scores are added.",
        claimed="R@1 from image to text on Flickr8K: 15.6 to 18.1 with one level, 24.8 with the sum of four. The paper "
        "has no sum of four models of one level.",
        claim="m_cnn",
        effects=(
            "the sum of four levels beats the sum of four sentence models (rsum)",
            "control: the sum of four sentence models beats one of them (rsum)",
        ),
    ),
    Member(
        model="skip_thought",
        part="pretraining",
        change="A GRU learns from stories to predict the sentences before and after, then stays frozen. Only two "
        "linear maps are trained with images.",
        claimed="R@1 on MSCOCO with 1,000 images, image to text and text to image: 33.8 and 25.9. Later papers quote "
        "33.2 and 24.2 for the mean of word vectors with CCA.",
        claim="skip_thought",
        effects=(
            "stories beat the mean of word vectors (R@10)",
            "stories beat the GRU before training (R@10)",
            "stories beat the same sentences in random order (R@10)",
        ),
    ),
    Member(
        model="hm_lstm",
        part="text encoder",
        change="An LSTM runs up a tree of phrases, with own weights for noun phrases. Each noun phrase meets its best "
        "region, and no true boxes are used.",
        claimed="R@1 from region to phrase: 10.8, against 7.2 of DeepVS. The paper compares whole systems, "
        "so the parts of the method are our test.",
        claim="hm_lstm",
        effects=(
            "pairs of phrases and regions help sentences find images (rsum)",
            "phrases find their region more often than by chance (R@1)",
            "the tree beats a chain on cut-out phrases (rsum)",
        ),
    ),
    Member(
        model="seam",
        part="text encoder",
        change="Several weighted means of the words stand side by side, and a linear map makes one vector of them.",
        claimed="Its abstract calls the method much faster. No timing and no table of ablations could be read, so the "
        "comparisons here are ours.",
        claim="seam",
        effects=(
            "10 hops beat the mean of words (rsum)",
            "10 hops beat one hop (rsum)",
            "the penalty that the public code never applies raises rsum",
        ),
    ),
    Member(
        model="chain_vse",
        part="text encoder",
        change="Convolutions read characters in place of words, and each unit takes the larger of two results.",
        claimed="R@10 at noise 0, 0.05, 0.1 and 0.25, read by eye from a figure of the authors: 91.5, 89, 86 and 70.5, "
        "against 90.5, 62, 43 and 14 of order embeddings. What the noise changes could not be read.",
        claim="chain_vse",
        effects=(
            "characters lose less than the GRU over words at 10 % of letters replaced (text to image R@10)",
            "characters lose less than the GRU, word dropout at 10 % of letters replaced (text to image R@10)",
            "the text encoder of characters has fewer weights (thousands)",
        ),
    ),
    Member(
        model="cse",
        part="loss",
        change="Both sides are convolutional and trained from pixels and words. A second loss compares windows of text "
        "with cells of the image on middle layers. The paper's own local term could not be read: ours takes the best "
        "cell of each window.",
        claimed="An objective on convolutional layers helps the global one, as its abstract says. No number of an "
        "ablation could be read.",
        claim="cse",
        effects=(
            "a local term on the second layers raises rsum",
            "on the global loss alone, convolutions over words beat a GRU (rsum)",
        ),
    ),
)
