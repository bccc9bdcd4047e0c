"""The figures of chapter 02, in one place for the notebooks."""

from itm_tutorial.chapters.ch02_vsepp.loss_figures import (
    before_and_after,
    collapse,
    doubles,
    gradients,
    hardest_negatives,
    maps_by_epoch,
    rsum_by_batch_size,
)
from itm_tutorial.chapters.ch02_vsepp.sweep_figures import heat_map
from itm_tutorial.chapters.ch02_vsepp.toy_figures import explorer_of_forces, forces

__all__ = [
    "before_and_after",
    "collapse",
    "doubles",
    "explorer_of_forces",
    "forces",
    "gradients",
    "hardest_negatives",
    "heat_map",
    "maps_by_epoch",
    "rsum_by_batch_size",
]
