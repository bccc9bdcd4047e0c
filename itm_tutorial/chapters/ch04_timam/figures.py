"""The figures of chapter 04, in one place for the notebook."""

from itm_tutorial.chapters.ch04_timam.modality_figures import adversary_weights, modality_game
from itm_tutorial.chapters.ch04_timam.person_figures import (
    embedding_map,
    identity_gallery,
    loss_ablation,
    person_explorer,
    projection_weights,
    worlds,
)

__all__ = [
    "adversary_weights",
    "embedding_map",
    "identity_gallery",
    "loss_ablation",
    "modality_game",
    "person_explorer",
    "projection_weights",
    "worlds",
]
