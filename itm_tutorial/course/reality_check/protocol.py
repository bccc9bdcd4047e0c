"""The protocol of the reality check: what is trained, how its settings are chosen, what is measured.

It was fixed before the first run. Every model reads the drawn scenes through one backbone, has embeddings of
``EMBED_SIZE`` numbers where an option sets their size, and keeps the rest of its recipe "drawn". Then, per model:

1. On the tuning seed it is trained with three learning rates, ``RATE_FACTORS`` times that of its recipe, for the epochs
   of its recipe. The rate with the highest validation rsum is taken; of equal ones, the lowest.
2. With this rate, still on the tuning seed, the epochs are doubled until the last quarter of the run adds less than
   ``LEAST_GAIN`` to the best validation rsum before it, and a run of twice the epochs less than ``LEAST_GAIN`` to its
   best; at most ``DOUBLINGS`` times. The second condition is there because most recipes lower the rate in the middle of
   a run, after which the curve is flat even where a longer run would be better.
3. With this rate and these epochs it is trained on every other seed, and measured there on the test split.

The tuning seed has its own pictures, captions and first weights, and its test split is never scored.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import comb
from typing import Any

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.measures import minimal_pairs, of_pairs, retrieval
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.options import option_types
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.minimal_pairs import ceiling, oracle_scores
from itm_tutorial.models import Matching, create_model, model_class, recipe_of, variant_options
from itm_tutorial.training.loop import fit

CORPUS = "scenes"
EMBED_SIZE = 256
SIZE_OPTIONS = ("embed_size", "dim")  # what a model calls the number of an embedding's numbers
TUNING_SEED = 7
RATE_FACTORS = (1 / 3, 1.0, 3.0)
DOUBLINGS = 2  # so that a run has at most four times the epochs of the recipe
LEAST_GAIN = 0.01
TRAINED, FAILED = "trained", "failed"  # outcomes of a training

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Setup:
    """What the protocol takes from a model's recipe.

    Attributes:
        model: its name.
        features: kind of visual features that it reads.
        rates: the three learning rates, rising.
        epochs: of its recipe.
        options: of ``create_model``; the embedding size, or nothing where no option sets it.
    """

    model: str
    features: str
    rates: tuple[float, ...]
    epochs: int
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Point:
    """One training.

    Attributes:
        model, size, seed: what is trained on which corpus.
        rate: learning rate.
        epochs: passes over the training captions.
    """

    model: str
    size: str
    seed: int
    rate: float
    epochs: int

    @property
    def stem(self) -> str:
        """The name of its file."""
        return f"{self.size}-seed-{self.seed}-rate-{self.rate:g}-epochs-{self.epochs}"


@dataclass(frozen=True)
class Plan:
    """What is left to train of a model, and what its trainings have decided so far.

    Attributes:
        todo: trainings that can start now; more may follow from their results. Empty when the model is done.
        rate: the chosen learning rate; None before the choice, or where no rate could be trained.
        epochs: the chosen number; None before the choice.
        gain: the larger of what the last quarter of the chosen run adds to the validation rsum and of what a doubling
            adds, as a fraction: the next doubling, or the last one if there is no next.
        failed: why the model cannot be trained on the tuning seed; empty where it can.
        tuning: the trainings on the tuning seed that are done.
    """

    todo: tuple[Point, ...] = ()
    rate: float | None = None
    epochs: int | None = None
    gain: float | None = None
    failed: str = ""
    tuning: tuple[Point, ...] = ()

    @property
    def still_rising(self) -> bool:
        """Whether the longest run allowed, or possible, was not long enough."""
        return self.gain is not None and self.gain >= LEAST_GAIN

    def final(self, seed: int) -> Point:
        """The training with the chosen settings on another seed."""
        return replace(self.tuning[0], seed=seed, rate=self.rate, epochs=self.epochs)


def setup_of(model: str) -> Setup:
    """Reads the settings of a model from its recipe "drawn".

    Raises:
        ItmError: no model has this name.
    """
    cls, recipe = model_class(model), recipe_of(model, "drawn")
    known = option_types(cls.__init__, keyword_only=True)
    sizes = {name: EMBED_SIZE for name in SIZE_OPTIONS if name in known and name not in variant_options(model)}
    rates = tuple(float(f"{factor * recipe.learning_rate:.2g}") for factor in RATE_FACTORS)
    return Setup(model, recipe.features or cls.feature_kind, rates, recipe.epochs, sizes)


def plan(setup: Setup, size: str, seeds: Sequence[int], found: Callable[[Point], Record | None]) -> Plan:
    """Decides what of a model is to be trained next.

    Args:
        setup: of the model.
        size: of the corpus.
        seeds: on which the model is measured; the tuning seed is none of them.
        found: the record of a training, or None where there is none yet.

    Returns:
        The trainings that can start now, and the choices made so far.
    """
    tried = {rate: Point(setup.model, size, TUNING_SEED, rate, setup.epochs) for rate in setup.rates}
    if missing := tuple(point for point in tried.values() if found(point) is None):
        return Plan(missing)
    rate, tuning = choose_rate({rate: best_rsum(found(point)) for rate, point in tried.items()}), list(tried.values())
    if rate is None:
        return Plan(failed=found(tried[setup.rates[0]])["message"], tuning=tuple(tuning))
    chosen, doubled = tried[rate], 0.0
    while 2 * chosen.epochs <= setup.epochs * 2**DOUBLINGS:
        longer = replace(chosen, epochs=2 * chosen.epochs)
        record = found(longer)
        if record is None:
            return Plan((longer,), rate, tuning=tuple(tuning))
        tuning.append(longer)
        if record["outcome"] != TRAINED:  # the shorter run stands, and the failure is reported
            break
        doubled = gain_over(best_rsum(found(chosen)), best_rsum(record))
        if max(last_quarter_gain(found(chosen)["validation"]), doubled) < LEAST_GAIN:
            break
        chosen = longer
    gain = max(last_quarter_gain(found(chosen)["validation"]), doubled)
    finals = [replace(chosen, seed=seed) for seed in seeds]
    todo = tuple(point for point in finals if found(point) is None)
    return Plan(todo, rate, chosen.epochs, gain, tuning=tuple(tuning))


def choose_rate(rsums: Mapping[float, float | None]) -> float | None:
    """The learning rate with the highest validation rsum.

    Args:
        rsums: learning rate -> rsum; None for a training that failed.

    Returns:
        The rate, the lowest of equal ones; None where every training failed.
    """
    known = [(rsum, -rate) for rate, rsum in rsums.items() if rsum is not None and not math.isnan(rsum)]
    return -max(known)[1] if known else None


def best_rsum(record: Record) -> float | None:
    """The highest validation rsum of a training; None where it failed."""
    return max(record["validation"]) if record["outcome"] == TRAINED else None


def last_quarter_gain(rsums: Sequence[float]) -> float:
    """What the last quarter of a run adds to the best validation rsum before it.

    Args:
        rsums: of every epoch; the last quarter is rounded up to whole epochs.

    Returns:
        The gain as a fraction, 0 or more; infinite where there is nothing before, as in a run of one epoch.
    """
    before = rsums[: len(rsums) - math.ceil(len(rsums) / 4)]
    return gain_over(max(before, default=0.0), max(rsums))


def gain_over(before: float, after: float) -> float:
    """How much higher an rsum is than another, as a fraction; 0 where it is lower, infinite above an rsum of 0."""
    if after <= before:
        return 0.0
    return after / before - 1 if before > 0 else math.inf


def make_model(setup: Setup, corpus: Corpus, seed: int) -> Matching:
    """Makes the untrained model of a setup.

    Raises:
        ItmError: the model needs what the corpus does not have, such as identities or classes.
    """
    return create_model(setup.model, corpus, seed=seed, **setup.options)


def train(setup: Setup, point: Point, corpus: Corpus) -> dict[str, Any]:
    """Trains a model once; on other seeds than the tuning seed it also measures the model on the test split.

    Args:
        setup: of the model.
        point: the training.
        corpus: of the point's size and seed.

    Returns:
        Plain data: validation (rsum of every epoch), seconds (of computing, summed over cores), parameters (how many
        numbers are trained), and test (recalls and minimal pairs in percent), or None on the tuning seed.

    Raises:
        ItmError: as ``create_model`` and ``fit``, such as a loss that is not finite.
    """
    model = make_model(setup, corpus, point.seed)
    start = time.process_time()
    history = fit(model, corpus, epochs=point.epochs, learning_rate=point.rate, seed=point.seed, progress=False)
    seconds = time.process_time() - start
    trained = Trained(Arm(setup.model, setup.model), model, corpus, point.seed, history)
    return {
        "validation": [row["rsum"] for row in history.epochs],
        "seconds": round(seconds, 2),
        "parameters": sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
        "test": None if point.seed == TUNING_SEED else {**retrieval(trained), **minimal_pairs(trained)},
    }


def reference_lines(corpus: Corpus) -> dict[str, dict[str, Any]]:
    """The rows between which every model lies: the ceiling of an oracle, and chance.

    Args:
        corpus: with a test split of drawn scenes.

    Returns:
        "ceiling" and "chance" -> what ``train`` gives as test.
    """
    test = corpus.test
    report, pairs = ceiling(test), of_pairs(oracle_scores(test), test)
    top = {"rsum": report.rsum, "i2t_r1": report.i2t.r1, "t2i_r1": report.t2i.r1, **pairs}
    kinds = {kind: 50.0 for kind in pairs["minimal_pairs"]}
    return {"ceiling": top, "chance": {**chance(test), **pairs, "minimal_pairs": kinds}}


def chance(split: Split) -> dict[str, float]:
    """The expected recalls of a random ranking, in percent.

    Args:
        split: an image is found if one of its captions is among the first K.

    Returns:
        rsum, i2t_r1 and t2i_r1.

    Raises:
        ItmError: an image has no caption.
    """
    n_images, n_captions = len(split.images), len(split.captions)
    own = split.image_of.bincount(minlength=n_images).tolist()  # captions of each image
    if not all(own):
        raise ItmError(f"split {split.name!r}: image {own.index(0)} has no caption; give it one")
    i2t = {}
    for k in (1, 5, 10):
        drawn = min(k, n_captions)
        misses = sum(comb(n_captions - n, drawn) for n in own) / comb(n_captions, drawn)  # images without a hit
        i2t[k] = 100 * (1 - misses / n_images)
    t2i = {k: 100 * min(1.0, k / n_images) for k in (1, 5, 10)}
    return {"rsum": sum(i2t.values()) + sum(t2i.values()), "i2t_r1": i2t[1], "t2i_r1": t2i[1]}
