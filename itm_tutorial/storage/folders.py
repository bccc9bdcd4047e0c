"""Folders that are complete or absent, even if many processes make them at once and some are killed."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from itm_tutorial.storage.disk import disk_errors, flush, flush_tree, make_folder

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_POLL = 0.01  # seconds between two looks at a lock that another process holds


@contextmanager
def one_at_a_time(path: Path, task: str, patience: float | None = None) -> Iterator[bool]:
    """Holds the lock of a file or folder that is to be written: an empty file beside it, ``NAME.lock``.

    A process that has to wait for more than two seconds says so.

    Args:
        path: the file or folder; its parent must exist.
        task: what the holder does to it, for the message: "makes", "writes".
        patience: seconds to wait, silently, before going on without the lock; None waits for ever.

    Yields:
        Whether the lock is held: some network file systems have none.

    Raises:
        OSError: the lock's file cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o666)  # other users of a shared folder lock it too
    try:
        try:
            lock.acquire(timeout=2 if patience is None else patience, poll_interval=_POLL)
        except Timeout as timeout:
            if patience is not None:
                raise NotImplementedError from timeout
            print(f"waiting for another process that {task} {path}", file=sys.stderr)
            lock.acquire(poll_interval=_POLL)
    except (OSError, NotImplementedError) as error:
        if getattr(error, "errno", errno.ENOSYS) not in _NO_LOCKS:
            raise
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def prepare_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """Makes a folder unless it exists: fills a temporary folder beside it, then renames that one.

    A second process that asks at the same time waits for the first. Where the file system has no locks, both build
    and the first to finish wins. If ``build`` fails or is killed, ``folder`` does not exist afterwards.

    Args:
        folder: the folder that must exist in the end.
        build: fills the empty folder whose path it gets.

    Returns:
        ``folder``.

    Raises:
        ItmError: the disk is full or may not be written to.
    """
    with disk_errors(folder):
        if folder.exists():  # first, so that a read-only cache works
            return folder
        make_folder(folder.parent)
        with one_at_a_time(folder, "makes") as locked:
            if folder.exists():
                return folder
            if locked:  # without a lock it may belong to a process that still works
                for left_behind in folder.parent.glob(f"{glob.escape(folder.name)}.part-*"):  # of a run that was killed
                    shutil.rmtree(left_behind, ignore_errors=True)
            part = folder.with_name(f"{folder.name}.part-{secrets.token_hex(8)}")
            try:
                part.mkdir()
                build(part)
                flush_tree(part)
                _rename_unless_there(part, folder)
                flush(folder.parent)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return folder


def _rename_unless_there(part: Path, folder: Path) -> None:
    try:
        part.rename(folder)
    except OSError:
        if not folder.exists():  # if it does, another process made it meanwhile, without a lock
            raise


def replace_folder(folder: Path, build: Callable[[Path], None], is_current: Callable[[Path], bool]) -> Path:
    """Makes a folder, or makes it again if it is out of date; the old one stays until the new one is complete.

    Where the system can exchange two folders in one step, ``folder`` is there at every moment. Elsewhere it has another
    name for an instant: a reader asks ``whole_folder`` for it.

    Args:
        folder: the folder that must exist and be current in the end.
        build: fills the empty folder whose path it gets.
        is_current: whether an existing folder is up to date.

    Returns:
        ``folder``.

    Raises:
        ItmError: the disk is full or may not be written to.
    """
    new, old = _beside(folder)
    left = (new.exists() or old.exists()) and os.access(folder.parent, os.W_OK)  # by a run that was killed
    if folder.exists() and is_current(folder) and not left:
        return folder
    with disk_errors(folder):
        make_folder(folder.parent)
        with one_at_a_time(folder, "makes"):
            if not folder.exists() and whole_folder(folder) != folder:  # a run was killed between the two renames below
                whole_folder(folder).rename(folder)
            if not (folder.exists() and is_current(folder)):
                if new.exists() and not is_current(new):
                    shutil.rmtree(new)
                prepare_folder(new, build)
                shutil.rmtree(old, ignore_errors=True)
                if not (folder.exists() and _exchange(new, folder)):
                    if folder.exists():
                        folder.rename(old)
                    new.rename(folder)
                flush(folder.parent)
            for left_behind in (new, old):
                shutil.rmtree(left_behind, ignore_errors=True)
    return folder


def whole_folder(folder: Path) -> Path:
    """Where a reader finds what ``replace_folder`` made, also if a run was killed while it replaced the folder.

    Returns:
        ``folder``, or the complete new or old one that has not got this name yet; ``folder`` if there is none.
    """
    return next((one for one in (folder, *_beside(folder)) if one.exists()), folder)


def _beside(folder: Path) -> tuple[Path, Path]:
    """The names of the new folder, before it is in place, and of the old one, after."""
    return folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")


def _exchange(a: Path, b: Path) -> bool:
    """Exchanges the names of two folders in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)  # of the C library; Python has no name for it
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return renameat2 is not None and renameat2(here, os.fsencode(a), here, os.fsencode(b), exchange) == 0
