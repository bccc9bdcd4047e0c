"""Many learners at once: so many kernels run one notebook at the same time, each as JupyterLab would.

    python benchmarks/thirty_kernels.py                                  # 30 times chapter 00 at its smallest size
    python benchmarks/thirty_kernels.py 4 notebooks/03_scan.ipynb mini   # four learners in chapter 03

Prints the seconds until the first and until the last has finished, the memory that they took, and what failed. Memory
is the proportional set size (PSS): what processes share, such as torch's libraries, counts once for all of them.
"""

import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from itm_tutorial.course.preparation import prepare_course
from itm_tutorial.course.running import execute
from itm_tutorial.encoders.cores import THREADS, usable_cores
from itm_tutorial.errors import ItmError

CHAPTER = Path(__file__).parents[1] / "notebooks" / "00_start_here.ipynb"
LOOK = 0.5  # seconds between two measurements of memory


class Memory:
    """The most memory, in bytes, that all kernels took together and that one of them took."""

    def __init__(self) -> None:
        self.together, self.largest, self._stop = 0, 0, threading.Event()

    def watch(self) -> None:
        """Measures until ``stop``."""
        while not self._stop.wait(LOOK):
            each = [_taken(process) for process in psutil.Process().children(recursive=True)]
            self.together, self.largest = max(self.together, sum(each)), max(self.largest, *each, 0)

    def stop(self) -> None:
        self._stop.set()


def _taken(process: psutil.Process) -> int:
    """The PSS of a process, in bytes; where the system has none, what it shares with nobody."""
    with suppress(psutil.Error):
        full = process.memory_full_info()
        return getattr(full, "pss", full.uss)
    return 0


def measure(n: int, notebook: Path, size: str) -> tuple[list[float], list[str], Memory]:
    """Runs a notebook in n kernels at once.

    Args:
        n: kernels.
        notebook: the file.
        size: "tiny" sets ITM_FAST=1.

    Returns:
        The seconds of each, from the common start to its end, what failed, and the memory.
    """
    environment = {"ITM_FAST": "1" if size == "tiny" else "0", "ITM_PROGRESS": "0"}
    if n > usable_cores():
        environment |= dict.fromkeys(THREADS, "1")  # as docs/class.md says for a shared server
    memory, start = Memory(), time.perf_counter()
    watching = threading.Thread(target=memory.watch, daemon=True)
    watching.start()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(n) as kernels:

        def run(k: int) -> tuple[float, str]:
            result = execute(notebook, Path(folder) / f"{k}.ipynb", environment=environment)
            return time.perf_counter() - start, result

        ended = list(kernels.map(run, range(n)))
    memory.stop()
    watching.join()
    return [seconds for seconds, _ in ended], [result for _, result in ended if result != "ok"], memory


def main() -> None:
    given = sys.argv[1:]
    n, notebook, size = int(given[0]) if given else 30, Path(given[1]) if given[1:] else CHAPTER, "tiny"
    size = given[2] if given[2:] else size
    try:
        prepare_course(size)
    except ItmError as error:
        sys.exit(f"{error}")
    seconds, failed, memory = measure(n, notebook.resolve(), size)
    print(
        f"{n} kernels, {notebook.name} at size {size}, {usable_cores()} cores: the first ended after "
        f"{min(seconds):.0f} s, the last after {max(seconds):.0f} s; {len(failed)} failed"
    )
    print(
        f"memory: {memory.together / 2**30:.1f} GiB together, {memory.largest / 2**30:.2f} GiB for the largest kernel"
    )
    for result in dict.fromkeys(failed):
        print(result)


if __name__ == "__main__":
    main()
