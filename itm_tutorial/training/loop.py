"""``fit``: one readable loop for every model, on any device. It knows no model, no plot, no leaderboard."""

from __future__ import annotations

import hashlib
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import InstanceOf
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.options import PositiveInt, Rate, Seed, check_options
from itm_tutorial.data.text import Tokens
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError, shown, unknown
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_boxes, split_confidence, split_features
from itm_tutorial.models import Batch, Images, Matching
from itm_tutorial.progress import progress_wanted
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.storage import user_path
from itm_tutorial.training.checkpoints import save_model
from itm_tutorial.training.precision import check_step, choose_precision, convert
from itm_tutorial.training.runs import read_training_state, write_training_state
from itm_tutorial.training.samplers import SAMPLERS
from itm_tutorial.training.schedule import WatchedState, rate_of_epoch

Callback = Callable[[Matching, dict[str, Any]], None]


@dataclass
class History:
    """The metrics of a run, epoch by epoch.

    Attributes:
        epochs: one dict per epoch: epoch (from 1), loss, seconds, rsum and the recalls on the validation split.
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


ARGUMENTS = {  # of ``fit``
    "model": InstanceOf[Matching],
    "corpus": InstanceOf[Corpus],
    "epochs": PositiveInt | None,
    "batch_size": PositiveInt | None,
    "learning_rate": Rate | None,
    "seed": Seed,
    "folder": str | InstanceOf[Path] | None,
    "progress": bool | None,
}
PLATEAU, LOOK = 30, 10  # steps at the value of a collapse before a warning; steps between two checks


@torch.inference_mode(False)  # a caller who scores without gradients may train too
@torch.enable_grad()
@free_cores()
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
    sampler: str | Callable[..., Iterable[LongTensor]] | None = None,
    callbacks: Iterable[Callback] = (),
    folder: str | Path | None = None,
    progress: bool | None = None,
) -> History:
    """Trains a model on ``corpus.train`` and keeps the weights with the best rsum on ``corpus.val``.

    The model ends in evaluation mode. On the CPU the same initial weights, corpus, arguments and number of threads give
    the same weights, and ``fit`` does not change the random numbers that the caller draws afterwards.
    If other processes keep cores busy, fewer threads are used; see ``encoders.threads``.

    Args:
        model: any ``Matching``; it is trained in place.
        corpus: with a train and a val split.
        epochs, batch_size, learning_rate: by default those of ``model.recipe``. If the recipe's batch is larger
            than the split, a quarter of the split is used, with a warning.
        seed: of the batches and of dropout.
        device: "auto", "cpu", "cuda", or another that Lightning Fabric knows.
        precision: "auto" (bf16-mixed on a GPU, elsewhere the type of the weights); "32-true", "64-true" or "bf16-true",
            which the weights keep afterwards; or "bf16-mixed": float32 weights, most operations in bfloat16.
        sampler: a name in ``SAMPLERS``, or a function of the same form; by default that of ``model.recipe``.
        callbacks: called after every epoch with the model and the epoch's row.
        folder: where to keep a checkpoint after every epoch; a run that finds a checkpoint there continues from it,
            also with more epochs if that does not change the epochs that are done. In the end it also holds the best
            model, for ``load_model``.
        progress: whether to show a bar; by default only in a terminal or notebook.

    Returns:
        The history.

    Raises:
        ItmError: an argument of another type or out of range, a precision that the device or the model does not have,
            a loss that is NaN or infinite, a checkpoint of another run.
    """
    given = {"model": model, "corpus": corpus, "epochs": epochs, "batch_size": batch_size, "seed": seed}
    given |= {"learning_rate": learning_rate, "folder": folder, "progress": progress}
    given = check_options("fit", ARGUMENTS, given)
    epochs, batch_size, learning_rate, seed = (given[n] for n in ("epochs", "batch_size", "learning_rate", "seed"))
    folder, callbacks = None if folder is None else user_path(folder, "folder"), _functions(callbacks)
    recipe = model.recipe
    epochs = recipe.epochs if epochs is None else epochs
    learning_rate = recipe.learning_rate if learning_rate is None else learning_rate
    sampler = recipe.sampler if sampler is None else sampler
    batch_size = _batch_that_fits(recipe.batch_size, corpus.train, sampler) if batch_size is None else batch_size
    batches = _sampler(sampler)
    _check(corpus.train, batch_size, sampler)
    chosen = choose_precision(device, precision)
    fabric = chosen.fabric
    train = _load(model, corpus.train, fabric.device)
    check_step(model, next(train.batches([torch.arange(batch_size)])), chosen)
    convert(model, chosen)
    optimizers = {
        name: torch.optim.Adam(group, learning_rate, weight_decay=recipe.weight_decay)
        for name, group in model.parameter_groups().items()
    }
    history, best = History(), {}
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    name = sampler if isinstance(sampler, str) else getattr(sampler, "__name__", type(sampler).__name__)
    settings |= {"sampler": name, "precision": chosen.name, "recipe": asdict(recipe)}
    settings |= {"corpus": {name: _digest(getattr(corpus, name)) for name in ("train", "val")}}
    asks_epochs = False
    if folder is not None:
        history.epochs, best, asks_epochs = read_training_state(folder, model, optimizers, settings)

    bar = _bar(epochs, progress_wanted() if progress is None else progress, len(history.epochs))
    with bar, torch.random.fork_rng(devices=[fabric.device] if fabric.device.type == "cuda" else []):
        for epoch in range(len(history.epochs), epochs):
            start = time.perf_counter()
            # a stream an epoch: dropout and batches of a resumed run are those of one never killed
            number = _seed_of_epoch(seed, epoch)
            generator = torch.Generator().manual_seed(number)
            torch.manual_seed(number)
            between = torch.Generator().manual_seed(number)  # apart from the batches' own
            state = WatchedState(model, train, epoch, epochs, between)
            for part in (model, getattr(model, "loss_function", None)):
                if hasattr(part, "on_epoch"):
                    part.on_epoch(state)
            asks_epochs = asks_epochs or bool(state.asked)
            for optimizer in optimizers.values():
                for group in optimizer.param_groups:
                    group["lr"] = rate_of_epoch(learning_rate, epoch, epochs, recipe.drop_at)
            picked = train.batches(batches(train.image_of, batch_size, generator))
            mean = _train_epoch(fabric, model, optimizers, picked, f"epoch {epoch + 1}")
            report = evaluate(score(model, corpus.val), corpus.val.image_of, identity=corpus.val.identity)
            row = {"epoch": epoch + 1, "loss": mean, "seconds": time.perf_counter() - start, **report.as_dict()}
            history.epochs.append(row)
            if history.best_epoch == epoch + 1:
                best = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
            if folder is not None:
                write_training_state(folder, model, optimizers, settings, history.epochs, best, asks_epochs)
            for callback in callbacks:
                callback(model, row)
            bar.update()
            bar.set_postfix(loss=f"{mean:.3g}", rsum=f"{row['rsum']:.0f}")
    model.load_state_dict(best)
    model.eval()
    if folder is not None:
        save_model(model, folder, metrics=history.epochs[history.best_epoch - 1], seed=seed)
    return history


@dataclass(frozen=True)
class _Loaded:
    """A training split on the device, from which batches are picked there.

    Attributes:
        images: features [n_images, ...], or ``Images`` for a model that reads boxes.
        captions: word ids, and lengths on the CPU.
        image_of: int64 [n_captions], on the CPU.
        identity: int64 [n_images] or None.
    """

    images: Tensor | Images
    captions: Tokens
    image_of: LongTensor
    identity: LongTensor | None

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.captions.ids.device

    def batches(self, picked: Iterable[LongTensor]) -> Iterator[Batch]:
        """The captions of each batch of an epoch, and each image that they describe once.

        The indices of the whole epoch are copied to the device at once, so that a step copies nothing.
        """
        rows = list(picked)
        found = [self.image_of[some].unique(return_inverse=True) for some in rows]
        parts = [part for some, (there, row_of) in zip(rows, found, strict=True) for part in (there, some, row_of)]
        sent = torch.cat(parts or [self.image_of[:0]]).to(self.device).split([len(part) for part in parts])
        for some, there, here, row_of in zip(rows, sent[0::3], sent[1::3], sent[2::3], strict=True):
            captions = self.captions.pick(some, here)
            yield Batch(self.images[there], captions, row_of, None if self.identity is None else self.identity[there])


def _load(model: Matching, split: Split, device: torch.device) -> _Loaded:
    tokens = model.tokenize(split.captions)
    identity = None if split.identity is None else split.identity.to(device)
    images = split_features(split, model.features)
    if model.reads_boxes:
        images = Images(images, split_boxes(split, model.features), split_confidence(split, model.features))
    images = images.to(device)
    return _Loaded(images, tokens.to(device), split.image_of, identity)


def _train_epoch(fabric, model: Matching, optimizers: dict, batches: Iterable[Batch], where: str) -> float:
    """One pass over the batches -> the mean loss."""
    model.train()
    losses = []
    for batch in batches:
        with fabric.autocast():
            loss = model.loss(batch)
        losses.append(_step(model, optimizers, loss, f"{where}, step {len(losses) + 1}"))
        if len(losses) % LOOK == 0:
            _look_for_collapse(model, losses, len(batch.image_of), f"{where}, step {len(losses)}")
    if not losses:
        raise ItmError(f"{where}: the sampler made no batch; give a smaller batch_size")
    return sum(losses) / len(losses)


def _look_for_collapse(model: Matching, losses: list[float], n_pairs: int, where: str) -> None:
    """Warns, once per model, if the loss stays at the value that equal embeddings give."""
    value = getattr(getattr(model, "loss_function", None), "collapsed", lambda n: 0.0)(n_pairs)
    if not value or len(losses) < PLATEAU or getattr(model, "collapse_reported", False):
        return
    if all(abs(loss - value) <= 0.01 * value for loss in losses[-PLATEAU:]):
        model.collapse_reported = True
        warnings.warn(
            f"{where}: for {PLATEAU} steps the loss has stood at {value:.1f}, which is 2 x {n_pairs} pairs x margin: "
            "all embeddings are nearly equal. Start with the sum of hinges (warmup=0.2), or take the k hardest "
            "(loss='top_k_hinges')",
            stacklevel=4,
        )


def _step(model: Matching, optimizers: dict, loss: Tensor | dict[str, Tensor], where: str) -> float:
    """One step of every optimiser -> the loss: a part named after a group trains only that group.

    The other parts add up to "main", which trains "main" and every group that no part is named after. No weight changes
    if the loss or a gradient is not finite.
    """
    parts = loss if isinstance(loss, dict) else {"main": loss}
    groups = model.parameter_groups()
    own = {name: part for name, part in parts.items() if name in groups and name != "main"}
    main = [part for name, part in parts.items() if name not in own]
    moves = [(part, [name]) for name, part in own.items()]
    if main:
        moves.append((sum(main), [name for name in groups if name not in own]))
    checked = total = sum(parts.values()).detach()
    for part, names in moves:
        parameters = [parameter for name in names for parameter in groups[name]]
        gradients = torch.autograd.grad(part, parameters, retain_graph=len(moves) > 1, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        for name in names:
            checked = checked + nn.utils.clip_grad_norm_(groups[name], model.recipe.clip)
    wide = torch.promote_types(total.dtype, torch.float32)
    total_loss, checked = torch.stack([total.to(wide), checked.to(wide)]).tolist()  # a step reads the device once: here
    if not math.isfinite(checked):
        raise ItmError(
            f"the loss or its gradient is not finite at {where}: lower learning_rate, or look for a NaN in the features"
        )
    for name in [name for _, names in moves for name in names]:
        optimizers[name].step()
    return total_loss


def _functions(callbacks: Iterable[Callback]) -> list[Callback]:
    """Callbacks as a list, so that an iterator serves every epoch."""
    found = list(callbacks) if isinstance(callbacks, Iterable) else [None]
    if not all(map(callable, found)):
        raise ItmError(f"fit: callbacks is {shown(callbacks)}; give a list of functions of the model and the row")
    return found


def _seed_of_epoch(seed: int, epoch: int) -> int:
    number = 1_000_003 * seed + epoch
    return number if -(2**63) <= number < 2**64 else number % 2**63  # what a generator takes


def _sampler(sampler: str | Callable) -> Callable[..., Iterable[LongTensor]]:
    if callable(sampler):
        return sampler
    if not isinstance(sampler, str) or sampler not in SAMPLERS:
        raise unknown("sampler", sampler, SAMPLERS)
    return SAMPLERS[sampler]


def _digest(split: Split) -> str:
    """Tells one split from another: its pictures by their fingerprint, its captions and pairing by content."""
    text = f"{split.fingerprint} {len(split.images)}\n" + "\n".join(split.captions)
    return hashlib.sha256(text.encode() + split.image_of.numpy().tobytes()).hexdigest()[:16]


def _n_to_draw_from(split: Split, sampler: str | Callable) -> int:
    """How many captions a sampler has for an epoch."""
    return len(split.image_of.unique()) if sampler == "images" else len(split.captions)


def _batch_that_fits(batch_size: int, split: Split, sampler: str | Callable) -> int:
    """A recipe's batch size, or a quarter of a split that is smaller: four steps per epoch still train a model."""
    n = _n_to_draw_from(split, sampler)
    if batch_size <= n or n < 2:
        return batch_size
    smaller, what = max(2, n // 4), "images" if sampler == "images" else "captions"
    warnings.warn(
        f"the recipe's batch_size of {batch_size} is more than the {n} {what} of the {split.name} split: going on with "
        f"{smaller}; give batch_size to choose another",
        stacklevel=5,  # fit is wrapped twice
    )
    return smaller


def _check(split: Split, batch_size: int, sampler: str | Callable) -> None:
    n = _n_to_draw_from(split, sampler)
    if not 2 <= batch_size <= n:
        what = "images" if sampler == "images" else "captions"
        raise ItmError(f"batch_size is {batch_size}, but the train split has {n} {what}: give 2 to {n}")


def _bar(epochs: int, wanted: bool, done: int):
    from tqdm.auto import tqdm

    return tqdm(total=epochs, initial=done, unit="epoch", disable=not wanted)
