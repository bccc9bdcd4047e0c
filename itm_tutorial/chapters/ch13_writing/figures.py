"""The figures and the widget of chapter 13, in one place for the notebook."""

from itm_tutorial.chapters.ch13_writing.caption_figures import log_p_by_word, written
from itm_tutorial.chapters.ch13_writing.explorer import caption_explorer
from itm_tutorial.chapters.ch13_writing.method_figures import methods
from itm_tutorial.chapters.ch13_writing.truth_figures import hubs, truth_by_sort

__all__ = ["caption_explorer", "hubs", "log_p_by_word", "methods", "truth_by_sort", "written"]
