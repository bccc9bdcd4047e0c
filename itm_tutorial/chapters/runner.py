"""Trains what a claim declares, for one seed, and measures it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from torch import Tensor

from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching, create_model
from itm_tutorial.progress import progress_bar
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import History, fit


@dataclass
class Trained:
    """A trained arm, as a measure gets it.

    Attributes:
        arm: its declaration.
        model: with the weights that did best on the validation split.
        corpus: that it was trained on.
        seed: of the corpus, of the first weights and of training.
        history: what ``fit`` returned; None of an untrained model.
    """

    arm: Arm
    model: Matching
    corpus: Corpus
    seed: int
    history: History | None = None

    @cached_property
    def scores(self) -> Tensor:
        """The scores of the test split, [n_images, n_captions]."""
        return score(self.model, self.corpus.test)


@dataclass
class Run:
    """What has been trained so far for one seed, as the measure of a control gets it.

    Attributes:
        claim, seed, size: what is run.
        rows: the rows so far.
        trained: name of an arm -> the arm, trained; of two arms of one name, the first.
    """

    claim: Claim
    seed: int
    size: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    trained: dict[str, Trained] = field(default_factory=dict)
    _loaded: dict[str, Corpus] = field(default_factory=dict, repr=False)

    @property
    def corpus(self) -> Corpus:
        """The claim's own corpus."""
        return self.corpus_of(None)

    def corpus_of(self, arm: Arm | None) -> Corpus:
        """What an arm is trained on; None is the claim's own corpus."""
        name, training = (self.claim.corpus, {}) if arm is None else (arm.corpus or self.claim.corpus, arm.training)
        corpus = self._load(name, {})
        if training:
            corpus = replace(corpus, splits={**corpus.splits, "train": self._load(name, training).train})
        return corpus

    def row(self, name: str) -> dict[str, Any]:
        """The first row of an arm."""
        for row in self.rows:
            if row["model"] == name:
                return row
        raise ItmError(f"{self.claim.name}: no row of {name!r} so far; declare it before what reads it")

    def _load(self, name: str, training: dict[str, Any]) -> Corpus:
        configuration = {**(self.claim.configuration if name == self.claim.corpus else {}), **training}
        key = f"{name} {sorted(configuration.items())}"
        if key not in self._loaded:
            self._loaded[key] = load_corpus(name, size=self.size, seed=self.seed, **configuration)
        return self._loaded[key]


def figures_of_seed(claim: Claim, seed: int, size: str = "mini") -> list[dict[str, Any]]:
    """Trains and measures every arm of a claim.

    Args:
        claim: the declaration.
        seed: chooses the pictures and captions of a drawn world, the first weights, the batches.
        size: of the drawn corpus.

    Returns:
        Rows of plain data, one per arm and control in their order: seed, model, corpus (where there are
        several), the arm's columns, and its figures.
    """
    run = Run(claim, seed, size)
    for arm in progress_bar(claim.arms, f"{claim.name}, seed {seed}"):
        figures = arm.measure(run) if isinstance(arm, Control) else _measured(run, arm)
        run.rows.append({"seed": seed, "model": arm.name, **claim.columns_of(arm), **figures})
    return run.rows


def _measured(run: Run, arm: Arm) -> dict[str, Any]:
    corpus, seed = run.corpus_of(arm), run.seed
    if arm.start is None:
        model = create_model(arm.model, corpus, seed=seed, **arm.options)
    else:
        model = arm.start(arm, corpus, seed, run.trained[arm.after].model if arm.after else None)
    history = None if arm.fit is None else fit(model, corpus, seed=seed, progress=False, **arm.fit)
    trained = Trained(arm, model, corpus, seed, history)
    run.trained.setdefault(arm.name, trained)
    figures: dict[str, Any] = {}
    for measure in run.claim.measures if arm.measures is None else arm.measures:
        figures |= measure(trained)
    return figures
