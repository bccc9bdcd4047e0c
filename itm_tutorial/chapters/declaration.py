"""A claim as data: what is trained on which corpus, what is measured, and which metric should exceed which.

A chapter's ``claims.py`` holds its declarations::

    CLAIMS = (
        Claim(
            name="order_of_words",
            corpus="scenes",
            arms=(Control("ceiling", oracle), Arm("bow", "bow"), Arm("vse", "vse"), Arm("wide", "vse", {"dim": 512})),
            measures=(retrieval, minimal_pairs),
            effects=(
                Above("vse beats bow (rsum)", "vse", "bow"),
                Above("vse is above chance where the binding decides (points)", "vse", 50, minimal_pairs="binding"),
            ),
        ),
    )

Functions that a declaration names are in another file, such as the chapter's ``measures.py``: the saved results of a
claim depend on the files of its functions, and a new claim in ``claims.py`` must not invalidate the others. In a
chapter of a family of methods, ``claims/METHOD.py`` and ``measures/METHOD.py`` hold those of one method each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from itm_tutorial.errors import ItmError, unknown

if TYPE_CHECKING:
    from itm_tutorial.chapters.effects import Above
    from itm_tutorial.chapters.runner import Run, Trained
    from itm_tutorial.data.corpus import Corpus
    from itm_tutorial.models import Matching


@dataclass(frozen=True)
class Arm:
    """One model of an experiment, trained and measured once per seed.

    ``Arm("scan, grid", "scan", {"features": "grid"})``

    Attributes:
        name: "model" in its rows.
        model: a name that ``create_model`` knows.
        options: of ``create_model``.
        fit: arguments of ``fit`` beside the seed; by default the model's recipe. None leaves the model untrained.
        corpus: another corpus than the claim's.
        training: settings of the drawn world for the training split only, such as wrong captions; the other splits
            do not change.
        start: makes the untrained model instead of ``create_model``: (arm, corpus, seed, before) -> model.
        after: an earlier arm, whose trained model ``start`` gets as ``before``; it must not change that model.
        measures: in place of the claim's.
        columns: further columns of its rows, such as the batch size.
    """

    name: str
    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    fit: Mapping[str, Any] | None = field(default_factory=dict)
    corpus: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    start: Callable[[Arm, Corpus, int, Matching | None], Matching] | None = None
    after: str = ""
    measures: tuple[Callable[[Trained], dict[str, Any]], ...] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Control:
    """A row for which no model is trained: chance, the ceiling, or what follows from earlier arms.

    Attributes:
        name: "model" in its rows.
        measure: the arms trained so far -> the metrics of the row.
    """

    name: str
    measure: Callable[[Run], dict[str, Any]]


@dataclass(frozen=True)
class Claim:
    """An experiment with its verdicts.

    Attributes:
        name: as ``itm claims`` takes it; written as a plain string, so that a list of claims imports none of them.
        corpus: a name that ``load_corpus`` knows; size and seed are chosen by the run.
        arms: what is trained, in this order, and the rows beside it.
        measures: each takes a trained arm and returns metrics for its row.
        effects: the differences that are tested over the seeds.
        configuration: further options of ``load_corpus``.

    Raises:
        ItmError: two arms with the same name and columns, or an ``after`` or an effect that names no arm.
    """

    name: str
    corpus: str
    arms: tuple[Arm | Control, ...]
    measures: tuple[Callable[[Trained], dict[str, Any]], ...]
    effects: tuple[Above, ...]
    configuration: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        rows = [(arm.name, self.columns_of(arm)) for arm in self.arms]
        for number, arm in enumerate(self.arms):
            if rows.index(rows[number]) < number:
                raise ItmError(f"{self.name}: two arms are called {arm.name!r}; give one another name, or columns")
            if after := getattr(arm, "after", ""):
                earlier = [one.name for one in self.arms[:number] if isinstance(one, Arm)]
                if after not in earlier:
                    raise ItmError(f"{self.name}: {arm.name!r} goes on: {unknown('earlier arm', after, earlier)}")
        for effect in self.effects:
            for name in effect.arms:
                if name not in {arm.name for arm in self.arms}:
                    message = unknown("arm", name, [arm.name for arm in self.arms])
                    raise ItmError(f"{self.name}, effect {effect.name!r}: {message}")

    @property
    def corpora(self) -> list[str]:
        """The names of all corpora that the arms are trained on, the claim's own first."""
        return list(dict.fromkeys([self.corpus, *(getattr(arm, "corpus", "") or self.corpus for arm in self.arms)]))

    def columns_of(self, arm: Arm | Control) -> dict[str, Any]:
        """The columns of this arm's rows besides model, seed and metrics; the corpus only if there are several."""
        corpus = {"corpus": getattr(arm, "corpus", "") or self.corpus} if len(self.corpora) > 1 else {}
        return {**corpus, **getattr(arm, "columns", {})}
