"""The exercises of chapter 04: CMPM in three steps, two details of the model, and search for people and classes."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.adversarial import LARGE, NO_LENGTH
from itm_tutorial.chapters.ch04_timam.search_exercises import held_out, person_recall, precision_at_k, random_people
from itm_tutorial.chapters.exercise import Exercise, random_size

SMOOTHING = 1e-8


def _two_sides(g: torch.Generator, n_images: int | None = None, unit: bool = False) -> tuple[Tensor, Tensor]:
    """Embeddings of a few images and captions, of unequal numbers and lengths."""
    dim = random_size(g, 3, 7)
    images = 2 * torch.randn(n_images or random_size(g, 2, 5), dim, generator=g)
    captions = 2 * torch.randn(random_size(g, 5, 8), dim, generator=g)
    return images, normalize(captions, dim=1) if unit else captions


def _probabilities_by_loop(images: Tensor, captions: Tensor) -> Tensor:
    rows = []
    for image in images.tolist():
        raised = []
        for caption in captions.tolist():
            length = sum(y * y for y in caption) ** 0.5
            product = sum(x * y for x, y in zip(image, caption, strict=True))
            raised.append(torch.tensor(product / length, dtype=torch.float64).exp())
        rows.append(torch.stack(raised) / sum(raised))
    return torch.stack(rows).to(images.dtype)


def _own_projection_shares(images, captions):
    directions = captions / captions.norm(dim=1, keepdim=True)  # [n_captions, dim], each of length 1
    return (images @ directions.T).softmax(dim=1)  # [n_images, n_captions], each row sums to one


projection_shares = Exercise(
    name="projection_shares",
    minutes=10,
    difficulty=2,
    hints=(
        "The projection of an image embedding on a caption is a dot product with the caption's direction.",
        "Only the captions get length 1: captions / captions.norm(dim=1, keepdim=True).",
        "(images @ directions.T).softmax(dim=1): each image divides a weight of 1 among the captions.",
    ),
    reference=_probabilities_by_loop,
    own=_own_projection_shares,
    inputs={
        "embeddings of any length": _two_sides,
        "captions of length 1": lambda g: _two_sides(g, unit=True),
        "a single image": lambda g: _two_sides(g, n_images=1),
    },
    shape="[n_images, n_captions]",
    spared=(*NO_LENGTH, *LARGE),
    mistakes=(
        (
            lambda i, c: (normalize(i, dim=1) @ normalize(c, dim=1).T).softmax(1),
            "Both sides have length 1 here: this is a softmax of cosines. An image keeps its length.",
        ),
        (
            lambda i, c: (i @ c.T).softmax(1),
            "The captions keep their length: a long one would attract every image. Project on its direction.",
        ),
        (
            lambda i, c: (normalize(i, dim=1) @ c.T).softmax(1),
            "Normalised the side that is projected: it is what is projected on, the captions, that gets length 1.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=1).T).softmax(0),
            "The softmax runs over the images: here each image, a row, divides its weight among the captions (dim=1).",
        ),
        (
            lambda i, c: i @ normalize(c, dim=1).T,
            "These are the projections: a softmax turns them into probabilities.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=1).T).log_softmax(1),
            "These are logarithms of probabilities: take softmax, not log_softmax.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=0).T).softmax(1),
            "The length runs over captions here: it is over the numbers of one caption embedding (dim=1).",
        ),
    ),
)


def _batch(g: torch.Generator, repeated: bool = True) -> tuple[Tensor]:
    """Which image of a batch shows the person that a caption describes; each has at least one match."""
    n = random_size(g, 4, 8)
    if not repeated:
        return (torch.eye(n, dtype=torch.bool)[torch.randperm(n, generator=g)],)
    who = torch.cat([torch.zeros(2, dtype=torch.int64), random_people(g, n, 3)])
    other = torch.cat([who, random_people(g, 2, 3)])
    return (who[:, None] == other[None],)


def _targets_by_loop(match: Tensor) -> Tensor:
    rows = []
    for row in match.tolist():
        n_positives = sum(row)
        rows.append([1 / n_positives if positive else 0.0 for positive in row])
    return torch.tensor(rows)


def _own_matching_targets(match):
    return match.float() / match.sum(dim=1, keepdim=True)  # [n_images, n_captions], each row sums to one


matching_targets = Exercise(
    name="matching_targets",
    minutes=5,
    difficulty=1,
    hints=(
        "Each row must be a distribution: among how many right captions is the 1 divided?",
        "match.sum(dim=1, keepdim=True) counts the right captions of each image.",
        "match.float() / match.sum(dim=1, keepdim=True).",
    ),
    reference=_targets_by_loop,
    own=_own_matching_targets,
    inputs={
        "people who come more than once": _batch,
        "a batch without repetition": lambda g: _batch(g, repeated=False),
    },
    shape="[n_images, n_captions]",
    mistakes=(
        (
            lambda m: normalize(m.float(), dim=1),
            "Divided by the row's L2 norm, as in a public port: two right captions would get 0.71 each, 1.41 together. "
            "Divide by the sum.",
        ),
        (
            lambda m: m.float() / m.sum(0, keepdim=True),
            "The columns sum to 1: the captions of an image, a row, must sum to 1 (dim=1).",
        ),
        (lambda m: m.float(), "Two right captions get 1 each: the row must sum to one."),
        (
            lambda m: m.float().softmax(1),
            "A softmax of zeros and ones gives wrong captions a weight too: divide by the number of right ones.",
        ),
        (
            lambda m: m.float() / m.sum(),
            "Divided by the matches of the whole batch: each row has its own sum.",
        ),
        (
            lambda m: torch.nn.functional.one_hot(m.int().argmax(1), m.shape[1]).float(),
            "Only the first right caption counts here: all pictures and captions of a person are right.",
        ),
    ),
)


def _probabilities_and_targets(g: torch.Generator, repeated: bool = True) -> tuple[Tensor, Tensor]:
    targets = _targets_by_loop(_batch(g, repeated)[0])
    return (1.5 * torch.randn(targets.shape, generator=g)).softmax(1), targets


def _soft_targets(g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Targets of which a few carry nearly all weight, and the others about as much as epsilon."""
    probabilities, targets = _probabilities_and_targets(g)
    return probabilities, (targets + 3e-8 * torch.rand(targets.shape, generator=g)).clamp(max=1.0)


