"""Identification and projection losses, compared with loops in double precision, with repeated identities."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from itm_tutorial.errors import ItmError
from itm_tutorial.losses.identity import IdentityNumbers, InstanceLoss, NormSoftmax, instance_loss, norm_softmax
from itm_tutorial.losses.projection import CMPC, CMPM, cmpc, cmpm, projected


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def unit(vector):
    length = math.sqrt(dot(vector, vector))
    return [x / length for x in vector] if length > 1e-6 else [x / 1e-6 for x in vector]


def softmax(row):
    top = max(row)
    powers = [math.exp(x - top) for x in row]
    return [power / sum(powers) for power in powers]


def cross_entropy_by_loop(rows, labels):
    return sum(-math.log(softmax(row)[y]) for row, y in zip(rows, labels, strict=True)) / len(rows)


def one_way_by_loop(embeddings, others, of_embeddings, of_others):
    """Zhang and Lu 2018, the CMPM loss of one direction, as in their code."""
    total = 0.0
    for embedding, own in zip(embeddings, of_embeddings, strict=True):
        p = softmax([dot(embedding, unit(other)) for other in others])
        positives = [float(own == other) for other in of_others]
        q = [y / sum(positives) for y in positives]
        total += sum(a * math.log(a / (b + 1e-8) + 1e-8) for a, b in zip(p, q, strict=True))
    return total / len(embeddings)


@st.composite
def cases(draw):
    """Identities of images (some twice), the image of each caption (each image at least once), a seed, a length."""
    of_images = [0, 1, *draw(st.lists(st.integers(0, 2), max_size=4))]
    extra = draw(st.lists(st.integers(0, len(of_images) - 1), max_size=5))
    return of_images, [*range(len(of_images)), *extra], draw(st.integers(0, 10_000)), draw(st.sampled_from([0.3, 1, 6]))


def embeddings(case, dim=4):
    of_images, image_of, seed, length = case
    generator = torch.Generator().manual_seed(seed)
    images = length * torch.randn(len(of_images), dim, generator=generator, dtype=torch.float64)
    captions = length * torch.randn(len(image_of), dim, generator=generator, dtype=torch.float64)
    return images, captions, torch.tensor(of_images), torch.tensor(of_images)[torch.tensor(image_of)]


@given(cases(), st.booleans())
def test_cmpm_equals_the_loop(case, with_a_zero):
    images, captions, of_images, of_captions = embeddings(case)
    if with_a_zero:
        images[0], captions[-1] = 0, 0
    sides = images.tolist(), captions.tolist(), of_images.tolist(), of_captions.tolist()
    expected = one_way_by_loop(*sides) + one_way_by_loop(sides[1], sides[0], sides[3], sides[2])
    found = CMPM()(images, captions, of_images[:, None] == of_captions)
    assert found.item() == pytest.approx(expected, abs=1e-6)


@given(cases(), st.booleans())
def test_cmpc_equals_the_loop(case, with_a_zero):
    images, captions, of_images, labels = embeddings(case)
    images = images[torch.tensor(case[1])]  # one row per pair
    if with_a_zero:
        images[0], captions[-1] = 0, 0
    classifier = CMPC(3, 4).double()
    columns = [unit(column) for column in classifier.weight.T.tolist()]

    def rows(some, others):
        for embedding, other in zip(some.tolist(), others.tolist(), strict=True):
            along = unit(other)
            part = [dot(embedding, along) * x for x in along]
            yield [dot(part, column) for column in columns]

    expected = cross_entropy_by_loop(list(rows(images, captions)), labels.tolist())
    expected += cross_entropy_by_loop(list(rows(captions, images)), labels.tolist())
    assert classifier(images, captions, labels).item() == pytest.approx(expected, abs=1e-6)


@given(cases(), st.booleans())
def test_instance_loss_and_norm_softmax_equal_their_loops(case, shared):
    images, captions, of_images, of_captions = embeddings(case)
    images[0] = 0
    plain, unit_loss = InstanceLoss(3, 4, shared).double(), NormSoftmax(3, 4, scale=7.0).double()
    assert len(list(plain.parameters())) == (1 if shared else 2)
    expected = [0.0, 0.0]
    for side, labels, weight in ((images, of_images, plain.weights[0]), (captions, of_captions, plain.weights[-1])):
        rows = [[dot(embedding, w) for w in weight.tolist()] for embedding in side.tolist()]
        expected[0] += cross_entropy_by_loop(rows, labels.tolist())
        rows = [[7 * dot(unit(embedding), unit(w)) for w in unit_loss.weight.tolist()] for embedding in side.tolist()]
        expected[1] += cross_entropy_by_loop(rows, labels.tolist())
    found = [loss(images, captions, of_images, of_captions).item() for loss in (plain, unit_loss)]
    assert found == pytest.approx(expected, abs=1e-6)


def test_gradients_are_those_of_the_functions():
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)

    images, captions, weight, pairs = random(3, 4), random(5, 4), random(3, 4), random(5, 4)
    of_images, of_captions = torch.tensor([0, 1, 1]), torch.tensor([0, 1, 1, 0, 1])
    assert gradcheck(lambda a, b: cmpm(a, b, of_images[:, None] == of_captions), (images, captions))
    assert gradcheck(lambda a, b, w: cmpc(a, b, of_captions, w.T), (pairs, captions, weight))
    assert gradcheck(lambda a, b, w: instance_loss(a, b, of_images, of_captions, w, w), (images, captions, weight))
    assert gradcheck(lambda a, w: norm_softmax(a, of_images, w, 5.0), (images, weight))


def test_zero_vectors_give_no_nan():
    images, captions = torch.zeros(3, 4, requires_grad=True), torch.zeros(3, 4, requires_grad=True)
    labels = torch.tensor([0, 1, 1])
    losses = [
        cmpm(images, captions, labels[:, None] == labels),
        CMPC(2, 4)(images, captions, labels),
        InstanceLoss(2, 4)(images, captions, labels, labels),
        NormSoftmax(2, 4)(images, captions, labels, labels),
    ]
    for loss in losses:
        assert loss.isfinite()
        assert all(grad.isfinite().all() for grad in torch.autograd.grad(loss, (images, captions)))
    assert projected(torch.ones(1, 4), torch.zeros(1, 4)).eq(0).all()


def test_large_projections_give_no_nan_in_single_precision():
    images = (1e3 * torch.eye(4)).requires_grad_()
    loss = cmpm(images, -torch.eye(4), torch.eye(4, dtype=torch.bool))
    assert loss.isfinite() and torch.autograd.grad(loss, images)[0].isfinite().all()


def test_a_negative_pair_costs_eighteen_and_the_right_distribution_costs_nothing():
    far = 1e3 * torch.eye(2, dtype=torch.float64)
    positives = torch.eye(2, dtype=torch.bool)
    assert cmpm(far, far, positives).item() == pytest.approx(0, abs=1e-6)
    assert cmpm(far, far, ~positives).item() == pytest.approx(2 * -math.log(1e-8), rel=1e-3)
    same = torch.ones(2, 3, dtype=torch.float64)  # four captions, two of each identity: a half each
    captions = torch.ones(4, 3, dtype=torch.float64)
    positives = torch.tensor([[True, True, False, False], [False, False, True, True]])
    expected = 0.5 * math.log(0.5) + 0.5 * math.log(0.25 / 1e-8)
    assert cmpm(same, captions, positives).item() == pytest.approx(
        expected + 0.5 * math.log(0.5 / 1e-8) + 0.5 * math.log(0.5)
    )


def test_labels_over_their_length_in_place_of_their_sum_would_be_another_loss():
    images, captions = torch.randn(2, 4).double(), torch.randn(4, 4).double()
    positives = torch.tensor([[True, True, False, False], [False, False, True, True]])
    p = (images @ torch.nn.functional.normalize(captions).T).softmax(1)
    q = positives / positives.double().norm(dim=1, keepdim=True)
    other = (p * (p / (q + 1e-8) + 1e-8).log()).sum(1).mean()
    ours = (p * (p / (positives / 2 + 1e-8) + 1e-8).log()).sum(1).mean()
    p = (captions @ torch.nn.functional.normalize(images).T).softmax(1)
    back = (p * (p / (positives.T.double() + 1e-8) + 1e-8).log()).sum(1).mean()
    assert cmpm(images, captions, positives).item() == pytest.approx((ours + back).item())
    assert (ours - other).abs() > 0.05


def separated(shared):
    """How often an image's own caption comes first after training on identities alone."""
    torch.manual_seed(0)
    n, dim = 12, 8
    images, captions = (torch.randn(n, dim, requires_grad=True) for _ in range(2))
    loss, who = InstanceLoss(n, dim, shared), torch.arange(n)
    optimizer = torch.optim.Adam([images, captions, *loss.parameters()], 0.05)
    for _ in range(200):
        optimizer.zero_grad()
        found = loss(images, captions, who, who)
        found.backward()
        optimizer.step()
    assert found < 0.1
    return ((images @ captions.T).argmax(1) == who).float().mean().item()


def test_two_classifiers_sort_both_sides_and_align_neither():
    assert separated(shared=True) == 1
    assert separated(shared=False) < 0.5


def test_bad_input_is_refused_with_a_clear_message():
    embeddings = torch.randn(2, 3)
    with pytest.raises(ItmError, match="caption 1 of the batch has no positive"):
        cmpm(embeddings, embeddings, torch.tensor([[True, False], [True, False]]))
    with pytest.raises(ItmError, match="one identity only"):
        cmpm(embeddings, embeddings, torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(ItmError, match="scale"):
        NormSoftmax(2, 3, scale=0.0)
    with pytest.raises(ItmError, match="each once"):
        IdentityNumbers([])
    with pytest.raises(ItmError, match="2 of them distinct"):
        IdentityNumbers([4, 4, 7])
    numbers = IdentityNumbers([40, 7, 12])
    assert numbers(torch.tensor([12, 40, 7, 7])).tolist() == [1, 2, 0, 0]
    for unseen in (8, 41):
        with pytest.raises(ItmError, match=f"identity {unseen} is not among the 3"):
            numbers(torch.tensor([7, unseen]))
    with pytest.raises(ItmError, match="people"):
        numbers(None)
