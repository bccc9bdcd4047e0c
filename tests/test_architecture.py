"""Imports run downwards only, and importing the package costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "itm_tutorial"
FLOORS = [  # from the ground up; a file may import from floors below its own, or from its own folder
    ("errors", "progress"),
    ("storage", "literature"),
    ("data.corpus", "data.worlds", "data.text", "data.word_vectors", "encoders", "interaction", "losses"),
    ("metrics", "class_metrics", "modality", "batch_plans", "data.readers"),
    ("data.loading", "published_bert"),
    ("word_training", "bert_training"),
    ("models",),
    ("pretraining",),
    ("region_training",),
    ("regions",),
    ("visual_features",),
    ("siblings", "retrieval", "checkpoints", "finetuning", "attention"),
    ("training", "leaderboard"),
    ("show", "lessons", "claims"),
    ("course", "doctor", "model_cards"),
    ("sweep",),
    ("cli",),
]


def floor_of(module):
    """Height and part of a module, or None."""
    for height, names in enumerate(FLOORS):
        for name in names:
            if module == name or module.startswith(name + "."):
                return height, name
    return None


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
            assert module in ("__init__", "data"), f"{module} stands on no floor: give it one in FLOORS"
            continue
        for other in imports(file):
            height, part = floor_of(other)
            if height >= own[0] and part != own[1]:
                upwards.append(f"{module} imports {other}")
    assert upwards == []


def test_worlds_know_no_torch():
    for file in (PACKAGE / "data" / "worlds").rglob("*.py"):
        assert "import torch" not in file.read_text(encoding="utf-8")


def test_importing_the_package_is_quick_and_loads_no_torch():
    code = (
        "import time; t = time.perf_counter(); import itm_tutorial, sys; "
        "print('torch' in sys.modules, time.perf_counter() - t < 0.5)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split() == [
        "False",
        "True",
    ]


def test_the_loop_waits_for_no_library_that_it_has_no_use_for():
    code = (
        "import sys; from itm_tutorial.training import _fabric; _fabric('cpu', 'auto'); "
        "print(*{'transformers', 'torchmetrics', 'pandas'} & set(sys.modules), sep=', ')"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (told.returncode, told.stdout.strip()) == (0, ""), told.stderr


def test_every_public_name_is_there():
    import itm_tutorial as itm

    for name in itm.__all__:
        assert getattr(itm, name) is not None
