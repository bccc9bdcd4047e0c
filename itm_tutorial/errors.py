"""The package's one error type, warnings that come once, and text that is safe to print."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from typing import Any

_WARNED: set[str] = set()  # what ``warn_once`` has said in this process
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]  # of the terminal, escape sequences among them
_DIRECTIONS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]  # they reverse the order of the text behind them
_LINES = [0x2028, 0x2029]
_SURROGATES = range(0xD800, 0xE000)  # halves of characters, which no encoding can write
_ESCAPES = {
    **{code: f"\\x{code:02x}" for code in _CONTROLS},
    **{code: f"\\u{code:04x}" for code in (*_DIRECTIONS, *_LINES, *_SURROGATES)},
    **{ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"},
}


class ItmError(Exception):
    """An error that the user can fix: the message says what went wrong, where, and what to do."""


def unknown(what: str, name: object, known: Iterable[str]) -> ItmError:
    """Builds the error for an unknown name; the message suggests the nearest known names.

    Args:
        what: the kind of thing that has the name ("corpus", "model"), for the message.
        name: the unknown name.
        known: every valid name.

    Returns:
        The ``ItmError``; the caller raises it.
    """
    names = sorted(known)
    near = difflib.get_close_matches(shown(name).strip("'"), names, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else f"choose one of {_listed(names)}"
    return ItmError(f"unknown {what} {shown(name)}: {remedy}")


def _listed(names: list[str], length: int = 700) -> str:
    """All names, or as many as fit and how many there are."""
    text = ", ".join(names)
    if len(text) <= length:
        return text
    return f"{text[:length].rpartition(', ')[0]} ... ({len(names)} in all: `itm list` prints them)"


def shown(value: object, length: int = 80) -> str:
    """A value as a message shows it: as Python writes it, in one line, and cut if it is long.

    Args:
        value: of any kind.
        length: letters at most.
    """
    try:
        text = " ".join(repr(value).split())  # an array has several lines
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists in lists without end
        text = f"a {type(value).__name__} that is too long to be shown"
    if len(text) <= length:
        return text
    return f"{text[:length]}..." + (f" ({len(value):,} characters)" if isinstance(value, str) else "")


def refuse_options(name: str, options: dict[str, Any], why: str = "only drawn worlds have settings") -> None:
    """Refuses options that nobody reads.

    Args:
        name: what they were given to, for the message.
        options: name -> value; none is fine.
        why: the reason, or what may be given instead.

    Raises:
        ItmError: there is an option; the message names the first.
    """
    if options:
        raise ItmError(f"{name} takes no option {next(iter(options))!r}: {why}")


def warn_once(message: str, about: str | None = None) -> None:
    """Warns, but says the same thing only once in a process.

    Args:
        message: what is wrong, where, and what follows from it.
        about: what decides whether it was said before; by default the message itself.
    """
    if (about or message) not in _WARNED:
        _WARNED.add(about or message)
        warnings.warn(message, stacklevel=2)


def visible(text: str, keep: str = "") -> str:
    """Text in which nothing moves the cursor, colours a terminal or reverses the order: such characters are escaped.

    Args:
        text: a caption, a file name, or another text that somebody else wrote.
        keep: characters that stay as they are, such as a line break.

    Returns:
        The text, with escapes as Python writes them: an escape character is shown as \\x1b.
    """
    if text.isprintable():
        return text
    escapes = {code: escape for code, escape in _ESCAPES.items() if chr(code) not in keep} if keep else _ESCAPES
    return text.translate(escapes)
