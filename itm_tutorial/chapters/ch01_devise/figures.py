"""The figures of chapter 01, in one place for the notebook."""

from itm_tutorial.chapters.ch01_devise.explorer import explorer_of_labels
from itm_tutorial.chapters.ch01_devise.kind_figures import predicted_kinds, shown_kinds, words_and_pictures
from itm_tutorial.chapters.ch01_devise.label_figures import (
    hubs,
    labels_over_epochs,
    precision_curves,
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
    "shown_kinds",
    "word_space",
    "words_and_pictures",
]
