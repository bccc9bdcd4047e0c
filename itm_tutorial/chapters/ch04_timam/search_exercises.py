"""Three exercises of chapter 04 on search for people and classes: recall, held-out people, precision."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.adversarial import TIES
from itm_tutorial.chapters.exercise import Exercise, random_size

SMOOTHING = 1e-8


def random_people(g: torch.Generator, n: int, n_people: int) -> LongTensor:
    return torch.randint(0, n_people, (n,), generator=g)


def _search(g: torch.Generator, several: bool = True, k: int | None = None):
    """Scores [n_images, n_captions], who is shown and who is described; each described person is in the gallery."""
    n_people = random_size(g, 4, 7)
    shown = torch.arange(n_people).repeat(2 if several else 1)
    shown = torch.cat([shown, random_people(g, random_size(g, 1, 5), n_people)]) if several else shown
    shown = 10 + shown[torch.randperm(len(shown), generator=g)]
    described = 10 + random_people(g, random_size(g, 6, 12), n_people)
    scores = torch.randn(len(shown), len(described), generator=g) + 0.8 * (shown[:, None] == described[None])
    return scores, shown, described, k or random_size(g, 2, 4)


def _recall_by_loop(scores: Tensor, shown: LongTensor, described: LongTensor, k: int) -> float:
    hits = 0
    for caption, who in enumerate(described.tolist()):
        order = sorted(range(len(scores)), key=lambda i, c=caption: -float(scores[i, c]))
        hits += any(int(shown[i]) == who for i in order[:k])
    return 100 * hits / len(described)


def _own_person_recall(scores, shown, described, k):
    found = scores.topk(k, dim=0).indices  # [k, n_captions]: images
    hits = (shown[found] == described).any(dim=0)  # [n_captions]
    return 100 * hits.double().mean().item()


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
    spared=TIES,
    mistakes=(
        (
            _of_first_picture,
            "Only one picture of each person counts as right: any picture of the right person does.",
        ),
        (
            lambda s, a, b, k: 100 * (a[s.topk(k, dim=0).indices] == b).double().mean().item(),
            "This is the fraction of the first k that is right, a precision: recall asks whether there is any.",
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
        (lambda s, a, b, k: _own_person_recall(s, a, b, k) / 100, "This is a fraction between 0 and 1: give percent."),
        (
            lambda s, a, b, k: 100 * (s.topk(k, dim=0).indices == b).any(0).double().mean().item(),
            "A picture's number is compared with a person's: shown[found] says who the picture shows.",
        ),
    ),
)


def _dealt(g: torch.Generator, one_each: bool = False) -> tuple[LongTensor, LongTensor, int]:
    """The person that each picture shows, the people in random order, and how many of them are for the test."""
    n_people = random_size(g, 5, 9)
    names = 3 + torch.randperm(3 * n_people, generator=g)[:n_people]
    extra = 0 if one_each else random_size(g, 4, 9)
    identity = torch.cat([names, names[random_people(g, extra, n_people)]])
    identity = identity[torch.randperm(len(identity), generator=g)]
    return identity, names[torch.randperm(n_people, generator=g)], random_size(g, 2, n_people - 1)


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
            "A person's number is a name, not a place: compare it with order[:n_test].",
        ),
    ),
)


def _classes(g: torch.Generator, few: bool = False) -> tuple[Tensor, LongTensor, int]:
    """Scores of images and classes, which class each image shows, and k; where few, classes are smaller than k."""
    n_classes = random_size(g, 3, 6)
    identity = torch.arange(n_classes).repeat(2 if few else 5)
    identity = torch.cat([identity, random_people(g, random_size(g, 1, 8), n_classes)])
    identity = identity[torch.randperm(len(identity), generator=g)]
    scores = torch.randn(len(identity), n_classes, generator=g)
    scores += 0.8 * torch.nn.functional.one_hot(identity, n_classes)
    return scores, identity, 5 if few else 4


def _precision_by_loop(scores: Tensor, identity: LongTensor, k: int) -> float:
    precisions = []
    for one in range(scores.shape[1]):
        order = sorted(range(len(scores)), key=lambda i, c=one: -float(scores[i, c]))
        precisions.append(sum(int(identity[i]) == one for i in order[:k]) / k)
    return 100 * sum(precisions) / len(precisions)


def _own_precision_at_k(scores, identity, k):
    found = identity[scores.topk(k, dim=0).indices]  # [k, n_classes]: the class of each picture found
    hits = found == torch.arange(scores.shape[1])  # [k, n_classes]
    return 100 * hits.double().mean().item()


def _found(scores: Tensor, identity: LongTensor, k: int) -> Tensor:
    return (identity[scores.topk(k, dim=0).indices] == torch.arange(scores.shape[1])).double()


def _average_precision(hits: Tensor) -> Tensor:
    """[k, n_classes] -> [n_classes]: the mean, over the hits, of the precision down to each."""
    places = torch.arange(1, len(hits) + 1)[:, None]
    return (hits * hits.cumsum(0) / places).sum(0) / hits.sum(0).clamp(min=1)


precision_at_k = Exercise(
    name="precision_at_k",
    minutes=10,
    difficulty=2,
    hints=(
        "For each class take the k pictures with the highest scores: what fraction of them shows it?",
        "identity[scores.topk(k, dim=0).indices] is [k, n_classes]: the class of each picture found.",
        "Compare with torch.arange(n_classes); the mean over both dimensions, times 100, .item().",
    ),
    reference=_precision_by_loop,
    own=_own_precision_at_k,
    inputs={
        "classes with enough pictures": _classes,
        "classes with fewer than k": lambda g: _classes(g, few=True),
    },
    spared=TIES,
    mistakes=(
        (
            lambda s, y, k: 100 * _average_precision(_found(s, y, k)).mean().item(),
            "This is average precision, which rewards early hits: AP@50 is a plain fraction, in spite of its name.",
        ),
        (
            lambda s, y, k: 100 * _found(s, y, k).any(0).double().mean().item(),
            "One right picture is enough here: this is recall. Count the fraction of all k.",
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
        (lambda s, y, k: _own_precision_at_k(s, y, k) / 100, "This is a fraction between 0 and 1: give percent."),
        (
            lambda s, y, k: _found(s, y, k).sum(0).mean().item(),
            "This is a number of pictures, the mean over classes: divide by k.",
        ),
    ),
)
