"""The exercises of chapter 12: total correlation, a Fisher vector, hinges, decorrelation, fused states, recall."""

from itm_tutorial.chapters.ch12_correlation.correlation_exercises import fisher_means, recall_at, total_correlation
from itm_tutorial.chapters.ch12_correlation.structure_exercises import decorrelation, fused_states, ten_largest_hinges

EXERCISES = (total_correlation, fisher_means, ten_largest_hinges, decorrelation, fused_states, recall_at)

__all__ = [
    "EXERCISES",
    "decorrelation",
    "fisher_means",
    "fused_states",
    "recall_at",
    "ten_largest_hinges",
    "total_correlation",
]
