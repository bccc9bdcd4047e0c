"""What a kept seed depends on: the files that its figures come from, and no others."""

import re
import shutil
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import itm_tutorial as itm
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.dependencies import CANNOT_MOVE_A_NUMBER, PACKAGE, definitions, digest, sources
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.measures import mean_of_scores, rsum
from itm_tutorial.chapters.runner import figures_of_seed
from itm_tutorial.errors import ItmError

NAMES = itm.claims.list_claims()
START_HERE = find("start_here")
NEW_MODEL = """
from itm_tutorial.models.vse import VSE
from itm_tutorial.models._registry import register_model

@register_model(chapter="99")
class Newcomer(VSE):
    pass
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package's sources, to be changed."""
    ignored = shutil.ignore_patterns("__pycache__", "*.csv", "*.json")
    return shutil.copytree(PACKAGE, tmp_path / "itm_tutorial", ignore=ignored)


def edit(file, change):
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def test_a_copy_has_the_digests_of_the_original_and_a_new_model_voids_none(package):
    before = {name: digest(find(name)) for name in NAMES}
    assert len(set(before.values())) == len(before)
    assert {name: digest(find(name), package) for name in NAMES} == before
    (package / "models" / "newcomer.py").write_text(NEW_MODEL, encoding="utf-8")
    (package / "losses" / "newcomer.py").write_text("MARGIN = 0.2\n", encoding="utf-8")
    assert {name: digest(find(name), package) for name in NAMES} == before


@pytest.mark.parametrize(
    "name",
    [
        "models/bow.py",
        "models/vse.py",
        "models/_base.py",
        "models/_factory.py",
        "chapters/runner.py",
        "chapters/measures.py",
        "training/loop.py",
        "training/samplers.py",
        "retrieval/scoring.py",
        "evaluation/retrieval_metrics.py",
        "evaluation/minimal_pairs.py",
        "encoders/text.py",
        "losses/ranking.py",
        "data/text.py",
        "data/loading.py",
        "extraction/features.py",
        "pretraining/backbone.py",
        "worlds/scenes/grammar.py",
        "worlds/streams.py",
    ],
)
def test_a_change_in_the_closure_voids(package, name):
    before = digest(START_HERE, package)
    within = "def load_corpus(" if name == "data/loading.py" else "\nfrom "
    edit(package / name, lambda text: text.replace(within, f"\nif True:\n    print()\n{within}", 1))
    if name == "data/loading.py":  # a new statement that loads nothing does not count there
        edit(package / name, lambda text: text.replace("return _LOADERS[name](", "return _LOADERS[str(name)]("))
    assert digest(START_HERE, package) != before


@pytest.mark.parametrize(
    ("name", "old", "voids"),
    [
        ("training/samplers.py", 'raise ItmError(f"per_identity is', False),
        ("training/samplers.py", "chosen = by_image[first]", True),
        ("training/siblings.py", "at_once = min(", False),
        ("losses/structure.py", "return ", False),
        ("models/vse.py", "self.image_encoder = ", True),
        ("training/loop.py", "return ", True),
    ],
)
def test_a_definition_counts_with_what_it_uses_and_not_with_its_neighbours(package, name, old, voids):
    before = digest(START_HERE, package)
    edit(package / name, lambda text: text.replace(old, f"changed = 1; {old}", 1))
    assert "changed = 1; " in (package / name).read_text(encoding="utf-8")
    assert (digest(START_HERE, package) != before) == voids


def test_a_sampler_counts_where_a_recipe_or_an_arm_names_it():
    assert "siblings" in definitions(find("spe"))["training.siblings"]
    assert "training.siblings" not in sources(START_HERE)
    own = replace(START_HERE, arms=(Arm("a", "bow", fit={"sampler": "siblings"}),), effects=())
    assert "training.siblings" in sources(own)


@pytest.mark.parametrize(
    "name",
    [
        "models/scan.py",
        "models/timam.py",
        "models/vsepp.py",
        "chapters/ch00_start_here/claims.py",
        "chapters/ch00_start_here/exercises.py",
        "chapters/ch03_scan/claims.py",
        "chapters/ch03_scan/measures.py",
        "chapters/effects.py",
        "chapters/verdict.py",
        "evaluation/grounding.py",
        "losses/projection.py",
        "data/readers/flickr8k.py",
        "show/figures.py",
        "course/leaderboard.py",
        "literature/reported.py",
        "cli/models.py",
        "errors.py",
        "progress.py",
        "__init__.py",
    ],
)
def test_a_change_elsewhere_does_not(package, name):
    before = digest(START_HERE, package)
    edit(package / name, lambda text: text + "\nCHANGED = 1\n")
    assert digest(START_HERE, package) == before


