"""Photographs on disk: decoded when they are needed, found by name in any Unicode form."""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from itm_tutorial.data.readers.pixels import LARGEST, SAVE_AS, to_rgb
from itm_tutorial.errors import ItmError, visible
from itm_tutorial.storage import disk_errors

if TYPE_CHECKING:
    from PIL.Image import Image

TURNS = (None, None, 0, 3, 1, 5, 4, 6, 2)  # EXIF orientation 1 to 8 -> ``PIL.Image.Transpose``
PROGRAMS = ("EPS", "WMF", "EMF")  # formats that Pillow leaves to other programs


@dataclass(frozen=True)
class Photographs(Sequence):
    """Photographs on disk; each is decoded when it is indexed."""

    files: list[Path]
    threads: ClassVar[bool] = True  # several threads may index it at once

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> Tensor:
        """uint8 [3, H, W] of the photograph i."""
        return decode(self.files[i])

    def size_of(self, i: int) -> tuple[int, int]:
        """Height and width of the photograph i, turned as its EXIF data say; only the file's header is read."""
        return size_of(self.files[i])


def decode(file: Path | bytes, where: str = "") -> Tensor:
    """Decodes a photograph to uint8 [3, H, W], RGB, turned as its EXIF data say; see ``to_rgb`` for other colours.

    Args:
        file: a file, or what it holds.
        where: names it in a message; by default the file's path.

    Raises:
        ItmError: the file is missing, empty, cut short, not an image, or too large for an image.
    """
    where = where or str(file)
    with _opened(file, where) as image:
        turn = TURNS[_orientation(image)]
        image.load()  # to the last row
        return to_rgb(image if turn is None else image.transpose(turn), where)


def size_of(file: Path | bytes, where: str = "") -> tuple[int, int]:
    """Height and width of what ``decode`` returns; only the file's header is read.

    Raises:
        ItmError: as for ``decode``, but for damage that shows when it is decoded.
    """
    with _opened(file, where or str(file)) as image:
        width, height = image.size
        return (width, height) if _orientation(image) in (5, 6, 7, 8) else (height, width)


@contextmanager
def _opened(source: Path | bytes, file: str) -> Iterator[Image]:
    """Opens an image file without decoding it; whatever goes wrong meanwhile becomes one ``ItmError``.

    Pillow's readers of damaged files raise errors of almost every type.
    """
    from PIL import Image, UnidentifiedImageError

    file = visible(file)
    try:
        if isinstance(source, Path) and not source.exists():
            raise ItmError(f"{file} is missing: prepare the corpus again")
        if isinstance(source, Path) and not source.is_file():
            raise ItmError(f"{file} is a folder, not a photograph: get this file again")
        if not (source.stat().st_size if isinstance(source, Path) else len(source)):
            raise ItmError(f"{file} is empty: get this file again")
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as image:
            if image.format in PROGRAMS:
                raise ItmError(f"{file} is a drawing ({image.format}) that another program would draw: {SAVE_AS}")
            if image.width * image.height > LARGEST:
                size = f"{image.width} x {image.height}"
                raise ItmError(f"{file} has {size} pixels, more than {LARGEST:,}: make it smaller")
            yield image
    except ItmError:
        raise
    except Exception as error:
        if isinstance(error, UnidentifiedImageError):  # its own text names an object in memory, or the file once more
            error = ValueError("no format that Pillow knows")
        reason = " ".join(str(error).split()).encode("utf-8", "backslashreplace").decode()[:200] or type(error).__name__
        if isinstance(error, OSError) and error.errno is not None:
            raise ItmError(
                f"{file} cannot be read ({error.strerror or reason}): you must be able to read it"
            ) from error
        raise ItmError(f"{file} is cut short or not an image ({reason}): get this file again") from error


def _orientation(image: Image) -> int:
    """How the photograph must be turned, 1 to 8; 1, as it is, where its EXIF data are damaged or absent."""
    try:
        found = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF data lead to errors of any type
        return 1
    return found if found in range(1, 9) else 1


def sizes_in(folder: Path, below: bool = False) -> dict[str, int]:
    """Maps the name of each file in a folder to its size in bytes; empty if the folder does not exist.

    Args:
        folder: to look into. A folder inside it counts as a file, so that a photograph which is one can be named.
        below: whether to look into its subfolders too; a name is then a path with "/", and no folder counts.

    Returns:
        Names as the disk has them; ``named`` finds them under another Unicode form.
    """
    if not folder.is_dir():
        return {}
    with disk_errors(folder):
        if not below:
            return {entry.name: size for entry in os.scandir(folder) if (size := _size(entry)) is not None}
        files = {}
        for parent, _, names in os.walk(folder):  # follows no link to a folder
            for name in names:
                file = Path(parent, name)
                if file.is_file():
                    files[file.relative_to(folder).as_posix()] = file.stat().st_size
        return files


def _size(entry: os.DirEntry) -> int | None:
    """The size of a file or folder; None for a link that leads nowhere or to itself."""
    try:
        return entry.stat().st_size
    except OSError:
        return None


def named(sizes: dict[str, int]) -> dict[str, str]:
    """Maps each name in Unicode's composed form (NFC) to the name on disk: macOS unpacks accents as two characters."""
    return {unicodedata.normalize("NFC", name): name for name in sizes}
