"""Chapter 00's figures: two encoders in one picture, and a matrix of scores."""

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch00_start_here import figures as ch00
from itm_tutorial.errors import ItmError


def figures_of(split, pairs):
    scores = torch.tensor([[0.9, 0.2], [0.1, 0.05]])
    return {
        "score_matrix": ch00.score_matrix(scores, torch.arange(2), split.images[:2], split.captions[:2]),
        "two_encoders": ch00.two_encoders(split, 1),
        "minimal_pairs": ch00.minimal_pairs(pairs),
    }


def test_alt_text_quotes_the_numbers(small_split, tiny, drawing):
    quoted = {
        "score_matrix": ["from 0.05 to 0.90", "2 images by 2 captions", "1 of 2 captions score the right image"],
        "two_encoders": ["32 × 40 pixels", "6 words", "“a big van on the beach”", "positive 0.70"],
        "minimal_pairs": [
            "of pictures that differ in one thing",
            "true of the left picture and false of the right one",
        ],
    }
    drawing.check_alt_texts(figures_of(small_split, tiny.train), quoted)


def test_a_matrix_of_one_and_a_matrix_of_ties():
    assert "1 of 1 caption scores" in show.alt_text(ch00.score_matrix(torch.ones(1, 1), torch.tensor([0])))
    tied = show.alt_text(ch00.score_matrix(torch.ones(3, 4), torch.tensor([0, 1, 2, 0])))
    assert "0 of 4 captions" in tied
    large = ch00.score_matrix(torch.rand(20, 30), torch.randint(0, 20, (30,)))
    assert len(large.axes) == 2  # a scale in place of numbers


def test_texts_stay_inside_the_figure_and_off_each_other(small_split, tiny, drawing):
    long = "There is a large spotted orange animal to the right of several small grey houses in the snow at night."
    small_split.captions[:] = [long] * len(small_split.captions)
    figures = figures_of(small_split, tiny.train)
    images = [small_split.images[i] for i in range(8)]
    figures["eight"] = ch00.score_matrix(torch.eye(8), torch.arange(8), images, [long] * 8)
    drawing.check_texts(figures)


def test_a_pair_shows_the_picture_of_which_its_caption_is_true_first(tiny):
    split = tiny.train
    queries = ch00.one_query_of_each_kind(split)
    assert set(queries) == {kind for _, _, kind in split.facts.minimal_pairs}
    for caption, image, other in queries.values():
        assert split.image_of[caption] == image != other
        stated = split.facts.of_caption[caption]
        assert stated <= split.facts.of_image[image] and not stated <= split.facts.of_image[other]
    drawn = ch00.minimal_pairs(split)
    marks = [axes.get_xlabel() for block in drawn.subfigs for axes in block.axes]
    assert marks == ["✓ true", "✗ false"] * len(queries)


def test_a_split_without_minimal_pairs_is_refused(tiny):
    from dataclasses import replace

    alone = replace(tiny.test, facts=replace(tiny.test.facts, minimal_pairs=[]))
    with pytest.raises(ItmError, match="no minimal pair"):
        ch00.minimal_pairs(alone)


def test_captions_are_listed_beside_the_matrix_in_full(small_split):
    figure = ch00.score_matrix(torch.eye(2), torch.arange(2), captions=["a quite long caption " * 5, "b"])
    texts = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert ("a quite long caption " * 5).strip() in texts and "b" in texts and "1" in texts


def test_figures_draw_on_what_they_are_given(small_split, drawing):
    drawing.check_targets(
        [lambda f: ch00.two_encoders(small_split, figure=f)],
        [lambda a: ch00.score_matrix(torch.eye(2), torch.arange(2), axes=a)],
    )
