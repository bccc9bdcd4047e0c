"""Corrections of scores, each beside a loop over scalars written from its equation, and its known wrong variants."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.retrieval.corrections import csls, divide_by_prior, inverted_softmax, subtract_distraction

# rows are images; image 0 is a hub: it lies nearest to both captions, though the second belongs to image 1
HUB = torch.tensor([[0.9, 0.6], [0.3, 0.5]])
NAN, INFINITE = float("nan"), float("inf")


def random_scores(n_images, n_captions, seed=0, scale=1.0):
    return scale * (2 * torch.rand(n_images, n_captions, generator=torch.Generator().manual_seed(seed)) - 1)


def mean_of_largest(values, k):
    return sum(sorted(values, reverse=True)[:k]) / k


def log_sum_exp(values):
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


def unchanged(function, *tensors, **options):
    """Calls a function and asserts that it leaves its tensors alone, and gives no view of them."""
    before = [tensor.clone() for tensor in tensors]
    made = function(*tensors, **options)
    assert all(torch.equal(now, then) for now, then in zip(tensors, before, strict=True))
    made.mul_(0)
    assert all(torch.equal(now, then) for now, then in zip(tensors, before, strict=True))
    return function(*tensors, **options)


sizes = st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(0, 1_000))

# ---- CSLS


def test_csls_takes_a_hub_out_of_the_way():
    assert HUB[:, 1].argmax() == 0
    corrected = unchanged(csls, HUB, k=1)
    # r = .9 and .5 of the images, .9 and .6 of the captions: 2 * .9 - .9 - .9 and so on
    assert torch.allclose(corrected, torch.tensor([[0.0, -0.3], [-0.8, -0.1]]), atol=1e-6)
    assert corrected[:, 1].argmax() == 1
    once = HUB - torch.tensor([[0.9], [0.5]]) - torch.tensor([[0.9, 0.6]])  # a known mistake: S where 2 S belongs
    assert not torch.allclose(corrected, once, atol=0.05)


@given(sizes, st.integers(1, 7))
@settings(max_examples=50)
def test_csls_is_its_equation(size, k):
    n_images, n_captions, seed = size
    k = min(k, n_images, n_captions)
    scores = random_scores(n_images, n_captions, seed)
    corrected = unchanged(csls, scores, k=k)
    for i in range(n_images):
        for c in range(n_captions):
            r_image = mean_of_largest(scores[i].tolist(), k)
            r_caption = mean_of_largest(scores[:, c].tolist(), k)
            assert corrected[i, c].item() == pytest.approx(2 * scores[i, c].item() - r_image - r_caption, abs=1e-5)


def test_csls_of_more_than_a_chunk_and_of_training_neighbours(monkeypatch):
    monkeypatch.setattr("itm_tutorial.retrieval.corrections.CHUNK", 3)
    scores, captions, images = random_scores(7, 8), random_scores(7, 5, 1), random_scores(4, 8, 2)
    both = csls(scores, 2, train_captions=captions, train_images=images)
    for i in range(7):
        for c in range(8):
            r = mean_of_largest(captions[i].tolist(), 2) + mean_of_largest(images[:, c].tolist(), 2)
            assert both[i, c].item() == pytest.approx(2 * scores[i, c].item() - r, abs=1e-5)
    # what is left out is taken from the scores themselves
    assert torch.allclose(csls(scores, 2), csls(scores, 2, train_captions=scores, train_images=scores))
    # with training neighbours a query's result does not depend on the other queries
    alone = csls(scores[:, :1], 2, train_captions=captions, train_images=images[:, :1])
    assert torch.allclose(alone, both[:, :1])


def test_in_one_direction_one_side_of_csls_decides():
    scores = random_scores(6, 9)
    corrected = csls(scores, 3)
    r_image = torch.tensor([mean_of_largest(row.tolist(), 3) for row in scores])
    r_caption = torch.tensor([mean_of_largest(column.tolist(), 3) for column in scores.T])
    assert torch.equal(corrected.argsort(0), (2 * scores - r_image[:, None]).argsort(0))  # t2i
    assert torch.equal(corrected.argsort(1), (2 * scores - r_caption).argsort(1))  # i2t
    assert not torch.equal(corrected.argsort(0), scores.argsort(0))  # and it does decide something


@pytest.mark.parametrize("k", [0, -1, 4, 10])
def test_csls_refuses_more_neighbours_than_there_are(k):
    with pytest.raises(ItmError, match=f"k is {k}, but there are {20 if k < 1 else 3}"):
        csls(random_scores(3, 20), k)
    with pytest.raises(ItmError, match=f"k is {k}, but there are 3 captions"):
        csls(random_scores(20, 3), k)
    with pytest.raises(ItmError, match=f"k is {k}, but there are 3 captions"):
        csls(random_scores(20, 20), k, train_captions=random_scores(20, 3))
    with pytest.raises(ItmError, match=r"train_images is \[20, 3\] for scores \[20, 20\]: .* same captions"):
        csls(random_scores(20, 20), 2, train_images=random_scores(20, 3))


# ---- inverted softmax


def test_inverted_softmax_takes_a_hub_out_of_the_way():
    corrected = unchanged(inverted_softmax, HUB, temperature=0.1, direction="t2i")
    # image 0: e^9 and e^6 of e^9 + e^6; image 1: e^3 and e^5 of e^3 + e^5
    total = [math.log(math.exp(9) + math.exp(6)), math.log(math.exp(3) + math.exp(5))]
    expected = torch.tensor([[9 - total[0], 6 - total[0]], [3 - total[1], 5 - total[1]]])
    assert torch.allclose(corrected, expected, atol=1e-5)
    assert corrected[:, 1].argmax() == 1 and corrected[:, 0].argmax() == 0
    # a known mistake: the ordinary softmax, over the items, changes no ranking
    assert torch.equal((HUB / 0.1).log_softmax(0).argsort(0), HUB.argsort(0))


@given(sizes, st.floats(0.01, 3), st.sampled_from(["t2i", "i2t"]))
@settings(max_examples=50)
def test_inverted_softmax_is_its_equation(size, temperature, direction):
    n_images, n_captions, seed = size
    scores = random_scores(n_images, n_captions, seed)
    corrected = unchanged(inverted_softmax, scores, temperature=temperature, direction=direction)
    for i in range(n_images):
        for c in range(n_captions):
            queries = scores[i] if direction == "t2i" else scores[:, c]
            total = log_sum_exp([query / temperature for query in queries.tolist()])
            assert corrected[i, c].item() == pytest.approx(scores[i, c].item() / temperature - total, abs=1e-3)
    assert torch.allclose(corrected.exp().sum(1 if direction == "t2i" else 0), torch.tensor(1.0), atol=1e-3)
    other = "i2t" if direction == "t2i" else "t2i"
    mirrored = inverted_softmax(scores.T, temperature, other).T
    assert torch.allclose(corrected, mirrored, atol=1e-3)


def test_inverted_softmax_over_training_queries():
    scores, bank = random_scores(4, 6), random_scores(4, 9, 1)
    corrected = unchanged(lambda s, b: inverted_softmax(s, 0.2, "t2i", train_scores=b), scores, bank)
    for i in range(4):
        total = log_sum_exp([query / 0.2 for query in bank[i].tolist()])
        assert torch.allclose(corrected[i], scores[i] / 0.2 - total, atol=1e-5)
    assert torch.allclose(corrected[:, :2], inverted_softmax(scores[:, :2], 0.2, "t2i", train_scores=bank))
    mirrored = inverted_softmax(scores.T, 0.2, "i2t", train_scores=bank.T)
    assert torch.allclose(mirrored.T, corrected, atol=1e-5)
    with pytest.raises(ItmError, match=r"train_scores is \[4, 9\] for scores \[6, 4\]: .* same images"):
        inverted_softmax(scores.T, 0.2, "t2i", train_scores=bank)


def test_inverted_softmax_makes_no_ties_where_probabilities_underflow():
    scores = torch.tensor([[1.0, -1.0, -0.9, -0.8]])
    assert (scores / 0.005).softmax(1)[0, 1:].tolist() == [0.0, 0.0, 0.0]
    assert len(inverted_softmax(scores, 0.005, "t2i").unique()) == 4


@pytest.mark.parametrize("temperature", [0.0, -1.0, NAN, INFINITE])
def test_inverted_softmax_refuses_a_temperature_that_is_none(temperature):
    with pytest.raises(ItmError, match="temperature is .*; give a number above 0"):
        inverted_softmax(HUB, temperature, "t2i")
    with pytest.raises(ItmError, match="unknown direction 't2t': did you mean"):
        inverted_softmax(HUB, 1.0, "t2t")


# ---- division by the prior

# a caption that is likely under every image, and one that is likely under its own image 0
LIKELY = torch.tensor([[-2.0, -5.0], [-2.0, -9.0], [-2.0, -9.0], [-2.0, -9.0]])


def test_division_by_the_prior_prefers_the_specific_caption():
    assert LIKELY[0].argmax() == 0
    divided = unchanged(divide_by_prior, LIKELY, LIKELY)
    assert divided[0].tolist() == pytest.approx([0.0, 1.333], abs=5e-4)  # the mean over the four images
    summed = LIKELY[0] - LIKELY.logsumexp(0)  # a known variant: the sum moves every score by log 4
    assert divided[0].tolist() == pytest.approx((summed + math.log(4)).tolist(), abs=1e-5)


@given(sizes, st.integers(1, 6))
@settings(max_examples=50)
def test_division_by_the_prior_is_its_equation(size, n_train):
    n_images, n_captions, seed = size
    own = random_scores(n_images, n_captions, seed, scale=75.0) - 75
    train = random_scores(n_train, n_captions, seed + 1, scale=75.0) - 75
    divided = unchanged(divide_by_prior, own, train)
    for i in range(n_images):
        for c in range(n_captions):
            prior = log_sum_exp(train[:, c].tolist()) - math.log(n_train)
            assert divided[i, c].item() == pytest.approx(own[i, c].item() - prior, abs=1e-4)


def test_division_by_the_prior_leaves_every_ranking_of_images_alone():
    own, train = random_scores(9, 12, 0, 8.0) - 10, random_scores(20, 12, 1, 8.0) - 10
    divided = divide_by_prior(own, train)
    assert torch.equal(divided.argsort(0), own.argsort(0))  # t2i
    assert not torch.equal(divided.argsort(1), own.argsort(1))  # i2t
    blind = own[:1].expand(9, -1)  # a writer that does not look at the image
    assert torch.allclose(divide_by_prior(blind, blind), torch.zeros(9, 12), atol=1e-6)


def test_division_by_the_prior_refuses_what_is_no_logarithm_of_a_probability():
    with pytest.raises(ItmError, match="log_likelihoods reaches 0.9: the logarithm of a probability is 0 or below"):
        divide_by_prior(HUB, LIKELY)
    with pytest.raises(ItmError, match="train_log_likelihoods reaches 0.9"):
        divide_by_prior(LIKELY, HUB)
    with pytest.raises(ItmError, match=r"train_log_likelihoods is \[4, 2\] for scores \[2, 3\]: .* same captions"):
        divide_by_prior(LIKELY.new_zeros(2, 3), LIKELY)


# ---- distraction


def test_distraction_is_its_equation():
    scores, prominence = random_scores(3, 4), random_scores(3, 5, 1).abs()
    asked = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(2))
    corrected = unchanged(lambda *tensors: subtract_distraction(*tensors, weight=0.7), scores, asked, prominence)
    for i in range(3):
        for c in range(4):
            lost = sum(prominence[i, r].item() * (1 - asked[i, c, r].item()) for r in range(5))
            assert corrected[i, c].item() == pytest.approx(scores[i, c].item() - 0.7 * lost, abs=1e-5)


def test_distraction_costs_nothing_where_all_is_asked_and_one_prominence_per_region():
    scores, prominence = random_scores(3, 4), random_scores(3, 5, 1).abs()
    asked = torch.ones(3, 4, 5)
    assert torch.equal(subtract_distraction(scores, asked, prominence, 3.0), scores)
    asked[:, :, 2] = 0
    lost = scores - subtract_distraction(scores, asked, prominence, 1.0)
    assert torch.allclose(lost, prominence[:, 2:3].expand(-1, 4), atol=1e-6)
    more = torch.cat([asked, torch.zeros(3, 4, 1)], 2)  # one more region that nobody asked for
    seen = torch.cat([prominence, torch.full((3, 1), 0.25)], 1)
    lost = subtract_distraction(scores, asked, prominence, 1.0) - subtract_distraction(scores, more, seen, 1.0)
    assert torch.allclose(lost, torch.tensor(0.25), atol=1e-6)
    assert torch.equal(subtract_distraction(scores, more, seen, 0.0), scores)


def test_distraction_refuses_what_is_out_of_range():
    scores, asked, prominence = random_scores(3, 4), torch.zeros(3, 4, 5), torch.ones(3, 5)
    for wrong in (asked - 0.1, asked + 1.1, asked + NAN):
        with pytest.raises(ItmError, match="asked: numbers must lie from 0 to 1"):
            subtract_distraction(scores, wrong, prominence, 1.0)
    for wrong in (prominence - 2, prominence + NAN, prominence + INFINITE):
        with pytest.raises(ItmError, match="prominence: numbers must be finite and 0 or above"):
            subtract_distraction(scores, asked, wrong, 1.0)
    for weight in (-1.0, NAN, INFINITE):
        with pytest.raises(ItmError, match="weight is .*; give 0 or more"):
            subtract_distraction(scores, asked, prominence, weight)
    with pytest.raises(ItmError, match=r"asked is \[4, 3, 5\]"):
        subtract_distraction(scores, asked.transpose(0, 1), prominence, 1.0)
    with pytest.raises(ItmError, match=r"prominence \[3, 4\]"):
        subtract_distraction(scores, asked, prominence[:, :4], 1.0)


# ---- all of them

CALLS = {
    "csls": lambda scores: csls(scores, 1),
    "csls, captions": lambda scores: csls(torch.zeros(2, 2), 1, train_captions=scores),
    "csls, images": lambda scores: csls(torch.zeros(2, 2), 1, train_images=scores),
    "inverted softmax": lambda scores: inverted_softmax(scores, 1.0, "i2t"),
    "inverted softmax, training": lambda scores: inverted_softmax(torch.zeros(2, 2), 1.0, "i2t", train_scores=scores),
    "prior": lambda scores: divide_by_prior(scores, torch.zeros(2, 2)),
    "prior, training": lambda scores: divide_by_prior(torch.zeros(2, 2), scores),
    "distraction": lambda scores: subtract_distraction(scores, torch.ones(2, 2, 1), torch.ones(2, 1), 1.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_finite_matrix_is_refused(name):
    call = CALLS[name]
    assert call(torch.zeros(2, 2)).shape == (2, 2)
    for bad in (NAN, INFINITE, -INFINITE):
        scores = torch.zeros(2, 2)
        scores[1, 0] = bad
        with pytest.raises(ItmError, match=rf"{bad} at \[1, 0\]; all numbers must be finite"):
            call(scores)
    for wrong in (torch.zeros(2), torch.zeros(2, 2, 2), torch.zeros(2, 2).long(), [[0.0, 0.0], [0.0, 0.0]]):
        with pytest.raises(ItmError, match="give a floating tensor"):
            call(wrong)
    with pytest.raises(ItmError, match="give a floating tensor"):
        call(torch.zeros(0, 2))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_dtype_stays(dtype):
    scores = random_scores(4, 4).to(dtype)
    assert csls(scores, 2).dtype == inverted_softmax(scores, 0.1, "t2i").dtype == dtype
    assert divide_by_prior(scores - 2, scores - 2).dtype == dtype
    assert subtract_distraction(scores, torch.ones(4, 4, 3), torch.ones(4, 3), 1.0).dtype == dtype
