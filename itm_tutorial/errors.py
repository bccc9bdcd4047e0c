"""The package's one error type, and the message for unknown names ("did you mean ...?")."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


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
    remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else f"choose one of {', '.join(names)}"
    return ItmError(f"unknown {what} {shown(name)}: {remedy}")


def shown(value: object, length: int = 80) -> str:
    """A value as a message shows it: as Python writes it, cut to some letters.

    Args:
        value: of any kind.
        length: letters at most.
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists in lists without end
        text = f"a {type(value).__name__} that is too long to be shown"
    return text if len(text) <= length else f"{text[:length]}..."


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
