"""SGRAF: a vector of similarity per word, reasoned over by a graph or filtered, against SCAN's one number per word.

The paper's rows have the graph above the filter and the mean of both above each; its comparison with SCAN is across
papers, so that with equal encoders, loss and training is ours.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch10_sentences.measures.m_cnn import small_gallery, sum_of_scores
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above

FIT = {"epochs": 2, "batch_size": 32, "learning_rate": 3e-3}
SIZE = {"embed_size": 64, "word_dim": 64}
GRAPH, FILTER, SCAN, BOTH = "graph (SGR)", "filter (SAF)", "scan", "graph + filter"

CLAIMS = (
    Claim(
        name="sgraf",
        corpus="scenes",
        arms=(
            Arm(GRAPH, "sgraf", {**SIZE, "similarity_dim": 32}, FIT),
            Arm(FILTER, "sgraf_filter", {**SIZE, "similarity_dim": 32}, FIT),
            Arm(SCAN, "scan", SIZE, FIT),
            Control(BOTH, partial(sum_of_scores, (GRAPH, FILTER))),
        ),
        measures=(small_gallery,),
        effects=(
            Above("a graph over similarity vectors beats SCAN's mean of cosines (rsum)", GRAPH, SCAN),
            Above("a filter over similarity vectors beats SCAN's mean of cosines (rsum)", FILTER, SCAN),
            Above("the graph beats the filter (rsum)", GRAPH, FILTER),
            Above("both together beat the graph alone (rsum)", BOTH, GRAPH),
            Above("both together beat the filter alone (rsum)", BOTH, FILTER),
        ),
    ),
)
