"""The results page of chapter 10: one table per method; a method stands on it as soon as its claim is kept."""

from itm_tutorial.chapters.ch10_sentences.claims import (
    chain_vse,
    cse,
    hm_lstm,
    m_cnn,
    probing,
    sdt_rnn,
    seam,
    skip_thought,
)
from itm_tutorial.chapters.declaration import Claim
from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

RSUM = Column("rsum", "rsum")
RECALLS = (Column("image to text R@1", "i2t_r1"), Column("text to image R@1", "t2i_r1"), RSUM)


def rows_of(claim: Claim) -> dict[str, str]:
    """A row for each arm of a claim, under its own name."""
    return {arm.name: arm.name for arm in claim.arms}


def table(title: str, claims: tuple[Claim, ...], columns: tuple[Column, ...], text: str, head: str = "run") -> Table:
    """The table of one method, with a row for each arm of its claim."""
    (claim,) = claims
    return Table(title=title, claim=claim.name, head=head, columns=columns, rows=rows_of(claim), text=text)


def of_task(task: str, label: str) -> tuple[Column, ...]:
    """The columns of one task of the probes."""
    return (
        Column(f"{label}, linear", f"{task}/linear"),
        Column(f"{label}, most common label", f"{task}/majority"),
        Column(f"{label}, random labels", f"{task}/linear, random labels"),
    )


TABLES = (
    table(
        "SDT-RNN: trees",
        sdt_rnn.CLAIMS,
        (
            RSUM,
            Column("text to image R@10", "t2i/r10"),
            Column("text to image mean rank", "t2i/mean_rank"),
            Column("captions of one image, rank", "same_image"),
            Column("the same facts in another order, rank", "reordered"),
            *MINIMAL_PAIRS,
        ),
        """All runs have the same fixed word vectors, image map, loss, size and epochs. Ranks start at 1, and lower is
        better.""",
    ),
    table(
        "m-CNN: levels",
        m_cnn.CLAIMS,
        RECALLS,
        """Recalls on the first images of the test split, because each pair needs its own pass. The sum of four sentence
        models is the control of the sum of four levels.""",
    ),
    table(
        "Skip-thoughts: a frozen encoder",
        skip_thought.CLAIMS,
        (
            Column("R@10, mean of both directions", "r10"),
            RSUM,
            Column("R@10 of captions with words that the stories lack", "kept_out_r10"),
        ),
        "All runs have the same two linear maps and epochs; only the frozen encoder differs.",
    ),
    table(
        "HM-LSTM: phrases and regions",
        hm_lstm.CLAIMS,
        (
            *RECALLS,
            Column("phrase to region R@1", "phrase_r1"),
            Column("by chance", "phrase_chance"),
            Column("another phrase in its place", "phrase_other"),
        ),
        "No true box was used in training. A phrase is right if its region overlaps a box that the phrase names.",
    ),
    table(
        "SEAM: hops",
        seam.CLAIMS,
        (*RECALLS, *MINIMAL_PAIRS),
        """All runs have one loss and the cosine; only the text encoder differs. E reads word vectors, G the states of a
        GRU, C word vectors and windows of words.""",
    ),
    table(
        "CHAIN-VSE: misspelt queries",
        chain_vse.CLAIMS,
        (
            RSUM,
            *(Column(f"text to image R@10, {n} % of letters", f"t2i/{n}/r10") for n in (0, *chain_vse.NOISE)),
            Column("thousands of weights of the text encoder", "text_weights"),
        ),
        "Each letter of a test caption is replaced by another one with the probability above.",
    ),
    table(
        "CSE: a local term on middle layers",
        cse.CLAIMS,
        (*RECALLS, *MINIMAL_PAIRS),
        """After the idea of the paper, whose own local term was not readable. Images are small and raw, so that no
        backbone takes part.""",
    ),
    table(
        "Probes",
        probing.CLAIMS,
        (
            *of_task("object", "object"),
            *of_task("count", "count"),
            *of_task("swapped", "swapped word"),
            *of_task("replaced", "replaced word"),
            Column("swapped word, with the image, linear", "beside the image/linear"),
        ),
        "Accuracies in percent of classifiers on embeddings of test captions.",
        head="embeddings of",
    ),
)

