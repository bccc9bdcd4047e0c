"""Figures and widgets. Every figure carries alt text and is shown with it."""

from itm_tutorial.show.figures import alt_text, pictures, ranked, score_matrix, training_curve
from itm_tutorial.show.widgets import explorer

__all__ = ["alt_text", "explorer", "pictures", "ranked", "score_matrix", "training_curve"]
