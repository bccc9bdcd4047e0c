"""What ``itm claims`` prints without running anything: all claims with their verdicts, and which must be run again."""

from __future__ import annotations

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.verdict import VERDICTS


def verdicts_table() -> str:
    """All claims, one per line: what was found when they were last run for the course."""
    names = experiment.list_claims()
    width = max(map(len, ["claim", *names])) + 2
    lines = [f"{'claim':<{width}}{'chapter':<20}{''.join(f'{verdict:<18}' for verdict in VERDICTS)}{'seeds':<7}date"]
    for name in names:
        line = experiment.overview(name)
        if "date" in line:
            counts = "".join(f"{line['verdicts'].get(verdict, 0):<18}" for verdict in VERDICTS)
            lines.append(f"{name:<{width}}{line['chapter']:<20}{counts}{line['seeds']:<7}{line['date']}")
        else:
            lines.append(f"{name:<{width}}{line['chapter']:<20}never run")
    return "\n".join(lines)


def states_table(names: list[str]) -> str:
    """Which kept figures were made by other sources than the present ones.

    Args:
        names: of claims.
    """
    heads = {
        experiment.CHANGED: "must be run again: code that the figures depend on has changed since",
        experiment.NEVER: "never run",
        experiment.UNTRACKED: "recorded before sources were tracked: nobody can tell whether they would change",
        experiment.CURRENT: "made by the present sources",
    }
    states = {name: experiment.state(name) for name in names}
    lines = []
    for state, head in heads.items():
        own = [name for name in names if states[name] == state]
        if own:
            lines += [head, *(f"  {name}" for name in own)]
    return "\n".join([*lines, "Only a run marks figures as made by the present sources: itm claims NAME --out FILE"])
