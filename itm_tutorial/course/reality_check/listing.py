"""What ``itm reality`` prints: what would be trained, and the results in short."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

from itm_tutorial.course.markdown import mean_and_deviation
from itm_tutorial.course.reality_check import protocol
from itm_tutorial.course.reality_check.protocol import Plan, Setup
from itm_tutorial.course.reality_check.results import read_check
from itm_tutorial.course.reality_check.run import Check


def listing(check: Check) -> str:
    """What a run would train, one line per model, with its state and the computing time that is left.

    Args:
        check: with ``costs``; nothing is trained.
    """
    plans, rows = check.plans(), []
    for one in check.setups:
        plan, cost = plans[one.model], check.costs.get(one.model)
        rates = " ".join(f"{rate:g}" for rate in one.rates)
        epochs = f"{one.epochs} to {one.epochs * 2**protocol.DOUBLINGS}"
        time = "-" if not plan.todo else "unknown" if cost is None else check.left([one])
        rows.append([one.model, one.features, rates, epochs, _state(check, one, plan), time])
    head = ["model", "features", "learning rates", "epochs", "state", "computing left"]
    widths = [max(len(row[place]) for row in [head, *rows]) + 2 for place in range(len(head))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in [head, *rows]]
    lines = ["".join(row).rstrip() for row in padded]
    lines += [f"{name} is left out: {reason}" for name, reason in check.left_out.items()]
    return "\n".join([*lines, f"in all: {check.left(check.setups)} of computing, seconds of all cores added up"])


def _state(check: Check, setup: Setup, plan: Plan) -> str:
    if not plan.todo:
        return "failed" if plan.failed else "done"
    folder = check.store.folder / setup.model
    there = list(folder.glob(f"{check.size}-*.json"))
    current = sum(check.store.current(file, setup.model) is not None for file in there)
    if current:
        return f"{current} trained"
    return "changed since" if there else "not begun"


def summary(file: Path) -> str:
    """The results in a file, one line per model, the best first.

    Args:
        file: as ``run`` has written it.
    """
    lines = []
    for name, model in read_check(file)["models"].items():
        rsums = [one["test"]["rsum"] for one in model["trainings"] if one["test"] is not None]
        failures = [one["message"] for one in model["trainings"] if one["message"]] or [model["failed"]]
        text = [f"rsum {mean_and_deviation(rsums)}"] if rsums else []
        text += [f"failed: {message}" for message in failures if message]
        lines.append((mean(rsums) if rsums else 0.0, f"{name:<18}{'; '.join(text)}"))
    return "\n".join(line for _, line in sorted(lines, reverse=True)) or "no model is done"
