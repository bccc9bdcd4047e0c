"""The exercises of chapter 21, in the order of the notebook: on losses, on prompts and pooling, on ranks."""

from itm_tutorial.chapters.ch21_after_2020.loss_exercises import clip_loss, scale_after_step, sigmoid_by_chunks
from itm_tutorial.chapters.ch21_after_2020.prompt_exercises import generalised_pooling, prompt_ensemble
from itm_tutorial.chapters.ch21_after_2020.ranking_exercises import hard_negative_probabilities, map_at_r

EXERCISES = (
    clip_loss,
    scale_after_step,
    sigmoid_by_chunks,
    prompt_ensemble,
    generalised_pooling,
    map_at_r,
    hard_negative_probabilities,
)