def _divergence_by_loop(probabilities: Tensor, targets: Tensor) -> float:
    total = 0.0
    for p_row, q_row in zip(probabilities.double(), targets.double(), strict=True):
        for p, q in zip(p_row, q_row, strict=True):
            total += float(p * torch.log(p / (q + SMOOTHING)))
    return torch.tensor(total / len(probabilities), dtype=probabilities.dtype)


def _own_divergence(probabilities, targets):
    terms = probabilities * (probabilities / (targets + 1e-8)).log()  # [n_images, n_captions]
    return terms.sum(dim=1).mean()


def _terms(p: Tensor, q: Tensor) -> Tensor:
    return p * (p / (q + SMOOTHING)).log()


divergence = Exercise(
    name="divergence",
    minutes=10,
    difficulty=2,
    hints=(
        "KL(p || q) is the mean, under p, of the logarithm of p over q.",
        "A wrong caption has q = 0: add 1e-8 to q before you divide.",
        "(probabilities * (probabilities / (targets + 1e-8)).log()).sum(dim=1).mean().",
    ),
    reference=_divergence_by_loop,
    own=_own_divergence,
    inputs={
        "people who come more than once": _probabilities_and_targets,
        "a batch without repetition": lambda g: _probabilities_and_targets(g, repeated=False),
        "targets near zero": _soft_targets,
    },
    remarks={"targets near zero": "The 1e-8 is added to every target, also to those above 0: not a lower limit."},
    varied=(),
    mistakes=(
        (
            lambda p, q: torch.where(q > 0, q * (q / p).log(), 0).sum(1).mean(),
            "Turned round: this is KL(q || p), which is the usual cross-entropy but for a constant. CMPM weighs by p.",
        ),
        (
            lambda p, q: _terms(p, q).mean(),
            "The mean runs over captions as well: sum over each row, then take the mean over rows.",
        ),
        (lambda p, q: _terms(p, q).sum(), "This is a sum over the rows: the paper's code takes their mean."),
        (lambda p, q: -_terms(p, q).sum(1).mean(), "The sign is turned round: the logarithm is of p over q."),
        (
            lambda p, q: -(p * (q + SMOOTHING).log()).sum(1).mean(),
            "This is the cross term alone: the logarithm of p is missing.",
        ),
        (
            lambda p, q: (p * (p / q.clamp(min=SMOOTHING)).log()).sum(1).mean(),
            "The epsilon is a lower limit here (clamp): add it, as the formula does.",
        ),
        (
            lambda p, q: torch.where(q > 0, _terms(p, q), 0).sum(1).mean(),
            "Only right captions count here: it is the weight on wrong ones that costs, 18 nats for each unit.",
        ),
        (
            lambda p, q: (p / (q + SMOOTHING)).log().sum(1).mean(),
            "The logarithms are not weighted: multiply each by p.",
        ),
    ),
)


