"""The exercises on memory, fovea and plan: right answers pass, however they are written; typical mistakes are named."""

import pytest
import torch
from torch.nn.functional import cosine_similarity, normalize

from itm_tutorial.chapters.ch15_attention.build_exercises import BUILD_EXERCISES
from itm_tutorial.interaction.adaptive_scaling import foveal_cosines
from itm_tutorial.interaction.recurrent_attention import Memory, recurrent_attention
from itm_tutorial.interaction.transport import proximal_plan

memory, fovea, plan = BUILD_EXERCISES
EYE = torch.eye(2)
WORDS = normalize(torch.tensor([[0.8, 0.6], [0.1, 0.995]]), dim=1)
TANH = torch.cat([torch.zeros(2, 2), EYE], 1)  # the content is tanh(c)


def memory_by_package(queries, keys, w_gate, w_content, smooth, n_steps):
    dim = queries.shape[1]
    block = Memory(dim)
    both = torch.cat([w_gate, w_content])
    block.of_query.weight.data, block.of_attended.weight.data = both[:, :dim].clone(), both[:, dim:].clone()
    block.of_query.bias.data.zero_()
    with torch.no_grad():
        found = recurrent_attention(queries[None], keys[None], None, None, n_steps, smooth, block)
    return found.cosines.mean(3).flatten()


def memory_by_difference(queries, keys, w_gate, w_content, smooth, n_steps):
    x, found = queries.clone(), torch.zeros(n_steps)
    for step in range(n_steps):
        z = (normalize(x, dim=1) @ keys.T).clamp(min=0)
        z = z / z.norm(dim=0, keepdim=True).clamp(min=1e-12)
        c = torch.softmax(z * smooth, 1) @ keys
        found[step] = (normalize(queries, dim=1) * normalize(c, dim=1)).sum(1).mean()
        half = queries.shape[1]
        g = torch.sigmoid(x @ w_gate[:, :half].T + c @ w_gate[:, half:].T)
        o = torch.tanh(x @ w_content[:, :half].T + c @ w_content[:, half:].T)
        x = o + g * (x - o)
    return found


def memory_by_float64(*inputs):
    wide = [one.double() if isinstance(one, torch.Tensor) else one for one in inputs]
    return memory_by_difference(*wide).float()


def fovea_by_sum(items, caption, gamma, beta, smooth):
    x = items * (1 + gamma) + beta
    return cosine_similarity((torch.softmax(x * smooth, 0) * x).sum(0), caption, dim=0)  # n_regions drops out


def fovea_without_shift_inside(items, caption, gamma, beta, smooth):
    weights = (items * (1 + gamma) * smooth).softmax(0)  # beta drops out of the softmax
    pooled = (weights * items).sum(0) * (1 + gamma) + beta
    return (normalize(pooled, dim=0) * normalize(caption, dim=0)).sum()


def fovea_by_channels(items, caption, gamma, beta, smooth):
    pooled = []
    for n, scale, shift in zip(items.T, gamma, beta, strict=True):
        x = n * (1 + scale) + shift
        pooled.append((smooth * x).softmax(0) @ x)
    pooled = torch.stack(pooled)
    return pooled @ caption / (pooled.norm() * caption.norm())


def plan_by_package(cost, beta, n_steps):
    return proximal_plan(cost, torch.ones(cost.shape[1], dtype=torch.bool), beta, n_steps)


def plan_by_any_start(cost, beta, n_steps):
    kernel, T = torch.exp(-cost / beta), torch.full_like(cost, 7.0)  # a constant of T or sigma cancels
    sigma = torch.ones(cost.shape[1])
    for _ in range(n_steps):
        Q = kernel * T
        delta = 1 / (len(cost) * (Q @ sigma))
        sigma = 1 / (cost.shape[1] * (delta @ Q))
        T = torch.diag(delta) @ Q @ torch.diag(sigma)
    return T


