"""Three exercises of chapter 10 on probes: their loss, the most common label, and the control with random labels."""

from __future__ import annotations

import math

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import one_hot

from itm_tutorial.chapters.adversarial import TIES
from itm_tutorial.chapters.exercise import Exercise, random_size


def _logits(g: torch.Generator, n: int | None = None, scale: float = 2.0) -> tuple[Tensor, LongTensor]:
    n, n_classes = n or random_size(g, 3, 8), random_size(g, 2, 7)
    return scale * torch.randn(n, n_classes, generator=g), torch.randint(n_classes, (n,), generator=g)


def _certain(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    """Logits of a probe that is right and certain; the loss is 0."""
    labels = _logits(g)[1]
    return 200 * one_hot(labels, int(labels.max()) + 2).float(), labels


def _loss_by_loop(logits: Tensor, labels: LongTensor) -> Tensor:
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        top = max(row)
        total += top + math.log(sum(math.exp(value - top) for value in row)) - row[label]
    return torch.tensor(total / len(labels), dtype=logits.dtype)


def _own_probe_loss(logits, labels):
    true = logits.gather(1, labels[:, None])[:, 0]  # [n], the logit of each item's own label
    return (logits.logsumexp(dim=1) - true).mean()


def _terms(logits: Tensor, labels: LongTensor) -> Tensor:
    return logits.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]


probe_loss = Exercise(
    name="probe_loss",
    minutes=10,
    difficulty=2,
    hints=(
        "The loss of one item is minus the logarithm of the probability that a softmax gives its label.",
        "log softmax of one entry is that logit minus logits.logsumexp(dim=1): the softmax is in the formula already.",
        "(logits.logsumexp(dim=1) - logits.gather(1, labels[:, None])[:, 0]).mean().",
    ),
    reference=_loss_by_loop,
    own=_own_probe_loss,
    begin="Start from the logits of one item, [n_classes]. The loss is -log softmax(logits)[label]; return its mean "
    "over the items, a scalar tensor.",
    inputs={
        "logits of a few items": _logits,
        "a single item": lambda g: _logits(g, n=1),
        "a probe that is right and certain": _certain,
    },
    remarks={
        "a probe that is right and certain": "The loss is 0 there. A loss above 0 means that the softmax was applied "
        "twice."
    },
    mistakes=(
        (
            lambda x, y: _terms(x.softmax(1), y).mean(),
            "The softmax is applied twice: these are the logits' probabilities, and the formula takes their softmax "
            "again. The loss can then never reach 0.",
        ),
        (lambda x, y: _terms(x, y).sum(), "You summed over the items. Take the mean."),
        (lambda x, y: -_terms(x, y).mean(), "The sign is wrong: the loss is minus the logarithm of a probability."),
        (
            lambda x, y: (1 - x.softmax(1).gather(1, y[:, None])).mean(),
            "This is one minus the probability. Take minus its logarithm.",
        ),
        (
            lambda x, y: (_terms(x, y) / math.log(2)).mean(),
            "This is the logarithm to base 2. Use the natural logarithm, as torch.log and logsumexp do.",
        ),
        (
            lambda x, y: -x.gather(1, y[:, None]).mean(),
            "This is minus the logit. Add logits.logsumexp(dim=1), so that all labels' probabilities sum to 1.",
        ),
        (
            lambda x, y: x.logsumexp(1).mean(),
            "The logit of the label is missing. Subtract it from the logsumexp.",
        ),
    ),
)


def _label_lists(g: torch.Generator, agree: bool = True) -> tuple[LongTensor, LongTensor]:
    """Labels of training and of test items; the most common one in training has no rival."""
    n_classes = random_size(g, 4, 7)
    top = random_size(g, 0, n_classes)
    train = torch.randint(n_classes, (random_size(g, 14, 20),), generator=g)
    counts = train.bincount(minlength=n_classes)
    train = torch.cat([train, torch.full((int(counts.max() - counts[top]) + 1,), top)])  # one more than any other
    shift = 0 if agree else 1
    test = torch.cat([
        torch.randint(n_classes, (random_size(g, 4, 9),), generator=g),
        torch.full((random_size(g, 5, 9),), (top + shift) % n_classes),
    ])  # fmt: skip
    return train[torch.randperm(len(train), generator=g)], test[torch.randperm(len(test), generator=g)]


def _majority_by_loop(train_labels: LongTensor, test_labels: LongTensor) -> float:
    counts: dict[int, int] = {}
    for label in train_labels.tolist():
        counts[label] = counts.get(label, 0) + 1
    top = max(counts, key=lambda label: counts[label])
    return 100 * sum(label == top for label in test_labels.tolist()) / len(test_labels)


def _own_majority_line(train_labels, test_labels):
    top = train_labels.bincount().argmax()  # the most common label of the training items
    return 100 * (test_labels == top).double().mean().item()


