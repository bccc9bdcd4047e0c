"""The figures of chapter 10, in one place for the notebook."""

from itm_tutorial.chapters.ch10_sentences.explorer import sentence_explorer
from itm_tutorial.chapters.ch10_sentences.method_figures import methods
from itm_tutorial.chapters.ch10_sentences.probe_figures import probes
from itm_tutorial.chapters.ch10_sentences.reading_figures import readings
from itm_tutorial.chapters.ch10_sentences.swap_figures import agreement, misspelt, moved_by

__all__ = ["agreement", "methods", "misspelt", "moved_by", "probes", "readings", "sentence_explorer"]
