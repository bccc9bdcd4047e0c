"""Lets the disk run full at many moments, and looks at what is left. Needs root, for a small file system in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from forked import Child
from forked import run as in_child
from kills import PATIENCE, leftovers, state, undisturbed
from operations import OPERATIONS, attempt

TITLE = "A disk that runs full"
PAGE = 4096  # bytes in which such a file system counts


def add_arguments(parser) -> None:
    parser.add_argument("--moments", type=int, default=10, help="how many sizes of the disk are tried per operation")


def run(moments: int = 10, **_) -> dict:
    """Operation -> what happened on disks that are too small, or the reason why nothing was tried."""
    if reason := _no_small_disks():
        return {"not tried": reason}
    return {name: _starved(name, moments) for name in OPERATIONS}


def passed(found: dict) -> bool:
    return not any(row["wrong"] for row in found.values() if isinstance(row, dict))


def section(found: dict) -> str:
    if "not tried" in found:
        return f"Not tried here: {found['not tried']}."
    lines = [
        "Each operation runs on a file system that is too small for it, of as many sizes as the table says. It must "
        "end with one sentence that names the file and the remedy. What is there afterwards must be the old state, the "
        "new one or nothing; once there is room, the operation must work.",
        "",
        "| operation | disks | refused in one sentence | done all the same | left absent | left old | wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        lines.append(
            f"| {name} | {row['disks']} | {row['refused']} | {row['done']} | {row['absent']} | {row['old']} "
            f"| {len(row['wrong'])} |"
        )
    wrong = [f"- {name}: {text}" for name, row in found.items() for text in row["wrong"]]
    return "\n".join([*lines, *(["", *wrong] if wrong else [])])


def _no_small_disks() -> str:
    folder = Path(tempfile.mkdtemp(prefix="itm-faults-"))
    try:
        _mount(folder, PAGE)
        _unmount(folder)
    except (OSError, subprocess.CalledProcessError):
        return "a small file system can only be made by root on Linux"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ""


def _mount(folder: Path, size: int, again: bool = False) -> None:
    options = f"{'remount,' if again else ''}size={size}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def _starved(name: str, moments: int) -> dict:
    undisturbed(name)
    folder = Path(tempfile.mkdtemp(prefix="itm-faults-"))
    os.environ["ITM_CACHE"] = str(folder / "cache")
    counts, wrong = Counter(), []
    for moment in range(moments):
        _mount(folder, 2**30)
        try:
            in_child(OPERATIONS[name].setup, folder)
            before = _used(folder)
            if not moment:  # the first time there is room: how much is needed
                in_child(attempt, OPERATIONS[name], folder)
                needed = _used(folder) - before
                continue
            _mount(folder, before + max(PAGE, needed * (moment - 1) // (moments - 1)), again=True)
            kind, value, _ = Child(attempt, OPERATIONS[name], folder).result(PATIENCE)
            counts["disks"] += 1
            if kind != "returned":
                wrong.append(f"{kind}: {str(value).strip().splitlines()[-1]}")
            else:
                counts["done" if value == "done" else "refused"] += 1
                if value != "done" and "full" not in value:
                    wrong.append(f"the sentence does not say that the disk is full: {value}")
            _mount(folder, 2**30, again=True)
            found = state(name, folder)
            counts[found] += 1
            if found.startswith("wrong"):
                wrong.append(found)
            if left := leftovers(folder):
                wrong.append(f"left over: {left[0]}")
            again = in_child(attempt, OPERATIONS[name], folder)
            if again != "done" or (after := state(name, folder)) != "new":
                wrong.append(f"with room again: {again if again != 'done' else after}")
        finally:
            _unmount(folder)
    shutil.rmtree(folder)
    return {**{key: counts[key] for key in ("disks", "refused", "done", "absent", "old", "new")}, "wrong": wrong}


def _used(folder: Path) -> int:
    about = os.statvfs(folder)
    return (about.f_blocks - about.f_bfree) * about.f_frsize
