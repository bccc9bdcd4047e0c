"""The figures of chapter 11, in one place for the notebook."""

from itm_tutorial.chapters.ch11_fragments.method_figures import found_by, methods
from itm_tutorial.chapters.ch11_fragments.rule_figures import grounded, score_by_length, weights_of
from itm_tutorial.show.attention_matrix import attention_matrix

__all__ = ["attention_matrix", "found_by", "grounded", "methods", "score_by_length", "weights_of"]
