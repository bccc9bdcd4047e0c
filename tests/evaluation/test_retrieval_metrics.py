"""Ranks by counting, compared with a loop that follows the definition."""

import math
from statistics import median
from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.retrieval_metrics import (
    Recall,
    Report,
    evaluate,
    evaluate_embeddings,
    evaluate_folds,
    ranks,
    report,
)


def ranks_by_loop(scores, image_of):
    """A negative with the same score or a higher one is ranked before the positive."""
    n_images, n_captions = scores.shape
    i2t, t2i = [], []
    for i in range(n_images):
        own = [c for c in range(n_captions) if image_of[c] == i]
        if own:
            best = max(scores[i][c] for c in own)
            i2t.append(1 + sum(scores[i][c] >= best for c in range(n_captions) if image_of[c] != i))
    for c in range(n_captions):
        positive = scores[image_of[c]][c]
        t2i.append(1 + sum(scores[i][c] >= positive for i in range(n_images) if i != image_of[c]))
    return [int(r) for r in i2t], [int(r) for r in t2i]


@st.composite
def cases(draw):
    n_images = draw(st.integers(1, 6))
    image_of = draw(st.lists(st.integers(0, n_images - 1), min_size=1, max_size=12))
    row = st.lists(st.integers(-2, 2), min_size=len(image_of), max_size=len(image_of))  # few values: many ties
    scores = draw(st.lists(row, min_size=n_images, max_size=n_images))
    return torch.tensor(scores, dtype=torch.float32), torch.tensor(image_of), draw(st.integers(1, 7))


@given(cases())
def test_ranks_equal_the_loop_for_any_chunk(case):
    scores, image_of, chunk = case
    i2t, t2i = ranks(scores, image_of, chunk)
    assert (i2t.tolist(), t2i.tolist()) == ranks_by_loop(scores, image_of.tolist())
    report = evaluate(scores, image_of)
    for side, found in ((report.i2t, i2t), (report.t2i, t2i)):
        zero_based = [r - 1 for r in found.tolist()]
        assert side.median_rank == math.floor(median(zero_based)) + 1
        assert side.r5 == pytest.approx(100 * sum(r < 5 for r in zero_based) / len(zero_based))


@given(cases(), st.data())
def test_ranks_by_identity_equal_the_loop_for_any_chunk(case, data):
    scores, image_of, chunk = case
    n_images, n_captions = scores.shape
    numbers = st.lists(st.integers(0, 2), min_size=n_images, max_size=n_images)
    identity = torch.tensor(data.draw(numbers))
    of_caption = identity[image_of].tolist()
    i2t, t2i = [], []
    for i, who in enumerate(identity.tolist()):
        own = [c for c in range(n_captions) if of_caption[c] == who]
        if own:
            best = max(scores[i][c] for c in own)
            i2t.append(1 + sum(int(scores[i][c] >= best) for c in range(n_captions) if of_caption[c] != who))
    for c, who in enumerate(of_caption):
        best = max(scores[i][c] for i in range(n_images) if identity[i] == who)
        t2i.append(1 + sum(int(scores[i][c] >= best) for i in range(n_images) if identity[i] != who))
    found = ranks(scores, image_of, chunk, identity)
    assert (found[0].tolist(), found[1].tolist()) == (i2t, t2i)
    alone = ranks(scores, image_of, chunk, torch.arange(n_images))
    assert all(torch.equal(a, b) for a, b in zip(alone, ranks(scores, image_of), strict=True))


def test_identities_of_another_shape_are_refused():
    with pytest.raises(ItmError, match="one number per image"):
        evaluate(torch.rand(3, 3), torch.arange(3), identity=torch.tensor([0, 1]))
    with pytest.raises(ItmError, match="nan"):
        evaluate(torch.full((2, 2), float("nan")), torch.arange(2), identity=torch.tensor([0, 1]))


