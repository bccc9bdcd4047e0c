"""Starts thirty processes at once on one empty cache."""

from __future__ import annotations

import shutil
import time

from forked import Child
from kills import PATIENCE, fresh, leftovers, state, undisturbed
from operations import OPERATIONS, ROWS, attempt

TITLE = "Thirty processes at once"


def add_arguments(parser) -> None:
    parser.add_argument("--processes", type=int, default=30, help="how many start at once")


def run(processes: int = 30, **_) -> dict:
    """Operation -> how the processes ended, and what they left."""
    return {name: _together(name, processes) for name, operation in OPERATIONS.items() if operation.shared}


def passed(found: dict) -> bool:
    return not any(row["wrong"] for row in found.values())


def section(found: dict) -> str:
    lines = [
        "All begin with an empty cache. Each must end well, and what they leave must be equal to what one process "
        f"leaves. On the leaderboard each process records {ROWS} rows, and none may be lost. The longest silence is "
        "the longest time in which no process ended.",
        "",
        "| operation | processes | ended well | seconds in all | longest silence, s | wrong |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        lines.append(
            f"| {name} | {row['processes']} | {row['well']} | {row['seconds']} | {row['silence']} "
            f"| {len(row['wrong'])} |"
        )
    wrong = [f"- {name}: {text}" for name, row in found.items() for text in row["wrong"]]
    return "\n".join([*lines, *(["", *wrong] if wrong else [])])


def _together(name: str, processes: int) -> dict:
    undisturbed(name)
    folder = fresh(name)
    begun = time.monotonic()
    children = [Child(attempt, OPERATIONS[name], folder) for _ in range(processes)]
    wrong, ends = [], []
    for child in children:
        kind, value, seconds = child.result(PATIENCE)
        ends.append(child.begun + seconds - begun)
        if (kind, value) != ("returned", "done"):
            wrong.append(f"{kind}: {str(value).strip().splitlines()[-1] if value else ''}")
    ends = [0.0, *sorted(ends)]
    if (found := state(name, folder)) != "new":
        wrong.append(found)
    if name == "record on a leaderboard":
        lines = (folder / "board.jsonl").read_text(encoding="utf-8").splitlines()
        if len(lines) != processes * ROWS:
            wrong.append(f"{len(lines)} rows where {processes * ROWS} were recorded")
    wrong += [f"left over: {file}" for file in leftovers(folder)]
    shutil.rmtree(folder)
    silence = max(later - earlier for earlier, later in zip(ends, ends[1:], strict=False))
    return {
        "processes": processes,
        "well": processes - sum(text.startswith(("raised", "died", "hung", "returned")) for text in wrong),
        "seconds": round(ends[-1], 1),
        "silence": round(silence, 1),
        "wrong": wrong,
    }
