"""Three exercises of chapter 13: the likelihood of a caption, its division by the prior, and what that changes."""

from __future__ import annotations

import math

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size

FINE = 4096  # steps per unit: differences of such numbers are exact in float32


def _captions(g: torch.Generator, n: int = 0, full: bool = False) -> tuple[Tensor, LongTensor, LongTensor]:
    """What a network predicts after each token, padded ids between <start> = 1 and <end> = 2, and the lengths."""
    n, seq_len, n_words = n or random_size(g, 3, 6), random_size(g, 5, 9), random_size(g, 7, 12)
    lengths = torch.randint(3, seq_len + 1, (n,), generator=g)
    lengths[0] = seq_len
    if full:
        lengths[:] = seq_len
    ids = torch.randint(4, n_words, (n, seq_len), generator=g)  # behind the end, too: padding may be any word
    ids[:, 0] = 1
    ids[torch.arange(n), lengths - 1] = 2
    return torch.randn(n, seq_len, n_words, generator=g), ids, lengths


def _likelihood_by_loop(logits: Tensor, ids: LongTensor, lengths: LongTensor) -> Tensor:
    found = []
    for values, tokens, length in zip(logits.double().tolist(), ids.tolist(), lengths.tolist(), strict=True):
        total = 0.0
        for place in range(1, length):
            before = values[place - 1]
            largest = max(before)
            total += before[tokens[place]] - largest - math.log(sum(math.exp(value - largest) for value in before))
        found.append(total)
    return torch.tensor(found)


def _own_caption_log_likelihood(logits, ids, lengths):
    log_p = logits[:, :-1].log_softmax(dim=2)  # [n_captions, seq_len - 1, n_words]: what follows each token
    chosen = log_p.gather(2, ids[:, 1:, None])[..., 0]  # [n_captions, seq_len - 1]: of the token that did follow
    place = torch.arange(1, ids.shape[1])  # of the tokens behind <start>
    return chosen.masked_fill(place >= lengths[:, None], 0).sum(dim=1)


def _scored(logits, ids, lengths, first=1, last=0, shift=1, function=lambda x: x.log_softmax(2)):
    """Each token's number behind ``first``, up to ``last`` places before the end, summed over words."""
    predicted = function(logits)
    before = predicted[:, torch.arange(ids.shape[1]).sub(shift).clamp(min=0)]  # [n_captions, seq_len, n_words]
    chosen = before.gather(2, ids[..., None])[..., 0]
    place = torch.arange(ids.shape[1])[None]
    return chosen.masked_fill((place < first) | (place >= lengths[:, None] - last), 0).sum(1)


caption_log_likelihood = Exercise(
    name="caption_log_likelihood",
    minutes=15,
    difficulty=2,
    hints=(
        "The first token, <start>, is given. Every token behind it is scored, <end> too, by what was predicted after "
        "the token before it.",
        "logits[:, :-1].log_softmax(dim=2) predicts the tokens ids[:, 1:]; .gather(2, ids[:, 1:, None]) picks the log-"
        "probability of each.",
        "A token at place t counts where t < lengths. Fill the others with 0: chosen.masked_fill(torch.arange(1, "
        "seq_len) >= lengths[:, None], 0), and sum over dim=1.",
    ),
    reference=_likelihood_by_loop,
    own=_own_caption_log_likelihood,
    inputs={
        "captions of several lengths": _captions,
        "one caption": lambda g: _captions(g, n=1),
        "captions without padding": lambda g: _captions(g, full=True),
    },
    shape="[n_captions]",
    begin="Start from `logits` [n_captions, seq_len, n_words], in which row t holds the network's numbers for the "
    "next token after it has read tokens 0 to t, before the softmax. `ids` [n_captions, seq_len] has <start> first "
    "and <end> at place lengths - 1; what stands behind it is padding, and may be any word.",
    varied=("logits",),
    remarks={"captions of several lengths": "Padding must add nothing, whatever word stands there."},
    mistakes=(
        (
            lambda x, ids, n: _scored(x, ids, n, last=1),
            "The stop is forgotten. <end> is a token that the network writes: score it like a word.",
        ),
        (
            lambda x, ids, n: _scored(x, ids, n, first=0),
            "<start> is scored too. It is given, not written: begin with the first word.",
        ),
        (
            lambda x, ids, n: _scored(x, ids, n, shift=0),
            "Row t is compared with token t, which the network has just read. It predicts token t + 1.",
        ),
        (
            lambda x, ids, n: _scored(x, ids, torch.full_like(n, ids.shape[1])),
            "Padding is scored. Only the tokens before lengths count.",
        ),
        (
            lambda x, ids, n: _scored(x, ids, n) / (n - 1),
            "This is the mean over tokens. The likelihood of a caption is a product, and its logarithm a sum.",
        ),
        (
            lambda x, ids, n: _scored(x, ids, n, function=lambda x: x),
            "The logits are summed as they are. A softmax over the words makes probabilities of them first.",
        ),
        (
            lambda x, ids, n: _scored(x, ids, n, function=lambda x: x.softmax(2)),
            "The probabilities are summed. Sum their logarithms: log_softmax.",
        ),
        (
            lambda x, ids, n: -_scored(x, ids, n),
            "The sign is turned: this is the loss. A log-likelihood is 0 or below.",
        ),
        (
            lambda x, ids, n: _scored(x, ids, n, function=lambda x: x.log_softmax(1)),
            "The softmax runs over the places of the caption. It runs over the words, dim=2.",
        ),
    ),
)


