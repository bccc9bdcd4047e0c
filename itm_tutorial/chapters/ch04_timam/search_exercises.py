"""Three exercises of chapter 04 on search for people and classes: recall, held-out people, precision."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.adversarial import TIES
from itm_tutorial.chapters.exercise import Exercise, random_size


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
        order = sorted(range(len(scores)), key=lambda i, c=caption: (-float(scores[i, c]), int(shown[i]) == who))
        hits += any(int(shown[i]) == who for i in order[:k])
    return 100 * hits / len(described)


def _own_person_recall(scores, shown, described, k):
    match = shown[:, None] == described[None]  # bool [n_images, n_captions]
    best = scores.masked_fill(~match, -torch.inf).amax(dim=0)  # [n_captions]: the best picture of the person
    before = ((scores >= best) & ~match).sum(dim=0)  # [n_captions]: pictures of others that come before it
    return 100 * (before < k).double().mean().item()


def _by_topk(scores: Tensor, shown: LongTensor, described: LongTensor, k: int) -> float:
    return 100 * (shown[scores.topk(k, dim=0).indices] == described).any(0).double().mean().item()


def _ties_win(scores: Tensor, shown: LongTensor, described: LongTensor, k: int) -> float:
    match = shown[:, None] == described[None]
    best = scores.masked_fill(~match, -torch.inf).amax(dim=0)
    return 100 * (((scores > best) & ~match).sum(0) < k).double().mean().item()


def _own_pictures_counted(scores: Tensor, shown: LongTensor, described: LongTensor, k: int) -> float:
    match = shown[:, None] == described[None]
    best = scores.masked_fill(~match, -torch.inf).amax(dim=0)
    return 100 * ((scores >= best).sum(0) < k).double().mean().item()


def _of_first_picture(scores: Tensor, shown: LongTensor, described: LongTensor, k: int) -> float:
    first = torch.stack([(shown == who).nonzero()[0, 0] for who in described])
    return 100 * (scores.topk(k, dim=0).indices == first).any(0).double().mean().item()


person_recall = Exercise(
    name="person_recall",
    minutes=10,
    difficulty=2,
    hints=(
        "Compare the best picture of the right person with the pictures of all others: how many of them come before "
        "it?",
        "match = shown[:, None] == described[None]; best = scores.masked_fill(~match, -torch.inf).amax(dim=0).",
        "before = ((scores >= best) & ~match).sum(dim=0); then 100 * (before < k).double().mean().item().",
    ),
    reference=_recall_by_loop,
    own=_own_person_recall,
    begin="Start from one column of scores, the scores of all pictures for one caption, and decide whether the caption "
    "finds its person. Return one percentage over all captions.",
    inputs={
        "people with several pictures": _search,
        "one picture each": lambda g: _search(g, several=False),
        "the first picture alone": lambda g: _search(g, k=1),
    },
    remarks=dict.fromkeys(
        ("numbers with ties", "numbers that are all equal", "numbers that are all zero", "a first row of zeros"),
        "Ties count against the model: a picture of another person with the same score comes first.",
    ),
    mistakes=(
        (
            _by_topk,
            "topk decides ties by chance. Ties count against the model: a picture of another person with the same "
            "score "
            "comes before the right one.",
        ),
        (
            _ties_win,
            "Ties count for the model here. A picture of another person with the same score comes first: use >=.",
        ),
        (
            _own_pictures_counted,
            "You count the pictures of the right person as well. Count only pictures of other people (& ~match).",
        ),
        (
            _of_first_picture,
            "Only one picture of each person counts as a match here. Every picture of the person is a match.",
        ),
        (
            lambda s, a, b, k: 100 * (a[s.topk(k, dim=0).indices] == b).double().mean().item(),
            "This is the fraction of the first k pictures that match, a precision. Recall at k asks whether any of "
            "them does.",
        ),
        (
            lambda s, a, b, k: 100 * (a[s.topk(k, dim=0).indices] == b).all(0).double().mean().item(),
            "Here all of the first k pictures must match. One match is enough: use any in place of all.",
        ),
        (
            lambda s, a, b, k: 100 * (b[s.topk(k, dim=1).indices] == a[:, None]).any(1).double().mean().item(),
            "This is the other direction: it asks for each picture whether a caption of its person is found.",
        ),
        (
            lambda s, a, b, k: 100 * (a[s.topk(k, dim=0, largest=False).indices] == b).any(0).double().mean().item(),
            "These are the k pictures with the lowest scores. Take the highest.",
        ),
        (
            lambda s, a, b, k: _own_person_recall(s, a, b, k) / 100,
            "This is a fraction between 0 and 1. Multiply by 100: the chapter uses percent.",
        ),
        (
            lambda s, a, b, k: 100 * (s.topk(k, dim=0).indices == b).any(0).double().mean().item(),
            "You compare indices of pictures with numbers of people. shown[found] gives the person in each picture.",
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
        "Choose people first. Then every picture of a chosen person goes to the test split.",
        "order[:n_test] are the people of the test.",
        "torch.isin(identity, order[:n_test]).",
    ),
    reference=_dealt_by_loop,
    own=_own_held_out,
    begin="Start from identity, the person in each picture, and return one True or False per picture.",
    inputs={"people with several pictures": _dealt, "one picture each": lambda g: _dealt(g, one_each=True)},
    shape="[n_images]",
    mistakes=(
        (
            lambda who, order, n: torch.arange(len(who)) < n,
            "These are the first n_test pictures. Split by people, not by pictures; otherwise a person is in both "
            "splits.",
        ),
        (
            lambda who, order, n: ~_own_held_out(who, order, n),
            "The mask is inverted: this marks the training split. Return True for the pictures of the test.",
        ),
        (
            lambda who, order, n: torch.isin(who, order[-n:]),
            "These are the last n_test people of order. Take the first n_test.",
        ),
        (
            lambda who, order, n: torch.isin(who, who[:n]),
            "These are the people in the first n_test pictures, among whom a person may occur twice. Take the first "
            "n_test people of order instead.",
        ),
        (
            _only_first_pictures,
            "This marks one picture per chosen person. The other pictures of that person would stay in the training "
            "split.",
        ),
        (
            lambda who, order, n: who < n,
            "The number of a person is a name and has no order. Compare it with the people in order[:n_test].",
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
        "Compare it with torch.arange(n_classes), take the mean over both dimensions, and multiply by 100.",
    ),
    reference=_precision_by_loop,
    own=_own_precision_at_k,
    begin="Start from one column of scores, the scores of all pictures for one class, and return one percentage, the "
    "mean over the classes.",
    inputs={
        "classes with enough pictures": _classes,
        "classes with fewer than k": lambda g: _classes(g, few=True),
    },
    spared=TIES,
    mistakes=(
        (
            lambda s, y, k: 100 * _average_precision(_found(s, y, k)).mean().item(),
            "This is average precision, which gives early hits more weight. In spite of its name, AP@50 is a plain "
            "fraction.",
        ),
        (
            lambda s, y, k: 100 * _found(s, y, k).any(0).double().mean().item(),
            "Here one matching picture is enough, which is a recall. Compute the fraction of the k pictures that "
            "match.",
        ),
        (
            lambda s, y, k: 100 * (_found(s, y, k).sum(0) / y.bincount()).mean().item(),
            "You divided by the number of pictures of the class. AP@k divides by k.",
        ),
        (
            lambda s, y, k: 100 * (_found(s, y, k).sum(0) / y.bincount().clamp(max=k)).mean().item(),
            "You divided by the best possible number of hits. AP@k always divides by k, also where a class has fewer "
            "pictures.",
        ),
        (
            lambda s, y, k: 100 * (s.topk(min(k, s.shape[1]), 1).indices == y[:, None]).any(1).double().mean().item(),
            "This is the other direction: it ranks classes for each picture. Rank pictures for each class: dim=0.",
        ),
        (
            lambda s, y, k: _own_precision_at_k(s, y, k) / 100,
            "This is a fraction between 0 and 1. Multiply by 100: the chapter uses percent.",
        ),
        (
            lambda s, y, k: _found(s, y, k).sum(0).mean().item(),
            "This is the mean number of matching pictures per class. Divide it by k and give percent.",
        ),
    ),
)
