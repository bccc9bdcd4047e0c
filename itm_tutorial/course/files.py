"""Reads what the course keeps in a clone of the repository: course.toml and the notebooks; what is wrong is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.storage import read_json, read_toml

_FileName = Annotated[str, Field(pattern=r"^[\w+-][\w.+-]*\.ipynb$", max_length=100)]
_Name = Annotated[str, Field(pattern=r"^[\w+-][\w.+-]*$", max_length=100)]
_STRICT = ConfigDict(extra="forbid", strict=True)


class Chapter(TypedDict):
    """A notebook of course.toml: ``minutes`` for a learner, ``computing`` of the computer's, ``papers`` as keys."""

    notebook: _FileName
    title: NotRequired[str]
    minutes: NotRequired[int]
    computing: NotRequired[str]
    papers: NotRequired[list[str]]


class Part(TypedDict):
    """A notebook of a track: ``sections`` are the headings that stay, each whole or up to its colon; all by default."""

    __pydantic_config__ = _STRICT
    notebook: _FileName
    sections: NotRequired[Annotated[list[str], Field(min_length=1)]]


class Track(TypedDict):
    """A way through the course: ``notebooks`` in their order; ``computing`` is how long they run, as measured."""

    __pydantic_config__ = _STRICT
    name: _Name
    title: str
    notebooks: Annotated[list[Part], Field(min_length=1)]
    computing: NotRequired[str]


class _Chapters(TypedDict):
    chapter: list[Chapter]
    lab: NotRequired[list[Chapter]]
    track: NotRequired[list[Track]]
    repository: NotRequired[str]
    site: NotRequired[str]


class _Tiny(TypedDict, total=False):
    __pydantic_config__ = _STRICT
    fixed: dict[str, Any]
    grid: dict[str, Any]


class _Sweep(TypedDict):
    __pydantic_config__ = _STRICT
    name: _Name
    notebook: _FileName
    grid: NotRequired[dict[str, Any]]
    fixed: NotRequired[dict[str, Any]]
    tiny: NotRequired[_Tiny]
    figure: NotRequired[str]
    workers: NotRequired[int]
    corpus: NotRequired[str]


class _Sweeps(TypedDict, total=False):
    sweep: list[_Sweep]


def read_chapters(file: Path) -> list[str]:
    """The chapters' notebooks of course.toml, in its order.

    Raises:
        ItmError: the file is missing or broken, or names no notebook.
    """
    return [chapter["notebook"] for chapter in _read_course(file)["chapter"]]


def read_contents(file: Path) -> list[Chapter]:
    """The chapters and the labs of course.toml in reading order: a lab comes after its chapter.

    Raises:
        ItmError: the file is missing or broken, or names no notebook.
    """
    course = _read_course(file)
    return sorted([*course["chapter"], *course.get("lab", [])], key=lambda chapter: Path(chapter["notebook"]).stem)


def read_tracks(file: Path) -> dict[str, Track]:
    """The tracks of course.toml by name.

    Raises:
        ItmError: the file is missing or broken, a track has a notebook that is none of the course's or has one twice,
            or two tracks have one name.
    """
    course = _read_course(file)
    known = [chapter["notebook"] for chapter in [*course["chapter"], *course.get("lab", [])]]
    tracks: dict[str, Track] = {}
    for track in course.get("track", []):
        named = [part["notebook"] for part in track["notebooks"]]
        if track["name"] in tracks:
            raise ItmError(f"{file} has two tracks {track['name']!r}: give one another name")
        for notebook in named:
            if notebook not in known:
                raise ItmError(f"{file}, track {track['name']}: {unknown('notebook', notebook, known)}")
            if named.count(notebook) > 1:
                raise ItmError(f"{file}, track {track['name']} has {notebook} twice: name all its sections once")
        tracks[track["name"]] = track
    return tracks


def read_repository(file: Path) -> str:
    """The address of the repository that course.toml names, for badges and links; empty where it names none.

    Raises:
        ItmError: the file is missing or broken, or names no notebook.
    """
    return _read_course(file).get("repository", "")


def read_site(file: Path) -> str:
    """The address of the course's site that course.toml names, for badges; empty where it names none.

    Raises:
        ItmError: the file is missing or broken, or names no notebook.
    """
    return _read_course(file).get("site", "")


def _read_course(file: Path) -> _Chapters:
    _check_there(file, "run the course")
    course = read_toml(file, _Chapters, 'give each [[chapter]] a notebook = "NN_name.ipynb"')
    if not course["chapter"]:
        raise ItmError(f"{file} names no notebook: add a [[chapter]]")
    return course


def read_sweeps(file: Path) -> dict[str, dict[str, Any]]:
    """The sweeps of course.toml by name.

    Raises:
        ItmError: the file is missing or broken, or has no sweep.
    """
    _check_there(file, "run the sweep")
    sweeps = read_toml(file, _Sweeps, "give each [[sweep]] a name, a notebook, and a [sweep.grid]").get("sweep")
    if not sweeps:
        raise ItmError(f"{file} has no sweep: add a [[sweep]]")
    return {sweep["name"]: sweep for sweep in sweeps}


def _check_there(file: Path, what: str) -> None:
    if not file.exists():
        raise ItmError(f"{file} does not exist: {what} from a clone of the repository")


class _Metadata(TypedDict, total=False):
    tags: list[str]


class _Output(TypedDict):
    output_type: str
    text: NotRequired[str | list[str]]


class _Cell(TypedDict):
    cell_type: str
    source: str | list[str]
    metadata: NotRequired[_Metadata]
    outputs: NotRequired[list[_Output]]


class _Notebook(TypedDict):
    cells: list[_Cell]


def read_cells(notebook: Path) -> list[dict[str, Any]]:
    """The cells of a notebook.

    Args:
        notebook: the .ipynb file.

    Returns:
        For each cell: cell_type, source (one text), tags (a list), and printed, what it wrote to its streams.

    Raises:
        ItmError: the file is missing, or is not a notebook of format 4.
    """
    if not notebook.exists():
        raise ItmError(f"{notebook.name} does not exist: make it with make notebooks, or correct course.toml")
    remedy = "make it with make notebooks"
    try:
        cells = read_json(notebook, _Notebook, remedy)["cells"]
    except ItmError as error:
        reason = str(error).removesuffix(remedy).rstrip(" :;")
        raise ItmError(f"{notebook.name} is not a notebook ({reason}): {remedy}") from error
    return [
        {
            "cell_type": cell["cell_type"],
            "source": _joined(cell["source"]),
            "tags": cell.get("metadata", {}).get("tags", []),
            "printed": "".join(
                _joined(o.get("text", "")) for o in cell.get("outputs", []) if o["output_type"] == "stream"
            ),
        }
        for cell in cells
    ]


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