def _likelihoods(g: torch.Generator, scale: float = 4.0, base: float = -20.0) -> tuple[Tensor, Tensor]:
    """Log-likelihoods of the same captions given a few test images and given some training images."""
    n_images, n_train, n_captions = random_size(g, 2, 5), random_size(g, 5, 9), random_size(g, 5, 8)
    level = base + 2 * scale * torch.randn(n_captions, generator=g)
    both = [level + scale * torch.randn(n, n_captions, generator=g) for n in (n_images, n_train)]
    return tuple(values.clamp(max=-0.01) for values in both)


def _prior_by_loop(log_p: Tensor, train_log_p: Tensor) -> Tensor:
    found = torch.zeros(log_p.shape)
    for caption in range(log_p.shape[1]):
        column = train_log_p[:, caption].double().tolist()
        largest = max(column)
        prior = largest + math.log(sum(math.exp(value - largest) for value in column) / len(column))
        for image in range(len(log_p)):
            found[image, caption] = log_p[image, caption].double().item() - prior
    return found


def _own_divide_by_prior(log_p, train_log_p):
    n_train = torch.tensor(float(len(train_log_p)))
    log_prior = train_log_p.logsumexp(dim=0) - n_train.log()  # [n_captions], the logarithm of a mean
    return log_p - log_prior


divide_by_prior = Exercise(
    name="divide_by_prior",
    minutes=10,
    difficulty=2,
    hints=(
        "A quotient of probabilities is a difference of logarithms: log P(c | i) - log of the mean over the training "
        "images of P(c | i').",
        "The mean is one of probabilities, not of logarithms. exp() of -200 is 0 in float32, so leave the logarithms "
        "to torch: train_log_p.logsumexp(dim=0).",
        "log_p - (train_log_p.logsumexp(dim=0) - math.log(len(train_log_p))): logsumexp gives a sum, and a mean is "
        "the sum divided by the number of training images.",
    ),
    reference=_prior_by_loop,
    own=_own_divide_by_prior,
    inputs={
        "likely captions": lambda g: _likelihoods(g, 1.0, -5.0),
        "long captions": lambda g: _likelihoods(g, 8.0, -300.0),
        "a single training image": lambda g: tuple(x[:1] if n else x for n, x in enumerate(_likelihoods(g))),
    },
    shape="[n_images, n_captions]",
    begin="Start from `log_p` [n_images, n_captions] and `train_log_p` [n_train_images, n_captions], log-likelihoods "
    "of the same captions; return numbers of the shape of `log_p`.",
    remarks={"long captions": "The probabilities of long captions are 0 in float32: stay with logarithms, logsumexp."},
    mistakes=(
        (
            lambda p, t: p - t.mean(0),
            "This subtracts the mean of the logarithms. The prior is the mean of the probabilities: log-mean-exp.",
        ),
        (
            lambda p, t: p - t.logsumexp(0),
            "This subtracts the logarithm of the sum. The prior is a mean: divide by the number of training images.",
        ),
        (
            lambda p, t: p - t.exp().mean(0).log(),
            "The probabilities of long captions are 0 in float32, and the logarithm of 0 is -infinity. Use logsumexp.",
        ),
        (
            lambda p, t: p - (p.logsumexp(0) - math.log(len(p))),
            "The mean is taken over the test images, so that a score depends on the gallery. Take the training images.",
        ),
        (
            lambda p, t: p - (p.logsumexp(1, keepdim=True) - math.log(p.shape[1])),
            "The mean is taken over captions, for each image. The prior is one number per caption: take it over dim=0.",
        ),
        (
            lambda p, t: p + (t.logsumexp(0) - math.log(len(t))),
            "The prior is multiplied, not divided away. Subtract its logarithm.",
        ),
        (
            lambda p, t: p / (t.logsumexp(0) - math.log(len(t))),
            "The logarithms are divided. To divide probabilities, subtract their logarithms.",
        ),
        (
            lambda p, t: p - t.amax(0),
            "This subtracts the largest log-likelihood of each caption. Take the log of the mean probability.",
        ),
    ),
)


