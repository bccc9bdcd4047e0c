"""Published archives: downloaded from the first mirror that works, checked, and unpacked into one folder."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PureWindowsPath

from itm_tutorial.errors import ItmError
from itm_tutorial.progress import progress_wanted
from itm_tutorial.storage import disk_errors

SECONDS_OF_SILENCE = 30  # after which we give up on a mirror
CHUNK = 2**16  # bytes


@dataclass(frozen=True)
class Archive:
    """One published zip archive.

    Attributes:
        name: the file's name.
        mirrors: its addresses, the best one first.
        md5: its published checksum, in hexadecimal.
        into: the subfolder into which its files are unpacked.
    """

    name: str
    mirrors: tuple[str, ...]
    md5: str
    into: str = "."


class _NotFetched(Exception):
    """One mirror failed; the message says how."""


def download(archive: Archive, folder: Path) -> Path:
    """Downloads an archive; an incomplete download is kept as ``NAME.part``, and a later run continues it.

    Args:
        archive: what to download.
        folder: where to keep it; it must exist, and only one process may download into it at a time.

    Returns:
        The complete file, with a correct checksum.

    Raises:
        ItmError: no mirror gave the correct file, or the disk is full.
    """
    whole, part = folder / archive.name, folder / f"{archive.name}.part"
    if whole.exists():
        return whole
    failures = []
    for url in archive.mirrors:
        try:
            _fetch_checked(url, part, archive.md5)
        except _NotFetched as error:
            failures.append(f"{url} ({error})")
        else:
            part.replace(whole)
            return whole
    raise ItmError(
        f"cannot download {archive.name} from {' or from '.join(failures)}: check the network and try again, "
        "or get the published files by hand and give their folder with --from DIR"
    )


def _fetch_checked(url: str, part: Path, md5: str) -> None:
    """Downloads the rest of ``part`` and checks the file; if an earlier part does not fit, it starts again, once."""
    begun = _size(part) > 0
    _fetch(url, part)
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found == md5:
        return
    part.unlink()
    if not begun:
        raise _NotFetched(f"its MD5 checksum is {found}, not {md5}: damaged, or another edition")
    _fetch_checked(url, part, md5)


def _fetch(url: str, part: Path) -> None:
    """Tries again after a broken connection, as long as each attempt brings new bytes."""
    while True:
        before = _size(part)
        try:
            return _read_on(url, part, before)
        except _NotFetched:
            if _size(part) <= before:
                raise


def _read_on(url: str, part: Path, start: int) -> None:
    """Appends what follows the first ``start`` bytes to ``part``; starts again if the server cannot do that."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_OF_SILENCE) as answer:
            start = start if answer.status == 206 else 0  # 206: from ``start``; 200: from the beginning
            length = answer.headers["Content-Length"]
            total = start + int(length) if length else None
            _write(answer, part, start, total)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # 416: nothing follows; the checksum shows whether the file is complete
            raise _NotFetched(f"{error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _NotFetched(error.reason) from error
    except (OSError, HTTPException) as error:
        raise _NotFetched(str(error) or type(error).__name__) from error
    else:
        if total is not None and _size(part) < total:
            raise _NotFetched(f"cut short after {_size(part):,} of {total:,} bytes")


def _write(answer, part: Path, start: int, total: int | None) -> None:
    from tqdm.auto import tqdm

    bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=part.stem, disable=not progress_wanted())
    with bar, disk_errors(part), part.open("ab" if start else "wb") as file:
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def unpack(file: Path, folder: Path) -> None:
    """Unpacks a zip archive and checks each file's checksum; skips the folder that macOS adds.

    Args:
        file: the archive.
        folder: where to unpack; made if missing. After an error it may hold some of the files: delete it.

    Raises:
        ItmError: the archive is cut short, damaged or encrypted, a name in it leads out of ``folder``, or the disk is
            full.
    """
    try:
        with disk_errors(folder), zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
            for name in names:
                path = PureWindowsPath(name)  # understands both slashes, and drive letters
                if path.drive or path.root or ".." in path.parts:
                    raise ItmError(f"{file} holds {name!r}, which leads out of the folder: get it from elsewhere")
            archive.extractall(folder, names)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ItmError(f"{file} is cut short or not a zip archive ({error}): delete it and get it again") from error
