"""``itm doctor``: checks for common problems of an installation and suggests fixes. Works without torch."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from itm_tutorial.encoders.cores import cgroup_quota, group_files, load_average, usable_cores
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import cache_dir, check_writable

MEMORY_NEEDED, DISK_NEEDED = 3.0, 2.0  # GiB; a mini chapter takes about half of either
PATIENCE = 120  # seconds to wait for torch or a driver
PYTHON_NAMES = ("python", "python3", f"python3.{sys.version_info[1]}")  # Jupyter replaces these by its own interpreter
SEAT = 1.5  # GiB: the most that a kernel of chapter 04 took at size mini; see docs/class.md
CROWDED = 1.5  # times as many processes as cores, from which on a run takes clearly longer
TRY_TORCH = """
import torch, torchvision
torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
print("they fit")
if torch.cuda.is_available():
    print(torch.cuda.get_device_name())
    torch.ones(1, device="cuda").sum().item()
    print("it runs")
elif torch.version.cuda is None and torch.version.hip is None:
    print("CPU build")
"""


@dataclass(frozen=True)
class Finding:
    """One check: whether it passed, and what to do if not."""

    what: str
    ok: bool
    advice: str = ""

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'MEND'}  {self.what}" + (f": {self.advice}" if self.advice else "")


def examine() -> list[Finding]:
    """Runs all checks; a failed check is a finding, not an error."""
    return [_python(), *_torch(), _kernel(), _cache(), _processor(), _memory()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        f"Python {version}", sys.version_info >= (3, 11), "" if sys.version_info >= (3, 11) else "install 3.11 or newer"
    )


def _answer(*command: str) -> tuple[int, list[str], str]:
    """Runs a command -> its exit status, the lines of its output, and the last line of its error output."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return 1, [], f"no answer in {PATIENCE} seconds"
    complaint = run.stderr.strip() or f"it ended with status {run.returncode} and no message"
    return run.returncode, run.stdout.splitlines(), complaint.splitlines()[-1]


def _torch() -> list[Finding]:
    """Checks torch and torchvision in another process, since a failed import cannot be repeated; then the GPU."""
    status, lines, complaint = _answer(sys.executable, "-c", TRY_TORCH)
    if "they fit" in lines:
        return [Finding("torch and torchvision fit together", True), _gpu(status, lines, complaint)]
    if "torchvision::nms" in complaint or "custom C++ ops" in complaint:
        return [
            Finding(
                "torch and torchvision come from different builds",
                False,
                "reinstall both from one index: "
                "pip install --force-reinstall --constraint constraints.txt torch torchvision",
            )
        ]
    return [
        Finding(
            f"torch and torchvision cannot be imported ({complaint})",
            False,
            "in the course's folder, pip install --constraint constraints.txt -e .",
        )
    ]


def _gpu(status: int, lines: list[str], complaint: str) -> Finding:
    printed = lines[lines.index("they fit") + 1 :]
    if "it runs" in printed:
        return Finding(f"GPU: {printed[0]}", True)
    if printed and printed != ["CPU build"]:
        return Finding(
            f"the GPU ({printed[0]}) cannot be used ({complaint})",
            False,
            "reinstall torch for a CUDA version that the card and its driver support; until then, use device='cpu'",
        )
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return Finding("no GPU, since CUDA_VISIBLE_DEVICES hides it", True)
    if not _has_card():
        return Finding("no GPU", True, "all chapters run on the CPU at their default size")
    if printed:
        return Finding(
            "there is a GPU, but this torch is built for the CPU only",
            False,
            "reinstall torch and torchvision from the default index",
        )
    reason = f" ({complaint})" if status else ""
    return Finding(
        f"there is a GPU, but torch cannot use it{reason}",
        False,
        "update its driver, or reinstall torch for the driver's CUDA version (nvidia-smi shows it)",
    )


def _has_card() -> bool:
    if shutil.which("nvidia-smi") is None:
        return False
    status, lines, _ = _answer("nvidia-smi", "-L")
    return status == 0 and any(line.startswith("GPU") for line in lines)


def _kernel() -> Finding:
    if importlib.util.find_spec("jupyter_client") is None:
        return Finding("Jupyter is not installed", False, "in the course's folder, pip install -e '.[lab]'")
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        starts = manager.get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding("no Jupyter kernel named python3", False, f"{sys.executable} -m pip install ipykernel")
    except Exception as error:  # a kernel.json may be broken in any way
        starts, broken = None, f"is broken ({type(error).__name__})"
    if starts is not None:
        if _is_this_python(starts):
            return Finding("Jupyter kernel python3", True)
        exists = shutil.which(starts) is not None
        broken = f"starts {starts}, " + (f"not {sys.executable}" if exists else "which does not exist")
    return Finding(
        f"Jupyter kernel python3 {broken}",
        False,
        f"delete {manager.find_kernel_specs()['python3']}, then "
        f"{sys.executable} -m ipykernel install --sys-prefix --name python3",
    )


def _is_this_python(starts: str) -> bool:
    """Whether a kernel's command is the current interpreter, or a link to it in the same folder."""
    if starts in PYTHON_NAMES:
        return True
    file, here = Path(starts), Path(sys.executable)
    return file.exists() and file.samefile(here) and file.parent.samefile(here.parent)


def _cache() -> Finding:
    folder = cache_dir()
    try:
        check_writable(folder)
        free = shutil.disk_usage(folder).free / 2**30
    except (ItmError, OSError) as error:
        return Finding("cache folder", False, str(error))
    advice = (
        ""
        if free >= DISK_NEEDED
        else f"{DISK_NEEDED:.0f} GiB are needed: free some space, or set ITM_CACHE to another folder"
    )
    return Finding(f"cache folder {folder}, {free:.1f} GiB free", free >= DISK_NEEDED, advice)


def _processor() -> Finding:
    """The cores that this process may use, and how many others want them; a busy machine is slow, and not at fault."""
    cores, quota, machine, load = usable_cores(), cgroup_quota(), os.cpu_count() or 1, load_average()
    about = [f"{cores} of the machine's {machine} cores"] if cores < machine else [f"{cores} cores"]
    if quota is not None:
        about.append(f"a quota of {quota:.1f}")
    about.append(f"load {load:.1f}")
    waiting = load / machine
    advice = ""
    if waiting > CROWDED:
        advice = (
            f"{load:.0f} processes share the machine's {machine} cores, so that a run takes up to {waiting:.0f} times "
            "as long; the course then uses one thread per process"
        )
    elif cores < machine and not os.environ.get("OMP_NUM_THREADS"):
        advice = f"start JupyterLab with OMP_NUM_THREADS={cores}, so that numpy takes no more threads either"
    return Finding(", ".join(about), True, advice)


def _memory() -> Finding:
    import psutil

    available, limit = psutil.virtual_memory().available, _container_limit()
    free = min(available, limit) / 2**30
    where = "this container may use" if limit < available else "free"
    what = f"{free:.1f} GiB of memory {where}"
    if free < MEMORY_NEEDED:
        remedy = "give it more" if limit < available else "close other programs"
        return Finding(what, False, f"{MEMORY_NEEDED:.0f} GiB are needed: {remedy}")
    seats = int(free / SEAT)
    return Finding(what, True, f"enough for {seats} notebooks at once, one per learner, of {SEAT} GiB each")


def _container_limit() -> float:
    """The memory limit of this container, or of a group around this process, in bytes; infinite if there is none."""
    limits = [math.inf]
    for file in group_files("memory.max", "memory", "memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # no such file, or "max"
            limits.append(int(file.read_text(encoding="ascii")))
    return min(limits)
