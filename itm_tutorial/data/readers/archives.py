"""Unpacking: zip and tar archives from the network are unpacked into one folder, and nothing leaves it.

``zipfile`` and ``tarfile`` read the archives; their own ``extractall`` writes nothing here. It follows links that an
earlier entry laid, overwrites an entry of the same name in silence, and has no limit on what a few bytes expand to.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import disk_errors

TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
EXPANSION = 100  # an archive may unpack to so many times its size; captions as JSON reach about 10
SLACK = 2**20  # bytes that any archive may unpack to
LARGEST_HEADER = 2**22  # bytes of a tar file between two entries; a long name needs some hundred
MOST_ENTRIES = 1_000_000  # COCO has about 123,000 photographs
CHUNK = 2**20
_FORMATS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}  # by their first bytes


def unpack(file: Path, folder: Path) -> None:
    """Unpacks a zip or tar archive; a file of another kind is copied as it is.

    Every entry is checked: it must be a file or folder that lies inside ``folder``, no two may have one name, and all
    together may not be much larger than the archive. The checksums inside the archive are checked too. The folder
    ``__MACOSX`` that macOS adds is left out.

    Args:
        file: the archive: ``.zip``, ``.tar``, ``.tgz``, ``.tar.gz``, ``.tar.bz2`` or ``.tar.xz``.
        folder: where to unpack; made if missing. After an error it may hold some of the files: delete it.

    Raises:
        ItmError: the archive is missing, cut short, damaged, encrypted or hostile, or the disk is full.
    """
    kind = "zip" if file.suffix.lower() == ".zip" else "tar" if file.name.lower().endswith(TARS) else ""
    if not file.is_file():
        raise ItmError(f"{file} is missing or is a folder: get the archive again")
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not kind:
                shutil.copyfile(file, folder / file.name)
            else:
                {"zip": _unpack_zip, "tar": _unpack_tar}[kind](file, _Target(file, folder))
    except ItmError:
        raise
    # Damaged bytes make these libraries raise almost anything: BadZipFile, zlib.error, LZMAError, EOFError, ValueError,
    # IndexError, OverflowError, MemoryError, an OSError of a seek to before the beginning. They have no common base.
    except Exception as error:
        reason = printable(str(error) or type(error).__name__)
        raise ItmError(
            f"{file} is cut short or not a {kind or 'readable'} archive ({reason}): delete it and get it again"
        ) from error


def printable(text: str) -> str:
    """A text from an archive or a server, fit for a terminal: short, and without control characters."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= 100 else f"{text[:97]}..."


class _Target:
    """The folder that an archive is unpacked into, with the checks that both kinds of archive share."""

    def __init__(self, file: Path, folder: Path):
        self.file, self.folder = file, folder
        self.left = EXPANSION * file.stat().st_size + SLACK  # bytes that may still be written
        self.entries = 0

    def refuse(self, name: str, why: str) -> ItmError:
        return ItmError(f"{self.file} holds {printable(repr(name))}, {why}: get it from elsewhere")

    def place(self, name: str, size: int) -> Path | None:
        """Where an entry belongs; None for what macOS adds.

        Raises:
            ItmError: the name leads out of the folder or is none, or there are too many or too large entries.
        """
        path = PureWindowsPath(name)  # understands both slashes, and drive letters
        if path.drive or path.root or ".." in path.parts:
            raise self.refuse(name, "which leads out of the folder")
        if "\0" in name or not name:
            raise self.refuse(name, "which is not a file name")
        self.entries += 1
        self.check(size)
        if self.entries > MOST_ENTRIES:
            raise ItmError(f"{self.file} holds more than {MOST_ENTRIES:,} files: get it from elsewhere")
        return None if path.parts[:1] == ("__MACOSX",) else self.folder.joinpath(*path.parts)

    def check(self, size: int) -> None:
        if not 0 <= size <= self.left:
            raise ItmError(
                f"{self.file} unpacks to more than {EXPANSION} times its size, as no data set does: "
                "get it from elsewhere"
            )

    def make(self, place: Path, name: str) -> None:
        """Makes a folder."""
        try:
            place.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise self.refuse(name, "a folder, and a file of the same name") from error

    def write(self, place: Path, name: str, source: BinaryIO) -> int:
        """Writes a file that is not there yet, and says how many bytes it had."""
        self.make(place.parent, name)
        written = 0
        try:
            with place.open("xb") as out:  # x: a second entry of this name is refused, on any file system
                while chunk := source.read(CHUNK):
                    self.check(len(chunk))
                    self.left -= len(chunk)
                    written += out.write(chunk)
        except FileExistsError as error:
            raise self.refuse(name, "which an earlier entry is called too") from error
        return written


def _unpack_zip(file: Path, target: _Target) -> None:
    with zipfile.ZipFile(file) as archive:
        places = []
        for entry in archive.infolist():
            name = entry.orig_filename  # ``filename`` ends at the first NUL
            place = target.place(name, entry.file_size)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise target.refuse(name, "a link or a device")
            if entry.flag_bits & 1:
                raise target.refuse(name, "which is encrypted")
            places.append((entry, name, place))
        target.check(sum(entry.file_size for entry, _, _ in places))
        for entry, name, place in places:  # only now is anything written
            if place is None:
                continue
            if entry.is_dir():
                target.make(place, name)
                continue
            with archive.open(entry) as source:
                target.write(place, name, source)


class _Entry(tarfile.TarInfo):
    """An entry of a tar file; where ``tarfile`` takes a damaged header for the end, it raises instead."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # two blocks of zeros: the true end
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


class _Limited:
    """The bytes of a tar file, unpacked, with a limit on how many are read at a time.

    ``tarfile`` reads a header into memory whatever its length, and a few compressed bytes can be a header of gigabytes.
    """

    def __init__(self, source: BinaryIO, target: _Target):
        self.source, self.target, self.left = source, target, LARGEST_HEADER

    def read(self, size: int) -> bytes:
        chunk = self.source.read(size)
        self.left -= len(chunk)
        if self.left < 0:
            raise ItmError(f"{self.target.file} has a header without end: get it from elsewhere")
        return chunk


def _unpack_tar(file: Path, target: _Target) -> None:
    with file.open("rb") as opened:
        start = opened.read(5)
    opener = next((opener for magic, opener in _FORMATS.items() if start.startswith(magic)), open)
    with opener(file, "rb") as source:
        limited = _Limited(source, target)
        with tarfile.open(fileobj=limited, mode="r|", tarinfo=_Entry) as archive:
            while (entry := archive.next()) is not None:
                archive.members = []  # else it keeps every entry in memory
                unread = _unpack_entry(archive, entry, limited)
                limited.left = LARGEST_HEADER + unread
        limited.left = LARGEST_HEADER
        while limited.read(CHUNK):  # to the end of the compressed stream, whose checksum is there
            pass


def _unpack_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, limited: _Limited) -> int:
    """Writes an entry of a tar file, and says how many of its bytes were not read."""
    target, name = limited.target, entry.name
    place = target.place(name, entry.size)
    if entry.isdir():
        if place is not None:
            target.make(place, name)
        return 0
    if not entry.isreg() or entry.issparse():
        raise target.refuse(name, "a link or a device")
    if place is None:
        return entry.size
    limited.left = entry.size + LARGEST_HEADER
    if target.write(place, name, archive.extractfile(entry)) != entry.size:
        raise EOFError("the last file is not whole")
    return 0
