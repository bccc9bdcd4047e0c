"""The exercises of chapter 14, in the order of the notebook: DAN, traps of its ports, sm-LSTM, SCO, and their costs."""

from itm_tutorial.chapters.ch14_early_attention.memory_exercises import image_steps, mean_words, memory_step
from itm_tutorial.chapters.ch14_early_attention.pair_exercises import (
    concept_probability,
    coverage_penalty,
    gated_fusion,
)
from itm_tutorial.chapters.ch14_early_attention.search_exercises import (
    costs,
    crossing_point,
    recalls_from_counts,
    shortlist_recall,
)

EXERCISES = (
    memory_step,
    image_steps,
    mean_words,
    recalls_from_counts,
    coverage_penalty,
    concept_probability,
    gated_fusion,
    costs,
    crossing_point,
    shortlist_recall,
)
