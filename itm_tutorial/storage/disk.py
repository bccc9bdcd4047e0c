"""Where files go, and how they get there: whole and on the disk, or not at all; what the disk refuses, in words."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from itm_tutorial.errors import ItmError


def cache_dir() -> Path:
    """The folder for everything that can be computed again: ``ITM_CACHE``, or the system's cache folder.

    Raises:
        ItmError: ``ITM_CACHE`` begins with the home folder of a user who does not exist.
    """
    chosen = os.environ.get("ITM_CACHE")
    if chosen:
        return user_path(chosen, "ITM_CACHE")
    from platformdirs import user_cache_path

    return user_cache_path("itm_tutorial", appauthor=False)


def user_path(path: str | Path, what: str) -> Path:
    """A path as a person writes it, with ``~`` and ``~name`` replaced by home folders.

    Args:
        path: of a file or folder.
        what: the argument or variable that it comes from, for the message.

    Raises:
        ItmError: the path is empty or impossible, or nobody has this name.
    """
    if not str(path) or "\0" in str(path):
        raise ItmError(f"{what} is {str(path)!r}: write the path of a file or folder")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # no such user, or a user without a home
        raise ItmError(f"{what} is {str(path)!r}, but no home folder is known for it: write the whole path") from error


_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EROFS: "the folder is read-only",
    errno.EACCES: "the folder may not be written to",
    errno.EPERM: "the folder may not be written to",
    errno.ENOTDIR: "a part of the path is a file",
    errno.EEXIST: "a part of the path is a file",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "the disk failed",
    errno.ENOENT: "the folder cannot be made there, or was removed",
    errno.ELOOP: "its links lead round in a circle",
    errno.EFBIG: "the file is too large for this disk",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
MANY = 100  # files; the disk takes more of them faster all at once than one by one


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns errors of the disk into an ``ItmError`` of one sentence with a remedy.

    Args:
        path: the file or folder that is being written, for the message.

    Raises:
        ItmError: the disk is full, the folder cannot be written to, or a part of the path is a file.
    """
    try:
        yield
    except ItmError:  # it has a message already
        raise
    except Exception as error:
        number = _error_number(error)
        if number not in _REASONS or (number == errno.ENOENT and not _is_about(error, path)):
            raise
        elsewhere = "set ITM_CACHE to another folder" if path.is_relative_to(cache_dir()) else "choose another place"
        remedy = f"free some space, or {elsewhere}" if number in _FULL else elsewhere
        raise ItmError(f"cannot write {path}: {_REASONS[number]}; {remedy}") from error


def _error_number(error: Exception) -> int | None:
    """The system's error number; safetensors, which does its own writing, gives it only in the message."""
    if isinstance(error, OSError):
        return error.errno
    match = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(match[1]), "", None, int(match[1])).errno if match else None  # Windows has its own numbers


def _is_about(error: Exception, path: Path) -> bool:
    """Whether an error names a path, a folder above it, or a temporary one beside it."""
    if not isinstance(getattr(error, "filename", None), str | os.PathLike):
        return False
    named = Path(error.filename)
    return path.is_relative_to(named) or (named.parent == path.parent and named.name.startswith(path.name))


def check_writable(folder: Path) -> None:
    """Makes a folder if it is missing and writes a byte there, so that an error comes before long work, not after.

    Raises:
        ItmError: the folder cannot be made or written to.
    """
    with disk_errors(folder):
        make_folder(folder)
        probe = _new_file(folder / ".probe")
        try:
            probe.write_bytes(b"x")
        finally:
            probe.unlink(missing_ok=True)


def make_folder(folder: Path) -> Path:
    """Makes a folder and those above it that are missing; where the folder above is shared by a group, so are they.

    Returns:
        ``folder``.

    Raises:
        OSError: it cannot be made.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in reversed(missing):
        _share(one)
    return folder


def _share(path: Path) -> None:
    """Lets the group write what was just made, where the group may write the folder above: a class shares a cache.

    Without this a umask of 022, the usual one, leaves a shared cache to which nobody can add but its first user.
    """
    if os.name == "nt":
        return
    above, own = path.parent.stat(), path.lstat()
    if stat.S_ISLNK(own.st_mode) or not above.st_mode & stat.S_IWGRP or above.st_gid != own.st_gid:
        return
    of_folder = 0o070 | (above.st_mode & stat.S_ISGID)  # new files there keep the group
    wanted = stat.S_IMODE(own.st_mode) | (of_folder if stat.S_ISDIR(own.st_mode) else 0o060)
    if wanted != stat.S_IMODE(own.st_mode):
        with suppress(PermissionError):  # another user made it
            path.chmod(wanted)


def _new_file(path: Path) -> Path:
    """Makes an empty file beside a path, under a name that nobody can guess; a link that lies there is not followed."""
    part = path.with_name(f"{path.name}.part-{secrets.token_hex(8)}")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o666))
    return part


def flush(path: Path) -> None:
    """Waits until a file, or the list of names in a folder, is on the disk, where it outlives a power cut."""
    if os.name == "nt" and path.is_dir():  # Windows cannot
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):  # file systems without it
            raise
    finally:
        os.close(handle)


def flush_tree(folder: Path) -> None:
    """``flush`` for all that a folder holds, shared with the group where the folder above is."""
    everything = [folder, *sorted(folder.rglob("*"))]
    for path in everything:
        _share(path)
    if len(everything) > MANY and hasattr(os, "sync"):
        os.sync()
        return
    for path in everything:
        if path.is_dir() or path.is_file():
            flush(path)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a new file to write to; once it is complete and on the disk, it takes the place of ``path`` in one step.

    Args:
        path: the file; its folder is made if missing.

    Yields:
        An empty file beside it. If the writing fails, it is removed and ``path`` stays as it was.

    Raises:
        ItmError: the disk is full or may not be written to.
    """
    with disk_errors(path):
        make_folder(path.parent)
        part = _new_file(path)
        try:
            yield part
            _share(part)
            flush(part)
            part.replace(path)
            flush(path.parent)
        finally:
            part.unlink(missing_ok=True)
