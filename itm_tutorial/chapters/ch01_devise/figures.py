"""Chapter 01's figures, in one place for the notebook."""

from itm_tutorial.chapters.ch01_devise.explorer import explorer_of_labels
from itm_tutorial.chapters.ch01_devise.label_figures import (
    found_kinds,
    hubs,
    labels_over_epochs,
    labels_said,
    precision_curves,
)
from itm_tutorial.chapters.ch01_devise.word_figures import class_tree, one_word_space, word_space

__all__ = [
    "class_tree",
    "explorer_of_labels",
    "found_kinds",
    "hubs",
    "labels_over_epochs",
    "labels_said",
    "one_word_space",
    "precision_curves",
    "word_space",
]
