"""The figures of chapter 04, in one place for the notebook."""

from itm_tutorial.chapters.ch04_timam.diagrams import adversary_game, cmpm_steps
from itm_tutorial.chapters.ch04_timam.embedding_figures import embedding_map, loss_ablation, projection_weights
from itm_tutorial.chapters.ch04_timam.modality_figures import adversary_weights
from itm_tutorial.chapters.ch04_timam.person_figures import identity_gallery, person_explorer, worlds

__all__ = [
    "adversary_game",
    "adversary_weights",
    "cmpm_steps",
    "embedding_map",
    "identity_gallery",
    "loss_ablation",
    "person_explorer",
    "projection_weights",
    "worlds",
]
