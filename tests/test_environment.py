"""Every file that says what to install agrees with pyproject.toml: for conda, for pip, for uv and for a container."""

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

import itm_tutorial

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch"}  # where conda-forge has another name for a package
OF_CONDA_ALONE = {"python", "pip"}
OF_CHOICE = ("parse", "otter")  # extras that the course does without; whoever wants one installs it with pip
INDEX = "https://pypi.org/simple"
FILES = "files.pythonhosted.org"  # where the public index keeps its files


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
    """The lines of constraints.txt that are no exact version from the package index, perhaps for some Pythons only."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    exact = r'[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*(;python_full_version[<>]=?"[0-9.]+")?'
    return [line for line in lines if not re.fullmatch(exact, line)]


def exact_versions(text):
    """Package -> the version that constraints.txt pins."""
    lines = [line.partition(";")[0] for line in text.splitlines() if "==" in line]
    return {bare(line): line.partition("==")[2] for line in lines}


def requirements(text):
    """Package and extra ("" for none) of every requirement in pyproject.toml."""
    project = tomllib.loads(text)["project"]
    extras = {"": project["dependencies"], **project["optional-dependencies"]}
    return sorted((bare(r), extra) for extra, needed in extras.items() for r in needed)


def locked_requirements(text):
    """Package and extra of every requirement of the course in uv.lock."""
    (course,) = (package for package in tomllib.loads(text)["package"] if package["name"] == "itm-tutorial")
    needed = course["metadata"]["requires-dist"]
    return sorted((r["name"], r.get("marker", "").removeprefix("extra == ").strip("'\"")) for r in needed)


def locked_versions(text):
    """Package -> its versions in uv.lock; there are two where one does not run on every Python."""
    versions = {}
    for package in tomllib.loads(text)["package"]:
        versions.setdefault(package["name"], set()).add(package["version"])
    return versions


def foreign_addresses(text):
    """What uv.lock would fetch from elsewhere than the public package index."""
    urls = re.findall(r"[a-z+]+://[^\s\"']+", text)
    foreign = [url for url in urls if url != INDEX and (urlsplit(url).scheme, urlsplit(url).netloc) != ("https", FILES)]
    sources = [package["source"] for package in tomllib.loads(text)["package"] if package["name"] != "itm-tutorial"]
    return foreign + [str(source) for source in sources if set(source) != {"registry"}]


def test_conda_and_pip_install_the_same():
    wanted = {CONDA_NAMES.get(name, name) for name in direct_dependencies(read("pyproject.toml"), OF_CHOICE)}
    assert conda_packages(read("environment.yml")) == wanted


def test_every_package_says_what_it_is_for():
    assert uncommented(read("environment.yml")) == []


def test_constraints_pin_every_direct_dependency_exactly():
    text = read("constraints.txt")
    assert loose(text) == []
    pinned = [bare(line.partition(";")[0]) for line in text.splitlines() if "==" in line]
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
        "a==1;sys_platform",
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


def test_uv_locks_what_pyproject_asks_for():
    text = read("uv.lock")
    assert locked_requirements(text) == requirements(read("pyproject.toml"))
    assert tomllib.loads(text)["requires-python"] == tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]


def test_uv_and_pip_install_the_same_versions():
    locked, pinned = locked_versions(read("uv.lock")), exact_versions(read("constraints.txt"))
    assert {name: v for name, v in pinned.items() if v not in locked.get(name, {v})} == {}
    assert direct_dependencies(read("pyproject.toml")) <= locked.keys() & pinned.keys()


def test_uv_fetches_from_the_public_index_alone():
    text = read("uv.lock")
    assert foreign_addresses(text) == []
    assert text.count(f"https://{FILES}/") > 1000  # the addresses are there, and the pattern sees them


LOCK = """
[[package]]
name = "itm-tutorial"
version = "1"
source = { editable = "." }
[package.metadata]
requires-dist = [{ name = "torch" }, { name = "jupyter-lab", marker = "extra == 'lab'" }]

