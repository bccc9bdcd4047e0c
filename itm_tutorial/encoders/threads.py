"""How many threads torch may use here: as many as the machine lends to this process, and fewer while it is busy."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from itm_tutorial.encoders.cores import bound_cores, busy_cores, cgroup_quota, thread_count


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


def follow_quota() -> None:
    """Lowers torch's threads to a container's quota for the whole process, unless OMP_NUM_THREADS gives their number.

    torch takes one thread per core of the machine, although the container may use fewer: all of its threads then stop
    together once the quota of a tenth of a second is used up.
    """
    if not os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(thread_count(torch.get_num_threads(), bound_cores(), cgroup_quota(), 0.0))


follow_quota()  # when a process first loads a part of the course that computes
