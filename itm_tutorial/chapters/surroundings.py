"""What a learner's function may change besides its inputs: random numbers, settings of torch, what is printed."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import torch


class Surroundings:
    """The state of a notebook that a function can change for everybody, as it is now."""

    def __init__(self) -> None:
        self._random = _random_states()
        self._dtype, self._gradients = torch.get_default_dtype(), torch.is_grad_enabled()
        self._folder = _folder()

    def restore(self) -> tuple[str, str]:
        """Puts everything back as it was.

        Returns:
            The first setting that had changed and what to do about it, after the function's name, and a note about
            random numbers that it drew; empty where nothing had changed.
        """
        changed, note = "", ""
        now = _random_states()
        for library, put_back in (("torch", torch.set_rng_state), ("numpy", np.random.set_state)):
            if not _equal(self._random[library], now[library]):
                put_back(self._random[library])
                note = f"uses {library}'s global random numbers"
        if self._random["random"] != now["random"]:
            random.setstate(self._random["random"])
            note = "uses Python's global random numbers"
        if torch.get_default_dtype() != self._dtype:
            torch.set_default_dtype(self._dtype)
            changed = "changes torch's default dtype for the whole notebook: give dtype= where you need it."
        if torch.is_grad_enabled() != self._gradients:
            torch.set_grad_enabled(self._gradients)
            changed = "switches gradients on or off for the whole notebook: use with torch.no_grad()."
        if _folder() != self._folder:
            os.chdir(self._folder)
            changed = "changes the folder that the notebook works in: leave out os.chdir."
        return changed, note


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed
        return ""


def _random_states() -> dict:
    return {"torch": torch.get_rng_state(), "numpy": np.random.get_state(), "random": random.getstate()}


def _equal(a, b) -> bool:
    """Whether two states of random numbers are the same; numpy's is a tuple with an array in it."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(_equal(one, other) for one, other in zip(a, b, strict=True))
    return a == b


class _Kept(io.StringIO):
    """Text that a learner's function printed, even where the function closes its output."""

    def close(self) -> None:
        """Does nothing: what was printed is still to be shown."""


@contextlib.contextmanager
def recorded() -> Iterator[io.StringIO]:
    """Keeps what is printed inside, and puts output, warnings, random numbers and settings back afterwards.

    Random numbers start from a seed, so that the same answer always gets the same verdict.
    """
    printed, output, errors = _Kept(), sys.stdout, sys.stderr
    surroundings = Surroundings()
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            yield printed
    finally:
        sys.stdout, sys.stderr = output, errors
        surroundings.restore()


def printable(text: str) -> str:
    """A text that every terminal shows as it is: without control characters and lone surrogates."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)
