"""The training time of SCAN compared with VSE++, with their recipes and the same features: epochs of each in turn.

The features (regions or grid of drawn scenes, ``mini``) are extracted first and not timed. The evaluation on the
validation split, which ``fit`` does after every epoch, is not timed either.

    python benchmarks/scan_training.py
"""

import time

import torch

import itm_tutorial as itm
from itm_tutorial.training.loop import _load, _train_epoch
from itm_tutorial.training.samplers import shuffled_captions

ROUNDS = 2  # the two are timed in turn; the fastest round of each counts


def seconds_per_epoch(model, corpus, captions: int | None = None) -> float:
    """The seconds of the training steps of an epoch, or of an epoch over the first ``captions``."""
    train = _load(model, corpus.train, torch.device("cpu"))
    image_of = train.image_of[:captions]
    optimizers = {"main": torch.optim.Adam(model.parameters(), model.recipe.learning_rate)}
    batches = shuffled_captions(image_of, model.recipe.batch_size, torch.Generator().manual_seed(0))
    start = time.perf_counter()
    _train_epoch(_Plain(), model, optimizers, train.batches(batches), "benchmark")
    return time.perf_counter() - start


class _Plain:
    """Stands in for Fabric in ``fit``."""

    def autocast(self):
        return torch.autocast("cpu", enabled=False)


def measure(kind: str, size: str = "mini", captions: int | None = None) -> dict[str, float]:
    """The seconds of a whole run with the recipe, for "vsepp" and "scan" on features of this kind."""
    corpus = itm.load_corpus("scenes", size=size)
    best = {name: float("inf") for name in ("vsepp", "scan")}
    for _ in range(ROUNDS):
        for name in best:
            model = itm.create_model(name, corpus, features=kind, warmup=0.2)
            best[name] = min(best[name], seconds_per_epoch(model, corpus, captions) * model.recipe.epochs)
    return best


def main() -> None:
    print(f"{torch.get_num_threads()} threads")
    for kind in ("regions", "grid"):
        found = measure(kind)
        ratio = found["scan"] / found["vsepp"]
        print(f"{kind}: scan {found['scan']:.0f} s, vsepp {found['vsepp']:.0f} s: {ratio:.1f} times")


if __name__ == "__main__":
    main()
