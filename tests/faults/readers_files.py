"""Readers of files that the course itself writes or keeps: claims, sweeps, the leaderboard, notebooks, pages."""

from __future__ import annotations

import json
import shutil
from contextlib import redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path

from readers import register

from itm_tutorial.chapters import attempts, experiment, runner
from itm_tutorial.course import (
    editions,
    leaderboard,
    model_cards,
    notebooks,
    photographs,
    result_pages,
    running,
    sweep,
    sweep_results,
)
from itm_tutorial.course.files import read_chapters

CLAIM = "start_here"
ROWS = [row for row in experiment.results(CLAIM)["figures"] if row["seed"] in (0, 1)]
KEPT = {**experiment.results(CLAIM), "figures": ROWS}
KEPT["effects"] = [{**effect, "values": effect["values"][:2]} for effect in KEPT["effects"]]
SOURCES = KEPT["provenance"].get("sources", "0" * 16)


def _digest_once() -> None:
    """The digest of the sources takes a second, and no damaged input changes it."""
    from itm_tutorial.chapters import dependencies

    dependencies.digest = lambda claim: SOURCES


def _of_seed(claim, seed, size):
    return [deepcopy(row) for row in ROWS if row["seed"] == seed]


def make_claims(folder: Path) -> None:
    _digest_once()
    (folder / "claims.json").write_text(json.dumps({CLAIM: KEPT, "other": {"figures": []}}, indent=1))


@register("claims: kept figures", make_claims)
def read_claims(folder):
    from itm_tutorial.chapters.effects import effects_of
    from itm_tutorial.chapters.kept import check_claim, read_kept

    file = folder / "claims.json"
    kept = read_kept(file)
    if CLAIM in kept:
        effects_of(experiment.find(CLAIM).effects, check_claim(kept[CLAIM], CLAIM, file)["figures"])


@register("claims: kept into a damaged file", make_claims, writes=("*claims.json*",))
def keep_claims(folder):
    before = (folder / "claims.json").read_bytes() if (folder / "claims.json").is_file() else None
    try:
        experiment.keep(CLAIM, KEPT, folder / "claims.json")
    except Exception:
        assert before is None or (folder / "claims.json").read_bytes() == before, "the file was changed"
        raise
    experiment.check_claim(experiment.read_kept(folder / "claims.json")[CLAIM], CLAIM, folder / "claims.json")


def make_seeds(folder: Path) -> None:
    _digest_once()
    runner.figures_of_seed = _of_seed
    experiment.run(CLAIM, seeds=(0, 1), folder=folder)


@register("claims: figures of a seed", make_seeds, writes=("*",))
def read_seeds(folder):
    experiment.run(CLAIM, seeds=(0, 1), folder=folder)


def make_chapter(folder: Path) -> None:
    _digest_once()
    chapter = folder / "ch00_start_here"
    chapter.mkdir()
    shutil.copy(experiment.CHAPTERS / chapter.name / "claims.py", chapter)
    make_claims(chapter)
    (chapter / "claims.json").rename(chapter / "results.json")


@register("results.json of a chapter: verdicts, page, card", make_chapter, damaged=("**/*.json",))
def read_chapter(folder):
    from itm_tutorial.chapters.ch00_start_here.page import PAGE

    whole, experiment.CHAPTERS = experiment.CHAPTERS, folder
    try:
        experiment.overview(CLAIM)
        experiment.state(CLAIM)
        result_pages.page_text(PAGE)
        result_pages.index_text({"ch00": PAGE})
        model_cards.card("vse")
    finally:
        experiment.CHAPTERS = whole


def make_photographs(folder: Path) -> None:
    shutil.copy(photographs.FILE, folder / "photographs.toml")
    (folder / "ch99_new").mkdir()
    rows = photographs.CHAPTERS / "ch10_sentences" / "photographs.toml"
    shutil.copy(rows, folder / "ch99_new" / "photographs.toml")


@register("photographs.toml", make_photographs)
def read_photographs(folder):
    photographs.page_text("made", folder / "photographs.toml")
    photographs.rows_of_chapters(folder)


SWEEP = """[[chapter]]
notebook = "run.ipynb"
title = "One"
minutes = 45

[[sweep]]
name = "toy"
notebook = "run.ipynb"
figure = "rsum"
corpus = "scenes"
workers = 2

[sweep.fixed]
size = "mini"
epochs = 10

[sweep.grid]
margin = [0.05, 0.2]
negatives = ["sum_of_hinges", "max_of_hinges"]
seed = [0, 1]

[sweep.tiny]
fixed = { size = "tiny", epochs = 2 }
grid = { margin = [0.2], negatives = ["sum_of_hinges"], seed = [0] }
"""


