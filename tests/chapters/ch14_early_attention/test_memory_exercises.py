"""The exercises on DAN: right answers pass, however they are written, and typical mistakes are named."""

import pytest
import torch

from itm_tutorial.chapters.ch14_early_attention.memory_exercises import MEMORY_EXERCISES
from itm_tutorial.encoders.memory_attention import MemoryAttention
from itm_tutorial.models.dan import ImageSteps

step, steps, means = MEMORY_EXERCISES


def step_by_rows(items, memory, mask, item_map, memory_map, logit):
    found = []
    for some, own, real in zip(items, memory, mask, strict=True):
        hidden = (some[real] @ item_map.T).tanh() * (memory_map @ own).tanh()
        found.append((hidden @ logit).softmax(0) @ some[real])
    return torch.stack(found)


def step_by_einsum(items, memory, mask, item_map, memory_map, logit):
    asked = torch.einsum("nm,hm->nh", memory, memory_map).tanh() * logit
    logits = torch.einsum("nih,nh->ni", torch.einsum("nid,hd->nih", items, item_map).tanh(), asked)
    shares = (logits - logits.amax(1, keepdim=True)).exp() * mask
    return torch.einsum("ni,nid->nd", shares / shares.sum(1, keepdim=True), items)


def step_in_float64(*inputs):
    wide = [x if x.dtype == torch.bool else x.double() for x in inputs]
    return step.own(*wide).float()


def steps_by_rows(regions, item_maps, memory_maps, logits, maps):
    vectors = [(maps[0] @ regions.mean(1).T).T.tanh()]
    for a, b, c, p in zip(item_maps, memory_maps, logits, maps[1:], strict=True):
        memory = torch.stack(vectors).sum(0)
        everything = torch.ones(regions.shape[:2], dtype=torch.bool)
        vectors.append((step_by_rows(regions, memory, everything, a, b, c) @ p.T).tanh())
    return torch.hstack(vectors)


def steps_one_image_at_a_time(regions, *weights):
    return torch.cat([steps.own(one[None], *weights) for one in regions])


def steps_in_a_table(regions, item_maps, memory_maps, logits, maps):
    n, dim = len(regions), maps.shape[1]
    found = torch.zeros(n, len(maps), dim)
    found[:, 0] = torch.tanh(torch.einsum("nrd,od->no", regions, maps[0]) / regions.shape[1])
    for k in range(len(item_maps)):
        asked = torch.tanh(found[:, : k + 1].sum(1) @ memory_maps[k].T) * logits[k]
        weights = torch.einsum("nrh,nh->nr", torch.tanh(regions @ item_maps[k].T), asked).softmax(1)
        found[:, k + 1] = torch.tanh(torch.einsum("nr,nrd,od->no", weights, regions, maps[k + 1]))
    return found.flatten(1)


def means_by_inverse(sorted_states, order, lengths):
    inverse = torch.empty_like(order)
    inverse[order] = torch.arange(len(order))
    rows = zip(sorted_states[inverse], lengths.tolist(), strict=True)
    return torch.stack([row[:n].mean(0) for row, n in rows])


def means_by_placing(sorted_states, order, lengths):
    found = torch.zeros(sorted_states.shape[0], sorted_states.shape[2])
    for row, caption in enumerate(order.tolist()):
        found[caption] = sorted_states[row, : lengths[caption]].mean(0)
    return found


def means_by_filling(sorted_states, order, lengths):
    padding = torch.arange(sorted_states.shape[1]) >= lengths[order][:, None]
    sums = sorted_states.masked_fill(padding[..., None], 0).sum(1) / lengths[order][:, None]
    return torch.zeros_like(sums).index_copy(0, order, sums)


