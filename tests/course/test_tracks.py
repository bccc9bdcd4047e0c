"""Tracks: what stays, what it lacks, and that the cut notebooks run."""

from copy import deepcopy

import nbformat
import pytest
from typer.testing import CliRunner

from itm_tutorial.course import track_table
from itm_tutorial.course.editions import NOTEBOOKS, ROOT, SOURCES, learners_edition
from itm_tutorial.course.files import read_contents, read_tracks
from itm_tutorial.course.names import names_of
from itm_tutorial.course.sections import sections_of
from itm_tutorial.course.tracks import (
    contents_of,
    cut_of,
    kept_headings,
    minutes_in,
    missing_names,
    outline,
    read_track,
    seconds_in,
    source_sections,
)
from itm_tutorial.errors import ItmError

TRACKS = read_tracks(ROOT / "course.toml")
PARTS = [(name, part) for name, track in TRACKS.items() for part in track["notebooks"]]
CUT = [(name, part) for name, part in PARTS if "sections" in part]  # other tests run the whole notebooks
each_part = pytest.mark.parametrize("name, part", PARTS, ids=[f"{n}-{p['notebook'][:-6]}" for n, p in PARTS])


@pytest.mark.parametrize(
    "code, reads, writes",
    [
        ("x = y + 1", {"y"}, {"x"}),
        ("x = 1\nprint(x)", {"print"}, {"x"}),
        ("x += 1", {"x"}, {"x"}),
        ("for i in range(n):\n    total = total + i", {"range", "n", "total"}, {"i", "total"}),
        ("for i in xs:\n    y = i\nprint(y)", {"xs", "print"}, {"i", "y"}),
        ("[a * b for a in xs]", {"b", "xs"}, set()),
        ("def f(a, b=c):\n    d = a + e\n    return d", {"c", "e"}, {"f"}),
        ("f = lambda a: a + b", {"b"}, {"f"}),
        ("with torch.no_grad() as g:\n    h = model(x)", {"torch", "model", "x"}, {"g", "h"}),
        ("import os.path\nfrom a import b as c", set(), {"os", "c"}),
        ("x[0] = 1", {"x"}, {"x"}),
        ("x.y = z", {"x", "z"}, {"x"}),
        ("(a, b[i]) = c", {"b", "i", "c"}, {"a", "b"}),
        ("found.append(1)", {"found"}, {"found"}),
        ("n = found.count(1)", {"found"}, {"n"}),
        ("history = itm.fit(model, corpus)", {"itm", "model", "corpus"}, {"history", "model"}),
        (
            "try:\n    a = f()\nexcept E as error:\n    b = error\nfinally:\n    c = 1",
            {"f", "E"},
            {"a", "error", "b", "c"},
        ),
        ("if a:\n    b = 1\nelse:\n    c = d", {"a", "d"}, {"b", "c"}),
        ("if (n := f()):\n    print(n)", {"f", "print"}, {"n"}),
        ("class A(B):\n    x = y", {"B", "y"}, {"A"}),
        ("print(f'{a:.{b}f}')", {"print", "a", "b"}, set()),
    ],
)
def test_the_names_of_a_cell(code, reads, writes):
    names = names_of(code)
    assert (names.reads, names.writes) == (reads, writes)


def test_a_call_does_not_change_a_module():
    assert "itm" in names_of("itm.show.history()").writes
    assert "itm" not in names_of("itm.show.history()", ["itm"]).writes
    assert "itm" not in names_of("import itm\nitm.show.history()\nx = 1").writes - names_of("import itm").writes


def chapter(*parts):
    """Sections of a made-up chapter, each given as (heading, code, code, ...)."""
    cells = [nbformat.v4.new_markdown_cell("# 00 · Title")]
    for heading, *code in parts:
        cells += [nbformat.v4.new_markdown_cell(f"## {heading}"), *map(nbformat.v4.new_code_cell, code)]
    return sections_of(cells)


MADE = chapter(
    ("Load", "import os\n\nimport torch", "x = torch.ones(2)", "model = make()"),
    ("Train it: the model", "itm.fit(model, x)", "y = 2 * x"),
    ("Measure", "print(model(x))"),
    ("Use", "z = y + 1\nos.listdir()"),
    ("Again", "y = 3", "print(y)"),
)


def lacking(*kept):
    return {(m.section, m.name, m.left_out) for m in missing_names(MADE, {"notebook": "a.ipynb", "sections": kept})}