[[package]]
name = "torch"
version = "2.1"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.pythonhosted.org/packages/a/torch-2.1.whl" }]
"""


def test_a_lock_that_differs_would_be_found():
    project = '[project]\ndependencies = ["Torch>=2"]\n[project.optional-dependencies]\nlab = ["jupyter_lab"]\n'
    assert locked_requirements(LOCK) == requirements(project) == [("jupyter-lab", "lab"), ("torch", "")]
    assert requirements(project.replace("lab =", "test =")) != locked_requirements(LOCK)
    assert requirements(project.replace('"Torch>=2"', '"Torch", "numpy"')) != locked_requirements(LOCK)
    assert locked_versions(LOCK)["torch"] == {"2.1"}
    assert exact_versions('# all\nTorch==2.2\na_b==1;python_full_version>="3.12"\n') == {"torch": "2.2", "a-b": "1"}


@pytest.mark.parametrize(
    "address",
    [
        "http://pypi.org/simple",
        "https://pypi.org/simple/torch.whl",
        "https://mirror.example.org/simple",
        "https://files.pythonhosted.org.example.org/a.whl",
        "https://user:word@files.pythonhosted.org/a.whl",
        "file:///wheels/torch-2.1.whl",
        "git+https://example.org/torch",
    ],
)
@pytest.mark.parametrize("place", [INDEX, f"https://{FILES}/packages/a/torch-2.1.whl"])
def test_a_foreign_address_would_be_found(place, address):
    assert foreign_addresses(LOCK) == []
    assert foreign_addresses(LOCK.replace(place, address)) == [address]


def test_a_package_from_a_folder_would_be_found():
    text = LOCK.replace(f'{{ registry = "{INDEX}" }}', '{ directory = "../torch" }')
    assert foreign_addresses(text) == ["{'directory': '../torch'}"]


def targets(makefile):
    """The names that ``make`` knows."""
    return set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


def container_faults(text, makefile):
    """What is wrong with a description of a development container."""
    container = json.loads(text)
    words = container["postCreateCommand"].split()
    interpreter = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    (folder,) = re.findall(r"^BIN := (.+)$", makefile, flags=re.MULTILINE)
    checks = {
        "the command is no target of the Makefile": words[0] == "make" and set(words[1:]) <= targets(makefile),
        "the interpreter is not the one that make installs": interpreter.endswith(f"/{folder}/python"),
        "the port of JupyterLab is not forwarded": 8888 in container["forwardPorts"],
        "the image has no Python 3.11": container["image"].endswith("python:3.11"),
    }
    return [fault for fault, fine in checks.items() if not fine]


def test_the_container_installs_the_course():
    text = read(".devcontainer/devcontainer.json")
    assert container_faults(text, read("Makefile")) == []
    assert {"install", "test", "lab"} <= targets(read("Makefile"))


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("make install", "make everything", "no target"),
        ("make install", "uv sync", "no target"),
        ("/.venv/", "/venv/", "interpreter"),
        ("[8888]", "[8080]", "port"),
        ("python:3.11", "python:3.9", "image"),
    ],
)
def test_a_broken_container_would_be_found(right, wrong, fault):
    text = read(".devcontainer/devcontainer.json")
    assert right in text
    (found,) = container_faults(text.replace(right, wrong), read("Makefile"))
    assert fault in found


def citation_faults(text, version, licence):
    """What is wrong with a citation file, by the format CFF 1.2.0 and by the course."""
    cited = yaml.safe_load(text)
    required = ("cff-version", "message", "title", "authors")
    if missing := [key for key in required if not cited.get(key)]:
        return [f"no {key}" for key in missing]
    holder = re.search(r"^Copyright \(c\) \d{4} (.+)$", licence, flags=re.MULTILINE)[1]
    checks = {
        "another format": cited["cff-version"] == "1.2.0",
        "another version than the course": cited.get("version") == version,
        "no software": cited.get("type") == "software",
        "another licence": cited.get("license") == licence.split()[0],
        "other authors than the licence": [author.get("name") for author in cited["authors"]] == [holder],
        "a reference without type, title or authors": all(
            {"type", "title", "authors"} <= reference.keys() for reference in cited.get("references", [])
        ),
    }
    return [fault for fault, fine in checks.items() if not fine]


def test_the_citation_is_that_of_the_course():
    assert citation_faults(read("CITATION.cff"), itm_tutorial.__version__, read("LICENSE")) == []
    assert tomllib.loads(read("pyproject.toml"))["project"]["version"] == itm_tutorial.__version__


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("1.2.0", "1.1.0", "another format"),
        ("\nversion: ", "\nversion: 9.", "another version than the course"),
        ("MIT", "GPL-3.0-only", "another licence"),
        ("course authors", "survey authors", "other authors than the licence"),
        ("\ntitle:", "\nsubtitle:", "no title"),
    ],
)
def test_a_wrong_citation_would_be_found(right, wrong, fault):
    text = read("CITATION.cff")
    assert right in text
    assert citation_faults(text.replace(right, wrong, 1), itm_tutorial.__version__, read("LICENSE")) == [fault]
