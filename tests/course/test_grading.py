"""Graded labs: with the real otter-grader, a right submission gets full marks, a wrong or an untouched one none."""

import ast
import subprocess
import sys
from importlib.util import find_spec

import nbformat
import pytest

from itm_tutorial.course import grading
from itm_tutorial.course.editions import SOURCES, exercises_of, read_source, solved, stubbed
from itm_tutorial.errors import ItmError

CHAPTERS = [source for source in sorted(SOURCES.glob("[0-9]*.py")) if exercises_of(source)]
each_chapter = pytest.mark.parametrize("source", CHAPTERS, ids=lambda f: f.stem)


def otter_starts():
    try:
        grading.check_installed()
    except ItmError:
        return False
    return True


def lab_code(source, edit):
    """The code cells of a lab."""
    cells = grading._lab_cells(read_source(source).cells, list(exercises_of(source)), edit)
    return [cell["source"] for cell in cells if cell["cell_type"] == "code"]


@each_chapter
def test_a_lab_holds_all_that_its_exercises_need(source):
    """The functions run without the chapter around them, and pass with other random inputs than those of ``check``."""
    first, *others = lab_code(source, solved)
    names = {}
    exec("\n".join(line for line in first.splitlines() if "otter" not in line), names)
    for code in others:
        if not code.startswith("grader.check("):
            exec(code, names)
    for exercise in exercises_of(source):
        assert exercise.verdict(names[exercise.name], seed=1).startswith("Right: ")


@each_chapter
def test_a_lab_holds_no_solution_and_does_not_replace_a_wrong_answer(source):
    code = "\n".join(lab_code(source, stubbed))
    assert "# solution" not in code and code.count("...  # your code here") == len(exercises_of(source))
    assert (
        "exercises." not in code
    )  # `x = exercises.x.check(x)` would put the package's version in place of a wrong one
    ast.parse(code)
    for exercise in exercises_of(source):
        assert f'grader.check("{exercise.name}")' in code


class Case:
    """otter's ``test_case``, as far as the tests use it."""

    def __init__(self, name, points, hidden):
        self.points, self.hidden = points, hidden

    def __call__(self, function):
        self.function = function
        return self


def cases_of(text):
    """The test cases of a test file, without otter: name of the function -> case."""
    names = {"test_case": Case}
    exec(text.replace("from otter.test_files import test_case\n", ""), names)
    return {name: value for name, value in names.items() if isinstance(value, Case)}


@each_chapter
def test_the_tests_ask_the_check_twice_and_refuse_what_is_not_the_learners(source):
    for exercise in exercises_of(source):
        public, whole = (cases_of(grading.test_of(exercise, f"ch{source.stem}", hidden)) for hidden in (False, True))
        assert [case.hidden for case in public.values()] == [False]
        assert [case.hidden for case in whole.values()] == [False, True]
        assert {case.points for case in whole.values()} == {exercise.difficulty}
        for case in whole.values():
            case.function(lambda *inputs, own=exercise.own: own(*inputs))
            for answer, message in (
                (exercise.own, "package's version"),
                (None, "not written yet"),
                (exercise.mistakes[0][0], "Not yet"),
            ):
                with pytest.raises(AssertionError, match=message):
                    case.function(answer)


def test_without_otter_the_command_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(grading, "find_spec", lambda name: None)
    with pytest.raises(ItmError, match="otter-grader is not installed: pip install"):
        grading.check_installed()
    monkeypatch.setattr(grading, "find_spec", lambda name: object())
    failed = subprocess.CompletedProcess(
        [], 1, stdout="", stderr="Traceback\nModuleNotFoundError: No module named 'x'\n"
    )
    monkeypatch.setattr(grading.subprocess, "run", lambda *arguments, **options: failed)
    with pytest.raises(ItmError, match=r"does not start \(ModuleNotFoundError: No module named 'x'\)"):
        grading.check_installed()


def graded(submission, archive):
    """The marks of a submission and the most that it can get, by ``otter run`` as a teacher uses it."""
    code = (
        "import sys; from otter.api import grade_submission; "
        "r = grade_submission(sys.argv[1], sys.argv[2], quiet=True); print('marks', r.total, r.possible)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(submission), str(archive)], capture_output=True, text=True)
    marks = [line for line in run.stdout.splitlines() if line.startswith("marks ")]
    assert marks, run.stderr
    return tuple(map(float, marks[-1].split()[1:]))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("otter") is None or not otter_starts(), reason="otter-grader is not installed")
@pytest.mark.parametrize("name", ["00_start_here", "01_devise"])
def test_otter_gives_full_marks_to_a_right_submission_alone(name, tmp_path):
    source = SOURCES / f"{name}.py"
    exercises = exercises_of(source)
    grading.write_lab(source, tmp_path / "lab")
    lab, archive = tmp_path / "lab", tmp_path / "lab/autograder/autograder.zip"
    assert not list((lab / "student").rglob("*.zip")) and "hidden=True" not in "".join(
        file.read_text() for file in (lab / "student/tests").iterdir()
    )
    full = 2 * sum(exercise.difficulty for exercise in exercises)
    assert graded(lab / "autograder" / f"{name}.ipynb", archive) == (full, full)
    untouched = lab / "student" / f"{name}.ipynb"
    assert graded(untouched, archive) == (0, full)
    notebook = nbformat.read(untouched, as_version=4)
    for cell in notebook.cells:  # the first exercise wrong in a typical way, the last copied from the package
        if cell.source.startswith(f"def {exercises[0].name}("):
            cell.source = f"from itm_tutorial.chapters.ch{name} import exercises\n"
            cell.source += f"{exercises[0].name} = exercises.{exercises[0].name}.mistakes[0][0]"
        if cell.source.startswith(f"def {exercises[-1].name}("):
            cell.source = f"{exercises[-1].name} = exercises.{exercises[-1].name}.own"
    nbformat.write(notebook, tmp_path / "wrong.ipynb")
    assert graded(tmp_path / "wrong.ipynb", archive) == (0, full)
