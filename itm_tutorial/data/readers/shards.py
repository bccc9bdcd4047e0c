"""Parquet files, webdataset shards and sets of a hub, read through the ``datasets`` library (the extra ``hub``).

Each photograph is written into the cache under a name made of its bytes, so rows that show the same photograph, as sets
with one caption per row have them, become one photograph with several captions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from itm_tutorial.data.captions import repaired
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.readers import existing
from itm_tutorial.data.readers.listing import Record, Row, prepared_folder, read_prepared
from itm_tutorial.data.readers.photographs import decode
from itm_tutorial.data.splitting import KEYWORDS, complete, grouped, split_named
from itm_tutorial.errors import ItmError, refuse_options, shown, unknown
from itm_tutorial.progress import progress_counter
from itm_tutorial.storage import cache_dir, disk_errors, read_json, replace_folder, write_json

NAME = "shards"
KINDS = {".parquet": "parquet", ".tar": "webdataset"}  # end of a file's name -> the library's builder
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
SPLIT_WORDS = {**KEYWORDS, "restval": "train"}  # Karpathy's fourth split: the field trains on it
# names under which sets have them, the likeliest first
IMAGE_COLUMNS = ("image", "jpg", "jpeg", "png", "webp", "img", "picture", "photo")
CAPTION_COLUMNS = ("caption", "captions", "text", "txt", "sentence", "sentences", "sentences_raw", "raw", "description")


def prepare(name: str = NAME, source: Path | str | None = None, **columns: str) -> Path:
    """Reads a folder of Parquet files or of webdataset shards, or a set of a hub, and keeps its photographs.

    Args:
        name: "shards".
        source: a folder that holds ``*.parquet`` or ``*.tar``, in it or in its subfolders; or the name of a set on
            the hub, such as "user/set", which is then downloaded. Files and folders that are named after a split
            (train, validation, test, ...) belong to it; all others are split by the rule of ``splitting.assign``.
        columns: ``image``, ``caption``, ``split`` or ``identity``: the name of this column, where it is unusual.

    Returns:
        The prepared folder.

    Raises:
        ItmError: the library is not installed or cannot read the files, a column is missing, or a row lacks its
            photograph or caption; the message names the row.
    """
    if odd := set(columns) - {"image", "caption", "split", "identity"}:
        raise unknown("column option", odd.pop(), ("image", "caption", "split", "identity"))
    if source is None:
        raise ItmError("shards: give a folder of Parquet files or webdataset shards, or a hub's user/set, with --from")
    source = Path(source)
    if not source.expanduser().is_dir() and HUB_NAME.fullmatch(source.as_posix()) and not source.exists():
        kind, files, identity = source.as_posix(), None, _digest([source.as_posix(), columns])
    else:
        folder = existing(source)
        kind, files = _files(folder)
        every = [file for some in files.values() for file in some]
        stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in every]
        identity = _digest([str(folder.absolute()), stamps, columns])

    def build(part: Path) -> None:
        _keep(part, kind, files, columns, identity)

    return replace_folder(prepared_folder(name), build, lambda folder: _identity_in(folder) == identity)


def load(name: str = NAME, **options: Any) -> Corpus:
    """Loads the set that was prepared last.

    Raises:
        ItmError: none was prepared, or it is damaged, or an option was given.
    """
    refuse_options(name, options, "columns are named when it is prepared")
    return read_prepared(name, how="--from DIR` with Parquet files or webdataset shards in DIR")


def recognises(folder: Path, name: str) -> bool:
    """Whether a folder holds Parquet files or tar archives."""
    return any(_named_so(folder, suffix) for suffix in KINDS)


def _named_so(folder: Path, suffix: str) -> list[Path]:
    """The files of a kind in a folder and its subfolders, down to the second."""
    found = [file for pattern in (f"*{suffix}", f"*/*{suffix}", f"*/*/*{suffix}") for file in folder.glob(pattern)]
    return sorted(file for file in found if file.is_file() and not file.name.startswith("."))


def _files(folder: Path) -> tuple[str, dict[str, list[Path]]]:
    """The library's builder, and the files of each split; "all" for those that are named after none."""
    there = {suffix: files for suffix in KINDS if (files := _named_so(folder, suffix))}
    if len(there) != 1:
        found = "both Parquet files and tar archives" if there else "neither a Parquet file nor a tar archive"
        raise ItmError(f"{folder} holds {found}: give a folder with files of one kind, *.parquet or *.tar")
    ((suffix, found_files),) = there.items()
    files: dict[str, list[Path]] = {}
    for file in found_files:
        parents = file.relative_to(folder).parts[:-1]
        named = (split_named(part) for part in (file.stem, *reversed(parents)))
        files.setdefault(next((split for split in named if split), "all"), []).append(file)
    if "all" in files and len(files) > 1:
        raise ItmError(f"{files['all'][0]} is named after no split, but other files are: put train, val or test in it")
    return KINDS[suffix], files


