"""The exercises of chapter 01: rank loss, zero-shot labels, hierarchical precision, hubs, and length bias."""

from __future__ import annotations

from functools import partial

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.adversarial import TIES
from itm_tutorial.chapters.exercise import Exercise, random_size


def _labelled(g: torch.Generator, width: float) -> tuple[Tensor, LongTensor, float]:
    """Scores with a spread of ``width``, correct labels, and a margin."""
    n, m = random_size(g, 2, 7), random_size(g, 4, 9)
    scores, labels = width * torch.randn(n, m, generator=g), torch.randint(0, m, (n,), generator=g)
    return scores, labels, 0.05 * random_size(g, 2, 8)


def _positives_far_ahead(g: torch.Generator) -> tuple[Tensor, LongTensor, float]:
    scores, labels, margin = _labelled(g, 0.1)
    return scores.scatter_add(1, labels[:, None], torch.full((len(labels), 1), 2.0)), labels, margin


def _rank_loss_by_loop(scores: Tensor, labels: LongTensor, margin: float) -> Tensor:
    total = 0.0
    for row, y in zip(scores.tolist(), labels.tolist(), strict=True):
        total += sum(max(0.0, margin - row[y] + negative) for j, negative in enumerate(row) if j != y)
    return torch.tensor(total / len(scores))


def _hinges(scores: Tensor, labels: LongTensor, margin: float) -> Tensor:
    """The hinge of each label, [n_images, n_labels]; the margin for the correct one."""
    return (margin - scores.gather(1, labels[:, None]) + scores).clamp(min=0)


def _costs(scores: Tensor, labels: LongTensor, margin: float) -> Tensor:
    """The hinge of each label, [n_images, n_labels]; 0 for the correct one."""
    return _hinges(scores, labels, margin).scatter(1, labels[:, None], 0.0)


def _own_rank_loss(scores, labels, margin):
    positives = scores.gather(1, labels[:, None])  # [n_images, 1]
    costs = (margin - positives + scores).clamp(min=0)  # [n_images, n_labels]
    costs = costs.scatter(1, labels[:, None], 0.0)  # the right label is no negative of its own
    return costs.sum(1).mean()


rank_loss = Exercise(
    name="rank_loss",
    minutes=10,
    difficulty=2,
    hints=(
        "Each wrong label costs max(0, margin - score of the right label + its own score).",
        "scores.gather(1, labels[:, None]) is a column: the scores of the right labels. clamp(min=0) is the bracket.",
        "scatter(1, labels[:, None], 0.0) sets the cost of the right label to 0. Sum over labels, then take the mean.",
    ),
    begin="Start from scores, [n_images, n_labels], and turn every score into a cost. Return a tensor with one number.",
    reference=_rank_loss_by_loop,
    own=_own_rank_loss,
    inputs={
        "scores close together": partial(_labelled, width=0.1),
        "scores far apart": partial(_labelled, width=1.0),
        "a right label far ahead": _positives_far_ahead,
    },
    mistakes=(
        (
            lambda s, y, m: (m - s.gather(1, y[:, None]) + s).clamp(min=0).sum(1).mean(),
            "The right label is counted among the wrong ones, where it always costs the margin: leave it out.",
        ),
        (
            lambda s, y, m: _costs(s, y, m).mean(1).mean(),
            "This takes the mean over labels: the loss is a sum over labels.",
        ),
        (lambda s, y, m: _costs(s, y, m).sum(), "This is a sum over images: take the mean over images."),
        (
            lambda s, y, m: (m - s.gather(1, y[:, None]) + s).scatter(1, y[:, None], 0.0).sum(1).mean(),
            "Labels that score far below the right one get negative costs here: replace negative costs by 0.",
        ),
        (
            lambda s, y, m: _costs(-s, y, m).sum(1).mean(),
            "The signs are swapped: subtract the score of the right label and add that of the wrong one.",
        ),
        (
            lambda s, y, m: _costs(s, y, 0.0).sum(1).mean(),
            "The margin is missing: a wrong label costs nothing only if it scores lower by at least the margin.",
        ),
        (
            lambda s, y, m: _hinges(s, y, m).masked_fill(s == s.gather(1, y[:, None]), 0).sum(1).mean(),
            "A wrong label that ties with the right one is left out with it: leave out only the right label itself.",
        ),
        (
            lambda s, y, m: _costs(s, y, m).amax(1).mean(),
            "This counts only the hardest wrong label, an idea of 2018 (chapter 02): here every wrong label counts.",
        ),
    ),
)


