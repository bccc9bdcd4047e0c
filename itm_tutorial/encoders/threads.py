"""How many threads torch may use here: as many as the machine lends to this process, and fewer while it is busy."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

CGROUP = Path("/sys/fs/cgroup")
BUSY_FOR = 0.2  # seconds for which the machine is watched before a thread is given up


def bound_cores() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_cores() -> int:
    """The cores that this process may use: those it may run on, and no more than a container's quota, rounded up."""
    return thread_count(bound_cores(), bound_cores(), cgroup_quota(), 0.0)


def cgroup_quota(root: Path = CGROUP) -> float | None:
    """The quota that a container sets on Linux, in cores (cgroup version 2, then version 1); None for no quota."""
    try:
        text = (root / "cpu.max").read_text(encoding="ascii").split()
        return None if text[0] == "max" else float(text[0]) / float(text[1])
    except (OSError, ValueError, IndexError, ZeroDivisionError):
        pass
    try:
        numbers = [
            float((root / "cpu" / f"cpu.cfs_{name}_us").read_text(encoding="ascii")) for name in ("quota", "period")
        ]
        return numbers[0] / numbers[1] if numbers[0] > 0 < numbers[1] else None
    except (OSError, ValueError):
        return None


def busy_cores() -> float:
    """How many of the cores that this process may run on others keep busy now; 0 where the system does not say.

    The load average of the last minute is asked first. It also counts this process and processes that have ended, so
    that a high one is checked by watching the cores for a fifth of a second, in which this process sleeps.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # Windows has none
    if load < 1:
        return 0.0
    import psutil

    try:
        each = psutil.cpu_percent(interval=BUSY_FOR, percpu=True)  # in percent, one number per core of the machine
    except (OSError, psutil.Error):
        return load
    ours = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(each))
    return min(load, sum(each[core] for core in ours if core < len(each)) / 100)


def thread_count(current: int, bound: int, quota: float | None, busy: float) -> int:
    """The threads that torch should use: as many as there are free cores, and never more than it uses now.

    Args:
        current: threads that torch uses now.
        bound: cores that this process may run on.
        quota: of a container, in cores; None where there is none.
        busy: cores, of those that this process may run on, that other processes use.

    Returns:
        A whole number, 1 or more; half a core or more counts as a free one.
    """
    free = math.floor(bound - busy + 0.5)
    return max(1, min(current, bound, free, bound if quota is None else math.ceil(quota)))


@cache  # one answer per process, so that runs within one process are equal bit for bit
def _chosen(current: int) -> int:
    bound, quota = bound_cores(), cgroup_quota()
    most = thread_count(current, bound, quota, 0.0)
    threads = thread_count(current, bound, quota, busy_cores()) if most > 1 else most
    if threads < most:
        print(
            f"torch uses {threads} of {most} threads in this process, because other processes keep the cores busy. "
            "Results may differ in the last digits; set OMP_NUM_THREADS to choose the number yourself",
            file=sys.stderr,
        )
    return threads


@contextmanager
def free_cores() -> Iterator[None]:
    """Lets torch use no more threads than there are free cores, and restores the number afterwards.

    With more threads than cores, every parallel loop waits for its last thread, which waits for a core: training can
    take ten times as long as with one thread. The number follows a container's quota and, while other processes keep
    cores busy, what they leave. It is chosen once per process, only ever lowered, and left alone where
    OMP_NUM_THREADS gives it. Sums of another number of threads differ in the last digits.
    """
    before = torch.get_num_threads()
    chosen = before if os.environ.get("OMP_NUM_THREADS") else _chosen(before)
    if chosen == before:
        yield
        return
    torch.set_num_threads(chosen)
    try:
        yield
    finally:
        torch.set_num_threads(before)
