"""Published archives: fetched from the first mirror that answers, checked, and unpacked inside one folder."""

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

SECONDS_OF_SILENCE = 30  # after which a mirror is given up
CHUNK = 2**16  # bytes


@dataclass(frozen=True)
class Archive:
    """One published zip archive.

    Attributes:
        name: the file's name.
        mirrors: where it is to be had, the best address first.
        md5: its published checksum, in hexadecimal.
        into: the folder that its files belong in, below the one that is unpacked into.
    """

    name: str
    mirrors: tuple[str, ...]
    md5: str
    into: str = "."


class _NotFetched(Exception):
    """One mirror failed; the message says how."""


def download(archive: Archive, folder: Path) -> Path:
    """Fetches an archive; what has arrived of it is kept as ``NAME.part`` and continued, also by a later run.

    Args:
        archive: what to fetch.
        folder: where to keep it; it must exist, and nobody else may download into it meanwhile.

    Returns:
        The whole file, whose checksum is right.

    Raises:
        ItmError: no mirror gave the right file, or the disk is full.
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
    """Fetches the rest of ``part`` and checks the whole; a beginning that does not fit is thrown away, once."""
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
    """Asks again after a cut connection for as long as each try brings something."""
    while True:
        before = _size(part)
        try:
            return _read_on(url, part, before)
        except _NotFetched:
            if _size(part) <= before:
                raise


def _read_on(url: str, part: Path, start: int) -> None:
    """Appends to ``part`` what follows its first ``start`` bytes, or begins anew where a server cannot do that."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_OF_SILENCE) as answer:
            start = start if answer.status == 206 else 0  # 206: from where we asked; 200: from the beginning
            length = answer.headers["Content-Length"]
            total = start + int(length) if length else None
            _write(answer, part, start, total)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # 416: nothing follows; the checksum tells whether we have it all
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
    """Unpacks a zip archive, checking each file's checksum; macOS's own additions are left out.

    Args:
        file: the archive.
        folder: where to unpack; made if missing. After an error it holds a part of the files: throw it away.

    Raises:
        ItmError: the archive is cut short, damaged or encrypted, or a name in it leads out of ``folder``; the
            disk is full.
    """
    try:
        with disk_errors(folder), zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
            for name in names:
                path = PureWindowsPath(name)  # knows both slashes, and drives
                if path.drive or path.root or ".." in path.parts:
                    raise ItmError(f"{file} holds {name!r}, which leads out of the folder: get it from elsewhere")
            archive.extractall(folder, names)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ItmError(f"{file} is cut short or no zip archive ({error}): delete it and get it again") from error