WRITTEN = '''"""About."""
import torch

class A:
    """What it is."""

    x: int = 1

    def f(self, x: int) -> int:
        """What it does."""
        return x + 1
'''


@pytest.mark.parametrize(
    ("old", "new", "voids"),
    [
        ("About", "Other words", False),
        ("What it is", "Other words", False),
        ("What it does", "Other words", False),
        ("import torch\n", "import torch  # a comment\n\n\n# another\n", False),
        ("x + 1", "(x\n            + 1)", False),
        ("x: int)", "x: float)", False),
        ("-> int", "-> float", False),
        ("x + 1", "x + 2", True),
        ("x + 1", "x + True", True),
        ("x + 1", "x - 1", True),
        ("x + 1", "x + 1\n\n    y = 2", True),
        ("int = 1", "int = 2", True),
        ("def f", "def g", True),
        ("class A:", "class A(dict):", True),
        ("import torch", "import math", True),
        ("import torch", "from itm_tutorial.losses.projection import cmpm", True),
    ],
)
def test_prose_types_and_layout_do_not_count_and_code_does(package, old, new, voids):
    file = package / "models" / "bow.py"
    file.write_text(WRITTEN, encoding="utf-8")
    before = digest(START_HERE, package)
    file.write_text(WRITTEN.replace(old, new, 1), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != WRITTEN
    assert (digest(START_HERE, package) != before) == voids


def test_a_new_world_voids_nothing_and_the_claims_own_world_does(package):
    loading, before = package / "data" / "loading.py", digest(START_HERE, package)
    edit(
        loading,
        lambda text: text.replace('    "scenes": _scenes,\n', '    "scenes": _scenes,\n    "new": _new,\n').replace(
            "def _people(", "def _new(size, seed):\n    from itm_tutorial.worlds import new\n\n\ndef _people("
        ),
    )
    assert '"new": _new' in loading.read_text(encoding="utf-8")
    assert digest(START_HERE, package) == before
    edit(loading, lambda text: text.replace("def _objects(size: str, seed: int,", "def _objects(size: str, seed=0,"))
    assert digest(START_HERE, package) == before  # the loader of another claim's world
    assert digest(find("devise"), package) != digest(find("devise"))
    edit(loading, lambda text: text.replace("image_of=torch.tensor(made.image_of)", "image_of=made.image_of", 1))
    assert digest(START_HERE, package) != before  # in the function that makes a split of scenes


def test_worlds_are_those_of_the_claims_corpora():
    assert "worlds.objects.world" in sources(find("devise")) and "worlds.objects.world" not in sources(START_HERE)
    assert {"worlds.people.world", "worlds.birds.world", "worlds.flowers.world"} <= set(sources(find("timam")))
    reader = replace(START_HERE, corpus="flickr8k")
    assert "data.readers.flickr8k" in sources(reader) and "data.readers.flickr8k" not in sources(START_HERE)


def test_networks_and_worlds_that_no_arm_reads_do_not_count():
    closure = set(sources(START_HERE))
    assert not any(module.startswith(("worlds.people", "worlds.birds", "worlds.objects")) for module in closure)
    assert not closure & {"pretraining.bert", "pretraining.word_vectors"} and "pretraining.backbone" in closure
    assert "pretraining.bert" in sources(find("timam")) and "pretraining.word_vectors" in sources(find("devise"))


def test_models_are_those_of_the_arms():
    own = {name for name in sources(START_HERE) if re.match(r"models\.[a-z]", name)}
    assert own == {"models.bow", "models.vse"}
    assert {"models.vsepp", "models.vse", "models.order"} <= set(sources(find("vsepp")))
    assert "models.cmpl" in sources(find("timam"))  # also because timam imports from it


@pytest.mark.parametrize("name", NAMES)
def test_functions_of_a_claim_stand_outside_of_claims(name):
    """Else a new claim of the chapter would void its neighbours."""
    assert [module for module in sources(find(name)) if module.endswith(".claims")] == []


@pytest.mark.parametrize("name", ["start_here", "spe"])
def test_whatever_runs_is_in_the_closure(name):
    """Against the calls of a run: each function of the package that it enters, or the class of a method."""
    entered = set()

    def note(frame, event, _):
        if event == "call" and str(frame.f_code.co_filename).startswith(f"{PACKAGE}/"):
            entered.add((frame.f_code.co_filename, frame.f_code.co_qualname.partition(".")[0]))

    claim, before = find(name), sys.getprofile()
    sys.setprofile(note)
    try:
        figures_of_seed(claim, 0, "tiny")
    finally:
        sys.setprofile(before)
    known, unknown = definitions(claim), set()
    for file, definition in entered:
        module = ".".join(Path(file).relative_to(PACKAGE).with_suffix("").parts)
        module = "" if module == "__init__" else module.removesuffix(".__init__")
        counts = module not in CANNOT_MOVE_A_NUMBER and not definition.startswith("<")  # <module>: a file's import
        if counts and definition not in known.get(module, ()):
            unknown.add(f"{module}.{definition}")
    assert len(entered) > 100 and not unknown


def test_the_package_imports_by_whole_names():
    """A closure follows no relative import, so there must be none."""
    for file in PACKAGE.rglob("*.py"):
        assert not re.search(r"^\s*from \.", file.read_text(encoding="utf-8"), re.MULTILINE), file


def test_no_file_of_a_closure_imports_by_a_string():
    """A closure cannot follow that. The registry imports models by their names, and the arms name these."""
    by_string = set()
    for module in set().union(*(sources(find(name)) for name in NAMES)):
        file = PACKAGE.joinpath(*module.split("."))
        file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
        if "import_module" in (text := file.read_text(encoding="utf-8")) or "__import__" in text:
            by_string.add(module)
    assert by_string == {"models._registry"}


@pytest.mark.parametrize(
    "change",
    [
        {"corpus": "people"},
        {"configuration": {"image_size": 64}},
        {"measures": (rsum,)},
        {"arms": START_HERE.arms[:-1]},
        {"arms": (*START_HERE.arms[:-1], Arm("vse", "vse", {"dim": 8}))},
        {"arms": (*START_HERE.arms[:-1], Arm("vse", "vse", fit={"epochs": 1}))},
    ],
)
def test_another_declaration_of_what_is_trained_voids(change):
    effects = tuple(e for e in START_HERE.effects if "vse" not in e.arms) if "arms" in change else START_HERE.effects
    assert digest(replace(START_HERE, **change, effects=effects)) != digest(START_HERE)


def test_names_and_effects_do_not_count():
    assert digest(replace(START_HERE, name="another", effects=())) == digest(START_HERE)


def test_what_cannot_be_told_apart_in_another_process_is_refused():
    def claim(**arm):
        return Claim("toy", "scenes", (Arm("a", "bow", **arm),), (rsum,), ())

    whole, half = (claim(measures=(partial(mean_of_scores, arms),)) for arms in (("a", "b"), ("a",)))
    assert digest(whole) != digest(half)
    with pytest.raises(ItmError, match="define it with a name in the chapter's measures.py"):
        digest(claim(measures=(lambda trained: {},)))
    with pytest.raises(ItmError, match="declare it with plain data"):
        digest(claim(options={"seen": {1, 2}}))


def test_a_branch_behind_a_hook_counts_only_where_a_class_provides_it(package):
    """Features of a model's own network are computed in ``extraction``, which every claim needs."""
    other, own = START_HERE, replace(START_HERE, arms=(Arm("published", "dual_encoder"),), effects=())
    file = package / "extraction" / "features.py"
    assert "def _network_chunks" in file.read_text(encoding="utf-8")
    before = [digest(claim, package) for claim in (other, own)]
    edit(file, lambda text: text.replace('spec.kind != "pixels")', 'spec.kind != "global")'))  # in _network_chunks
    after = [digest(claim, package) for claim in (other, own)]
    assert after[0] == before[0] and after[1] != before[1]
    assert "_network_chunks" in definitions(own)["extraction.features"]
    assert "_network_chunks" not in definitions(other)["extraction.features"]
    edit(file, lambda text: text.replace('provides(spec, "extract")', 'hasattr(spec, "extract")'))  # an ordinary branch
    assert digest(other, package) != before[0]
    assert "_network_chunks" in definitions(other, package)["extraction.features"]


def test_what_stands_beside_a_hook_counts_in_any_case(package):
    file = package / "extraction" / "features.py"
    added = '    if provides(spec, "nobody_has_this"):\n        return 1\n'
    before = digest(START_HERE, package)
    edit(
        file,
        lambda text: text.replace(
            '    if spec.kind == "regions":\n        return region_chunks',
            added + '    if spec.kind == "regions":\n        return region_chunks',
        ),
    )
    assert (
        'provides(spec, "nobody_has_this")' in file.read_text(encoding="utf-8")
        and digest(START_HERE, package) == before
    )
    edit(file, lambda text: text.replace(added, added + "    else:\n        spec = None\n"))
    assert digest(START_HERE, package) != before
