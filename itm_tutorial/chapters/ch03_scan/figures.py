"""The figures of chapter 03, in one place for the notebook."""

from itm_tutorial.chapters.ch03_scan.diagram_figures import queries_keys_values
from itm_tutorial.chapters.ch03_scan.explorer import attention_explorer
from itm_tutorial.chapters.ch03_scan.pair_figures import minimal_pairs
from itm_tutorial.chapters.ch03_scan.region_figures import regions_found
from itm_tutorial.chapters.ch03_scan.smoothing_figures import search_cost, smoothing
from itm_tutorial.show.attention_matrix import attention_matrix
from itm_tutorial.show.pointing_game import pointing_game

__all__ = [
    "attention_explorer",
    "attention_matrix",
    "minimal_pairs",
    "pointing_game",
    "queries_keys_values",
    "regions_found",
    "search_cost",
    "smoothing",
]
