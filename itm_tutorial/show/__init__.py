"""Figures and widgets. Every figure carries alt text and is shown with it."""

from itm_tutorial.show.canvas import alt_text, to_html
from itm_tutorial.show.figures import pictures, ranked, score_matrix, sibling_accuracy, training_curve
from itm_tutorial.show.idea import two_encoders
from itm_tutorial.show.labels import found_kinds, hubs, labels_over_epochs, labels_said, precision_curves
from itm_tutorial.show.timeline import history
from itm_tutorial.show.widgets import explorer, explorer_of_labels
from itm_tutorial.show.words import class_tree, one_word_space, word_space

__all__ = [
    "alt_text",
    "class_tree",
    "explorer",
    "explorer_of_labels",
    "found_kinds",
    "history",
    "hubs",
    "labels_over_epochs",
    "labels_said",
    "one_word_space",
    "pictures",
    "precision_curves",
    "ranked",
    "score_matrix",
    "sibling_accuracy",
    "to_html",
    "training_curve",
    "two_encoders",
    "word_space",
]