def _classifier(g: torch.Generator, n: int | None = None, scale: float | None = None) -> tuple[Tensor, Tensor, float]:
    dim = random_size(g, 3, 7)
    embeddings = 2 * torch.randn(n or random_size(g, 2, 5), dim, generator=g)
    return embeddings, 2 * torch.randn(random_size(g, 5, 9), dim, generator=g), scale or float(random_size(g, 4, 20))


def _logits_by_loop(embeddings: Tensor, weight: Tensor, scale: float) -> Tensor:
    found = torch.zeros(len(embeddings), len(weight))
    for i, embedding in enumerate(embeddings):
        for j, row in enumerate(weight):
            found[i, j] = scale * float(embedding @ row) / float((embedding @ embedding) * (row @ row)) ** 0.5
    return found


def _own_norm_softmax_logits(embeddings, weight, scale):
    embeddings = embeddings / embeddings.norm(dim=1, keepdim=True)  # [n, dim]
    weight = weight / weight.norm(dim=1, keepdim=True)  # [n_people, dim]
    return scale * embeddings @ weight.T  # [n, n_people]


norm_softmax_logits = Exercise(
    name="norm_softmax_logits",
    minutes=5,
    difficulty=1,
    hints=(
        "A logit is a cosine times scale: of which two vectors?",
        "Both the embeddings and the rows of weight get length 1, over dim=1.",
        "scale * embeddings @ weight.T, after x / x.norm(dim=1, keepdim=True) on both.",
    ),
    reference=_logits_by_loop,
    own=_own_norm_softmax_logits,
    inputs={
        "embeddings of any length": _classifier,
        "a single embedding": lambda g: _classifier(g, n=1),
        "a scale of one": lambda g: _classifier(g, scale=1.0),
        "a scale with decimals": lambda g: _classifier(g, scale=2.71),
    },
    shape="[n, n_people]",
    spared=NO_LENGTH,
    mistakes=(
        (
            lambda c, w, s: s * c @ w.T,
            "Nothing has length 1 here: a plain classifier, in which a long row wins without being near.",
        ),
        (
            lambda c, w, s: s * c @ normalize(w, dim=1).T,
            "The embeddings keep their length: the paper of CMPL leaves it so, here the search's cosine is wanted.",
        ),
        (lambda c, w, s: s * normalize(c, dim=1) @ w.T, "The rows of weight keep their length: bring both to 1."),
        (
            lambda c, w, s: normalize(c, dim=1) @ normalize(w, dim=1).T,
            "These are cosines, which end at 1: without scale a softmax over many people stays nearly even.",
        ),
        (
            lambda c, w, s: normalize(c, dim=1) @ normalize(w, dim=1).T / s,
            "Divided by scale: it is an inverse temperature, so multiply.",
        ),
        (
            lambda c, w, s: (s * normalize(c, dim=1) @ normalize(w, dim=1).T).softmax(1),
            "These are probabilities: give the logits, of which cross_entropy takes the softmax itself.",
        ),
        (
            lambda c, w, s: s * c @ normalize(w, dim=0).T,
            "The length runs down the columns of weight: a person is a row (dim=1). And the embeddings keep theirs.",
        ),
    ),
)


