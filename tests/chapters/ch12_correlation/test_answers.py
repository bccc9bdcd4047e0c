"""The answers of chapter 12 follow from the numbers of a run, whichever way these go."""

import pytest
import torch

from itm_tutorial.chapters.ch12_correlation import answers
from itm_tutorial.encoders.fisher_vector import Mixture

NOT_RUN = "has not measured this over several seeds yet"


def kept(name):
    """No claim was run."""


def test_the_ends_of_a_direction_are_quoted():
    images = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])
    text = answers.directions(images, images, ["a", "a", "b", "c", "d"], [0])
    assert text.startswith("The correlations are 1.00.")
    assert "lower end of direction 1 are “a” and “b”; at its upper end are “d” and “c”." in text


def test_small_batches_say_nothing():
    curves = {
        "noise": [
            {"batch": 17, "correlation": 16.0},
            {"batch": 33, "correlation": 32.0},
            {"batch": 512, "correlation": 7},
        ],
        "pairs": [{"batch": 33, "correlation": 31.9}, {"batch": 512, "correlation": 20.0}],
    }
    text = answers.batches(curves, 32, kept)
    assert "With 33 pairs the noise has a total correlation of 32.0, and the true pairs have 31.9" in text
    assert "With 512 pairs the noise is at 7.0 and the pairs are at 20.0" in text and NOT_RUN in text


@pytest.mark.parametrize("retrieves, said", [(400.0, "The same model retrieves better"), (300.0, "But linear CCA")])
def test_deep_against_linear(retrieves, said):
    found = {
        "linear CCA": {"train": torch.tensor([0.9, 0.8]), "test": torch.tensor([0.5, 0.4])},
        "DCCA": {"train": torch.tensor([0.9, 0.9]), "test": torch.tensor([0.8, 0.7])},
    }
    text = answers.deep_or_linear(found, {"linear CCA": 350.0, "DCCA": retrieves}, kept)
    assert "DCCA: 1.8 in training and 1.5 on test pairs" in text and said in text and NOT_RUN in text


def test_the_mean_that_moves_most():
    mixture = Mixture(2, 2)
    mixture.locations.copy_(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]))
    plane = {"red": torch.tensor([-2.0, 1.0]), "blue": torch.tensor([-2.0, 2.0]), "dogs": torch.tensor([2.0, 0.0])}
    text = answers.shift(torch.tensor([[0.0, 2.0], [0.1, 0.0]]), mixture, plane, ["red", "blue"])
    assert text.startswith("The words near each mean: component 1 holds *red*, *blue*; 2 holds *dogs*.")
    assert "component 1 moves most, by 2.00, and that of component 2 least, by 0.10" in text
    assert "*red*, *blue* for the first of the two, and no word for the other" in text


@pytest.mark.parametrize(
    "sibling, said",
    [(0.1, "11 % with the term: here the term helps"), (0.5, "67 % with the term: here the term changes little")],
)
def test_whether_neighbours_came_closer(sibling, said):
    image_of = torch.tensor([0, 0, 1])
    without = torch.tensor([[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]])
    with_term = torch.tensor([[0.0, 0.0], [sibling, 0.0], [1.0, 0.0]])
    given = {"without": without, "with": with_term}
    text = answers.distances(given, image_of, {"without": 20.0, "with": 30.0}, kept)
    assert "mean distance is 0.50 without the term" in text
    assert said in text and "20.0 without and 30.0 with" in text and NOT_RUN in text


def test_a_variance_that_collapsed_and_others():
    text = answers.variance({"a": [0.4, 0.1, 0.01], "b": [0.4, 0.2], "c": [0.2, 0.4]}, kept)
    assert "*a*: from 0.4 to 0.01, 40 times less. This is a collapse." in text
    assert "*b*: from 0.4 to 0.2, 2.0 times less." in text and "*c*: from 0.2 to 0.4, 2.0 times more." in text
    assert NOT_RUN in text


def test_one_rank_too_kind():
    text = answers.kind_recall({1: 20.0, 5: 50.0}, {1: 32.0, 5: 54.0}, "dcca")
    assert "adds 12.0 points at k = 1, 4.0 points at k = 5" in text and "most at k = 1 and least at k = 5" in text


def test_what_bags_of_words_can_tell_apart():
    text = answers.word_order({"linear_cca": {"binding": 50.0, "object": 90.0}, "vse": {"binding": 51.0}}, kept)
    assert "`linear_cca`: clearly above guessing for object, and near or below it for binding." in text
    assert "`vse`: nowhere clearly above guessing, and near or below it for binding." in text


def test_the_first_caption_of_each_image():
    assert answers.first_captions(torch.tensor([1, 0, 0, 1, 2])).tolist() == [1, 0, 4]
