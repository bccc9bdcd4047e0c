"""The results page of chapter 11."""

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

PAGE = Page(
    title="Chapter 11: Fragments",
    claims=tuple(TABLES),
    paragraphs=(
        """Drawn scenes, size `mini`, and the twelve regions per image of a small detector. Arms of a claim have the
        same sizes and the same number of steps; learning rates were chosen on the validation split of another seed.
        `defrag` and `dvsa` point for words, the other three for noun phrases. A phrase is localised by a region of
        any thing that it names.""",
        """**DVSA.** Each word's best region beats one vector per image ({holds: each word's best region beats one
        vector per image (rsum)}), and words that know their neighbours beat words alone by as much again ({holds: a
        bidirectional recurrent network beats words without context (rsum)}). The thresholded sum in its place did
        not train with the same recipe: all its scores are 0, and ties count against a model. So its defeat ({holds:
        each word's best region beats the thresholded sum (rsum)}; divided as in DeFrag {holds: each word's best
        region beats the thresholded sum, divided as in DeFrag (rsum)}, with seeds far apart) says that it is hard
        to train, and not which score is better. In the pointing game of nouns, `dvsa` is more than 20 points above
        the best of four controls ({holds: pointing game, nouns: 20 points above the best of four controls (points
        beyond)} beyond these 20).""",
        """We expected that sums favour long captions. Over all captions the scores do *not* rise with the length
        ({does not hold: sums rise with the length of a caption (correlation)}). But the caption that an image ranks
        first is longer than the mean caption ({holds: the caption that an image ranks first is longer than the
        gallery's mean (words)}). A division by the number of words is no remedy: it costs recall ({does not hold:
        dividing the sums by the number of words raises image-to-text R@1 (points)}).""",
        """**DeFrag.** Fragments beat one vector per image ({holds: fragments beat one vector per image (rsum)}). The
        paper's claim that two objectives beat either one does **not** hold here: together they beat the alignment
        one ({holds: both objectives beat the alignment one (rsum)}), but not the global one ({does not hold: both
        objectives beat the global one (rsum)}). The alignment objective adds to the pointing game of nouns ({holds:
        pointing game, nouns: the alignment objective adds to the global one (points)}). This gain does not come
        from the right image: alignment with the regions of another image points no worse ({does not hold: pointing
        game, nouns: aligning with the own image beats aligning with another (points)}).""",
        """**CITE.** Phrases are localised far better than by area ({holds: phrases are localised better than by area
        (IoU 0.5, points)}). Whether four embeddings beat one of equal size is too close to say ({too close to say:
        four, chosen, localise phrases better than one of equal size (IoU 0.5, points)}), and so is whether the
        phrase's choice beats equal weights ({too close to say: four, chosen, localise phrases better than four,
        equal weights (IoU 0.5, points)}). In this world one embedding suffices.""",
        """**Align2Ground.** A score of the matched regions alone covers phrases better than the local sum ({holds:
        matched regions localise phrases better than local sum (IoU 0.5, points)}); in the pointing game the
        difference is too close to say ({too close to say: matched regions localise phrases better than local sum
        (pointing, points)}). The price is recall: it retrieves images worse ({does not hold: matched regions
        retrieve images better than the local sum (R@1)}).""",
        """**InfoGround.** False nouns help ({holds: plausible nouns beat no nouns (pointing, points)}), but plausible
        ones no more than random ones ({too close to say: plausible nouns beat random nouns (pointing, points)}).
        Synonyms, which are not false, do not help; whether they hurt is too close to say ({too close to say: no
        nouns beat synonyms (pointing, points)}).""",
    ),
    tables=tuple(table for tables in TABLES.values() for table in tables),
    notes=(
        """`dvsa` with the thresholded sum (size `mini`, seed 0): a tenth of the dot products is positive at the start,
        none after ten steps. The loss then stays at 1,984, which is 2 × 32 × 31 times the margin of 1.""",
    ),
)
