"""The results page of chapter 12."""

from itm_tutorial.chapters.ch12_correlation.claims.dcca import LARGE, SMALL
from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

R10 = Column("mean R@10", "r10")
R1 = (Column("image to text R@1", "i2t/r1"), Column("text to image R@1", "t2i/r1"))
RETRIEVAL = (Column("image to text R@1", "i2t_r1"), Column("text to image R@1", "t2i_r1"), Column("rsum", "rsum"))

TABLES = {
    "dcca": (
        Table(
            title="DCCA",
            claim="dcca",
            head="model",
            columns=(
                *R1,
                R10,
                Column("rsum", "rsum"),
                Column("correlation, test pairs", "correlation/test"),
                Column("correlation, training pairs", "correlation/train"),
            ),
            rows={
                "dcca": "`dcca`, two networks",
                "linear_cca": "`linear_cca`, in closed form",
                "same networks, ranking loss": "the same networks with a ranking loss",
                "ceiling": "*ceiling: an oracle that reads the scene*",
            },
            text="The correlation is the sum over the canonical directions. The networks with a ranking loss have no "
            "such directions; they are shown and not judged.",
        ),
        Table(
            title="DCCA by batch size",
            claim="dcca",
            head="run",
            columns=tuple(Column(f"R@10, batches of {n}", "r10", where={"batch": n}) for n in (SMALL, 128, 512, LARGE)),
            rows={"dcca, by batch": "`dcca`, three epochs"},
        ),
        Table(
            title="DCCA: pure noise",
            claim="dcca",
            head="control",
            columns=tuple(Column(f"{n} pairs", f"share/{n}") for n in (17, SMALL, 64, 128, 256, 512, LARGE)),
            rows={"pure noise": "two independent views of 32 numbers"},
            text="The total correlation of noise, in percent of the largest possible one.",
        ),
    ),
    "fisher_vector": (
        Table(
            title="Fisher vectors",
            claim="fisher_vector",
            head="sentence",
            columns=(*R1, R10, Column("rsum", "rsum"), *MINIMAL_PAIRS, Column("1 - cosine to reversal", "reversal")),
            rows={
                "Fisher vector, Gaussian": "`fisher_vector`: eight Gaussians",
                "Fisher vector, Laplacian": "`fisher_vector_laplacian`",
                "Fisher vector, hybrid": "`fisher_vector_hybrid`",
                "Fisher vector, one Gaussian": "a single Gaussian",
                "mean vector": "`mean_vector_cca`: the mean of the word vectors",
                "GRU with a ranking loss (vse)": "`vse`: a GRU with a ranking loss",
                "ceiling": "*ceiling: an oracle that reads the scene*",
            },
            text="All but the last have the same word vectors and the same CCA.",
        ),
    ),
    "spe": (
        Table(
            title="SPE",
            claim="spe",
            head="loss",
            columns=(*RETRIEVAL, Column("a caption finds another of its image, R@1", "sibling_r1")),
            rows={
                "neighbours": "`spe`: with the neighbour term, weight 0.05",
                "without (same batches)": "`spe_without`: without it, on the same batches",
                "neighbours, weight 1": "with the neighbour term, weight 1",
            },
        ),
    ),
    "two_branch": (
        Table(
            title="Two-branch networks",
            claim="two_branch",
            head="network",
            columns=RETRIEVAL,
            rows={
                "embedding network": "`two_branch`: the embedding network",
                "embedding network, no neighbours": "the same without the neighbour term",
                "similarity network": "`two_branch_similarity`: two negatives per positive pair",
                "similarity network, 20 negatives": "`two_branch_similarity_20`: twenty",
            },
        ),
    ),
    "two_way_net": (
        Table(
            title="2WayNet",
            claim="two_way_net",
            head="loss",
            columns=(
                Column("mean R@5", "r5"),
                Column("rsum", "rsum"),
                Column("variance of h, images", "image/variance"),
                Column("correlation within h, images", "image/correlation"),
            ),
            rows={
                "full": "`two_way_net`",
                "no batch normalisation": "`two_way_net_plain`: no batch normalisation",
                "no penalty on scales": "`two_way_net_free_scale`: no penalty on small scales",
                "no decorrelation": "`two_way_net_correlated`: no decorrelation",
            },
            text="h is the middle layer; the correlation is the mean size of that between two of its numbers.",
        ),
    ),
    "rrf_net": (
        Table(
            title="RRF-Net",
            claim="rrf_net",
            head="layers",
            columns=RETRIEVAL,
            rows={
                "shared, all states": "`rrf_net`: one layer four times, all states fused",
                "unshared layers": "`rrf_net_unshared`: four layers",
                "last state only": "`rrf_net_last`: the last state alone",
                "single layer": "`rrf_net_single`: the layer once, without the sum",
            },
        ),
    ),
}

PAGE = Page(
    title="Chapter 12: Correlation and structure",
    claims=tuple(TABLES),
    paragraphs=(
        """Drawn scenes, size `mini`, one global feature per image. Arms of a claim have the same sizes unless a row
        says otherwise. No ablation of SPE, two-branch networks, 2WayNet and RRF-Net was readable to us: these claims
        are ours.""",
        f"""**DCCA.** Two networks against linear CCA: {{effect: two networks beat linear CCA (rsum)}} in rsum,
        {{effect: test pairs correlate more than with linear CCA (sum)}} in the sum of the correlations of test pairs.
        A batch of {LARGE} against one of {SMALL}, the dimension plus one: {{effect: a batch of {LARGE} beats one of
        {SMALL}, the dimension plus one (R@10)}} in R@10. Pure noise in such small batches, beyond 99 % of the largest
        total correlation: {{effect: noise reaches 99 % of the largest total correlation in batches of {SMALL}
        (percent)}}.""",
        """**Fisher vectors.** Against the mean of the word vectors: {effect: Fisher vectors beat the mean of word
        vectors (R@10)} in R@10. Eight components against one: {effect: eight components beat one (R@10)}. The hybrid
        mixture against the Gaussian one: {effect: the hybrid mixture beats the Gaussian (R@10)}. On minimal pairs with
        swapped colours, beyond guessing: {effect: above chance where the binding decides (points)}; no Fisher vector
        reads the order of words.""",
        """**SPE.** With the neighbour term at the weight of the public code, a caption finds another one of its image:
        {effect: a caption finds another one of its image better (R@1)}; an image finds its captions: {effect: an image
        finds its captions better (R@1)}. At a weight of 1: {effect: with a weight of 1, a caption finds another one of
        its image better (R@1)} and {effect: with a weight of 1, an image finds its captions better (R@1)}.""",
        """**Two-branch networks.** The embedding network against the similarity network: {effect: the embedding network
        beats the similarity network (rsum)}; with as many negatives per positive pair: {effect: it does so with as many
        negatives per positive (rsum)}.""",
        """**2WayNet.** The variance of the middle layer against that without batch normalisation: {effect: the variance
        of h is larger than without batch normalisation}; in R@5: {effect: retrieval is better than without batch
        normalisation (R@5)}. R@5 against that without decorrelation: {effect: retrieval is better than without
        decorrelation (R@5)}.""",
        """**RRF-Net.** Four applications against one layer of as many weights: {effect: four applications beat a single
        layer of as many weights (rsum)}. Beyond 10 points below unshared weights: {effect: shared weights are within 10
        points of unshared ones (rsum)}. All states against the last one: {effect: fusing all states beats the last one
        (rsum)}.""",
    ),
    tables=tuple(table for tables in TABLES.values() for table in tables),
)
