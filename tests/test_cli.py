"""The ``itm`` command: what it prints and keeps, its exit embeddings, and one sentence instead of a traceback."""

import ast
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import itm_tutorial as itm
from itm_tutorial import cli
from itm_tutorial.cli import models as command_models
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError

ROOT = Path(__file__).parents[1]
ITM = [sys.executable, "-c", "from itm_tutorial.cli import app; app()"]
TINY = ("--corpus", "scenes", "--size", "tiny")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs ``itm`` with these words in this process -> exit code, output, complaint."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["itm", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.app()
        return end.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def kept(tiny, tmp_path, instant_features):
    """A folder with an untrained model."""
    return itm.save_model(itm.create_model("bow", tiny, dim=8, word_dim=8), tmp_path / "kept")


def refused(result):
    """The one sentence of a command that something stopped."""
    code, out, complaint = result
    assert code == 2 and out == "" and complaint.startswith("itm: ") and complaint.count("\n") == 1
    return complaint


def test_help_and_version_load_nothing_heavy():
    """What costs time is what is loaded, so that is what is checked: it is the same on a slow machine."""
    heavy = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "transformers", "IPython", "papermill")
    code = (
        "import sys; from itm_tutorial.cli import app\n"
        "try: app()\n"
        f"finally: print(*{{*sys.modules}} & {{*{heavy}}}, file=sys.stderr)"
    )
    for words in (["--help"], ["train", "--help"], ["--version"]):
        run = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)
        assert (run.returncode, run.stderr.split()) == (0, [])
    assert run.stdout.split() == ["itm", itm.__version__]


def test_list_prints_every_name(command):
    code, out, _ = command("list")
    summary = {line.split()[0]: line.split(maxsplit=1)[1].split(", ") for line in out.splitlines()}
    assert (code, summary["models"], summary["corpora"]) == (0, itm.list_models(), itm.list_corpora())
    assert summary["claims"] == itm.claims.list_claims()
    assert "tiny" in summary["sizes"] and summary["splits"] == ["train", "val", "test", "unseen"]


