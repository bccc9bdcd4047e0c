"""Chapter 02, the second stage: is it worth training the backbone too, once all above it has learned to read it?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from itm_tutorial.chapters.ch00_start_here.claims import figures_of
from itm_tutorial.chapters.verdict import effect, per_model
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.models import create_model
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.finetuning import STAGE, unfreeze
from itm_tutorial.training.loop import fit

SAMPLER = "images"  # an epoch shows each picture once: the backbone sees 3,000 pictures in place of 15,000


def figures_of_seed(seed: int, size: str) -> list[dict[str, Any]]:
    """The first stage, and two ways to go on from it: with the backbone frozen as before, and with all weights free."""
    corpus = load_corpus("scenes", size=size, seed=seed)
    first = create_model("vsepp", corpus, seed=seed, warmup=0.2)
    seconds = {"first stage": _seconds(fit(first, corpus, seed=seed, progress=False))}
    rows = {"first stage": figures_of(score(first, corpus.test), corpus.test)}
    stage = {"sampler": SAMPLER, "seed": seed, "progress": False}
    free = unfreeze(first)  # before the first model goes on: it copies the weights
    going_on = {"epochs": free.recipe.epochs, "learning_rate": free.recipe.learning_rate}
    first.loss_function.end_warmup()  # as unfreeze does
    for name, model in (("on, backbone frozen", first), ("on, all weights free", free)):
        seconds[name] = _seconds(fit(model, corpus, **stage, **going_on))
        rows[name] = figures_of(score(model, corpus.test), corpus.test)
    return [{"seed": seed, "model": name, "seconds": seconds[name], **row} for name, row in rows.items()]


def _seconds(history) -> float:
    return round(sum(row["seconds"] for row in history.epochs), 1)


def effects_of(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts over the seeds, as plain data."""
    rsum = per_model(figures, "rsum")

    def summary(name: str, better: str, worse: str) -> dict[str, Any]:
        return asdict(effect(name, [a - b for a, b in zip(rsum[better], rsum[worse], strict=True)]))

    share = f"{STAGE['epochs']:g} of the epochs at {STAGE['learning_rate']:g} of the rate"
    return [
        summary(f"the backbone trained too, {share}, raises rsum", "on, all weights free", "first stage"),
        summary("more than going on with it frozen (rsum)", "on, all weights free", "on, backbone frozen"),
    ]
