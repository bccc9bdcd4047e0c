"""Runs the reality check: trains what the protocol asks for and is not there yet, and gathers the results.

A run that was stopped goes on, a changed model is trained again, and several processes share the work.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from itm_tutorial.course.patience import lasting
from itm_tutorial.course.reality_check import protocol
from itm_tutorial.course.reality_check.costs import epochs_left, seconds_per_epoch, shown_range
from itm_tutorial.course.reality_check.protocol import FAILED, TRAINED, Plan, Point, Setup
from itm_tutorial.course.reality_check.results import check_protocol, keep, model_part, read_check
from itm_tutorial.course.reality_check.store import Store
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.errors import ItmError
from itm_tutorial.models import list_methods, list_models, method_of
from itm_tutorial.progress import LiveLine, notice, progress_bar, say
from itm_tutorial.storage import check_writable, user_path

FOLDER = Path("runs/reality")
OUT = Path("runs/reality_check.json")
KILLS = 3  # after so many, a training counts as failed
POLL_SECONDS = 2.0  # between two checks of what another process trains


@lru_cache(maxsize=2)
def corpus_of(size: str, seed: int) -> Corpus:
    """The drawn scenes of a seed."""
    return load_corpus(protocol.CORPUS, size=size, seed=seed)


@lru_cache
def lines_of(size: str, seed: int) -> dict[str, Any]:
    """The ceiling and chance on the test split of a seed."""
    return protocol.reference_lines(corpus_of(size, seed))


def chosen_models(names: Sequence[str] = (), variants: bool = False) -> list[str]:
    """The models that a run is about.

    Args:
        names: registered names; by default every method's main model.
        variants: whether published variants belong to the default.

    Returns:
        Names, each once, in the order of the chapters.

    Raises:
        ItmError: no model has this name.
    """
    for name in names:
        method_of(name)
    wanted = names or [model for one in list_methods() for model in (one.models if variants else one.models[:1])]
    return [name for name in list_models() if name in wanted]


def split_by_need(models: Sequence[str], size: str) -> tuple[list[Setup], dict[str, str]]:
    """Splits models into those that can be trained on captions of drawn scenes, and those that need something else.

    Args:
        models: registered names.
        size: of the corpus.

    Returns:
        The setups of the first, and name -> reason of the others.
    """
    able, left_out = [], {}
    for name in models:
        setup = protocol.setup_of(name)
        try:
            protocol.make_model(setup, corpus_of(size, protocol.TUNING_SEED), protocol.TUNING_SEED)
        except ItmError as error:
            if _of_the_disk(error):
                raise
            left_out[name] = str(error)
            continue
        except Exception:  # a fault of the model, which its training will report
            pass
        able.append(setup)
    return able, left_out


def about_protocol(size: str) -> dict[str, Any]:
    """The settings of the protocol, as they are kept beside the results."""
    return {
        "corpus": protocol.CORPUS,
        "size": size,
        "embed_size": protocol.EMBED_SIZE,
        "tuning_seed": protocol.TUNING_SEED,
        "rate_factors": [round(factor, 3) for factor in protocol.RATE_FACTORS],
        "doublings": protocol.DOUBLINGS,
        "least_gain": protocol.LEAST_GAIN,
    }


@dataclass
class Check:
    """One run of the command.

    Attributes:
        setups: of the models that can be trained.
        left_out: name -> reason of the others.
        seeds: on which models are measured.
        size: of the corpus.
        store: the trainings.
        out: the file for the results.
        costs: model -> seconds of computing per epoch, where known.
    """

    setups: list[Setup]
    left_out: dict[str, str]
    seeds: Sequence[int]
    size: str
    store: Store
    out: Path
    costs: dict[str, float] = field(default_factory=dict)

    def check_folders(self) -> None:
        """Makes the folders, and refuses those that cannot be written to before anything is trained."""
        check_writable(self.store.unfinished)
        check_writable(self.out.parent)

    def plans(self) -> dict[str, Plan]:
        """What is left of every model."""
        return {one.model: protocol.plan(one, self.size, self.seeds, self.store.found) for one in self.setups}

    def left(self, setups: Sequence[Setup]) -> str:
        """The computing time of what is left of some models: if no run must be longer, and if all must be."""
        return shown_range(*(self._seconds_left(setups, rising) for rising in (False, True)))

    def _seconds_left(self, setups: Sequence[Setup], rising: bool) -> float:
        left = {one.model: epochs_left(one, self.size, self.seeds, self.store.found, rising) for one in setups}
        return sum(self.costs.get(model, 0.0) * epochs for model, epochs in left.items())

    def run(self) -> bool:
        """Trains what is left, keeps the results of a model when it is done -> whether every training succeeded."""
        self.check_folders()
        kept: set[str] | None = None
        line, waiting = LiveLine(), False
        while True:
            plans = self.plans()
            done = {name for name, plan in plans.items() if not plan.todo}
            if done != kept:
                self.gather(plans)
                kept = done
            todo = [point for plan in plans.values() for point in plan.todo]
            if not todo:
                return self.succeeded(plans)
            if any(self.attempt(point, line) for point in todo):
                waiting = False
                continue
            if not waiting:
                notice("waiting for another process that trains what is left")
            waiting = True
            time.sleep(POLL_SECONDS)

    def attempt(self, point: Point, line: LiveLine) -> bool:
        """Trains a point unless another process does, and keeps its record -> whether the record is there now."""
        with self.store.lock(point) as held:
            if not held:
                return False
            if self.store.found(point) is None:
                line.show(f"{_shown(point)}: training; {self.left(self.setups)} of computing left")
                with self.store.started(point) as kills:
                    outcome, message, measured = self._outcome(point, kills)
                    self.store.keep(point, outcome, message, measured)
                line.clear()
                self._say(point, message, measured)
        return True

    def _outcome(self, point: Point, kills: int) -> tuple[str, str, dict[str, Any]]:
        if kills >= KILLS:
            return FAILED, f"its process was killed {kills} times, perhaps for want of memory", {}
        setup = next(one for one in self.setups if one.model == point.model)
        try:
            return TRAINED, "", protocol.train(setup, point, corpus_of(self.size, point.seed))
        except Exception as error:  # whatever a model does: the others are trained all the same
            if _of_the_disk(error):
                raise
            own = isinstance(error, ItmError)
            return FAILED, str(error) if own else f"{type(error).__name__}: {str(error).partition(chr(10))[0]}", {}

    def _say(self, point: Point, message: str, measured: Mapping[str, Any]) -> None:
        if not measured:
            say(f"{_shown(point)}: failed: {message}")
            return
        self.costs[point.model] = measured["seconds"] / len(measured["validation"])
        test = "" if measured["test"] is None else f", on the test split {measured['test']['rsum']:.1f}"
        rsum = f"validation rsum {max(measured['validation']):.1f}{test}"
        say(f"{_shown(point)}: {rsum}; {lasting(measured['seconds'])}; {self.left(self.setups)} of computing left")

    def succeeded(self, plans: Mapping[str, Plan]) -> bool:
        """Whether no training of a finished check has failed."""
        for one in self.setups:
            plan = plans[one.model]
            if plan.failed or any(self.store.found(plan.final(seed))["outcome"] == FAILED for seed in self.seeds):
                return False
        return True

    def gather(self, plans: Mapping[str, Plan]) -> None:
        """Puts the results of all finished models into ``out``."""
        done = [one for one in self.setups if not plans[one.model].todo]
        models = {one.model: model_part(one, plans[one.model], self.seeds, self.store.found) for one in done}
        lines = {str(seed): lines_of(self.size, seed) for seed in self.seeds}
        found = {"lines": lines, "left_out": self.left_out, "models": models}
        keep(self.out, about_protocol(self.size), found, list_models(), self.store.unfinished / "results")


def _of_the_disk(error: Exception) -> bool:
    """Whether an error is no fault of a model: the disk is full, or a file cannot be read."""
    return isinstance(error, OSError) or isinstance(error.__cause__, OSError)


def _shown(point: Point) -> str:
    return f"{point.model}: seed {point.seed}, rate {point.rate:g}, {point.epochs} epochs"


def prepare(
    models: Sequence[str] = (),
    variants: bool = False,
    n_seeds: int = 3,
    size: str = "mini",
    folder: Path = FOLDER,
    out: Path = OUT,
    retry: bool = False,
) -> Check:
    """Makes a run of the reality check, and refuses at once what would fail later.

    Args:
        models: registered names; by default every method's main model.
        variants: whether published variants belong to the default.
        n_seeds: models are measured on the seeds from 0 up; the tuning seed is none of them.
        size: of the drawn corpus.
        folder: for the trainings.
        out: the file for the results; those of other models stay.
        retry: whether trainings that failed are done again.

    Returns:
        The run, of which nothing has been trained yet.

    Raises:
        ItmError: an unknown model or size, too many seeds, a damaged file, or one of another protocol.
    """
    if not 1 <= n_seeds <= protocol.TUNING_SEED:
        reason = f"seed {protocol.TUNING_SEED} is the one on which settings are chosen"
        raise ItmError(f"--seeds is {n_seeds}: give 1 to {protocol.TUNING_SEED}, since {reason}")
    names, folder, out = chosen_models(models, variants), user_path(folder, "--folder"), user_path(out, "--out")
    if out.exists():
        check_protocol(out, read_check(out), about_protocol(size))
    setups, left_out = split_by_need(names, size)
    return Check(setups, left_out, range(n_seeds), size, Store(folder, retry), out)


def estimate(check: Check) -> None:
    """Fills in what an epoch of each unfinished model costs: from its trainings, else from a few steps.

    Args:
        check: its ``costs`` are changed; a model that fails in these steps has none.
    """
    plans = check.plans()
    left = [one for one in check.setups if plans[one.model].todo]
    for one in progress_bar(left, "timing a few steps"):
        records = [
            check.store.found(Point(one.model, check.size, protocol.TUNING_SEED, r, one.epochs)) for r in one.rates
        ]
        timed = [record["seconds"] / len(record["validation"]) for record in records if record and record["validation"]]
        try:
            cost = max(timed) if timed else seconds_per_epoch(one, corpus_of(check.size, protocol.TUNING_SEED))
        except Exception as error:  # whatever a model does: training will report it
            if _of_the_disk(error):
                raise
            continue
        check.costs[one.model] = cost
