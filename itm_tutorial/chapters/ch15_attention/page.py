"""The results page of chapter 15."""

from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

RECALLS = (Column("image to text R@1", "i2t_r1"), Column("text to image R@1", "t2i_r1"), Column("rsum", "rsum"))
RETRIEVAL = (*RECALLS, *MINIMAL_PAIRS)
CEILING = {"ceiling": "*ceiling: an oracle that reads the scene*"}
NOUNS = "{}, nouns, percent"

TABLES = {
    "imram": Table(
        title="IMRAM",
        claim="imram",
        head="steps of attention",
        columns=(
            *RETRIEVAL,
            Column("pointing game, nouns, percent", "pointing/model/noun"),
            Column("equal weights", "pointing/uniform/noun"),
        ),
        rows={
            "K = 1": "`imram`, `steps=1`",
            "K = 1, a third of the margin": "the same, with a third of the margin",
            "K = 3, no update": '`imram`, `memory="none"`: three equal steps',
            "K = 2": "`imram_k2`: two steps",
            "K = 3": "`imram`: three steps",
        },
        text="The score is a sum over steps. Three equal steps rank as one step does, and train as with a third of the "
        "margin.",
    ),
    "camp": Table(
        title="CAMP",
        claim="camp",
        head="gates and negatives",
        columns=(
            *RECALLS,
            Column("mean gate, matched", "gate/matched", decimals=2),
            Column("mean gate, unmatched", "gate/unmatched", decimals=2),
            Column("area under the curve, percent", "gate/area_under_curve"),
        ),
        rows={
            "vector gate": "`camp`: a gate per number, as in the paper",
            "scalar gate": "`camp_scalar`: a gate per item, as in the code",
            "no gates": '`camp`, `gate="none"`',
            "vector gate, easiest negatives": "`camp_easiest`: the loss as printed",
        },
        text="Scores of the first 200 test images with all of their captions, since each pair costs a network.",
    ),
    "vsrn": Table(
        title="VSRN",
        claim="vsrn",
        head="regions become one vector by",
        columns=RETRIEVAL,
        rows={
            "mean of regions": "`vsrn_mean`: their mean",
            "reasoning": "`vsrn_reasoning`: reasoning, then the mean",
            "GRU": "`vsrn_gru`: a GRU",
            "reasoning and GRU": "`vsrn`: reasoning, then a GRU",
            "both, no writing": "`vsrn_match`: the same without the writing term",
            "both, regions shuffled": '`vsrn`, `order="shuffled"`',
            "both, no messages": '`vsrn`, `affinity="own"`: each region hears itself alone',
            **CEILING,
        },
    ),
    "rve": Table(
        title="RVE",
        claim="rve",
        head="order of the regions",
        columns=(
            *RECALLS,
            Column("text to image R@1 on a shortlist of 50", "shortlist/t2i_r1"),
            Column("recall that it allows, percent", "shortlist/ceiling"),
            Column("a random shortlist", "shortlist/chance"),
        ),
        rows={
            "order of the words": "`rve`: of the words that name them",
            "random order": '`rve`, `order="random"`',
            "order of the detector": '`rve`, `order="given"`',
            "no recurrent network": "`rve_no_rnn`: no recurrent network",
        },
        text="Scores of the first 200 test images with all of their captions, since each pair costs a network.",
    ),
    "adapt": Table(
        title="ADAPT",
        claim="adapt",
        head="model",
        columns=(*RETRIEVAL, Column("thousand pairs per second", "thousand_pairs_per_second")),
        rows={
            "adapt": "`adapt`: captions adapt regions",
            "no fovea": "`adapt_no_fovea`: regions count alike",
            "fovea alone": "`adapt`, `adapts=False`: no scale and shift",
            "mean of regions": "neither of both",
            "adapt, words": "`adapt_i2t`: images adapt words",
            "adapt, words, no fovea": "`adapt_i2t`, `fovea=False`",
            "scan": "`scan`",
        },
    ),
    "gsmn": Table(
        title="GSMN",
        claim="gsmn",
        head="structure",
        columns=(
            *RETRIEVAL,
            Column("rsum with own trees at test", "trees/own"),
            Column("random trees at test", "trees/random"),
        ),
        rows={
            "no structure": "`gsmn_nodes`: nodes alone",
            "MLP per node": "`gsmn_code`: a network per node, as in the public code",
            "dependency trees": "`gsmn`: messages along dependency trees",
            "all edges": "`gsmn_dense`: messages along all edges",
            "random trees": '`gsmn`, `graph="random"`: random trees with the same degrees',
            **CEILING,
        },
    ),
    "caan": Table(
        title="CAAN",
        claim="caan",
        head="weights come from",
        columns=RETRIEVAL,
        rows={
            "means": "`caan_mean`: nothing, all count alike",
            "between the sides": "`caan_inter`: responses to the other side",
            "first order": "`caan_first`: products within a side",
            "second order": "`caan_second`: who responds as they do",
            "between and first order": "`caan_inter_first`",
            "between and second order": "`caan`: both",
            **CEILING,
        },
    ),
    "mmca": Table(
        title="MMCA",
        claim="mmca",
        head="weight of the second score",
        columns=(
            *RECALLS,
            Column("rsum of the first score", "cheap/rsum"),
            Column("allowed, image to text", "allowed/i2t"),
            Column("allowed, text to image", "allowed/t2i"),
            *(Column(f"rsum with alpha {alpha} at test", f"alpha/{alpha}") for alpha in ("0.1", "0.4", "0.8")),
        ),
        rows={
            "alpha 0": "`mmca_within`: the first score alone",
            "alpha 0.2": "`mmca`",
            "alpha 0.8": "`mmca`, `alpha=0.8`",
            "alpha 0.2, other side hidden": '`mmca`, `cross="own"`: a second unit that sees one side',
            **CEILING,
        },
        text="Scores are computed on shortlists of ten items per query; `allowed` is the highest recall at ten, in "
        "percent, that they leave.",
    ),
    "hoad": Table(
        title="HOAD",
        claim="hoad",
        head="score",
        columns=(
            Column("text to image R@1, no penalty", "none/r1"),
            Column("with the penalty", "penalty/r1"),
            Column("prominence of another image", "shuffled/r1"),
            Column("R@10, no penalty", "none/r10"),
            Column("R@10, with the penalty", "penalty/r10"),
            Column("weight of the penalty", "weight", decimals=2),
        ),
        rows={"phrases and whole": "`hoad`: phrases and the whole image", "phrases alone": "`hoad_local`: phrases"},
        text="After the abstract; the formulas are ours. The weight is chosen on the validation split.",
    ),
    "got": Table(
        title="GOT",
        claim="got",
        head="second term of the loss",
        columns=(
            *RECALLS,
            Column("entropy of the plan, nats", "entropy/plan", decimals=2),
            Column("entropy of attention", "entropy/attention", decimals=2),
            Column(NOUNS.format("pointing by the plan"), "pointing/plan/noun"),
            Column(NOUNS.format("pointing by attention"), "pointing/attention/noun"),
        ),
        rows={
            "SCAN": "none: SCAN",
            "+ nodes": "`got_nodes`: transport of nodes",
            "+ edges": "`got_edges`: transport of edges",
            "+ nodes and edges": "`got`: both, with one plan",
            "+ both, uniform plan": "`got`, `uniform=True`: a plan of equal masses",
        },
    ),
    "cvse": Table(
        title="CVSE",
        claim="cvse",
        head="graph of concepts",
        columns=(
            *RECALLS,
            Column("weight on what is shown but not said, percent", "unsaid"),
            Column("edges", "edges"),
        ),
        rows={
            "graph of captions": "`cvse`: co-occurrence in training captions",
            "permuted graph": '`cvse`, `graph="permuted"`',
            "no edges": '`cvse`, `graph="unlinked"`',
            "instance only": "`cvse_instance`: no concepts",
        },
    ),
}

