"""The commands around the course: claims, notebooks, sweeps, the leaderboard."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from itm_tutorial.cli.app import Size, app_of_commands
from itm_tutorial.errors import ItmError, unknown
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
def reality(
    models: Annotated[
        list[str] | None, typer.Option(help="models that itm list names; may be repeated; by default one per method")
    ] = None,
    variants: Annotated[bool, typer.Option("--variants", help="published variants of the methods too")] = False,
    seeds: Annotated[int, typer.Option(help="models are measured on this many seeds")] = 3,
    size: Size = "mini",
    folder: Annotated[Path, typer.Option(help="where each training is kept")] = Path("runs/reality"),
    out: Annotated[Path, typer.Option(help="file for the results; those of other models stay")] = Path(
        "runs/reality_check.json"
    ),
    only_list: Annotated[
        bool, typer.Option("--list", help="print what would be trained, and how long it takes")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="train again what failed before")] = False,
) -> None:
    """Trains every model on the same scenes under one protocol, with learning rates and epochs chosen by one rule.

    Each training is saved as soon as it is done: a run that was stopped continues, and several may share a folder. A
    model whose code has changed is trained again. Ends with 1 if a training failed.
    """
    from itm_tutorial.course.reality_check import run as check
    from itm_tutorial.course.reality_check.listing import listing, summary

    names = [name.strip() for given in models or () for name in given.split(",") if name.strip()]
    prepared = check.prepare(names, variants, seeds, size, folder, out, retry)
    if not only_list:
        prepared.check_folders()
    check.estimate(prepared)
    if only_list:
        say(listing(prepared))
        return
    for name, reason in prepared.left_out.items():
        say(f"{name} is left out: {reason}")
    succeeded = prepared.run()
    say(summary(prepared.out))
    raise typer.Exit(int(not succeeded))


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
def export(
    edition: Annotated[str, typer.Argument(help="learner, teacher, slides, code or otter (graded labs)")],
    out: Annotated[Path, typer.Option(help="the folder to write to")],
    chapter: Annotated[str, typer.Option(help="one notebook, such as 00; without it all")] = "",
    track: Annotated[str, typer.Option(help="only what a track of course.toml keeps; itm tracks lists them")] = "",
    executed: Annotated[
        Path | None, typer.Option(help="of slides: a folder where itm course ran the notebooks; else they run now")
    ] = None,
    reveal: Annotated[str, typer.Option(help="of slides: address or folder of reveal.js; else from the web")] = "",
) -> None:
    """Writes an edition of the course: notebooks for learners or teachers, slides, scripts, or graded labs."""
    from itm_tutorial.course import export as writer

    if edition != "slides" and (executed or reveal):
        raise ItmError("--executed and --reveal belong to slides: itm export slides --out DIR --executed build/course")
    makers = {
        "learner": lambda: writer.export_notebooks("learner", out, chapter, track),
        "teacher": lambda: writer.export_notebooks("teacher", out, chapter, track),
        "slides": lambda: writer.export_slides(out, chapter, track, executed, reveal),
        "code": lambda: writer.export_code(out, chapter, track),
        "otter": lambda: writer.export_labs(out, chapter, track),
    }
    if edition not in makers:
        raise unknown("edition", edition, makers)
    for file in makers[edition]():
        say(file)


@app_of_commands.command()
def tracks(
    executed: Annotated[Path | None, typer.Option(help="a folder where itm course ran: adds computing time")] = None,
) -> None:
    """Prints the tracks of course.toml: their notebooks, minutes, exercises, and what they leave out."""
    from itm_tutorial.course.track_table import tracks_table

    say(tracks_table(executed))


@app_of_commands.command()
def progress() -> None:
    """Prints which exercises are solved, tried or not begun, and how many minutes are left."""
    from itm_tutorial.chapters import attempts
    from itm_tutorial.course.progress_table import progress_table

    table, damaged = progress_table()
    say(table)
    for line in damaged:
        say(f"itm: {line}", file=sys.stderr)
    if not attempts.file().exists():
        say(f"No check has written {attempts.file()} yet: it is written when a notebook's check runs in Jupyter.")


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
