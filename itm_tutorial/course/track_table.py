"""What ``itm tracks`` prints, and the table of the teacher's guide: each track with its notebooks and minutes."""

from __future__ import annotations

from pathlib import Path

from itm_tutorial.course import editions
from itm_tutorial.course.files import Track, read_tracks
from itm_tutorial.course.markdown import table
from itm_tutorial.course.tracks import outline, seconds_in
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import write_text

BEGIN, END = "<!-- tracks: made by itm_tutorial.course.track_table -->", "<!-- end of tracks -->"


def tracks_table(executed: Path | None = None) -> str:
    """The tracks as text for a terminal.

    Args:
        executed: a folder where ``itm course`` ran the notebooks: the computer's time for each track is added.

    Raises:
        ItmError: course.toml is broken, or a section of a track is none of its chapter's.
    """
    lines = []
    for track in read_tracks(editions.ROOT / "course.toml").values():
        rows = outline(track)
        lines.append(f"{track['name']}: {track['title']}, {_sum(track, rows)}")
        if executed is not None:
            seconds = [seconds_in(part, executed) for part in track["notebooks"]]
            missing = f"; {seconds.count(None)} of its notebooks did not run there" if None in seconds else ""
            lines.append(f"  as run in {executed}: {sum(filter(None, seconds)):.0f} s{missing}")
        for notebook, minutes, n_exercises, left_out in rows:
            without = f"; without {', '.join(left_out)}" if left_out else ""
            lines.append(f"  {Path(notebook).stem:<24}{minutes:>4} min, {_exercises(n_exercises)}{without}")
    return "\n".join(lines)


def tracks_markdown() -> str:
    """The tracks as Markdown, for the teacher's guide: one table per track."""
    parts = []
    for track in read_tracks(editions.ROOT / "course.toml").values():
        rows = outline(track)
        cells = [
            [Path(notebook).stem, f"{minutes}", f"{n_exercises}", ", ".join(left_out) or "nothing"]
            for notebook, minutes, n_exercises, left_out in rows
        ]
        parts.append(f"**{track['title']}** (`--track {track['name']}`): {_sum(track, rows)}.")
        parts.append(table(["notebook", "minutes", "exercises", "leaves out"], cells))
    return "\n\n".join(parts)


def update_guide(check: bool = False) -> bool:
    """Writes the tables of the tracks into docs/teaching.md, or compares only.

    Args:
        check: whether to leave the file as it is.

    Returns:
        Whether the file was up to date.

    Raises:
        ItmError: the file lacks the two comments between which the tables stand.
    """
    file = editions.ROOT / "docs" / "teaching.md"
    text = file.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ItmError(f"{file} lacks the lines {BEGIN} and {END}: put them where the tables of the tracks belong")
    wanted = f"{before}{BEGIN}\n\n{tracks_markdown()}\n\n{END}{after}"
    if text != wanted and not check:
        write_text(file, wanted)
    return text == wanted


def _sum(track: Track, rows: list[tuple[str, int, int, list[str]]]) -> str:
    computing = f"; the computer needs {track['computing']}" if "computing" in track else ""
    return f"{sum(row[1] for row in rows)} minutes{computing}"


def _exercises(n: int) -> str:
    return "1 exercise" if n == 1 else f"{n} exercises"


if __name__ == "__main__":
    update_guide()
