"""The training time of SCAN beside that of VSE++ on the same features, by their recipes: an epoch of each, in turns.

The features (regions or grid of drawn scenes, ``mini``) are made first and not timed; nor is the look at the validation
split, which ``fit`` takes after every epoch.

    python benchmarks/scan_training.py
"""

import time

import torch

import itm_tutorial as itm
from itm_tutorial.training.loop import _load, _train_epoch
from itm_tutorial.training.samplers import shuffled_captions

ROUNDS = 2  # the two are timed in turns, and the fastest round of each counts


def seconds_an_epoch(model, corpus, captions: int | None = None) -> float:
    """Seconds that the steps of an epoch take, or of an epoch over the first captions."""
    train = _load(model, corpus.train, torch.device("cpu"))
    image_of = train.image_of[:captions]
    optimizers = {"main": torch.optim.Adam(model.parameters(), model.recipe.learning_rate)}
    batches = shuffled_captions(image_of, model.recipe.batch_size, torch.Generator().manual_seed(0))
    start = time.perf_counter()
    _train_epoch(_Plain(), model, optimizers, train.batches(batches), "benchmark")
    return time.perf_counter() - start


class _Plain:
    """What ``fit`` asks of Fabric, without any."""

    def autocast(self):
        return torch.autocast("cpu", enabled=False)


def measure(kind: str, size: str = "mini", captions: int | None = None) -> dict[str, float]:
    """Seconds of a whole run by the recipe: "vsepp" and "scan", each on features of this kind."""
    corpus = itm.load_corpus("scenes", size=size)
    best = {name: float("inf") for name in ("vsepp", "scan")}
    for _ in range(ROUNDS):
        for name in best:
            model = itm.create_model(name, corpus, features=kind, warmup=0.2)
            best[name] = min(best[name], seconds_an_epoch(model, corpus, captions) * model.recipe.epochs)
    return best


def main() -> None:
    print(f"{torch.get_num_threads()} threads")
    for kind in ("regions", "grid"):
        summary = measure(kind)
        times = summary["scan"] / summary["vsepp"]
        print(f"{kind}: scan {summary['scan']:.0f} s, vsepp {summary['vsepp']:.0f} s: {times:.1f} times")


if __name__ == "__main__":
    main()
