"""Runs a function in a forked process: quick, since the parent has imported everything, and free to be killed."""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from typing import Any

FORK = multiprocessing.get_context("fork")


class Child:
    """A forked process that sends back what a function returns.

    Args:
        function: what it runs.
        arguments: of the function.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any):
        self.receiver, sender = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=_run, args=(sender, function, arguments))
        self.begun = time.monotonic()
        self.process.start()
        sender.close()

    def kill(self) -> bool:
        """Kills it -> whether it was still running."""
        running = self.process.is_alive()
        self.process.kill()
        self.process.join()
        return running

    def result(self, patience: float) -> tuple[str, Any, float]:
        """How it ended ("returned", "raised", "hung" or "died"), the value, text or exit code, and the seconds."""
        if not self.receiver.poll(patience):
            self.kill()
            return "hung", None, time.monotonic() - self.begun
        try:
            kind, value, seconds = self.receiver.recv()
        except EOFError:
            self.process.join()
            return "died", self.process.exitcode, time.monotonic() - self.begun
        self.process.join()
        return kind, value, seconds


def _run(sender, function: Callable[..., Any], arguments: tuple) -> None:
    begun = time.monotonic()
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    try:
        answer = ("returned", function(*arguments))
    except BaseException:  # noqa: BLE001, what it is goes into the table
        answer = ("raised", traceback.format_exc(limit=-3))
    sender.send((*answer, time.monotonic() - begun))


def run(function: Callable[..., Any], *arguments: Any, patience: float = 600) -> Any:
    """Runs a function in a process of its own -> what it returns.

    Raises:
        RuntimeError: it raised, died or did not end in time.
    """
    kind, value, _ = Child(function, *arguments).result(patience)
    if kind != "returned":
        raise RuntimeError(f"{kind}: {value}")
    return value
