"""The results page of chapter 14."""

from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

RECALLS = (
    Column("rsum", "rsum"),
    Column("image to text R@1", "i2t_r1"),
    Column("text to image R@1", "t2i_r1"),
)
TABLES = {
    "dan": (
        Table(
            title="DAN",
            claim="dan",
            head="steps",
            columns=(*RECALLS, *MINIMAL_PAIRS),
            rows={
                "K = 2": "`dan`: two steps of attention",
                "K = 1": "`dan_one_step`: one step",
                "K = 0, means": "`dan_means`: the means alone",
                "K = 2, uniform attention": "`dan_uniform`: two steps, all weights equal",
                "ceiling": "*ceiling: an oracle that reads the scene*",
            },
            text="""The arms have equally many updates. With uniform attention all parameters stay, and no items are
            chosen.""",
        ),
    ),
    "sm_lstm": (
        Table(
            title="sm-LSTM",
            claim="sm_lstm",
            head="steps",
            columns=(
                *RECALLS,
                Column("weight that reaches named objects, percent", "coverage"),
                Column("weight that moves from the first map to the last", "moved", decimals=2),
            ),
            rows={
                "T = 3": "`sm_lstm`: three steps",
                "T = 3, same maps": "`sm_lstm_fixed`: attention does not read the state",
                "T = 1": "`sm_lstm_one_step`: one step",
                "T = 3, no context": "`sm_lstm_no_context`: attention does not read the means",
                "T = 3, no penalty": "`sm_lstm`, `penalty=0`",
            },
            text="""Scores of the first 200 test images with all of their captions, since each pair costs a network. The
            arms have equal parameters; the LSTM runs in all of them.""",
        ),
    ),
    "sco": (
        Table(
            title="SCO",
            claim="sco",
            head="image embedding",
            columns=(*RECALLS, *MINIMAL_PAIRS),
            rows={
                "context": "`sco_context`: the mean region",
                "concepts": "`sco_concepts`: predicted concepts",
                "sum": "`sco_sum`: two linear maps of both",
                "gate": "`sco_gate`: both behind a gate",
                "gate, concepts of other images": "`sco_gate`, `targets='shuffled'`",
                "gate and writing": "`sco`: a gate, and writing",
                "ceiling": "*ceiling: an oracle that reads the scene*",
            },
        ),
        Table(
            title="SCO: concepts and gate",
            claim="sco",
            head="image embedding",
            columns=(
                Column("area under the curve of concepts, percent", "concept_auc"),
                Column("mean gate", "gate", decimals=2),
                Column("its standard deviation over dimensions", "gate_spread", decimals=2),
            ),
            rows={
                "concepts": "`sco_concepts`: predicted concepts",
                "sum": "`sco_sum`: two linear maps of both",
                "gate": "`sco_gate`: both behind a gate",
                "gate, concepts of other images": "`sco_gate`, `targets='shuffled'`",
                "gate and writing": "`sco`: a gate, and writing",
            },
            text="""A gate of 1 takes the concepts, one of 0 the context. Without a gate it is fixed: 1 for the concepts
            alone, and one half for the sum, which does not use it.""",
        ),
    ),
}

PAGE = Page(
    title="Chapter 14: Attention before SCAN",
    claims=("dan", "sm_lstm", "sco"),
    paragraphs=(
        """Drawn scenes, size `mini`. DAN and SCO are measured on the whole test split; sm-LSTM on its first 200 images.
        The claims of all three are ours: we found no ablation of DAN and SCO, and could not read that of sm-LSTM.""",
        """**DAN.** Each step helps, rsum: two steps beat one: {holds: two steps of attention beat one (rsum)}; one step
        beats the means: {holds: one step of attention beats the means (rsum)}. The gain comes from the choice of items:
        with equal weights and as many parameters, two steps reach {value: dan / K = 2, uniform attention / rsum}, the
        means alone {value: dan / K = 0, means / rsum}. Attention against equal weights: {holds: two steps of attention
        beat two steps with equal weights (rsum)}; two steps against the means: {holds: two steps of attention beat the
        means (rsum)}.""",
        """**sm-LSTM.** Three steps beat one, rsum: {holds: three steps beat one (rsum)}. But attending *again* is not
        the reason: three steps with the same maps do as well, {too close to say: three steps that attend again beat
        three with the same maps (rsum)}. The maps of trained models hardly differ from step to step: see
        the last column. Attending again does not reach more of the named objects, {too close to say:
        attending again reaches more of the named objects (points)}, and the penalty makes the maps reach *less* of
        them: {does not hold: the squared penalty makes the maps reach more of the named objects (points)}. It asks a
        total weight of 1 of every region, also of those that nobody names. Context against none varies much with the
        seed: {too close to say: global context helps (rsum)}. In one run without context the maps did move, and this
        run has the highest rsum of all.""",
        """**SCO.** Concepts and context behind a gate beat the context alone, rsum: {holds: concepts and context behind
        a gate beat the context alone (rsum)}; the concepts alone: {holds: concepts and context behind a gate beat the
        concepts alone (rsum)}; and two linear maps: {holds: a gate beats two linear maps (rsum)}. It matters that the
        concepts are learned from the image's own captions: against those of other images, {holds: concepts of one's
        own captions beat those of another image's (rsum)}, and for the area under the curve {holds: own captions teach
        which concepts an image shows (area, points)}. With a concept loss of weight 1 in place of 100, this area was
        below 60, and these two differences in rsum could not be told apart. Writing as well makes no difference that
        three seeds show, rsum: {too close to say: to write helps to match (rsum)}; colours swapped: {too close to say:
        to write helps where the binding of words decides (points)}; sides changed: {too close to say: to write helps
        where the order of two objects decides (points)}.""",
    ),
    tables=tuple(table for tables in TABLES.values() for table in tables),
)
