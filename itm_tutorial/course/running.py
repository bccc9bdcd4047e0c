"""Runs notebooks: one, or the whole course with one table."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itm_tutorial.chapters.verdict import provenance
from itm_tutorial.course.files import read_cells, read_chapters
from itm_tutorial.course.patience import LIMITS, QUIET, SILENCE, Watch, Watched, kernel_of, lasting
from itm_tutorial.course.preparation import prepare_course
from itm_tutorial.encoders.cores import thread_settings
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import LiveLine
from itm_tutorial.storage import write_json

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
ENGINE = "itm"  # the name of papermill's engine here
HEADLINE = 40  # width of the table's column
PROVENANCE = "provenance.json"  # beside executed notebooks: versions, machine, and whether their size was the smallest


def run_course(out: Path = Path("build/course"), fast: bool = False) -> int:
    """Executes every notebook with papermill and prints one table; after a failure, the other notebooks still run.

    The caches that the notebooks share are made first. On a terminal, a line that is written over says which cell runs
    and for how long; a log file has the table alone.

    Args:
        out: folder for the executed notebooks.
        fast: whether to use the smallest size, as a quick check.

    Returns:
        0, or 1 if a notebook failed.

    Raises:
        ItmError: course.toml is missing or broken, or a cache that the notebooks share cannot be made.
    """
    names = read_chapters(ROOT / "course.toml")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / PROVENANCE, {**provenance(), "fast": fast})
    environment = {"ITM_FAST": "1" if fast else "0", "ITM_PROGRESS": "0"}
    prepare_course("tiny" if fast else "mini")
    live, width = LiveLine(), max(map(len, names))
    print(f"{'notebook':<{width}}  seconds  {'headline':<{HEADLINE}}  result", flush=True)
    failed = False
    for n, name in enumerate(names, start=1):
        start, target = time.perf_counter(), out / name
        target.unlink(missing_ok=True)  # so that the headline of an earlier run is not shown

        where = f"{name}, notebook {n} of {len(names)}"
        result = execute(NOTEBOOKS / name, target, environment=environment, seen=_shown(live, where))
        live.clear()
        seconds = time.perf_counter() - start
        print(f"{name:<{width}}  {seconds:>7.0f}  {_headline(target):<{HEADLINE}}  {result}", flush=True)
        failed = failed or result != "ok"
    return int(failed)


def _shown(live: LiveLine, where: str) -> Callable[[int, int], None]:
    """What writes the live line of one notebook."""
    start = time.perf_counter()
    return lambda cell, n_cells: live.show(f"{where}: cell {cell} of {n_cells}, {lasting(time.perf_counter() - start)}")


def execute(
    notebook: Path,
    target: Path,
    parameters: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    seen: Callable[[int, int], None] = lambda cell, n_cells: None,
) -> str:
    """Runs one notebook, in its own folder. No cell has a time limit; a kernel that shows no sign of life is ended.

    Args:
        notebook: the file to run.
        target: file for the executed notebook.
        parameters: values for its parameters cell.
        environment: variables for its kernel, beside those of this process.
        seen: is called every second with the number of the running code cell and the number of all.

    Returns:
        "ok", or what failed and where.
    """
    import papermill
    from papermill.engines import papermill_engines

    if not notebook.exists():
        return f"failed: {notebook.name} does not exist; make it with make notebooks, or correct course.toml"
    run = _Run(environment or {}, seen)
    papermill_engines.register(ENGINE, _engine())
    try:
        papermill.execute_notebook(
            notebook,
            target,
            parameters,
            engine_name=ENGINE,
            kernel_name="python3",
            cwd=notebook.parent,
            progress_bar=False,
            run=run,
        )
    except papermill.PapermillExecutionError as error:
        return f"failed in cell {error.exec_count}: {error.ename}: {first_line(error.evalue)}"
    except Exception as error:  # no kernel, a dead or silent kernel, not a notebook
        return f"failed{run.place()}: {run.said(error)}"
    return "ok"


@dataclass
class _Run:
    """One run of a notebook: what its kernel is given, and how far it is."""

    environment: dict[str, str]
    seen: Callable[[int, int], None]
    cell: int = 0
    n_cells: int = 0
    watch: Watch | None = None

    def client(self, made, notebook):
        """Prepares a client of nbclient; the run counts its cells."""
        self.n_cells = sum(cell["cell_type"] == "code" and bool(cell["source"].strip()) for cell in notebook.cells)
        made.watch = self.watch = Watch(lambda: kernel_of(made), SILENCE, lambda: self.seen(self.cell, self.n_cells))
        made.on_cell_execute = lambda **_: setattr(self, "cell", self.cell + 1)
        return made

    def settings(self) -> dict[str, str]:
        """The environment of the kernel."""
        return {**os.environ, **thread_settings(), **self.environment}

    def place(self) -> str:
        return f" in cell {self.cell}" if self.cell else ""

    def said(self, error: Exception) -> str:
        """What went wrong, in one sentence."""
        if self.watch is not None and self.watch.ended:
            return (
                f"its kernel neither computed nor wrote anything for {lasting(SILENCE)}, so it was ended: "
                "look for what this cell waits for"
            )
        if type(error).__name__ == "DeadKernelError":
            return "its kernel died: most often memory was short, which itm doctor looks at"
        return f"{type(error).__name__}: {first_line(error)}"


def _engine():
    """papermill's engine with a client that has patience; papermill is loaded only where notebooks run."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine

    class Client(Watched, PapermillNotebookClient):
        pass

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, run, **options):
            client = Client(nb_man, kernel_name=kernel_name, extra_arguments=QUIET, **LIMITS)
            with run.client(client, nb_man.nb).watch:
                return client.execute(env=run.settings())

    return Engine


def execute_cells(notebook, folder: Path, **environment: str) -> None:
    """Runs a notebook that is in memory, with the same patience, and puts the outputs into its cells.

    Args:
        notebook: an nbformat notebook.
        folder: the working folder of its kernel.
        environment: variables for its kernel.

    Raises:
        CellExecutionError: a cell raised an error.
        ItmError: its kernel died, or showed no sign of life.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError

    class Client(Watched, NotebookClient):
        pass

    run = _Run(environment, lambda cell, n_cells: None)
    client = Client(notebook, kernel_name="python3", extra_arguments=QUIET, **LIMITS)
    try:
        with run.client(client, notebook).watch:
            client.execute(cwd=str(folder), env=run.settings())
    except DeadKernelError as error:
        raise ItmError(f"the notebook failed{run.place()}: {run.said(error)}") from error


def first_line(message: object) -> str:
    """The first line of a message, for a table."""
    return next(iter(str(message).strip().splitlines()), "")[:160]


def _headline(file: Path) -> str:
    """The last text that the notebook printed after "Headline:", or a dash."""
    try:
        printed = "".join(cell["printed"] for cell in read_cells(file))
    except ItmError:  # missing, or cut short when the kernel died: the result says why
        return "-"
    found = [line.removeprefix("Headline: ") for line in printed.splitlines() if line.startswith("Headline: ")]
    return found[-1][:HEADLINE] if found else "-"
