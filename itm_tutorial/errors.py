"""The one error type of the package, and the one way to say "did you mean"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ItmError(Exception):
    """Something the user can mend: the message says what was wrong, where, and what to do."""


def unknown(what: str, name: str, known: Iterable[str]) -> ItmError:
    """Builds the error for a name that is not in a list, with the nearest names that are.

    Args:
        what: the sort of thing named, as it stands in a sentence ("corpus", "model").
        name: what was asked for.
        known: every name that would have been right.

    Returns:
        An ``ItmError`` to raise.
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else f"choose one of {', '.join(names)}"
    return ItmError(f"unknown {what} {name!r}: {remedy}")
