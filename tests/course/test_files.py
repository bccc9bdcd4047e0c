"""course.toml and notebooks, whole and damaged: what is wrong is named, with the file."""

import json

import pytest

from itm_tutorial.course.files import read_cells, read_chapters, read_sweeps
from itm_tutorial.errors import ItmError

CHAPTERS = '[[chapter]]\nnotebook = "00_a.ipynb"\ntitle = "A"\n[[chapter]]\nnotebook = "01_b.ipynb"\n'
SWEEP = '[[sweep]]\nname = "toy"\nnotebook = "run.ipynb"\nworkers = 2\n[sweep.grid]\nmargin = [0.1, 0.2]\n'


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "course.toml"
    file.write_text(CHAPTERS + SWEEP)
    return file


def test_chapters_come_in_their_order_and_sweeps_by_name(file):
    assert read_chapters(file) == ["00_a.ipynb", "01_b.ipynb"]
    assert list(read_sweeps(file)) == ["toy"] and read_sweeps(file)["toy"]["grid"] == {"margin": [0.1, 0.2]}


@pytest.mark.parametrize(
    ("old", "new", "chapters", "sweeps"),
    [
        ('"00_a.ipynb"', "1", r"\['chapter'\]\[0\]\['notebook'\].*give each", None),
        ('"00_a.ipynb"', '"../a.ipynb"', r"\['chapter'\]\[0\]\['notebook'\]", None),
        ('"00_a.ipynb"', f'"{"a" * 3000}.ipynb"', r"\['chapter'\]\[0\]\['notebook'\]", None),
        ("[[chapter]]", "[chapter]", "", ""),
        ('"toy"', "true", None, r"\['sweep'\]\[0\]\['name'\]"),
        ('"toy"', '"../toy"', None, r"\['sweep'\]\[0\]\['name'\]"),
        ("workers = 2", "workers = 1.5", None, r"\['workers'\]"),
        ("workers = 2", "workers = nan", None, r"\['workers'\]"),
        ("workers = 2", "wrkers = 2", None, r"\['wrkers'\]"),
        ("workers = 2", "tiny = [1]", None, r"\['tiny'\]"),
        ("workers = 2", "corpus = []", None, r"\['corpus'\]"),
        ("[sweep.grid]\nmargin = [0.1, 0.2]", "grid = 5", None, r"\['grid'\]"),
        ("[[chapter]]", "x = " + "[" * 50_000, "is no valid TOML", "is no valid TOML"),
        ("[[chapter]]", "x = 1979-05-27T", "is no valid TOML", "is no valid TOML"),
    ],
)
def test_what_is_wrong_in_course_toml_is_named(file, old, new, chapters, sweeps):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    for read, message in ((read_chapters, chapters), (read_sweeps, sweeps)):
        if message is None:
            assert read(file)
        else:
            with pytest.raises(ItmError, match=f"course.toml.*{message}"):
                read(file)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00rubbish", b"chapter = '\xe9'", None])
def test_a_course_toml_that_is_no_text_is_named(file, content):
    file.unlink()
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    for read in (read_chapters, read_sweeps):
        with pytest.raises(ItmError, match="course.toml"):
            read(file)


def cell(**changed):
    made = {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "metadata": {"tags": ["parameters"]}, "id": "x"}
    return {**made, "execution_count": None, "outputs": [], **changed}


def write(tmp_path, value):
    file = tmp_path / "run.ipynb"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return file


def test_cells_are_read_with_their_source_in_one_piece(tmp_path):
    printed = [{"output_type": "stream", "text": ["one\n", "two"]}, {"output_type": "display_data", "data": {}}]
    cells = [cell(), {"cell_type": "markdown", "source": "# A"}, cell(outputs=printed, metadata={})]
    code, text, last = read_cells(write(tmp_path, {"cells": cells, "nbformat": 4}))
    assert code == {"cell_type": "code", "source": "a = 1\nb = 2", "tags": ["parameters"], "printed": ""}
    assert text["source"] == "# A" and last["printed"] == "one\ntwo" and last["tags"] == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{",
        "[" * 100_000,
        [1],
        {"cells": {}},
        {"cells": [1]},
        {"cells": [{"source": "a"}]},
        {"cells": [{"cell_type": "code"}]},
        {"cells": [cell(source=5)]},
        {"cells": [cell(source=["a", 5])]},
        {"cells": [cell(metadata={"tags": float("nan")})]},
        {"cells": [cell(metadata=[])]},
        {"cells": [cell(outputs=[{"text": "x"}])]},
        {"cells": [cell(outputs=[{"output_type": "stream", "text": 1}])]},
    ],
)
def test_a_damaged_notebook_is_named(tmp_path, value):
    with pytest.raises(ItmError, match=r"^run.ipynb is not a notebook \(.+\): make it with make notebooks$"):
        read_cells(write(tmp_path, value))
