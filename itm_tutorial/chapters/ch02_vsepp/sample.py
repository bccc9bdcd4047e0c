"""A small sweep that comes with the course, so that the labs have something to read before the first own sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from itm_tutorial.storage import read_json

if TYPE_CHECKING:
    import pandas as pd

FILE = Path(__file__).with_name("sample_sweep.json")
LOSSES = ("sum_of_hinges", "top_k_hinges", "max_of_hinges")  # from all negatives to one


class _Sample(TypedDict):
    """What the file holds."""

    date: str
    versions: dict[str, str]
    settings: dict[str, Any]
    points: list[dict[str, Any]]


def sample_sweep() -> tuple[pd.DataFrame, str]:
    """Reads the sweep that comes with the course.

    Returns:
        One row per run, as ``read_sweep`` returns them, with the losses as categories; and a sentence with the date,
        the settings and the versions.

    Raises:
        ItmError: the file is missing or damaged.
    """
    import pandas as pd

    sample = read_json(FILE, _Sample, "install itm_tutorial again")
    frame = with_losses_in_order(pd.DataFrame(sample["points"]))
    settings = ", ".join(f"{name} {value}" for name, value in sample["settings"].items())
    versions = ", ".join(f"{name} {version}" for name, version in sample["versions"].items())
    return frame, f"{len(frame)} runs of {sample['date']}: {settings} ({versions})."


def with_losses_in_order(points: pd.DataFrame) -> pd.DataFrame:
    """The runs of a sweep with their losses ordered from the sum to the maximum; losses by other names come last."""
    import pandas as pd

    others = [name for name in points["negatives"].unique() if name not in LOSSES]
    return points.assign(negatives=pd.Categorical(points["negatives"], [*LOSSES, *others]))