def make_course(folder: Path) -> None:
    import nbformat

    (folder / "notebooks" / "source").mkdir(parents=True)
    (folder / "course.toml").write_text(SWEEP)
    cells = [nbformat.v4.new_markdown_cell("# A lab", metadata={})]
    parameters = "size, epochs = 'mini', 3\nmargin = 0.1\nnegatives = ''\nseed = 0\nsize = ''\nepochs = 1\nresult = ''"
    cells += [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell("print('Headline: 42')", metadata={"tags": ["nbval-check-output"]})]
    cells[-1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="Headline: 42\n")]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:03d}"
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "notebooks" / "run.ipynb")
    source = "# %% [markdown]\n# # A lab\n\n# %%\nprint('Headline: 42')\n"
    (folder / "notebooks" / "source" / "run.py").write_text(source)


def _course_at(folder):
    for module in (running, editions, notebooks):
        places = {"ROOT": folder, "NOTEBOOKS": folder / "notebooks", "SOURCES": folder / "notebooks" / "source"}
        for name, place in places.items():
            if hasattr(module, name):
                setattr(module, name, place)


@register("course.toml: chapters and sweeps", make_course, damaged=("course.toml",))
def read_course(folder):
    _course_at(folder)
    loaded = sweep.load_sweep("toy", size="small")
    loaded.made_by()
    [(point.stem, str(point)) for point in loaded.points()]
    read_chapters(folder / "course.toml")


@register("course.toml: chapters alone", make_course, damaged=("course.toml",))
def chapters_alone(folder):
    _course_at(folder)
    read_chapters(folder / "course.toml")


@register("notebook of a sweep", make_course, damaged=("**/*.ipynb",))
def read_notebook(folder):
    _course_at(folder)
    sweep.load_sweep("toy").made_by()


@register("notebook: drift and headline", make_course, damaged=("**/*.ipynb", "**/source/*.py"))
def read_drift(folder):
    _course_at(folder)
    running._headline(folder / "notebooks" / "run.ipynb")
    notebooks.build_notebooks(check=True)


def make_points(folder: Path) -> None:
    make_course(folder)
    store = _store(folder)
    for number, point in enumerate(store.sweep.points()):
        store.keep(point, {"rsum": 100.0 + number, "i2t_r1": 3.5, "curve": [1.0, 2.0]}, 12.5)


def _store(folder):
    _course_at(folder)
    loaded = sweep.load_sweep("toy")
    return sweep._Store(loaded, folder / "runs" / "toy", loaded.made_by())


@register("results of a sweep", make_points, damaged=("runs/**/*.json",))
def read_points(folder):
    store = _store(folder)
    points = store.sweep.points()
    results = {point.stem: "kept" if store.has(point) else "failed: out of date" for point in points}
    with redirect_stdout(StringIO()):
        sweep._print_table(store, points, results)
    sweep_results.read_sweep(store.folder)


def board_rows() -> list[dict]:
    row = {"method": "vsepp", "options": {"margin": 0.2, "features": {"kind": "global", "backbone": "mini"}}}
    row |= {"corpus": "scenes", "about": "tiny, seed 0", "drawn": True, "split": "val", "images": 100}
    row |= {"metrics": {"i2t_r1": 50.0, "t2i_r10": 70.25, "rsum": 300.5}, "seed": 0, "seconds": 41.5, "device": "cpu"}
    row |= {"versions": {"torch": "2"}, "commit": None, "date": "2026-01-01T00:00:00+00:00", "epoch": 3}
    photos = {**row, "corpus": "flickr8k", "drawn": False, "split": "test", "images": 1000, "seed": 1, "commit": "abc"}
    return [row, photos, {**photos, "method": "scan", "images": 999}]


def make_board(folder: Path) -> None:
    for row in board_rows():
        leaderboard.record(row, folder / "runs.jsonl")
    (folder / "runs.jsonl.lock").unlink(missing_ok=True)


@register("leaderboard: rows and table", make_board)
def read_board(folder):
    rows, damaged = leaderboard.read(folder / "runs.jsonl")
    assert all(str(line) for line in damaged)
    leaderboard.table(file=folder / "runs.jsonl").to_string()
    leaderboard.table("2025", corpus="flickr8k", file=folder / "runs.jsonl")


@register("leaderboard: merge", make_board, writes=("*all.jsonl*",))
def merge_boards(folder):
    leaderboard.merge([folder / "runs.jsonl"], folder / "all.jsonl")
    rows, damaged = leaderboard.read(folder / "all.jsonl") if (folder / "all.jsonl").exists() else ([], [])
    assert not damaged, "a merged file has damaged lines"


@register("leaderboard: figure", make_board)
def draw_board(folder):
    from matplotlib.figure import Figure

    from itm_tutorial.chapters.ch90_literature.leaderboard_figure import leaderboard as draw

    draw(file=folder / "runs.jsonl", figure=Figure())


def make_progress(folder):
    for chapter, name, state in (("00_start_here", "image_ranks", "tried"), ("01_devise", "rank_loss", "solved")):
        attempts.note(chapter, name, state, folder / "progress.jsonl")
    (folder / "progress.jsonl.lock").unlink(missing_ok=True)


@register("progress of a learner", make_progress)
def read_progress(folder):
    states, damaged = attempts.read(folder / "progress.jsonl")
    assert set(states.values()) <= {attempts.TRIED, attempts.SOLVED}
    assert all(damaged)
