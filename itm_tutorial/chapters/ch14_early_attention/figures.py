"""The figures of chapter 14, in one place for the notebook."""

from itm_tutorial.chapters.ch14_early_attention.cost_figures import concepts_and_gate, cost_lines, crossing_of
from itm_tutorial.chapters.ch14_early_attention.map_figures import map_pairs, step_maps
from itm_tutorial.chapters.ch14_early_attention.method_figures import methods

__all__ = ["concepts_and_gate", "cost_lines", "crossing_of", "map_pairs", "methods", "step_maps"]
