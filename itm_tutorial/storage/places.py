"""Where the course lies, so that a relative path means the same from any working folder."""

from __future__ import annotations

from pathlib import Path


def course_folder() -> Path:
    """The folder of the course's checkout; where the package was installed without one, the working folder."""
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / "course.toml").is_file() else Path.cwd()


def in_course(path: str | Path) -> Path:
    """A path as a notebook names it: a relative one starts at the course's folder, wherever papermill was called from.

    Args:
        path: such as "runs/leaderboard.jsonl".

    Returns:
        The absolute path; it need not exist.
    """
    return course_folder() / Path(path).expanduser()  # an absolute path stays as it is
