"""Probes on embeddings: the exact minimum, the loss, controls, folds by group, and what is refused."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.probing import (
    ProbeResult,
    control_labels,
    count_bins,
    probe,
    probe_loss,
    probe_table,
    softmax_regression,
)


def clouds(n=240, classes=3, dim=5, spread=0.3, seed=0):
    """Points around one centre per class."""
    g = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (n,), generator=g)
    centres = 2 * torch.randn(classes, dim, generator=g)
    return centres[labels] + spread * torch.randn(n, dim, generator=g), labels


def newton(inputs, labels, penalty, steps=30):
    """Two-class logistic regression by Newton's method, an independent way to the same minimum."""
    x = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=inputs.dtype)], 1)
    # with two classes and a penalty, softmax regression puts half of the difference on each class
    ridge = torch.eye(x.shape[1], dtype=x.dtype) * penalty / 2
    ridge[-1, -1] = 0
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(steps):
        p = torch.sigmoid(x @ w)
        gradient = x.T @ (p - labels) / len(x) + ridge @ w
        hessian = (x * (p * (1 - p))[:, None]).T @ x / len(x) + ridge
        w = w - torch.linalg.solve(hessian, gradient)
    return w


@pytest.mark.parametrize("penalty", (0.1, 0.01))
def test_softmax_regression_finds_the_minimum_that_newtons_method_finds(penalty):
    inputs, labels = clouds(60, 2, 3, spread=3.0)
    inputs = inputs.double()
    weight, bias = softmax_regression(inputs, labels, 2, penalty)
    expected = newton(inputs, labels.double(), penalty)
    found = torch.cat([weight[1] - weight[0], (bias[1] - bias[0])[None]])
    assert torch.allclose(found, expected, atol=2e-3)
    torch.testing.assert_close(weight[0], -weight[1], atol=1e-6, rtol=0)


def test_the_loss_of_certain_logits_is_zero_and_a_loop_gives_the_same():
    for classes in (2, 6, 80):
        logits = 1e4 * torch.eye(classes)
        assert probe_loss(logits, torch.arange(classes)).item() == 0.0
    logits, labels = torch.randn(7, 4, dtype=torch.float64), torch.randint(4, (7,))
    terms = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        terms.append(math.log(sum(math.exp(x) for x in row)) - row[label])
    assert probe_loss(logits, labels).item() == pytest.approx(sum(terms) / len(terms), abs=1e-10)


@pytest.mark.parametrize("judge", ("linear", "network"))
def test_a_probe_reads_what_is_there_and_not_what_is_not(judge):
    embeddings, labels = clouds()
    found = probe(embeddings, labels, judge=judge)
    assert found.accuracy > 97 and found.selectivity > 40 and found.lead > 40
    assert found.control < found.memorised + 1 and found.control < 50
    nothing = probe(torch.randn(240, 5, generator=torch.Generator().manual_seed(1)), labels, judge=judge)
    assert abs(nothing.accuracy - nothing.majority) < 12


def test_a_network_reads_what_no_line_can():
    g = torch.Generator().manual_seed(0)
    embeddings = torch.rand(900, 2, generator=g) * 2 - 1
    labels = (embeddings[:, 0] * embeddings[:, 1] > 0).long()
    assert probe(embeddings, labels, judge="network").accuracy > probe(embeddings, labels).accuracy + 15


def test_the_majority_line_is_counted_by_hand():
    labels = torch.tensor([1] * 30 + [0] * 15 + [2] * 5)
    found = probe(torch.randn(50, 3), labels)
    assert found.majority == pytest.approx(60.0)  # label 1 is the most common one in every training part
    assert found.n_items == 50 and found.n_classes == 3 and len(found.folds) == 5


