"""Effects as data: "A is above B in a metric", read from rows of plain data, one value per seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from itm_tutorial.chapters.verdict import check_number, effect
from itm_tutorial.errors import ItmError

Row = Mapping[str, Any]
Values = list[tuple[int, float]]  # (seed, value) in the order of the rows


@dataclass(frozen=True)
class Of:
    """A metric of one arm.

    Attributes:
        arm: its name.
        metric: the path of keys to the metric, joined by dots, such as "t2i.r1"; by default the effect's own.
        where: columns that a row must have, beside those that the effect asks for.
        times: a factor: ``Of("chance", times=3)`` is three times chance.
    """

    arm: str
    metric: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    times: float = 1

    def values(self, rows: Sequence[Row], metric: str, where: Mapping[str, Any]) -> Values:
        """One value for each row of the arm that has the metric.

        Args:
            rows: of one claim, over all seeds.
            metric, where: of the effect.

        Raises:
            ItmError: a value is not a finite number; the message names arm, seed and metric.
        """
        path, wanted = self.metric or metric, {**where, **self.where}
        found = []
        for row in rows:
            if row["model"] == self.arm and all(row.get(column) == value for column, value in wanted.items()):
                value = _look_up(row, path)
                if value is not None:
                    check_number(value, f"figures of {self.arm!r}, seed {row['seed']}: {path}")
                    found.append((row["seed"], self.times * value))
        return found


@dataclass(frozen=True)
class Best:
    """The largest of several metrics of one arm, such as that of its best control."""

    arm: str
    metrics: tuple[str, ...]

    def values(self, rows: Sequence[Row], metric: str, where: Mapping[str, Any]) -> Values:
        """As ``Of.values``."""
        columns = [Of(self.arm, one).values(rows, metric, where) for one in self.metrics]
        return [(seed, max(values)) for seed, values in _side_by_side(self.arm, columns)]


@dataclass(frozen=True)
class Gain:
    """What an arm gains when a column changes from ``over`` to ``to``: ``Gain("sum", to={...}, over={...})``."""

    arm: str
    to: Mapping[str, Any]
    over: Mapping[str, Any]

    def values(self, rows: Sequence[Row], metric: str, where: Mapping[str, Any]) -> Values:
        """As ``Of.values``."""
        sides = [Of(self.arm, where=columns).values(rows, metric, where) for columns in (self.to, self.over)]
        return [(seed, to - over) for seed, (to, over) in _side_by_side(self.arm, sides)]


@dataclass(frozen=True)
class Above:
    """The effect "better is above worse": for each seed, the value of one side minus that of the other, minus ``by``.

    ``Above("vse beats bow (rsum)", "vse", "bow")``

    Attributes:
        name: what is claimed, as a sentence.
        better, worse: the name of an arm, a number such as that of chance, or ``Of``, ``Best`` or ``Gain``.
        metric: the path of keys to the metric, joined by dots.
        minimal_pairs: in place of ``metric``: the accuracy on the minimal pairs of this kind, such as "binding". A
            tiny split may lack a kind; the effect is left out then.
        by: by how much.
        where: columns that a row must have, such as the batch size.
    """

    name: str
    better: str | float | Of | Best | Gain
    worse: str | float | Of | Best | Gain
    metric: str = "rsum"
    minimal_pairs: str = ""
    by: float = 0.0
    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arms(self) -> list[str]:
        """The names of the arms that the effect reads."""
        return [side.arm for side in self._sides() if not isinstance(side, float)]

    def values(self, rows: Sequence[Row]) -> list[float]:
        """The effect, one value per seed in the order of the rows; none where the minimal pairs are missing.

        Raises:
            ItmError: a row or a metric is missing, or is not a number.
        """
        metric = f"minimal_pairs.{self.minimal_pairs}" if self.minimal_pairs else self.metric
        sides = self._sides()
        read = [[] if isinstance(side, float) else side.values(rows, metric, self.where) for side in sides]
        seeds = [seed for seed, _ in max(read, key=len)]
        if not (self.minimal_pairs or set(seeds) == {row["seed"] for row in rows}):
            raise ItmError(
                f"{self.name}: of the seeds {sorted({row['seed'] for row in rows})}, only {sorted(set(seeds))} have "
                f"{metric} of {' and '.join(map(repr, dict.fromkeys(self.arms)))}; run the claim again"
            )
        pairs = []
        for side, values in zip(sides, read, strict=True):
            if isinstance(side, float):
                values = [(seed, side) for seed in seeds]
            if [seed for seed, _ in values] != seeds:
                raise ItmError(
                    f"{self.name}: {metric} of {side.arm!r} is there for the seeds {[seed for seed, _ in values]}, "
                    f"of the other side for {seeds}; run the claim again"
                )
            pairs.append([value for _, value in values])
        return [better - worse - self.by for better, worse in zip(*pairs, strict=True)]

    def _sides(self) -> list[float | Of | Best | Gain]:
        known = (Of, Best, Gain)
        sides = (Of(side) if isinstance(side, str) else side for side in (self.better, self.worse))
        return [side if isinstance(side, known) else float(side) for side in sides]


def effects_of(effects: Sequence[Above], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The verdicts over the seeds.

    Args:
        effects: as a claim declares them.
        rows: of this claim, over all seeds.

    Returns:
        Plain data, one entry per effect that could be measured: name, values, mean, standard_error, verdict.

    Raises:
        ItmError: a row or a metric is missing, a value is not a number, or there are fewer than two seeds.
    """
    judged = []
    for one in effects:
        values = one.values(rows)
        if not one.minimal_pairs or len(values) > 1:
            judged.append(asdict(effect(one.name, values)))
    return judged


def _side_by_side(arm: str, columns: Sequence[Values]) -> list[tuple[int, list[float]]]:
    """Several values of an arm -> (seed, its values); the columns must be of the same seeds."""
    seeds = [[seed for seed, _ in column] for column in columns]
    if any(some != seeds[0] for some in seeds):
        raise ItmError(f"rows of {arm!r} are there for different seeds ({seeds}); run the claim again")
    return [(some[0][0], [value for _, value in some]) for some in zip(*columns, strict=True)]


def _look_up(row: Row, path: str) -> Any:
    value: Any = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