def _keep(
    part: Path, kind: str, files: dict[str, list[Path]] | None, columns: Mapping[str, str], identity: str
) -> None:
    """Writes the photographs and their rows into an empty folder."""
    (part / "images").mkdir()
    rows: dict[str, Row] = {}  # photograph -> its row; one photograph has one split
    given: dict[str, str | None] = {}
    with progress_counter(None, "reading photographs", "row") as bar:
        for where, split, record in _records(kind, files, columns):
            image = _write_image(part / "images", record["image"], where)
            split = _split_of(record["split"], where) if record["split"] is not None else split
            if given.setdefault(image, split) != split:
                raise ItmError(f"{where}: its photograph is in {given[image]} already, and now in {split}; remove one")
            size = (part / "images" / image).stat().st_size
            row = rows.setdefault(image, {"image": image, "bytes": size, "captions": []})
            row["captions"] += _captions(record["caption"], where)
            if record["identity"] is not None:
                row["identity"] = str(record["identity"])
            bar.update()
    if not rows:
        raise ItmError(f"{kind}: there is not one row; check the files")
    split_of, note = complete(given, {image: image for image in rows}, "photographs")
    write_json(part / "splits.json", {name: [rows[i] for i in some] for name, some in grouped(split_of).items()})
    record: Record = {"identity": identity, "note": note.replace("file name", "content"), "classes": False}
    write_json(part / "source.json", record)


def _records(
    kind: str, files: dict[str, list[Path]] | None, columns: Mapping[str, str]
) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Place, split and the four values of each row; photographs are not decoded."""
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ItmError("shards need the datasets library: pip install -e '.[hub]' in the course's folder") from error
    try:
        paths = {"data_files": {name: [str(f) for f in some] for name, some in files.items()}} if files else {}
        scratch = str(cache_dir() / "downloads" / "datasets")
        whole = datasets.load_dataset(kind, streaming=True, cache_dir=scratch, **paths)
        for split, rows in whole.items():
            features = rows.features or rows._resolve_features().features
            column_of = _columns(features, columns, kind)
            for column in set(column_of.values()) - {None}:
                if isinstance(features[column], datasets.Image):
                    rows = rows.cast_column(column, datasets.Image(decode=False))
            name = None if split == "all" else SPLIT_WORDS.get(split, split_named(split))
            if files is None and name is None:
                raise ItmError(
                    f"{kind} has a split {shown(split)}, which is none of train, val and test: {_SPLIT_COLUMN}"
                )
            alone = files is not None and len(files[split]) == 1
            place = files[split][0] if alone else f"{kind} {split}"
            for number, row in enumerate(rows):
                values = {what: None if column is None else row.get(column) for what, column in column_of.items()}
                yield f"{row.get('__url__') or place} row {number}", name, values
    except (ItmError, KeyboardInterrupt, GeneratorExit):
        raise
    except Exception as error:  # pyarrow, tarfile, fsspec and the hub have each their own
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        every = [] if files is None else [file for some in files.values() for file in some]
        what = (
            f"the set {kind}" if files is None else str(every[0]) if len(every) == 1 else f"a file in {every[0].parent}"
        )
        raise ItmError(f"{what} cannot be read through the datasets library ({reason}): get it again") from error


_SPLIT_COLUMN = "name the column that says where each row belongs, with --column split=COLUMN"


def _columns(features: Mapping[str, Any], columns: Mapping[str, str], kind: str) -> dict[str, str | None]:
    """Which column of a set is which: the ones that were asked for, or those of a usual name."""
    for what, column in columns.items():
        if column not in features:
            raise unknown(f"column for {what} in {kind}", column, list(features))
    images = [name for name, feature in features.items() if type(feature).__name__ == "Image"]
    lower = {name.lower(): name for name in features}
    column_of: dict[str, str | None] = {
        "image": columns.get("image") or next((lower[n] for n in IMAGE_COLUMNS if n in lower), None),
        "caption": columns.get("caption") or next((lower[n] for n in CAPTION_COLUMNS if n in lower), None),
        "split": columns.get("split") or lower.get("split"),
        "identity": columns.get("identity"),
    }
    column_of["image"] = column_of["image"] or (images[0] if len(images) == 1 else None)
    for what in ("image", "caption"):
        if column_of[what] is None:
            raise ItmError(
                f"{kind} has the columns {', '.join(features)}: say which is the {what} with --column {what}=COLUMN"
            )
    return column_of


def _write_image(folder: Path, value: Any, where: str) -> str:
    """Writes a photograph under the name of its content, and checks that it can be decoded."""
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(data, bytes) or not data:
        found = "empty" if data in (None, b"") else type(data).__name__
        raise ItmError(f"{where}: its photograph is {found}; the column must hold the bytes of an image file")
    name = f"{hashlib.sha256(data).hexdigest()[:16]}.{_suffix(data)}"
    if not (folder / name).exists():
        with disk_errors(folder):
            (folder / name).write_bytes(data)
        try:
            decode(folder / name)
        except ItmError as error:
            raise ItmError(
                f"{where}: its photograph is cut short or not an image; {str(error).rpartition(': ')[2]}"
            ) from error
    return name


def _suffix(data: bytes) -> str:
    if data[:3] == b"\xff\xd8\xff":
        return "jpg"
    return "png" if data[:4] == b"\x89PNG" else "img"


def _captions(value: Any, where: str) -> list[str]:
    """The captions of a row: a text, one in each of its lines, or a list of texts."""
    texts = value.splitlines() if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ItmError(f"{where}: its caption is {value!r:.80}; write a text or a list of texts")
    captions = [repaired(text, where) for text in texts if text.strip()]
    if not captions or not all(any(letter.isalnum() for letter in caption) for caption in captions):
        raise ItmError(f"{where}: its caption is empty; write one or remove the row")
    return captions


def _split_of(value: Any, where: str) -> str:
    if str(value).lower() not in SPLIT_WORDS:
        raise ItmError(f"{where}: its split is {value!r:.80}; write train, val or test")
    return SPLIT_WORDS[str(value).lower()]


def _identity_in(folder: Path) -> str | None:
    try:
        return read_json(folder / "source.json", Record)["identity"]
    except ItmError:
        return None


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()
