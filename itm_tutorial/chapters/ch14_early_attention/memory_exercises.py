"""Three exercises of chapter 14 on DAN: one step of attention, all steps as one vector, and a port's mean of words."""

from __future__ import annotations

import math

import torch
from torch import BoolTensor, LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def _one_step(g: torch.Generator, n: int = 0, full: bool = False, n_items: int = 0) -> tuple:
    """Items with padding behind them, a memory of another size, and the weights of one step."""
    n, n_items = n or random_size(g, 2, 5), n_items or random_size(g, 3, 7)
    item_dim, memory_dim, hidden = random_size(g, 3, 6), random_size(g, 6, 9), random_size(g, 2, 5)
    lengths = torch.randint(1, n_items + 1, (n,), generator=g)
    if full:
        lengths[:] = n_items
    elif n_items > 1:
        lengths[0] = n_items - 1
    mask = torch.arange(n_items) < lengths[:, None]
    sizes = ((n, n_items, item_dim), (n, memory_dim))
    items, memory = (torch.randn(size, generator=g) for size in sizes)
    sizes = ((hidden, item_dim), (hidden, memory_dim), (hidden,))
    return items, memory, mask, *(1.5 * torch.randn(size, generator=g) for size in sizes)


def _step_by_loop(
    items: Tensor, memory: Tensor, mask: BoolTensor, item_map: Tensor, memory_map: Tensor, logit: Tensor
) -> Tensor:
    values, memories, allowed = items.double().tolist(), memory.double().tolist(), mask.tolist()
    of_items, of_memory, last = item_map.double().tolist(), memory_map.double().tolist(), logit.double().tolist()

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True))

    found = []
    for some, own, real in zip(values, memories, allowed, strict=True):
        asked = [math.tanh(dot(row, own)) for row in of_memory]
        parts = []
        for item, counts in zip(some, real, strict=True):
            if counts:
                hidden = [math.tanh(dot(row, item)) * ask for row, ask in zip(of_items, asked, strict=True)]
                parts.append((math.exp(dot(last, hidden)), item))
        total = sum(part for part, _ in parts)
        found.append([sum(part * item[d] for part, item in parts) / total for d in range(len(some[0]))])
    return torch.tensor(found)


def _own_memory_step(items, memory, mask, item_map, memory_map, logit):
    asked = (memory @ memory_map.T).tanh()  # [n, hidden]
    hidden = (items @ item_map.T).tanh() * asked[:, None]  # [n, n_items, hidden]
    logits = (hidden @ logit).masked_fill(~mask, -torch.inf)  # [n, n_items]
    return (logits.softmax(dim=1)[..., None] * items).sum(dim=1)  # [n, item_dim]


def _stepped(
    items,
    memory,
    mask,
    item_map,
    memory_map,
    logit,
    join=lambda seen, asked: seen.tanh() * asked.tanh(),
    fill=-math.inf,
    weigh=lambda logits: logits.softmax(1),
):
    """As the solution, with one part changed."""
    hidden = join(items @ item_map.T, (memory @ memory_map.T)[:, None])
    logits = (hidden @ logit).masked_fill(~mask, fill)
    return (weigh(logits)[..., None] * items).sum(1)


