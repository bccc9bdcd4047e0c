"""``corpus_from_table``: a pandas DataFrame of images and captions as a corpus."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.names import CORPORA
from itm_tutorial.data.readers.captioned import captions_of, identity_of, split_of
from itm_tutorial.data.readers.photographs import decode, size_of
from itm_tutorial.data.readers.pixels import to_rgb
from itm_tutorial.data.splitting import check_seed, complete, grouped
from itm_tutorial.errors import ItmError, shown, unknown

if TYPE_CHECKING:
    from pandas import DataFrame

CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class TableImages(Sequence):
    """The images of a table: files and encoded images are decoded when they are indexed, pixels are kept."""

    values: list[Path | bytes | Tensor]
    places: list[str]  # for messages
    threads: ClassVar[bool] = True  # several threads may index it at once

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> Tensor:
        """uint8 [3, H, W] of the image i."""
        value = self.values[i]
        if isinstance(value, Tensor):
            return value
        return decode(value) if isinstance(value, Path) else decode(value, f"{self.places[i]}: the image")

    def size_of(self, i: int) -> tuple[int, int]:
        """Height and width of the image i; only the header of a file is read."""
        value = self.values[i]
        return tuple(value.shape[1:]) if isinstance(value, Tensor) else size_of(value)


@dataclass
class _Image:
    """One image of the table, with all its captions."""

    where: str
    value: Path | bytes | Tensor
    name: str  # decides about its split
    digest: str  # of its content
    split: str | None
    identity: str | None
    captions: list[str] = field(default_factory=list)


def corpus_from_table(
    table: DataFrame,
    *,
    image: str = "image",
    caption: str | Sequence[str] = "caption",
    split: str | None = None,
    identity: str | None = None,
    folder: str | Path | None = None,
    seed: int = 0,
    name: str = "table",
) -> Corpus:
    """Makes a corpus of a pandas DataFrame, whose index may be of any kind.

    Rows that show the same image (the same file, or the same pixels) are one image with several captions. Features are
    cached by content: another table with the same images and captions finds them.

    Args:
        table: one row per image, or per caption.
        image: the column of images: paths, Pillow images, arrays or tensors of pixels, encoded images as bytes, or the
            dicts with "bytes" and "path" of the ``datasets`` library. ``data.readers.pixels.to_rgb`` says how pixels
            are read: floats must be in 0 to 1, and channels may be first or last. An array that could be either,
            such as [3, 40, 3], is refused.
        caption: the column of captions, or several columns; a cell holds a text or a list of texts.
        split: the column that says train, val or test; by default "split", if there is such a column. Without one,
            ``data.splitting.assign`` makes splits of 80, 10 and 10 %: by the paths of files, by the content of other
            images, or by identity, so that nobody is in two splits.
        identity: the column of the person or class shown; by default "identity", if there is such a column.
        folder: where relative paths start; by default the working directory.
        seed: of the splits.
        name: of the corpus, for messages and tables.

    Returns:
        The corpus.

    Raises:
        ItmError: a column is missing, or a row lacks its image, caption, split or identity, or holds one that cannot be
            read; the message names the row by position and index.

    Example:
        >>> corpus = itm.corpus_from_table(pd.DataFrame({"image": files, "caption": captions}))
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        raise ItmError(f"table is a {type(table).__name__}: give a pandas DataFrame, such as pd.DataFrame(table)")
    if not isinstance(name, str) or not name or name in CORPORA:
        raise ItmError(f"name is {name!r}: give a text that is not the name of another corpus, such as 'mine'")
    check_seed(seed)
    base = _folder(folder)
    names = [caption] if isinstance(caption, str) or not isinstance(caption, Sequence) else list(caption)
    if not names:
        raise ItmError("caption names no column: give one, such as 'caption'")
    columns = {part: _column(table, part) for part in (image, *names)}
    optional = {}
    for what, column in (("split", split), ("identity", identity)):
        if column is not None or what in table.columns:
            optional[what] = _column(table, what if column is None else column)
    images: dict[str, _Image] = {}
    for row, label in enumerate(table.index):
        where = f"row {row} (index {shown(label)})"
        texts = [text for part in names for text in captions_of(_cell(columns[part][row]), where)]
        if not texts:
            shown_value = shown(columns[names[0]][row])
            raise ItmError(f"{where}: the caption is {shown_value}; write one or drop the row, as with table.dropna()")
        new = _image(columns[image][row], base, where)
        if "split" in optional:
            new.split = split_of(_cell(optional["split"][row]), where)
        if "identity" in optional:
            new.identity = identity_of(_cell(optional["identity"][row]), where)
        for what in optional:
            if getattr(new, what) is None:
                raise ItmError(f"{where}: there is no {what}; write one, as every row must have it")
        one = images.setdefault(new.name, new)
        if (new.split, new.identity) != (one.split, one.identity):
            raise ItmError(
                f"{where}: its image is that of {one.where}, with another split or identity; make both the same"
            )
        one.captions += texts
    if not images:
        raise ItmError("table has no rows: give one row per image or per caption")
    return _corpus(images, name, seed, len(table))


