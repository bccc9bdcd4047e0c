"""Probes: small classifiers that show what can be read from embeddings whose encoder no longer changes.

Lindström, Bensch, Björklund and Drewes, "Probing Multimodal Embeddings for Linguistic Properties: the Visual-Semantic
Case", COLING 2020, give embeddings three tasks: which object, how many, was the caption changed. Two things are added
here: the accuracy of always giving the most common label, and a control with random labels (Hewitt and Liang,
"Designing and Interpreting Probes with Control Tasks", EMNLP 2019). The labels of drawn scenes are in
``probing_tasks``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy

from itm_tutorial.errors import ItmError, unknown

PENALTIES = (1e-1, 1e-2, 1e-3)  # of a linear probe's squared weights, strongest first; validation chooses
HIDDEN, DROPOUT = 256, 0.2  # of the network, as in the authors' code
EPOCHS, BATCH, LEARNING_RATE = 40, 256, 5e-3  # of the network; validation chooses the epoch
PATIENCE = 6  # epochs without a lower loss on the validation part, after which the network stops
ITERATIONS, TOLERANCE = 60, 1e-4  # of L-BFGS at most, and the largest gradient at its end


@dataclass(frozen=True)
class ProbeResult:
    """What a probe reads from embeddings, in percent of items that it was not trained on.

    Attributes:
        accuracy: of the probe, over all folds.
        majority: of always giving the label that is most common in the training part.
        control: of a probe of the same kind that is trained and tested on random labels.
        memorised: of that control on its own training items: how much the probe can learn by heart.
        folds: the accuracy in each fold.
        n_items: how many embeddings were classified.
        n_classes: how many labels there are.
    """

    accuracy: float
    majority: float
    control: float
    memorised: float
    folds: tuple[float, ...]
    n_items: int
    n_classes: int

    @property
    def selectivity(self) -> float:
        """Accuracy minus that of the control (Hewitt and Liang 2019, section 2), in points."""
        return self.accuracy - self.control

    @property
    def lead(self) -> float:
        """Accuracy minus that of the most common label, in points."""
        return self.accuracy - self.majority

    def __repr__(self) -> str:
        return (
            f"accuracy {self.accuracy:.1f} %, most common label {self.majority:.1f}, random labels {self.control:.1f} "
            f"(learned by heart {self.memorised:.1f}); {self.n_items:,} items, {self.n_classes} classes"
        )


def probe_table(results: Mapping[str, ProbeResult]) -> str:
    """Several probes as a text table.

    Args:
        results: name of a row, such as "vse, object" -> its result.

    Returns:
        One line per probe: accuracy, most common label, random labels and selectivity, in percent.
    """
    width = max([5, *map(len, results)])
    heads = ("accuracy", "most common", "random labels", "selectivity", "items", "classes")
    lines = [f"{'probe':<{width}}" + "".join(f"{head:>15}" for head in heads)]
    for name, found in results.items():
        values = (found.accuracy, found.majority, found.control, found.selectivity)
        cells = "".join(f"{value:>15.1f}" for value in values) + f"{found.n_items:>15,}{found.n_classes:>15}"
        lines.append(f"{name:<{width}}{cells}")
    return "\n".join(lines)


def probe(
    embeddings: Tensor,
    labels: LongTensor,
    groups: LongTensor | None = None,
    judge: str = "linear",
    folds: int = 5,
    seed: int = 0,
    items: LongTensor | None = None,
) -> ProbeResult:
    """Trains a classifier on embeddings and tests it on others; the encoder is not touched.

    The groups are divided into folds. Each fold is tested once: the next one is its validation part, on which the
    penalty or the epoch is chosen, and the others train the probe.

    Args:
        embeddings: [n_items, dim], of any length; each number is standardised by the training part.
        labels: int64 [n_items], from 0.
        groups: int64 [n_items]; items of one group stay in one part, such as the captions of one image. By default each
            item is a group of its own.
        judge: "linear", a softmax regression, or "network", one hidden layer of 256 sigmoid units.
        folds: at least 3; each is a part.
        seed: of the folds, of the random labels and of the network.
        items: int64 [n_items]; what gets one random label each in the control; by default the groups. If items of
            several parts share such a label, the control shows what the split gives away.

    Returns:
        The result, in percent.

    Raises:
        ItmError: sizes do not fit, embeddings are not finite, there is one label only, or fewer groups than folds.
    """
    if judge not in JUDGES:
        raise unknown("judge", judge, JUDGES)
    _check(embeddings, labels, folds)
    n_items = len(labels)
    groups = torch.arange(n_items) if groups is None else groups
    for name, some in (("groups", groups), ("items", items)):
        if some is not None and tuple(some.shape) != (n_items,):
            raise ItmError(f"probe: {name} is {list(some.shape)} for {n_items} items; give one number per item")
    parts = _folds(groups, folds, seed)
    random_labels = control_labels(labels, groups if items is None else items, seed)
    inputs = embeddings.detach().cpu().float()
    true = _over_folds(inputs, labels.cpu(), parts, folds, JUDGES[judge], seed)
    control = _over_folds(inputs, random_labels, parts, folds, JUDGES[judge], seed)
    return ProbeResult(
        accuracy=true.accuracy,
        majority=true.majority,
        control=control.accuracy,
        memorised=control.train,
        folds=true.folds,
        n_items=n_items,
        n_classes=int(labels.max()) + 1,
    )


def control_labels(labels: LongTensor, items: LongTensor, seed: int = 0) -> LongTensor:
    """Random labels for a control: one per item, drawn from the true labels, so that they are as frequent.

    Args:
        labels: int64 [n], the true labels.
        items: int64 [n]; rows with the same number get the same random label.
        seed: of the draw.

    Returns:
        int64 [n].
    """
    generator = torch.Generator().manual_seed(seed)
    distinct, place = items.cpu().unique(return_inverse=True)
    drawn = torch.randint(len(labels), (len(distinct),), generator=generator)
    return labels.cpu()[drawn][place]


def count_bins(counts: LongTensor, edges: Sequence[int] = (0, 6, 12, 18, 24, 30)) -> LongTensor:
    """Puts counts into bins; by default the six bins of the authors' code.

    Args:
        counts: int64 [n].
        edges: the smallest count of each bin, increasing; the last bin has no upper end.

    Returns:
        int64 [n], the bin of each count: 5, 6, 29, 30 and 45 are in bins 0, 1, 4, 5 and 5.

    Raises:
        ItmError: the edges do not increase, or a count is below the first.
    """
    if list(edges) != sorted(set(edges)) or not edges:
        raise ItmError(f"count_bins: edges are {list(edges)}; give the smallest count of each bin, increasing")
    if len(counts) and int(counts.min()) < edges[0]:
        raise ItmError(f"count_bins: a count of {int(counts.min())} is below the first edge, {edges[0]}")
    return torch.bucketize(counts, torch.tensor(edges), right=True) - 1


def probe_loss(logits: Tensor, labels: LongTensor) -> Tensor:
    """The cross-entropy of logits; it applies the softmax itself, so it must get no probabilities.

    Args:
        logits: [n, n_classes], any numbers.
        labels: int64 [n].

    Returns:
        A scalar, the mean over items; 0 for a probe that is right and certain.
    """
    return cross_entropy(logits, labels)


@dataclass(frozen=True)
class _Outcome:
    accuracy: float
    majority: float
    train: float
    folds: tuple[float, ...]


Reader = Callable[[Tensor], Tensor]  # embeddings [n, dim] -> logits [n, n_classes]


def _over_folds(
    inputs: Tensor, labels: LongTensor, parts: LongTensor, folds: int, fit: Callable, seed: int
) -> _Outcome:
    n_classes = int(labels.max()) + 1
    correct, common = torch.zeros(len(labels)), torch.zeros(len(labels))
    by_fold, train_accuracy = [], []
    for fold in range(folds):
        test, val = parts == fold, parts == (fold + 1) % folds
        train = ~(test | val)
        mean, spread = inputs[train].mean(0), inputs[train].std(0, unbiased=False).clamp(min=1e-6)
        standard = (inputs - mean) / spread
        logits = fit(standard, labels, train, val, n_classes, seed + fold)(standard)  # [n_items, n_classes]
        right = (logits.argmax(1) == labels).float()
        correct[test] = right[test]
        common[test] = (labels[test] == labels[train].bincount(minlength=n_classes).argmax()).float()
        by_fold.append(100 * right[test].mean().item())
        train_accuracy.append(100 * right[train].mean().item())
    return _Outcome(100 * correct.mean().item(), 100 * common.mean().item(), fmean(train_accuracy), tuple(by_fold))


def _folds(groups: LongTensor, folds: int, seed: int) -> LongTensor:
    """The part of each item, int64 [n_items]: groups in random order, dealt out in turn."""
    distinct, place = groups.cpu().unique(return_inverse=True)
    if len(distinct) < folds:
        raise ItmError(f"probe: {len(distinct)} groups for {folds} folds; give more items, or fewer folds")
    order = torch.randperm(len(distinct), generator=torch.Generator().manual_seed(seed))
    return (order % folds)[place]


def _fit_linear(inputs: Tensor, labels: LongTensor, train: Tensor, val: Tensor, n_classes: int, seed: int) -> Reader:
    """Softmax regression with each penalty, and the one with the lowest loss on the validation part."""
    x, y = inputs[train], labels[train]
    weight, bias, best = None, None, (float("inf"), lambda some: some)
    for penalty in PENALTIES:
        weight, bias = softmax_regression(x, y, n_classes, penalty, (weight, bias) if weight is not None else None)

        def read(some: Tensor, weight: Tensor = weight, bias: Tensor = bias) -> Tensor:
            return some @ weight.T + bias

        loss = probe_loss(read(inputs[val]), labels[val]).item()
        if loss < best[0]:
            best = loss, read
    return best[1]


def softmax_regression(
    inputs: Tensor, labels: LongTensor, n_classes: int, penalty: float, start: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Minimises the mean cross-entropy plus half the penalty times the squared weights, by L-BFGS.

    Args:
        inputs: float [n, dim].
        labels: int64 [n].
        n_classes: how many labels there are.
        penalty: above 0, so that there is one minimum; the bias is free of it.
        start: weights and biases to go on from; zeros by default.

    Returns:
        Weights [n_classes, dim] and biases [n_classes], of the type of ``inputs``.
    """
    shape = (n_classes, inputs.shape[1])
    given = (inputs.new_zeros(shape), inputs.new_zeros(n_classes)) if start is None else start
    with torch.inference_mode(False), torch.enable_grad():
        x, y = inputs.clone(), labels.clone()  # copies outside of inference mode
        weight, bias = (one.clone().requires_grad_() for one in given)
        optimizer = torch.optim.LBFGS(
            [weight, bias], max_iter=ITERATIONS, tolerance_grad=TOLERANCE, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = probe_loss(x @ weight.T + bias, y) + penalty / 2 * weight.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
    return weight.detach(), bias.detach()


def _fit_network(inputs: Tensor, labels: LongTensor, train: Tensor, val: Tensor, n_classes: int, seed: int) -> Reader:
    """One hidden layer, trained by Adam; the weights of the epoch with the lowest loss on the validation part."""
    generator = torch.Generator().manual_seed(seed)
    rows = train.nonzero()[:, 0]
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(seed)
        inputs, labels = inputs.clone(), labels.clone()
        network = nn.Sequential(
            nn.Linear(inputs.shape[1], HIDDEN), nn.Sigmoid(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, n_classes)
        )
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
        best, kept, since = float("inf"), network.state_dict(), 0
        for _ in range(EPOCHS):
            network.train()
            for some in rows[torch.randperm(len(rows), generator=generator)].split(BATCH):
                optimizer.zero_grad()
                probe_loss(network(inputs[some]), labels[some]).backward()
                optimizer.step()
            network.eval()
            with torch.no_grad():
                loss = probe_loss(network(inputs[val]), labels[val]).item()
            since += 1
            if loss < best:
                best, kept, since = loss, {name: value.clone() for name, value in network.state_dict().items()}, 0
            if since == PATIENCE:
                break
        network.load_state_dict(kept)
    return torch.no_grad()(network.eval().forward)


JUDGES: Mapping[str, Callable[..., Reader]] = {"linear": _fit_linear, "network": _fit_network}


def _check(embeddings: Tensor, labels: LongTensor, folds: int) -> None:
    if embeddings.ndim != 2 or len(embeddings) != len(labels):
        raise ItmError(
            f"probe: embeddings are {list(embeddings.shape)} for {len(labels)} labels; give [n_items, dim], one row "
            "per label"
        )
    if labels.dtype != torch.int64 or labels.ndim != 1:
        raise ItmError(f"probe: labels are {labels.dtype} {list(labels.shape)}; give int64 [n_items]")
    if folds < 3:
        raise ItmError(f"probe: folds is {folds}; give 3 or more: one tests, one validates, the others train")
    if len(labels.unique()) < 2 or int(labels.min()) < 0:
        raise ItmError(f"probe: the labels are {labels.unique().tolist()}; give two or more, from 0")
    if not torch.isfinite(embeddings).all():
        raise ItmError("probe: embeddings hold a NaN or an infinity; look at the run that made them")