PAGE = Page(
    title="Chapter 15: Attention after SCAN",
    claims=tuple(TABLES),
    paragraphs=(
        """Drawn scenes, size `mini`. Arms of a claim have the same number of steps. Models with a network per pair are
        small here, so that a core trains an arm in minutes; compare arms of one table, not tables.""",
        """**IMRAM.** Three steps beat one, rsum: {holds: three steps beat one (rsum)}; two beat one: {holds: two steps
        beat one (rsum)}. But a third of the margin, with one step, gains as much: {holds: a third of the margin alone
        beats the whole margin (rsum)}. So the memory shows no effect of its own: against three steps without an update,
        {too close to say: three steps beat three without an update (rsum)}; against one step with a third of the
        margin, {too close to say: three steps beat one with a third of the margin (rsum)}. Where a relation decides,
        three steps are behind one, in points: {does not hold: three steps beat one where the relation decides
        (points)}. The last step points well, against equal weights: {holds: the last step points at nouns better than
        equal weights do (points)}.""",
        """**CAMP.** The gates of the authors' code beat those of the paper, rsum: {holds: scalar gates, as in the
        code, beat vector gates, as in the paper (rsum)}. Against no gates, one gate per item helps, {holds: scalar
        gates beat no gates (rsum)}; one per number, as in the paper, does not: {does not hold: vector gates beat no
        gates (rsum)}. The hardest negatives beat the easiest ones of the printed loss: {holds: the hardest negatives
        beat the easiest ones of the printed loss (rsum)}. Gates of both kinds are more open in matched pairs. With the
        hardest negatives from the start, the network stayed where all pairs have a probability of one half; all arms
        begin with cosines and with all negatives.""",
        """**VSRN.** Reasoning beats the mean of regions, rsum: {holds: reasoning beats the mean of regions (rsum)},
        and so does a GRU: {holds: the GRU beats the mean of regions (rsum)}. Together they gain nothing that three
        seeds show: reasoning added to the GRU, {too close to say: reasoning adds to the GRU (rsum)}; the GRU added to
        reasoning, {too close to say: the GRU adds to reasoning (rsum)}. The same is true of the order of confidence
        against a shuffled one, {too close to say: the order of confidence beats a shuffled one (rsum)}, of messages
        against none, {too close to say: messages between regions beat layers without messages (rsum)}, and of writing,
        {too close to say: writing captions helps (rsum)}.""",
        """**RVE.** The order of the words is no better than a random one, rsum: {too close to say: order of the words
        beats: random order (rsum)}. All three orders are behind the same model without a recurrent network: {does not
        hold: order of the words beats: no recurrent network (rsum)}. In the paper, too, a random order is as good as no
        recurrent network, but that of the words is better. The 50 images (of 500) that the
        cheap sum chooses hold the right one for {value: rve / order of the words / shortlist/ceiling} percent of the
        captions.""",
        """**ADAPT.** The fovea is what counts, rsum: {holds: captions that adapt regions need the fovea (rsum)};
        scale and shift add to it: {holds: the caption's scale and shift help beside the fovea (rsum)}. SCAN remains
        ahead: {does not hold: adapt beats scan (rsum)}. Nor is ADAPT faster here: with these sizes, the form of SCAN
        without attended vectors scores more pairs per second.""",
        """**GSMN.** Messages beat matching nodes alone, rsum: {holds: messages beat matching nodes alone (rsum)}; and
        where colours are swapped, in points: {holds: where colours are swapped, dependency trees beat nodes alone
        (points)}. But three seeds do not show that the *trees* are the reason. Against a network per node, the level of
        the public code: {too close to say: messages beat an MLP per node, the public code's level (rsum)}; against
        random trees: {too close to say: dependency trees beat random trees with the same degrees (rsum)}. A trained
        model does read its trees: random ones at test lower rsum, {holds: a trained model reads its trees: random ones
        lower rsum}. All edges are behind trees: {does not hold: all edges beat dependency trees (rsum)}.""",
        """**CAAN.** What counts are the responses between the sides, rsum: against the means, {holds: responses
        between the sides beat the means (rsum)}; added to second order, {holds: the responses add to second order
        (rsum)}. Second order, which the paper proposes, is behind first order here: {does not hold: second order beats
        first order (rsum)}. It takes away from the responses: {does not hold: second order adds to the responses
        between the sides (rsum)}. Beside them, the two orders cannot be told apart: {too close to say: beside these
        responses, second order beats first order (rsum)}. Where colours are swapped, CAAN beats the means, in points:
        {holds: where colours are swapped, CAAN beats the means (points)}.""",
        """**MMCA.** The second score helps, rsum: against a model without it, {holds: the second score helps (rsum)};
        within one model, {holds: within one model, reranking by both scores beats the cheap one (rsum)}. But three
        seeds do not show that seeing the other side is the reason: against a second unit that sees one side, {too close
        to say: seeing the other side beats a second unit that does not (rsum)}. Nor do they tell the weight of the
        paper from one four times as large: {too close to say: alpha 0.2 beats alpha 0.8 (rsum)}. After one epoch all
        scores are low.""",
        """**HOAD.** The penalty finds more images, text to image R@1: {holds: phrases and whole: the penalty finds
        more images (t2i R@1)}. It needs the prominence of its own image: {holds: the penalty needs the prominence of
        its own image (t2i R@1)}. With phrases alone it changes little: {too close to say: phrases alone: the penalty
        finds more images (t2i R@1)}.""",
        """**GOT.** This comparison says little: SCAN itself trained unevenly with these settings (see its deviation),
        and neither distance can be told from none: both, rsum, {too close to say: + nodes and edges beats SCAN (rsum)};
        nodes, {too close to say: + nodes beats SCAN (rsum)}; edges, {too close to say: + edges beats SCAN (rsum)}. The
        plan points *worse* than attention, nouns in points: {does not hold: the plan points at nouns better than
        attention (points)}. The loss is not the reason: without transport in it, {does not hold: without transport in
        the loss, too, the plan points better than attention (nouns, points)}. A plan must use each region.""",
        """**CVSE.** The consensus does not help here, rsum: against the instance alone, {does not hold: consensus
        beats the instance alone (rsum)}; against a permuted graph, {too close to say: the graph of captions beats:
        permuted graph (rsum)}; against no edges, {does not hold: the graph of captions beats: no edges (rsum)}. The
        graph does move weight to what is shown and not said, in percent: {holds: more weight on what is shown but not
        said than with: permuted graph (percent)}.""",
    ),
    tables=tuple(TABLES.values()),
)
