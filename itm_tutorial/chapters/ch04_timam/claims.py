"""Chapter 04: losses over identities against a triplet loss, each ingredient of TIMAM by itself, and its adversary."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from types import MethodType
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.verdict import effect, per_model
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.evaluation.class_metrics import search_by_class
from itm_tutorial.evaluation.modality_gap import JUDGES, modality_gap, modality_probe
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features
from itm_tutorial.losses.identity import InstanceLoss
from itm_tutorial.losses.ranking import MaxOfHinges, SumOfHinges
from itm_tutorial.models import Batch, Matching, create_model
from itm_tutorial.training.loop import fit

WORDS = {"bert": None}  # words learned from the start, as CMPL learns its own
FULL = "timam, learned words"
# weight -> name in the figures
ADVERSARIES = {0.0: "without the adversary", 0.03: "adversary of weight 0.03", 0.1: FULL}
ADVERSARIES |= {weight: f"adversary of weight {weight}" for weight in (0.3, 1.0)}
# name in the figures -> model and options; what stands below FULL leaves a part of it out, or weighs the adversary anew
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "cmpm": ("cmpl", {"classification": False}),
    "cmpl": ("cmpl", {}),
    "timam": ("timam", {"bert": "mini"}),
    FULL: ("timam", WORDS),
    "without identification": ("timam", {**WORDS, "identification": False}),
    "without matching": ("timam", {**WORDS, "matching": False}),
    ADVERSARIES[0.0]: ("timam", {**WORDS, "adversary": False}),
    **{name: ("timam", {**WORDS, "adversary_weight": w}) for w, name in ADVERSARIES.items() if w and name != FULL},
    "identification alone": ("timam", {**WORDS, "matching": False, "adversary": False}),
}
TRIPLETS = {"triplet, sum": SumOfHinges, "triplet, max": partial(MaxOfHinges, warmup=0.2)}  # without, it collapses
CLASSIFIERS = {"one classifier for both": True, "a classifier each": False}
CLASS_RUNS = {"cmpl": {}, "timam": WORDS}  # on birds and flowers
CLASS_EPOCHS = 3  # of ten captions a picture


def ranked(model: Matching, loss: torch.nn.Module) -> Matching:
    """The encoders of a model with a ranking loss in place of its own: what the loss alone is worth."""
    model.loss_function = loss
    model.loss = MethodType(Matching.loss, model)
    return model


def classified(model: Matching, shared: bool, dim: int = 128) -> Matching:
    """The encoders of a ``cmpl`` with the instance loss alone, of one classifier or of one each."""
    model.classifier = InstanceLoss(len(model.numbers.known), dim, shared)

    def loss(self: Matching, batch: Batch) -> Tensor:
        labels = self.numbers(batch.identity)  # [n_images]
        return self.classifier(self.encode_images(batch), self.encode_captions(batch), labels, labels[batch.image_of])

    model.loss = MethodType(loss, model)
    return model


def untrained(name: str, corpus: Corpus, seed: int) -> Matching:
    """What a run on people starts from; all start with the encoders of ``cmpl`` or of ``timam``."""
    if name in RUNS:
        kind, options = RUNS[name]
        return create_model(kind, corpus, seed=seed, **options)
    encoders = create_model("cmpl", corpus, seed=seed)
    return ranked(encoders, TRIPLETS[name]()) if name in TRIPLETS else classified(encoders, CLASSIFIERS[name])


@torch.inference_mode()
def embeddings(model: Matching, split: Split) -> tuple[Tensor, Tensor]:
    """Embeddings of all that a split holds: [n_images, dim] and [n_captions, dim]."""
    chunks = [model.encode_captions(split.captions[i : i + 512]) for i in range(0, len(split.captions), 512)]
    return model.encode_images(split_features(split, model.features)).cpu(), torch.cat(chunks).cpu()


def people_figures(model: Matching, split: Split) -> dict[str, Any]:
    """Recalls by person, and how far images and captions lie apart."""
    images, captions = embeddings(model, split)
    report = evaluate(model.similarity(images, captions), split.image_of, identity=split.identity)
    probes = {judge: modality_probe(images, captions, split.image_of, split.identity, judge) for judge in JUDGES}
    recalls = {name: getattr(report.t2i, name) for name in ("r1", "r5", "r10")}
    return {"rsum": report.rsum, "t2i": recalls, "probe": probes, "gap": modality_gap(images, captions)}


def class_figures(model: Matching, split: Split) -> dict[str, float]:
    """AP@50, its best value, and the fraction of pictures that name their class."""
    found = search_by_class(*embeddings(model, split), split.image_of, split.identity, model.similarity)
    return {"ap50": found.precision, "best": found.best, "image_r1": found.image_r1}


def figures_of_seed(seed: int, size: str) -> list[dict[str, Any]]:
    """Everything that is trained for one seed, as rows of plain data."""
    rows = []
    people = load_corpus("people", size=size, seed=seed)
    shown, described = people.test.identity, people.test.identity[people.test.image_of]
    chance = 100 * (shown[:, None] == described).double().mean().item()  # R@1 of guessing
    rows.append({"corpus": "people", "model": "chance", "t2i": {"r1": chance}})
    for name in (*TRIPLETS, *RUNS, *CLASSIFIERS):
        model = untrained(name, people, seed)
        history = fit(model, people, seed=seed, progress=False)
        seconds = round(sum(row["seconds"] for row in history.epochs), 1)
        rows.append({"corpus": "people", "model": name, "seconds": seconds, **people_figures(model, people.test)})
    for world in ("birds", "flowers"):
        corpus = load_corpus(world, size=size, seed=seed)
        for name, options in CLASS_RUNS.items():
            model = create_model(name, corpus, seed=seed, **options)
            fit(model, corpus, epochs=CLASS_EPOCHS, seed=seed, progress=False)
            rows.append({"corpus": world, "model": name, **class_figures(model, corpus.test)})
    return [{"seed": seed, **row} for row in rows]


def effects_of(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts over the seeds, as plain data."""
    r1 = per_model(figures, "t2i", "r1")
    probes = {judge: per_model(figures, "probe", judge) for judge in JUDGES}
    one, each = CLASSIFIERS
    effects = []

    def tell(name: str, better: list[float], worse: list[float]) -> None:
        effects.append(asdict(effect(name, [a - b for a, b in zip(better, worse, strict=True)])))

    tell("cmpl beats a triplet loss that sums (R@1)", r1["cmpl"], r1["triplet, sum"])
    tell("cmpl beats a triplet loss of the hardest (R@1)", r1["cmpl"], r1["triplet, max"])
    tell("CMPC adds to CMPM (R@1)", r1["cmpl"], r1["cmpm"])
    tell("timam beats cmpl (R@1)", r1["timam"], r1["cmpl"])
    tell("a small frozen BERT beats learned words (R@1)", r1["timam"], r1[FULL])
    tell("timam with learned words beats cmpl (R@1)", r1[FULL], r1["cmpl"])
    tell("identification adds to the rest (R@1)", r1[FULL], r1["without identification"])
    tell("matching adds to the rest (R@1)", r1[FULL], r1["without matching"])
    for weight, name in ADVERSARIES.items():
        if weight:
            who = f"an adversary of weight {weight}"
            tell(f"{who} adds to the rest (R@1)", r1[name], r1[ADVERSARIES[0.0]])
            for judge, guesses in probes.items():
                summary = f"{who}: a fresh {judge} tells images from captions less well (points)"
                tell(summary, guesses[ADVERSARIES[0.0]], guesses[name])
    tell("a classifier for both sides beats one each (R@1)", r1[one], r1[each])
    twice = [2 * chance for chance in r1["chance"]]
    tell("with a classifier each, R@1 stays below twice chance (points)", twice, r1[each])
    tell(
        "identification alone beats identification with an adversary (R@1)",
        r1["identification alone"],
        r1["without matching"],
    )
    return effects
