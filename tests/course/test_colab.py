"""The cell that installs the course: in a fresh environment with another torch, whose version stays.

The packages of this environment are empty, torch among them, so that the test needs no network and little time.
"""

import importlib.metadata
import os
import subprocess
import sys
import venv
import zipfile

import pytest

from itm_tutorial.course import colab
from itm_tutorial.course.running import ROOT
from itm_tutorial.errors import ItmError

TORCH = "2.13.0"  # not the course's own; as a package without content


def wheel(folder, name, version, requires=(), files=None, metadata=None):
    """Writes a wheel by hand, with the files given as path -> text."""
    plain = name.replace("-", "_")
    info = f"{plain}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires]
    parts = {f"{info}/METADATA": metadata or "\n".join(lines) + "\n", f"{info}/RECORD": "", **(files or {})}
    parts[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    file = folder / f"{plain}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in parts.items():
            archive.writestr(path, text)
    return file


@pytest.fixture(scope="module")
def course_wheel(tmp_path_factory):
    """The course as a wheel, with its own list of dependencies."""
    package = ROOT / "itm_tutorial"
    kept = [file for file in package.rglob("*") if file.suffix in (".py", ".csv", ".toml", ".json")]
    files = {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in kept}
    found = importlib.metadata.distribution(colab.COURSE)  # an .egg-info in the working directory has PKG-INFO
    metadata = found.read_text("METADATA") or found.read_text("PKG-INFO")
    assert "Requires-Dist: torch" in metadata
    version = importlib.metadata.version(colab.COURSE)
    return wheel(tmp_path_factory.mktemp("course"), colab.COURSE, version, files=files, metadata=metadata)


@pytest.fixture
def machine(tmp_path):
    """A fresh environment with torch and torchvision, and a function that runs code in it without a network."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in set(colab._required()) - {"torch", "torchvision", "transformers"}:
        wheel(shelf, name, "1.0", requires=["torch>=2.1"] if name == "lightning-fabric" else ())
    wheel(shelf, "torch", "99.0")  # a newer one lies ready: nothing may take it
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    fresh = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_"))}
    env = {**fresh, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def run(code):
        return subprocess.run([python, "-c", code], env=env, capture_output=True, text=True, timeout=300, cwd=tmp_path)

    there = tmp_path / "there"
    there.mkdir()
    ready = [wheel(there, "torch", TORCH), wheel(there, "torchvision", "0.28.0")]
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", *ready], env=env, check=True)
    run.shelf = shelf
    return run


VERSIONS = "from importlib.metadata import version as v; print(v('torch'), v('pandas'), v('lightning-fabric'))"


@pytest.mark.slow
def test_the_cell_installs_what_is_missing_and_leaves_torch(machine, course_wheel):
    wheel(machine.shelf, "transformers", "1.0", requires=["torch>=99"])  # it wants another torch
    refused = machine(colab.bootstrap(str(course_wheel)))
    assert refused.returncode and "ItmError: pip could not install" in refused.stderr
    assert machine("from importlib.metadata import version as v; print(v('torch'))").stdout.strip() == TORCH
    wheel(machine.shelf, "transformers", "1.0")
    again = machine("from itm_tutorial.course.colab import install_missing; print(*install_missing())")
    assert again.returncode == 0 and "pandas" in again.stdout.split() and "torch" not in again.stdout.split()
    assert machine(VERSIONS).stdout.split() == [TORCH, "1.0", "1.0"]
    assert machine(colab.bootstrap("/nowhere/at/all.whl")).returncode == 0  # the course is there: nothing is installed


def test_an_address_is_cloned_and_a_file_is_taken_as_it_is():
    assert "'git+https://github.com/a/b'" in colab.bootstrap("https://github.com/a/b")
    assert "'/tmp/course.whl'" in colab.bootstrap("/tmp/course.whl")
    compile(colab.bootstrap("https://github.com/a/b"), "cell", "exec")


def test_where_nothing_is_missing_pip_is_not_called(monkeypatch):
    monkeypatch.setattr(colab, "_pip", lambda *a: pytest.fail("called pip"))
    monkeypatch.setattr(colab, "_installed", lambda: {colab._plain(name): "1" for name in colab._required()})
    assert colab.install_missing() == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ({"torch": "2.13.0"}, {}, "without torchvision"),
        ({"torch": "2.13.0", "torchvision": "0.28"}, {"torch": "2.15.0", "torchvision": "0.28"}, "exchanged torch"),
    ],
)
def test_what_would_harm_torch_is_refused(monkeypatch, before, after, message):
    states = iter((before, after))
    monkeypatch.setattr(colab, "_installed", lambda: next(states))
    monkeypatch.setattr(colab, "_pip", lambda names, kept: None)
    with pytest.raises(ItmError, match=message):
        colab.install_missing()


def test_only_pythons_own_library_and_errors_are_imported():
    code = (
        "import sys, itm_tutorial.course.colab; print([m for m in ('torch', 'numpy', 'pydantic') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
