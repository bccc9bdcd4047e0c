"""The results page of chapter 11. It shows the claims that are kept; the others appear when they are run."""

from __future__ import annotations

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

RECALL = (Column("image to text R@1", "i2t_r1"), Column("text to image R@1", "t2i_r1"), Column("rsum", "rsum"))
LOCALISED = (
    Column("pointing, percent (a region at random)", "pointing/model/all", best="pointing/uniform/all"),
    Column("IoU 0.5, percent (a region at random)", "iou/model/all", best="iou/uniform/all"),
)
POINTING = (
    Column("nouns", "pointing/model/noun"),
    Column("nouns, regions of another image", "pointing/regions of another image/noun"),
    Column("colours", "pointing/model/colour"),
    Column("colours, regions of another image", "pointing/regions of another image/colour"),
)

TABLES = {
    "defrag": (
        Table(
            title="DeFrag",
            claim="defrag",
            head="trained by",
            columns=(*RECALL, *POINTING, *MINIMAL_PAIRS),
            rows={
                "ceiling": "ceiling",
                "both objectives": "`defrag`, both objectives",
                "global alone": "`defrag_global`, the hinge alone",
                "alignment alone": "`defrag_alignment`, the alignment objective alone",
                "both, aligned with another image": "`defrag`, aligned with the regions of another image",
                "whole image (vse)": "`vse` on the mean of the same regions",
            },
            text="""The pointing game counts, in percent, how often the region with a fragment's largest weight has its
            centre in a box that its dependent word names.""",
        ),
    ),
    "dvsa": (
        Table(
            title="DVSA",
            claim="dvsa",
            head="score",
            columns=(*RECALL, *POINTING, *MINIMAL_PAIRS),
            rows={
                "ceiling": "ceiling",
                "best region": "`dvsa`, each word's best region",
                "thresholded sum": "the sum of positive dot products",
                "thresholded sum, divided as in DeFrag": "the same, divided by the number of words + 10",
                "whole image (vse)": "`vse` on the mean of the same regions",
                "best region, BRNN": "`dvsa_brnn`, words that know their neighbours",
            },
        ),
        Table(
            title="DVSA: the length of captions",
            claim="dvsa",
            head="score",
            columns=(
                Column("correlation with length, as it is", "length/raw/correlation"),
                Column("divided by length", "length/divided/correlation"),
                Column("words of the first caption, as it is", "length/raw/first_words"),
                Column("words, divided by length", "length/divided/first_words"),
                Column("words of all captions", "length/gallery_words"),
                Column("image to text R@1, as it is", "length/raw/i2t_r1"),
                Column("R@1, divided by length", "length/divided/i2t_r1"),
            ),
            rows={"best region": "`dvsa`, each word's best region"},
            text="The correlation is that of an image's scores with the number of words, as a mean over images.",
        ),
    ),
    "cite": (
        Table(
            title="CITE",
            claim="cite",
            head="embeddings of a pair",
            columns=(
                *LOCALISED,
                Column("IoU 0.5, rare nouns", "halves/rare"),
                Column("IoU 0.5, common nouns", "halves/common"),
                Column("learned numbers", "weights"),
            ),
            rows={
                "four, chosen": "`cite`: four, which the phrase weighs",
                "one of equal size": "`cite_k1`: one, as large as four",
                "four, equal weights": "four with equal weights",
            },
            text="CITE alone is trained with the true boxes of phrases.",
        ),
    ),
    "align2ground": (
        Table(
            title="Align2Ground",
            claim="align2ground",
            head="score",
            columns=(*LOCALISED, Column("text to image R@1, validation", "t2i_r1")),
            rows={
                "matched regions": "`align2ground`: of the matched regions",
                "local sum": "`align2ground_local`: the sum of local scores alone",
                "random regions": "of as many regions drawn at random",
            },
        ),
    ),
    "info_ground": (
        Table(
            title="InfoGround",
            claim="info_ground",
            head="false nouns",
            columns=LOCALISED,
            rows={
                "plausible nouns": "plausible ones",
                "random nouns": "random ones",
                "no nouns": "none",
                "synonyms": "synonyms, which are not false",
            },
        ),
    ),
}
KEPT = tuple(name for name in TABLES if experiment.was_run(name))
OPEN = tuple(name for name in TABLES if name not in KEPT)

PAGE = Page(
    title="Chapter 11: Fragments",
    claims=KEPT,
    paragraphs=(
        """Drawn scenes, size `mini`, and the twelve regions per image of a small detector. Arms of a claim have the
        same sizes and the same number of steps; learning rates were chosen on the validation split of another seed.
        `defrag` and `dvsa` point for words, the other three for noun phrases. A phrase is localised by a region of any
        thing that it names.""",
        *((f"""Not measured yet: {", ".join(f"`{name}`" for name in OPEN)}.""",) if OPEN else ()),
    ),
    tables=tuple(table for name in KEPT for table in TABLES[name]),
)
