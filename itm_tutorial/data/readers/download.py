"""Published archives: downloaded from the first mirror that works, and checked; nothing is fetched twice.

We ask with the standard library. Of the usual ones, ``pooch`` knows neither a second mirror nor how to go on with half
a file, and the retries of ``urllib3`` and ``requests`` end where the body begins; what a course needs most (a mirror
that is gone, a line that breaks at 12 of 13 GB, a server that drips) would be our own code with them, too.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from itm_tutorial.data.readers.archives import printable, unpack
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import notice, progress_wanted
from itm_tutorial.storage import disk_errors, write_text

__all__ = ["Archive", "Patience", "download", "unpack"]

CHUNK = 2**16  # bytes
LARGEST_HEADER = 2**20  # bytes of an answer before the file begins
LARGEST_FILE = 10**11  # bytes, of an archive whose size is not published
WORTH_IT = 2**20  # bytes; a mirror that brings so much before it breaks is asked again without end
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers of a server that may do better in a second


@dataclass(frozen=True)
class Archive:
    """One published file, most often a zip or tar archive.

    Attributes:
        name: the file's name.
        mirrors: its addresses, the best one first; none if a person has to get it with a browser.
        md5: its published checksum, in hexadecimal; empty where none is published.
        into: the subfolder into which its files are unpacked.
        sha256: the same, of another kind.
        n_bytes: its published size; None where none is.
        page: where a person finds it, if there is no mirror.
    """

    name: str
    mirrors: tuple[str, ...] = ()
    md5: str = ""
    into: str = "."
    sha256: str = ""
    n_bytes: int | None = None
    page: str = ""


@dataclass(frozen=True)
class Patience:
    """How long we put up with a slow or broken server, and the clock by which that is measured.

    Attributes:
        tries: answers in a row that break off before they brought a megabyte.
        seconds: of silence, and the time over which the speed is measured.
        bytes_per_second: the lowest speed; a gigabyte would take twelve days.
        pause: seconds before the second try; each further one waits twice as long.
        clock: the time in seconds.
        sleep: waits for so many seconds.
    """

    tries: int = 5
    seconds: float = 15
    bytes_per_second: int = 1000
    pause: float = 0.5
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


PATIENCE = Patience()


class _NotFetched(Exception):
    """One try at one mirror failed; the message says how.

    Attributes:
        again: whether another try may do better; None if that depends on whether this one brought anything.
    """

    def __init__(self, message: str, again: bool | None = None):
        super().__init__(printable(message))
        self.again = again


def download(archive: Archive, folder: Path, patience: Patience | None = None) -> Path:
    """Downloads an archive; an incomplete download is kept as ``NAME.part``, and a later run continues it.

    A file that is there already is checked like one that comes from the network, and replaced if it is wrong. Where no
    checksum is published, the size is checked if it is known, and ``NAME.sha256`` records which file came.

    Args:
        archive: what to download.
        folder: where to keep it; it must exist, and only one process may download into it at a time.
        patience: with slow and broken servers; None for the usual one.

    Returns:
        The complete file, with a correct checksum if one is published.

    Raises:
        ItmError: no mirror gave the correct file, a person has to get it, or the disk is full.
    """
    whole, part = folder / archive.name, folder / f"{archive.name}.part"
    if whole.is_dir() or part.is_dir():
        raise ItmError(f"{whole if whole.is_dir() else part} is a folder, where a file belongs: remove it")
    if whole.exists():
        wrong = _wrong(whole, archive)
        if not wrong:
            return _recorded(whole, archive)
        print(f"{whole} is not the published file ({wrong}): it is replaced once the right one is here")
    if not archive.mirrors:
        raise ItmError(
            f"{archive.name} has to be got with a browser: take it from {archive.page}, put it into {folder} "
            "and run this again, or unpack it yourself and give the folder with --from DIR"
        )
    if part.is_symlink() and (part.is_file() or not part.exists()):  # never ours: we would write into the file it names
        part.unlink()
    failures = []
    for url in archive.mirrors:
        print(
            f"downloading {archive.name} from {printable(url)}"
            if not failures
            else f"{failures[-1]}: asking {printable(url)}"
        )
        try:
            _fetch_checked(url, part, archive, patience or PATIENCE)
        except _NotFetched as error:
            failures.append(f"{printable(url) or 'an empty address'} ({error})")
        else:
            with disk_errors(part):
                part.replace(whole)
                _record_of(whole).unlink(missing_ok=True)
            return _recorded(whole, archive)
    kept = _size(part) and _is_published(archive)
    told = f"; the {_size(part):,} bytes that came are kept, and the next run goes on from there" if kept else ""
    raise ItmError(
        f"cannot download {archive.name} from {' or from '.join(failures)}: check the network and try again{told}, "
        "or get the published files by hand and give their folder with --from DIR"
    )


def _is_published(archive: Archive) -> bool:
    return bool(archive.md5 or archive.sha256)


def _wrong(file: Path, archive: Archive) -> str:
    """What tells a complete file from the published one; empty if nothing does."""
    size = _size(file)
    if archive.n_bytes is not None and size != archive.n_bytes:
        return f"it has {size:,} bytes, not {archive.n_bytes:,}"
    for kind, published in (("sha256", archive.sha256 or _recorded_hash(file, archive)), ("md5", archive.md5)):
        if published:
            if size > 10**9:
                notice(f"checking {file.name}")
            found = _hash(file, kind)
            label = {"sha256": "SHA-256", "md5": "MD5"}[kind]
            return "" if found == published else f"its {label} checksum is {found}, not {published}"
    return ""


def _hash(file: Path, kind: str) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, kind).hexdigest()
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): remove it, or make it readable") from error


def _record_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _recorded_hash(file: Path, archive: Archive) -> str:
    """The hash of the file that came before; empty for what a person brings, who may bring another one."""
    record = _record_of(file)
    text = record.read_bytes()[:64].decode("ascii", "replace") if archive.mirrors and record.is_file() else ""
    return text if re.fullmatch("[0-9a-f]{64}", text) else ""


def _recorded(whole: Path, archive: Archive) -> Path:
    """Writes down which file came, where nobody published which one should."""
    if not (_is_published(archive) or (archive.mirrors and _record_of(whole).exists())):
        found = _hash(whole, "sha256")
        write_text(_record_of(whole), f"{found}  {whole.name}\n")
        print(f"no checksum is published for {whole.name}: its {_size(whole):,} bytes have the SHA-256 {found}")
    return whole


def _fetch_checked(url: str, part: Path, archive: Archive, patience: Patience) -> None:
    """Downloads the rest of ``part`` and checks the file; if an earlier part does not fit, it starts again, once."""
    if not _is_published(archive):
        part.unlink(missing_ok=True)  # nothing would tell whether it belongs to the file that the mirror has today
    begun = _size(part) > 0
    _fetch(url, part, archive, patience)
    wrong = _wrong(part, archive)
    if not wrong:
        return
    part.unlink()
    if not begun:
        raise _NotFetched(f"{wrong}: damaged, or another edition")
    _fetch_checked(url, part, archive, patience)


def _fetch(url: str, part: Path, archive: Archive, patience: Patience) -> None:
    """Tries again after a broken connection, at growing intervals, as long as the server gives hope."""
    opener, tries, most, proven = _opener(patience), 0, _size(part), False
    while True:
        try:
            return _read_on(opener, url, part, archive, patience)
        except _NotFetched as error:
            gained = _size(part) - most  # since the best try: a server that cannot go on begins anew each time
            most = max(most, _size(part))
            tries = 1 if gained >= WORTH_IT else tries + 1
            proven = proven or gained >= WORTH_IT  # it can do it, so our own network may be what is away
            if gained < WORTH_IT and (error.again is False or (error.again is None and gained <= 0 and not proven)):
                raise
            if tries >= patience.tries:
                raise _NotFetched(f"{error}, the {tries} times that we asked") from error
            failed = str(error)
        wait = patience.pause * 2 ** (tries - 1)
        notice(f"{printable(url)}: {failed}; asking again in {wait:g} seconds")
        patience.sleep(wait)


def _read_on(opener: urllib.request.OpenerDirector, url: str, part: Path, archive: Archive, patience: Patience) -> None:
    """Appends what follows the first bytes to ``part``; starts again if the server cannot do that."""
    start = _size(part)
    if start and start == archive.n_bytes:  # all of it came, and the run ended before its checksum was read
        return
    headers = {"User-Agent": "itm-tutorial", "Range": f"bytes={start}-"} if start else {"User-Agent": "itm-tutorial"}
    try:
        answer = opener.open(urllib.request.Request(url, headers=headers), timeout=patience.seconds)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # nothing follows; the checksum shows whether the file is complete
            return
        raise _NotFetched(f"{error.code} {error.reason}", again=error.code in BUSY) from error
    except urllib.error.URLError as error:
        raise _NotFetched(str(error.reason)) from error
    except (_NotFetched, ItmError):
        raise
    except Exception as error:  # an answer that is none makes urllib raise errors that have no common base
        raise _NotFetched(str(error) or type(error).__name__) from error
    with answer:
        if answer.status not in (200, 206):
            raise _NotFetched(f"{answer.status} {answer.reason}")
        if answer.status == 206 and _begins_at(answer.headers["Content-Range"]) not in (start, None):
            part.unlink(missing_ok=True)
            raise _NotFetched("it sends another part of the file than we asked for", again=True)
        start = start if answer.status == 206 else 0
        length = _length(answer.headers["Content-Length"])
        total = archive.n_bytes if length is None else start + length
        if archive.n_bytes is not None and total != archive.n_bytes:
            raise _NotFetched(f"it has {total:,} bytes, not {archive.n_bytes:,}: another edition", again=False)
        _write(answer, part, start, total)
    if total is not None and _size(part) < total:
        raise _NotFetched(f"cut short after {_size(part):,} of {total:,} bytes")


def _length(header: str | None) -> int | None:
    """A Content-Length; None if there is none, or one that is no number."""
    return int(header) if header and re.fullmatch("[0-9]{1,18}", header) else None


def _begins_at(header: str | None) -> int | None:
    match = re.match(r"\s*bytes\s+([0-9]{1,18})-", header or "")
    return int(match[1]) if match else None


def _write(answer: http.client.HTTPResponse, part: Path, start: int, total: int | None) -> None:
    from tqdm.auto import tqdm

    free = shutil.disk_usage(part.parent).free
    if total is not None and total - start > free:
        raise ItmError(
            f"{part.parent} has {free / 1e9:.1f} GB left, and {part.stem} needs {(total - start) / 1e9:.1f} GB more: "
            "free some space, or set ITM_CACHE to another folder"
        )
    left = (LARGEST_FILE if total is None else total) - start
    bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=part.stem, disable=not progress_wanted())
    with bar, _open(part, "ab" if start else "wb") as file:
        while chunk := _read(answer):
            left -= len(chunk)
            if left < 0:
                file.truncate(0)  # nothing of it can be right
                raise _NotFetched("it sends more bytes than the file has", again=False)
            with disk_errors(part):
                file.write(chunk)
            bar.update(len(chunk))
        with disk_errors(part):
            file.flush()
            os.fsync(file.fileno())


def _open(part: Path, mode: str) -> io.BufferedIOBase:
    with disk_errors(part):
        return part.open(mode)


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read1(CHUNK)  # what has come, however little; ``read`` would wait for all of it
    except TimeoutError as error:
        raise _NotFetched("it fell silent", again=False) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NotFetched(str(error) or type(error).__name__) from error


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


class _Watched(io.RawIOBase):
    """The bytes of an answer as they come: too few in a time, or too many before the file begins, end the try.

    The time-out of a socket begins anew with each byte, so it does not end an answer that drips.
    """

    def __init__(self, raw: io.RawIOBase, patience: Patience):
        self.raw, self.patience = raw, patience
        self.since, self.came, self.left = patience.clock(), 0, LARGEST_HEADER

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int | None:
        n_bytes = self.raw.readinto(buffer)
        self.came += n_bytes or 0
        self.left -= n_bytes or 0
        if self.left < 0:
            raise _NotFetched("it sends headers without end", again=False)
        seconds = self.patience.clock() - self.since
        if n_bytes and seconds >= self.patience.seconds:
            if self.came < seconds * self.patience.bytes_per_second:
                raise _NotFetched(
                    f"it is too slow: {self.came:,} bytes in {seconds:.0f} seconds, "
                    f"under {self.patience.bytes_per_second:,} per second",
                    again=False,
                )
            self.since, self.came = self.patience.clock(), 0
        return n_bytes

    def close(self) -> None:
        self.raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose bytes are watched from the first one on."""

    def __init__(self, patience: Patience, sock, **options):
        super().__init__(sock, **options)
        self.fp = io.BufferedReader(_Watched(self.fp.detach(), patience))

    def begin(self) -> None:
        super().begin()
        if self.fp is not None and self.status in (200, 206):  # urllib reads the other ones, into memory
            watched = self.fp.raw
            watched.left, watched.since, watched.came = 2 * LARGEST_FILE, watched.patience.clock(), 0


def _opener(patience: Patience) -> urllib.request.OpenerDirector:
    """Opens http and https addresses alone: not those of files, which ``urlopen`` reads too."""

    def watched(kind: type[http.client.HTTPConnection], host: str, **options) -> http.client.HTTPConnection:
        connection = kind(host, **options)
        connection.response_class = partial(_Answer, patience)
        return connection

    class Http(urllib.request.HTTPHandler):
        def http_open(self, request):
            return self.do_open(partial(watched, http.client.HTTPConnection), request)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, request):
            return self.do_open(partial(watched, http.client.HTTPSConnection), request)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        Http,
        Https,
        urllib.request.UnknownHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener
