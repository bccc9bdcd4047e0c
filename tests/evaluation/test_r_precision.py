"""mAP@R and R-precision against loops from the definition, the published example, ties, and torchmetrics."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.r_precision import average_precision_at_r, evaluate_relevant


def by_loop(scores, relevant):
    """AP@R, R-precision and whether the first answer is right, for one query, on scalars."""
    items = sorted(range(len(scores)), key=lambda i: (-scores[i], relevant[i]))  # of equal scores, wrong ones first
    n = sum(relevant)
    average = hits = 0
    for rank in range(1, n + 1):
        if relevant[items[rank - 1]]:
            hits += 1
            average += hits / rank
    return average / n, hits / n, float(relevant[items[0]])


def report_by_loop(scores, relevant):
    sides = []
    for matrix, marks in ((scores, relevant), (scores.T, relevant.T)):
        rows = [by_loop(*both) for both in zip(matrix.tolist(), marks.tolist(), strict=True) if any(both[1])]
        sides.append([100 * sum(column) / len(rows) for column in zip(*rows, strict=True)])
    return sides


def numbers(side):
    return [side.map_at_r, side.r_precision, side.r1]


def ranked(relevance):
    """Scores that put items in this order, and which are relevant: [1, n] both."""
    return torch.arange(len(relevance), 0, -1.0)[None], torch.tensor([relevance]).bool()


def test_the_example_of_the_definition():
    scores, relevant = ranked([1, 0, 1, 1])
    average, precision, first = average_precision_at_r(scores, relevant)
    assert average.item() == pytest.approx((1 + 0 + 2 / 3) / 3, abs=1e-12)
    assert round(average.item(), 4) == 0.5556 and round(precision.item(), 4) == 0.6667 and first.item() == 1


def test_wrong_variants_give_other_numbers():
    _, relevant = ranked([1, 0, 1, 1])
    ranks = torch.arange(1, 5)
    precision = relevant[0].cumsum(0) / ranks
    plain = (precision * relevant[0]).sum() / 3  # average precision without the cut after rank R
    assert round(plain.item(), 4) == 0.8056
    by_hits = (precision[:3] * relevant[0][:3]).sum() / 2  # divided by the hits instead of R
    assert round(by_hits.item(), 4) == 0.8333


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("levels", [3, 1000])
def test_it_equals_a_loop_with_and_without_ties(seed, levels):
    generator = torch.Generator().manual_seed(seed)
    shape = (9, 14)
    scores = torch.randint(levels, shape, generator=generator).double()
    relevant = torch.rand(shape, generator=generator) < 0.25
    relevant[3] = False  # a query without an answer
    report = evaluate_relevant(scores, relevant, chunk=1 + seed % 4)
    i2t, t2i = report_by_loop(scores, relevant)
    assert numbers(report.i2t) == pytest.approx(i2t, abs=1e-10)
    assert numbers(report.t2i) == pytest.approx(t2i, abs=1e-10)
    assert report.i2t.n_queries == int(relevant.any(1).sum()) < 9
    assert report.t2i.n_relevant == pytest.approx(relevant.sum().item() / report.t2i.n_queries)


def test_it_equals_torchmetrics_r_precision():
    retrieval = pytest.importorskip("torchmetrics.retrieval")
    scores = torch.randperm(200, generator=torch.Generator().manual_seed(1)).float().view(10, 20)
    relevant = torch.rand(10, 20, generator=torch.Generator().manual_seed(2)) < 0.2
    metric = retrieval.RetrievalRPrecision(empty_target_action="skip")
    query = torch.arange(10)[:, None].expand(10, 20)
    theirs = 100 * metric(scores.flatten(), relevant.flatten(), indexes=query.flatten()).item()
    assert evaluate_relevant(scores, relevant).i2t.r_precision == pytest.approx(theirs, abs=1e-4)


def test_a_tie_counts_against_the_model():
    same = evaluate_relevant(torch.zeros(2, 3), torch.tensor([[1, 0, 0], [0, 1, 0]]).bool())
    assert numbers(same.i2t) == [0, 0, 0]
    all_right = evaluate_relevant(torch.zeros(2, 2), torch.ones(2, 2).bool())
    assert numbers(all_right.i2t) == numbers(all_right.t2i) == [100, 100, 100]


def test_with_one_right_answer_all_three_are_r1():
    scores = torch.randn(12, 12, generator=torch.Generator().manual_seed(0))
    report = evaluate_relevant(scores, torch.eye(12).bool())
    for side in (report.i2t, report.t2i):
        assert side.map_at_r == side.r_precision == side.r1


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 10_000))
def test_the_average_lies_between_the_products(n, m, seed):
    generator = torch.Generator().manual_seed(seed)
    scores, relevant = torch.randn(n, m, generator=generator), torch.rand(n, m, generator=generator) < 0.4
    relevant[:, 0] = True
    average, precision, _ = average_precision_at_r(scores, relevant)
    assert (average <= precision + 1e-12).all() and (average >= 0).all()
    order = torch.randperm(m, generator=generator)
    moved, _, _ = average_precision_at_r(scores[:, order], relevant[:, order])
    assert torch.allclose(average, moved)


def test_the_directions_may_have_answers_of_their_own():
    scores = torch.tensor([[3.0, 2.0], [1.0, 4.0]])
    report = evaluate_relevant(scores, torch.tensor([[1, 0], [0, 0]]).bool(), torch.tensor([[0, 1], [0, 1]]).bool())
    assert (report.i2t.n_queries, report.t2i.n_queries, report.t2i.n_relevant) == (1, 1, 2)
    assert "queries" in repr(report) and report.as_dict()["i2t_map_at_r"] == 100


@pytest.mark.parametrize(
    ("scores", "relevant", "message"),
    [
        (torch.zeros(2, 2), torch.zeros(2, 2).bool(), "no image has a right answer"),
        (torch.zeros(2, 2), torch.zeros(2, 3).bool(), r"relevant is \[2, 3\] torch.bool; give a bool tensor \[2, 2\]"),
        (torch.zeros(2, 2), torch.ones(2, 2), "relevant is .*float32"),
        (torch.zeros(2), torch.ones(2).bool(), r"scores is \[2\]"),
        (torch.tensor([[float("nan"), 1]]), torch.ones(1, 2).bool(), "scores: nan for image 0, caption 0"),
        ([[1.0]], torch.ones(1, 1).bool(), "scores is a list"),
    ],
)
def test_wrong_arguments_get_one_sentence(scores, relevant, message):
    with pytest.raises(ItmError, match=message):
        evaluate_relevant(scores, relevant)