def _states(g: torch.Generator, full: bool = False, low: float = -3.0) -> tuple[Tensor, LongTensor]:
    """The outputs of an LSTM at every token, mostly negative and 0 for padding, and the lengths."""
    n, seq_len, dim = random_size(g, 2, 5), random_size(g, 4, 8), random_size(g, 2, 5)
    lengths = torch.full((n,), seq_len) if full else torch.randint(1, seq_len, (n,), generator=g)
    mask = torch.arange(seq_len)[None] < lengths[:, None]
    states = torch.rand(n, seq_len, dim, generator=g) * (0.3 - low) + low
    return states * mask[..., None], lengths


def _with_zeros(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    """Negative states among which single numbers, and whole words, are zero."""
    states, lengths = _states(g)
    states = -states.abs()
    states[torch.rand(states.shape, generator=g) < 0.3] = 0
    states[torch.arange(len(states)), torch.div(lengths, 2, rounding_mode="floor")] = 0
    return states, lengths


def _max_by_loop(states: Tensor, lengths: LongTensor) -> Tensor:
    rows = []
    for sentence, length in zip(states.tolist(), lengths.tolist(), strict=True):
        rows.append([max(values) for values in zip(*sentence[:length], strict=True)])
    return torch.tensor(rows)


def _own_max_over_words(states, lengths):
    places = torch.arange(states.shape[1])  # [seq_len]
    padding = places[None] >= lengths[:, None]  # [n_captions, seq_len]
    return states.masked_fill(padding[..., None], -torch.inf).amax(dim=1)  # [n_captions, dim]


def _real(states: Tensor, lengths: LongTensor) -> Tensor:
    return (torch.arange(states.shape[1])[None] < lengths[:, None])[..., None]


max_over_words = Exercise(
    name="max_over_words",
    minutes=10,
    difficulty=2,
    hints=(
        "Padding is zero, and zero is larger than every negative number: it must not take part.",
        "torch.arange(states.shape[1])[None] >= lengths[:, None] says what is padding, [n_captions, seq_len].",
        "states.masked_fill(padding[..., None], -torch.inf).amax(dim=1).",
    ),
    reference=_max_by_loop,
    own=_own_max_over_words,
    inputs={
        "captions of several lengths": _states,
        "captions of one length": lambda g: _states(g, full=True),
        "states that are mostly negative": lambda g: _states(g, low=-6.0),
        "words whose states are zero": _with_zeros,
        "states a million below zero": lambda g: _states(g, low=-1e6),
    },
    shape="[n_captions, dim]",
    remarks={
        "words whose states are zero": "A real word may be zero as well: lengths says what is padding.",
        "states a million below zero": "A constant for padding wins there: fill with minus infinity.",
    },
    mistakes=(
        (
            lambda s, n: s.amax(1),
            "Padding takes part: its zeros win over negative numbers, so that an embedding depends on its batch.",
        ),
        (
            lambda s, n: s.masked_fill(s == 0, -torch.inf).amax(1),
            "Zeros are taken for padding, and a real word may hold some: lengths says what is padding.",
        ),
        (
            lambda s, n: s.masked_fill((s == 0).all(2, keepdim=True), -torch.inf).amax(1),
            "Rows of zeros are taken for padding, and a real word may be one: lengths says what is padding.",
        ),
        (
            lambda s, n: s.masked_fill(~_real(s, n), -10.0).amax(1),
            "Padding gets -10, which wins over smaller numbers: fill with minus infinity.",
        ),
        (
            lambda s, n: s[torch.arange(len(s)), n - 1],
            "This is the last word's state: CMPL takes the maximum over all words.",
        ),
        (
            lambda s, n: (s * _real(s, n)).sum(1) / n[:, None],
            "This is the mean over words: take the maximum, number by number.",
        ),
        (
            lambda s, n: s.masked_fill(~_real(s, n), -torch.inf).amax(2),
            "The maximum runs over the numbers of each word: it should run over the words (dim=1).",
        ),
        (
            lambda s, n: s.masked_fill(~_real(s, n - 1), -torch.inf).amax(1).clamp(min=-9e9),
            "The last word is left out: places below the length are real, and counting starts at 0.",
        ),
    ),
)


EXERCISES = (
    projection_shares,
    matching_targets,
    divergence,
    norm_softmax_logits,
    max_over_words,
    person_recall,
    held_out,
    precision_at_k,
)