majority_line = Exercise(
    name="majority_line",
    minutes=5,
    difficulty=1,
    hints=(
        "A probe that ignores the embeddings can do no better than to give one label every time. Which one?",
        "train_labels.bincount().argmax() is the most common label of the training items.",
        "100 * (test_labels == train_labels.bincount().argmax()).double().mean().item().",
    ),
    reference=_majority_by_loop,
    own=_own_majority_line,
    begin="Start from the labels of the training items. Return the accuracy on the test items of always giving the "
    "most common training label, in percent.",
    inputs={
        "the same label is most common in both parts": _label_lists,
        "another label is most common in the test part": lambda g: _label_lists(g, agree=False),
    },
    mistakes=(
        (
            lambda a, b: 100 * (b == b.bincount().argmax()).double().mean().item(),
            "You chose the label by the test items. A probe may not look at them: choose it by the training items.",
        ),
        (
            lambda a, b: 100 * (a == a.bincount().argmax()).double().mean().item(),
            "This is the accuracy on the training items. Measure it on the test items.",
        ),
        (
            lambda a, b: 100 / len(a.unique()),
            "This is one over the number of labels, the accuracy of guessing. A common label does better.",
        ),
        (
            lambda a, b: (b == a.bincount().argmax()).double().mean().item(),
            "This is a fraction. Multiply it by 100, so that it is in percent.",
        ),
        (
            lambda a, b: float((b == a.bincount().argmax()).sum()),
            "This is a number of items. Divide it by the number of test items, and multiply by 100.",
        ),
        (
            lambda a, b: 100 * (b == a.max()).double().mean().item(),
            "You took the largest label. Labels are names: take the one that occurs most often.",
        ),
        (
            lambda a, b: 100 - 100 * (b == a.bincount().argmax()).double().mean().item(),
            "This is the error. Return the accuracy.",
        ),
    ),
)


def _two_probes(
    g: torch.Generator, learns: float = 3.0, cheats: float = 0.0
) -> tuple[Tensor, LongTensor, Tensor, LongTensor]:
    """Logits and labels of a probe, and of its control; how much each favours the right label."""
    n, n_classes = random_size(g, 9, 15), random_size(g, 3, 6)
    sides = []
    for favour in (learns, cheats):
        labels = torch.randint(n_classes, (n,), generator=g)
        sides += [torch.randn(n, n_classes, generator=g) + favour * one_hot(labels, n_classes), labels]
    return tuple(sides)


def _selectivity_by_loop(
    logits: Tensor, labels: LongTensor, control_logits: Tensor, control_labels: LongTensor
) -> float:
    accuracies = []
    for rows, true in ((logits, labels), (control_logits, control_labels)):
        right = 0
        for row, label in zip(rows.tolist(), true.tolist(), strict=True):
            right += row.index(max(row)) == label
        accuracies.append(100 * right / len(true))
    return accuracies[0] - accuracies[1]


def _own_selectivity(logits, labels, control_logits, control_labels):
    accuracy = (logits.argmax(dim=1) == labels).double().mean()
    control = (control_logits.argmax(dim=1) == control_labels).double().mean()
    return 100 * (accuracy - control).item()


def _accuracy(logits: Tensor, labels: LongTensor) -> float:
    return 100 * (logits.argmax(1) == labels).double().mean().item()


selectivity = Exercise(
    name="selectivity",
    minutes=5,
    difficulty=1,
    hints=(
        "Compute the accuracy of both probes: how often does the largest logit stand at the label?",
        "(logits.argmax(dim=1) == labels).double().mean() is the accuracy of one of them.",
        "100 * (accuracy of the probe - accuracy of the control).",
    ),
    reference=_selectivity_by_loop,
    own=_own_selectivity,
    begin="Start from the logits [n_items, n_classes] and labels of the probe, and the same of its control. Return the "
    "difference of their accuracies, in percentage points.",
    inputs={
        "a probe that reads the embeddings": _two_probes,
        "a control that has learned its labels by heart": lambda g: _two_probes(g, learns=0.0, cheats=4.0),
    },
    spared=TIES,
    remarks={
        "a control that has learned its labels by heart": "The selectivity is negative there. Do not clamp it at 0."
    },
    mistakes=(
        (lambda x, y, cx, cy: _accuracy(x, y), "This is the accuracy of the probe. Subtract that of the control."),
        (
            lambda x, y, cx, cy: _accuracy(cx, cy) - _accuracy(x, y),
            "The sign is wrong: subtract the control's accuracy from the probe's.",
        ),
        (
            lambda x, y, cx, cy: _accuracy(x, y) - _accuracy(x, cy),
            "You compared the probe's own answers with the random labels. The control is a probe of its own: use its "
            "logits.",
        ),
        (
            lambda x, y, cx, cy: _accuracy(x, y) - _accuracy(cx, y),
            "You compared the control's answers with the true labels. It was trained on random labels: use those.",
        ),
        (
            lambda x, y, cx, cy: (_accuracy(x, y) - _accuracy(cx, cy)) / 100,
            "This is a difference of fractions. Multiply it by 100, so that it is in points.",
        ),
        (
            lambda x, y, cx, cy: _accuracy(x, y) - 100 / x.shape[1],
            "You subtracted the accuracy of guessing. The control shows what a probe learns by heart: use its logits.",
        ),
        (
            lambda x, y, cx, cy: max(0.0, _accuracy(x, y) - _accuracy(cx, cy)),
            "You clamped it at 0. A selectivity may be negative.",
        ),
    ),
)
