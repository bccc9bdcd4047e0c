"""Two exercises of chapter 10 on dependency trees: the size of every subtree, and one level of the SDT-RNN."""

from __future__ import annotations

import math

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size

SHAPES = ("any", "chain", "star")


def random_heads(g: torch.Generator, length: int, shape: str = "any") -> list[int]:
    """The head of every word of a random tree; the root is its own head."""
    order = torch.randperm(length, generator=g).tolist()
    heads = [0] * length
    for place, word in enumerate(order):
        above = {"any": random_size(g, 0, max(place, 1)), "chain": max(place - 1, 0), "star": 0}[shape]
        heads[word] = order[above]
    return heads


def _trees(g: torch.Generator, shape: str = "any", full: bool = False) -> tuple[LongTensor, LongTensor]:
    """Heads [n_captions, seq_len], 0 for padding as in a batch of parsed captions, and lengths."""
    n, seq_len = random_size(g, 2, 5), random_size(g, 4, 8)
    lengths = torch.full((n,), seq_len) if full else torch.randint(1, seq_len, (n,), generator=g)
    heads = torch.zeros(n, seq_len, dtype=torch.int64)
    for caption, length in enumerate(lengths.tolist()):
        heads[caption, :length] = torch.tensor(random_heads(g, length, shape))
    return heads, lengths


def _children(heads: list[int], word: int) -> list[int]:
    return [child for child, head in enumerate(heads) if head == word and child != word]


def _size(heads: list[int], word: int) -> int:
    return 1 + sum(_size(heads, child) for child in _children(heads, word))


def _height(heads: list[int], word: int) -> int:
    return 1 + max((_height(heads, child) for child in _children(heads, word)), default=-1)


def _sizes_by_recursion(heads: LongTensor, lengths: LongTensor) -> LongTensor:
    return _per_word(_size, heads, lengths)


def _per_word(measure, heads: LongTensor, lengths: LongTensor) -> LongTensor:
    found = torch.zeros_like(heads)
    for caption, length in enumerate(lengths.tolist()):
        tree = heads[caption, :length].tolist()
        found[caption, :length] = torch.tensor([measure(tree, word) for word in range(length)])
    return found


def _own_subtree_sizes(heads, lengths):
    n, seq_len = heads.shape
    at = torch.arange(seq_len).expand(n, -1)  # [n_captions, seq_len], where each word's count is: at the word itself
    moving = at < lengths[:, None]  # padding counts nowhere
    sizes = torch.zeros_like(heads)
    for _ in range(seq_len):  # one step towards the root each time, for all words of all captions
        sizes = sizes.scatter_add(1, at, moving.long())
        above = heads.gather(1, at)
        moving = moving & (above != at)  # a count that has reached the root is done
        at = above
    return sizes


def _steps(heads: LongTensor, lengths: LongTensor, real: bool = True, stop: bool = True) -> LongTensor:
    """As the solution; without ``real`` padding counts, without ``stop`` counts stay at the root and count again."""
    at = torch.arange(heads.shape[1]).expand(len(heads), -1)
    moving = at < lengths[:, None] if real else torch.ones_like(heads, dtype=torch.bool)
    sizes = torch.zeros_like(heads)
    for _ in range(heads.shape[1]):
        sizes = sizes.scatter_add(1, at, moving.long())
        above = heads.gather(1, at)
        moving = moving & (above != at) if stop else moving
        at = above
    return sizes