def _with_prior(g: torch.Generator, n_images: int = 0, equal: bool = False) -> tuple[Tensor, Tensor]:
    """Log-likelihoods without equal numbers and a prior of each caption, so that no difference is rounded or tied."""
    n_images, n_captions = n_images or random_size(g, 4, 8), random_size(g, 4, 8)
    log_p = torch.randperm(16 * n_images * n_captions, generator=g)[: n_images * n_captions] / 16
    steps = torch.randint(1 if equal else 20 * FINE, (n_captions,), generator=g) // 64 * 64
    fine = 0 if equal else torch.arange(1, n_captions + 1)  # the last digits tell the captions apart
    return -log_p.view(n_images, n_captions) - 1, -(steps + fine) / FINE - 1


def _changes_by_loop(log_p: Tensor, log_prior: Tensor) -> LongTensor:
    rows, prior = log_p.double().tolist(), log_prior.double().tolist()
    divided = [[value - less for value, less in zip(row, prior, strict=True)] for row in rows]

    def changed(before, after):
        order = sorted(range(len(before)), key=lambda place: before[place])
        return order != sorted(range(len(after)), key=lambda place: after[place])

    of_captions = sum(changed(*pair) for pair in zip(zip(*rows, strict=True), zip(*divided, strict=True), strict=True))
    of_images = sum(changed(*pair) for pair in zip(rows, divided, strict=True))
    return torch.tensor([of_captions, of_images])


def _own_changed_rankings(log_p, log_prior):
    divided = log_p - log_prior  # [n_images, n_captions]
    t2i = (divided.argsort(dim=0) != log_p.argsort(dim=0)).any(dim=0)  # [n_captions]
    i2t = (divided.argsort(dim=1) != log_p.argsort(dim=1)).any(dim=1)  # [n_images]
    return torch.stack([t2i.sum(), i2t.sum()])


def _counted(p, prior, change=lambda p, prior: p - prior, count=lambda moved, dim: moved.any(dim).sum()):
    """As the solution, with one part changed."""
    divided = change(p, prior)
    return torch.stack([count(divided.argsort(dim) != p.argsort(dim), dim) for dim in (0, 1)])


def _tops(p, prior):
    return torch.stack([((p - prior).argmax(dim) != p.argmax(dim)).sum() for dim in (0, 1)])


changed_rankings = Exercise(
    name="changed_rankings",
    minutes=15,
    difficulty=2,
    hints=(
        "Text-to-image ranks the images of one caption: a column. Image-to-text ranks the captions of one image: a "
        "row. What does log_p - log_prior do to a column?",
        "Two rankings are equal where log_p.argsort(dim=0) and (log_p - log_prior).argsort(dim=0) are; a column's "
        "ranking has changed where .any(dim=0) of them differ.",
        "(divided.argsort(dim=0) != log_p.argsort(dim=0)).any(dim=0).sum() for the captions, the same with dim=1 for "
        "the images; torch.stack([...]) makes one tensor of both.",
    ),
    reference=_changes_by_loop,
    own=_own_changed_rankings,
    inputs={
        "captions of unequal commonness": _with_prior,
        "captions of equal commonness": lambda g: _with_prior(g, equal=True),
        "a single image": lambda g: _with_prior(g, n_images=1),
    },
    shape="[2]",
    begin="Start from `log_p` [n_images, n_captions] and `log_prior` [n_captions]. Divide by the prior, and count: "
    "for how many captions does the ranking of the images change, and for how many images that of the captions? "
    "Return the two counts, in this order, as one tensor. No two numbers of a row or a column are equal.",
    varied=(),
    remarks={"captions of equal commonness": "A prior that is the same for all captions changes no ranking at all."},
    mistakes=(
        (
            lambda p, prior: _counted(p, prior).flip(0),
            "The two counts are exchanged. A column, dim=0, holds the images of one caption: text-to-image.",
        ),
        (
            lambda p, prior: _counted(p, prior, count=lambda moved, dim: moved.sum()),
            "This counts the places that moved. Count the rankings in which any place moved.",
        ),
        (
            _tops,
            "Only the first of each ranking is compared. A ranking has changed if any two places are exchanged.",
        ),
        (
            lambda p, prior: _counted(p, prior, count=lambda moved, dim: (~moved.any(dim)).sum()),
            "This counts the rankings that stay the same. Count those that change.",
        ),
        (
            lambda p, prior: _counted(p, prior, change=lambda p, prior: p + prior),
            "The prior is multiplied, not divided away. Subtract its logarithm.",
        ),
        (
            lambda p, prior: _counted(p, prior, change=lambda p, prior: p / prior),
            "The logarithms are divided. To divide probabilities, subtract their logarithms.",
        ),
        (
            lambda p, prior: _counted(p, prior, count=lambda moved, dim: moved.any(1 - dim).sum()),
            "The right orders are compared, but .any() looks across them: columns for dim=0, rows for dim=1.",
        ),
        (
            lambda p, prior: _counted(p, prior, count=lambda moved, dim: moved.all(dim).sum()),
            "A ranking counts here only if every place has moved. One is enough: any, not all.",
        ),
    ),
)


WRITING_EXERCISES = (caption_log_likelihood, divide_by_prior, changed_rankings)
