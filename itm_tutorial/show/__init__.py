"""Figures and widgets. Every figure carries alt text and is shown with it."""

from itm_tutorial.show.canvas import alt_text, to_html
from itm_tutorial.show.figures import pictures, ranked, score_matrix, sibling_accuracy, training_curve
from itm_tutorial.show.idea import two_encoders
from itm_tutorial.show.timeline import history
from itm_tutorial.show.widgets import explorer

__all__ = [
    "alt_text",
    "explorer",
    "history",
    "pictures",
    "ranked",
    "score_matrix",
    "sibling_accuracy",
    "to_html",
    "training_curve",
    "two_encoders",
]
