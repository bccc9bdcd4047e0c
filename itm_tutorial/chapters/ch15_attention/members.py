"""The rows of the table of chapter 15: what each method changes, what its paper claimed, which effects are shown."""

from itm_tutorial.chapters.family import Member

MEMBERS = (
    Member(
        model="vsrn",
        part="image encoder",
        change="Regions hear each other (R / N, no softmax), a GRU reads them in descending confidence, and the "
        "caption must be written from them. One embedding per side.",
        claimed="COCO, 1,000 images, R@1 image to text and text to image: mean of regions 64.3 / 49.2, GRU alone "
        "72.3 / 59.6, four layers and GRU 76.2 / 62.8, without writing 74.6 / 61.2; random order 75.1 / "
        "62.3. Two models averaged.",
        claim="vsrn",
        effects=(
            "reasoning adds to the GRU (rsum)",
            "the GRU adds to reasoning (rsum)",
            "messages between regions beat layers without messages (rsum)",
            "the order of confidence beats a shuffled one (rsum)",
            "writing captions helps (rsum)",
        ),
    ),
    Member(
        model="cvse",
        part="image encoder",
        change="Images and captions also attend to concepts, whose vectors share a graph of co-occurrence in "
        "training captions. One embedding per side.",
        claimed="The README of the code, corrected to be fair: 74.8 / 59.9 on COCO, 1,000 images, and 73.5 / 52.9 "
        "on Flickr30K. Its earlier code completed test labels from neighbouring test captions.",
        claim="cvse",
        effects=(
            "the graph of captions beats: permuted graph (rsum)",
            "the graph of captions beats: no edges (rsum)",
            "consensus beats the instance alone (rsum)",
        ),
    ),
    Member(
        model="hoad",
        part="interaction",
        change="Phrases attend to regions, and images with prominent regions that no phrase asks for are ranked "
        "down. After the abstract: the formulas are ours.",
        claimed="Only the abstract was readable to us; it has no ablation.",
        claim="hoad",
        effects=(
            "phrases and whole: the penalty finds more images (t2i R@1)",
            "the penalty needs the prominence of its own image (t2i R@1)",
        ),
    ),
    Member(
        model="got",
        part="loss",
        change="SCAN, and a second term of the loss: the cost of the best transport of words onto regions, with "
        "pairs of words onto pairs of regions.",
        claimed="Flickr30K, sum of recalls: a variant of SCAN 452.2, with nodes 472.3, with edges 468.6, with both "
        "474.8.",
        claim="got",
        effects=(
            "+ nodes and edges beats SCAN (rsum)",
            "the best plan beats a uniform plan (rsum)",
            "attention is spread wider than the plan (entropy, nats)",
            "the plan points at nouns better than attention (points)",
        ),
    ),
    Member(
        model="gsmn",
        part="interaction",
        change="Attention gives block-wise cosines per word and region. One step of messages passes along the "
        "dependency tree and the layout; a network judges each node.",
        claimed="Flickr30K: without a graph 63.2 / 48.7, sparse graph 71.4 / 53.9, dense graph 72.6 / 53.7. The "
        "public code passes no message between nodes.",
        claim="gsmn",
        effects=(
            "messages beat an MLP per node, the public code's level (rsum)",
            "messages beat matching nodes alone (rsum)",
            "dependency trees beat random trees with the same degrees (rsum)",
            "where colours are swapped, dependency trees beat random trees (points)",
        ),
    ),
    Member(
        model="caan",
        part="interaction",
        change="Weights of regions and words come from their responses to the other side, and from who responds as "
        "they do. The score is a dot product of two weighted sums.",
        claimed="Flickr30K: means 58.1 / 42.0, first order 62.3 / 46.6, second order 64.5 / 48.8, between the sides "
        "and second order 70.1 / 52.8.",
        claim="caan",
        effects=(
            "second order adds to the responses between the sides (rsum)",
            "second order beats first order (rsum)",
            "beside these responses, second order beats first order (rsum)",
        ),
    ),
    Member(
        model="adapt",
        part="interaction",
        change="The caption scales and shifts every channel of every region, and each channel weighs the regions "
        "by itself. One exponential per pair, region and channel.",
        claimed="Flickr30K validation, sum of recalls: 478.2 without the fovea, 494.2 with it; image to text 427.4 "
        "and 482.0. Up to ten times less time than SCAN.",
        claim="adapt",
        effects=(
            "captions that adapt regions need the fovea (rsum)",
            "adapt beats scan (rsum)",
            "adapt scores more than three times as many pairs per second as scan (thousands)",
        ),
    ),
    Member(
        model="imram",
        part="interaction",
        change="SCAN's attention in three steps; after each, a gated memory takes what was attended to into the "
        "query. The scores of all steps, with the original words, are added up.",
        claimed="COCO, 5,000 images, words as queries: one step 46.2 / 34.4, two 50.4 / 37.4, three 51.4 / 39.2.",
        claim="imram",
        effects=(
            "three steps beat one (rsum)",
            "three steps beat three without an update (rsum)",
            "three steps beat one with a third of the margin (rsum)",
        ),
    ),
    Member(
        model="camp",
        part="interaction",
        change="Regions and words send each other messages, gates decide how much is taken in, and a network "
        "judges the pair. Binary cross-entropy with the hardest negatives.",
        claimed="Flickr30K: 68.1 / 51.5; no gates 61.7 / 45.1, which is below no fusion at all, 65.6 / 48.2; a "
        "hinge in place of the cross-entropy 60.9 / 44.3.",
        claim="camp",
        effects=(
            "vector gates beat no gates (rsum)",
            "scalar gates, as in the code, beat vector gates, as in the paper (rsum)",
            "the hardest negatives beat the easiest ones of the printed loss (rsum)",
        ),
    ),
    Member(
        model="mmca",
        part="interaction",
        change="A transformer unit reads regions and words together; its score is added to that of one embedding "
        "per side, with the weight alpha.",
        claimed="Flickr30K by alpha: 0.1 71.7 / 53.8, 0.2 74.2 / 54.8, 0.4 71.8 / 50.9, 0.8 67.1 / 48.5. alpha = 0 "
        "is said to be worse, without a number.",
        claim="mmca",
        effects=(
            "the second score helps (rsum)",
            "seeing the other side beats a second unit that does not (rsum)",
            "alpha 0.2 beats alpha 0.8 (rsum)",
            "within one model, reranking by both scores beats the cheap one (rsum)",
        ),
    ),
    Member(
        model="rve",
        part="interaction",
        change="The regions, sorted by the words that name them, go through a GRU for every pair; then SCAN's "
        "attention. A cheap sum makes the shortlist.",
        claimed="COCO, 1,000 images: SCAN 72.7 / 58.8, with the GRU 73.8 / 60.5, with regions in random order 72.4 "
        "/ 59.0. Two models averaged.",
        claim="rve",
        effects=(
            "order of the words beats: random order (rsum)",
            "order of the words beats: no recurrent network (rsum)",
        ),
    ),
)
