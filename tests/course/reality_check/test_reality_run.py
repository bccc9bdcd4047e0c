"""The run of the reality check: resumed, shared by processes, retried, and its results gathered."""

import errno
import json
import shutil
import subprocess
import sys

import pytest

from itm_tutorial.chapters import dependencies
from itm_tutorial.course.reality_check import listing, protocol, run, store
from itm_tutorial.course.reality_check.protocol import Point, Setup
from itm_tutorial.course.reality_check.results import read_check
from itm_tutorial.errors import ItmError

TEST = {"rsum": 300.0, "i2t_r1": 30.0, "t2i_r1": 20.0}
TEST |= {"minimal_pairs": {"binding": 60.0}, "minimal_pair_queries": {"binding": 7}}


@pytest.fixture
def fake(monkeypatch):
    """A training of no time at all: ``fake.calls`` lists (model, seed, rate, epochs); ``fake.fails`` raises."""

    class Fake:
        calls, digests = [], {}

        def fails(self, point):
            pass

        def __call__(self, setup, point, corpus):
            assert corpus == point.seed
            self.fails(point)
            self.calls.append((point.model, point.seed, point.rate, point.epochs))
            test = None if point.seed == protocol.TUNING_SEED else {**TEST, "rsum": 300.0 + point.seed}
            validation = [100 + 10 * point.rate] * point.epochs
            return {"validation": validation, "seconds": 2.0, "parameters": 12, "test": test}

    made = Fake()
    made.calls, made.digests = [], {}
    needs_classes = ItmError("corpus 'scenes' has no classes")

    def make_model(setup, corpus, seed):
        if setup.model == "softmax":
            raise needs_classes

    monkeypatch.setattr(protocol, "train", made)
    monkeypatch.setattr(protocol, "make_model", make_model)
    monkeypatch.setattr(protocol, "setup_of", lambda model: Setup(model, "global", (1.0, 2.0, 3.0), 4, {"dim": 256}))
    lines = {"ceiling": {**TEST, "rsum": 590.0}, "chance": {**TEST, "rsum": 9.0}}
    monkeypatch.setattr(run, "lines_of", lambda size, seed: lines)
    monkeypatch.setattr(run, "corpus_of", lambda size, seed: seed)
    monkeypatch.setattr(run, "seconds_per_epoch", lambda setup, corpus: 5.0)
    monkeypatch.setattr(run, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(store, "sources", lambda model: made.digests.get(model, "first"))
    return made


def prepared(tmp_path, *models, **options):
    given = {"folder": tmp_path / "runs", "out": tmp_path / "check.json", "size": "tiny", "n_seeds": 2, **options}
    return run.prepare(models or ("bow", "vse"), **given)


OF_A_MODEL = [(7, 1.0, 4), (7, 2.0, 4), (7, 3.0, 4), (7, 3.0, 8), (0, 3.0, 4), (1, 3.0, 4)]


def test_a_run_trains_each_point_once_and_keeps_the_results(tmp_path, fake, capsys):
    assert prepared(tmp_path).run()
    assert fake.calls == [(model, *point) for model in ("bow", "vse") for point in OF_A_MODEL]
    kept = read_check(tmp_path / "check.json")
    assert list(kept["models"]) == ["bow", "vse"] and set(kept["lines"]) == {"0", "1"}
    bow = kept["models"]["bow"]
    assert (bow["rate"], bow["epochs"], bow["gain"], bow["still_rising"], bow["failed"]) == (3.0, 4, 0.0, False, "")
    assert [one["rsum"] for one in bow["tried"]] == [110.0, 120.0, 130.0, 130.0] and bow["parameters"] == 12
    assert [(one["seed"], one["test"]["rsum"]) for one in bow["trainings"]] == [(0, 300.0), (1, 301.0)]
    assert bow["provenance"]["sources"] == "first" and len(bow["provenance"]["date"]) == 10
    printed = capsys.readouterr().out.splitlines()
    assert "bow: seed 7, rate 1, 4 epochs: validation rsum 110.0; 2 s; " in printed[0]
    assert "on the test split 301.0" in printed[-1] and "0 s of computing left" in printed[-1]
    fake.calls.clear()
    assert prepared(tmp_path).run() and fake.calls == []  # all is there
    assert listing.summary(tmp_path / "check.json").splitlines()[0].split() == ["vse", "rsum", "300.5", "±", "0.7"]


def test_a_run_that_was_stopped_goes_on(tmp_path, fake):
    def stop(point):
        if point.seed == 1:
            raise KeyboardInterrupt

    fake.fails = stop
    with pytest.raises(KeyboardInterrupt):
        prepared(tmp_path, "bow").run()
    assert [call[1:] for call in fake.calls] == OF_A_MODEL[:5]
    assert read_check(tmp_path / "check.json")["models"] == {}  # no half of a model
    assert not list((tmp_path / "runs" / "unfinished").glob("*.started"))
    fake.fails = lambda point: None
    fake.calls.clear()
    assert prepared(tmp_path, "bow").run() and [call[1:] for call in fake.calls] == OF_A_MODEL[5:]


def test_a_changed_or_damaged_training_is_done_again_alone(tmp_path, fake):
    assert prepared(tmp_path).run()
    fake.calls.clear()
    fake.digests["vse"] = "second"
    check = prepared(tmp_path)
    run.estimate(check)
    rows = {row.split()[0]: row for row in listing.listing(check).splitlines()[1:3]}
    assert "done" in rows["bow"] and "changed since" in rows["vse"]
    assert check.run() and {call[0] for call in fake.calls} == {"vse"} and len(fake.calls) == 6
    assert read_check(tmp_path / "check.json")["models"]["vse"]["provenance"]["sources"] == "second"
    fake.calls.clear()
    for damage in ("{", "[]", '{"outcome": "trained"}'):
        (file,) = (tmp_path / "runs" / "bow").glob("*-seed-7-rate-2-*.json")
        file.write_text(damage)
        assert prepared(tmp_path).run()
    assert fake.calls == [("bow", 7, 2.0, 4)] * 3


def test_failures_are_reported_and_the_others_trained(tmp_path, fake, capsys):
    def fail(point):
        if point.model == "bow":
            raise ItmError("the loss is not finite at epoch 1")
        if point.seed == 0:
            raise RuntimeError("no memory\nand more")

    fake.fails = fail
    assert not prepared(tmp_path).run()
    kept = read_check(tmp_path / "check.json")["models"]
    assert kept["bow"]["failed"] == "the loss is not finite at epoch 1" and kept["bow"]["trainings"] == []
    assert [one["rsum"] for one in kept["bow"]["tried"]] == [None] * 3 and kept["bow"]["rate"] is None
    assert [one["message"] for one in kept["vse"]["trainings"]] == ["RuntimeError: no memory", ""]
    assert kept["vse"]["trainings"][0]["test"] is None and kept["vse"]["trainings"][1]["test"]["rsum"] == 301.0
    assert "bow: seed 7, rate 1, 4 epochs: failed: the loss is not finite at epoch 1" in capsys.readouterr().out
    assert "failed: RuntimeError: no memory" in listing.summary(tmp_path / "check.json")
    fake.fails = lambda point: None
    fake.calls.clear()
    assert not prepared(tmp_path).run() and fake.calls == []  # a failure is kept
    assert prepared(tmp_path, retry=True).run() and len(fake.calls) == 6 + 1
    assert read_check(tmp_path / "check.json")["models"]["bow"]["failed"] == ""


def test_a_fault_of_the_disk_is_no_failure_of_a_model(tmp_path, fake):
    def full(point):
        raise OSError(errno.ENOSPC, "no space")

    fake.fails = full
    with pytest.raises(OSError, match="no space"):
        prepared(tmp_path, "bow").run()

    def in_words(point):
        raise ItmError("cannot write x: the disk is full") from OSError(errno.ENOSPC, "no space")

    fake.fails = in_words
    with pytest.raises(ItmError, match="the disk is full"):
        prepared(tmp_path, "bow").run()
    assert not list((tmp_path / "runs" / "bow").glob("*")) and read_check(tmp_path / "check.json")["models"] == {}


def test_a_disk_that_is_full_when_a_result_is_kept_leaves_the_old_file(tmp_path, fake, monkeypatch):
    assert prepared(tmp_path, "bow").run()
    before = (tmp_path / "check.json").read_bytes()

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("itm_tutorial.storage.disk.flush", full)
    with pytest.raises(ItmError, match="the disk is full; free some space"):
        prepared(tmp_path).run()
    assert (tmp_path / "check.json").read_bytes() == before
    assert not [file for file in tmp_path.rglob("*.part-*")]


def test_a_training_that_kills_its_process_is_given_up(tmp_path, fake):
    check = prepared(tmp_path, "bow")
    point = Point("bow", "tiny", 7, 1.0, 4)
    check.check_folders()
    note = check.store.unfinished / f"bow-{point.stem}.started"
    note.write_text(str(run.KILLS - 1))
    with check.store.started(point) as kills:
        assert kills == run.KILLS - 1 and json.loads(note.read_text()) == run.KILLS
    assert not note.exists()
    note.write_text(str(run.KILLS))
    assert check.run()
    tried = read_check(tmp_path / "check.json")["models"]["bow"]["tried"]
    assert "its process was killed 3 times" in tried[0]["message"] and tried[1]["message"] == ""
    assert ("bow", 7, 1.0, 4) not in fake.calls


def test_models_that_need_something_else_are_left_out_with_the_reason(tmp_path, fake):
    check = prepared(tmp_path, "bow", "softmax")
    assert check.left_out == {"softmax": "corpus 'scenes' has no classes"}
    assert [setup.model for setup in check.setups] == ["bow"]
    run.estimate(check)
    assert check.costs == {"bow": 5.0}
    text = listing.listing(check)
    assert "softmax is left out: corpus 'scenes' has no classes" in text and "not begun" in text
    # epochs of five seconds: 3 * 4 + 8 + 2 * 4; or, with both doublings, 3 * 4 + 8 + 16 + 2 * 16
    assert text.splitlines()[-1].startswith("in all: 2:20 min to 5:40 min")
    assert check.run() and read_check(tmp_path / "check.json")["left_out"] == check.left_out
    alone = prepared(tmp_path, "softmax")
    assert alone.run() and list(read_check(tmp_path / "check.json")["models"]) == ["bow"]


def test_results_of_other_models_stay_and_those_of_no_model_go(tmp_path, fake):
    assert prepared(tmp_path, "vse").run()
    file = tmp_path / "check.json"
    kept = json.loads(file.read_text())
    kept["models"]["of_old"] = kept["models"]["vse"]
    kept["left_out"]["bow"] = "an old reason"
    file.write_text(json.dumps(kept))
    assert prepared(tmp_path, "bow").run()
    kept = read_check(file)
    assert list(kept["models"]) == ["bow", "vse"] and kept["left_out"] == {}


def test_what_cannot_go_well_is_refused_before_anything_is_trained(tmp_path, fake):
    with pytest.raises(ItmError, match="unknown model 'vsee': did you mean 'vse"):
        prepared(tmp_path, "vsee")
    for number in (0, 8):
        with pytest.raises(ItmError, match=f"--seeds is {number}: give 1 to 7, since seed 7"):
            prepared(tmp_path, n_seeds=number)
    assert prepared(tmp_path, "bow").run()
    with pytest.raises(ItmError, match="check.json was made with size 'tiny', this run has 'mini': give another --out"):
        prepared(tmp_path, "bow", size="mini")
    (tmp_path / "check.json").write_text('{"models": {}}')
    with pytest.raises(ItmError, match="lacks 'protocol'.*delete it and run `itm reality --out"):
        prepared(tmp_path, "bow")
    (tmp_path / "file").write_text("")
    with pytest.raises(ItmError, match="choose another place"):
        prepared(tmp_path, "bow", folder=tmp_path / "file", out=tmp_path / "b.json").run()


def test_models_by_default_are_one_per_method():
    main, all_of_them = run.chosen_models(), run.chosen_models(variants=True)
    assert "order" in main and "orderpp" not in main and set(main) < set(all_of_them) and "orderpp" in all_of_them
    assert run.chosen_models(("vse", "bow", "vse")) == ["bow", "vse"] and run.chosen_models(("orderpp",)) == ["orderpp"]


TWO = """
import os, sys, time
from pathlib import Path
from itm_tutorial.course.reality_check import protocol, run, store
from itm_tutorial.course.reality_check.protocol import Setup
folder = Path(sys.argv[1])
def train(setup, point, corpus):
    with open(folder / "log", "a") as file:
        file.write(f"{os.getpid()} {point.model} {point.stem}\\n")
    time.sleep(0.2)
    test = {"rsum": 1.0, "i2t_r1": 1.0, "t2i_r1": 1.0, "minimal_pairs": {}, "minimal_pair_queries": {}}
    return {"validation": [1.0], "seconds": 1.0, "parameters": 1, "test": None if point.seed == 7 else test}
protocol.train = train
protocol.make_model = lambda *arguments: None
protocol.setup_of = lambda model: Setup(model, "global", (1.0, 2.0, 3.0), 1)
run.corpus_of = run.lines_of = lambda size, seed: {}
run.POLL_SECONDS = 0.05
store.sources = lambda model: "same"
(folder / f"ready-{os.getpid()}").write_text("")
while len(list(folder.glob("ready-*"))) < 2:
    time.sleep(0.01)
check = run.prepare(("bow", "vse"), n_seeds=2, size="tiny", folder=folder / "runs", out=folder / "check.json")
sys.exit(not check.run())
"""


def test_two_processes_share_the_work(tmp_path):
    words = [sys.executable, "-c", TWO, str(tmp_path)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [one.communicate() for one in both]
    assert [one.returncode for one in both] == [0, 0], printed
    lines = [line.split(maxsplit=1) for line in (tmp_path / "log").read_text().splitlines()]
    trained = [point for _, point in lines]
    # one epoch is never enough, so that epochs are doubled as often as is allowed: 3 + 2 + 2 trainings of a model
    assert len(trained) == len(set(trained)) == 14 and len({process for process, _ in lines}) == 2
    assert list(read_check(tmp_path / "check.json")["models"]) == ["bow", "vse"]


def test_the_digest_follows_the_model_and_the_protocol_and_nothing_else(tmp_path):
    package = tmp_path / "itm_tutorial"
    shutil.copytree(dependencies.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    names = dependencies.sources(store.claim_of("bow"), package)
    assert {"models.bow", "course.reality_check.protocol", "training.loop", "losses.ranking"} <= set(names)
    assert not [name for name in names if name.startswith("course.") and name != "course.reality_check.protocol"]
    assert "models.scan" not in names and "models.scan" in dependencies.sources(store.claim_of("scan"), package)
    before = {model: dependencies.digest(store.claim_of(model), package) for model in ("bow", "vse")}
    assert before["bow"] == store.sources("bow")

    def changed(file):
        path = package / file
        text = path.read_text(encoding="utf-8")
        path.write_text(text + "\nif True:\n    NEW = 1\n", encoding="utf-8")
        found = {model for model, old in before.items() if dependencies.digest(store.claim_of(model), package) != old}
        path.write_text(text, encoding="utf-8")
        return found

    assert changed("models/bow.py") == {"bow"} and changed("models/scan.py") == set()
    assert changed("course/reality_check/protocol.py") == {"bow", "vse"}
    assert changed("course/reality_check/page.py") == changed("course/reality_check/run.py") == set()


def test_the_command_trains_a_small_model_for_real(tmp_path, monkeypatch, capsys, cache, instant_features):
    from itm_tutorial import cli

    words = ["itm", "reality", "--size", "tiny", "--models", "bow,softmax", "--seeds", "1"]
    words += ["--folder", str(tmp_path / "runs"), "--out", str(tmp_path / "check.json")]

    def command(*more):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as end:
            cli.app()
        return end.value.code, capsys.readouterr().out

    code, out = command("--list")
    assert code == 0 and "not begun" in out and "softmax is left out" in out and "in all: " in out
    assert not (tmp_path / "runs").exists() and not (tmp_path / "check.json").exists()
    code, out = command()
    assert code == 0 and out.splitlines()[-1].startswith("bow  ")
    kept = read_check(tmp_path / "check.json")
    (training,) = kept["models"]["bow"]["trainings"]
    lines = kept["lines"]["0"]
    assert lines["chance"]["rsum"] < training["test"]["rsum"] <= lines["ceiling"]["rsum"]
    assert kept["models"]["bow"]["embed_size"] == 256 and "no classes" in kept["left_out"]["softmax"]
    code, out = command("--list")
    assert code == 0 and " done " in out and "in all: 0 s" in out
