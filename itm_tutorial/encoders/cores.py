"""The cores that this process may use: those of the machine, of a container's quota, and what others leave.

Without torch, so that ``itm doctor`` and ``itm course`` can ask before torch is loaded.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")  # the control groups of this process
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # read by torch, numpy and their libraries
BUSY_FOR = 0.2  # seconds for which the machine is watched before a thread is given up


def bound_cores() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_cores() -> int:
    """The cores that this process may use: those it may run on, and no more than a container's quota, rounded up."""
    return thread_count(bound_cores(), bound_cores(), cgroup_quota(), 0.0)


def group_files(name: str, controller: str, old_name: str) -> Iterator[Path]:
    """The files of one setting in the control groups of this process, from the innermost group to the outermost.

    A limit of any of them holds, so that all must be read. Inside most containers the group of the process is the root.

    Args:
        name: of the file in cgroup version 2, such as "cpu.max".
        controller: its controller in version 1, such as "cpu".
        old_name: of the file in version 1.

    Yields:
        Paths; a file need not exist.
    """
    try:
        lines = MEMBERSHIP.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    groups = [line.split(":", 2)[1:] for line in lines if line.count(":") >= 2]  # [controllers, path]
    new = [path for controllers, path in groups if not controllers]
    old = [path for controllers, path in groups if controller in controllers.split(",")]
    for mount, paths, file in ((CGROUP, new, name), (CGROUP / controller, old, old_name)):
        for path in dict.fromkeys([*paths, "/"]):
            inner = [part for part in path.split("/") if part not in ("", ".", "..")]
            for depth in range(len(inner), -1, -1):
                yield mount.joinpath(*inner[:depth], file)


def cgroup_quota() -> float | None:
    """The smallest quota that a container or a group around this process sets on Linux, in cores; None for no quota."""
    quotas = [quota for file in group_files("cpu.max", "cpu", "cpu.cfs_quota_us") if (quota := _quota(file))]
    return min(quotas, default=None)


def _quota(file: Path) -> float | None:
    """The quota that one file sets, in cores: version 2 has it and its period in one file, version 1 in two."""
    try:
        text = file.read_text(encoding="ascii").split()
        if file.name != "cpu.max":
            text.append(file.with_name("cpu.cfs_period_us").read_text(encoding="ascii"))
        quota, period = float(text[0]), float(text[1])
    except (OSError, ValueError, IndexError):  # no such file, or "max"
        return None
    return quota / period if quota > 0 < period else None


def busy_cores() -> float:
    """How many of the cores that this process may run on others keep busy now; 0 where the system does not say.

    The load average of the last minute is asked first. It also counts this process and processes that have ended, so
    that a high one is checked by watching the cores for a fifth of a second, in which this process sleeps.
    """
    load = load_average()
    if load < 1:
        return 0.0
    import psutil

    try:
        each = psutil.cpu_percent(interval=BUSY_FOR, percpu=True)  # in percent, one number per core of the machine
    except (OSError, psutil.Error):
        return load
    ours = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(each))
    return min(load, sum(each[core] for core in ours if core < len(each)) / 100)


def load_average() -> float:
    """The processes that computed or waited for a core, as a mean over the last minute; 0 where nothing says so."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # Windows has none


def thread_count(current: int, bound: int, quota: float | None, busy: float) -> int:
    """The threads to use: as many as there are free cores, and never more than are used now.

    Args:
        current: threads that are used now.
        bound: cores that this process may run on.
        quota: of a container, in cores; None where there is none.
        busy: cores, of those that this process may run on, that other processes use.

    Returns:
        A whole number, 1 or more; half a core or more counts as a free one.
    """
    free = math.floor(bound - busy + 0.5)
    return max(1, min(current, bound, free, bound if quota is None else math.ceil(quota)))


def thread_settings() -> dict[str, str]:
    """The environment variables that give a process which is to be started no more threads than there are free cores.

    torch and numpy take one thread per core of the *machine* unless these are set. They are read when a process loads
    its libraries, so that only a new process can be given them.

    Returns:
        Empty where OMP_NUM_THREADS is set already, or where all cores of the machine are free for the process.
    """
    if os.environ.get("OMP_NUM_THREADS"):
        return {}
    threads = thread_count(bound_cores(), bound_cores(), cgroup_quota(), busy_cores())
    if threads >= (os.cpu_count() or 1):
        return {}
    return {name: str(threads) for name in THREADS}