memory_step = Exercise(
    name="memory_step",
    minutes=20,
    difficulty=2,
    hints=(
        "The memory is one vector per image or caption. Map it, take its tanh, and multiply the tanh of every mapped "
        "item by it, number by number.",
        "hidden = (items @ item_map.T).tanh() * (memory @ memory_map.T).tanh()[:, None] has the shape [n, n_items, "
        "hidden]; hidden @ logit gives one number per item.",
        "Fill the logits where mask is False with -torch.inf, take softmax(dim=1), and sum weights[..., None] * items "
        "over dim=1.",
    ),
    reference=_step_by_loop,
    own=_own_memory_step,
    inputs={
        "items with padding": _one_step,
        "items without padding": lambda g: _one_step(g, full=True),
        "one image": lambda g: _one_step(g, n=1),
        "a single item": lambda g: _one_step(g, n_items=1),
    },
    shape="[n, item_dim]",
    begin="Start from `items` [n, n_items, item_dim], `memory` [n, memory_dim], `mask` (True for real items), and the "
    "weights `item_map` [hidden, item_dim], `memory_map` [hidden, memory_dim] and `logit` [hidden]. Return the "
    "weighted sum of the items for each of the n.",
    varied=("items",),
    remarks={"items with padding": "Padding must have no weight, whatever numbers stand there."},
    mistakes=(
        (
            lambda *x: _stepped(*x[:2], torch.ones_like(x[2]), *x[3:]),
            "Padding gets weight. Fill its logits with minus infinity before the softmax.",
        ),
        (
            lambda *x: _stepped(*x, fill=0.0),
            "The logits of padding are set to 0, and exp(0) is 1. Fill with minus infinity.",
        ),
        (
            lambda *x: _stepped(*x, join=lambda seen, asked: (seen + asked).tanh()),
            "Item and memory are added inside one tanh. DAN multiplies the two tanh, number by number.",
        ),
        (
            lambda *x: _stepped(*x, join=lambda seen, asked: (seen * asked).tanh()),
            "One tanh is taken of the product. Take the tanh of each side first, and multiply then.",
        ),
        (
            lambda *x: _stepped(*x, join=lambda seen, asked: seen.tanh()),
            "The memory is not read, so that every step would attend to the same items.",
        ),
        (
            lambda *x: _stepped(*x, join=lambda seen, asked: seen * asked),
            "No tanh is taken of either side. Take that of the mapped items and that of the mapped memory.",
        ),
        (
            lambda *x: _stepped(*x, weigh=lambda logits: logits.sigmoid()),
            "The weights come from a sigmoid and do not sum to one. Use a softmax over the items.",
        ),
        (
            lambda *x: _stepped(*x, fill=-1e9, weigh=lambda logits: logits.softmax(0)),
            "The softmax runs over the images or captions. It runs over the items of each, dim=1.",
        ),
        (
            lambda *x: _stepped(*x, weigh=lambda logits: logits.isfinite() / logits.isfinite().sum(1, keepdim=True)),
            "This is the mean of the items: uniform attention. Weight them by a softmax of the logits.",
        ),
    ),
)


def _image(g: torch.Generator, n: int = 0, steps: int | None = None) -> tuple:
    """Regions of some images, and the weights of K steps."""
    n, n_regions, dim = n or random_size(g, 2, 5), random_size(g, 3, 6), random_size(g, 3, 6)
    hidden, out = random_size(g, 2, 5), random_size(g, 6, 8)
    steps = random_size(g, 2, 4) if steps is None else steps
    regions = torch.randn(n, n_regions, dim, generator=g)
    sizes = ((steps, hidden, dim), (steps, hidden, out), (steps, hidden), (steps + 1, out, dim))
    return regions, *(torch.randn(size, generator=g) for size in sizes)


def _steps_by_loop(regions: Tensor, item_maps: Tensor, memory_maps: Tensor, logits: Tensor, maps: Tensor) -> Tensor:
    wide = [x.double() for x in (item_maps, memory_maps, logits, maps)]
    found = []
    for some in regions.double():
        first = torch.stack([row @ (sum(some) / len(some)) for row in wide[3][0]]).tanh()
        rows, memory = [first], first.clone()
        for k in range(len(item_maps)):
            weights = []
            for region in some:
                hidden = [
                    torch.tanh(wide[0][k][h] @ region) * torch.tanh(wide[1][k][h] @ memory)
                    for h in range(item_maps.shape[1])
                ]
                weights.append(math.exp(sum(w * x for w, x in zip(wide[2][k], hidden, strict=True))))
            attended = sum(w * region for w, region in zip(weights, some, strict=True)) / sum(weights)
            rows.append(torch.stack([row @ attended for row in wide[3][k + 1]]).tanh())
            memory = torch.stack(rows).sum(0)
        found.append(torch.cat(rows))
    return torch.stack(found).float()


def _own_image_steps(regions, item_maps, memory_maps, logits, maps):
    memory = (regions.mean(dim=1) @ maps[0].T).tanh()  # [n, dim], v^0
    vectors = [memory]
    for k in range(len(item_maps)):
        asked = (memory @ memory_maps[k].T).tanh()  # [n, hidden]
        hidden = (regions @ item_maps[k].T).tanh() * asked[:, None]  # [n, n_regions, hidden]
        weights = (hidden @ logits[k]).softmax(dim=1)  # [n, n_regions]
        attended = (weights[..., None] * regions).sum(dim=1)
        vectors.append((attended @ maps[k + 1].T).tanh())  # v^k
        memory = memory + vectors[-1]
    return torch.cat(vectors, dim=1)  # [n, (K + 1) * dim]