_FILL = (
    "The labels that are no candidates got a constant score, which beats low scores: leave them out, or give them "
    "-torch.inf."
)


def _candidates(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    n, m = random_size(g, 3, 8), random_size(g, 6, 12)
    return torch.randn(n, m, generator=g), torch.randperm(m, generator=g)[: random_size(g, 2, m - 1)]


def _negative_scores(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    scores, candidates = _candidates(g)
    return -1 - scores.abs(), candidates


def _a_million_below(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    scores, candidates = _negative_scores(g)
    return 1e6 * scores, candidates


def _sorted_candidates(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    scores, candidates = _candidates(g)
    return scores, candidates.sort().values


def _zero_shot_by_loop(scores: Tensor, candidates: LongTensor) -> Tensor:
    return torch.tensor([max(candidates.tolist(), key=lambda label: float(row[label])) for row in scores])


def _own_zero_shot(scores, candidates):
    best = scores[:, candidates].argmax(1)  # [n_images], positions among the candidates
    return candidates[best]


zero_shot = Exercise(
    name="zero_shot",
    minutes=5,
    difficulty=1,
    hints=(
        "Only the columns of the candidates count: scores[:, candidates].",
        "argmax(1) over these columns gives a position among the candidates, not yet the number of a label.",
        "candidates[position] turns positions into labels.",
    ),
    begin="Start from scores, [n_images, n_labels], and return int64 [n_images] with entries of candidates.",
    reference=_zero_shot_by_loop,
    own=_own_zero_shot,
    inputs={
        "candidates in any order": _candidates,
        "scores that are all negative": _negative_scores,
        "scores a million below zero": _a_million_below,
        "candidates in order": _sorted_candidates,
    },
    shape="[n_images]",
    remarks={
        "scores that are all negative": _FILL,
        "scores a million below zero": _FILL,
    },
    spared=TIES,
    mistakes=(
        (
            lambda s, c: s.argmax(1),
            "This chooses among all labels, which is the generalised setting: choose among the candidates only.",
        ),
        (
            lambda s, c: s[:, c].argmax(1),
            "These are positions among the candidates: candidates[...] gives the numbers of the labels.",
        ),
        (lambda s, c: c[s[:, c].argmin(1)], "This takes the lowest score: a larger score means more similar."),
        (
            lambda s, c: (s * torch.zeros(s.shape[1]).index_fill(0, c, 1.0)).argmax(1),
            "The labels that are no candidates got the score 0, which beats negative scores: leave them out.",
        ),
        (
            lambda s, c: s.index_fill(1, c, -torch.inf).argmax(1),
            "This chooses among the labels that are no candidates: choose among the candidates.",
        ),
        (
            lambda s, c: s[:, c].argmax(0),
            "This finds an image for each label (dim=0): find a label for each image (dim=1).",
        ),
        (lambda s, c: s[:, c].amax(1), "These are the best scores: return the numbers of the labels that have them."),
    ),
)


def _guesses(g: torch.Generator, distances: LongTensor, k: int) -> tuple[Tensor, LongTensor, LongTensor, int]:
    n, m = random_size(g, 3, 9), len(distances)
    return torch.randn(n, m, generator=g), torch.randint(0, m, (n,), generator=g), distances, k


def _tree_distances(g: torch.Generator) -> LongTensor:
    """Distances between the leaves of a tree of families and groups."""
    family = torch.randint(0, 4, (random_size(g, 9, 14),), generator=g)  # [n_classes]
    same_family, same_group = family[:, None] == family, family[:, None] // 2 == family // 2
    return (6 - 2 * same_group.long() - 2 * same_family.long()).fill_diagonal_(0)


def _in_a_tree(g: torch.Generator) -> tuple[Tensor, LongTensor, LongTensor, int]:
    return _guesses(g, _tree_distances(g), random_size(g, 2, 7))


def _one_guess(g: torch.Generator) -> tuple[Tensor, LongTensor, LongTensor, int]:
    return _guesses(g, _tree_distances(g), 1)


def _all_distances_differ(g: torch.Generator) -> tuple[Tensor, LongTensor, LongTensor, int]:
    m = random_size(g, 7, 11)
    drawn = (1 + torch.randperm(m * m, generator=g)).view(m, m).triu(1)
    return _guesses(g, drawn + drawn.T, random_size(g, 2, 6))


def _hierarchical_precision_by_loop(scores: Tensor, identity: LongTensor, distances: LongTensor, k: int) -> float:
    fractions = []
    for row, y in zip(scores.tolist(), identity.tolist(), strict=True):
        from_label = distances[y].tolist()
        radius = sorted(from_label)[k - 1]
        guesses = sorted(range(len(row)), key=lambda label: -row[label])[:k]
        fractions.append(sum(from_label[label] <= radius for label in guesses) / k)
    return 100 * sum(fractions) / len(fractions)


def _near(distances: Tensor, k: int) -> Tensor:
    """bool [n_classes, n_classes]: C_k of each class; classes at the same distance are all in it or all out."""
    return distances <= distances.sort(1).values[:, k - 1 : k]


def _near_guesses(near: Tensor, scores: Tensor, identity: LongTensor, k: int) -> Tensor:
    """Whether each of the first k guesses is near, float [n_images, k]."""
    return near[identity].gather(1, scores.topk(k, dim=1).indices).float()


def _exactly(distances: Tensor, k: int) -> Tensor:
    nearest = distances.argsort(dim=1, stable=True)[:, :k]
    return torch.zeros(distances.shape, dtype=torch.bool).scatter(1, nearest, True)


def _own_hierarchical_precision(scores, identity, distances, k):
    radius = distances.sort(1).values[:, k - 1]  # [n_classes], how far C_k reaches
    near = (distances <= radius[:, None])[identity]  # [n_images, n_classes]
    guesses = scores.topk(k, dim=1).indices  # [n_images, k]
    return 100 * near.gather(1, guesses).float().mean().item()


hierarchical_precision = Exercise(
    name="hierarchical_precision",
    minutes=15,
    difficulty=3,
    hints=(
        "First find how far C_k reaches: sort each row of distances; the k-th smallest is at index k - 1.",
        "near = (distances <= radius[:, None])[identity] tells for each image which labels are in its C_k.",
        "near.gather(1, scores.topk(k, dim=1).indices) tells which of k guesses are near; return the mean in percent.",
    ),
    begin="Start from distances, [n_classes, n_classes]: which classes belong to C_k of each class? Return one number.",
    reference=_hierarchical_precision_by_loop,
    own=_own_hierarchical_precision,
    inputs={"a tree": _in_a_tree, "a single guess": _one_guess, "distances that all differ": _all_distances_differ},
    remarks={"a tree": "Several classes are often equally far there: C_k contains all of them."},
    spared=TIES,
    mistakes=(
        (
            lambda s, i, d, k: _near_guesses(_near(d, k), s, i, k).mean().item(),
            "This is a fraction between 0 and 1: the answer is in percent.",
        ),
        (
            lambda s, i, d, k: 100 * _near_guesses(d <= d.sort(1).values[:, k : k + 1], s, i, k).mean().item(),
            "C_k reaches one class too far: the right label is the first, so the k-th distance is at index k - 1.",
        ),
        (
            lambda s, i, d, k: 100 * _near_guesses(d < d.sort(1).values[:, k - 1 : k], s, i, k).mean().item(),
            "The classes at the largest distance of C_k are left out: compare with <=, not with <.",
        ),
        (
            lambda s, i, d, k: 100 * _near_guesses(_exactly(d, k), s, i, k).mean().item(),
            "Several classes are equally far, and only some of them are used: C_k contains all of them.",
        ),
        (
            lambda s, i, d, k: 100 * _near_guesses(d == 0, s, i, k).sum(1).mean().item(),
            "This counts the right label only, which is flat hit@k: count every label of C_k.",
        ),
        (
            lambda s, i, d, k: 100 * _near_guesses(d <= k, s, i, k).mean().item(),
            "Here k is used as a number of edges: k is a number of classes, and the distance that they reach differs.",
        ),
        (
            lambda s, i, d, k: 100 * _near_guesses(_near(d, k), s, i, k).amax(1).mean().item(),
            "This asks whether any of the k guesses is near: take the fraction that is near.",
        ),
        (
            lambda s, i, d, k: 100 * _near_guesses(_near(d, k), -s, i, k).mean().item(),
            "These are the k labels with the lowest scores: a larger score means more similar.",
        ),
        (
            lambda s, i, d, k: 100 * (_near_guesses(_near(d, k), s, i, k).sum(1) / _near(d, k)[i].sum(1)).mean().item(),
            "This divides by the size of C_k, which gives a recall: divide by k.",
        ),
    ),
)


def _many_queries(g: torch.Generator) -> tuple[Tensor, int]:
    return torch.randn(random_size(g, 12, 20), random_size(g, 6, 10), generator=g), random_size(g, 2, 5)


def _many_targets(g: torch.Generator) -> tuple[Tensor, int]:
    return torch.randn(random_size(g, 4, 6), random_size(g, 20, 30), generator=g), random_size(g, 2, 4)


def _k_occurrence_by_loop(scores: Tensor, k: int) -> Tensor:
    counts = [0] * scores.shape[1]
    for row in scores.tolist():
        for target in sorted(range(len(row)), key=lambda target: -row[target])[:k]:
            counts[target] += 1
    return torch.tensor(counts)


def _named(scores: Tensor, k: int) -> Tensor:
    """How often each target is named, int64 [n_targets]."""
    return torch.bincount(scores.topk(k, dim=1).indices.flatten(), minlength=scores.shape[1])


def _own_k_occurrence(scores, k):
    named = scores.topk(k, dim=1).indices  # [n_queries, k]
    return torch.bincount(named.flatten(), minlength=scores.shape[1])


k_occurrence = Exercise(
    name="k_occurrence",
    minutes=10,
    difficulty=2,
    hints=(
        "scores.topk(k, dim=1).indices are the k best targets of each query, [n_queries, k].",
        "torch.bincount counts how often each number occurs in a flat list.",
        "torch.bincount(named.flatten(), minlength=scores.shape[1]) also counts the targets that occur 0 times.",
    ),
    begin="Start from scores, [n_queries, n_targets], and return one int64 count per target.",
    reference=_k_occurrence_by_loop,
    own=_own_k_occurrence,
    inputs={"more queries than targets": _many_queries, "more targets than queries": _many_targets},
    shape="[n_targets]",
    spared=TIES,
    mistakes=(
        (
            lambda s, k: torch.bincount(s.topk(k, dim=0).indices.flatten(), minlength=len(s)),
            "This takes the best queries of each target (dim=0): take the best targets of each query (dim=1).",
        ),
        (lambda s, k: _named(s, 1), "Only the best target of each query is counted: count the k best."),
        (
            lambda s, k: torch.bincount(s.topk(k, dim=1).indices.flatten()),
            "Targets at the end that no query names are missing: give bincount a minlength.",
        ),
        (
            lambda s, k: _named(-s, k),
            "This counts the k targets with the lowest scores: a larger score means more similar.",
        ),
        (lambda s, k: _named(s, k) / len(s), "These are fractions of the queries: return counts."),
        (
            lambda s, k: _named(s, k).sort(descending=True).values,
            "The counts are right but sorted: keep them in the order of the targets.",
        ),
        (
            lambda s, k: (_named(s, k) > 0).long(),
            "This tells whether a target is named at all: count how often it is named.",
        ),
    ),
)


def _words_and_scores(g: torch.Generator) -> tuple[Tensor, Tensor]:
    n, m = random_size(g, 5, 9), random_size(g, 9, 14)
    words = torch.randn(m, random_size(g, 3, 7), generator=g) * (0.5 + 2 * torch.rand(m, 1, generator=g))
    return torch.randn(n, m, generator=g), words


def _long_words_win(g: torch.Generator) -> tuple[Tensor, Tensor]:
    scores, words = _words_and_scores(g)
    return torch.randn(len(scores), words.shape[1], generator=g) @ words.T, words


def _unit_words(g: torch.Generator) -> tuple[Tensor, Tensor]:
    scores, words = _words_and_scores(g)
    return scores, torch.nn.functional.normalize(words, dim=1)


def _length_bias_by_loop(scores: Tensor, words: Tensor) -> float:
    lengths = [sum(x * x for x in word) ** 0.5 for word in words.tolist()]
    named = [max(range(len(row)), key=lambda label, row=row: row[label]) for row in scores.tolist()]
    return (sum(lengths[label] for label in named) / len(named)) / (sum(lengths) / len(lengths))


def _bias(lengths: Tensor, named: LongTensor) -> float:
    return (lengths[named].mean() / lengths.mean()).item()


def _own_length_bias(scores, words):
    lengths = words.norm(dim=1)  # [n_labels]
    named = scores.argmax(1)  # [n_images]
    return (lengths[named].mean() / lengths.mean()).item()


length_bias = Exercise(
    name="length_bias",
    minutes=5,
    difficulty=1,
    hints=(
        "There are three steps: the length of each word, the label that each image names, and the ratio of two means.",
        "words.norm(dim=1) are the lengths, and scores.argmax(1) are the labels that the images name.",
        "(lengths[named].mean() / lengths.mean()).item()",
    ),
    begin="Start from words, [n_labels, dim], and scores, [n_images, n_labels]. Return one number.",
    reference=_length_bias_by_loop,
    own=_own_length_bias,
    inputs={"any scores": _words_and_scores, "dot products": _long_words_win, "words of length 1": _unit_words},
    spared=TIES,
    mistakes=(
        (
            lambda s, w: 1 / _bias(w.norm(dim=1), s.argmax(1)),
            "The ratio is inverted: divide the mean length of the named words by that of all words.",
        ),
        (
            lambda s, w: w.norm(dim=1)[s.argmax(1)].mean().item(),
            "This is the mean length of the named words: divide it by the mean length of all words.",
        ),
        (
            lambda s, w: _bias(w.norm(dim=1), s.argmax(1).unique()),
            "Each named label counts once here: a label that ten images name counts ten times.",
        ),
        (lambda s, w: _bias(w.square().sum(1), s.argmax(1)), "These are squared lengths: take the square root."),
        (
            lambda s, w: _bias(w.norm(dim=1), s.argmin(1)),
            "This takes the labels with the lowest scores: a larger score means more similar.",
        ),
        (
            lambda s, w: _bias(w.norm(dim=1), s.argmax(0)),
            "This finds an image for each label (dim=0): each image names one label (dim=1).",
        ),
        (
            lambda s, w: w.norm(dim=1)[s.argmax(1)].mean().item() - w.norm(dim=1).mean().item(),
            "This is a difference of two means: divide one by the other.",
        ),
        (
            lambda s, w: (w.norm(dim=1)[s.argmax(1)].sum() / w.norm(dim=1).sum()).item(),
            "This compares sums, which grow with the number of images: compare means.",
        ),
    ),
)

EXERCISES = (rank_loss, zero_shot, hierarchical_precision, k_occurrence, length_bias)
