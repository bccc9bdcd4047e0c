"""Chapter 00's figures: two encoders in one picture, and a matrix of scores."""

import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch00_start_here import figures as ch00


def figures_of(split):
    scores = torch.tensor([[0.9, 0.2], [0.1, 0.05]])
    return {
        "score_matrix": ch00.score_matrix(scores, torch.arange(2), split.images[:2], split.captions[:2]),
        "two_encoders": ch00.two_encoders(split, 1),
    }


def test_alt_text_quotes_the_numbers(small_split, drawing):
    quoted = {
        "score_matrix": ["from 0.05 to 0.90", "2 images by 2 captions", "1 of 2 captions score the right image"],
        "two_encoders": ["32 × 40 pixels", "6 words", "“a big van on the beach”", "the right caption 0.70"],
    }
    drawing.check_alt_texts(figures_of(small_split), quoted)


def test_a_matrix_of_one_and_a_matrix_of_ties():
    assert "1 of 1 caption scores" in show.alt_text(ch00.score_matrix(torch.ones(1, 1), torch.tensor([0])))
    tied = show.alt_text(ch00.score_matrix(torch.ones(3, 4), torch.tensor([0, 1, 2, 0])))
    assert "0 of 4 captions" in tied
    large = ch00.score_matrix(torch.rand(20, 30), torch.randint(0, 20, (30,)))
    assert len(large.axes) == 2  # a scale in place of numbers


def test_texts_stay_inside_the_figure_and_off_each_other(small_split, drawing):
    long = "There is a large spotted orange animal to the right of several small grey houses in the snow at night."
    small_split.captions[:] = [long] * len(small_split.captions)
    # the names of the matrix are slanted, so that their boxes cross where they do not
    drawing.check_texts(figures_of(small_split), may_cross={"score_matrix"})


def test_figures_draw_on_what_they_are_given(small_split, drawing):
    drawing.check_targets(
        [lambda f: ch00.two_encoders(small_split, figure=f)],
        [lambda a: ch00.score_matrix(torch.eye(2), torch.arange(2), axes=a)],
    )