def _concatenated(
    regions,
    item_maps,
    memory_maps,
    logits,
    maps,
    remember=lambda memory, new: memory + new,
    close=torch.tanh,
    number=lambda k: k,
    first=lambda regions: regions.mean(1),
    join=lambda vectors: torch.cat(vectors, 1),
):
    """As the solution, with one part changed."""
    memory = close(first(regions) @ maps[0].T)
    vectors = [memory]
    for k in range(len(item_maps)):
        own = number(k)
        hidden = (regions @ item_maps[own].T).tanh() * (memory @ memory_maps[own].T).tanh()[:, None]
        attended = ((hidden @ logits[own]).softmax(1)[..., None] * regions).sum(1)
        vectors.append(close(attended @ maps[own + 1].T))
        memory = remember(memory, vectors[-1])
    return join(vectors)


image_steps = Exercise(
    name="image_steps",
    minutes=25,
    difficulty=3,
    hints=(
        "Begin with v^0 = tanh(P^0 mean of the regions), the first vector and the first memory. Each step attends, "
        "makes v^k, and adds it to the memory.",
        "In step k, use item_maps[k], memory_maps[k] and logits[k] as in memory_step, then v^k = (attended @ maps[k + "
        "1].T).tanh(). All weights belong to one step alone.",
        "memory = memory + vectors[-1] after each step, and torch.cat(vectors, dim=1) of all K + 1 vectors at the end.",
    ),
    reference=_steps_by_loop,
    own=_own_image_steps,
    inputs={
        "several steps": _image,
        "one step": lambda g: _image(g, steps=1),
        "no step": lambda g: _image(g, steps=0),
        "one image": lambda g: _image(g, n=1),
    },
    shape="[n_images, (K + 1) * dim]",
    begin="Start from `regions` [n_images, n_regions, image_dim] and the weights of K steps: `item_maps` [K, hidden, "
    "image_dim], `memory_maps` [K, hidden, dim], `logits` [K, hidden] and `maps` [K + 1, dim, image_dim], the "
    "matrices P^0 to P^K. Return v^0 to v^K side by side. There is no caption among the inputs: what an image's "
    "vectors are cannot depend on one.",
    varied=("regions",),
    spared=("numbers far below zero", "numbers in the hundreds"),  # the tanh of large sums is nearly a step
    remarks={"no step": "With K = 0 the answer is v^0 alone, tanh(P^0 mean of the regions)."},
    mistakes=(
        (
            lambda *x: _concatenated(*x, join=lambda vectors: torch.cat(vectors[1:] or [vectors[0][:, :0]], 1)),
            "v^0 is left out. The sum over steps begins with k = 0, the mean of the regions.",
        ),
        (
            lambda *x: _concatenated(*x, join=sum),
            "The vectors are added. A sum of dot products is a dot product of the concatenated vectors: torch.cat.",
        ),
        (
            lambda *x: _concatenated(*x, remember=lambda memory, new: new),
            "Each memory replaces the one before it. The new vector is added: memory + v^k.",
        ),
        (
            lambda *x: _concatenated(*x, remember=lambda memory, new: memory),
            "The memory stays v^0, so that no step knows what the steps before it found. Add v^k to it.",
        ),
        (
            lambda *x: _concatenated(*x, close=lambda vector: vector),
            "The tanh is missing. On the image side, v^k = tanh(P^k ...), for k = 0 too.",
        ),
        (
            lambda *x: _concatenated(*x, number=lambda k: 0),
            "All steps share the weights of the first. Each step has its own: item_maps[k], maps[k + 1] and so on.",
        ),
        (
            lambda *x: _concatenated(*x, first=lambda regions: regions.sum(1)),
            "v^0 is made from the sum of the regions. Take their mean.",
        ),
        (
            lambda *x: _concatenated(*x, join=lambda vectors: torch.stack(vectors, 2).flatten(1)),
            "The numbers of the steps are interleaved. Put whole vectors side by side: torch.cat(vectors, dim=1).",
        ),
        (
            lambda *x: _concatenated(*x, join=lambda vectors: vectors[-1]),
            "Only the last vector is kept. All K + 1 vectors count in the score.",
        ),
    ),
)


