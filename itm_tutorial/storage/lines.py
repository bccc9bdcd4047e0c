"""Files that grow by lines: many processes append at once, and a line is there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from itm_tutorial.storage.disk import disk_errors
from itm_tutorial.storage.folders import one_at_a_time


def append_lines(file: Path, lines: list[str], patience: float | None = None) -> None:
    """Appends all the lines or none: one write under a lock, flushed to disk before it returns.

    Args:
        file: made if missing, with its folder.
        lines: without line breaks.
        patience: seconds to wait for a process that holds the lock, before it is written without; None waits for ever.

    Raises:
        ItmError: the disk is full, or the file may not be written to.
    """
    text = "".join(line + "\n" for line in lines).encode()
    with disk_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(file.resolve(), "writes", patience):  # resolved: one lock for all paths to the file
            _write_at_the_end(text, file)


def _write_at_the_end(text: bytes, file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        if size:  # a writer that was killed may have left half a line: it must not take ours with it
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":
                text = b"\n" + text
        if os.write(descriptor, text) < len(text):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
