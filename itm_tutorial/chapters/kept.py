"""Reading kept figures: a damaged file is refused with its name and the key, and no part of it is used."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from itm_tutorial.chapters.verdict import VERDICTS, is_number
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_json

_EFFECT = {"name": "a text", "values": "a list", "mean": "a number", "standard_error": "a number", "verdict": "a text"}


class _Damaged(Exception):
    """A key, and what is wrong there."""


def read_kept(file: Path) -> dict[str, Any]:
    """Reads the claims in a file, and checks no more than the root.

    Args:
        file: as ``keep`` writes it; where there is no file there are no claims.

    Returns:
        Name of a claim -> what the file holds of it.

    Raises:
        ItmError: broken JSON, or a root that is not an object.
    """
    kept = read_json(file) if file.exists() else {}
    if not isinstance(kept, dict):
        raise ItmError(f"{file}: the root is {_sort(kept)} and not an object with claims by name; delete or move it")
    return kept


def check_claim(kept: Any, name: str, file: Path) -> dict[str, Any]:
    """Checks what a file holds of one claim: its keys, the rows of every seed, every number.

    Args:
        kept: what stands under the name of the claim.
        name: of the claim.
        file: for the message.

    Returns:
        ``kept``: figures, effects and provenance.

    Raises:
        ItmError: it is damaged; the message names the file and the key.
    """
    try:
        _expect(kept, "an object", name)
        for key, sort in {"figures": "a list", "effects": "a list", "provenance": "an object"}.items():
            _expect(kept.get(key), sort, f"{name}.{key}")
        check_rows(kept["figures"], f"{name}.figures")
        seeds = len({row["seed"] for row in kept["figures"]})
        for number, effect in enumerate(kept["effects"]):
            _check_effect(effect, seeds, f"{name}.effects[{number}]")
        _check_plain(kept["provenance"], f"{name}.provenance")
        _expect(kept["provenance"].get("date"), "a text", f"{name}.provenance.date")
    except _Damaged as damage:
        raise ItmError(f"{file}: {damage}; run `itm claims {name} --out {file}`") from None
    return kept


def rows_are_whole(rows: Any, models: list[str]) -> bool:
    """Whether a file holds plain rows of one seed, one for each arm in their order."""
    try:
        check_rows(rows, "figures")
    except _Damaged:
        return False
    return [row["model"] for row in rows] == models


def check_rows(rows: Any, place: str) -> None:
    """Refuses rows that are no plain data, and seeds that have not the same rows with the same keys."""
    _expect(rows, "a list", place)
    if not rows:
        raise _Damaged(f"{place} is empty")
    by_seed: dict[int, list[tuple[str, Any]]] = {}  # seed -> (place, row)
    for number, row in enumerate(rows):
        _expect(row, "an object", f"{place}[{number}]")
        _expect(row.get("model"), "a text", f"{place}[{number}].model")
        _expect(row.get("seed"), "a number", f"{place}[{number}].seed")
        _check_plain(row, f"{place}[{number}]")
        by_seed.setdefault(row["seed"], []).append((f"{place}[{number}]", row))
    fullest, most = max(by_seed.items(), key=lambda seed: len(seed[1]))
    for seed, own in by_seed.items():
        lacking = Counter(row["model"] for _, row in most) - Counter(row["model"] for _, row in own)
        if lacking:
            raise _Damaged(f"{place} lacks a row of {next(iter(lacking))!r} for seed {seed}, which seed {fullest} has")
        for (here, row), (there, other) in zip(_ordered(own), _ordered(most), strict=False):
            if row.keys() != other.keys():
                key = min(row.keys() ^ other.keys())
                raise _Damaged(f"{here if key in other else there} lacks the key {key!r} that {there} or {here} has")
            _check_alike(row, other, here, there)


def _ordered(rows: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return sorted(rows, key=lambda row: row[1]["model"])  # stable: rows of one model stay in their order


def _check_alike(value: Any, other: Any, here: str, there: str) -> None:
    """Refuses a value of another sort than that of another seed."""
    if value is None or other is None:  # such as an epoch that never came
        return
    if _sort(value) != _sort(other):
        raise _Damaged(f"{here} is {_sort(value)}, but {there} is {_sort(other)}")
    if isinstance(value, dict):
        for key in value.keys() & other.keys():  # a tiny split may lack a kind of minimal pair
            _check_alike(value[key], other[key], f"{here}.{key}", f"{there}.{key}")


def _check_effect(effect: Any, seeds: int, place: str) -> None:
    _expect(effect, "an object", place)
    for key, sort in _EFFECT.items():
        _expect(effect.get(key), sort, f"{place}.{key}")
    for number, value in enumerate(effect["values"]):
        _expect(value, "a number", f"{place}.values[{number}]")
    if effect["verdict"] not in VERDICTS:
        raise _Damaged(f"{place}.verdict is {effect['verdict'][:40]!r} and not one of {', '.join(VERDICTS)}")
    if len(effect["values"]) > seeds:
        raise _Damaged(f"{place}.values has {len(effect['values'])} values, but there are figures of {seeds} seeds")


def _check_plain(value: Any, place: str) -> None:
    """Refuses numbers that are not finite, anywhere in a value."""
    if _sort(value) == "no finite number":
        raise _Damaged(f"{place} is no finite number")
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            _check_plain(one, f"{place}.{key}" if isinstance(value, dict) else f"{place}[{key}]")


def _expect(value: Any, sort: str, place: str) -> None:
    if _sort(value) != sort:
        raise _Damaged(f"{place} is {_sort(value)} and not {sort}")


def _sort(value: Any) -> str:
    if is_number(value):
        return "a number"
    sorts = {type(None): "missing", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return sorts.get(type(value), "no finite number")