subtree_sizes = Exercise(
    name="subtree_sizes",
    minutes=15,
    difficulty=3,
    hints=(
        "Each word counts once at itself, once at its head, once at its head's head, and so on up to the root.",
        "Keep a tensor at, [n_captions, seq_len], with the place that each word has reached; heads.gather(1, at) is "
        "one step up. scatter_add adds the counts. A loop over steps is enough; no loop over captions.",
        "sizes.scatter_add(1, at, moving.long()) in a loop over seq_len steps; moving is False for padding and for a "
        "word whose count has reached the root (heads.gather(1, at) == at).",
    ),
    reference=_sizes_by_recursion,
    own=_own_subtree_sizes,
    begin="Start from heads [n_captions, seq_len]: heads[i, w] is the position of the head of word w, and a root is "
    "its own head. Return how many words the subtree of each word has, itself included, int64 and 0 for padding.",
    inputs={
        "trees of any shape": _trees,
        "chains": lambda g: _trees(g, "chain"),
        "stars": lambda g: _trees(g, "star"),
        "captions of one length": lambda g: _trees(g, full=True),
    },
    shape="[n_captions, seq_len]",
    remarks={"chains": "A chain is as deep as it is long: take seq_len steps."},
    mistakes=(
        (
            lambda h, n: _per_word(lambda t, w: 1 + len(_children(t, w)), h, n),
            "You count the children only. The words below them belong to the subtree too.",
        ),
        (
            lambda h, n: _per_word(lambda t, w: _size(t, w) - 1, h, n),
            "The word itself is not counted. A leaf has size 1.",
        ),
        (
            lambda h, n: _per_word(
                lambda t, w: sum(not _children(t, v) for v in range(len(t)) if v in _below(t, w)), h, n
            ),
            "You count leaves. The size is the number of words, inner ones included.",
        ),
        (
            lambda h, n: _steps(h, n, real=False),
            "Padding is counted, and its head of 0 adds it to the first word. Start with a count of 0 for padding.",
        ),
        (
            lambda h, n: _steps(h, n, stop=False),
            "A root is its own head, so what has arrived there is counted again at every step. Stop it there.",
        ),
        (
            lambda h, n: _per_word(lambda t, w: 1 + _height(t, w), h, n),
            "This is the height of the subtree. Count its words.",
        ),
        (
            lambda h, n: _per_word(lambda t, w: sum(w in _below(t, v) for v in range(len(t))), h, n),
            "This is the depth of each word: the number of its ancestors and itself. Count the words below it.",
        ),
    ),
)


def _below(heads: list[int], word: int) -> set[int]:
    return {word}.union(*(_below(heads, child) for child in _children(heads, word)))


def _level(g: torch.Generator, shape: str = "any", level: int | None = None):
    """A batch in which every level below one is composed: words, states, sizes, heads, relations, matrices, here."""
    heads, lengths = _trees(g, shape)
    n, seq_len = heads.shape
    dim, n_relations = random_size(g, 2, 5), random_size(g, 2, 4)
    heights = _per_word(_height, heads, lengths)  # [n_captions, seq_len]
    real = torch.arange(seq_len)[None] < lengths[:, None]
    level = min(random_size(g, 1, 4), int(heights.max())) if level is None else level
    states = torch.randn(n, seq_len, dim, generator=g).tanh() * ((heights < level) & real)[..., None]
    words = torch.randn(n, seq_len, dim, generator=g)
    matrices = torch.randn(n_relations, dim, dim, generator=g)
    relations = torch.randint(n_relations, (n, seq_len), generator=g)
    return words, states, _sizes_by_recursion(heads, lengths), heads, relations, matrices, (heights == level) & real


def _level_by_loop(
    words: Tensor,
    states: Tensor,
    sizes: LongTensor,
    heads: LongTensor,
    relations: LongTensor,
    matrices: Tensor,
    here: Tensor,
) -> Tensor:
    found = states.clone()
    for caption, word in here.nonzero().tolist():
        total = [float(value) for value in words[caption, word]]
        for child in range(heads.shape[1]):
            size = int(sizes[caption, child])
            if int(heads[caption, child]) != word or child == word or not size:
                continue
            matrix = matrices[int(relations[caption, child])].double()
            sent = [float(row @ states[caption, child].double()) for row in matrix]
            total = [value + size * one for value, one in zip(total, sent, strict=True)]
        found[caption, word] = torch.tensor([math.tanh(value / int(sizes[caption, word])) for value in total])
    return found