def test_train_evaluate_and_search(command, tiny, tmp_path, instant_features, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the run is recorded
    folder, out = tmp_path / "runs" / "a", tmp_path / "pictures" / "found.png"
    words = ("--epochs", 1, "--device", "cpu", "--option", "dim=16", "--option", "loss=infonce")
    code, summary, _ = command("train", "bow", *TINY, "--folder", folder, *words)
    assert code == 0 and "best epoch 1 of 1" in summary and "rsum" in summary and f"kept in {folder}" in summary
    model = itm.load_model(folder)
    assert (model.name, model.options) == ("bow", {"dim": 16, "loss": "infonce"})

    code, summary, _ = command("evaluate", *TINY, "--folder", folder, "--split", "val")
    rsum = itm.evaluate(itm.score(model, tiny.val), tiny.val.image_of).rsum
    assert code == 0 and f"rsum {rsum:.1f}" in summary and "ceiling" in summary
    trained, measured = itm.leaderboard.read()[0]
    assert trained["split"] == measured["split"] == "val" and measured["seed"] == trained["seed"] == 0
    assert measured["metrics"]["rsum"] == pytest.approx(rsum, abs=0.01) and measured["seconds"] is None
    code, summary, _ = command("evaluate", *TINY, "--folder", folder, "--no-record")
    assert code == 0 and len(itm.leaderboard.read()[0]) == 2

    code, summary, _ = command("search", "a red car", *TINY, "--folder", folder, "--out", out, "--k", 3)
    lines = summary.splitlines()
    assert code == 0 and lines[-1] == f"drawn in {out}" and out.read_bytes().startswith(PNG)
    found = itm.search(model, tiny.test, "a red car", k=3).indices
    assert [int(line.split()[2]) for line in lines[:-1]] == found


def test_evaluate_takes_the_mean_over_folds(command, tiny, kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, n = itm.load_model(kept), len(tiny.val.images)
    folds = next(number for number in range(2, n) if n % number == 0)
    code, summary, _ = command("evaluate", *TINY, "--folder", kept, "--split", "val", "--folds", folds)
    rsum = itm.evaluate_folds(itm.score(model, tiny.val), tiny.val.image_of, n_folds=folds).rsum
    assert code == 0 and f"rsum {rsum:.1f}" in summary
    (row,) = itm.leaderboard.read()[0]
    assert (row["images"], row["folds"]) == (n // folds, folds)


def test_folds_must_be_equal_and_images_without_identities(command, tiny, kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("evaluate", *TINY, "--folder", kept, "--split", "val", "--folds")
    n = len(tiny.val.images)
    for folds in (0, -1, n + 1):
        assert f"n_folds is {folds}, which does not divide {n} images" in refused(command(*words, folds))
    people = ("evaluate", "--corpus", "people", "--size", "tiny", "--folder", kept, "--folds", 2)
    assert "n_folds is 2, but images of one identity would be in several folds" in refused(command(*people))


def test_train_records_its_run_unless_told_not_to(command, tiny, tmp_path, instant_features, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("train", "bow", *TINY, "--folder", "kept", "--epochs", 2, "--device", "cpu", "--seed", 0)
    code, summary, _ = command(*words, "--no-record")
    assert code == 0 and "recorded" not in summary and not itm.leaderboard.FILE.exists()
    code, summary, _ = command(*words)
    assert code == 0 and f"recorded in {itm.leaderboard.FILE}; itm leaderboard --corpus scenes" in summary
    (row,), damaged = itm.leaderboard.read()
    report = itm.evaluate(itm.score(itm.load_model("kept"), tiny.val), tiny.val.image_of)
    assert damaged == [] and (row["method"], row["corpus"], row["seed"]) == ("bow", "scenes", 0)
    assert row["metrics"]["rsum"] == pytest.approx(report.rsum, abs=0.01) and row["device"] == "cpu"
    shutil.rmtree(tmp_path / "runs")
    (tmp_path / "runs").write_text("no folder")
    assert "a part of the path is a file" in refused(command(*words))  # before the work


def test_scan_goes_on_from_a_kept_model(command, tiny, tmp_path, made_up_regions, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = itm.create_model("vsepp", tiny, features="grid", sentence="bow", embed_size=16, word_dim=8)
    itm.save_model(first, "first")
    words = ("train", "scan", *TINY, "--epochs", 1, "--device", "cpu", "--folder", "second", "--option", "sample=4")
    code, summary, _ = command(*words, "--start", "first")
    assert code == 0 and "kept in second" in summary
    second = itm.load_model("second")
    assert second.features.kind == "grid" and second.options["sample"] == 4 and second.options["embed_size"] == 16
    assert "holds no model" in refused(command(*words, "--start", "nowhere"))
    assert "bow cannot start from vsepp" in refused(command("train", "bow", *TINY, "--start", "first"))


def test_a_recipe_takes_the_place_of_options(command, cache, instant_features, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("train", "bow", *TINY, "--recipe", "flickr8k", "--epochs", 1, "--folder", "kept", "--no-record")
    code, out, _ = command(*words, "--option", "dropout=0.25")
    assert code == 0 and "kept in kept" in out
    assert itm.load_model("kept").options == {"loss": "infonce", "dropout": 0.25}  # what is given comes first
    assert "did you mean 'flickr8k'" in refused(command("train", "bow", *TINY, "--recipe", "flick8k"))


def test_options_are_read_as_json_where_they_are():
    given = ["dim=16", "margin=0.1", "loss=infonce", "tied=true", "about=a=b", "rest="]
    read = {"dim": 16, "margin": 0.1, "loss": "infonce", "tied": True, "about": "a=b", "rest": ""}
    assert command_models._options(given) == read
    with pytest.raises(ItmError, match="--option dim: write name=value"):
        command_models._options(["dim"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "bwo", *TINY), "unknown model 'bwo': did you mean 'bow'?"),
        (("train", "bow", "--corpus", "scene"), "unknown corpus 'scene': did you mean 'scenes'?"),
        (("train", "bow", "--size", "tyni"), "unknown size 'tyni': did you mean 'tiny'"),
        (("train", "bow", *TINY, "--option", "dims=8"), "unknown option 'dims': did you mean 'dim'"),
        (("train", "bow", *TINY, "--option", "dim"), "write name=value"),
        (("train", "bow", *TINY, "--epochs", "0"), "epochs is 0"),
        (("train", "bow", *TINY, "--device", "gpux"), "gpux"),
        (("evaluate", *TINY, "--split", "tset"), "unknown split 'tset': did you mean 'test'?"),
        (("evaluate", "--corpus", "flick8k"), "unknown corpus 'flick8k': did you mean 'flickr8k'"),
        (("search", "a car", *TINY, "--k", "0"), "k is 0"),
        (("search", " ", *TINY), "no word"),
        (("claims", "start_hear"), "did you mean 'start_here'?"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(command, kept, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    folder = [] if words[0] == "claims" else ["--folder", tmp_path / "new" if words[0] == "train" else kept]
    assert message in refused(command(*words, *folder))


def test_an_unknown_model_is_refused_before_anything_is_drawn_or_made(command, tmp_path, monkeypatch):
    monkeypatch.setattr("itm_tutorial.load_corpus", pytest.fail, raising=False)
    refused(command("train", "bwo", "--folder", tmp_path / "new"))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["evaluate", "search"])
def test_a_missing_or_damaged_model_is_told(command, kept, tmp_path, name):
    words = (name, *(["a car"] if name == "search" else []), *TINY)
    nowhere = refused(command(*words, "--folder", tmp_path / "nowhere"))
    assert "nowhere holds no model" in nowhere and "itm train" in nowhere
    weights = kept / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    assert f"{weights} is cut short or damaged" in refused(command(*words, "--folder", kept))
    (kept / "model.json").write_text("{", encoding="utf-8")
    assert "model.json line 1: broken JSON" in refused(command(*words, "--folder", kept))


def test_a_place_that_cannot_be_written_is_refused_before_the_work(command, kept, tmp_path, monkeypatch):
    monkeypatch.setattr("itm_tutorial.load_corpus", pytest.fail, raising=False)
    monkeypatch.setattr("itm_tutorial.chapters.experiment.run", pytest.fail)
    file = tmp_path / "file"
    file.write_text("x")
    for words in (
        ("train", "bow", "--folder", file / "model"),
        ("search", "a car", "--folder", kept, "--out", file / "found.png"),
        ("attend", "--folder", kept, "--out", file / "page.html"),
        ("claims", "start_here", "--out", file / "claims.json"),
        ("course", "--out", file),
    ):
        assert "a part of the path is a file; choose another place" in refused(command(*words))


def test_a_picture_is_written_where_it_is_said_to_be(command, kept, tmp_path):
    code, summary, _ = command("search", "a car", *TINY, "--folder", kept, "--out", tmp_path / "found")
    assert code == 0 and summary.endswith("found.png\n") and (tmp_path / "found.png").read_bytes().startswith(PNG)
    (tmp_path / "folder.png").mkdir()
    for name, message in (("found.xyz", "Format 'xyz' is not supported"), ("folder.png", "it is a folder")):
        code, _, complaint = command("search", "a car", *TINY, "--folder", kept, "--out", tmp_path / name)
        assert code == 2 and complaint.startswith("itm: ") and complaint.count("\n") == 1 and message in complaint


def test_a_word_that_training_never_showed_is_told(command, kept, tmp_path):
    words = ("search", "a red zebra", *TINY, "--folder", kept, "--out", tmp_path / "found.png")
    code, _, complaint = command(*words)
    assert (code, complaint) == (
        0,
        "itm: the model never saw 'zebra' in training: the search goes by the other words\n",
    )
    unknown = refused(command("search", "zebras", *words[2:]))
    assert unknown.startswith("itm: the model never saw 'zebras' in training: use words of its training captions")


def test_a_picture_is_searched_by_picture(command, tiny, kept, tmp_path):
    from torchvision.utils import save_image

    file, out = tmp_path / "own $1.png", tmp_path / "found.png"
    save_image(tiny.test.images[3] / 255, file)
    code, summary, complaint = command("search", file, *TINY, "--folder", kept, "--out", out, "--k", 3)
    found = itm.search(itm.load_model(kept), tiny.test, tiny.test.images[3], k=3)
    lines = summary.splitlines()
    assert (code, complaint, lines[-1]) == (0, "", f"drawn in {out}") and out.read_bytes().startswith(PNG)
    assert [int(line.split()[2]) for line in lines[:-1]] == found.indices
    assert lines[0].split(maxsplit=4)[4] == tiny.test.captions[found.indices[0]] and " caption " in lines[0]
    gone = refused(command("search", tmp_path / "gone.jpg", *TINY, "--folder", kept, "--out", out))
    assert "there is no image file" in gone


OWN = """
import sys, warnings, numpy, torch, itm_tutorial as itm
from itm_tutorial import cli
warnings.simplefilter("ignore")  # until the command begins
captions = eval(sys.argv.pop(1))
images = [torch.full((3, 16, 16), 9, dtype=torch.uint8)] * len(captions)
features = numpy.random.default_rng(0).random((len(captions), 8), dtype="float32")
split = itm.Split("test", images, captions, torch.arange(len(captions)), precomputed=features)
corpus = itm.Corpus("own", dict.fromkeys(("train", "val", "test"), split), drawn=False)
itm.load_corpus = lambda *names, **settings: corpus
itm.save_model(itm.create_model("bow", corpus, min_count=1, dim=4, word_dim=4), "runs/model")
warnings.simplefilter("default")
cli.app()
"""


def run_itm(code, captions, words, folder, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "ITM_PROGRESS": "0"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", code, *captions, *words]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
    assert run.returncode == 0, run.stderr
    assert b"Traceback" not in run.stderr
    return run.stdout.decode(encoding), run.stderr.decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_every_console_can_print_every_caption(tmp_path, encoding):
    captions = ascii(["一只狗在跑", "dos cafés — “x” 🐶", "\ud55c\uad6d\uc5b4"])
    out, told = run_itm(OWN, [captions], ["search", "狗", "--k", "3"], tmp_path, encoding)
    dog = "一只狗在跑" if encoding == "utf-8" else r"\u4e00\u53ea\u72d7\u5728\u8dd1"
    assert dog in out and out.splitlines()[-1].startswith("drawn in ")
    assert all(line.startswith("itm: ") for line in told.splitlines())


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_the_names_can_be_printed_anywhere(tmp_path, encoding):
    out, told = run_itm("from itm_tutorial.cli import app; app()", [], ["list"], tmp_path, encoding)
    assert out.startswith("models") and told == ""


def test_a_caption_cannot_steer_the_terminal(tmp_path):
    captions = ascii(["\x1b[2J\x1b]0;title\x07 a dog", "a\ndog \u202eteg", "a dog\r\x9b31m"])
    out, told = run_itm(OWN, [captions], ["search", "a dog", "--k", "3"], tmp_path, "utf-8")
    assert not any(character in out + told for character in "\x1b\x07\x9b\u202e\r")
    assert r"\x1b[2J\x1b]0;title\x07 a dog" in out and r"a\ndog \u202eteg" in out and len(out.splitlines()) == 4
    out, told = run_itm(OWN, [captions], ["search", "a dog \x1b[31mred"], tmp_path, "utf-8")
    assert "\x1b" not in out + told


def test_the_command_prints_through_one_function():
    tree = ast.parse(Path(cli.__file__).read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "print"]


def test_attention_is_drawn_on_a_page_that_needs_no_other_file(command, tiny, tmp_path, made_up_regions):
    model = itm.create_model("scan", tiny, embed_size=16, word_dim=8)
    words = ("attend", *TINY, "--folder", itm.save_model(model, tmp_path / "kept"), "--split", "val")
    code, summary, _ = command(*words, "-n", 3, "--out", tmp_path / "new" / "page")
    page = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert code == 0 and summary == f"3 captions drawn in {tmp_path / 'new' / 'page.html'}: open it in a browser\n"
    assert (
        page.count("<figure>") == page.count('src="data:image/png;base64,') == 3 and page.count("attends to the") >= 9
    )
    assert "embed_size=16" in page and "0.062" in page  # uniform attention over 16 squares
    again, other = tmp_path / "again.html", tmp_path / "other.html"
    command(*words, "-n", 3, "--out", again)
    command(*words, "-n", 3, "--out", other, "--draw", 1)
    assert again.read_text(encoding="utf-8") == page != other.read_text(encoding="utf-8")
    command(*words, "--caption", 7, "--caption", 2, "--out", other)
    page = other.read_text(encoding="utf-8")
    assert page.index("caption 7 of the val split") < page.index("caption 2 of the val split")
    summary = tokenize(" ".join(tiny.val.captions[c] for c in (7, 2)))
    assert ("never showed" in page) == any(word not in model.vocabulary for word in summary)
    few = itm.create_model("scan", tiny, embed_size=16, word_dim=8, min_count=600)
    command(*words, "--caption", 7, "--folder", itm.save_model(few, tmp_path / "few"), "--out", other)
    unseen = ", ".join(sorted({word for word in tokenize(tiny.val.captions[7]) if word not in few.vocabulary}))
    assert unseen
    assert f"so their maps mean nothing: {unseen}.</p>" in other.read_text(encoding="utf-8")


def test_attention_that_there_is_not_is_told(command, kept, tmp_path):
    words = ("attend", *TINY, "--folder", kept, "--out", tmp_path / "page.html")
    assert "bow has no attention" in refused(command(*words))
    assert "-n is 0: give 1 to" in refused(command(*words, "-n", "0"))
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("trian",),
        ("train", "bow", "--epochs", "many"),
        ("train", "bow", "--epoch", "3"),
        ("search",),
        ("claims", "start_here", "--seeds", "1"),
    ],
)
def test_a_wrong_use_ends_with_two_and_says_how(command, words):
    code, out, complaint = command(*words)
    assert code == 2 and out == "" and "Usage: " in complaint and "Traceback" not in complaint


@pytest.mark.parametrize("ok", [True, False])
def test_doctor_and_course_end_with_one_when_a_check_failed(command, tmp_path, monkeypatch, ok):
    from itm_tutorial.course.doctor import Finding

    monkeypatch.setattr(
        "itm_tutorial.course.doctor.examine", lambda: [Finding("fine", True), Finding("thing", ok, "mend it")]
    )
    code, out, _ = command("doctor")
    assert code == (0 if ok else 1) and out.splitlines()[0] == "ok    fine"
    assert ("MEND  thing: mend it" in out) != ok
    monkeypatch.setattr("itm_tutorial.course.running.run_course", lambda out, fast: int(not ok))
    assert command("course", "--out", tmp_path)[0] == (0 if ok else 1)


def test_a_package_that_is_missing_is_named(command, tmp_path, monkeypatch):
    def run_course(out, fast):
        raise ModuleNotFoundError(name=missing)

    monkeypatch.setattr("itm_tutorial.course.running.run_course", run_course)
    missing = "papermill"
    assert "papermill is not installed: in the course's folder, pip" in refused(command("course", "--out", tmp_path))
    missing = "itm_tutorial.nothing"  # a fault of the package's own is not the user's to mend
    monkeypatch.setattr(sys, "argv", ["itm", "course", "--out", str(tmp_path)])
    with pytest.raises(ModuleNotFoundError):
        cli.app()


INTERRUPTED = """
import os, signal, time
from itm_tutorial import cli
from itm_tutorial.course import doctor
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
doctor.examine = lambda: os.kill(os.getpid(), signal.SIGINT) or time.sleep(5)
cli.app()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_an_interrupt_prints_one_line(tmp_path):
    run = subprocess.run([sys.executable, "-c", INTERRUPTED, "doctor"], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stderr.strip()) == (128 + signal.SIGINT, "itm: interrupted")


LONG = """
import itm_tutorial as itm
itm.list_models = lambda: [str(number) for number in range({n})]
from itm_tutorial.cli import app
app()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize("n", [10, 100_000])  # what is written at the end at once, and what fills the pipe before
def test_a_reader_that_goes_away_is_no_matter(n):
    command = [sys.executable, "-c", LONG.format(n=n), "list"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=900) == 128 + signal.SIGPIPE


def test_the_installed_command_is_this_one():
    from importlib.metadata import entry_points

    (found,) = entry_points(group="console_scripts", name="itm")
    assert found.load() is cli.app


def test_claims_lists_all_and_says_which_must_be_run_again(command):
    code, table, _ = command("claims")
    head, *rows = (line.split() for line in table.splitlines())
    assert code == 0 and head[:3] == ["claim", "chapter", "holds"]
    assert [row[0] for row in rows] == itm.claims.list_claims()
    verdicts = [effect["verdict"] for effect in itm.claims.results("start_here")["effects"]]
    counts = [str(verdicts.count(verdict)) for verdict in ("holds", "does not hold", "too close to say")]
    assert rows[0][:5] == ["start_here", "ch00_start_here", *counts]
    code, states, _ = command("claims", "--stale")
    listed = [line.strip() for line in states.splitlines() if line.startswith("  ")]
    assert code == 0 and sorted(listed) == sorted(itm.claims.list_claims())
    assert command("claims", "vsepp", "--stale")[1].count("\n  ") == 1
    assert "did you mean 'vsepp'" in refused(command("claims", "vsep", "--stale"))


@pytest.mark.parametrize("root", ["0", "[]", "{", "1" * 5000])
def test_a_damaged_file_of_claims_is_refused_before_anything_is_trained(command, tmp_path, monkeypatch, root):
    monkeypatch.setattr("itm_tutorial.chapters.experiment.run", pytest.fail)
    file = tmp_path / "claims.json"
    file.write_text(root, encoding="utf-8")
    assert str(file) in refused(command("claims", "start_here", "--out", file))
    assert file.read_text(encoding="utf-8") == root


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A folder of twelve photographs with captions in German, a cache of its own, and features without a backbone."""
    import torch
    from PIL import Image

    folder = (tmp_path / "mine").resolve()
    folder.mkdir()
    colours = ["red", "green", "blue", "white"]
    rows = [f"bild{i}.png;a {colours[i % 4]} square number {i}" for i in range(12)]
    (folder / "metadata.csv").write_text("\n".join(["file_name;beschreibung", *rows]) + "\n")
    for i in range(12):
        Image.new("RGB", (24, 24), colours[i % 4]).save(folder / f"bild{i}.png")

    def features(split, spec):
        stack = torch.stack([split.images[i] for i in range(len(split.images))]).float() / 255
        flat = torch.nn.functional.adaptive_avg_pool2d(stack, 16).flatten(1)  # [n, 768]
        return torch.nn.functional.pad(flat, (0, 1280 - 768), value=0.1)

    for module in ("retrieval.scoring", "retrieval.search", "training.loop", "extraction.features"):
        monkeypatch.setattr(f"itm_tutorial.{module}.split_features", features)
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_your_own_photographs_from_a_folder_to_a_search(command, photographs):
    named = ("--from", photographs, "--column", "caption=beschreibung")
    code, out, _ = command("prepare", "photos", *named)
    assert code == 0 and "12 rows" not in out and f"from {photographs}" in out and "train: features [" in out
    with pytest.warns(
        UserWarning, match="the recipe's batch_size of 128 is more than the .* captions of the train split"
    ):
        code, out, complaint = command("train", "bow", "--corpus", "photos", "--epochs", 2, "--device", "cpu")
    assert code == 0 and f"photos: {photographs}, the folder that was used last" in complaint
    model = itm.load_model("runs/model")
    assert model.options["loss"] == "infonce"  # of the recipe for photographs
    assert "square" in model.vocabulary and "number" in model.vocabulary  # a small set keeps its rare words
    code, out, complaint = command("search", "a red square", "--corpus", "photos", "--split", "train", "--k", 2)
    assert code == 0 and "the folder that was used last" in complaint
    assert out.splitlines()[0].startswith(" 1  image") and "(bild" in out and "drawn in" in out
    code, out, complaint = command("evaluate", "--corpus", "photos", "--split", "val", *named)
    assert code == 0 and "rsum" in out and "used last" not in complaint
    assert [row["corpus"] for row in itm.leaderboard.read()[0]] == ["photos", "photos"]


def test_another_seed_of_training_keeps_the_test_photographs(command, photographs, capsys):
    from itm_tutorial.course.own_data import corpus_named

    column = ["caption=beschreibung"]
    first = corpus_named("photos", seed=0, source=photographs, column=column)
    assert corpus_named("photos", seed=7).test.images.files == first.test.images.files
    other = corpus_named("photos", source=photographs, column=column, split_seed=7)
    assert other.test.images.files != first.test.images.files
    assert corpus_named("photos", seed=0).test.images.files == other.test.images.files  # as it was prepared
    capsys.readouterr()
    refusal = refused(command("prepare", "photos", "--from", photographs, "--column", "caption=beschreibungen"))
    assert "did you mean 'beschreibung'" in refusal


def test_from_and_column_are_refused_where_nothing_reads_them(command, photographs):
    for words in (("evaluate",), ("search", "x"), ("attend",)):
        itm.save_model(itm.create_model("bow", itm.load_corpus("scenes", size="tiny")), "runs/model")
        assert "--from is for photos, not for 'scenes': leave it out" in refused(command(*words, "--from", photographs))
        assert "--column is for photos" in refused(command(*words, "--column", "caption=a"))
    assert "--column caption: write NAME=COLUMN" in refused(
        command("train", "bow", "--corpus", "photos", "--from", photographs, "--column", "caption")
    )
    assert "flickr8k takes no option 'caption'" in refused(
        command("prepare", "flickr8k", "--from", photographs, "--column", "caption=a")
    )
    assert "there is no such folder" in refused(command("search", "x", "--corpus", "photos", "--from", "nowhere"))


def test_columns_on_the_command_line():
    from itm_tutorial.course.own_data import columns_named, usual_recipe

    assert columns_named(None) == {} and columns_named(["a=b", "c=d=e"]) == {"a": "b", "c": "d=e"}
    assert columns_named(["caption=a", "caption=b", "caption=c"]) == {"caption": ["a", "b", "c"]}
    for wrong in ("caption", "=a", "caption="):
        with pytest.raises(ItmError, match="write NAME=COLUMN"):
            columns_named([wrong])
    mine, drawn = itm.Corpus("photos", {}, drawn=False), itm.Corpus("scenes", {}, drawn=True)
    recipes = {name: (usual_recipe(name, mine), usual_recipe(name, drawn)) for name in ("bow", "vse", "scan")}
    assert recipes == {"bow": ("flickr8k", "drawn"), "vse": ("drawn", "drawn"), "scan": ("drawn", "drawn")}


def test_a_training_that_was_stopped_goes_on_with_the_same_command(
    command, tiny, tmp_path, instant_features, monkeypatch
):
    from itm_tutorial.training import loop

    monkeypatch.chdir(tmp_path)
    words = ["train", "vse", *TINY, "--epochs", 2, "--batch-size", 100, "--option", "dim=8", "--option", "word_dim=8"]
    words += ["--device", "cpu", "--no-record", "--folder"]
    assert command(*words, "whole")[0] == 0
    write = loop.write_training_state

    def stop(folder, model, optimizers, settings, epochs, *rest):
        write(folder, model, optimizers, settings, epochs, *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "write_training_state", stop)
    assert command(*words, "stopped")[0] == 130
    assert (tmp_path / "stopped/unfinished/training.json").exists() and not (tmp_path / "stopped/model.json").exists()
    monkeypatch.setattr(loop, "write_training_state", write)
    complaint = refused(command(*words, "stopped", "--seed", 1))
    assert (
        "stopped/unfinished holds a run with settings.seed 0, not 1" in complaint
        and "use another folder or delete it" in complaint
    )
    code, out, _ = command(*words, "stopped")
    assert code == 0 and "continued the run that was stopped" in out and "of 2, on the validation split" in out
    assert not (tmp_path / "stopped/unfinished").exists()  # so that the command trains again
    ours, theirs = (itm.load_model(tmp_path / name).state_dict() for name in ("stopped", "whole"))
    assert all((ours[name] == theirs[name]).all() for name in ours)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "bow", *TINY, "--option", "dim=-1"], "bow: dim is -1; give a whole number from 1"),
        (["train", "bow", *TINY, "--option", "dropout=2"], "bow: dropout is 2; give a number from 0"),
        (["train", "bow", *TINY, "--option", "margin=x"], "bow: margin is 'x'; give a number"),
        (["train", "bow", *TINY, "--seed", "1" * 23], "seed is 11111"),
        (["train", "bow", *TINY, "--folder", "~nobody_here/a"], "--folder is '~nobody_here/a'"),
        (["prepare", "flickr8k", "--from", "~nobody_here/a"], "--from is '~nobody_here/a'"),
        (["evaluate", *TINY, "--folder", "~nobody_here/a"], "--folder is '~nobody_here/a'"),
    ],
)
def test_an_option_that_cannot_be_is_one_sentence(command, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(command(*words))


@pytest.mark.parametrize("out", ["", ".", "/"])
def test_a_picture_without_a_name_is_refused(command, kept, out):
    for words in (["search", "a red car"], ["attend"]):
        assert "--out is " in refused(command(*words, *TINY, "--folder", kept, "--out", out))
