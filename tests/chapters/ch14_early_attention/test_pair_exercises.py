"""The exercises on sm-LSTM's penalty and on SCO: right answers pass, and typical mistakes are named."""

import pytest
import torch

from itm_tutorial.chapters.ch14_early_attention.pair_exercises import PAIR_EXERCISES
from itm_tutorial.encoders.concept_fusion import ConceptImage
from itm_tutorial.interaction import selective_lstm

penalty, presence, fusion = PAIR_EXERCISES


def penalty_by_rows(maps, mask):
    return torch.stack([(1 - maps[:, i][:, real].sum(0)).pow(2).sum() for i, real in enumerate(mask)])


def penalty_by_filling(maps, mask):
    return (maps.sum(0) - 1).masked_fill(~mask, 0).pow(2).sum(-1)


def penalty_written_out(maps, mask):
    total = maps.sum(0)  # sum (1 - x)^2 = R - 2 T + sum x^2
    return mask.sum(1) - 2 * len(maps) + (total * total).sum(1)


def presence_by_logarithms(logits):
    return -torch.nn.functional.logsigmoid(-logits).sum(1).expm1()


def presence_step_by_step(logits):
    found = torch.zeros_like(logits[:, 0])
    for region in logits.unbind(1):
        found = found + region.sigmoid() * (1 - found)
    return found


def presence_by_opposite(logits):
    return 1 - torch.sigmoid(-logits).prod(1)


def fusion_by_lerp(p, g, a, b, bias):
    return torch.lerp(g, p, torch.sigmoid(p @ a.T + g @ b.T + bias))


def fusion_of_both(p, g, a, b, bias):
    gate = torch.sigmoid(torch.addmm(bias, torch.cat([p, g], 1), torch.cat([a, b], 1).T))
    return g + gate * (p - g)


def fusion_by_rows(p, g, a, b, bias):
    rows = []
    for one, other in zip(p, g, strict=True):
        gate = 1 / (1 + (-(a @ one + b @ other + bias)).exp())
        rows.append(gate * one + (1 - gate) * other)
    return torch.stack(rows)


RIGHT = {
    "coverage_penalty": (penalty_by_rows, penalty_by_filling, penalty_written_out),
    "concept_probability": (presence_by_logarithms, presence_step_by_step, presence_by_opposite),
    "gated_fusion": (fusion_by_lerp, fusion_of_both, fusion_by_rows),
}
WRONG = {
    "coverage_penalty": (
        (lambda maps, mask: penalty.own(maps, mask).sum(), "[n]"),
        (lambda maps, mask: penalty.own(maps, mask).sqrt(), "items with padding"),
        (lambda maps, mask: penalty.own(maps[:-1], mask), "items with padding"),
        (lambda maps, mask: (1 - maps.sum(0)).square() * mask, "[n]"),
    ),
    "concept_probability": (
        (lambda x: presence.own(x).T, "[n_images, n_concepts]"),
        (lambda x: presence.own(x.clamp(min=-4)), "rare concepts"),
        (lambda x: presence.own(x[:, :2]), "several regions"),
        (lambda x: 1 - presence_by_logarithms(-x), "several regions"),
    ),
    "gated_fusion": (
        (lambda *x: torch.nn.functional.normalize(fusion.own(*x), dim=1), "random vectors"),
        (lambda *x: torch.cat([fusion.own(*x), x[1]], 1), "[n_images, dim]"),
        (lambda p, g, a, b, bias: (p + g) / 2, "random vectors"),
        (lambda p, g, a, b, bias: fusion.own(p, g, a, b, bias).mean(0), "[n_images, dim]"),
    ),
}
every = pytest.mark.parametrize("exercise", PAIR_EXERCISES, ids=lambda exercise: exercise.name)


@every
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@every
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_the_penalty_is_the_one_of_the_package_and_without_the_square_a_constant():
    generator = torch.Generator().manual_seed(0)
    for draw in penalty.inputs.values():
        maps, mask = draw(generator)
        assert torch.allclose(penalty.own(maps, mask), selective_lstm.coverage_penalty(maps, mask))
        constant = mask.sum(1) - len(maps)
        for wrong, message in penalty.mistakes[:2]:
            power = 2 if "sum is squared" in message else 1
            assert torch.allclose(wrong(maps, mask), constant.float() ** power, atol=1e-4)
    logits = torch.randn(3, 2, 6, generator=generator, requires_grad=True)
    everything = torch.ones(2, 6, dtype=torch.bool)
    slopes = []
    for answer in (penalty.own, penalty.mistakes[0][0]):
        (slope,) = torch.autograd.grad(answer(logits.softmax(2), everything).sum(), logits)
        slopes.append(slope.abs().max().item())
    assert slopes[0] > 0.01 and slopes[1] < 1e-6


def test_the_tiny_example_of_the_penalty():
    maps = torch.tensor([[[0.7, 0.3]], [[0.6, 0.4]], [[0.2, 0.8]]])
    assert penalty.own(maps, torch.ones(1, 2, dtype=torch.bool)).item() == pytest.approx(0.5)


def test_the_tiny_examples_of_concepts():
    chances = torch.tensor([[[0.3], [0.6], [0.2]]])
    assert presence.own(chances.logit()).item() == pytest.approx(0.776)
    assert presence.mistakes[0][0](chances.logit()).item() == pytest.approx(0.6)
    p, g, zero = torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 1]]), torch.zeros(2, 2)
    gated = fusion.own(p, g, zero, zero, torch.tensor([2.0, -1]))[0].tolist()
    assert gated == pytest.approx([0.8808, 0.7311], abs=1e-4)
    exchanged = fusion.mistakes[0][0](p, g, zero, zero, torch.tensor([2.0, -1]))[0].tolist()
    assert exchanged == pytest.approx([0.1192, 0.2689], abs=1e-4)


def test_concepts_and_gate_are_those_of_the_model():
    torch.manual_seed(0)
    part = ConceptImage(6, 5, 4)
    with torch.no_grad():
        features = torch.rand(3, 7, 6)
        logits = part.concept(torch.nn.functional.normalize(features, dim=-1) * 6**0.5)
        assert torch.allclose(presence.own(logits), -part.predict(features).absent.expm1(), atol=1e-6)
        p, g = (torch.nn.functional.normalize(torch.randn(3, 4), dim=1) for _ in range(2))
        weights = (part.mix_concepts.weight, part.mix_context.weight, part.mix_context.bias)
        assert torch.allclose(fusion.own(p, g, *weights), part.fuse(p, g)[1], atol=1e-6)
