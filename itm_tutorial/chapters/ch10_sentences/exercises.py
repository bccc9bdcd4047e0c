"""The exercises of chapter 10: trees level by level, hops of attention, negatives of other images, and probes."""

from __future__ import annotations

import math

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch10_sentences.probing_exercises import majority_line, probe_loss, selectivity
from itm_tutorial.chapters.ch10_sentences.tree_exercises import compose_level, subtree_sizes
from itm_tutorial.chapters.exercise import Exercise, random_size


def _real(lengths: LongTensor, seq_len: int) -> Tensor:
    return torch.arange(seq_len)[None] < lengths[:, None]  # bool [n_captions, seq_len]


def _words_and_maps(g: torch.Generator, full: bool = False, few: bool = False):
    """States of words, of which those of padding are no zeros, lengths, and the two matrices of the attention."""
    n, seq_len, dim, hidden, hops = (random_size(g, low, low + 3) for low in (2, 4, 3, 4, 2))
    lengths = torch.full((n,), seq_len) if full else torch.randint(1, 2 if few else seq_len, (n,), generator=g)
    states = torch.randn(n, seq_len, dim, generator=g)
    states[~_real(lengths, seq_len)] *= 3
    return states, lengths, torch.randn(hidden, dim, generator=g), 2 * torch.randn(hops, hidden, generator=g)


def _hops_by_loop(states: Tensor, lengths: LongTensor, w1: Tensor, w2: Tensor) -> Tensor:
    found = torch.zeros(len(states), len(w2), states.shape[1])
    for caption, length in enumerate(lengths.tolist()):
        for hop, row in enumerate(w2.double()):
            scores = []
            for word in states[caption, :length].double():
                hidden = [math.tanh(float(weights @ word)) for weights in w1.double()]
                scores.append(sum(float(a) * b for a, b in zip(row, hidden, strict=True)))
            raised = [math.exp(score - max(scores)) for score in scores]
            for place, value in enumerate(raised):
                found[caption, hop, place] = value / sum(raised)
    return found


def _own_attention_hops(states, lengths, w1, w2):
    scores = (states @ w1.T).tanh() @ w2.T  # [n_captions, seq_len, n_hops]
    padding = torch.arange(states.shape[1])[None] >= lengths[:, None]  # [n_captions, seq_len]
    scores = scores.masked_fill(padding[..., None], -torch.inf)
    return scores.softmax(dim=1).transpose(1, 2)  # [n_captions, n_hops, seq_len]


def _scores(h: Tensor, w1: Tensor, w2: Tensor) -> Tensor:
    return (h @ w1.T).tanh() @ w2.T


def _filled(h: Tensor, n: LongTensor, scores: Tensor, value: float = -torch.inf) -> Tensor:
    return scores.masked_fill(~_real(n, h.shape[1])[..., None], value)


attention_hops = Exercise(
    name="attention_hops",
    minutes=15,
    difficulty=2,
    hints=(
        "Each hop is a row of w2: it gives one score per word. A softmax over the words of a caption makes it weights.",
        "(states @ w1.T).tanh() @ w2.T is [n_captions, seq_len, n_hops]. Fill padding with minus infinity.",
        "scores.masked_fill(padding[..., None], -torch.inf).softmax(dim=1).transpose(1, 2).",
    ),
    reference=_hops_by_loop,
    own=_own_attention_hops,
    begin="Start from the states of one caption, [seq_len, dim], of which the first lengths[i] rows are words. Return "
    "softmax(w2 tanh(w1 h)) for each hop, a row of w2; the softmax runs over the words, and padding gets weight 0.",
    inputs={
        "captions of several lengths": _words_and_maps,
        "captions of one length": lambda g: _words_and_maps(g, full=True),
        "captions of one word": lambda g: _words_and_maps(g, few=True),
    },
    shape="[n_captions, n_hops, seq_len]",
    remarks={"captions of one word": "The one word has weight 1 in every hop there, and padding 0."},
    mistakes=(
        (
            lambda h, n, w1, w2: _scores(h, w1, w2).softmax(1).transpose(1, 2),
            "Padding gets weight too, so an embedding depends on how long the other captions of its batch are. Fill "
            "its scores with minus infinity before the softmax.",
        ),
        (
            lambda h, n, w1, w2: _filled(h, n, _scores(h, w1, w2).softmax(2), 0.0).transpose(1, 2),
            "The softmax runs over the hops. Each hop divides a weight of 1 among the words of its caption: dim=1.",
        ),
        (
            lambda h, n, w1, w2: _filled(h, n, _scores(h, w1, w2).softmax(1), 0.0).transpose(1, 2),
            "You set the weights of padding to 0 after the softmax, so those of the words sum to less than 1. Mask the "
            "scores before it.",
        ),
        (
            lambda h, n, w1, w2: _filled(h, n, _scores(h, w1, w2), 0.0).softmax(1).transpose(1, 2),
            "You filled the scores of padding with 0, which is a usual score. Fill with minus infinity.",
        ),
        (
            lambda h, n, w1, w2: _filled(h, n, _scores(h, w1, w2), -10.0).softmax(1).transpose(1, 2),
            "You filled the scores of padding with -10, which leaves it a weight. Fill with minus infinity.",
        ),
        (
            lambda h, n, w1, w2: _filled(h, n, h @ w1.T @ w2.T).softmax(1).transpose(1, 2),
            "The tanh is missing. Without it w1 and w2 are one linear map.",
        ),
        (
            lambda h, n, w1, w2: _filled(h, n, (h @ w1.T).relu() @ w2.T).softmax(1).transpose(1, 2),
            "This is a ReLU in place of the tanh.",
        ),
        (
            lambda h, n, w1, w2: _filled(h, n, _scores(h, w1, w2)).softmax(1),
            "The words are rows here. Return one row per hop: transpose the last two dimensions.",
        ),
    ),
)


