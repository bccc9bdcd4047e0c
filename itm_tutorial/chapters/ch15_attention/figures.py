"""The figures and the widget of chapter 15, in one place for the notebook."""

from itm_tutorial.chapters.ch11_fragments.figures import found_by
from itm_tutorial.chapters.ch15_attention.attention_figures import (
    attention_beside_truth,
    channel_curves,
    plans,
    plans_after,
    steps_of,
)
from itm_tutorial.chapters.ch15_attention.cost_figures import Point, pareto, rsum_by_alpha, zoo
from itm_tutorial.chapters.ch15_attention.explorer import method_explorer
from itm_tutorial.chapters.ch15_attention.graph_figures import tree_and_twin
from itm_tutorial.chapters.ch15_attention.pair_costs import Sizes, pair_costs

__all__ = [
    "Point",
    "Sizes",
    "attention_beside_truth",
    "channel_curves",
    "found_by",
    "method_explorer",
    "pair_costs",
    "pareto",
    "plans",
    "plans_after",
    "rsum_by_alpha",
    "steps_of",
    "tree_and_twin",
    "zoo",
]
