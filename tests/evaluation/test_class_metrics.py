"""Hit@k, hierarchical precision and hubs, compared with loops that follow the definitions."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.class_metrics import hierarchical_precision, hit_at_k, k_occurrence, skewness


def hit_by_loop(scores, identity, k, among):
    hits = 0
    for row, y in zip(scores, identity, strict=True):
        hits += sum(row[c] >= row[y] for c in among if c != y) < k
    return 100 * hits / len(scores)


def precision_by_loop(scores, identity, distances, k, among):
    total = 0
    for row, y in zip(scores, identity, strict=True):
        near, radius = [], 0
        while len(near) < k:  # all classes of one distance at once
            near = [c for c in among if distances[y][c] <= radius]
            radius += 1
        ranked = sorted(among, key=lambda c: (-row[c], c in near))  # in ties, negatives are ranked first
        total += len([c for c in ranked[:k] if c in near]) / k
    return 100 * total / len(scores)


def occurrence_by_loop(scores, k):
    counts = [0] * len(scores[0])
    for row in scores:
        for target in sorted(range(len(row)), key=lambda c: (-row[c], c))[:k]:
            counts[target] += 1
    return counts


@st.composite
def cases(draw):
    n_images, n_classes = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    among = draw(st.permutations(range(n_classes)))[: draw(st.integers(1, n_classes))]
    identity = draw(st.lists(st.sampled_from(among), min_size=n_images, max_size=n_images))
    row = st.lists(st.integers(-2, 2), min_size=n_classes, max_size=n_classes)  # few values: many ties
    scores = draw(st.lists(row, min_size=n_images, max_size=n_images))
    steps = torch.tensor(draw(st.lists(st.lists(st.integers(1, 4), min_size=7, max_size=7), min_size=7, max_size=7)))
    distances = ((steps + steps.T) * (1 - torch.eye(7, dtype=torch.int64)))[:n_classes, :n_classes]
    return scores, identity, distances, draw(st.integers(1, len(among))), among


@given(cases())
def test_all_equal_their_loops(case):
    scores, identity, distances, k, among = case
    tensors = torch.tensor(scores, dtype=torch.float32), torch.tensor(identity)
    chosen = torch.tensor(among)
    assert hit_at_k(*tensors, k, chosen) == pytest.approx(hit_by_loop(scores, identity, k, among))
    found = hierarchical_precision(*tensors, distances, k, chosen)
    assert found == pytest.approx(precision_by_loop(scores, identity, distances.tolist(), k, among))
    assert k_occurrence(tensors[0], k).tolist() == occurrence_by_loop(scores, k)
    everybody = range(len(scores[0]))
    assert hit_at_k(*tensors, k) == pytest.approx(hit_by_loop(scores, identity, k, everybody))
    whole = precision_by_loop(scores, identity, distances.tolist(), k, everybody)
    assert hierarchical_precision(*tensors, distances.double(), k) == pytest.approx(whole)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_skewness_equals_its_definition(counts):
    mean = sum(counts) / len(counts)
    sigma = math.sqrt(sum((n - mean) ** 2 for n in counts) / len(counts))
    expected = sum((n - mean) ** 3 for n in counts) / len(counts) / sigma**3 if len(set(counts)) > 1 else 0.0
    assert skewness(torch.tensor(counts)) == pytest.approx(expected, abs=1e-9)


def test_a_constant_matrix_is_never_right_and_all_hub():
    scores, identity, line = torch.zeros(12, 6), torch.arange(12) % 6, torch.arange(6.0)
    distances = (line[:, None] - line).abs()
    assert hit_at_k(scores, identity, 5) == 0
    assert hit_at_k(scores, identity, 6) == 100
    assert hierarchical_precision(scores, identity, distances, 1) == 0
    assert k_occurrence(scores, 2).tolist() == [12, 12, 0, 0, 0, 0]
    assert skewness(k_occurrence(scores, 1)) == pytest.approx(4 / math.sqrt(5))  # the most that six targets can have


def test_a_tree_by_hand():
    # dog, wolf | car, bus: 1 within a family, 2 across
    distances = torch.tensor([[0, 1, 2, 2], [1, 0, 2, 2], [2, 2, 0, 1], [2, 2, 1, 0]])
    scores = torch.tensor([[0.2, 0.9, 0.1, 0.0]])  # a dog, predicted as a wolf
    assert hit_at_k(scores, torch.tensor([0]), 1) == 0
    assert hierarchical_precision(scores, torch.tensor([0]), distances, 1) == 0
    assert hierarchical_precision(scores, torch.tensor([0]), distances, 2) == 100
    third = torch.tensor([[0.2, 0.1, 0.9, 0.0]])  # predicted as a car: with k = 3 all classes are near
    assert hierarchical_precision(third, torch.tensor([0]), distances, 2) == 50
    assert hierarchical_precision(third, torch.tensor([0]), distances, 3) == 100


def test_the_other_direction_is_the_transpose():
    scores = torch.tensor([[3.0, 2.0, 1.0], [3.0, 1.0, 2.0]])
    assert k_occurrence(scores).tolist() == [2, 0, 0]
    assert k_occurrence(scores.T).tolist() == [2, 1]


GOOD = {"scores": torch.rand(2, 3), "identity": torch.tensor([0, 2]), "distances": 1 - torch.eye(3), "k": 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": torch.full((2, 3), float("nan"))}, "nan in row 0, column 0"),
        ({"scores": torch.full((2, 3), float("-inf"))}, "inf"),
        ({"scores": torch.zeros(2, 3, dtype=torch.int64)}, "floating"),
        ({"scores": torch.zeros(3)}, "n_images, n_classes"),
        ({"scores": torch.zeros(0, 3)}, "not empty"),
        ({"scores": [[0.0]]}, "a list"),
        ({"identity": torch.tensor([0, 3])}, "identity names classes 0 to 3"),
        ({"identity": torch.tensor([-1, 2])}, "identity names classes -1"),
        ({"identity": torch.tensor([0, 1, 2])}, "3 entries for 2 images"),
        ({"identity": torch.tensor([0.0, 1.0])}, "int64"),
        ({"k": 0}, "k is 0"),
        ({"k": 4}, "k is 4, with 3 candidates"),
        ({"k": 1.0}, "k is 1.0"),
        ({"among": torch.tensor([0, 2]), "k": 3}, "k is 3, with 2 candidates"),
        ({"among": torch.tensor([0, 1])}, "image 1 shows class 2"),
        ({"among": torch.tensor([0, 2, 2])}, "class 2 twice"),
        ({"among": torch.tensor([0, 3])}, "among names"),
        ({"among": torch.tensor([], dtype=torch.int64)}, "among"),
    ],
)
def test_bad_input_is_refused_with_a_clear_message(change, message):
    given = GOOD | change
    with pytest.raises(ItmError, match=message):
        hierarchical_precision(**given)
    given.pop("distances")
    with pytest.raises(ItmError, match=message):
        hit_at_k(**given)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        (torch.zeros(3, 2), r"\[3, 3\]"),
        (torch.zeros(2, 2), r"\[3, 3\]"),
        (torch.tensor([[0, 1, 2], [1, 0, 1], [1, 1, 0]]), "not symmetric: 2 from class 0 to 2, but 1 back"),
        (torch.full((3, 3), float("nan")), "NaN"),
        (torch.eye(3) - 1, "negative"),
        (torch.ones(3, 3), "class 0 is 1.0 from itself"),
        ([[0.0]], "a list"),
    ],
)
def test_distances_of_no_tree_are_refused(distances, message):
    with pytest.raises(ItmError, match=message):
        hierarchical_precision(**GOOD | {"distances": distances})


def test_hubs_of_nothing_are_refused():
    with pytest.raises(ItmError, match="k is 4"):
        k_occurrence(torch.rand(2, 3), 4)
    with pytest.raises(ItmError, match="nan"):
        k_occurrence(torch.full((2, 3), float("nan")), 1)
    for counts in (torch.zeros(0), torch.zeros(2, 2), [1, 2]):
        with pytest.raises(ItmError, match="n_targets"):
            skewness(counts)
    with pytest.raises(ItmError, match="NaN"):
        skewness(torch.tensor([1.0, float("nan")]))
