"""Kills what writes, at random moments, and looks at what is left."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import operations
from forked import Child
from forked import run as in_child
from operations import OPERATIONS, attempt, attempt_until

TITLE = "Killed at random moments"
PATIENCE = 120  # seconds without an answer that count as a hang: a lock of a killed process must not hold the next one


def add_arguments(parser) -> None:
    parser.add_argument("--kills", type=int, default=10, help="how often each operation is killed")


def run(kills: int = 10, **_) -> dict:
    """Operation -> how many kills hit it, what they left, and what went wrong."""
    return {name: _killed(name, kills) for name in OPERATIONS}


def passed(found: dict) -> bool:
    return not any(row["wrong"] for row in found.values())


def section(found: dict) -> str:
    text = [
        "Each operation is started in a process of its own and killed (SIGKILL): every other time at a random moment "
        "of the time that it takes undisturbed, and every other time just before one of its file operations, drawn by "
        "chance. Then another process reads what is there, as a user would, does the operation again, and "
        "reads it once more. What is there must be the old state, the new one or nothing; after the second run it must "
        "be equal to an undisturbed run. Temporary files of the killed process that are still there are counted.",
        "| operation | kills | too late | left absent | left old | left new | wrong | temporary files left |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = [
        f"| {name} | {row['kills']} | {row['too late']} | {row['absent']} | {row['old']} | {row['new']} "
        f"| {len(row['wrong'])} | {row['leftovers']} |"
        for name, row in found.items()
    ]
    wrong = [f"- {name}: {text}" for name, row in found.items() for text in row["wrong"]]
    return "\n".join([text[0], "", *text[1:], *rows, *(["", *wrong] if wrong else [])])


def fresh(name: str) -> Path:
    """A folder in which an operation is set up; its cache lies inside."""
    folder = Path(tempfile.mkdtemp(prefix="itm-faults-"))
    os.environ["ITM_CACHE"] = str(folder / "cache")
    in_child(OPERATIONS[name].setup, folder)
    return folder


def undisturbed(name: str) -> float:
    """Runs an operation once, remembers what came of it, and returns the seconds that it took."""
    folder = fresh(name)
    kind, value, seconds = Child(attempt, OPERATIONS[name], folder).result(600)
    if (kind, value) != ("returned", "done"):
        raise RuntimeError(f"{name} does not work undisturbed: {kind} {value}")
    operations._SEEN.update(in_child(_state_and_digests, name, folder)[1])
    shutil.rmtree(folder)
    return seconds


def _state_and_digests(name: str, folder: Path) -> tuple[str, dict[str, str]]:
    return OPERATIONS[name].state(folder), operations._SEEN


def state(name: str, folder: Path) -> str:
    """What an operation left, read in a process of its own; ("wrong: ...") where that fails."""
    kind, value, _ = Child(OPERATIONS[name].state, folder).result(PATIENCE)
    return value if kind == "returned" else f"wrong: {kind}: {str(value).strip().splitlines()[-1] if value else ''}"


def leftovers(folder: Path) -> list[str]:
    """Temporary files and folders; locks are no leftovers."""
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if ".part" in p.name or ".probe" in p.name]


def _killed(name: str, kills: int) -> dict:
    draw = random.Random(name)
    seconds = undisturbed(name)
    folder = fresh(name)
    touches = in_child(attempt_until, OPERATIONS[name], folder)
    shutil.rmtree(folder)
    counts, wrong, left = Counter(), [], 0
    for number in range(kills):
        folder = fresh(name)
        if number % 2:
            last = draw.randint(1, touches)
            child, moment = Child(attempt_until, OPERATIONS[name], folder, last), f"before touch {last} of {touches}"
            child.process.join(PATIENCE)
            counts["kills" if child.process.exitcode == -9 else "too late"] += 1
        else:
            after = draw.random() * seconds
            child, moment = Child(attempt, OPERATIONS[name], folder), f"after {after:.2f} of {seconds:.2f} s"
            time.sleep(after)
            counts["kills" if child.kill() else "too late"] += 1
        found = state(name, folder)
        if found.startswith("wrong"):
            wrong.append(f"killed {moment}: {found}")
        else:
            counts[found] += 1
        kind, value, _ = Child(attempt, OPERATIONS[name], folder).result(PATIENCE)
        again = state(name, folder) if (kind, value) == ("returned", "done") else f"{kind}: {value}"
        if again != "new":
            wrong.append(f"killed {moment}, then done again: {again}")
        left += len(leftovers(folder))
        shutil.rmtree(folder)
    keys = ("kills", "too late", "absent", "old", "new")
    return {**{key: counts[key] for key in keys}, "wrong": wrong, "leftovers": left, "touches": touches}
