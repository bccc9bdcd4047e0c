"""The exercises of chapter 04: CMPM in three steps, two details of the encoders, and how people are searched for."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import normalize

from itm_tutorial.lessons.checking import Exercise

SMOOTHING = 1e-8


def _size(g: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high, (), generator=g))


def _two_sides(g: torch.Generator, n_images: int | None = None, unit: bool = False) -> tuple[Tensor, Tensor]:
    """Codes of a few images and captions, of unequal numbers and lengths."""
    dim = _size(g, 3, 7)
    images = 2 * torch.randn(n_images or _size(g, 2, 5), dim, generator=g)
    captions = 2 * torch.randn(_size(g, 5, 8), dim, generator=g)
    return images, normalize(captions, dim=1) if unit else captions


def _shares_by_loop(images: Tensor, captions: Tensor) -> Tensor:
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
        "How far an image's code reaches along a caption is a dot product with the caption's direction.",
        "Only the captions get length 1: captions / captions.norm(dim=1, keepdim=True).",
        "(images @ directions.T).softmax(dim=1): each image shares a weight of one among the captions.",
    ),
    reference=_shares_by_loop,
    own=_own_projection_shares,
    inputs={
        "codes of any length": _two_sides,
        "captions of length 1": lambda g: _two_sides(g, unit=True),
        "a single image": lambda g: _two_sides(g, n_images=1),
    },
    shape="[n_images, n_captions]",
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
            "The softmax runs over the images: here each image, a row, shares its weight among the captions (dim=1).",
        ),
        (
            lambda i, c: i @ normalize(c, dim=1).T,
            "These are the projections: a softmax turns them into shares.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=1).T).log_softmax(1),
            "These are logarithms of shares: take softmax, not log_softmax.",
        ),
        (
            lambda i, c: (i @ normalize(c, dim=0).T).softmax(1),
            "The length runs over captions here: it is over the numbers of one caption's code (dim=1).",
        ),
    ),
)


def _people(g: torch.Generator, n: int, n_people: int) -> LongTensor:
    return torch.randint(0, n_people, (n,), generator=g)


def _batch(g: torch.Generator, repeated: bool = True) -> tuple[Tensor]:
    """Which image of a batch shows the person that a caption describes; each has at least one match."""
    n = _size(g, 4, 8)
    if not repeated:
        return (torch.eye(n, dtype=torch.bool)[torch.randperm(n, generator=g)],)
    who = torch.cat([torch.zeros(2, dtype=torch.int64), _people(g, n, 3)])
    other = torch.cat([who, _people(g, 2, 3)])
    return (who[:, None] == other[None],)


def _targets_by_loop(match: Tensor) -> Tensor:
    rows = []
    for row in match.tolist():
        n_right = sum(row)
        rows.append([1 / n_right if right else 0.0 for right in row])
    return torch.tensor(rows)


def _own_matching_targets(match):
    return match.float() / match.sum(dim=1, keepdim=True)  # [n_images, n_captions], each row sums to one


matching_targets = Exercise(
    name="matching_targets",
    minutes=5,
    difficulty=1,
    hints=(
        "Each row must be a distribution: how many right captions share the one?",
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
            "The columns sum to one: it is an image's captions, a row, that share the one (dim=1).",
        ),
        (lambda m: m.float(), "Two right captions get 1 each: the row must sum to one."),
        (
            lambda m: m.float().softmax(1),
            "A softmax of zeros and ones gives wrong captions a share too: divide by the number of right ones.",
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


def _shares_and_targets(g: torch.Generator, repeated: bool = True) -> tuple[Tensor, Tensor]:
    targets = _targets_by_loop(_batch(g, repeated)[0])
    return (1.5 * torch.randn(targets.shape, generator=g)).softmax(1), targets


def _divergence_by_loop(shares: Tensor, targets: Tensor) -> float:
    total = 0.0
    for p_row, q_row in zip(shares.double(), targets.double(), strict=True):
        for p, q in zip(p_row, q_row, strict=True):
            total += float(p * torch.log(p / (q + SMOOTHING)))
    return torch.tensor(total / len(shares), dtype=shares.dtype)


def _own_divergence(shares, targets):
    terms = shares * (shares / (targets + 1e-8)).log()  # [n_images, n_captions]
    return terms.sum(dim=1).mean()


def _pulled(p: Tensor, q: Tensor) -> Tensor:
    return p * (p / (q + SMOOTHING)).log()


divergence = Exercise(
    name="divergence",
    minutes=10,
    difficulty=2,
    hints=(
        "KL(p || q) is the mean, under p, of the logarithm of p over q.",
        "A wrong caption has q = 0: add 1e-8 to q before you divide.",
        "(shares * (shares / (targets + 1e-8)).log()).sum(dim=1).mean().",
    ),
    reference=_divergence_by_loop,
    own=_own_divergence,
    inputs={
        "people who come more than once": _shares_and_targets,
        "a batch without repetition": lambda g: _shares_and_targets(g, repeated=False),
    },
    mistakes=(
        (
            lambda p, q: torch.where(q > 0, q * (q / p).log(), 0).sum(1).mean(),
            "Turned round: this is KL(q || p), which is the usual cross-entropy but for a constant. CMPM weighs by p.",
        ),
        (
            lambda p, q: _pulled(p, q).mean(),
            "The mean runs over captions as well: sum over each row, then take the mean over rows.",
        ),
        (lambda p, q: _pulled(p, q).sum(), "This is a sum over the rows: the paper's code takes their mean."),
        (lambda p, q: -_pulled(p, q).sum(1).mean(), "The sign is turned round: the logarithm is of p over q."),
        (
            lambda p, q: -(p * (q + SMOOTHING).log()).sum(1).mean(),
            "This is the cross term alone: the logarithm of p is missing.",
        ),
        (
            lambda p, q: torch.where(q > 0, _pulled(p, q), 0).sum(1).mean(),
            "Only right captions count here: it is the weight on wrong ones that costs, 18 nats for each unit.",
        ),
        (
            lambda p, q: (p / (q + SMOOTHING)).log().sum(1).mean(),
            "The logarithms are not weighted: multiply each by p.",
        ),
    ),
)


def _classifier(g: torch.Generator, n: int | None = None, scale: float | None = None) -> tuple[Tensor, Tensor, float]:
    dim = _size(g, 3, 7)
    codes = 2 * torch.randn(n or _size(g, 2, 5), dim, generator=g)
    return codes, 2 * torch.randn(_size(g, 5, 9), dim, generator=g), scale or float(_size(g, 4, 20))


def _logits_by_loop(codes: Tensor, weight: Tensor, scale: float) -> Tensor:
    found = torch.zeros(len(codes), len(weight))
    for i, code in enumerate(codes):
        for j, row in enumerate(weight):
            found[i, j] = scale * float(code @ row) / float((code @ code) * (row @ row)) ** 0.5
    return found


def _own_norm_softmax_logits(codes, weight, scale):
    codes = codes / codes.norm(dim=1, keepdim=True)  # [n, dim]
    weight = weight / weight.norm(dim=1, keepdim=True)  # [n_people, dim]
    return scale * codes @ weight.T  # [n, n_people]


norm_softmax_logits = Exercise(
    name="norm_softmax_logits",
    minutes=5,
    difficulty=1,
    hints=(
        "A logit is a cosine times scale: of which two vectors?",
        "Both the codes and the rows of weight get length 1, over dim=1.",
        "scale * codes @ weight.T, after x / x.norm(dim=1, keepdim=True) on both.",
    ),
    reference=_logits_by_loop,
    own=_own_norm_softmax_logits,
    inputs={
        "codes of any length": _classifier,
        "a single code": lambda g: _classifier(g, n=1),
        "a scale of one": lambda g: _classifier(g, scale=1.0),
    },
    shape="[n, n_people]",
    mistakes=(
        (
            lambda c, w, s: s * c @ w.T,
            "Nothing has length 1 here: a plain classifier, in which a long row wins without being near.",
        ),
        (
            lambda c, w, s: s * c @ normalize(w, dim=1).T,
            "The codes keep their length: the paper of CMPL leaves it so, here the search's cosine is wanted.",
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
            "The length runs down the columns of weight: a person is a row (dim=1). And the codes keep theirs.",
        ),
    ),
)


def _states(g: torch.Generator, full: bool = False, low: float = -3.0) -> tuple[Tensor, LongTensor]:
    """What an LSTM gives at every place, mostly negative, and the lengths; behind the end stands zero."""
    n, longest, dim = _size(g, 2, 5), _size(g, 4, 8), _size(g, 2, 5)
    lengths = torch.full((n,), longest) if full else torch.randint(1, longest, (n,), generator=g)
    there = torch.arange(longest)[None] < lengths[:, None]
    states = torch.rand(n, longest, dim, generator=g) * (0.3 - low) + low
    return states * there[..., None], lengths


def _max_by_loop(states: Tensor, lengths: LongTensor) -> Tensor:
    rows = []
    for sentence, length in zip(states.tolist(), lengths.tolist(), strict=True):
        rows.append([max(values) for values in zip(*sentence[:length], strict=True)])
    return torch.tensor(rows)


def _own_max_over_words(states, lengths):
    places = torch.arange(states.shape[1])  # [longest]
    padding = places[None] >= lengths[:, None]  # [n_captions, longest]
    return states.masked_fill(padding[..., None], -torch.inf).amax(dim=1)  # [n_captions, dim]


def _real(states: Tensor, lengths: LongTensor) -> Tensor:
    return (torch.arange(states.shape[1])[None] < lengths[:, None])[..., None]


max_over_words = Exercise(
    name="max_over_words",
    minutes=10,
    difficulty=2,
    hints=(
        "Padding is zero, and zero is larger than every negative number: it must not take part.",
        "torch.arange(states.shape[1])[None] >= lengths[:, None] says what is padding, [n_captions, longest].",
        "states.masked_fill(padding[..., None], -torch.inf).amax(dim=1).",
    ),
    reference=_max_by_loop,
    own=_own_max_over_words,
    inputs={
        "captions of several lengths": _states,
        "captions of one length": lambda g: _states(g, full=True),
        "numbers that are all negative": lambda g: _states(g, low=-6.0),
    },
    shape="[n_captions, dim]",
    mistakes=(
        (
            lambda s, n: s.amax(1),
            "Padding takes part: its zeros win over negative numbers, so that a code depends on its batch.",
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


def _search(g: torch.Generator, several: bool = True, k: int | None = None):
    """Scores of captions in a gallery, and who is shown and described; each described person is in the gallery."""
    n_people = _size(g, 4, 7)
    shown = torch.arange(n_people).repeat(2 if several else 1)
    shown = torch.cat([shown, _people(g, _size(g, 1, 5), n_people)]) if several else shown
    shown = 10 + shown[torch.randperm(len(shown), generator=g)]
    described = 10 + _people(g, _size(g, 6, 12), n_people)
    scores = torch.randn(len(shown), len(described), generator=g) + 0.8 * (shown[:, None] == described[None])
    return scores, shown, described, k or _size(g, 2, 4)


def _recall_by_loop(scores: Tensor, shown: LongTensor, described: LongTensor, k: int) -> float:
    hits = 0
    for caption, who in enumerate(described.tolist()):
        order = sorted(range(len(scores)), key=lambda i, c=caption: -float(scores[i, c]))
        hits += any(int(shown[i]) == who for i in order[:k])
    return 100 * hits / len(described)


def _own_person_recall(scores, shown, described, k):
    found = scores.topk(k, dim=0).indices  # [k, n_captions]: images
    right = (shown[found] == described).any(dim=0)  # [n_captions]
    return 100 * right.double().mean().item()


def _of_first_picture(scores: Tensor, shown: LongTensor, described: LongTensor, k: int) -> float:
    first = torch.stack([(shown == who).nonzero()[0, 0] for who in described])
    return 100 * (scores.topk(k, dim=0).indices == first).any(0).double().mean().item()


person_recall = Exercise(
    name="person_recall",
    minutes=10,
    difficulty=2,
    hints=(
        "A caption has found its person when any of the first k pictures shows this person.",
        "scores.topk(k, dim=0).indices is [k, n_captions]; shown[...] says who these pictures show.",
        "(shown[found] == described).any(dim=0) for each caption; the mean, times 100, .item().",
    ),
    reference=_recall_by_loop,
    own=_own_person_recall,
    inputs={
        "people with several pictures": _search,
        "one picture each": lambda g: _search(g, several=False),
        "the first picture alone": lambda g: _search(g, k=1),
    },
    mistakes=(
        (
            _of_first_picture,
            "Only one picture of each person counts as right: any picture of the right person does.",
        ),
        (
            lambda s, a, b, k: 100 * (a[s.topk(k, dim=0).indices] == b).double().mean().item(),
            "This is the share of the first k that is right, a precision: recall asks whether there is any.",
        ),
        (
            lambda s, a, b, k: 100 * (a[s.topk(k, dim=0).indices] == b).all(0).double().mean().item(),
            "All of the first k must be right here: one is enough (any, not all).",
        ),
        (
            lambda s, a, b, k: 100 * (b[s.topk(k, dim=1).indices] == a[:, None]).any(1).double().mean().item(),
            "The other direction: this asks for each picture whether a caption of its person is found.",
        ),
        (
            lambda s, a, b, k: 100 * (a[s.topk(k, dim=0, largest=False).indices] == b).any(0).double().mean().item(),
            "These are the k worst pictures: take the largest scores.",
        ),
        (lambda s, a, b, k: _own_person_recall(s, a, b, k) / 100, "This is a share between 0 and 1: give percent."),
        (
            lambda s, a, b, k: 100 * (s.topk(k, dim=0).indices == b).any(0).double().mean().item(),
            "A picture's number is compared with a person's: shown[found] says who the picture shows.",
        ),
    ),
)


def _dealt(g: torch.Generator, one_each: bool = False) -> tuple[LongTensor, LongTensor, int]:
    """Who each picture shows, the people in random order, and how many of them are for the test."""
    n_people = _size(g, 5, 9)
    names = 3 + torch.randperm(3 * n_people, generator=g)[:n_people]
    extra = 0 if one_each else _size(g, 4, 9)
    identity = torch.cat([names, names[_people(g, extra, n_people)]])
    identity = identity[torch.randperm(len(identity), generator=g)]
    return identity, names[torch.randperm(n_people, generator=g)], _size(g, 2, n_people - 1)


def _dealt_by_loop(identity: LongTensor, order: LongTensor, n_test: int) -> Tensor:
    chosen = set(order[:n_test].tolist())
    return torch.tensor([who in chosen for who in identity.tolist()])


def _own_held_out(identity, order, n_test):
    return torch.isin(identity, order[:n_test])  # bool [n_images]


def _only_first_pictures(identity: LongTensor, order: LongTensor, n_test: int) -> Tensor:
    chosen = _own_held_out(identity, order, n_test)
    seen_before = (identity[:, None] == identity[None]).tril(-1).any(1)
    return chosen & ~seen_before


held_out = Exercise(
    name="held_out",
    minutes=5,
    difficulty=1,
    hints=(
        "Choose people first; then every picture of a chosen person goes to the test.",
        "order[:n_test] are the people of the test.",
        "torch.isin(identity, order[:n_test]).",
    ),
    reference=_dealt_by_loop,
    own=_own_held_out,
    inputs={"people with several pictures": _dealt, "one picture each": lambda g: _dealt(g, one_each=True)},
    shape="[n_images]",
    mistakes=(
        (
            lambda who, order, n: torch.arange(len(who)) < n,
            "These are the first n_test pictures: people, not pictures, are dealt out, or one stands on both sides.",
        ),
        (
            lambda who, order, n: ~_own_held_out(who, order, n),
            "Turned round: this is the training side.",
        ),
        (
            lambda who, order, n: torch.isin(who, order[-n:]),
            "The last n_test people of the order: the first are wanted.",
        ),
        (
            lambda who, order, n: torch.isin(who, who[:n]),
            "The people of the first n_test pictures: those with many pictures come more easily, and may come twice. "
            "Take them from order.",
        ),
        (
            _only_first_pictures,
            "One picture of each chosen person: the others would stay in training, and so would the person.",
        ),
        (
            lambda who, order, n: who < n,
            "A person's number is a name, not a place: look it up in order[:n_test].",
        ),
    ),
)


def _classes(g: torch.Generator, few: bool = False) -> tuple[Tensor, LongTensor, int]:
    """Scores of images and classes, which class each image shows, and k; where few, classes are smaller than k."""
    n_classes = _size(g, 3, 6)
    identity = torch.arange(n_classes).repeat(2 if few else 5)
    identity = torch.cat([identity, _people(g, _size(g, 1, 8), n_classes)])
    identity = identity[torch.randperm(len(identity), generator=g)]
    scores = torch.randn(len(identity), n_classes, generator=g)
    scores += 0.8 * torch.nn.functional.one_hot(identity, n_classes)
    return scores, identity, 5 if few else 4


def _precision_by_loop(scores: Tensor, identity: LongTensor, k: int) -> float:
    shares = []
    for one in range(scores.shape[1]):
        order = sorted(range(len(scores)), key=lambda i, c=one: -float(scores[i, c]))
        shares.append(sum(int(identity[i]) == one for i in order[:k]) / k)
    return 100 * sum(shares) / len(shares)


def _own_precision_at_k(scores, identity, k):
    found = identity[scores.topk(k, dim=0).indices]  # [k, n_classes]: the class of each picture found
    right = found == torch.arange(scores.shape[1])  # [k, n_classes]
    return 100 * right.double().mean().item()


def _found(scores: Tensor, identity: LongTensor, k: int) -> Tensor:
    return (identity[scores.topk(k, dim=0).indices] == torch.arange(scores.shape[1])).double()


def _average_precision(right: Tensor) -> Tensor:
    """[k, n_classes] -> [n_classes]: the mean, over the hits, of the precision down to each."""
    places = torch.arange(1, len(right) + 1)[:, None]
    return (right * right.cumsum(0) / places).sum(0) / right.sum(0).clamp(min=1)


precision_at_k = Exercise(
    name="precision_at_k",
    minutes=10,
    difficulty=2,
    hints=(
        "For each class take the k pictures with the highest scores: what share of them shows it?",
        "identity[scores.topk(k, dim=0).indices] is [k, n_classes]: the class of each picture found.",
        "Compare with torch.arange(n_classes); the mean over both dimensions, times 100, .item().",
    ),
    reference=_precision_by_loop,
    own=_own_precision_at_k,
    inputs={
        "classes with enough pictures": _classes,
        "classes with fewer than k": lambda g: _classes(g, few=True),
    },
    mistakes=(
        (
            lambda s, y, k: 100 * _average_precision(_found(s, y, k)).mean().item(),
            "This is average precision, which pays more for early hits: AP@50 is, for all its name, the plain share.",
        ),
        (
            lambda s, y, k: 100 * _found(s, y, k).any(0).double().mean().item(),
            "One right picture is enough here: this is recall. Count the share of all k.",
        ),
        (
            lambda s, y, k: 100 * (_found(s, y, k).sum(0) / y.bincount()).mean().item(),
            "Divided by the pictures that a class has: the source divides by k.",
        ),
        (
            lambda s, y, k: 100 * (_found(s, y, k).sum(0) / y.bincount().clamp(max=k)).mean().item(),
            "Divided by what was possible: fairer, and not the source's, which divides by k whatever there is.",
        ),
        (
            lambda s, y, k: 100 * (s.topk(min(k, s.shape[1]), 1).indices == y[:, None]).any(1).double().mean().item(),
            "The other direction: this asks each picture for its class. Here a class asks for pictures (dim=0).",
        ),
        (lambda s, y, k: _own_precision_at_k(s, y, k) / 100, "This is a share between 0 and 1: give percent."),
        (
            lambda s, y, k: _found(s, y, k).sum(0).mean().item(),
            "This is a number of pictures, the mean over classes: divide by k.",
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
