"""The figures of chapter 12, in one place for the notebook."""

from itm_tutorial.chapters.ch12_correlation.correlation_figures import (
    correlation_by_batch,
    directions,
    shift,
    spectrum,
)
from itm_tutorial.chapters.ch12_correlation.structure_figures import caption_distances, methods, variance_curves

__all__ = ["caption_distances", "correlation_by_batch", "directions", "methods", "shift", "spectrum", "variance_curves"]