def test_the_same_seed_gives_the_same_result_and_the_callers_random_numbers_stay():
    embeddings, labels = clouds(90)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    for judge in ("linear", "network"):
        assert probe(embeddings, labels, judge=judge, seed=4) == probe(embeddings, labels, judge=judge, seed=4)
    assert torch.equal(before, torch.get_rng_state())
    with torch.inference_mode():
        probe(embeddings, labels, judge="network"), probe(embeddings, labels)


def test_groups_stay_together_and_the_control_shows_a_split_that_leaks():
    """Four near copies of each of sixty points: by item, a copy in training gives the random label away."""
    g = torch.Generator().manual_seed(0)
    points = torch.randn(60, 40, generator=g).repeat_interleave(4, 0) + 0.01 * torch.randn(240, 40, generator=g)
    groups = torch.arange(60).repeat_interleave(4)
    labels = (points[:, 0] > 0).long()
    leaks, sound = probe(points, labels, items=groups), probe(points, labels, groups)
    assert leaks.control > 80 and sound.control < 65
    assert sound.accuracy <= leaks.accuracy


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 99))
def test_control_labels_agree_within_an_item_and_are_true_labels(items, seed):
    labels = torch.arange(len(items)) % 3
    drawn = control_labels(labels, torch.tensor(items), seed)
    assert set(drawn.tolist()) <= set(labels.tolist())
    for item in set(items):
        assert len(drawn[torch.tensor(items) == item].unique()) == 1


def test_the_bins_of_the_authors_code():
    assert count_bins(torch.tensor([0, 5, 6, 29, 30, 45])).tolist() == [0, 0, 1, 4, 5, 5]


@settings(max_examples=50)
@given(st.lists(st.integers(2, 40), min_size=1), st.sets(st.integers(3, 30), max_size=5))
def test_bins_agree_with_a_loop(counts, more):
    edges = [2, *sorted(more)]
    expected = [sum(count >= edge for edge in edges) - 1 for count in counts]
    assert count_bins(torch.tensor(counts), edges).tolist() == expected


def test_results_are_written_with_their_controls():
    found = ProbeResult(84.96, 52.9, 41.3, 72.2, (80.0, 90.0), 1785, 10)
    assert found.selectivity == pytest.approx(43.66) and found.lead == pytest.approx(32.06)
    assert "most common label 52.9, random labels 41.3 (learned by heart 72.2); 1,785 items" in repr(found)
    head, line = probe_table({"vse, object": found}).splitlines()
    assert "selectivity" in head and line.split() == ["vse,", "object", "85.0", "52.9", "41.3", "43.7", "1,785", "10"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"judge": "lin"}, "did you mean 'linear'"),
        ({"folds": 2}, "give 3 or more"),
        ({"groups": torch.zeros(3, dtype=torch.int64)}, "groups is [3] for 30 items"),
        ({"groups": torch.zeros(30, dtype=torch.int64)}, "1 groups for 5 folds"),
        ({"items": torch.zeros(3, dtype=torch.int64)}, "items is [3]"),
        ({"labels": torch.zeros(30, dtype=torch.int64)}, "two or more"),
        ({"labels": torch.rand(30)}, "labels are torch.float32"),
        ({"labels": torch.zeros(29, dtype=torch.int64)}, "one row per label"),
        ({"embeddings": torch.full((30, 3), torch.nan)}, "NaN or an infinity"),
        ({"embeddings": torch.zeros(30)}, "give [n_items, dim]"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    given = {"embeddings": torch.randn(30, 3), "labels": torch.arange(30) % 2, **arguments}
    with pytest.raises(ItmError) as error:
        probe(**given)
    assert words in str(error.value)


@pytest.mark.parametrize("edges", ((), (3, 2), (2, 2)))
def test_edges_that_do_not_increase_are_refused(edges):
    with pytest.raises(ItmError, match="increasing"):
        count_bins(torch.tensor([4]), edges)
    with pytest.raises(ItmError, match="below the first edge"):
        count_bins(torch.tensor([1]), (2, 3))
