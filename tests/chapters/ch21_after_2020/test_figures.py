"""The figures of chapter 21: what they compute, what their alt texts say, and what they refuse."""

import pytest
import torch

from itm_tutorial.chapters.ch21_after_2020 import figures as ch21
from itm_tutorial.chapters.ch21_after_2020.live import FalseError, Space
from itm_tutorial.chapters.ch21_after_2020.loss_figures import EIGHT, HISTORY
from itm_tutorial.encoders.pooling import GeneralizedPooling
from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import alt_text

MATRIX = torch.tensor([[0.60, 0.52, 0.45], [0.20, 0.70, 0.35], [0.05, 0.30, 0.50]])
KNOWN = {  # value and gradient by rows, computed from the formulas
    "sum of hinges": (0.39, [[-2, 2, 2], [0, -1, 1], [0, 0, -2]]),
    "largest hinge": (0.29, [[-1, 2, 1], [0, -1, 0], [0, 0, -1]]),
    "softmax, temperature 0.1": (0.494, [[-1.413, 1.361, 1.550], [0.081, -0.636, 0.504], [0.046, 0.445, -1.937]]),
}
MOMENTS = [
    Space(0, torch.zeros(4), torch.zeros(9), 1.0, 14.3),
    Space(1, torch.full((4,), 0.5), torch.linspace(-0.2, 0.2, 9), 0.3, 16.0),
]


def test_the_history_names_what_never_changes():
    text = alt_text(ch21.from_devise_to_clip())
    assert all(name in text for name in HISTORY) and text.count("score dot product") == len(HISTORY)


@pytest.mark.parametrize("name", KNOWN)
def test_gradients_of_a_known_matrix(name):
    value, gradient = KNOWN[name]
    found, rows = ch21.gradients(MATRIX)[name]
    assert found == pytest.approx(value, abs=1e-3)
    assert torch.allclose(rows, torch.tensor(gradient, dtype=torch.float32), atol=1e-3)


def test_eight_losses_are_drawn_and_other_matrices_refused():
    assert len(EIGHT) == 8 and all(name in alt_text(ch21.loss_gradients(MATRIX)) for name in EIGHT)
    one = {"largest hinge": EIGHT["largest hinge"]}
    assert "largest hinge, loss 0.29: -1.00, 2.00, 1.00" in alt_text(ch21.loss_gradients(MATRIX, one))
    with pytest.raises(ItmError, match=r"scores is \[3, 2\]; give a square matrix"):
        ch21.loss_gradients(MATRIX[:, :2])


def test_the_gradient_of_a_loss_leaves_the_scores_alone():
    given = MATRIX.clone()
    ch21.gradients(given)
    assert torch.equal(given, MATRIX) and not given.requires_grad


def test_a_panel_without_values_is_refused():
    for nothing in ({}, {"3 epochs": {}}):
        with pytest.raises(ItmError, match="give one panel or more"):
            ch21.recall_by_batch(nothing)


def test_the_space_over_training_is_told_moment_by_moment():
    text = alt_text(ch21.space_over_training(MOMENTS))
    assert "epoch 0: positive pairs 0.00, others 0.00, gap 1.00, scale 14.3" in text
    assert "epoch 1: positive pairs 0.50, others 0.00, gap 0.30, scale 16.0" in text
    assert "epoch 0" in alt_text(ch21.space_over_training(MOMENTS[:1]))
    with pytest.raises(ItmError, match="the record is empty"):
        ch21.space_over_training([])


def test_guesses_are_listed_in_their_order():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    guessed = [[("fox", 0.4), ("dog", -0.1)], [("cat", 0.2), ("owl", 0.1)]]
    text = alt_text(ch21.zero_shot_guesses([image, image], ["fox", "owl"], guessed))
    assert "fox: fox, dog; owl: cat, owl" in text
    with pytest.raises(ItmError, match="1 images, 2 classes, 2 lists"):
        ch21.zero_shot_guesses([image], ["fox", "owl"], guessed)


def test_weights_of_ranks_are_those_of_the_pooling():
    torch.manual_seed(0)
    pool = GeneralizedPooling()
    theta = ch21.weights_of(pool, 5)
    assert theta.shape == (5,) and theta.sum().item() == pytest.approx(1) and not theta.requires_grad
    text = alt_text(ch21.pooling_weights({"regions": pool}, {"regions": 5}))
    assert ", ".join(f"{value:.2f}" for value in theta.tolist()) in text


def test_errors_that_are_none_show_no_image_twice(tiny):
    found = [FalseError(0, 0, 1), FalseError(1, 0, 2), FalseError(10, 2, 3)]
    text = alt_text(ch21.true_errors(found, tiny.train))
    assert tiny.train.captions[0] in text and tiny.train.captions[10] in text and tiny.train.captions[1] not in text
    with pytest.raises(ItmError, match="no such error"):
        ch21.true_errors([], tiny.train)