def plan_in_logs(cost, beta, n_steps):
    (n, m), log_t = cost.shape, torch.zeros_like(cost)
    n, m, log_sigma = torch.tensor(float(n)), torch.tensor(float(m)), torch.zeros(cost.shape[1])
    for _ in range(n_steps):
        log_q = log_t - cost / beta
        log_delta = -n.log() - (log_q + log_sigma).logsumexp(1)
        log_sigma = -m.log() - (log_q + log_delta[:, None]).logsumexp(0)
        log_t = log_q + log_delta[:, None] + log_sigma
    return log_t.exp()


RIGHT = {
    "memory_scores": (memory_by_package, memory_by_difference, memory_by_float64),
    "foveal_score": (fovea_by_sum, fovea_without_shift_inside, fovea_by_channels),
    "transport_plan": (plan_by_package, plan_by_any_start, plan_in_logs),
}
WRONG = {
    "memory_scores": (
        (lambda *a: memory_by_difference(*a).sum(), "[n_steps]"),
        (lambda *a: memory_by_difference(*a)[-1:], "[n_steps]"),
        (lambda *a: memory_by_difference(*a).cumsum(0), "several steps"),
        (lambda q, k, g, o, s, n: memory_by_difference(q, k, g.clamp(-9, 9), o, 1.0, n), "several steps"),
    ),
    "foveal_score": (
        (lambda *a: fovea_by_sum(*a)[None], "right shape is []"),
        (lambda *a: -fovea_by_sum(*a), "several regions"),
        (lambda n, t, g, b, s: fovea_by_sum(n.flip(1), t, g, b, s), "several regions"),
        (lambda n, t, g, b, s: fovea_by_sum(normalize(n, dim=1), t, g, b, s), "several regions"),
    ),
    "transport_plan": (
        (lambda *a: plan_by_package(*a).T, "[n_regions, n_words]"),
        (lambda c, b, n: plan_by_package(c, b, n + 1), "several steps"),
        (lambda c, b, n: plan_by_package(c, b, 20 * n), "several steps"),
        (lambda c, b, n: torch.full_like(c, 1 / c.numel()), "several steps"),
    ),
}
each = pytest.mark.parametrize("exercise", BUILD_EXERCISES, ids=lambda exercise: exercise.name)


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


def test_an_example_of_the_memory_that_was_computed_by_hand():
    inputs = WORDS, EYE, torch.zeros(2, 4), TANH, 2.0, 3
    assert memory.own(*inputs).tolist() == pytest.approx([0.9772, 0.9725, 0.9686], abs=1e-4)
    refined = memory.mistakes[0][0](*inputs)  # which rises, although the picture fits no better
    assert refined.tolist() == pytest.approx([0.9772, 0.9879, 0.9938], abs=1e-4)


def test_an_example_of_the_fovea_that_was_computed_by_hand():
    caption, shift = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    inputs = torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), caption, torch.tensor([1.0, 0.0]), shift, 1.0
    assert fovea.own(*inputs).item() == pytest.approx(0.8919, abs=1e-4)
    without = next(wrong for wrong, message in fovea.mistakes if "the fovea is missing" in message)
    assert without(*inputs).item() == pytest.approx(0.4472, abs=1e-4)
    items, _, gamma, beta, smooth = inputs
    parts = caption[None, None, None], (1 + gamma)[None, None, None], beta[None, None, None]
    assert foveal_cosines(items[None, None], *parts, None, smooth).item() == pytest.approx(0.8919, abs=1e-4)


def test_the_plan_goes_to_exact_transport_and_sinkhorns_does_not():
    cost = torch.tensor([[0.1, 0.4], [0.5, 0.3]])
    found = [plan.own(cost, 0.5, steps)[0, 0].item() for steps in (1, 5, 20)]
    assert found == pytest.approx([0.3083, 0.4622, 0.5], abs=1e-4)
    smooth = plan.mistakes[0][0](cost, 0.5, 20)
    assert smooth[0, 0].item() == pytest.approx(0.3112, abs=1e-4)
    assert (cost * plan.own(cost, 0.5, 20)).sum().item() == pytest.approx(0.2, abs=1e-4)
    assert (cost * smooth).sum().item() == pytest.approx(0.2944, abs=1e-3)
