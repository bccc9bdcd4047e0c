"""The ``itm`` command: the course from a terminal. Exit codes: 0 success, 1 failed check, 2 user error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from itm_tutorial import __version__
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import console, say


class Commands(TyperGroup):
    """All commands; an interrupt or a closed pipe ends any of them without a traceback."""

    def invoke(self, ctx):
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except KeyboardInterrupt:
            say("itm: interrupted", file=sys.stderr)
            raise typer.Exit(130) from None
        except BrokenPipeError:  # as in: itm list | head -1
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
            raise typer.Exit(141) from None


app_of_commands = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Corpus = Annotated[str, typer.Option(help="a corpus that itm list names")]
Size = Annotated[str, typer.Option(help="of a drawn corpus: a size that itm list names")]
Seed = Annotated[int, typer.Option(help="of a drawn corpus, and of training")]
Source = Annotated[Path | None, typer.Option("--from", help="of photos: your folder; by default the one used last")]
Column = Annotated[list[str] | None, typer.Option(help="of your own table, as caption=NAME; may be repeated")]
SplitName = Annotated[str, typer.Option("--split", help="a split that itm list names")]
Folder = Annotated[Path, typer.Option(help="where the trained model is kept")]


@console("itm")
def app() -> None:
    """Runs the command; an error that the user can fix is printed as one sentence, without a traceback."""
    try:
        app_of_commands()
    except ItmError as error:
        say(f"itm: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("itm_tutorial"):
            raise  # ours, not the user's
        remedy = "in the course's folder, pip install --constraint constraints.txt -e '.[lab]'"
        say(f"itm: {error.name} is not installed: {remedy}", file=sys.stderr)
        raise SystemExit(2) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"itm {__version__}")
        raise typer.Exit()


@app_of_commands.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Image-text matching, one idea at a time: the course from a terminal."""


@app_of_commands.command(name="list")
def list_names() -> None:
    """Prints the names that the other commands take."""
    import itm_tutorial as itm
    from itm_tutorial.chapters.experiment import list_claims
    from itm_tutorial.data.names import ALL_SPLITS
    from itm_tutorial.worlds.scenes.world import SIZES

    known = {"models": itm.list_models(), "corpora": itm.list_corpora(), "claims": list_claims()}
    for what, names in {**known, "sizes": SIZES, "splits": ALL_SPLITS}.items():
        say(f"{what:<9}{', '.join(names)}")


@app_of_commands.command()
def doctor() -> None:
    """Checks this computer for common problems, and says how to fix them."""
    from itm_tutorial.course.doctor import examine

    findings = examine()
    for finding in findings:
        say(finding)
    raise typer.Exit(int(any(not finding.ok for finding in findings)))
