"""The exercises of chapter 13, in the order of the notebook: likelihoods and their prior, and written captions."""

from itm_tutorial.chapters.ch13_writing.generation_exercises import beam_step, greedy_words, true_share
from itm_tutorial.chapters.ch13_writing.writing_exercises import (
    caption_log_likelihood,
    changed_rankings,
    divide_by_prior,
)

EXERCISES = (caption_log_likelihood, divide_by_prior, changed_rankings, greedy_words, beam_step, true_share)