def test_a_constant_matrix_gives_no_recall():
    report = evaluate(torch.zeros(20, 100), torch.arange(100) // 5)
    assert report.rsum == 0


def test_embeddings_give_the_report_of_their_matrix():
    images, captions = torch.randn(30, 8).double(), torch.randn(70, 8).double()
    image_of = torch.randint(0, 30, (70,))
    assert evaluate_embeddings(images, captions, image_of, chunk=7) == evaluate(images @ captions.T, image_of)


class Regions(NamedTuple):
    embeddings: torch.Tensor  # [n, n_regions, dim]
    there: torch.Tensor  # [n, n_regions]


def test_embeddings_may_be_named_tuples():
    images = Regions(torch.randn(9, 4, 8).double(), torch.rand(9, 4) < 0.8)
    captions, image_of = torch.randn(25, 8).double(), torch.randint(0, 9, (25,))

    def best_region(some, captions):
        scores = torch.einsum("nrd,cd->nrc", some.embeddings, captions)
        return scores.masked_fill(~some.there[..., None], -9).amax(1)

    whole = evaluate(best_region(images, captions), image_of)
    assert evaluate_embeddings(images, captions, image_of, best_region, chunk=4) == whole


def test_folds_are_searched_one_by_one_and_averaged():
    image_of = torch.tensor([0, 3, 1, 2, 2, 3, 5, 4, 0, 5])
    scores = torch.rand(6, 10, generator=torch.Generator().manual_seed(0))
    found = evaluate_folds(scores, image_of, n_folds=3)
    ranked = []
    for images in ([0, 1], [2, 3], [4, 5]):
        captions = [c for c in range(10) if image_of[c] in images]
        part = scores[images][:, captions]
        ranked.append(ranks_by_loop(part, [images.index(image_of[c]) for c in captions]))
    for side, found_side in enumerate((found.i2t, found.t2i)):
        r1 = [100 * sum(rank <= 1 for rank in fold[side]) / len(fold[side]) for fold in ranked]
        assert found_side.r1 == pytest.approx(sum(r1) / 3)
    assert evaluate_folds(scores, image_of, n_folds=1) == evaluate(scores, image_of)
    assert found.rsum >= evaluate(scores, image_of).rsum


@pytest.mark.parametrize("n_folds", [4, 0, -1, -2, 7, 12])
def test_folds_that_are_not_equal_parts_are_refused(n_folds):
    with pytest.raises(ItmError, match=f"n_folds is {n_folds}, .* 6 images: give a divisor"):
        evaluate_folds(torch.rand(6, 6), torch.arange(6), n_folds)


def test_folds_would_part_the_images_of_one_identity():
    identity = torch.arange(6) // 2
    scores = torch.eye(6).roll(1, 0)  # each finds its neighbour: right for half by identity
    with pytest.raises(ItmError, match="n_folds is 3, but images of one identity would be in several folds"):
        evaluate_folds(scores, torch.arange(6), 3, identity=identity)
    whole = evaluate_folds(scores, torch.arange(6), 1, identity=identity)
    assert whole == evaluate(scores, torch.arange(6), identity=identity) != evaluate(scores, torch.arange(6))


def test_a_perfect_model_and_the_order_of_captions():
    image_of = torch.tensor([2, 0, 1, 0, 2, 1, 1])
    report = evaluate((torch.arange(3)[:, None] == image_of[None]).float(), image_of)
    assert (report.rsum, report.i2t.median_rank) == (600, 1)


@pytest.mark.parametrize(
    ("of_queries", "expected"),
    [
        ([1], Recall(100, 100, 100, median_rank=1, mean_rank=1)),
        ([2], Recall(0, 100, 100, median_rank=2, mean_rank=2)),
        ([6], Recall(0, 0, 100, median_rank=6, mean_rank=6)),
        ([11], Recall(0, 0, 0, median_rank=11, mean_rank=11)),
        ([1, 5, 10, 40], Recall(25, 50, 75, median_rank=7, mean_rank=14)),  # the median 7.5 is reported as 7
        ([1, 2], Recall(50, 100, 100, median_rank=1, mean_rank=1.5)),
        ([3, 1, 9], Recall(100 / 3, 200 / 3, 100, median_rank=3, mean_rank=13 / 3)),
    ],
)
def test_metrics_of_given_ranks(of_queries, expected):
    found = report(torch.tensor(of_queries), torch.tensor([1, 1, 1])).i2t
    assert vars(found) == pytest.approx(vars(expected))
    assert report(torch.tensor([1, 1, 1]), torch.tensor(of_queries)).t2i == found


SIDES = Report(Recall(1, 20, 300, median_rank=7, mean_rank=8.5), Recall(4000, 5e4, 6e5, median_rank=9, mean_rank=10.5))


def test_rsum_adds_each_of_the_six_recalls_once():
    assert SIDES.rsum == 654_321


def test_the_dictionary_names_each_side_and_metric():
    assert SIDES.as_dict() == {
        "i2t_r1": 1,
        "i2t_r5": 20,
        "i2t_r10": 300,
        "i2t_median_rank": 7,
        "i2t_mean_rank": 8.5,
        "t2i_r1": 4000,
        "t2i_r5": 5e4,
        "t2i_r10": 6e5,
        "t2i_median_rank": 9,
        "t2i_mean_rank": 10.5,
        "rsum": 654_321,
    }


def test_a_printed_report_has_a_line_per_direction():
    percent = Report(Recall(10, 20, 30, median_rank=7, mean_rank=8), Recall(40, 50, 60, median_rank=9, mean_rank=10))
    lines = [line.split() for line in repr(percent).splitlines()]
    assert lines[0] == ["R@1", "R@5", "R@10", "median", "rank"]
    assert lines[1] == ["image", "to", "captions", "10.0", "20.0", "30.0", "7"]
    assert lines[2] == ["caption", "to", "images", "40.0", "50.0", "60.0", "9"]
    assert lines[3] == ["rsum", "210.0"] and len(lines) == 4


def test_images_search_captions_and_captions_search_images():
    scores = torch.tensor([[0.9, 0.1, 0.8], [0.7, 0.2, 0.3]])  # image 1 finds caption 0 first, caption 2 finds image 0
    found = evaluate(scores, torch.tensor([0, 1, 1]))
    assert (found.i2t.r1, found.t2i.r1) == (pytest.approx(50), pytest.approx(200 / 3))


@pytest.mark.parametrize("chunk", [0, -1])
def test_a_chunk_of_nothing_is_refused(chunk):
    with pytest.raises(ItmError, match="chunk"):
        evaluate(torch.rand(3, 3), torch.arange(3), chunk=chunk)


@pytest.mark.parametrize(
    ("scores", "image_of", "message"),
    [
        (torch.full((2, 2), float("nan")), torch.tensor([0, 1]), "nan"),
        (torch.full((2, 2), float("inf")), torch.tensor([0, 1]), "inf"),
        (torch.zeros(2, 3), torch.tensor([0, 1]), "image_of"),
        (torch.zeros(2, 2), torch.tensor([0, 2]), "image_of"),
        (torch.zeros(2, 2), torch.tensor([0.0, 1.0]), "long"),
        (torch.zeros(2, 2, dtype=torch.int64), torch.tensor([0, 1]), "floating"),
        (torch.zeros(4), torch.tensor([0, 1]), "n_images, n_captions"),
        (torch.zeros(2, 2), [0, 1], "torch.tensor"),
        (torch.zeros(2, 0), torch.zeros(0, dtype=torch.int64), "no caption"),
    ],
)
def test_bad_input_is_refused_with_a_clear_message(scores, image_of, message):
    with pytest.raises(ItmError, match=message):
        evaluate(scores, image_of)