def _corpus(images: dict[str, _Image], name: str, seed: int, n_rows: int) -> Corpus:
    with_identity = next(iter(images.values())).identity is not None
    what = "identities" if with_identity else "photographs"
    group_of = {key: one.identity or key for key, one in images.items()}
    split_of_image, note = complete({key: one.split for key, one in images.items()}, group_of, what, seed)
    parts = {part: [images[key] for key in keys] for part, keys in grouped(split_of_image).items()}
    everyone = dict.fromkeys(one.identity for some in parts.values() for one in some)  # train comes first
    number = {identity: i for i, identity in enumerate(everyone)}
    splits = {part: _split(part, some, number if with_identity else {}) for part, some in parts.items()}
    return Corpus(name, splits, drawn=False, about="; ".join(filter(None, (f"a table of {n_rows:,} rows", note))))


def _split(name: str, images: list[_Image], number: dict[str, int]) -> Split:
    content = hashlib.sha256(repr([(one.digest, one.captions) for one in images]).encode()).hexdigest()
    return Split(
        name=name,
        images=TableImages([one.value for one in images], [one.where for one in images]),
        captions=[caption for one in images for caption in one.captions],
        image_of=torch.tensor([i for i, one in enumerate(images) for _ in one.captions], dtype=torch.int64),
        identity=torch.tensor([number[one.identity] for one in images]) if number else None,
        fingerprint=f"table/{name}-{content[:16]}",
    )


def _folder(folder: str | Path | None) -> Path:
    if folder is None:
        return Path()
    if not isinstance(folder, (str, Path)):
        raise ItmError(f"folder is {folder!r}: give the path where the images are")
    try:
        base = Path(folder).expanduser()
    except RuntimeError as error:  # ~nobody
        raise ItmError(f"folder {folder}: {error}; write out the path") from error
    if not base.is_dir():
        raise ItmError(f"folder {folder}: there is no such folder; check its name")
    return base


def _column(table: DataFrame, name: Any) -> list[Any]:
    """The values of a column, whatever the index is."""
    if name not in table.columns:
        raise unknown("column of the table", name, [str(column) for column in table.columns[:30]])
    values = table[name]
    if values.ndim != 1:
        raise ItmError(f"the table has several columns named {name!r}: rename all but one of them")
    return values.tolist() if values.dtype != object else list(values)


def _cell(value: Any) -> Any:
    """A cell as plain Python: None for everything that pandas takes for missing, lists for arrays."""
    import numpy as np
    import pandas as pd

    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _image(value: Any, base: Path, where: str) -> _Image:
    """The image in a cell: checked, with the name and the hash of its content."""
    if isinstance(value, Mapping) and ("bytes" in value or "path" in value):  # of the datasets library
        value = value["path"] if value.get("bytes") is None else value["bytes"]
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value)
        _check_header(value, where)
        digest = hashlib.sha256(value).hexdigest()
        return _Image(where, value, digest, digest, None, None)
    if isinstance(value, (str, Path)):
        return _file(value, base, where)
    if _cell(value) is None:
        raise ItmError(f"{where}: the image is {shown(value)}; give one or drop the row, as with table.dropna()")
    shape = list(getattr(value, "shape", ()))
    if len(shape) == 3 and shape[0] in CHANNELS and shape[-1] in CHANNELS:
        raise ItmError(
            f"{where}: the image has the shape {shape}, so its channels may be first or last; give a larger image, or "
            "a Pillow image"
        )
    pixels = to_rgb(value, f"{where}: the image")  # a copy, so that nothing changes it once its hash is known
    digest = hashlib.sha256(f"{list(pixels.shape)}".encode() + pixels.numpy().tobytes()).hexdigest()
    return _Image(where, pixels, digest, digest, None, None)


def _file(value: str | Path, base: Path, where: str) -> _Image:
    text = str(value)
    if "://" in text:
        raise ItmError(f"{where}: the image {shown(text)} is an address; nothing is fetched: give the path of a file")
    if not text.strip() or "\0" in text:
        raise ItmError(f"{where}: the image is {shown(text)}; give the path of a file")
    try:
        file = base / Path(value).expanduser()
        if not file.is_file():
            remedy = "check the path, or give folder=" if not file.exists() else "it is a folder; name the file"
            raise ItmError(f"{where}: there is no file {shown(str(file))}; {remedy}")
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        _check_header(file, f"{where}: {file}")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ItmError(f"{where}: the image {shown(text)} cannot be read ({reason}); check the path") from error
    return _Image(where, file, unicodedata.normalize("NFC", Path(value).as_posix()), digest, None, None)


def _check_header(source: Path | bytes, where: str) -> None:
    """Refuses what is not an image; it is decoded when it is needed."""
    try:
        size_of(source, where)
    except ItmError as error:
        if source and "not an image" not in str(error):  # an image, but too large, or for another program
            raise
        raise ItmError(f"{where}: not an image that Pillow can read; give a JPEG or PNG, for example") from error
