"""Your own photographs: a folder with a table of captions, or with a text beside each photograph."""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.readers.captioned import Captioned, Found, columns_of, files_below, is_photograph, known_columns
from itm_tutorial.data.readers.listing import Listing, Row, prepare_listing, prepared_folder, read_prepared
from itm_tutorial.data.readers.tables import SUFFIXES, TEXT_SUFFIXES, Table, columns_in, read_table
from itm_tutorial.data.splitting import FRACTIONS, check_fractions, check_seed, complete, grouped, split_named
from itm_tutorial.errors import ItmError, shown, unknown
from itm_tutorial.storage import cache_dir, read_json, write_json

METADATA = "metadata"  # of metadata.csv, metadata.jsonl or metadata.parquet
FEW = 20  # photographs in a split that is measured
DEPTH = 2  # how many folders down a table with this name is looked for
COLUMNS = ("file_name", "caption", "split", "identity")
EXPECTED = (
    "a metadata.csv or metadata.jsonl with the columns file_name and caption, or a text beside each photograph "
    "(a.jpg and a.txt)"
)


class Options(TypedDict, total=False):
    """How a folder is read: which columns have other names, and how splits are made."""

    file_name: str
    caption: str | list[str]
    split: str
    identity: str
    seed: int
    fractions: list[float]


class Last(TypedDict):
    """The folder that was used last."""

    folder: str
    options: Options


def prepare(name: str = "photos", source: Path | None = None, **options: Any) -> None:
    """Checks a folder of photographs and keeps in the cache what was found there.

    Raises:
        ItmError: as for ``load``.
    """
    load(name, folder=source, **options)


def load(name: str = "photos", folder: str | Path | None = None, seed: int | None = None, **options: Any) -> Corpus:
    """Loads a folder of photographs with captions; the photographs stay where they are.

    The folder is read anew each time, and its photographs are checked again if a file has changed.

    Args:
        name: "photos".
        folder: it holds ``metadata.csv``, ``metadata.jsonl`` or ``metadata.parquet``, itself or in a subfolder per
            split; or one other table; or a text file beside each photograph. None takes the folder that was used
            last, with its options, and says which one it is.
        seed: of the splits, where the folder has none; 0 by default.
        options: ``file_name``, ``caption`` (one name or several), ``split`` and ``identity``, the columns that have
            other names; ``fractions`` of train, val and test.

    Returns:
        The corpus.

    Raises:
        ItmError: nothing was used before, or the folder, a table or a photograph in it is missing or damaged; the
            message names the file and the line.
    """
    options = _checked_options({**options, **({} if seed is None else {"seed": seed})})
    if folder is None:
        last = _last_used()
        folder, options = Path(last["folder"]), {**last["options"], **options}
        print(f"photos: {folder}, the folder that was used last", file=sys.stderr)
        if not folder.is_dir():
            raise ItmError(f"{folder}, the folder that was used last, is gone: name another with --from or folder=")
    else:
        folder = _existing(folder)
    listing = read_folder(folder, name, **options)
    key = hashlib.sha256(json.dumps([str(folder), options], sort_keys=True).encode("utf-8", "replace")).hexdigest()
    prepared = prepare_listing(listing, prepared_folder(f"{name}-{key[:12]}"))
    _remember(folder, options)
    return read_prepared(name, prepared, how=f"--from {folder}`")


def recognises(folder: Path, name: str = "photos") -> bool:
    """Whether a folder has one of the layouts; it looks at names and at the headers of tables only."""
    if _metadata_files(folder) or _other_tables(folder, {}):
        return True
    files = files_below(folder)
    texts = {file for file in files if file.suffix == ".txt"}
    return any(file.with_suffix(".txt") in texts for file in files if is_photograph(file))


def read_folder(folder: Path, name: str = "photos", **options: Any) -> Listing:
    """Reads the captions of a folder and looks for its photographs; they are not decoded yet.

    Args:
        folder: as for ``load``.
        name: of the corpus.
        options: as for ``load``.

    Returns:
        The listing; photographs are in the order of their names, captions in that of the table.

    Raises:
        ItmError: as for ``load``.
    """
    folder = folder.resolve()  # as absolute paths in a table are compared with it
    columns = {option: options[option] for option in COLUMNS if option in options}
    found = Captioned(folder)
    metadata = _metadata_files(folder)
    tables = metadata or _other_tables(folder, columns)
    notes = [f"from {folder}"]
    if tables:
        _check_tables(folder, tables, bool(metadata))
        for file in tables:
            known = known_columns(columns)
            table = read_table(file, known)
            notes += _read_rows(found, table, columns, None if metadata else split_named(file.stem))
    elif columns:
        if file := _likeliest(folder, columns):
            columns_of(Table(file, columns_in(file, known_columns(columns)), iter(())), columns)  # says what it lacks
        option, column = next(iter(columns.items()))
        raise ItmError(f"{folder} holds no table with the {option} column {shown(column)}; {_has(folder)}")
    else:
        notes += _read_texts(found, folder)
    if not found.images:
        raise ItmError(f"{tables[0] if tables else folder}: no photograph with a caption; write one row per photograph")
    return _listing(name, folder, found, notes, options)


