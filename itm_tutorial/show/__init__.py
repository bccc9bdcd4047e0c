"""Figures and widgets that several chapters or a command use. Every figure carries alt text and is shown with it."""

from itm_tutorial.show.answers import answer
from itm_tutorial.show.attention import attention, attention_of
from itm_tutorial.show.attention_matrix import attention_matrix
from itm_tutorial.show.attention_page import attention_page
from itm_tutorial.show.canvas import alt_text, to_html
from itm_tutorial.show.family_map import family_map
from itm_tutorial.show.figures import captions_found, minimal_pair_accuracy, pictures, ranked, training_curve
from itm_tutorial.show.pointing_game import pointing_game
from itm_tutorial.show.timeline import history
from itm_tutorial.show.widgets import explorer

__all__ = [
    "alt_text",
    "answer",
    "attention",
    "attention_matrix",
    "attention_of",
    "attention_page",
    "captions_found",
    "explorer",
    "family_map",
    "history",
    "minimal_pair_accuracy",
    "pictures",
    "pointing_game",
    "ranked",
    "to_html",
    "training_curve",
]

RENAMED = {
    "sibling_accuracy": "minimal_pair_accuracy",
    "code_map": "embedding_map",
    "found_kinds": "predicted_kinds",
}
MOVED = {  # folder of a chapter -> what its figures.py has now
    "ch00_start_here": "score_matrix two_encoders",
    "ch01_devise": "class_tree explorer_of_labels hubs labels_over_epochs one_word_space precision_curves "
    "predicted_kinds word_space",
    "ch02_vsepp": "before_and_after collapse doubles explorer_of_forces forces gradients hardest_negatives heat_map "
    "maps_by_epoch rsum_by_batch_size",
    "ch03_scan": "attention_explorer regions_found search_cost smoothing",
    "ch04_timam": "adversary_weights embedding_map identity_gallery loss_ablation person_explorer "
    "projection_weights worlds",
    "ch90_literature": "ingredients leaderboard literature_explorer papers_timeline record who_follows_whom",
}


def __getattr__(name: str):
    """Serves names of earlier versions: a new name where the function stayed, else an error that says where it is."""
    new_name = RENAMED.get(name, name)
    if new_name != name and new_name in __all__:
        return globals()[new_name]
    for chapter, names in MOVED.items():
        if new_name in names.split():
            place = f"itm_tutorial.chapters.{chapter}.figures"
            renamed = f", as {new_name}" if new_name != name else ""
            raise AttributeError(f"itm.show.{name} is now in {place}{renamed}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