def _attended(g: torch.Generator, hops: int | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    n, seq_len, dim, out = (random_size(g, low, low + 3) for low in (2, 4, 3, 4))
    hops = hops or random_size(g, 2, 5)
    attention = torch.randn(n, hops, seq_len, generator=g).softmax(2)
    states = torch.randn(n, seq_len, dim, generator=g)
    return attention, states, torch.randn(out, hops * dim, generator=g), 0.5 + torch.rand(out, generator=g)


def _flat_by_loop(attention: Tensor, states: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    rows = []
    for shares, words in zip(attention.double(), states.double(), strict=True):
        joined = []
        for hop in shares:
            joined += [sum(float(a) * float(x) for a, x in zip(hop, column, strict=True)) for column in words.T]
        out = [sum(float(w) * x for w, x in zip(row, joined, strict=True)) for row in weight]
        out = [value + float(b) for value, b in zip(out, bias, strict=True)]
        length = math.sqrt(sum(value * value for value in out))
        rows.append([abs(value) / length for value in out])
    return torch.tensor(rows, dtype=states.dtype)


def _own_flatten_hops(attention, states, weight, bias):
    hops = attention @ states  # [n_captions, n_hops, dim], a weighted mean of the words per hop
    joined = hops.flatten(1)  # [n_captions, n_hops * dim], one hop behind the other
    caption_emb = joined @ weight.T + bias  # [n_captions, embed_dim]
    return (caption_emb / caption_emb.norm(dim=1, keepdim=True)).abs()


def _linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return x.flatten(1) @ w.T + b


flatten_hops = Exercise(
    name="flatten_hops",
    minutes=10,
    difficulty=2,
    hints=(
        "attention @ states is one weighted mean of the words per hop. The hops are joined, not averaged.",
        "(attention @ states).flatten(1) is [n_captions, n_hops * dim]; apply weight and bias to it.",
        "Divide by the norm over dim=1, then take the absolute value.",
    ),
    reference=_flat_by_loop,
    own=_own_flatten_hops,
    begin="Start from attention @ states, one vector per hop. Return |x| / ‖x‖ with x = weight · (the hops, one behind "
    "the other) + bias: one embedding per caption.",
    inputs={"several hops": _attended, "a single hop": lambda g: _attended(g, hops=1)},
    shape="[n_captions, embed_dim]",
    varied=("states", "weight"),
    mistakes=(
        (
            lambda a, h, w, b: normalize(_linear((a @ h).mean(1, keepdim=True).expand(-1, a.shape[1], -1), w, b)).abs(),
            "The hops are averaged, so that what one hop found is lost among the others. Join them with flatten(1).",
        ),
        (
            lambda a, h, w, b: normalize(_linear((a @ h).transpose(1, 2), w, b)).abs(),
            "The numbers are joined in another order: all hops of the first number, then of the second. Put one whole "
            "hop behind the other.",
        ),
        (
            lambda a, h, w, b: normalize(_linear(a @ h, w, b)),
            "The absolute value is missing: order similarity needs embeddings without negative numbers.",
        ),
        (lambda a, h, w, b: _linear(a @ h, w, b).abs(), "The embeddings have no length 1. Divide by the norm, dim=1."),
        (
            lambda a, h, w, b: normalize(_linear(a @ h, w, b).relu()),
            "This is a ReLU, which sets negative numbers to 0. Take the absolute value.",
        ),
        (lambda a, h, w, b: normalize(_linear(a @ h, w, 0 * b)).abs(), "The bias is missing."),
        (
            lambda a, h, w, b: normalize(_linear(normalize(a @ h, dim=2), w, b)).abs(),
            "Each hop is normalised before the map. Only the embedding is.",
        ),
        (
            lambda a, h, w, b: normalize(_linear(a @ h, w, b), dim=0).abs(),
            "The norm is taken over the captions (dim=0). Take that of each embedding: dim=1.",
        ),
    ),
)


def _scored(g: torch.Generator, several: bool = True) -> tuple[Tensor, LongTensor, float]:
    """Scores of a batch; with ``several`` some images have two captions and more."""
    n_images = random_size(g, 3, 6)
    image_of = torch.arange(n_images)
    if several:
        image_of = torch.cat([image_of, image_of[:1], torch.randint(n_images, (random_size(g, 1, 4),), generator=g)])
    image_of = image_of[torch.randperm(len(image_of), generator=g)]
    scores = torch.randn(n_images, len(image_of), generator=g)
    return scores, image_of, 0.25 * random_size(g, 1, 5)


def _hinges_by_loop(scores: Tensor, image_of: LongTensor, margin: float) -> Tensor:
    total, s = 0.0, scores.tolist()
    for j, i in enumerate(image_of.tolist()):
        for c, other in enumerate(image_of.tolist()):
            total += max(0.0, margin - s[i][j] + s[i][c]) if other != i else 0.0
        for k in range(len(s)):
            total += max(0.0, margin - s[i][j] + s[k][j]) if k != i else 0.0
    return torch.tensor(total, dtype=scores.dtype)


def _own_hinge_of_other_images(scores, image_of, margin):
    pairs = torch.arange(len(image_of))
    positive = scores[image_of, pairs]  # [n_captions], each caption with its own image
    captions = (margin - positive[:, None] + scores[image_of]).clamp(min=0)  # row j: image of j, every caption
    captions = captions.masked_fill(image_of[:, None] == image_of[None], 0)  # those of the same image are no negatives
    images = (margin - positive[None] + scores).clamp(min=0)  # [n_images, n_captions]
    images = images.masked_fill(torch.arange(len(scores))[:, None] == image_of[None], 0)
    return captions.sum() + images.sum()


def _costs(s: Tensor, of: LongTensor, m: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Costs against captions and against images, and where either is no negative."""
    positive = s[of, torch.arange(len(of))]
    captions, images = m - positive[:, None] + s[of], m - positive[None] + s
    return captions, images, of[:, None] == of[None], torch.arange(len(s))[:, None] == of[None]


def _hinges(s: Tensor, of: LongTensor, m: float) -> tuple[Tensor, Tensor]:
    captions, images, same, own = _costs(s, of, m)
    return captions.clamp(min=0).masked_fill(same, 0), images.clamp(min=0).masked_fill(own, 0)


def _with_siblings(s: Tensor, of: LongTensor, m: float) -> Tensor:
    captions, images, _, own = _costs(s, of, m)
    captions = captions.clamp(min=0).masked_fill(torch.eye(len(of), dtype=torch.bool), 0)
    return captions.sum() + images.clamp(min=0).masked_fill(own, 0).sum()


hinge_of_other_images = Exercise(
    name="hinge_of_other_images",
    minutes=15,
    difficulty=3,
    hints=(
        "For each caption j with its image i there are two sums: over the captions of other images, and over other "
        "images.",
        "scores[image_of] has one row per caption j: the scores of its image with every caption. Compare image_of with "
        "itself to find the captions of the same image.",
        "positive = scores[image_of, torch.arange(len(image_of))]; (margin - positive[:, None] + "
        "scores[image_of]).clamp(min=0), with 0 where image_of[:, None] == image_of, and the same for the images.",
    ),
    reference=_hinges_by_loop,
    own=_own_hinge_of_other_images,
    begin="Start from one caption j with its image i = image_of[j]. Sum max(0, margin - s_ij + s_ic) over the captions "
    "c of other images, and max(0, margin - s_ij + s_kj) over the other images k. Return the sum over all j.",
    inputs={
        "images with several captions": _scored,
        "one caption per image": lambda g: _scored(g, several=False),
    },
    remarks={"images with several captions": "Another caption of the same image is no negative."},
    mistakes=(
        (
            _with_siblings,
            "Other captions of the same image count as negatives here. They describe the image too, so leave them out.",
        ),
        (
            lambda s, of, m: sum(x.clamp(min=0).sum() for x in _costs(s, of, m)[:2]),
            "The pairs themselves count: each adds the margin. Leave out the positives.",
        ),
        (
            lambda s, of, m: _hinges(s, of, m)[0].sum(),
            "Only the captions are negatives here. Add the sum over the other images.",
        ),
        (
            lambda s, of, m: _hinges(s, of, m)[1].sum(),
            "Only the images are negatives here. Add the sum over the captions of other images.",
        ),
        (
            lambda s, of, m: _hinges(s, of, m)[0].amax(1).sum() + _hinges(s, of, m)[1].amax(0).sum(),
            "Only the hardest negative counts here, as in VSE++. Sum over all of them.",
        ),
        (
            lambda s, of, m: sum(x.sum() for x in _hinges(s, of, m)) / len(of),
            "This is a mean over the captions. The loss is a sum.",
        ),
        (
            lambda s, of, m: sum(
                x.masked_fill(y, 0).sum() for x, y in zip(_costs(s, of, m)[:2], _costs(s, of, m)[2:], strict=True)
            ),
            "The hinge is missing: a negative that is far enough away must cost 0, so clamp each term at 0.",
        ),
        (
            lambda s, of, m: sum(x.sum() for x in _hinges(s, of, -m)),
            "The sign of the margin is wrong: a negative must be lower by the margin to cost nothing.",
        ),
    ),
)


EXERCISES = (  # in the order of the notebook
    subtree_sizes,
    compose_level,
    hinge_of_other_images,
    attention_hops,
    flatten_hops,
    probe_loss,
    majority_line,
    selectivity,
)