def _sorted_states(g: torch.Generator, n: int = 0, noise: float = 0.0) -> tuple[Tensor, LongTensor, LongTensor]:
    """Word states in the order of decreasing length, the order itself, and the lengths of the captions as given.

    The captions are turned round in a circle of three or more, so that the order and its inverse differ.
    """
    n, seq_len, dim = n or random_size(g, 4, 7), random_size(g, 8, 11), random_size(g, 2, 5)
    order = torch.randperm(n, generator=g)
    if n > 2 and torch.equal(order, order.argsort()):
        order = torch.arange(n).roll(1)
    lengths = torch.zeros(n, dtype=torch.long)
    lengths[order] = (torch.randperm(seq_len - 1, generator=g)[:n] + 1).sort(descending=True).values
    states = torch.randn(n, seq_len, dim, generator=g)
    mask = torch.arange(seq_len) < lengths[order][:, None]
    return torch.where(mask[..., None], states, noise * states), order, lengths


def _means_by_loop(sorted_states: Tensor, order: LongTensor, lengths: LongTensor) -> Tensor:
    found = [[0.0]] * len(order)
    for place, caption in enumerate(order.tolist()):
        n = int(lengths[caption])
        rows = sorted_states[place].double().tolist()[:n]
        found[caption] = [sum(column) / n for column in zip(*rows, strict=True)]
    return torch.tensor(found)


def _own_mean_words(sorted_states, order, lengths):
    states = sorted_states[order.argsort()]  # argsort of a permutation is its inverse
    mask = torch.arange(states.shape[1]) < lengths[:, None]  # [n_captions, seq_len]
    return (states * mask[..., None]).sum(dim=1) / lengths[:, None]


def _means(states, order, lengths, unsort=lambda states, order: states[order.argsort()], own=lambda n, order: n):
    """As the solution, with one part changed."""
    states, n = unsort(states, order), own(lengths, order)
    mask = torch.arange(states.shape[1]) < n[:, None]
    return (states * mask[..., None]).sum(1) / n[:, None]


mean_words = Exercise(
    name="mean_words",
    minutes=15,
    difficulty=2,
    hints=(
        "There are two tasks: bring the rows back to the order of the captions, and take each mean over real words "
        "alone.",
        "Row i belongs to caption order[i]. Caption c stands in row order.argsort()[c]: the inverse of a permutation.",
        "states = sorted_states[order.argsort()]; multiply by torch.arange(seq_len) < lengths[:, None], sum over the "
        "words, and divide by lengths[:, None].",
    ),
    reference=_means_by_loop,
    own=_own_mean_words,
    inputs={
        "sorted captions": _sorted_states,
        "padding that is not zero": lambda g: _sorted_states(g, noise=1.0),
        "one caption": lambda g: _sorted_states(g, n=1),
    },
    shape="[n_captions, dim]",
    begin="Start from `sorted_states` [n_captions, seq_len, dim], word states that an LSTM gave in the order of "
    "decreasing length: row i belongs to caption order[i]. `lengths` [n_captions] are those of the captions as they "
    "were given. Return u^0, the mean word state of each caption, in the order in which the captions were given.",
    varied=("sorted_states",),
    remarks={"padding that is not zero": "The mean must not change with what stands behind the last word."},
    mistakes=(
        (
            lambda s, order, n: _means(s, order, n, unsort=lambda s, order: s[order]),
            "The rows are put in order by the permutation itself. Its inverse brings them back: order.argsort().",
        ),
        (
            lambda s, order, n: s[order.argsort()].mean(1),
            "The mean is taken over padding too, so that a longer caption in the batch changes it. Divide by lengths.",
        ),
        (
            lambda s, order, n: s[order].mean(1),
            "Two faults: the permutation in place of its inverse, and a mean over padding too.",
        ),
        (
            lambda s, order, n: _means(s, order, n, unsort=lambda s, order: s),
            "The rows stay in the order of their lengths, while lengths is in that of the captions.",
        ),
        (
            lambda s, order, n: _means(s, order, n, unsort=lambda s, order: s, own=lambda n, order: n[order]),
            "The means are right, but in the order of decreasing length. Bring them back to that of the captions.",
        ),
        (
            lambda s, order, n: _means(s, order, n, own=lambda n, order: n[order]),
            "The states are back in the order of the captions, and the lengths are not: leave lengths as they are.",
        ),
        (
            lambda s, order, n: _means(s, order, n) * n[:, None],
            "This is the sum of the word states. Divide by the number of words.",
        ),
        (
            lambda s, order, n: s[order.argsort()].sum(1) / n[:, None],
            "Padding is summed. It is zero after some networks only: mask it before the sum.",
        ),
    ),
)

MEMORY_EXERCISES = (memory_step, image_steps, mean_words)
