"""How long a running notebook is waited for: as long as its kernel computes or writes, however slow the machine is.

No limit on the time of a cell fits every machine: a cell of ten seconds takes minutes where ten processes share a
core. A kernel that computes uses a core's time at any load; one that hangs uses none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

SILENCE = 600.0  # seconds in which a kernel neither computes nor writes, after which it is ended
COMPUTES = 0.005  # seconds of a core per second: ten times what a sleeping kernel uses; who waits for a lock uses more
LOOK = 1.0  # seconds between two looks
NO_LIMIT = 10**7  # seconds, where a library wants a number


class Pulse:
    """Says for how long a process and its children have shown no sign of life.

    Signs are a message (``beat``), a wait for a disk, and time on a core: ``COMPUTES`` of the time since the last sign.

    Attributes:
        silent: seconds since the last sign. Time in which nobody looked, such as that of a suspended laptop, does not
            count.
    """

    def __init__(self) -> None:
        self.silent = 0.0
        self._spent, self._looked = None, time.monotonic()

    def beat(self) -> None:
        """Notes a sign of life."""
        self.silent, self._spent = 0.0, None

    def look(self, pid: int | None) -> float:
        """Looks at a process.

        Args:
            pid: of the kernel; None while there is none.

        Returns:
            The seconds of silence.
        """
        now = time.monotonic()
        self.silent += min(now - self._looked, 2 * LOOK)
        self._looked = now
        spent, waits = _spent_by(pid)
        if waits or self._spent is None or spent < self._spent:  # less: a child has ended
            if waits or self._spent is not None:
                self.silent = 0.0
            self._spent = spent
        elif spent - self._spent > COMPUTES * max(self.silent, 10 * LOOK):
            self.silent, self._spent = 0.0, spent
        return self.silent


def _spent_by(pid: int | None) -> tuple[float, bool]:
    """Seconds on a core of a process and its children, and whether one of them waits for a disk."""
    import psutil

    spent, waits = 0.0, False
    with suppress(psutil.Error, TypeError):
        process = psutil.Process(pid) if pid is not None else None
        for one in [process, *process.children(recursive=True)] if process is not None else ():
            with suppress(psutil.Error):
                times = one.cpu_times()
                spent += times.user + times.system
                spent += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                waits = waits or one.status() == psutil.STATUS_DISK_SLEEP
    return spent, waits


class Watch:
    """A thread that looks at a kernel every second, and ends it after ``limit`` seconds of silence.

    Attributes:
        ended: whether it has ended the kernel.
    """

    def __init__(self, pid: Callable[[], int | None], limit: float, tick: Callable[[], None] = lambda: None) -> None:
        """
        Args:
            pid: gives the process of the kernel, or None while there is none.
            limit: seconds of silence.
            tick: is called after every look, such as to show the time.
        """
        self._pid, self._limit, self._tick = pid, limit, tick
        self.pulse, self.ended, self._stop = Pulse(), False, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(min(LOOK, self._limit)):
            pid = self._pid()
            if self.pulse.look(pid) > self._limit and pid is not None:
                self.ended = True
                end(pid)
                return
            self._tick()


class Watched:
    """For a client of nbclient, before the client's own class: messages of the kernel are signs of life.

    Attributes:
        watch: the thread that looks at the kernel; to be set before the client executes.
    """

    watch: Watch | None = None

    def process_message(self, *arguments, **options):
        self.watch.pulse.beat()
        return super().process_message(*arguments, **options)


LIMITS = {"timeout": None, "startup_timeout": NO_LIMIT, "iopub_timeout": NO_LIMIT}  # of nbclient, which has its own
QUIET = ["--log-level=ERROR"]  # arguments of a kernel, which otherwise warns about its TCP ports


def kernel_of(client) -> int | None:
    """The process of a client's kernel, if it has started."""
    return getattr(getattr(client.km, "provisioner", None), "pid", None)


def end(pid: int) -> None:
    """Ends a process and its children at once."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                one.kill()


def lasting(seconds: float) -> str:
    """A duration for people: "45 s", "3:20 min" or "1:05 h"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02} min" if whole < 3600 else f"{whole // 3600}:{whole % 3600 // 60:02} h"
