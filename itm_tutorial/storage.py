"""Where the package keeps things, and how: whole or not at all, also when thirty people start at once."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itm_tutorial.errors import ItmError


def cache_dir() -> Path:
    """The folder for everything that can be made again: ``ITM_CACHE``, or the system's own place for caches."""
    chosen = os.environ.get("ITM_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("itm_tutorial", appauthor=False)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns what a disk may answer into one sentence with a remedy.

    Args:
        path: the file or folder that is being written, for the message.

    Raises:
        ItmError: the disk is full, the folder read-only or not ours.
    """
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full: free some space",
            errno.EDQUOT: "your disk quota is used up: free some space",
            errno.EROFS: "the folder is read-only: choose another one",
            errno.EACCES: "the folder may not be written to: choose another one",
            errno.EPERM: "the folder may not be written to: choose another one",
            errno.ENOTDIR: "a part of the path is a file: choose another folder",
        }
        if error.errno not in reasons:
            raise
        raise ItmError(f"cannot write {path}: {reasons[error.errno]} (or set ITM_CACHE to another folder)") from error


def prepare_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """Makes a folder once, whoever asks first: built aside, then renamed into place.

    A second process that asks meanwhile waits and then finds it. If ``build`` fails or is killed, ``folder``
    does not exist afterwards.

    Args:
        folder: the folder that must exist in the end.
        build: fills the empty folder that it is given.

    Returns:
        ``folder``.

    Raises:
        ItmError: the disk is full or may not be written to.
    """
    if folder.exists():
        return folder
    from filelock import FileLock

    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            if folder.exists():
                return folder
            for left_behind in folder.parent.glob(f"{folder.name}.part-*"):  # by a run that was killed
                shutil.rmtree(left_behind, ignore_errors=True)
            part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.part-", dir=folder.parent))
            try:
                build(part)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return folder


def write_json(path: Path, value: Any) -> None:
    """Writes JSON so that a reader sees the old file or the new one, never half of it."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part-{os.getpid()}")
        try:
            part.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Reads JSON, or says which file is missing or broken and where.

    Raises:
        ItmError: no such file, no UTF-8, or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ItmError(f"{path} does not exist: check the folder's name") from error
    except UnicodeDecodeError as error:
        raise ItmError(f"{path} is not UTF-8 at byte {error.start}: make it again") from error
    except json.JSONDecodeError as error:
        raise ItmError(f"{path} line {error.lineno}: broken JSON ({error.msg}); delete it and make it again") from error


def write_tensors(path: Path, tensors: dict) -> None:
    """Writes named tensors as safetensors: the whole file, or none.

    Args:
        path: the file, whose folder is made if missing.
        tensors: name -> tensor on any device.
    """
    from safetensors.torch import save_file

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part-{os.getpid()}")
        try:
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def read_tensors(path: Path) -> dict:
    """Reads what ``write_tensors`` wrote (memory-mapped: pages are loaded when they are used).

    Raises:
        ItmError: no such file, or a file that is cut short or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise ItmError(f"{path} does not exist: check the folder's name") from error
    except SafetensorError as error:
        raise ItmError(f"{path} is cut short or damaged ({error}): delete it and make it again") from error