def test_a_kept_section_that_needs_a_left_out_one_is_found():
    assert lacking("Load", "Train it", "Measure", "Use") == set()
    assert lacking("Load", "Measure") == {("Measure", "model", "Train it: the model")}  # made, but not trained
    assert lacking("Load", "Use") == {("Use", "y", "Train it: the model")}  # imports stay in any case
    assert lacking("Again") == set()
    assert ("Measure", "x", "Load") in lacking("Measure")
    (missing,) = missing_names(MADE, {"notebook": "a.ipynb", "sections": ["Load", "Use"]})
    assert str(missing) == ("a.ipynb: 'Use' reads y, which 'Train it: the model' makes: keep both, or leave out both")


def test_sections_are_named_up_to_their_colon_and_nothing_else():
    assert kept_headings(MADE, {"notebook": "a.ipynb"}) == [section.heading for section in MADE]
    part = {"notebook": "a.ipynb", "sections": ["Train it", "Use"]}
    assert kept_headings(MADE, part) == ["00 · Title", "Train it: the model", "Use"]
    for name, message in (("Train", "did you mean 'Train it'"), ("Train it: another", "unknown section")):
        with pytest.raises(ItmError, match=message):
            kept_headings(MADE, {"notebook": "a.ipynb", "sections": [name]})
    twice = chapter(("Look: here", "1"), ("Look: there", "2"))
    with pytest.raises(ItmError, match="'Look' fits 'Look: here' and 'Look: there'"):
        kept_headings(twice, {"notebook": "a.ipynb", "sections": ["Look"]})


def test_a_cut_keeps_imports_and_parameters_of_sections_that_it_leaves_out():
    cells = deepcopy([cell for section in MADE for cell in section.cells])
    cells[3]["metadata"] = {"tags": ["parameters"]}  # x = torch.ones(2)
    kept = cut_of({"notebook": "a.ipynb", "sections": ["Again"]})(cells)
    assert [cell["source"] for cell in kept[1:]] == [
        "import os\n\nimport torch",
        "x = torch.ones(2)",
        "## Again",
        "y = 3",
        "print(y)",
    ]
    assert "It leaves out: *Load*, *Train it: the model*, *Measure*, *Use*." in kept[0]["source"]
    assert "leaves out" not in cut_of({"notebook": "a.ipynb"})(cells)[0]["source"]


@each_part
def test_no_section_of_a_track_depends_on_one_that_it_leaves_out(name, part):
    assert [str(one) for one in missing_names(source_sections(part["notebook"]), part)] == []


def test_the_tracks_take_the_time_that_they_promise():
    minutes = {name: sum(minutes_in(part) for part in track["notebooks"]) for name, track in TRACKS.items()}
    assert set(minutes) == {"lab", "day", "full"}
    assert 60 <= minutes["lab"] <= 90
    assert 240 <= minutes["day"] <= 360
    everything = read_contents(ROOT / "course.toml")
    assert [part["notebook"] for part in TRACKS["full"]["notebooks"]] == [one["notebook"] for one in everything]
    assert minutes["full"] == sum(one["minutes"] for one in everything)


@pytest.mark.parametrize("row", [one for one in read_contents(ROOT / "course.toml")], ids=lambda c: c["notebook"][:-6])
def test_the_minutes_of_a_chapter_follow_from_its_text(row):
    counted = sum(section.minutes for section in source_sections(row["notebook"]))
    assert abs(row["minutes"] - counted) <= 12, f"{counted:.0f} by the rule of the teacher's guide"


def test_a_cut_notebook_links_to_its_neighbours_in_the_track_and_states_its_own_minutes():
    track = read_track("lab")
    contents = contents_of(track)
    part = track["notebooks"][1]
    cells = learners_edition(SOURCES / "02_vsepp.py", contents, cut_of(part)).cells
    assert f"*{minutes_in(part)} minutes*" in cells[0].source and "It leaves out: " in cells[0].source
    assert "(00_start_here.ipynb)" in cells[0].source and "(01_devise.ipynb)" not in cells[0].source
    assert "**Next:**" not in cells[-1].source
    headings = [row[3] for row in outline(track)]
    assert headings[0] == [] and "A relative: order embeddings" in headings[1]


def write_course(folder, text):
    file = folder / "course.toml"
    file.write_text('[[chapter]]\nnotebook = "00_a.ipynb"\n' + text)
    return file


