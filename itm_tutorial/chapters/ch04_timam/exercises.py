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
    begin="Start from images and captions, and return the matrix p of the formula: [n_images, n_captions].",
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
            "You normalised both sides, so this is a softmax of cosines. Normalise the captions only; an image keeps "
            "its "
            "length.",
        ),
        (
            lambda i, c: (i @ c.T).softmax(1),
            "The captions are not normalised, so a long caption attracts every image. Divide each caption by its "
            "length.",
        ),
        (
            lambda i, c: (normalize(i, dim=1) @ c.T).softmax(1),
            "You normalised the images. Normalise the captions instead: an image is projected on a caption's "
            "direction.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=1).T).softmax(0),
            "The softmax runs over the images (dim=0). Each image, a row, divides its weight among the captions: "
            "dim=1.",
        ),
        (
            lambda i, c: i @ normalize(c, dim=1).T,
            "These are the projections. Apply a softmax to each row to turn them into probabilities.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=1).T).log_softmax(1),
            "These are logarithms of probabilities. Use softmax in place of log_softmax.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=0).T).softmax(1),
            "The norm is taken over all captions (dim=0). Take the norm of each caption embedding: dim=1.",
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
        "Each row must be a distribution: by how many matching captions is the 1 divided?",
        "match.sum(dim=1, keepdim=True) counts the matching captions of each image.",
        "match.float() / match.sum(dim=1, keepdim=True).",
    ),
    reference=_targets_by_loop,
    own=_own_matching_targets,
    begin="Start from the bool matrix match, and return the matrix q of the formula, float32 and of the same shape.",
    inputs={
        "people who come more than once": _batch,
        "a batch without repetition": lambda g: _batch(g, repeated=False),
    },
    shape="[n_images, n_captions]",
    mistakes=(
        (
            lambda m: normalize(m.float(), dim=1),
            "You divided by the row's L2 norm, as a public copy does: two matching captions get 0.71 each, 1.41 in "
            "total. "
            "Divide by the row's sum.",
        ),
        (
            lambda m: m.float() / m.sum(0, keepdim=True),
            "The columns sum to 1 here. The targets of one image, a row, must sum to 1: dim=1.",
        ),
        (
            lambda m: m.float(),
            "Each matching caption gets 1, so a row with two of them sums to 2. Every row must sum to 1.",
        ),
        (
            lambda m: m.float().softmax(1),
            "A softmax of zeros and ones gives a target above 0 to captions that do not match. Divide by the number of "
            "matches instead.",
        ),
        (
            lambda m: m.float() / m.sum(),
            "You divided by the number of matches in the whole batch. Divide each row by its own number of matches.",
        ),
        (
            lambda m: torch.nn.functional.one_hot(m.int().argmax(1), m.shape[1]).float(),
            "Only the first matching caption of each row counts here. All captions of the same person are matches.",
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
        "A caption that does not match has q = 0: add 1e-8 to q before you divide.",
        "(probabilities * (probabilities / (targets + 1e-8)).log()).sum(dim=1).mean().",
    ),
    reference=_divergence_by_loop,
    own=_own_divergence,
    begin="Start from the sum in the formula, term by term, and return a scalar tensor.",
    inputs={
        "people who come more than once": _probabilities_and_targets,
        "a batch without repetition": lambda g: _probabilities_and_targets(g, repeated=False),
        "targets near zero": _soft_targets,
    },
    remarks={"targets near zero": "The 1e-8 is added to every target, also to those above 0. It is no lower limit."},
    varied=(),
    mistakes=(
        (
            lambda p, q: torch.where(q > 0, q * (q / p).log(), 0).sum(1).mean(),
            "This is the other direction, KL(q || p), which equals the usual cross-entropy up to a constant. In CMPM "
            "each "
            "logarithm is weighted by p.",
        ),
        (
            lambda p, q: _terms(p, q).mean(),
            "The mean is taken over the captions as well. Sum over each row, then take the mean over the rows.",
        ),
        (
            lambda p, q: _terms(p, q).sum(),
            "You summed over the rows. Take the mean over the rows, the 1/n of the formula.",
        ),
        (
            lambda p, q: -_terms(p, q).sum(1).mean(),
            "The sign is wrong. The logarithm is that of p / q, with no minus sign in front.",
        ),
        (
            lambda p, q: -(p * (q + SMOOTHING).log()).sum(1).mean(),
            "Only the part with log q is here. The part with log p is missing.",
        ),
        (
            lambda p, q: (p * (p / q.clamp(min=SMOOTHING)).log()).sum(1).mean(),
            "Here 1e-8 is a lower limit of q (clamp). Add it to q, as the formula does.",
        ),
        (
            lambda p, q: torch.where(q > 0, _terms(p, q), 0).sum(1).mean(),
            "Only matching captions count here. Weight on the others must cost something: about 18 nats per unit.",
        ),
        (
            lambda p, q: (p / (q + SMOOTHING)).log().sum(1).mean(),
            "The logarithms are not weighted. Multiply each by its p.",
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
        "A logit is scale times the cosine between an embedding and the row of a person.",
        "Divide both the embeddings and the rows of weight by their lengths, which are norms over dim=1.",
        "scale * embeddings @ weight.T, after x / x.norm(dim=1, keepdim=True) on both.",
    ),
    reference=_logits_by_loop,
    own=_own_norm_softmax_logits,
    begin="Start from embeddings and weight, whose rows are vectors of one size, and return one logit per embedding "
    "and person.",
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
            "Nothing is normalised here: this is a plain linear classifier, in which a long row of weight gets large "
            "logits "
            "whatever its direction.",
        ),
        (
            lambda c, w, s: s * c @ normalize(w, dim=1).T,
            "The embeddings are not normalised. CMPL's own classifier leaves them so, but a cosine needs both lengths "
            "at 1.",
        ),
        (
            lambda c, w, s: s * normalize(c, dim=1) @ w.T,
            "The rows of weight are not normalised. Divide each row by its length as well.",
        ),
        (
            lambda c, w, s: normalize(c, dim=1) @ normalize(w, dim=1).T,
            "These are cosines. Multiply them by scale: cosines never exceed 1, and their softmax over many people is "
            "nearly "
            "uniform.",
        ),
        (
            lambda c, w, s: normalize(c, dim=1) @ normalize(w, dim=1).T / s,
            "You divided by scale. It is an inverse temperature, so multiply by it.",
        ),
        (
            lambda c, w, s: (s * normalize(c, dim=1) @ normalize(w, dim=1).T).softmax(1),
            "These are probabilities. Return the logits; cross_entropy applies the softmax itself.",
        ),
        (
            lambda c, w, s: s * c @ normalize(w, dim=0).T,
            "You normalised the columns of weight. Each person is a row (dim=1). The embeddings need length 1 as well.",
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
        "Padding holds zeros, and zero is larger than every negative number. Exclude padding from the maximum.",
        "torch.arange(states.shape[1])[None] >= lengths[:, None] is True for padding, [n_captions, seq_len].",
        "states.masked_fill(padding[..., None], -torch.inf).amax(dim=1).",
    ),
    reference=_max_by_loop,
    own=_own_max_over_words,
    begin="Start from the states of one caption, [seq_len, dim], of which the first lengths[i] rows are words. Return "
    "one vector per caption.",
    inputs={
        "captions of several lengths": _states,
        "captions of one length": lambda g: _states(g, full=True),
        "states that are mostly negative": lambda g: _states(g, low=-6.0),
        "words whose states are zero": _with_zeros,
        "states a million below zero": lambda g: _states(g, low=-1e6),
    },
    shape="[n_captions, dim]",
    remarks={
        "words whose states are zero": "A real word may have a state of zeros. Use lengths to find the padding.",
        "states a million below zero": "A constant such as -10 is larger than these states. Fill the padding with "
        "minus infinity.",
    },
    mistakes=(
        (
            lambda s, n: s.amax(1),
            "Padding takes part in the maximum: its zeros are larger than negative states, so an embedding depends on "
            "the "
            "other captions of its batch.",
        ),
        (
            lambda s, n: s.masked_fill(s == 0, -torch.inf).amax(1),
            "You treat every zero as padding, but the state of a real word may contain zeros. Use lengths to find the "
            "padding.",
        ),
        (
            lambda s, n: s.masked_fill((s == 0).all(2, keepdim=True), -torch.inf).amax(1),
            "You treat every row of zeros as padding, but a real word may have such a state. Use lengths to find the "
            "padding.",
        ),
        (
            lambda s, n: s.masked_fill(~_real(s, n), -10.0).amax(1),
            "You fill the padding with -10, which is larger than some states. Fill it with minus infinity.",
        ),
        (
            lambda s, n: s[torch.arange(len(s)), n - 1],
            "This is the state of the last word. CMPL takes the maximum over all words.",
        ),
        (
            lambda s, n: (s * _real(s, n)).sum(1) / n[:, None],
            "This is the mean over the words. Take the maximum over the words, for each dimension.",
        ),
        (
            lambda s, n: s.masked_fill(~_real(s, n), -torch.inf).amax(2),
            "The maximum is taken over the dimensions of each word. Take it over the words: dim=1.",
        ),
        (
            lambda s, n: s.masked_fill(~_real(s, n - 1), -torch.inf).amax(1).clamp(min=-9e9),
            "The last word is left out. Counting starts at 0, so every position below the length is a word.",
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
