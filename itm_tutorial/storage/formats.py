"""JSON, text and tensors on disk: written whole, and checked when they are read."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from itm_tutorial.errors import ItmError
from itm_tutorial.storage.disk import whole_file

MAKE_AGAIN = "delete it and make it again"


def write_json(path: Path, value: Any) -> None:
    """Writes JSON; a reader sees the old file or the new one, never a part.

    Raises:
        ItmError: the value is no plain data, the disk is full or may not be written to.
    """
    write_text(path, _json(path, value) + "\n")


def _json(path: Path, value: Any) -> str:
    try:
        text = json.dumps(value, indent=1, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:  # half a character, such as in a damaged file name: JSON can write its number
        return json.dumps(value, indent=1)
    except (TypeError, ValueError, RecursionError) as error:
        raise ItmError(f"{path} cannot hold this ({error}): give texts, numbers, lists and dictionaries") from error
    return text


def write_text(path: Path, text: str) -> None:
    """Writes a text; a reader sees the old file or the new one, never a part. Half characters are written by number."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal.

    Raises:
        ItmError: the file is missing or cannot be read.
    """
    with _read_errors(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _read_errors(path: Path, remedy: str = MAKE_AGAIN) -> Iterator[None]:
    """Turns errors of reading a file into an ``ItmError`` of one sentence."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        if remedy == MAKE_AGAIN:
            remedy = f"delete {path.parent} and make it again"
        raise ItmError(f"{path} does not exist: check the folder's name, or {remedy}") from error
    except OSError as error:
        raise ItmError(f"{path} cannot be read ({error}): it must be a file that you may read") from error


def read_json(path: Path, schema: Any = None, remedy: str = MAKE_AGAIN) -> Any:
    """Reads a JSON file, and checks what it holds.

    Args:
        path: the file; it may begin with the mark (BOM) that Windows editors add.
        schema: the type that the whole file must have, such as ``list[str]``, a ``TypedDict`` or anything else that
            pydantic knows; None accepts any JSON.
        remedy: what to do about a damaged file, the end of the message.

    Returns:
        The value as plain lists, dicts, texts and numbers.

    Raises:
        ItmError: the file is missing, not UTF-8, not JSON, or holds something else; the message names the place.
    """
    try:
        value = json.loads(_read_text(path, remedy))
    except json.JSONDecodeError as error:
        raise ItmError(f"{path} line {error.lineno}: broken JSON ({error.msg}); {remedy}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets without end
        raise ItmError(f"{path}: broken JSON ({str(error).partition(';')[0]}); {remedy}") from error
    return value if schema is None else checked(value, schema, f"{path}", remedy)


def read_toml(path: Path, schema: Any = None, remedy: str = "correct it") -> dict[str, Any]:
    """Reads a TOML file, and checks what it holds.

    Args:
        path, schema, remedy: as for ``read_json``.

    Raises:
        ItmError: the file is missing, not UTF-8, not TOML, or holds something else; the message names the place.
    """
    try:
        value = tomllib.loads(_read_text(path, remedy))
    except (ValueError, RecursionError) as error:  # with ValueError its own error, which names line and column
        raise ItmError(f"{path} is no valid TOML ({str(error).partition(';')[0]}); {remedy}") from error
    return value if schema is None else checked(value, schema, f"{path}", remedy)


def _read_text(path: Path, remedy: str) -> str:
    try:
        with _read_errors(path, remedy):
            return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ItmError(f"{path} is not UTF-8 at byte {error.start}: {remedy}") from error


def checked(value: Any, schema: Any, where: str, remedy: str = MAKE_AGAIN) -> Any:
    """Checks that a value has a type, down to its innermost parts; nothing is converted but whole numbers to floats.

    Args:
        value: of any kind, such as parsed JSON.
        schema: as for ``read_json``.
        where: what is checked, for the message: a file, or a file and a line.
        remedy: what to do about it, the end of the message.

    Returns:
        The value; keys that a ``TypedDict`` does not name are left out.

    Raises:
        ItmError: a part has another type or is missing; the message names the first such part.
    """
    found = _validated(value, schema)
    if isinstance(found, _Fault):
        raise ItmError(f"{where}: {found}; {remedy}")
    return found


class _Fault(str):
    """What is wrong with a value."""


def fault_in(value: Any, schema: Any) -> str:
    """What is wrong with a value, such as "['scores'][0]: input should be a valid number"; an empty text if nothing is.

    Args:
        value, schema: as for ``checked``.
    """
    found = _validated(value, schema)
    return str(found) if isinstance(found, _Fault) else ""


def _validated(value: Any, schema: Any) -> Any:
    """The value as the schema has it, or a ``_Fault``."""
    from pydantic import ValidationError

    try:
        return _adapter(schema).validate_python(value, strict=True)
    except RecursionError:
        return _Fault("its lists are nested too deep")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        part = "".join(f"[{_shortened(key)!r}]" for key in first["loc"])
        lacking = f" (lacks {_shortened(first['loc'][-1])!r})" if first["type"] == "missing" else ""
        return _Fault(f"{_shortened(part)}{': ' if part else ''}{_lower(first['msg'])}{lacking}")


@cache
def _adapter(schema: Any):
    """Pydantic's check of a type; it takes a while to make, and a leaderboard has many lines."""
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter

    try:
        return TypeAdapter(schema, config=ConfigDict(strict=True))
    except PydanticUserError:  # a TypedDict or a dataclass may not get a configuration from outside
        return TypeAdapter(schema)


def _shortened(text: Any) -> Any:
    return f"{text[:80]}..." if isinstance(text, str) and len(text) > 80 else text


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def write_tensors(path: Path, tensors: dict) -> None:
    """Writes named tensors as safetensors; the file is complete or absent.

    Args:
        path: the file; its folder is made if missing.
        tensors: name -> tensor on any device.
    """
    from safetensors.torch import save_file

    with whole_file(path) as part:
        mode = part.stat().st_mode  # the user's usual mode; safetensors would let only the user read the file
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, part)
        part.chmod(mode)


def read_tensors(path: Path, holding: Mapping[str, Sequence[str | int | None]] | None = None) -> dict:
    """Reads what ``write_tensors`` wrote (memory-mapped: pages are loaded when they are used).

    Args:
        path: the file.
        holding: what it must hold: name -> dtype and shape, such as ("torch.float32", 100, None); None fits any size.

    Returns:
        Name -> tensor on the CPU.

    Raises:
        ItmError: the file is missing, cut short or damaged, or does not hold what it must.
    """
    from safetensors.torch import load_file

    try:
        with _read_errors(path):
            tensors = load_file(path)
    except ItmError:
        raise
    except Exception as error:  # the library raises its own error, or whatever torch makes of a damaged header
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ItmError(f"{path} is cut short or damaged ({reason}): delete {path.parent} and make it again") from error
    for name, wanted in (holding or {}).items():
        found = () if name not in tensors else (str(tensors[name].dtype), *tensors[name].shape)
        pairs = zip(wanted, found, strict=False)
        if len(found) != len(wanted) or any(size not in (None, there) for size, there in pairs):
            shown = " ".join("any" if size is None else str(size) for size in wanted)
            there = " ".join(map(str, found)) or "absent"
            raise ItmError(f"{path}: {name} must be {shown} and is {there}: delete {path.parent} and make it again")
    return tensors
