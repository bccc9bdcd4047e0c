"""The results page of chapter 13."""

from itm_tutorial.chapters.ch13_writing.claims.nic import COMMON, DIVIDED
from itm_tutorial.chapters.page import Column, Page, Table

BOTH = tuple(
    Column(f"{way}, {name}", f"{path}/{key}")
    for way, key in (("image to text R@1", "i2t_r1"), ("text to image R@10", "t2i_r10"))
    for name, path in (("log P", "raw"), ("divided", "divided"))
)
TABLES = {
    "nic": (
        Table(
            title="NIC",
            claim="nic",
            head="model",
            columns=(*BOTH, Column("commonest captions first, percent", "common_first")),
            rows={
                "nic": "`nic`: log P of an LSTM that writes",
                "nic without the image": "`nic`, `sees_image=False`: the language alone",
                "vse": "`vse`: embeddings, as a ranking model",
                COMMON["nic"]: "`nic`: how often one of the commonest captions is first",
                COMMON["vse"]: "`vse`: the same",
                DIVIDED: "`nic`, divided by the prior: the same",
            },
            text="""The commonest captions are the 1 % that a writer without images finds likeliest. All scores of the
            writer without the image are ties in a column, and ties count against a model.""",
        ),
    ),
    "m_rnn": (
        Table(
            title="m-RNN",
            claim="m_rnn",
            head="where the image enters",
            columns=(
                Column("image to text R@1, log P", "raw/i2t_r1"),
                Column("per token", "per_word/i2t_r1"),
                Column("divided by the prior", "divided/i2t_r1"),
                Column("text to image R@1", "raw/t2i_r1"),
                Column("variance of the captions' means, percent", "column_share/raw"),
                Column("the same, divided", "column_share/divided"),
            ),
            rows={
                "image at the multimodal layer": "`m_rnn`: at the multimodal layer",
                "image in the recurrence": "`m_rnn_recurrence`: in the recurrence",
                "image once (nic)": "`nic`: once, before the words",
                "vse": "`vse`: embeddings, as a ranking model",
            },
            text="Text to image has one column: a division by a number per caption cannot change it.",
        ),
    ),
    "gxn": (
        Table(
            title="GXN",
            claim="gxn",
            head="trained to",
            columns=(
                Column("image to text R@1", "i2t_r1"),
                Column("text to image R@1", "t2i_r1"),
                Column("rsum", "rsum"),
                Column("images found by an imagined feature, R@10", "imagined_t2i_r10"),
                Column("true statements, percent", "true_statements"),
                Column("the same captions for other pictures", "true_of_others"),
            ),
            rows={
                "match": "`gxn_match`: match",
                "match and write": "`gxn_write`: match and write",
                "match and imagine": "`gxn_imagine`: match and imagine",
                "match, write and imagine": "`gxn`: match, write and imagine",
                "match, write and imagine other images": "`gxn`, the images to imagine shuffled",
            },
            text="The equations of the paper were not readable to us, so the losses and the claim are ours.",
        ),
    ),
}

PAGE = Page(
    title="Chapter 13: Ranking by writing",
    claims=("nic", "m_rnn", "gxn"),
    paragraphs=(
        """Drawn scenes, size `mini`. Writers are scored on the first 200 images of the test split with all of their
        captions, because each pair costs a network; the prior takes its mean over 100 training images. `gxn` compares
        embeddings, on the whole test split. Arms of a claim have the same number of steps, except that `vse` keeps its
        own recipe.""",
        """**NIC.** Text to image, R@10: {value: nic / nic / raw/t2i_r10}; a writer that sees no image: {value: nic /
        nic without the image / raw/t2i_r10}; a ranking model (`vse`): {value: nic / vse / raw/t2i_r10}. Against three
        times a random ranking: {effect: text-to-image R@10 is above 3 times that of a random ranking (points)}. Image
        to text, images that rank one of the commonest captions first, beyond twice as many as with a ranking model:
        {effect: the commonest 1 % of the captions come first for more than twice as many images as with a ranking
        model (points beyond)}; fewer after the division by the prior: {effect: division by the prior makes the
        commonest captions come first for fewer images (points)}. R@1 from image to text by log P: {value: nic / nic /
        raw/i2t_r1}; divided: {value: nic / nic / divided/i2t_r1}.""",
        """**m-RNN.** R@1 from image to text by log P: {value: m_rnn / image at the multimodal layer / raw/i2t_r1};
        divided by the number of tokens: {value: m_rnn / image at the multimodal layer / per_word/i2t_r1}; divided by
        the prior: {value: m_rnn / image at the multimodal layer / divided/i2t_r1}. Rsum after the division, the image
        at the multimodal layer against the image in the recurrence: {effect: the image at the multimodal layer beats
        the image in the recurrence (rsum, divided by the prior)}; against the image read once, by NIC: {effect: the
        image at the multimodal layer beats the image read once (rsum, divided by the prior)}. Text to image, R@10:
        {value: m_rnn / image at the multimodal layer / raw/t2i_r10}; a ranking model (`vse`): {value: m_rnn / vse /
        raw/t2i_r10}.""",
        """**GXN.** Gain of writing and imagining over matching alone, rsum: {effect: to write and to imagine helps to
        match (rsum)}; over the control, which imagines other images: {effect: to imagine one's own image helps more
        than to imagine another (rsum)}. Writing alone: {effect: to write helps to match (rsum)}; imagining alone:
        {effect: to imagine helps to match (rsum)}. Statements of written captions that are true, beyond those of the
        same captions for other pictures: {effect: statements of a written caption are true of its picture more often
        than of others (points)}.""",
    ),
    tables=tuple(table for tables in TABLES.values() for table in tables),
    notes=(
        """`benchmarks/writers.py`, 500 images and 2,500 captions, one run on two cores with nothing beside it: `m_rnn`
        scores all pairs in 17 s and 69 MiB, `nic` in 25 s and 40 MiB. A recurrence per pair takes 4.5 and 3.6 times as
        long; the recurrence of `m_rnn` alone takes 451 times as long once per image as once for all. Both ways give
        the same scores.""",
    ),
)
