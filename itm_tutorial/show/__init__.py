"""Figures and widgets. Every figure carries alt text and is shown with it."""

from itm_tutorial.show.attention import attention, attention_of
from itm_tutorial.show.attention_charts import attention_matrix, pointing_game, search_cost, smoothing
from itm_tutorial.show.attention_page import attention_page
from itm_tutorial.show.attention_widget import attention_explorer
from itm_tutorial.show.canvas import alt_text, to_html
from itm_tutorial.show.comparison import leaderboard
from itm_tutorial.show.figures import pictures, ranked, score_matrix, sibling_accuracy, training_curve
from itm_tutorial.show.idea import two_encoders
from itm_tutorial.show.labels import found_kinds, hubs, labels_over_epochs, labels_said, precision_curves
from itm_tutorial.show.literature import ingredients, record
from itm_tutorial.show.literature_maps import papers_timeline, who_follows_whom
from itm_tutorial.show.literature_widget import literature_explorer
from itm_tutorial.show.modality import adversary_weights, modality_game
from itm_tutorial.show.people import (
    code_map,
    identity_gallery,
    loss_ablation,
    person_explorer,
    projection_weights,
    worlds,
)
from itm_tutorial.show.ranking import (
    before_and_after,
    collapse,
    doubles,
    gradients,
    hardest_negatives,
    maps_by_epoch,
    rsum_by_batch_size,
)
from itm_tutorial.show.regions import regions_found
from itm_tutorial.show.sweeps import heat_map
from itm_tutorial.show.timeline import history
from itm_tutorial.show.toy import explorer_of_forces, forces
from itm_tutorial.show.widgets import explorer, explorer_of_labels
from itm_tutorial.show.words import class_tree, one_word_space, word_space

__all__ = [
    "adversary_weights",
    "alt_text",
    "attention",
    "attention_explorer",
    "attention_matrix",
    "attention_of",
    "attention_page",
    "before_and_after",
    "class_tree",
    "code_map",
    "collapse",
    "doubles",
    "explorer",
    "explorer_of_forces",
    "explorer_of_labels",
    "forces",
    "found_kinds",
    "gradients",
    "hardest_negatives",
    "heat_map",
    "history",
    "hubs",
    "identity_gallery",
    "ingredients",
    "labels_over_epochs",
    "labels_said",
    "leaderboard",
    "literature_explorer",
    "loss_ablation",
    "maps_by_epoch",
    "modality_game",
    "one_word_space",
    "papers_timeline",
    "person_explorer",
    "pictures",
    "pointing_game",
    "precision_curves",
    "projection_weights",
    "ranked",
    "record",
    "regions_found",
    "rsum_by_batch_size",
    "score_matrix",
    "search_cost",
    "sibling_accuracy",
    "smoothing",
    "to_html",
    "training_curve",
    "two_encoders",
    "who_follows_whom",
    "word_space",
    "worlds",
]
