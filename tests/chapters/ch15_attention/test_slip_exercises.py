"""The exercises on messages, negatives and regions: right answers pass; the slips of code and papers are named."""

import pytest
import torch
from torch.nn.functional import normalize, softplus

from itm_tutorial.chapters.ch15_attention.slip_exercises import SLIP_EXERCISES
from itm_tutorial.encoders.region_reasoning import RegionReasoning
from itm_tutorial.interaction.graph_matching import StructureMatch
from itm_tutorial.losses.hardest_bce import HardestNegativeBCE

messages, bce, reason = SLIP_EXERCISES


def messages_by_einsum(x, edges, weight, bias):
    return (torch.einsum("ij,kwb,jb->ikw", edges, weight, x).flatten(1) + bias).relu()


def messages_by_sending(x, edges, weight, bias):
    return (edges @ (x @ weight.flatten(0, 1).T) + bias).clamp(min=0)


def messages_by_kernels(x, edges, weight, bias):
    return torch.cat([edges @ x @ w.T for w in weight], 1).add(bias).relu()


def bce_by_loss(matches):
    return HardestNegativeBCE()(matches.logit(), torch.eye(len(matches), dtype=torch.bool))


def bce_by_logarithms(matches):
    off = (1 - matches).log().masked_fill(torch.eye(len(matches), dtype=torch.bool), torch.inf)
    return -(2 * matches.diag().log() + off.amin(0) + off.amin(1)).sum()


def bce_by_zeroing(matches):
    off = matches * (1 - torch.eye(len(matches)))
    x = off.max(1).values, off.max(0).values
    return (softplus(-matches.diag().logit()) * 2).sum() - sum(torch.log1p(-one).sum() for one in x)


def reason_by_layer(regions, phi, psi, message, out):
    layer = RegionReasoning(regions.shape[2])
    for part, matrix in ((layer.phi, phi), (layer.psi, psi), (layer.message, message), (layer.out, out)):
        part.weight.data, part.bias.data = matrix.clone(), torch.zeros(len(matrix))
    with torch.no_grad():
        v = normalize(regions, dim=-1)
        return layer.out(layer.affinities(v) @ layer.message(v)) + v


def reason_by_images(regions, phi, psi, message, out):
    found = []
    for image in regions:
        v = image / image.norm(dim=1, keepdim=True)
        r = v @ phi.T @ psi @ v.T
        found.append(r @ v @ (out @ message).T / len(v) + v)
    return torch.stack(found)


def reason_by_einsum(regions, phi, psi, message, out):
    v = normalize(regions, dim=2)
    r = torch.einsum("bid,bjd->bij", v @ phi.T, v @ psi.T).div(regions.shape[1])
    return v + torch.einsum("bij,bjd->bid", r, v @ message.T @ out.T)


RIGHT = {
    "node_messages": (messages_by_einsum, messages_by_sending, messages_by_kernels),
    "hardest_bce": (bce_by_loss, bce_by_logarithms, bce_by_zeroing),
    "reason": (reason_by_layer, reason_by_images, reason_by_einsum),
}
WRONG = {
    "node_messages": (
        (lambda *a: messages_by_einsum(*a).T, "[n_nodes, n_kernels * width]"),
        (lambda *a: messages_by_einsum(*a).mean(0, keepdim=True), "[n_nodes, n_kernels * width]"),
        (lambda *a: messages_by_einsum(*a).clamp(max=3), "a sparse graph"),
        (lambda x, e, w, b: messages_by_einsum(x, e @ e, w, b), "a sparse graph"),
    ),
    "hardest_bce": (
        (lambda m: bce_by_loss(m)[None], "right shape is []"),
        (lambda m: bce_by_loss(m) / len(m) ** 2, "several pairs"),
        (lambda m: bce_by_loss(m).log(), "several pairs"),
        (lambda m: bce_by_loss(m.flip(0)), "several pairs"),
    ),
    "reason": (
        (lambda *a: reason_by_images(*a).mean(1), "[n_images, n_regions, dim]"),
        (lambda *a: reason_by_images(*a)[:1], "several images"),
        (lambda x, p, s, m, o: reason_by_images(x, p.T, s, m, o), "several images"),
        (lambda *a: normalize(reason_by_images(*a), dim=2), "several images"),
    ),
}
each = pytest.mark.parametrize("exercise", SLIP_EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    assert exercise.chapter == "15_attention"
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


@each
def test_an_unwritten_answer_says_how_to_begin(exercise, exercise_checks):
    exercise_checks.stubs(exercise)


def test_a_message_arrives_where_an_edge_is_and_nowhere_else():
    g = torch.Generator().manual_seed(0)
    x, weight, bias = torch.randn(4, 3, generator=g), torch.randn(2, 4, 3, generator=g), torch.full((8,), 9.0)
    edges = torch.eye(4)
    edges[0, 3] = 0.5  # node 0 hears node 3
    changed = x.clone()
    changed[3] += 1
    moved = messages.own(x, edges, weight, bias) != messages.own(changed, edges, weight, bias)
    assert moved.any(1).tolist() == [True, False, False, True]
    slip = messages.mistakes[0][0]
    moved = slip(x, edges, weight, bias) != slip(changed, edges, weight, bias)
    assert moved.any(1).tolist() == [False, False, False, True]  # the public code: node 0 hears nothing of node 3


def test_the_messages_are_those_of_the_model():
    x, edges, weight, bias = messages.inputs["a complete graph"](torch.Generator().manual_seed(0))
    block = StructureMatch(x.shape[1], len(weight), weight.shape[1])
    block.project.weight.data, block.bias.data = weight.flatten(0, 1), bias
    with torch.no_grad():
        theirs = block.nodes(x[None, None], edges[None])[0, 0]
    assert torch.allclose(messages.own(x, edges, weight, bias), theirs, atol=1e-5)


def test_the_printed_loss_takes_the_easiest_negative():
    matches = torch.tensor([[0.8, 0.3, 0.1], [0.6, 0.7, 0.2], [0.1, 0.4, 0.9]])
    assert bce.own(matches).item() == pytest.approx(4.8044, abs=1e-4)
    assert bce.mistakes[0][0](matches).item() == pytest.approx(2.3716, abs=1e-4)


def test_lengths_are_those_of_regions():
    zero = torch.zeros(2, 2)
    regions = torch.tensor([[[3.0, 0.0], [4.0, 1.0]]])
    wrong = reason.mistakes[0][0](regions, zero, zero, zero, zero)[0]
    assert wrong.flatten().tolist() == pytest.approx([0.6, 0.0, 0.8, 1.0])
    assert reason.own(regions, zero, zero, zero, zero)[0].norm(dim=1).tolist() == pytest.approx([1.0, 1.0])
