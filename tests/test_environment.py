"""What has to be installed stands in three files, and they agree: pyproject.toml, environment.yml, constraints.txt."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch"}  # where conda-forge has another name for a package
OF_CONDA_ALONE = {"python", "pip"}
OF_CHOICE = ("parse",)  # extras that the course does without; whoever wants one installs it with pip


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def bare(requirement):
    """The name of a package without its versions and extras, as installers compare names."""
    return re.split(r"[\s\[<>=!~;]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def direct_dependencies(text, without=()):
    """Every package that pyproject.toml asks for, those of the extras too."""
    project = tomllib.loads(text)["project"]
    extras = [packages for name, packages in project["optional-dependencies"].items() if name not in without]
    return {bare(r) for r in [*project["dependencies"], *(r for extra in extras for r in extra)]}


def conda_packages(text):
    """Every package that environment.yml installs by name, with conda or with pip."""
    lines = yaml.safe_load(text)["dependencies"]
    by_pip = [line for entry in lines if isinstance(entry, dict) for line in entry["pip"]]
    by_conda = [line for line in lines if isinstance(line, str)]
    return {bare(line) for line in [*by_conda, *by_pip] if not line.startswith("-e")} - OF_CONDA_ALONE


def uncommented(text):
    """The packages of environment.yml that do not say what they are for."""
    lines = [line.strip() for line in text.partition("\ndependencies:")[2].splitlines() if line.strip()]
    return [line for line in lines if "#" not in line and line not in ("- pip", "- pip:", "- -e .")]


def loose(text):
    """The lines of constraints.txt that are no exact version from the package index."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)]


def test_conda_and_pip_install_the_same():
    wanted = {CONDA_NAMES.get(name, name) for name in direct_dependencies(read("pyproject.toml"), OF_CHOICE)}
    assert conda_packages(read("environment.yml")) == wanted


def test_every_package_says_what_it_is_for():
    assert uncommented(read("environment.yml")) == []


def test_constraints_pin_every_direct_dependency_exactly():
    text = read("constraints.txt")
    assert loose(text) == []
    pinned = [bare(line) for line in text.splitlines() if "==" in line]
    assert len(pinned) == len(set(pinned))
    assert direct_dependencies(read("pyproject.toml")) - set(pinned) == set()


def test_python_is_3_11_or_newer_everywhere():
    assert tomllib.loads(read("pyproject.toml"))["project"]["requires-python"] == ">=3.11"
    assert yaml.safe_load(read("environment.yml"))["dependencies"][0] == "python=3.11"
    assert "Python 3.11 or newer" in read("README.md")


@pytest.mark.parametrize(
    "line",
    [
        "torch",
        "torch>=2.0",
        "torch==2.1.0+cpu",
        "torch @ https://example.org/torch.whl",
        "--index-url https://a.org",
        "a==",
    ],
)
def test_a_loose_constraint_would_be_found(line):
    assert loose(f"# versions\nnumpy==2.0.1\n{line}\n") == [line]


def test_what_differs_would_be_found():
    project = '[project]\ndependencies = ["Torch>=2"]\n[project.optional-dependencies]\nlab = ["jupyter_lab[x]==1"]\n'
    assert direct_dependencies(project) == {"torch", "jupyter-lab"}
    assert direct_dependencies(project, without=("lab",)) == {"torch"}
    by_pip = "  - pip:\n      - tqdm>1  # bars\n      - -e .\n"
    conda = f"name: a\ndependencies:\n  - python=3.11  # it\n  - pip\n  - numpy\n{by_pip}"
    assert conda_packages(conda) == {"numpy", "tqdm"}
    assert uncommented(conda) == ["- numpy"]
