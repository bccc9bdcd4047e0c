"""Figures and widgets that several chapters or a command use. Every figure carries alt text and is shown with it."""

from itm_tutorial.show.attention import attention, attention_of
from itm_tutorial.show.attention_page import attention_page
from itm_tutorial.show.canvas import alt_text, to_html
from itm_tutorial.show.figures import minimal_pair_accuracy, pictures, ranked, training_curve
from itm_tutorial.show.timeline import history
from itm_tutorial.show.widgets import explorer

__all__ = [
    "alt_text",
    "attention",
    "attention_of",
    "attention_page",
    "explorer",
    "history",
    "pictures",
    "ranked",
    "minimal_pair_accuracy",
    "to_html",
    "training_curve",
]