def _own_compose_level(words, states, sizes, heads, relations, matrices, here):
    sent = torch.einsum("nwij,nwj->nwi", matrices[relations], states)  # each word's state through its own relation
    sent = sizes[..., None] * sent  # [n_captions, seq_len, dim]; 0 for padding, whose size is 0
    total = words.scatter_add(1, heads[..., None].expand_as(sent), sent)  # what the children send is added at the head
    found = (total / sizes.clamp(min=1)[..., None]).tanh()
    return torch.where(here[..., None], found, states)  # the words of other levels stay as they are


def _composed(
    words, states, sizes, heads, relations, matrices, here, *,
    weighted=True, divided="size", function=torch.tanh, own=True, side="child", all_words=False, flip=False,
):  # fmt: skip
    """As the solution, with one part changed."""
    relations = relations.gather(1, heads) if side == "head" else relations
    chosen = matrices[relations * (side != "one")]
    sent = torch.einsum("nwji,nwj->nwi" if flip else "nwij,nwj->nwi", chosen, states)
    sent = (sizes if weighted else (sizes > 0).long())[..., None] * sent
    total = (words if own else torch.zeros_like(words)).scatter_add(1, heads[..., None].expand_as(sent), sent)
    places = torch.arange(heads.shape[1])
    children = torch.zeros_like(sizes).scatter_add(1, heads, ((heads != places) & (sizes > 0)).long())
    by = {"size": sizes, "children": 1 + children, "nothing": torch.ones_like(sizes)}[divided].clamp(min=1)
    found = function(total / by[..., None])
    return found if all_words else torch.where(here[..., None], found, states)


def _with(**change):
    return lambda *inputs: _composed(*inputs, **change)


compose_level = Exercise(
    name="compose_level",
    minutes=20,
    difficulty=3,
    hints=(
        "Each word sends sizes[c] * matrices[relations[c]] @ states[c] to its head. A word adds what it receives to "
        "its own vector, divides by its own size and takes the tanh.",
        'torch.einsum("nwij,nwj->nwi", matrices[relations], states) sends every state through its own matrix. '
        "words.scatter_add(1, heads[..., None].expand_as(sent), sent) adds it at the head, without a loop.",
        "(total / sizes.clamp(min=1)[..., None]).tanh(), kept only where here is True: torch.where(here[..., None], "
        "found, states).",
    ),
    reference=_level_by_loop,
    own=_own_compose_level,
    begin="Start from the formula h_i = tanh((1 / l_i) (words_i + sum over children c of l_c W_rel(c) h_c)): l are the "
    "sizes, h the states, rel(c) the relation of the child to its head. Return the states with those of the words of "
    "this level, where here is True, filled in; states that are not composed yet are 0, and the size of padding is 0.",
    inputs={
        "trees of any shape": _level,
        "stars": lambda g: _level(g, "star", 1),
        "chains": lambda g: _level(g, "chain"),
        "leaves": lambda g: _level(g, level=0),
    },
    shape="[n_captions, seq_len, dim]",
    varied=("words", "matrices"),
    remarks={"leaves": "A leaf receives nothing: its state is the tanh of its own vector."},
    mistakes=(
        (
            _with(weighted=False),
            "The children are not weighted by their sizes. A child that stands for four words counts four times.",
        ),
        (_with(divided="nothing"), "The sum is not divided by the size of the subtree, l_i."),
        (
            _with(divided="children"),
            "You divided by the number of children plus one. Divide by the number of words in the subtree, l_i.",
        ),
        (_with(function=lambda x: x), "The tanh is missing."),
        (
            _with(own=False),
            "The word's own vector is missing. Add it to what the children send.",
        ),
        (
            _with(side="head"),
            "The matrix is that of the head's own relation. Take the relation of the child to its head.",
        ),
        (
            _with(side="one"),
            "All children go through the first matrix. Each relation has its own: matrices[relations].",
        ),
        (
            _with(flip=True),
            "The matrices are transposed. Multiply each matrix by the state: W h, a sum over its columns.",
        ),
        (
            _with(all_words=True),
            "The states of the other levels are changed too. Keep those where here is False.",
        ),
    ),
)
