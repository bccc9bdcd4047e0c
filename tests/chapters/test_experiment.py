"""Claims are found, run, kept and read back: a killed run goes on, and a damaged file is refused with its key."""

import copy
import json
import subprocess
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

import itm_tutorial as itm
from itm_tutorial.chapters import dependencies, experiment, runner
from itm_tutorial.errors import ItmError

ROOT = Path(__file__).parents[2]
FILES = sorted(set(experiment._files().values()))  # claims.py of a chapter, or one of its folder of claims


@pytest.fixture
def trained(monkeypatch):
    """A stand-in for training -> (seed, size) of every seed that it was asked for."""
    asked = []

    def figures_of_seed(claim, seed, size):
        asked.append((seed, size))
        return [{"seed": seed, "model": arm.name, "rsum": 100.0 + seed} for arm in claim.arms]

    monkeypatch.setattr(runner, "figures_of_seed", figures_of_seed)
    monkeypatch.setattr(experiment, "effects_of", lambda effects, rows: [])
    return asked


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A copy of what is kept of start_here, to be damaged -> the file and its content."""
    file = tmp_path / "results.json"
    content = {"start_here": copy.deepcopy(itm.claims.results("start_here"))}
    monkeypatch.setattr(experiment, "results_file", lambda name: file)
    return file, content


def test_claims_are_found_in_their_files():
    assert set(itm.claims.list_claims()) >= {"start_here", "devise", "vsepp", "second_stage", "scan", "timam"}
    assert experiment.find("second_stage").name == "second_stage"
    assert experiment.results_file("second_stage").parent.name == "ch02_vsepp"
    for use in (itm.claims.run, itm.claims.results, experiment.find):
        with pytest.raises(ItmError, match="unknown claim 'start_hear': did you mean 'start_here'"):
            use("start_hear")


@pytest.mark.parametrize("file", FILES, ids=str)
def test_names_read_from_the_text_are_those_of_the_claims(file):
    claims = import_module(".".join(["itm_tutorial.chapters", *file.with_suffix("").parts])).CLAIMS
    assert [claim.name for claim in claims] == [n for n, own in experiment._files().items() if own == file]


def test_a_claim_that_cannot_be_found_by_its_name_is_refused(tmp_path):
    def write(file, text):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
        return Path(file)

    first = write("ch10_a/claims.py", 'CLAIMS = (\n Claim(name="b"),\n Claim(name="a"))')
    assert experiment._files.__wrapped__(tmp_path) == {"b": first, "a": first}
    write("ch11_b/claims/dvsa.py", 'CLAIMS = (Claim(name="a"),)')
    with pytest.raises(ItmError, match="claims.py has a claim 'a' too"):
        experiment._files.__wrapped__(tmp_path)
    write("ch11_b/claims/dvsa.py", "CLAIMS = (\nClaim(name=NAME),)")
    with pytest.raises(ItmError, match=r"dvsa.py line 2: write Claim\(name="):
        experiment._files.__wrapped__(tmp_path)


def test_a_chapter_of_a_family_keeps_one_file_of_claims_and_of_results_per_method(tmp_path, monkeypatch):
    folder = tmp_path / "ch11_b"
    (folder / "claims").mkdir(parents=True)
    for method in ("dvsa", "cite"):
        (folder / "claims" / f"{method}.py").write_text(f'CLAIMS = (Claim(name="{method}"),)', encoding="utf-8")
    (folder / "claims" / "__init__.py").write_text('"""Claims, one file per method."""', encoding="utf-8")
    found = experiment._files.__wrapped__(tmp_path)
    assert list(found) == ["cite", "dvsa"]
    monkeypatch.setattr(experiment, "CHAPTERS", tmp_path)
    monkeypatch.setattr(experiment, "_files", lambda: found)
    assert experiment.results_file("dvsa") == folder / "results" / "dvsa.json"
    assert experiment.overview("dvsa") == {"chapter": "ch11_b"} and not experiment.was_run("dvsa")


def test_the_list_and_its_table_import_no_torch():
    code = (
        "import sys; from itm_tutorial.chapters.experiment import list_claims, overview; "
        "print([overview(name)['seeds'] for name in list_claims()], 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.endswith("] False\n"), run.stderr


def test_a_killed_run_goes_on_at_the_seed_that_it_was_killed_in(tmp_path, trained, monkeypatch):
    train, killed_in = runner.figures_of_seed, {1}

    def figures_of_seed(claim, seed, size):
        if seed in killed_in:
            raise KeyboardInterrupt
        return train(claim, seed, size)

    monkeypatch.setattr(runner, "figures_of_seed", figures_of_seed)
    run = partial(itm.claims.run, "start_here", folder=tmp_path / "claims")
    with pytest.raises(KeyboardInterrupt):
        run()
    killed_in.clear()
    assert [row["rsum"] for row in run()["figures"] if row["model"] == "vse"] == [100.0, 101.0, 102.0]
    assert trained == [(0, "mini"), (1, "mini"), (2, "mini")]  # seed 0 once
    run(size="tiny", seeds=(0,))
    assert trained.pop() == (0, "tiny")  # another size is another run
    assert len(list((tmp_path / "claims").iterdir())) == 4
    itm.claims.run("start_here")  # without a folder nothing is kept
    assert len(trained) == 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: "[",
        lambda record: 0,
        lambda record: {**record, "figures": 1},
        lambda record: {**record, "figures": []},
        lambda record: {**record, "figures": record["figures"][1:]},
        lambda record: {**record, "figures": [*record["figures"][:-1], 7]},
        lambda record: {**record, "figures": [{**row, "rsum": float("nan")} for row in record["figures"]]},
        lambda record: {**record, "made_by": {**record["made_by"], "torch": "0.1"}},
        lambda record: {**record, "made_by": {**record["made_by"], "sources": "0" * 16}},
    ],
)
def test_a_seed_that_is_damaged_or_of_other_sources_is_trained_again(tmp_path, trained, damage):
    run = partial(itm.claims.run, "start_here", seeds=(0,), folder=tmp_path)
    found, (file,) = run(), tmp_path.iterdir()
    assert run()["figures"] == found["figures"] and len(trained) == 1
    record = damage(json.loads(file.read_text(encoding="utf-8")))
    file.write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
    assert run()["figures"] == found["figures"] and len(trained) == 2
    assert run()["figures"] == found["figures"] and len(trained) == 2  # whole again


def test_a_seed_whose_values_are_no_numbers_is_refused_with_its_place(tmp_path, trained, monkeypatch):
    monkeypatch.undo()  # the effects as they are
    file = tmp_path / "start_here-mini-seed-{}.json"
    made_by = {"sources": dependencies.digest(experiment.find("start_here"))}
    monkeypatch.setattr(experiment, "provenance", lambda: {})
    rows = [{"model": arm.name, "rsum": {"a": 1}} for arm in experiment.find("start_here").arms]
    for seed in (0, 1):
        record = {"made_by": {"size": "mini", **made_by}, "figures": [{"seed": seed, **row} for row in rows]}
        Path(str(file).format(seed)).write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ItmError, match=f"{tmp_path}.*figures of 'vse', seed 0: rsum is not a number"):
        itm.claims.run("start_here", seeds=(0, 1), folder=tmp_path)


def remove_rows(content, *models):
    content["figures"] = [r for r in content["figures"] if not (r["seed"] == 1 and r["model"] in models)]


DAMAGES = {
    "the root is a list": (lambda all_, one: [], "the root is a list"),
    "the root is 0": (lambda all_, one: 0, "the root is a number"),
    "the claim is a list": (lambda all_, one: {"start_here": []}, "start_here is a list"),
    "figures=1": (lambda all_, one: one.update(figures=1), "start_here.figures is a number and not a list"),
    "no figures": (lambda all_, one: one.pop("figures"), "start_here.figures is missing"),
    "all rows deleted": (lambda all_, one: one.update(figures=[]), "start_here.figures is empty"),
    "a row is 7": (lambda all_, one: one["figures"].insert(2, 7), r"figures\[2\] is a number and not an object"),
    "no model": (lambda all_, one: one["figures"][3].pop("model"), r"figures\[3\].model is missing"),
    "a row deleted": (lambda all_, one: remove_rows(one, "bow"), "lacks a row of 'bow' for seed 1, which seed 0 has"),
    "a seed deleted": (
        lambda all_, one: remove_rows(one, "ceiling", "untrained", "bow", "vse"),
        r"effects\[0\].values has 5 values, but there are figures of 4 seeds",
    ),
    "an object": (
        lambda all_, one: one["figures"][6].update(rsum={"a": 1}),
        r"figures\[6\].rsum is an object, but .*figures\[2\].rsum is a number",
    ),
    "a text": (lambda all_, one: one["figures"][6].update(rsum="1"), r"figures\[6\].rsum is a text, but"),
    "a key deleted": (lambda all_, one: one["figures"][6].pop("rsum"), r"figures\[6\] lacks the key 'rsum'"),
    "NaN": (lambda all_, one: one["figures"][6].update(rsum=float("nan")), r"figures\[6\].rsum is no finite number"),
    "a huge int": (lambda all_, one: one["figures"][6].update(rsum=10**400), r"figures\[6\].rsum is no finite number"),
    "a NaN further down": (
        lambda all_, one: one["figures"][6]["minimal_pairs"].update(binding=float("inf")),
        r"figures\[6\].minimal_pairs.binding is no finite number",
    ),
    "effects=1": (lambda all_, one: one.update(effects=1), "start_here.effects is a number"),
    "an effect's value": (
        lambda all_, one: one["effects"][1]["values"].__setitem__(0, {"a": 1}),
        r"effects\[1\].values\[0\] is an object and not a number",
    ),
    "a verdict": (lambda all_, one: one["effects"][1].update(verdict="yes"), r"effects\[1\].verdict is 'yes'"),
    "no date": (lambda all_, one: one["provenance"].pop("date"), "provenance.date is missing"),
    "provenance": (lambda all_, one: one.update(provenance=[]), "provenance is a list"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused_with_its_name_and_the_key(kept, name):
    (file, content), (damage, message) = kept, DAMAGES[name]
    file.write_text(json.dumps(content), encoding="utf-8")
    assert itm.claims.results("start_here") == content["start_here"]  # whole
    replaced = damage(content, content["start_here"])
    file.write_text(json.dumps(content if name not in list(DAMAGES)[:3] else replaced), encoding="utf-8")
    for read in (itm.claims.results, experiment.overview, experiment.state):
        with pytest.raises(ItmError, match=message) as refused:
            read("start_here")
        assert str(refused.value).startswith(str(file))


def test_claims_are_kept_beside_each_other_and_never_in_another_sort_of_file(tmp_path):
    file = tmp_path / "claims.json"
    itm.claims.keep("a", {"figures": 1}, file)
    itm.claims.keep("b", {"figures": 2}, file)
    itm.claims.keep("a", {"figures": 3}, file)
    assert json.loads(file.read_text(encoding="utf-8")) == {"a": {"figures": 3}, "b": {"figures": 2}}
    for root in ("0", "[]", '"text"', "null", "{"):
        file.write_text(root, encoding="utf-8")
        with pytest.raises(ItmError, match=str(file)):
            itm.claims.keep("a", {"figures": 1}, file)
        assert file.read_text(encoding="utf-8") == root


def test_only_a_run_makes_kept_figures_current(kept, trained, monkeypatch):
    file, content = kept
    assert experiment.state("start_here") == "never run"
    assert experiment.overview("start_here").keys() == {"chapter"}
    file.write_text(json.dumps(content), encoding="utf-8")
    assert experiment.state("start_here") == "untracked"
    assert experiment.overview("start_here")["seeds"] == 5
    itm.claims.keep("start_here", itm.claims.run("start_here"), file)
    assert experiment.state("start_here") == "current"
    monkeypatch.setattr(dependencies, "digest", lambda claim: "0" * 16)
    assert experiment.state("start_here") == "changed"
    itm.claims.keep("start_here", itm.claims.run("start_here"), file)
    assert experiment.state("start_here") == "current"