@pytest.mark.parametrize(
    "text, message",
    [
        ('[[track]]\nname = "a"\ntitle = "A"\n', "track"),
        ('[[track]]\nname = "a"\ntitle = "A"\nnotebooks = []\n', "track"),
        ('[[track]]\nname = "a"\ntitle = "A"\nnotebooks = [{ notebook = "00_b.ipynb" }]\n', "unknown notebook '00_b"),
        ('[[track]]\nname = "a"\ntitle = "A"\nnotebooks = [{ notebook = "00_a.ipynb", section = ["x"] }]\n', "section"),
        ('[[track]]\nname = "a"\ntitle = "A"\nnotebooks = [{ notebook = "00_a.ipynb", sections = [] }]\n', "sections"),
        ('[[track]]\nname = "../a"\ntitle = "A"\nnotebooks = [{ notebook = "00_a.ipynb" }]\n', "name"),
        (2 * '[[track]]\nname = "a"\ntitle = "A"\nnotebooks = [{ notebook = "00_a.ipynb" }]\n', "two tracks 'a'"),
        (
            '[[track]]\nname = "a"\ntitle = "A"\n'
            'notebooks = [{ notebook = "00_a.ipynb" }, { notebook = "00_a.ipynb" }]\n',
            "00_a.ipynb twice",
        ),
    ],
)
def test_a_broken_track_is_named(tmp_path, text, message):
    with pytest.raises(ItmError, match=message):
        read_tracks(write_course(tmp_path, text))


def test_a_course_without_tracks_has_none(tmp_path):
    assert read_tracks(write_course(tmp_path, "")) == {}


def test_the_guide_has_the_tables_of_the_tracks(tmp_path, monkeypatch):
    assert track_table.update_guide(check=True), "run python -m itm_tutorial.course.track_table"
    guide = tmp_path / "docs" / "teaching.md"
    guide.parent.mkdir()
    guide.write_text(f"before\n{track_table.BEGIN}\nold\n{track_table.END}\nafter\n", encoding="utf-8")
    tables = track_table.tracks_markdown()
    monkeypatch.setattr(track_table, "tracks_markdown", lambda: tables)
    monkeypatch.setattr(track_table.editions, "ROOT", tmp_path)
    assert not track_table.update_guide(check=True) and "old" in guide.read_text(encoding="utf-8")
    assert not track_table.update_guide() and track_table.update_guide()
    text = guide.read_text(encoding="utf-8")
    assert "old" not in text and text.startswith("before\n") and text.endswith("\nafter\n") and tables in text
    guide.write_text("no place for them")
    with pytest.raises(ItmError, match="lacks the lines"):
        track_table.update_guide()


def test_the_command_prints_the_tracks():
    from itm_tutorial.cli import app_of_commands

    ran = CliRunner().invoke(app_of_commands, ["tracks"])
    assert ran.exit_code == 0 and "lab: A lab of 90 minutes, " in ran.output
    assert "without Measure it: two traps" in ran.output


def test_the_computers_time_of_a_track_is_that_of_the_cells_that_stay(tmp_path):
    cells = deepcopy([cell for section in MADE for cell in section.cells])
    for number, cell in enumerate(cell for cell in cells if cell["cell_type"] == "code"):
        cell["metadata"] = {"papermill": {"duration": 2.0**number}}
    notebook = nbformat.from_dict(nbformat.v4.new_notebook(cells=cells))
    nbformat.write(notebook, tmp_path / "a.ipynb")
    assert seconds_in({"notebook": "a.ipynb"}, tmp_path) == 2**9 - 1
    assert seconds_in({"notebook": "a.ipynb", "sections": ["Again"]}, tmp_path) == 1 + 2**7 + 2**8  # with the imports
    assert seconds_in({"notebook": "b.ipynb"}, tmp_path) is None
    (tmp_path / "b.ipynb").write_text("{")
    with pytest.raises(ItmError, match="b.ipynb is no notebook"):
        seconds_in({"notebook": "b.ipynb"}, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name, part", CUT, ids=[f"{n}-{p['notebook'][:-6]}" for n, p in CUT])
def test_the_cut_notebooks_run_to_their_end(name, part):
    from itm_tutorial.course.running import execute_cells

    notebook = learners_edition(SOURCES / f"{part['notebook'][:-6]}.py", cut=cut_of(part))
    execute_cells(notebook, NOTEBOOKS, ITM_FAST="1", ITM_PROGRESS="0")
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