PAGE = Page(
    title="Chapter 10: Sentences",
    claims=tuple(table.claim for table in TABLES),
    paragraphs=(
        """Drawn scenes, size `mini`. Each table compares runs that differ in one thing. Where the paper of a method has
        no such comparison that could be read, the claim is the course's own.""",
        """**SDT-RNN.** Trees beat the plain recurrent network ({holds: trees beat a plain RNN (rsum)}) and the mean of
        the same word vectors ({holds: trees beat the mean of fixed word vectors (rsum)}). They also beat the same
        trees over shuffled words ({holds: trees beat the same trees with shuffled words (rsum)}), so it is the
        syntax that helps and not the shape of the network alone. Whether a matrix per relation is better than one
        per position is too close to say ({too close to say: a matrix per relation beats one per position of the
        child (rsum)}). Captions of one image do **not** come nearer to each other than with the mean of words
        ({does not hold: captions of one image are nearer than with the mean of fixed word vectors (ranks)}).""",
        """**m-CNN.** The sum of four levels beats every level alone, the best of them too ({holds: the sum of four
        levels beats the sentence level alone (rsum)}). But a sum of four models of *one* level gains as much
        ({holds: control: the sum of four sentence models beats one of them (rsum)}), and between the two sums the
        difference is too close to say ({too close to say: the sum of four levels beats the sum of four sentence
        models (rsum)}). Here the gain comes from adding up four models, and not from their levels.""",
        """**Skip-thoughts.** What the small encoder learns from stories does not carry over to this task. The mean of
        word vectors is far better ({does not hold: stories beat the mean of word vectors (R@10)}), and so is a random
        GRU with a long memory ({does not hold: stories beat a random GRU with a long memory (R@10)}). Seeds lie far
        apart. The encoder is trained for about a minute; the paper's was trained on a whole corpus of books.""",
        """**HM-LSTM.** The pairs of phrases and regions do what they are made for: phrases find their region more often
        than with the root alone ({holds: phrases find their region better than with the root alone (R@1)}). For whole
        sentences they cost recall ({does not hold: pairs of phrases and regions help sentences find images (rsum)}).
        Two kinds of children help phrases ({holds: two kinds of children beat one (phrase to region, R@1)}).""",
        """**SEAM.** Ten hops over word vectors beat the mean of words by a little ({holds: 10 hops beat the mean of
        words (rsum)}), and reach what a GRU reaches ({holds: E is within 12 points of rsum of the GRU, 2 per recall}
        beyond the bound of 12 points below it). The penalty makes no difference that three seeds could show ({too
        close to say: the penalty that the public code never applies raises rsum}). Where only the binding of colours
        decides, hops over word vectors stay at chance, and the GRU is above them ({holds: the GRU is above E where the
        binding decides}).""",
        """**CHAIN-VSE.** Characters lose less under misspelling, at 10 % of the letters against a GRU over words
        ({holds: characters lose less than the GRU over words at 10 % of letters replaced (text to image R@10)}) and
        against one that was trained with word dropout ({holds: characters lose less than the GRU, word dropout at
        10 % of letters replaced (text to image R@10)}). Without misspelling the GRU finds more: see the table.""",
        """**CSE.** Whether the local term raises recall is too close to say ({too close to say: a local term on the
        second layers raises rsum}). On the global loss alone, convolutions over words are behind a GRU ({does not
        hold: on the global loss alone, convolutions over words beat a GRU (rsum)}). All runs read small raw images
        with a network that starts from random weights, so their recalls are low.""",
        """**Probes.** Training brings the object into the embedding of the GRU ({holds: which object: joint GRU above
        untrained GRU (linear probe, points)}), but a joint bag of words shows it more clearly still ({does not hold:
        which object: joint GRU above joint bag of words (linear probe, points)}). That a word was swapped can hardly
        be read from the caption alone ({holds: was a word swapped: joint GRU above the most common label (linear
        probe, points)}); with the picture beside it, more can ({holds: was a word swapped: joint GRU, picture beside
        caption, above the most common label (points)}).""",
    ),
    tables=TABLES,
)