def _listing(name: str, folder: Path, found: Captioned, notes: list[str], options: dict[str, Any]) -> Listing:
    images = found.images
    given = {image: one.split for image, one in images.items()}
    if not any(given.values()):
        given = _splits_by_folder(images)
    _check_all_or_none(images, given, "split")
    identities = {image: one.identity for image, one in images.items()}
    _check_all_or_none(images, identities, "identity")
    what = "identities" if any(identities.values()) else "photographs"
    group_of = {image: one.identity or found.name_of(image) for image, one in images.items()}
    try:
        split_of, note = complete(
            given, group_of, what, options.get("seed", 0), tuple(options.get("fractions", FRACTIONS))
        )
    except ItmError as error:
        raise ItmError(f"{folder}: {error}") from error
    if note:
        notes.append(note)
    splits = {}
    for split, some in grouped(split_of).items():
        splits[split] = [_row(folder, image, images[image]) for image in some]
    small = [
        f"{len(splits[split])} in {split}" for split in ("val", "test") if len(splits.get(split, "")) in range(1, FEW)
    ]
    if small:
        notes.append(f"with so few photographs recalls say little: {', '.join(small)}")
    return Listing(name, folder, splits, "; ".join(notes))


def _check_all_or_none(images: dict[str, Found], values: dict[str, str | None], what: str) -> None:
    """Refuses a split or identity that only some photographs have."""
    without = [image for image, value in values.items() if value is None]
    if without and len(without) < len(values):
        where, more = images[without[0]].where, f", and so have {len(without) - 1} more" * (len(without) > 1)
        raise ItmError(f"{where}: {shown(without[0])} has no {what}{more}, but others have one; write it for all")


def _row(folder: Path, image: str, found: Found) -> Row:
    row: Row = {"image": image, "bytes": (folder / image).stat().st_size, "captions": found.captions}
    if found.identity is not None:
        row["identity"] = found.identity
    return row


def _splits_by_folder(images: dict[str, Found]) -> dict[str, str | None]:
    """The splits that folders are named after; none if no folder is."""
    found = {}
    for image in images:
        named = (split_named(part) for part in Path(image).parts[:-1])
        found[image] = next((split for split in named if split), None)
    return found


def _read_rows(found: Captioned, table: Table, columns: dict[str, Any], split: str | None) -> list[str]:
    """Adds the rows of a table -> what a user should know about it."""
    chosen = columns_of(table, columns)
    number = None
    for number, row in table.rows:
        found.add_row(table, number, row, chosen, split)
    if number is None:
        raise ItmError(f"{table.file} has a header and no rows: write one row per photograph")
    found.check_missing(table.file)
    return [] if table.file.stem == METADATA else [f"captions from {table.file.name}, {chosen}"]


def _read_texts(found: Captioned, folder: Path) -> list[str]:
    """Adds the photographs that have a text beside them -> what a user should know about the others."""
    files = files_below(folder)
    texts = {file for file in files if file.suffix == ".txt"}
    photographs = [file for file in files if is_photograph(file)]
    of_text: dict[Path, Path] = {}
    for file in photographs:
        text = file.with_suffix(".txt")
        if text not in texts:
            continue
        if text in of_text:
            raise ItmError(f"{folder / file} and {of_text[text].name} share the text {text.name}: rename one of them")
        of_text[text] = file
        found.add_text(file)
    if not of_text:
        raise ItmError(_nothing_in(folder))
    alone = [file for file in photographs if file.with_suffix(".txt") not in texts]
    return [
        *_left_out(folder, alone, "photograph", "a text"),
        *_left_out(folder, sorted(texts - set(of_text)), "text", "a photograph"),
    ]


def _left_out(folder: Path, files: list[Path], what: str, lacking: str) -> list[str]:
    """Warns about files that are left out -> the same for ``Corpus.about``."""
    if not files:
        return []
    note = f"{len(files)} {what}{'s' * (len(files) > 1)} without {lacking}"
    warnings.warn(f"{folder}: {note}, left out; the first is {shown(files[0].as_posix())}", stacklevel=5)
    return [note]


def _metadata_files(folder: Path) -> list[Path]:
    """The files named metadata, in the folder and down to two folders below."""
    levels = ["*/" * depth + f"{METADATA}.*" for depth in range(DEPTH + 1)]
    found = sorted(file for level in levels for file in folder.glob(level) if file.suffix.lower() in SUFFIXES)
    return [file for file in found if file.is_file() and not _hidden(file.relative_to(folder))]


