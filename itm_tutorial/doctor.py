"""``itm doctor``: what goes wrong most often on a new machine, and the one line that mends it. Needs no torch."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import cache_dir, disk_errors

MEMORY_NEEDED, DISK_NEEDED = 3.0, 2.0  # GiB; a mini chapter takes about half of either


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, and what to do if not."""

    what: str
    ok: bool
    advice: str = ""

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'MEND'}  {self.what}" + (f": {self.advice}" if self.advice else "")


def examine() -> list[Finding]:
    """Looks at everything; nothing it finds raises."""
    return [_python(), _torch(), _gpu(), _kernel(), _cache(), _memory()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        f"Python {version}", sys.version_info >= (3, 11), "" if sys.version_info >= (3, 11) else "install 3.11 or newer"
    )


def _torch() -> Finding:
    """Imports the pair apart from this process, since a broken pair cannot be imported twice."""
    run = subprocess.run([sys.executable, "-c", "import torch, torchvision"], capture_output=True, text=True)
    if run.returncode == 0:
        return Finding("torch and torchvision fit together", True)
    if "torchvision::nms" in run.stderr:
        return Finding(
            "torch and torchvision come from different builds",
            False,
            "reinstall both from one index: pip install --force-reinstall torch torchvision",
        )
    last = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else "no message"
    return Finding(f"torch cannot be imported ({last})", False, "pip install --constraint constraints.txt -e .")


def _gpu() -> Finding:
    code = (
        "import torch; has = torch.cuda.is_available(); "
        "print(torch.cuda.get_device_name() if has else ''); has and torch.ones(1, device='cuda')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if run.returncode == 0 and run.stdout.strip():
        return Finding(f"GPU: {run.stdout.strip()}", True)
    if shutil.which("nvidia-smi"):
        return Finding(
            "the GPU cannot be used", False, "update its driver, or reinstall torch for the driver's CUDA version"
        )
    return Finding("no GPU", True, "all chapters run on the CPU at their default size")


def _kernel() -> Finding:
    if importlib.util.find_spec("jupyter_client") is None:
        return Finding("Jupyter is not installed", False, "pip install -e '.[lab]'")
    kernels = importlib.import_module("jupyter_client.kernelspec").KernelSpecManager().find_kernel_specs()
    if "python3" in kernels:
        return Finding("Jupyter kernel python3", True)
    return Finding(
        "no Jupyter kernel named python3", False, f"{sys.executable} -m ipykernel install --sys-prefix --name python3"
    )


def _cache() -> Finding:
    folder = cache_dir()
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".doctor"
            probe.write_bytes(b"x")
            probe.unlink()
    except (ItmError, OSError) as error:
        return Finding("cache folder", False, str(error))
    free = shutil.disk_usage(folder).free / 2**30
    advice = (
        "" if free >= DISK_NEEDED else f"{DISK_NEEDED:.0f} GiB are needed: free some, or set ITM_CACHE to another disk"
    )
    return Finding(f"cache folder {folder}, {free:.0f} GiB free", free >= DISK_NEEDED, advice)


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available / 2**30
    advice = "" if free >= MEMORY_NEEDED else f"{MEMORY_NEEDED:.0f} GiB are needed: close other programs"
    return Finding(f"{free:.0f} GiB of memory free", free >= MEMORY_NEEDED, advice)
