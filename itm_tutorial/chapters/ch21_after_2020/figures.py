"""The figures of chapter 21."""

from itm_tutorial.chapters.ch21_after_2020.loss_figures import (
    from_devise_to_clip,
    gradients,
    loss_gradients,
    recall_by_batch,
    space_over_training,
)
from itm_tutorial.chapters.ch21_after_2020.result_figures import (
    pooling_weights,
    true_errors,
    weights_of,
    zero_shot_guesses,
)

__all__ = [
    "from_devise_to_clip",
    "gradients",
    "loss_gradients",
    "pooling_weights",
    "recall_by_batch",
    "space_over_training",
    "true_errors",
    "weights_of",
    "zero_shot_guesses",
]
