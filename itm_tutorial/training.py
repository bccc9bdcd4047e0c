"""``fit``: one readable loop for every model, on any device. It knows no model, no plot, no leaderboard."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.checkpoints import read_training_state, write_training_state
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.metrics import evaluate
from itm_tutorial.models.base import Batch, Matching
from itm_tutorial.progress import progress_wanted
from itm_tutorial.retrieval import score
from itm_tutorial.visual_features import split_features

Callback = Callable[[Matching, dict[str, Any]], None]


@dataclass
class History:
    """What happened, epoch by epoch.

    Attributes:
        epochs: one dict an epoch: epoch (from 1), loss, seconds, rsum and the recalls on the validation split.
    """

    epochs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, with the highest rsum on the validation split."""
        return max(self.epochs, key=lambda row: row["rsum"])["epoch"]

    def frame(self):
        """The epochs as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.epochs)


def shuffled_captions(image_of: LongTensor, batch_size: int, generator: torch.Generator) -> Iterator[LongTensor]:
    """Every caption once, in random order: the field's usual plan. An image may come up twice in a batch.

    Args:
        image_of: int64 [n_captions].
        batch_size: captions a batch; what does not fill one is left for another epoch.
        generator: random numbers of the epoch.

    Yields:
        int64 [batch_size], indices of captions.
    """
    order = torch.randperm(len(image_of), generator=generator)
    yield from order[: len(order) // batch_size * batch_size].split(batch_size)


def distinct_images(image_of: LongTensor, batch_size: int, generator: torch.Generator) -> Iterator[LongTensor]:
    """One random caption for each image, so that no image comes up twice in a batch (Vendrov et al. 2016).

    Args:
        image_of: int64 [n_captions].
        batch_size: captions, and so images, a batch.
        generator: random numbers of the epoch.

    Yields:
        int64 [batch_size], indices of captions.
    """
    order = torch.randperm(len(image_of), generator=generator)
    chosen = torch.full((int(image_of.max()) + 1,), -1)
    chosen[image_of[order]] = order  # of the captions of an image, one that the shuffle chose
    chosen = chosen[chosen >= 0]
    chosen = chosen[torch.randperm(len(chosen), generator=generator)]
    yield from chosen[: len(chosen) // batch_size * batch_size].split(batch_size)


PLANS = {"captions": shuffled_captions, "images": distinct_images}


def fit(
    model: Matching,
    corpus: Corpus,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    plan: str | Callable[..., Iterable[LongTensor]] = "captions",
    callbacks: Iterable[Callback] = (),
    folder: str | Path | None = None,
    progress: bool | None = None,
) -> History:
    """Trains a model on ``corpus.train`` and leaves it with the weights that did best on ``corpus.val``.

    Args:
        model: any ``Matching``; it is trained in place.
        corpus: with a train and a val split.
        epochs, batch_size, learning_rate: by default those of ``model.recipe``.
        seed: of the batches and of dropout.
        device: "auto", "cpu", "cuda", or another that Lightning Fabric knows.
        precision: "auto" (bf16 on a GPU, float32 elsewhere) or a Fabric precision.
        plan: a name in ``PLANS``, or a function of the same form.
        callbacks: called after every epoch with the model and the epoch's row.
        folder: where to keep a checkpoint after every epoch; a run that finds one there goes on from it.
        progress: whether to show a bar; by default only to a person.

    Returns:
        The history.

    Raises:
        ItmError: an argument out of range, a loss that is no number, a checkpoint of another run.
    """
    recipe = model.recipe
    epochs, batch_size = epochs or recipe.epochs, batch_size or recipe.batch_size
    learning_rate = learning_rate or recipe.learning_rate
    batches = _plan(plan)
    _check(corpus.train, epochs, batch_size, plan)
    fabric = _fabric(device, precision)
    torch.manual_seed(seed)

    model.to(fabric.device)
    optimizers = {
        name: torch.optim.Adam(group, learning_rate, weight_decay=recipe.weight_decay)
        for name, group in model.parameter_groups().items()
    }
    images = split_features(corpus.train, model.features).to(fabric.device)  # once: batches are picked on the device
    captions, image_of = model.tokenize(corpus.train.captions).to(fabric.device), corpus.train.image_of
    history, best = History(), {}
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    if folder is not None:
        history.epochs, best = read_training_state(Path(folder), model, optimizers, settings)

    bar = _bar(epochs, progress_wanted() if progress is None else progress, len(history.epochs))
    for epoch in range(len(history.epochs), epochs):
        start, losses = time.perf_counter(), []
        generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
        torch.manual_seed(1_000_003 * seed + epoch)  # dropout of a resumed run is that of one never killed
        rate = learning_rate * (0.1 if epoch >= recipe.drop_at * epochs else 1.0)
        for part in (model, getattr(model, "loss_function", None)):
            if hasattr(part, "on_epoch"):
                part.on_epoch(epoch, epochs)
        model.train()
        for rows in batches(image_of, batch_size, generator):
            there, row_of = image_of[rows].unique(return_inverse=True)
            batch = Batch(images[there.to(images.device)], captions[rows], row_of.to(images.device))
            with fabric.autocast():
                loss = model.loss(batch)
            losses.append(_step(fabric, model, optimizers, loss, rate, recipe.clip))
        mean = torch.stack(losses).mean().item()
        if not math.isfinite(mean):
            raise ItmError(f"the loss of epoch {epoch + 1} is {mean}: lower learning_rate (it is {learning_rate:g})")
        report = evaluate(score(model, corpus.val), corpus.val.image_of)
        row = {"epoch": epoch + 1, "loss": mean, "seconds": time.perf_counter() - start, **report.as_dict()}
        history.epochs.append(row)
        if history.best_epoch == epoch + 1:
            best = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
        if folder is not None:
            write_training_state(Path(folder), model, optimizers, settings, history.epochs, best)
        for callback in callbacks:
            callback(model, row)
        if bar is not None:
            bar.update()
            bar.set_postfix(loss=f"{mean:.3g}", rsum=f"{row['rsum']:.0f}")
    if bar is not None:
        bar.close()
    model.load_state_dict(best)
    return History(history.epochs)


def _step(
    fabric, model: nn.Module, optimizers: dict, loss: Tensor | dict[str, Tensor], rate: float, clip: float
) -> Tensor:
    """One step of every optimiser: a part named after a group moves that group alone, the others move "main"."""
    parts = loss if isinstance(loss, dict) else {"main": loss}
    groups = model.parameter_groups()
    main = [part for name, part in parts.items() if name == "main" or name not in groups]
    moved = {"main": sum(main)} if main else {}
    moved |= {name: part for name, part in parts.items() if name in groups and name != "main"}
    for name, part in moved.items():
        optimizers[name].zero_grad()
        gradients = torch.autograd.grad(part, groups[name], retain_graph=len(moved) > 1, allow_unused=True)
        for parameter, gradient in zip(groups[name], gradients, strict=True):
            parameter.grad = gradient
    for name in moved:
        nn.utils.clip_grad_norm_(groups[name], clip)
        for settings in optimizers[name].param_groups:
            settings["lr"] = rate
        optimizers[name].step()
    return sum(parts.values()).detach()


def _plan(plan: str | Callable) -> Callable[..., Iterable[LongTensor]]:
    if callable(plan):
        return plan
    if plan not in PLANS:
        raise unknown("plan", plan, PLANS)
    return PLANS[plan]


def _check(split: Split, epochs: int, batch_size: int, plan: str | Callable) -> None:
    if epochs < 1:
        raise ItmError(f"epochs is {epochs}; give 1 or more")
    n = len(split.image_of.unique()) if plan == "images" else len(split.captions)
    if not 2 <= batch_size <= n:
        what = "images" if plan == "images" else "captions"
        raise ItmError(f"batch_size is {batch_size}, but the train split has {n} {what}: give 2 to {n}")


def _fabric(device: str, precision: str):
    from lightning.fabric import Fabric

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "auto":
        precision = "bf16-mixed" if device == "cuda" else "32-true"
    try:
        fabric = Fabric(accelerator=device, devices=1, precision=precision)
    except Exception as error:  # Fabric raises what its accelerators raise
        raise ItmError(f"device {device!r} with precision {precision!r} cannot be used: {error}; try 'auto'") from error
    return fabric


def _bar(epochs: int, wanted: bool, done: int):
    if not wanted:
        return None
    from tqdm.auto import tqdm

    return tqdm(total=epochs, initial=done, unit="epoch")
