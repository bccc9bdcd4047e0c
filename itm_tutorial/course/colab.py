"""The course on a machine that comes with torch, such as Colab: installs what is missing and changes nothing else.

Only Python's own library is imported here: this module runs before anything else of the course can.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from itm_tutorial.errors import ItmError

COURSE = "itm-tutorial"
HEAVY = ("torch", "torchvision")  # they belong together, and are installed together or not at all
_KEPT = re.compile(r"^(torch|nvidia|triton|numpy)")  # what an installation must not exchange
_CELL = """\
# @title Install the course where it is missing, as on Colab. The torch that is there stays as it is.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("itm_tutorial") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", {requirement!r}], check=True)
    importlib.invalidate_caches()
    from itm_tutorial.course.colab import install_missing

    install_missing()"""


def bootstrap(repository: str) -> str:
    """The code of the cell that installs the course.

    Args:
        repository: the address of the repository, or a folder or wheel on this machine.

    Returns:
        The source of a cell. It does nothing where the course is installed.
    """
    return _CELL.format(requirement=f"git+{repository}" if "://" in repository else repository)


def install_missing() -> list[str]:
    """Installs the packages that the course needs and that are missing; torch keeps its version.

    Returns:
        The names of the packages that were missing.

    Raises:
        ItmError: torch is there without torchvision, pip fails, or torch was exchanged.
    """
    before = _installed()
    missing = [name for name in _required() if _plain(name) not in before]
    if "torch" in before and "torchvision" in missing:
        raise ItmError(
            f"torch {before['torch']} is installed without torchvision: install the torchvision that belongs to it, "
            "then run the cell again"
        )
    if missing:
        _pip(missing, {name: version for name, version in before.items() if _KEPT.match(name)})
    importlib.invalidate_caches()
    after = _installed()
    changed = [name for name in HEAVY if name in before and after.get(name) != before[name]]
    if changed:
        raise ItmError(f"pip exchanged {', '.join(changed)}: restart with a fresh machine and report it")
    return missing


def _required() -> list[str]:
    """The names of the packages that the course needs, without those of its extras."""
    lines = metadata.requires(COURSE) or []
    return [re.match(r"[\w.-]+", line)[0] for line in lines if "extra ==" not in line]


def _installed() -> dict[str, str]:
    """Name -> version of every package that is there."""
    found = ((package.metadata["Name"], package.version) for package in metadata.distributions())
    return {_plain(name): version for name, version in found if name}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(names: list[str], kept: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in kept.items()), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *names]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise ItmError(f"pip could not install {', '.join(names)} ({last}): check the network, then try again")