RIGHT = {
    "memory_step": (step_by_rows, step_by_einsum, step_in_float64),
    "image_steps": (steps_by_rows, steps_one_image_at_a_time, steps_in_a_table),
    "mean_words": (means_by_inverse, means_by_placing, means_by_filling),
}
WRONG = {
    "memory_step": (
        (lambda *x: step.own(*x)[:, None], "[n, item_dim]"),
        (lambda *x: step.own(*x).mean(0), "[n, item_dim]"),
        (lambda *x: step.own(*x) * x[2].sum(1, keepdim=True), "items with padding"),
        (lambda *x: step.own(*x[:5], -x[5]), "items with padding"),
    ),
    "image_steps": (
        (lambda *x: steps.own(*x).unflatten(1, (len(x[4]), -1)), "[n_images, (K + 1) * dim]"),
        (lambda *x: steps.own(*x[:3], -x[3], x[4]), "several steps"),
        (lambda r, a, b, c, p: steps.own(r, a, b, c, p.flip(0)), "several steps"),
        (lambda *x: torch.nn.functional.normalize(steps.own(*x), dim=1), "several steps"),
    ),
    "mean_words": (
        (lambda s, order, n: means.own(s, order, n).T, "[n_captions, dim]"),
        (lambda s, order, n: means.own(s, order, n + 1), "sorted captions"),
        (lambda s, order, n: means.own(s, order.flip(0), n), "sorted captions"),
        (lambda s, order, n: s[order.argsort()].amax(1), "sorted captions"),
    ),
}
every = pytest.mark.parametrize("exercise", MEMORY_EXERCISES, ids=lambda exercise: exercise.name)


@every
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@every
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_the_step_is_the_one_of_the_package():
    torch.manual_seed(0)
    part = MemoryAttention(5, 7, 3)
    items, memory, mask = torch.randn(4, 6, 5), torch.randn(4, 7), torch.arange(6) < torch.tensor([[1], [6], [3], [4]])
    weights = (part.item.weight, part.memory.weight, part.logit.weight[0])
    with torch.no_grad():
        assert torch.allclose(step.own(items, memory, mask, *weights), part(items, memory, mask)[0], atol=1e-6)


def test_the_steps_are_those_of_the_model_and_one_product_is_the_sum_over_steps():
    torch.manual_seed(0)
    part = ImageSteps(6, 8, 2, 4, False, 0.0)
    features = torch.rand(3, 5, 6)
    weights = [torch.stack([getattr(one, name).weight for one in part.attend]) for name in ("item", "memory", "logit")]
    maps = torch.stack([one.weight for one in part.project])
    scaled = torch.nn.functional.normalize(features, dim=-1) * 6**0.5
    with torch.no_grad():
        found = steps.own(scaled, *weights[:2], weights[2][:, 0], maps)
        assert torch.allclose(found, part(features), atol=1e-6)
        captions = torch.randn(7, 3 * 8)
        by_steps = sum(v @ u.T for v, u in zip(found.split(8, 1), captions.split(8, 1), strict=True))
        assert torch.allclose(found @ captions.T, by_steps, atol=1e-5)


def test_the_tiny_example_of_two_regions():
    regions, eye = torch.eye(2)[None], torch.eye(2)
    found = steps.own(regions, eye.expand(2, 2, 2), eye.expand(2, 2, 2), torch.tensor([[2.0, -1]] * 2),
                      eye.expand(3, 2, 2))[0].view(3, 2)  # fmt: skip
    assert found[0].tolist() == pytest.approx([0.46212, 0.46212], abs=1e-4)
    words, memory = torch.tensor([[[1.0, 0], [0, 0.5]]]), torch.tensor([[0.5, 0.25]])
    total = found[0] @ memory[0]
    for k in (1, 2):
        mask = torch.ones(1, 2, dtype=torch.bool)
        attended = step.own(words, memory, mask, eye, eye, torch.tensor([2.0, -1]))
        memory, total = memory + attended, total + found[k] @ attended[0]
    assert total.item() == pytest.approx(1.3898, abs=1e-4)


def test_the_padded_mean_of_a_caption_depends_on_its_batch():
    states, order, lengths = means.inputs["sorted captions"](torch.Generator().manual_seed(2))
    longer = torch.cat([states, torch.zeros_like(states[:, :3])], 1)
    padded = dict((message, wrong) for wrong, message in means.mistakes)
    wrong = next(one for message, one in padded.items() if "padding too, so that" in message)
    assert torch.allclose(means.own(states, order, lengths), means.own(longer, order, lengths))
    assert not torch.allclose(wrong(states, order, lengths), wrong(longer, order, lengths))
