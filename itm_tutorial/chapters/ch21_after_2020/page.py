"""The results page of chapter 21."""

from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

RECALLS = (Column("image to text R@1", "i2t_r1"), Column("text to image R@1", "t2i_r1"), Column("rsum", "rsum"))
SPACE = (
    Column("modality gap", "gap", decimals=2),
    Column("mean cosine of true pairs", "alignment", decimals=2),
    Column("of all other pairs", "others", decimals=2),
    Column("scale after training", "scale"),
)
SIZES = (16, 64, 256, 1024)
BATCHES = tuple(Column(f"batch {size:,}", "rsum", where={"batch_size": size}) for size in SIZES)
LOSSES = {
    "sum of hinges": "sum of hinges",
    "max of hinges": "largest hinge",
    "softmax": "softmax, both directions (CLIP)",
    "sigmoid": "sigmoid per pair (SigLIP)",
}

TABLES = {
    "contrastive_losses": Table(
        title="Losses against the size of the batch, three epochs",
        claim="contrastive_losses",
        head="loss (rsum)",
        columns=(*BATCHES, Column("ceiling", "rsum", run="ceiling")),
        rows=LOSSES,
        text="One linear map of the image, a bag of words, and the same first weights for every loss.",
        after="Every arm sees each caption three times, so a batch of 1,024 takes 44 steps, too few for any of these "
        "losses.",
    ),
    "contrastive_losses_long": Table(
        title="The same, twelve epochs",
        claim="contrastive_losses_long",
        head="loss (rsum)",
        columns=(*BATCHES, Column("ceiling", "rsum", run="ceiling")),
        rows=LOSSES,
        text="Four times as many steps.",
        after="With more steps, three of four losses are better with 256 than with 16; the sum of hinges is not. The "
        "largest hinge is best at every size of this small world, with frozen features and distinct scenes.",
    ),
    "temperature": Table(
        title="CLIP's temperature",
        claim="temperature",
        head="scale, 1 / temperature",
        columns=(*RECALLS, *SPACE),
        rows={
            "learned, from 14.3": "learned, from 1 / 0.07",
            "learned, from 1.07 (the slip)": "learned, from exp(0.07): the slip",
            "scale 1": "1, kept",
            "scale 14.3": "14.3, kept",
            "scale 100": "100, kept",
        },
    ),
    "siglip": Table(
        title="SigLIP's bias",
        claim="siglip",
        head="bias in the beginning",
        columns=(*RECALLS, *SPACE),
        rows={
            "the batch's log odds": "the log odds of the batch",
            "bias -10": "-10, as published",
            "bias 0": "0",
        },
        text="Batches of 64, two epochs.",
    ),
    "zero_shot": Table(
        title="Zero-shot classification",
        claim="zero_shot",
        head="prompts",
        columns=(
            Column("hit@1, percent", "hit/1"),
            Column("hit@5, percent", "hit/5"),
            Column("rsum of scenes", "rsum"),
        ),
        rows={
            "guessing": "*guessing*",
            "clip on scenes": "the model itself, on scenes",
            "bare label": "the label alone",
            "one template": "one template",
            "seven templates, each normalised": "seven templates, each scaled to unit length, averaged",
            "seven templates, averaged as they are": "seven templates, averaged as they are",
        },
        text="`clip` reads raw pixels of scenes, and names the things of the world of objects, of 69 kinds.",
    ),
    "word_order": Table(
        title="What a contrastively trained model knows about order",
        claim="word_order",
        head="model",
        columns=(
            *RECALLS,
            *MINIMAL_PAIRS,
            Column("prefers the true caption to: colours swapped", "prefers/colours swapped"),
            Column("sides exchanged", "prefers/sides exchanged"),
            Column("words shuffled", "prefers/words shuffled"),
            Column("rsum with shuffled words", "shuffled_rsum"),
        ),
        rows={
            "clip, transformer": "`clip_features`",
            "clip, bag of words": '`clip_features`, `sentence="bow"`',
            "dvsa, BRNN": "`dvsa_brnn`",
        },
    ),
    "gpo": Table(
        title="Generalised pooling",
        claim="gpo",
        head="pooling of regions and of words",
        columns=(
            *RECALLS,
            Column("rsum with half of the regions", "half_rsum"),
            Column("weight of the largest value", "first_weight", decimals=2),
            Column("even weight", "even_weight", decimals=2),
        ),
        rows={
            "mean": "`gpo_mean`: mean",
            "maximum": "`gpo_max`: maximum",
            "attention": "learned attention",
            "gpo, all sizes equal": "`gpo`, nothing left out in training",
            "gpo": "`gpo`: learned weights, sizes vary",
        },
    ),
    "pcme": Table(
        title="PCME",
        claim="pcme",
        head="embeddings",
        columns=(
            *RECALLS,
            Column("rsum by expected distances", "expected_rsum"),
            Column("variance against true matches, captions", "uncertainty/captions", decimals=2),
            Column("images", "uncertainty/images", decimals=2),
            Column("variance against length", "uncertainty/words", decimals=2),
        ),
        rows={
            "means alone": "`pcme_mean`: means alone",
            "pcme": "`pcme`: distributions",
            "pcme, divergence x 100": "`pcme`, `kl_weight=1e-3`",
        },
        text="The last three columns are rank correlations on the test split.",
    ),
    "sgraf": Table(
        title="SGRAF",
        claim="sgraf",
        head="score",
        columns=RECALLS,
        rows={
            "scan": "`scan`: mean of cosines",
            "graph (SGR)": "`sgraf`: a graph over similarity vectors",
            "filter (SAF)": "`sgraf_filter`: a filter over similarity vectors",
            "graph + filter": "scores of both, added up",
        },
        text="Scores of the first 200 test images with all of their captions, since each pair costs a network.",
    ),
    "albef": Table(
        title="ALBEF's matching head",
        claim="albef",
        head="negatives of the head",
        columns=(
            Column("text to image R@1, cosine", "itc/t2i_r1"),
            Column("head on a shortlist of 8", "itm/t2i_r1"),
            Column("both added up", "sum/t2i_r1"),
            Column("recall that the shortlist allows", "ceiling"),
            Column("cosine, R@1 by truth", "itc/t2i_r1_by_truth"),
            Column("errors of the cosine", "errors"),
            Column("of these true", "errors_that_are_true"),
            Column("minimal pairs, cosine", "pairs/itc/all"),
            Column("head", "pairs/itm/all"),
        ),
        rows={"hard negatives": "hard ones", "random negatives": "random ones"},
        text="R@1 by truth counts every image of which the caption is true. Minimal pairs of all kinds together.",
    ),
}

