"""Imports run downwards only, and importing the package costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "itm_tutorial"
FLOORS = [  # wing -> its modules, from the ground up; a file may import from floors below, or from its own wing
    {"ground": ("errors", "progress", "storage")},
    {"literature": ("literature",), "worlds": ("worlds",)},
    {"data": ("data",)},
    {"encoders": ("encoders",), "interaction": ("interaction",), "losses": ("losses",)},
    {"pretraining": ("pretraining",)},
    {"models": ("models",)},
    {"extraction": ("extraction",)},
    {"retrieval": ("retrieval",), "evaluation": ("evaluation",)},
    {"training": ("training",)},
    {"show": ("show",), "leaderboard": ("course.leaderboard", "course.leaderboard_row")},
    {"chapters": ("chapters",)},
    {"course": ("course", "cli")},
]


def floor_of(module):
    """Floor and wing of a module; the longest matching name decides."""
    fitting = [
        (len(prefix), height, wing)
        for height, wings in enumerate(FLOORS)
        for wing, prefixes in wings.items()
        for prefix in prefixes
        if module == prefix or module.startswith(prefix + ".")
    ]
    return max(fitting)[1:] if fitting else None


def imports(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("itm_tutorial."):
                    yield alias.name.removeprefix("itm_tutorial.")
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("itm_tutorial."):
            yield node.module.removeprefix("itm_tutorial.")


def test_imports_run_downwards():
    upwards = []
    for file in PACKAGE.rglob("*.py"):
        module = ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        own = floor_of(module)
        if own is None:
            assert module == "__init__", f"{module} stands on no floor: give it one in FLOORS"
            continue
        for other in imports(file):
            height, part = floor_of(other)
            if height >= own[0] and part != own[1]:
                upwards.append(f"{module} imports {other}")
    assert upwards == []


def test_worlds_know_no_torch():
    for file in (PACKAGE / "worlds").rglob("*.py"):
        assert "import torch" not in file.read_text(encoding="utf-8")


HEAVY = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "transformers", "typer", "PIL", "safetensors")


def test_importing_the_package_loads_nothing_heavy():
    """What costs time is what is loaded, so that is what is checked: it is the same on a slow machine."""
    code = "import sys; before = set(sys.modules); import itm_tutorial; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "itm_tutorial" in loaded and not {name.partition(".")[0] for name in loaded} & set(HEAVY)
    assert [name for name in loaded if name.startswith("itm_tutorial.")] == []


def test_the_loop_waits_for_no_library_that_it_has_no_use_for():
    code = (
        "import sys; from itm_tutorial.training.loop import choose_precision; choose_precision('cpu', 'auto'); "
        "print(*{'transformers', 'torchmetrics', 'pandas'} & set(sys.modules), sep=', ')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


def test_every_public_name_is_there():
    import itm_tutorial as itm

    for name in itm.__all__:
        assert getattr(itm, name) is not None


def test_the_folders_and_files_are_the_planned_ones():
    loose = sorted(file.name for file in PACKAGE.glob("*.py") if file.name != "__init__.py")
    assert len(loose) <= 5, loose
    assert len(FLOORS) <= 12
    long = {str(f.relative_to(PACKAGE)): n for f in PACKAGE.rglob("*.py") if (n := f.read_text().count("\n")) > 450}
    assert [name for name in long if not name.startswith("worlds/")] == []


def test_earlier_public_names_still_work():
    import itm_tutorial as itm

    assert itm.evaluate_siblings is itm.evaluate_minimal_pairs
    assert itm.evaluate_codes is itm.evaluate_embeddings
    with pytest.raises(AttributeError, match="exercises are in itm_tutorial.chapters"):
        itm.lessons  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'$"):
        itm.nothing  # noqa: B018
