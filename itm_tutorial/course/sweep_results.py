"""What a sweep leaves on disk, read as one table."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_json


def read_point(file: Path) -> dict[str, Any]:
    """What is kept of a point.

    Raises:
        ItmError: no such file, or one that no sweep has written.
    """
    record = read_json(file)
    kinds = {"parameters": dict, "figures": dict, "seconds": (int, float), "made_by": str, "finished": str}
    if not isinstance(record, dict) or not all(isinstance(record.get(key), kind) for key, kind in kinds.items()):
        raise ItmError(f"{file} is not as a sweep writes it: delete it and run the sweep again")
    return record


def read_sweep(folder: str | Path):
    """The points of a sweep that are there, of a sweep still running as well.

    Args:
        folder: of one sweep, such as ``runs/sweeps/vsepp``.

    Returns:
        A pandas DataFrame, a row a point: its parameters, the notebook's figures, and ``seconds``. Damaged files are
        left out and named in a warning, and so are points of another notebook or other fixed parameters than the
        newest one's, since they cannot be compared.

    Raises:
        ItmError: there is no point.
    """
    import pandas as pd

    folder, records, again = Path(folder), [], f"itm sweep {Path(folder).name}"
    for file in sorted(folder.glob("*.json")):
        try:
            records.append(read_point(file))
        except ItmError:
            warnings.warn(f"{file.name} is damaged and left out: {again} makes it anew", stacklevel=2)
    if not records:
        raise ItmError(f"{folder} holds no points of a sweep: run {again}")
    newest = max(records, key=lambda record: record["finished"])["made_by"]
    current = [record for record in records if record["made_by"] == newest]
    if old := len(records) - len(current):
        summary = (
            f"{old} of {len(records)} points come from another notebook or other fixed parameters and are left out"
        )
        warnings.warn(f"{summary}: {again} brings them up to date", stacklevel=2)
    return pd.DataFrame([{**r["figures"], **r["parameters"], "seconds": r["seconds"]} for r in current])