PAGE = Page(
    title="Chapter 21: After 2020",
    claims=tuple(TABLES),
    paragraphs=(
        """Drawn scenes, size `mini`: 3,000 pictures with 15,000 captions to train on. What the papers found with
        hundreds of millions of pairs cannot be repeated with so few; the claims ask what can be asked here.""",
        """**Temperature.** A learned temperature beats a scale of 1, rsum: {holds: a learned temperature beats scale 1,
        kept (rsum)}, and one of 100: {holds: a learned temperature beats scale 100, kept (rsum)}. But the published
        start, kept as it is, does better than learning it: {does not hold: a learned temperature beats scale 14.3, kept
        (rsum)}. The slip that starts at the temperature itself in place of the logarithm of its inverse costs {holds: a
        learned temperature beats the slip (rsum)}. A high scale leaves a larger gap between images and captions:
        {holds: a high scale leaves a larger gap between images and captions}.""",
        """**SigLIP.** A bias that begins at the log odds of the batch beats one of 0, rsum: {holds: a bias from the
        batch beats a bias of 0 (rsum)}. We expected it to beat the published -10, too, which is the prior of a batch of
        22,000. It does not: {does not hold: a bias from the batch beats the published -10 (rsum)}. A start at which
        only positive pairs have a gradient pulls them together first, and leaves a much smaller modality gap.""",
        """**Order.** A bag of words retrieves better than a transformer that was trained as long: against nine tenths
        of its rsum, {holds: a bag of words reaches nine tenths of the transformer's rsum}. With shuffled words nearly
        nothing is lost: against three quarters of its rsum, {holds: with shuffled words, three quarters of the
        transformer's rsum are left}. The transformer is little above chance where the binding decides, in points:
        {holds: clip is above chance where the binding decides (points)}. A score of words and regions (`dvsa_brnn`)
        tells swapped colours apart almost always; against the transformer, in points, {holds: a score of words and
        regions does better on swapped colours (points)}. So a contrastive loss can teach the binding; this model of one
        vector per side did not learn it in two epochs.""",
        """**Zero-shot.** Trained from scratch for five epochs, the model names single things beyond three times
        guessing, hit@1 in points over that: {holds: one template: hit@1 beyond three times guessing (points)}; that is
        still little. Three seeds cannot tell whether a template helps, {too close to say: a template beats the bare
        label in hit@1 (points)}, or seven, {too close to say: seven templates beat one in hit@1 (points)}. Scaling each
        template before the mean helps a little: {holds: normalising each template beats averaging them as they are in
        hit@1 (points)}.""",
        """**Generalised pooling.** The maximum beats the mean by far, rsum: {holds: the maximum beats the mean (rsum)};
        learned weights beat the mean as far, {holds: learned pooling beats the mean (rsum)}, but not the maximum: {too
        close to say: learned pooling beats the maximum (rsum)}. Leaving out regions and words in training hurts here:
        {does not hold: leaving out regions and words helps learned pooling (rsum)}. In one seed of three, the learned
        weights prefer the least value, which is as good: the linear map before may turn the sign.""",
        """**PCME.** The variance of a caption does not grow with the number of images that it is true of, as a rank
        correlation: {does not hold: a caption's spread grows with the images that it is true of}; it falls with its
        length, {holds: a caption's spread falls with its length}. Whether distributions retrieve better than their
        means alone is open, rsum: {too close to say: distributions beat their means alone (rsum)}.""",
        """**ALBEF.** A head that reads an image and a caption together helps. On a shortlist of eight it beats the
        cosine of its own model, R@1 of captions in points: {holds: the head on a shortlist of 8 beats the cosine (R@1
        of captions, points)}; and it tells minimal pairs apart, in points: {holds: the head tells minimal pairs apart
        better than the cosine (accuracy, points)}. Hard negatives beat random ones: {holds: hard negatives beat random
        ones (R@1 of captions by the head, points)}. A first run, with one fusion layer, twice the learning rate and
        hard negatives from the start, measured a head at chance. The settings were then chosen on the validation split
        of another seed, and all arms run again.""",
        """**SGRAF.** Similarity vectors beat SCAN's mean of cosines, rsum, with a graph, {holds: a graph over
        similarity vectors beats SCAN's mean of cosines (rsum)}, and with a filter, {holds: a filter over similarity
        vectors beats SCAN's mean of cosines (rsum)}. The graph is ahead of the filter, as in the paper: {holds: the
        graph beats the filter (rsum)}; both together are ahead of the graph: {holds: both together beat the graph alone
        (rsum)}.""",
    ),
    tables=tuple(TABLES.values()),
)
