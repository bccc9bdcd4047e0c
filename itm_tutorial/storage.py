"""The cache and file writing: a file or folder is complete or absent, even if many processes start at once."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itm_tutorial.errors import ItmError


def cache_dir() -> Path:
    """The folder for everything that can be computed again: ``ITM_CACHE``, or the system's cache folder."""
    chosen = os.environ.get("ITM_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("itm_tutorial", appauthor=False)


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
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_POLL = 0.01  # seconds between two looks at a lock that another process holds


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
        if number not in _REASONS:
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


def check_writable(folder: Path) -> None:
    """Makes a folder if it is missing and writes a byte there, so that an error comes before long work, not after.

    Raises:
        ItmError: the folder cannot be made or written to.
    """
    probe = folder / f".probe-{os.getpid()}"
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(b"x")
        finally:
            probe.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(path: Path, task: str) -> Iterator[bool]:
    """Holds the lock of a file or folder that is to be written: an empty file beside it, ``NAME.lock``.

    A process that has to wait for more than two seconds says so.

    Args:
        path: the file or folder; its parent must exist.
        task: what the holder does to it, for the message: "makes", "writes".

    Yields:
        Whether there is a lock: some network file systems have none.

    Raises:
        OSError: the lock's file cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o666)  # other users of a shared folder lock it too
    try:
        try:
            lock.acquire(timeout=2, poll_interval=_POLL)
        except Timeout:
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
        folder.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(folder, "makes") as locked:
            if folder.exists():
                return folder
            if locked:  # without a lock it may belong to a process that still works
                for left_behind in folder.parent.glob(f"{folder.name}.part-*"):  # of a run that was killed
                    shutil.rmtree(left_behind, ignore_errors=True)
            part = folder.with_name(f"{folder.name}.part-{secrets.token_hex(4)}")
            try:
                part.mkdir()
                build(part)
                _rename_unless_there(part, folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return folder


def _rename_unless_there(part: Path, folder: Path) -> None:
    try:
        part.rename(folder)
    except OSError:
        if not folder.exists():  # if it does, another process made it meanwhile, without a lock
            raise


def replace_folder(folder: Path, build: Callable[[Path], None], is_current: Callable[[Path], bool]) -> None:
    """Makes a folder, or makes it again if it is out of date; the old one stays until the new one is complete.

    Args:
        folder: the folder that must exist and be current in the end.
        build: fills the empty folder whose path it gets.
        is_current: whether an existing folder is up to date.

    Raises:
        ItmError: the disk is full or may not be written to.
    """
    if folder.exists() and is_current(folder):
        return
    old, new = folder.with_name(folder.name + ".old"), folder.with_name(folder.name + ".new")
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(folder, "makes"):
            if old.exists() and not folder.exists():  # a run was killed between the two renames below
                old.rename(folder)
            if folder.exists() and is_current(folder):
                return
            if new.exists() and not is_current(new):
                shutil.rmtree(new)
            prepare_folder(new, build)
            shutil.rmtree(old, ignore_errors=True)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Writes JSON; a reader sees the old file or the new one, never a part."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a text; a reader sees the old file or the new one, never a part."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part-{os.getpid()}")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Turns errors of reading a file into an ``ItmError`` of one sentence."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ItmError(
            f"{path} does not exist: check the folder's name, or delete {path.parent} and make it again"
        ) from error
    except OSError as error:
        raise ItmError(f"{path} cannot be read ({error}): it must be a file that you may read") from error


def read_json(path: Path, schema: Any = None) -> Any:
    """Reads a JSON file, and checks what it holds.

    Args:
        path: the file.
        schema: the type that the whole file must have, such as ``list[str]``, a ``TypedDict`` or anything else that
            pydantic knows; None accepts any JSON.

    Returns:
        The value as plain lists, dicts, texts and numbers.

    Raises:
        ItmError: the file is missing, not UTF-8, not JSON, or holds something else; the message names the place.
    """
    try:
        with _read_errors(path):
            value = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ItmError(f"{path} is not UTF-8 at byte {error.start}: make it again") from error
    except json.JSONDecodeError as error:
        raise ItmError(f"{path} line {error.lineno}: broken JSON ({error.msg}); delete it and make it again") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets without end
        raise ItmError(f"{path}: broken JSON ({str(error).partition(';')[0]}); delete it and make it again") from error
    return value if schema is None else checked(value, schema, f"{path}")


def checked(value: Any, schema: Any, where: str, remedy: str = "delete it and make it again") -> Any:
    """Checks that a value has a type, down to its innermost parts; nothing is converted but whole numbers to floats.

    Args:
        value: of any kind, such as parsed JSON.
        schema: as for ``read_json``.
        where: what is checked, for the message: a file, or a file and a line.
        remedy: what to do about it, the end of the message.

    Raises:
        ItmError: a part has another type or is missing; the message names the first such part.
    """
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter = TypeAdapter(schema, config=ConfigDict(strict=True))
    except PydanticUserError:  # a TypedDict or a dataclass may not get a configuration from outside
        adapter = TypeAdapter(schema)
    try:
        return adapter.validate_python(value, strict=True)
    except (ValidationError, RecursionError) as error:
        if isinstance(error, RecursionError):
            raise ItmError(f"{where}: its lists are nested too deep; {remedy}") from error
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        part = "".join(f"[{key!r}]" for key in first["loc"])
        shown = part if len(part) <= 80 else f"{part[:80]}..."
        raise ItmError(f"{where}{': ' + shown if shown else ''}: {_lower(first['msg'])}; {remedy}") from error


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def write_tensors(path: Path, tensors: dict) -> None:
    """Writes named tensors as safetensors; the file is complete or absent.

    Args:
        path: the file; its folder is made if missing.
        tensors: name -> tensor on any device.
    """
    from safetensors.torch import save_file

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part-{os.getpid()}")
        try:
            part.touch()
            mode = part.stat().st_mode  # the user's usual mode; safetensors would let only the user read the file
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, part)
            part.chmod(mode)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def read_tensors(path: Path) -> dict:
    """Reads what ``write_tensors`` wrote (memory-mapped: pages are loaded when they are used).

    Raises:
        ItmError: the file is missing, cut short or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with _read_errors(path):
            return load_file(path)
    except SafetensorError as error:
        raise ItmError(f"{path} is cut short or damaged ({error}): delete {path.parent} and make it again") from error
