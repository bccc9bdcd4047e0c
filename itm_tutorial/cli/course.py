"""The commands around the course: claims, notebooks, sweeps, the leaderboard."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from itm_tutorial.cli.app import Size, app_of_commands
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import say


@app_of_commands.command()
def claims(
    name: Annotated[str | None, typer.Argument(help="a claim that itm list names; without one, all are listed")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="number of seeds, two or more")] = 3,
    size: Size = "mini",
    out: Annotated[Path, typer.Option(help="file for the results; those of other claims stay")] = Path(
        "runs/claims.json"
    ),
    stale: Annotated[
        bool, typer.Option("--stale", help="list which saved claims must be run again; runs none")
    ] = False,
) -> None:
    """Lists all claims with their verdicts, or runs the experiment behind one over several seeds.

    Each seed is saved as soon as it is trained: a run that was killed continues.
    """
    from itm_tutorial.chapters import experiment
    from itm_tutorial.chapters.kept import read_kept
    from itm_tutorial.course.claim_tables import states_table, verdicts_table
    from itm_tutorial.storage import check_writable

    if stale:
        say(states_table([name] if name else experiment.list_claims()))
    elif name is None:
        say(verdicts_table())
    else:
        check_writable(out.parent)
        read_kept(out)  # refuses a damaged file before anything is trained
        found = experiment.run(name, tuple(range(seeds)), size, out.parent / "claims")
        for effect in found["effects"]:
            spread = f"{effect['mean']:+.1f}, standard error {effect['standard_error']:.1f}"
            say(f"{effect['name']}: {spread}: {effect['verdict']}")
        experiment.keep(name, found, out)


@app_of_commands.command()
def course(
    out: Annotated[Path, typer.Option(help="where executed notebooks go")] = Path("build/course"),
    fast: Annotated[bool, typer.Option(help="tiny data, to see that it runs")] = False,
) -> None:
    """Executes every notebook and prints one table."""
    from itm_tutorial.course.running import run_course
    from itm_tutorial.storage import check_writable

    check_writable(out)
    raise typer.Exit(run_course(out, fast))


@app_of_commands.command()
def sweep(
    name: Annotated[str, typer.Argument(help="a [[sweep]] of course.toml")],
    workers: Annotated[int | None, typer.Option(help="notebooks at a time; by default the sweep's own")] = None,
    size: Annotated[str | None, typer.Option(help="of the corpus; by default the sweep's own")] = None,
    out: Annotated[Path, typer.Option(help="folder for the results of all points")] = Path("runs/sweeps"),
) -> None:
    """Runs a notebook at every point of a grid, in worker processes; a sweep that was stopped continues."""
    from itm_tutorial.course.sweep import run_sweep

    raise typer.Exit(run_sweep(name, workers, out, size=size))


@app_of_commands.command()
def leaderboard(
    files: Annotated[list[Path] | None, typer.Argument(help="by default runs/leaderboard.jsonl")] = None,
    merge: Annotated[bool, typer.Option("--merge", help="gather the files' runs into --out, each once")] = False,
    out: Annotated[Path | None, typer.Option(help="with --merge: rows are appended, nothing is overwritten")] = None,
    corpus: Annotated[
        str | None, typer.Option(help="only runs on this corpus, beside papers on the data set that it stands for")
    ] = None,
    edition: Annotated[str, typer.Option(help="of the survey's figures: 2020 or 2025")] = "2020",
) -> None:
    """Prints your runs beside published results, or merges the leaderboards of a class."""
    from itm_tutorial.course import leaderboard as board

    if merge != (out is not None):
        raise ItmError("--merge and --out belong together: itm leaderboard --merge a.jsonl b.jsonl --out all.jsonl")
    if len(files or ()) > 1 and not merge:
        raise ItmError(f"{len(files)} files are named: give one, or --merge them into --out first")
    if merge:
        added, damaged = board.merge(files or [board.FILE], out)
        say(f"{added} new rows in {out}")
    else:
        file = files[0] if files else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of damaged lines, which are printed below
            table = board.table(edition, corpus, file)
        say(table.to_string(index=False, na_rep=""))
        damaged = board.read(file)[1] if file is not None or board.FILE.exists() else []
    for line in damaged:
        say(f"itm: {line}", file=sys.stderr)
