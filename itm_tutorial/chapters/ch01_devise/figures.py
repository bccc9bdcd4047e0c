"""The figures of chapter 01, in one place for the notebook."""

from itm_tutorial.chapters.ch01_devise.explorer import explorer_of_labels
from itm_tutorial.chapters.ch01_devise.label_figures import (
    hubs,
    labels_over_epochs,
    precision_curves,
    predicted_kinds,
    predicted_labels,
)
from itm_tutorial.chapters.ch01_devise.word_figures import class_tree, one_word_space, word_space

__all__ = [
    "class_tree",
    "explorer_of_labels",
    "hubs",
    "labels_over_epochs",
    "one_word_space",
    "precision_curves",
    "predicted_kinds",
    "predicted_labels",
    "word_space",
]
