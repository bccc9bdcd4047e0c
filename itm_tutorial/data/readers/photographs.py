"""Photographs on disk: decoded when they are needed, found by name in any Unicode form."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import disk_errors


@dataclass(frozen=True)
class Photographs(Sequence):
    """Photographs on disk; each is decoded when it is indexed."""

    files: list[Path]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> Tensor:
        """uint8 [3, H, W] of the photograph i."""
        return decode(self.files[i])


def decode(file: Path) -> Tensor:
    """Decodes a photograph to uint8 [3, H, W], RGB, turned as its EXIF data say.

    Raises:
        ItmError: the file is missing, empty, cut short, not an image, or too large for an image.
    """
    from PIL import Image, ImageOps
    from torchvision.transforms.functional import pil_to_tensor

    if not file.exists():
        raise ItmError(f"{file} is missing: prepare the corpus again")
    if not file.is_file():
        raise ItmError(f"{file} is a folder, not a photograph: get this file again")
    if file.stat().st_size == 0:
        raise ItmError(f"{file} is empty: get this file again")
    try:
        with Image.open(file) as image:
            ImageOps.exif_transpose(image, in_place=True)
            return pil_to_tensor(image.convert("RGB"))  # decodes to the last row
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ItmError(f"{file} is cut short or not an image ({error}): get this file again") from error


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