def _other_tables(folder: Path, columns: dict[str, Any]) -> list[Path]:
    """Tables of another name, in the folder itself, that have a column of file names and one of captions."""
    known = known_columns(columns)
    found = []
    for file in _text_tables(folder):
        names = columns_in(file, known)
        try:
            columns_of(Table(file, names, iter(())), columns)
        except ItmError:
            continue
        found.append(file)
    return found


def _text_tables(folder: Path) -> list[Path]:
    """The files in a folder whose names end like those of tables of text."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in TEXT_SUFFIXES and _is_seen(file))


def _likeliest(folder: Path, columns: dict[str, Any]) -> Path | None:
    """The table of text with the most columns of usual names; None if there is no table."""
    known = known_columns(columns)
    tables = _text_tables(folder)
    return max(tables, key=lambda file: sum(name.casefold() in known for name in columns_in(file, known)), default=None)


def _is_seen(file: Path) -> bool:
    return not file.name.startswith(".") and file.is_file()


def _check_tables(folder: Path, tables: list[Path], metadata: bool) -> None:
    """Refuses two tables of which only one can be meant."""
    if metadata:
        for file, other in zip(tables, tables[1:], strict=False):
            if file.parent == other.parent:
                raise ItmError(f"{file} and {other.name} stand side by side: remove one of them")
        return
    splits = [split_named(file.stem) for file in tables]
    if len(tables) > 1 and (None in splits or len(set(splits)) < len(splits)):
        names = ", ".join(file.name for file in tables)
        raise ItmError(f"{folder} holds {names}: rename the one to read as {METADATA}{tables[0].suffix.lower()}")


def _nothing_in(folder: Path) -> str:
    """Why nothing can be read, and what to do."""
    from itm_tutorial.data import readers

    if others := [other for other in readers.recognised(folder) if other != "photos"]:
        return f"{folder} holds {others[0]}, not photos: run `itm prepare {others[0]} --from {folder}`"
    if file := _likeliest(folder, {}):
        names = ", ".join(shown(column) for column in columns_in(file)[:8]) or "none that can be read"
        return (
            f"{file} has the columns {names}: name those of files and captions, --column file_name=NAME "
            "--column caption=NAME, or rename them file_name and caption"
        )
    return f"{folder} holds no captions: it must have {EXPECTED}; {_has(folder)}"


def _has(folder: Path) -> str:
    n = sum(map(is_photograph, files_below(folder)))
    return f"there {'is' if n == 1 else 'are'} {n or 'no'} photograph{'s' * (n != 1)} in it"


def _hidden(file: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in file.parts)


def _existing(source: object) -> Path:
    """The folder that the user named, as an absolute path without links."""
    if not isinstance(source, (str, Path)) or not str(source) or "\0" in str(source):
        raise ItmError(f"folder is {shown(source)}: give the path of the folder with the photographs")
    try:
        folder = Path(source).expanduser().resolve()
        is_file, is_folder = folder.is_file(), folder.is_dir()
    except (RuntimeError, OSError) as error:  # ~nobody; a loop of links
        raise ItmError(f"{source}: {error}; write out the folder") from error
    if is_file:
        raise ItmError(f"{source} is a file: give the folder that holds it, unpacked if it is an archive")
    if not is_folder:
        raise ItmError(f"{source}: there is no such folder; check its name")
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise ItmError(f"{source} cannot be read ({error.strerror}): it must be a folder that you may read") from error
    return folder


def _checked_options(options: dict[str, Any]) -> Options:
    known = (*COLUMNS, "seed", "fractions")
    checked: Options = {}
    for name, value in options.items():
        if name not in known:
            raise unknown("option of photos", name, ("folder", *known))
        if value is None:
            continue
        if name == "seed":
            check_seed(value)
        elif name == "fractions":
            check_fractions(value)
            value = [float(fraction) for fraction in value]
        else:
            several = name == "caption" and isinstance(value, (list, tuple))
            texts = list(value) if several else [value]
            if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
                raise ItmError(
                    f"{name} is {shown(value)}: give the name of a column{' or several' * (name == 'caption')}"
                )
            value = texts if several else value
        checked[name] = value
    return checked


def _last_file() -> Path:
    """Where the folder that was used last is noted: for each user, since a cache may be shared."""
    try:
        user = re.sub(r"\W", "_", getpass.getuser())
    except (OSError, KeyError, ImportError):  # a container's user without a name
        user = "anyone"
    return cache_dir() / "corpora" / f"photos-last-{user}.json"


def _last_used() -> Last:
    file = _last_file()
    if not file.exists():
        raise ItmError('photos: no folder was used yet; name one: --from DIR, or load_corpus("photos", folder=DIR)')
    return read_json(file, Last)


def _remember(folder: Path, options: Options) -> None:
    last: Last = {"folder": str(folder), "options": options}
    try:
        if read_json(_last_file()) == last:
            return
    except ItmError:
        pass  # nothing was noted yet, or the note is damaged
    try:
        write_json(_last_file(), last)
    except ItmError:
        print(f"photos: {_last_file()} cannot be written, so name the folder each time", file=sys.stderr)
