"""Damages files at random but the same way every time: bytes, lines, and the values of JSON, TOML, safetensors and zip.

``damage(folder, names, rng)`` damages one to three places of the files and says what it did. The same ``rng`` and the
same files give the same damage.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, -1, 1.5, 3.0, 1e308, -1e308, float("nan"), float("inf"), 2**31 - 1, 2**31),
    *(-(2**31), 2**32, 2**63, 10**39, 10**400, -(10**400)),
    *(
        "",
        "x",
        "nan",
        "0",
        "\ud800",
        "\u202e\x00",
        "<pad>",
        "[PAD]",
        "x" * 10_000,
        "../../../x",
        "/",
        "a\nb",
        "\x1b[2J",
    ),
    *([], [1], [None], [[1, 1], [3]], ["<pad>"], {}, {"a": 1}, {"": None}, {"\ud800": 1}, [[[[]]]]),
)
_RAW = {  # JSON that json.dumps does not write
    "5000-digit integer": "1" * 5000,
    "a number with exponent 999": "1e999",
    "lists 100,000 deep": "[" * 100_000,
    "closed lists 100,000 deep": "[" * 100_000 + "]" * 100_000,
    "objects 100,000 deep": '{"a":' * 100_000,
    "lists 900 deep": "[" * 900 + "]" * 900,
    "a key twice": '{"a": 1, "a": 2}',
}
_PLACE = "@place for raw text@"
_TOML = (
    "nan",
    "inf",
    "-1",
    "0",
    "1e308",
    "true",
    "[]",
    "[1]",
    "[[1], [2]]",
    "[nan, 1]",
    "{}",
    "{ a = 1 }",
    "''",
    "'x'",
)
_TOML += ("1979-05-27", "07:32:00", "99999999999999999999", '"\\u0000"', '"../x"', '["a", 1]', "[[]]", "[[[]]]")
_WORDS = (
    b"",
    b"nan",
    b"inf",
    b"-1",
    b"0",
    b"1e999",
    b"9" * 400,
    b"\xff\xfe",
    b"\x00",
    b"2147483648",
    b"a b",
    b"\t",
    b"x" * 9999,
)
_INSERTED = (
    b"\x00",
    b"\r",
    b"\n",
    b"\r\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b'"',
    b"{",
    b"]",
    b",",
    b"A" * 12,
    b"0" * 12,
    b"\xed\xa0\x80",
    b"nan",
)


def damage(folder: Path, names: Sequence[str], rng: Random) -> str:
    """Damages files of a folder in place.

    Args:
        folder: a copy that may be damaged.
        names: the files to choose from, relative to the folder.
        rng: decides everything.

    Returns:
        What was done, such as "course.toml: deleted slice".
    """
    done = []
    for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3))):
        name = rng.choice(list(names))
        file = folder / name
        if not file.is_file():  # an earlier damage took it away
            continue
        if rng.random() < 0.04:
            done.append(f"{name}: {_whole_file(file, [folder / other for other in names], rng)}")
            continue
        data, what = mutated(name, file.read_bytes(), rng)
        file.write_bytes(data)
        done.append(f"{name}: {what}")
    return "; ".join(done)


def _whole_file(file: Path, others: list[Path], rng: Random) -> str:
    """Replaces a file by something else."""
    kind = rng.choice(("missing", "a folder", "a link to itself", "another file", "a link to nothing"))
    other = rng.choice(others)
    if kind == "another file" and other.is_file():
        if other != file:
            shutil.copyfile(other, file)
        return f"replaced by {other.name}"
    file.unlink()
    if kind == "a folder":
        file.mkdir()
    elif kind == "a link to itself":
        file.symlink_to(file.name)
    elif kind == "a link to nothing":
        file.symlink_to("nothing")
    return kind


def mutated(name: str, data: bytes, rng: Random) -> tuple[bytes, str]:
    """A damaged copy of a file.

    Args:
        name: of the file; its suffix decides which damages are tried beside those of bytes.
        data: the whole file.
        rng: decides everything.

    Returns:
        The damaged bytes, and what was done.
    """
    structured = _BY_SUFFIX.get(Path(name).suffix)
    if structured is not None and rng.random() < 0.65:
        try:
            return structured(data, rng)
        except Exception:  # an earlier damage left no structure to damage
            pass
    return mutated_bytes(data, rng)


def mutated_bytes(data: bytes, rng: Random) -> tuple[bytes, str]:
    """A copy with damaged bytes or lines."""
    size = len(data)
    at, length = rng.randrange(size + 1), rng.choice((1, 2, 4, 16, 200, max(1, size // 3)))
    kind = rng.choice(("flip", "flip", "flip", "delete", "duplicate", "insert", "truncate", "swap", "random", "lines"))
    if kind == "flip" and size:
        changed = bytearray(data)
        n = rng.choice((1, 1, 4, 40))
        for _ in range(n):
            # half of the flips near the beginning, where headers are
            place = rng.randrange(min(size, 64)) if rng.random() < 0.5 else rng.randrange(size)
            changed[place] ^= 1 << rng.randrange(8)
        return bytes(changed), f"flip {n} bits"
    if kind == "delete":
        return data[:at] + data[at + length :], "deleted slice"
    if kind == "duplicate":
        return data[: at + length] + data[at:], "duplicated slice"
    if kind == "insert":
        piece = rng.choice(_INSERTED) if rng.random() < 0.8 else rng.randbytes(length)
        return data[:at] + piece + data[at:], f"inserted {piece[:12]!r}"
    if kind == "truncate":
        return data[:at], "truncated"
    if kind == "swap":
        a, b = sorted((at, rng.randrange(size + 1)))
        return data[:a] + data[b : b + length] + data[a + length : b] + data[a : a + length] + data[
            b + length :
        ], "swapped"
    if kind == "random":
        how = rng.choice(("empty", "rubbish", "tail", "appended", "spaces", "utf-16", "head"))
        changed = {
            "empty": b"",
            "rubbish": rng.randbytes(rng.choice((1, 30, 3000))),
            "tail": data[:at] + rng.randbytes(max(0, size - at)),
            "appended": data + rng.randbytes(30),
            "spaces": b"\n \t\n",
            "utf-16": data.decode("latin-1").encode("utf-16"),
            "head": rng.randbytes(min(size, 16)) + data[16:],
        }[how]
        return changed, f"random bytes ({how})"
    return _lines(data, rng)


def _lines(data: bytes, rng: Random) -> tuple[bytes, str]:
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.choice(("deleted line", "swapped lines", "duplicated line", "lone CR", "token replaced", "emptied line"))
    if kind == "deleted line":
        del lines[a]
    elif kind == "swapped lines":
        lines[a], lines[b] = lines[b], lines[a]
    elif kind == "duplicated line":
        lines.insert(b, lines[a])
    elif kind == "lone CR":
        return data.replace(b"\n", b"\r", rng.choice((1, -1))), kind
    elif kind == "token replaced":
        tokens = re.split(rb"([ \t,;:=#]+)", lines[a])
        tokens[rng.randrange(len(tokens))] = word = rng.choice(_WORDS)
        lines[a] = b"".join(tokens)
        kind += f" by {word[:12]!r}"
    else:
        lines[a] = b""
    return b"\n".join(lines), kind


def mutated_json(data: bytes, rng: Random) -> tuple[bytes, str]:
    """A copy of a JSON file in which one value is deleted or replaced."""
    value, what = mutated_value(json.loads(data), rng)
    return _dumped(value), what


def _dumped(value: Any) -> bytes:
    text = json.dumps(value)
    for name, raw in _RAW.items():
        text = text.replace(f'"{_PLACE}{name}"', raw)
    return text.encode()


def mutated_value(value: Any, rng: Random) -> tuple[Any, str]:
    """A plain value with one part deleted or replaced.

    Args:
        value: parsed JSON; parts of it may be changed in place.
        rng: decides everything.

    Returns:
        The value, and what was done, such as "figures/0/seed='x'".
    """
    path: list[Any] = []
    here, holder = value, None
    while isinstance(here, dict | list) and here and rng.random() < 0.85:
        key = rng.choice(list(here) if isinstance(here, dict) else range(len(here)))
        path.append(key)
        holder, here = here, here[key]
    place = "/".join(str(key)[:40] for key in path) or "root"
    if holder is None:
        new, shown = _nasty(rng)
        return new, f"root={shown}"
    kind = rng.choice(("replace", "replace", "replace", "replace", "delete", "delete", "rename", "twice", "other"))
    if kind == "delete":
        del holder[path[-1]]
        return value, f"del {place}"
    if kind == "rename" and isinstance(holder, dict):
        new = rng.choice(("", "x", "\ud800", "x" * 5000, str(path[-1]).upper()))
        holder[new] = holder.pop(path[-1])
        return value, f"{place} renamed {new[:12]!r}"
    if kind == "twice" and isinstance(holder, list):
        holder.insert(path[-1], here)
        return value, f"{place} twice"
    if kind == "other":  # a value from elsewhere in the same container
        other = rng.choice(list(holder.values()) if isinstance(holder, dict) else holder)
        holder[path[-1]] = json.loads(json.dumps(other))
        return value, f"{place}=a neighbour"
    holder[path[-1]], shown = _nasty(rng)
    return value, f"{place}={shown}"


def _nasty(rng: Random) -> tuple[Any, str]:
    if rng.random() < 0.1:
        name = rng.choice(list(_RAW))
        return f"{_PLACE}{name}", name
    chosen = rng.choice(NASTY)
    shown = f"{len(str(chosen))} digits" if isinstance(chosen, int) and abs(chosen) > 1e30 else repr(chosen)[:24]
    return json.loads(json.dumps(chosen)), shown


def mutated_json_lines(data: bytes, rng: Random) -> tuple[bytes, str]:
    """A copy of a file with one JSON value a line, in which one line is damaged."""
    lines = data.split(b"\n")
    number = rng.choice([i for i, line in enumerate(lines) if line.strip()])
    lines[number], what = mutated_json(lines[number], rng)
    return b"\n".join(lines), f"line {number + 1} {what}"


def mutated_toml(data: bytes, rng: Random) -> tuple[bytes, str]:
    """A copy of a TOML file in which one value, or one key, is replaced."""
    lines = data.split(b"\n")
    number = rng.choice([i for i, line in enumerate(lines) if b"=" in line or line.startswith(b"[")])
    line = lines[number]
    if line.startswith(b"["):
        lines[number] = rng.choice((b"", line.strip(b"[]") + b" = 1", b"[" + line + b"]", line[1:-1], b"[x]", b"[[x]]"))
        return b"\n".join(lines), f"{line.decode()} -> {lines[number].decode()}"
    key = line.partition(b"=")[0].strip()
    if rng.random() < 0.15:
        lines[number] = line.replace(key, rng.choice((b"x", b'""', key + b".x")), 1)
        return b"\n".join(lines), f"{key.decode()} renamed"
    value = rng.choice(_TOML)
    lines[number] = key + b" = " + value.encode()
    return b"\n".join(lines), f"{key.decode()} = {value}"


def mutated_safetensors(data: bytes, rng: Random) -> tuple[bytes, str]:
    """A copy of a safetensors file with a damaged header, or with damaged numbers."""
    (size,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    kind = rng.choice(("header", "header", "header", "names", "dtype", "shape", "numbers", "length"))
    what = kind
    names = [name for name in header if name != "__metadata__"]
    name = rng.choice(names)
    if kind == "header":
        header, what = mutated_value(header, rng)
    elif kind == "names":
        header[rng.choice((name + "x", "", "\u202e", name.upper()))] = header.pop(name)
    elif kind == "dtype":
        header[name]["dtype"] = rng.choice(
            ("F16", "BF16", "F64", "I64", "I32", "U8", "BOOL", "U32", "U16", "F8_E4M3", "C64", "X")
        )
        what = f"dtype {header[name]['dtype']}"
    elif kind == "shape":
        shape = header[name]["shape"]
        header[name]["shape"] = rng.choice(
            (shape[::-1], [*shape, 1], [1, *shape], shape[:-1], [0], [2**40], [-1], shape * 2)
        )
        what = f"shape {header[name]['shape']}"
    elif kind == "numbers":
        changed = bytearray(body)
        for _ in range(rng.choice((1, 8))):
            place = rng.randrange(max(1, len(changed) - 4))
            changed[place : place + 4] = rng.choice(
                (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f", b"\x00" * 4)
            )
        body = bytes(changed[: len(body)])
    text = _dumped(header)
    length = rng.choice((0, 2**32, 2**63, len(text) + 1, len(data))) if kind == "length" else len(text)
    return struct.pack("<Q", length) + text + body, what


def mutated_zip(data: bytes, rng: Random) -> tuple[bytes, str]:
    """A copy of a zip archive, such as torch's weights, in which a member is damaged, lost, renamed or stored twice."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    number = rng.randrange(len(members))
    if rng.random() < 0.5:  # the pickle, where there is one
        number = next((i for i, (name, _) in enumerate(members) if name.endswith(".pkl")), number)
    name, content = members[number]
    kind = rng.choice(("damaged", "damaged", "damaged", "damaged", "lost", "renamed", "twice"))
    what = kind
    if kind == "damaged":
        members[number] = (name, mutated_bytes(content, rng)[0])
    elif kind == "lost":
        del members[number]
    elif kind == "renamed":
        members[number] = (rng.choice(("x", "../x", "/x", name.upper(), name + "/")), content)
    else:
        members.append((name, content[::-1]))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for one, inside in members:
            archive.writestr(zipfile.ZipInfo(one), inside)
    return packed.getvalue(), f"{name}: {what}"


_BY_SUFFIX: dict[str, Callable[[bytes, Random], tuple[bytes, str]]] = {
    ".json": mutated_json,
    ".ipynb": mutated_json,
    ".jsonl": mutated_json_lines,
    ".toml": mutated_toml,
    ".safetensors": mutated_safetensors,
    ".pth": mutated_zip,
    ".zip": mutated_zip,
    ".npz": mutated_zip,
}
