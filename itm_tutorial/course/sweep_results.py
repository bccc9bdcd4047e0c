"""Reads the results of a sweep as one table."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from pydantic import FiniteFloat
from typing_extensions import TypedDict

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_json


class _Record(TypedDict):
    """What a sweep keeps of a point."""

    parameters: dict[str, str | bool | int | FiniteFloat | None]
    figures: dict[str, Any]
    seconds: FiniteFloat
    made_by: str
    finished: str


def read_point(file: Path) -> dict[str, Any]:
    """Reads the record of a point.

    Raises:
        ItmError: the file does not exist, or no sweep has written it.
    """
    remedy = "delete it and run the sweep again"
    record = read_json(file, _Record, remedy)
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # pandas takes no such name of a column
        raise ItmError(f"{file}: half a character in a text; {remedy}") from error
    return record


def read_sweep(folder: str | Path):
    """Reads the finished points of a sweep, which may be still running.

    Args:
        folder: of one sweep, such as ``runs/sweeps/vsepp``.

    Returns:
        A pandas DataFrame, one row per point: its parameters, the notebook's metrics, and ``seconds``. Damaged files
        are left out with a warning. So are points of another version of the notebook or with other fixed parameters
        than the newest point, since they cannot be compared.

    Raises:
        ItmError: there is no finished point.
    """
    import pandas as pd

    folder, records, again = Path(folder), [], f"itm sweep {Path(folder).name}"
    for file in sorted(folder.glob("*.json")):
        try:
            records.append(read_point(file))
        except ItmError:
            warnings.warn(f"{file.name} is damaged and left out: run {again} to replace it", stacklevel=2)
    if not records:
        raise ItmError(f"{folder} has no points of a sweep: run {again}")
    newest = max(records, key=lambda record: record["finished"])["made_by"]
    current = [record for record in records if record["made_by"] == newest]
    if old := len(records) - len(current):
        note = f"{old} of {len(records)} points come from another notebook or other fixed parameters and are left out"
        warnings.warn(f"{note}: run {again} to update them", stacklevel=2)
    return pd.DataFrame([{**r["figures"], **r["parameters"], "seconds": r["seconds"]} for r in current])
