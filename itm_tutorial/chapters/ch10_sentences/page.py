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
    ),
    tables=TABLES,
)
