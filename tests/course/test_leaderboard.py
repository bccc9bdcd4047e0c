"""The leaderboard: many writers at once, damaged lines, and runs beside the results of papers."""

import errno
import json
import multiprocessing
import os
import re
import subprocess
import sys
import threading

import filelock
import pytest

import itm_tutorial as itm
from itm_tutorial.course import leaderboard, leaderboard_row
from itm_tutorial.errors import ItmError


def run(**changed):
    """A row as from ``run_row``."""
    row = {"method": "vsepp", "options": {"margin": 0.2}, "corpus": "scenes", "about": "tiny, seed 0", "drawn": True}
    row |= {"split": "val", "metrics": {"i2t_r1": 50.0, "rsum": 300.5}, "seed": 0, "seconds": 41.5, "device": "cpu"}
    row |= {"versions": {"torch": "2"}, "commit": None, "date": "2026-01-01T00:00:00+00:00"}
    return row | changed


@pytest.fixture
def file(tmp_path):
    return tmp_path / "runs" / "leaderboard.jsonl"


def test_rows_come_back_in_their_order(file):
    for seed in range(3):
        leaderboard.record(run(seed=seed, about="größe"), file)
    rows, damaged = leaderboard.read(file)
    assert rows == [run(seed=seed, about="größe") for seed in range(3)] and damaged == []


def _write_many(file, writer):
    for number in range(50):
        leaderboard.record(run(seed=writer, number=number, about="x" * (1 + 97 * number)), file)


@pytest.mark.slow
def test_eight_processes_write_fifty_rows_each(file):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(file, n)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    rows, damaged = leaderboard.read(file)
    assert damaged == []
    for n in range(8):
        assert [row["number"] for row in rows if row["seed"] == n] == list(range(50))


SLOW_WRITER = """
import os, sys
from itm_tutorial.course import leaderboard, leaderboard_row
from itm_tutorial.storage import lines

def write(descriptor, text):  # stands still in the middle of its turn
    print("writing", flush=True)
    sys.stdin.readline()
    return os.write(descriptor, text)

class Slow:
    def __getattr__(self, name):
        return write if name == "write" else getattr(os, name)

lines.os = Slow()
row, file = sys.argv[1:]
leaderboard.record(leaderboard.json.loads(row), file)
"""


@pytest.mark.parametrize("path", ["leaderboard.jsonl", "../runs/leaderboard.jsonl", "link.jsonl"])
def test_a_writer_waits_until_another_process_has_written(file, path):
    file.parent.mkdir()
    (file.parent / "link.jsonl").symlink_to(file)
    words = [sys.executable, "-c", SLOW_WRITER, json.dumps(run(seed=1)), str(file)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "writing\n"
        writer = threading.Thread(target=leaderboard.record, args=(run(seed=2), file.parent / path))
        writer.start()
        writer.join(timeout=0.5)  # without a lock it would be done by now
        waited = writer.is_alive() and file.read_bytes() == b""
        other.communicate("go on\n")
    writer.join()
    assert waited and other.returncode == 0
    assert [row["seed"] for row in leaderboard.read(file)[0]] == [1, 2]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_row_is_kept_where_the_file_system_has_no_locks(file, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    leaderboard.record(run(seed=1), file)
    assert [row["seed"] for row in leaderboard.read(file)[0]] == [1]


def test_a_folder_that_refuses_the_lock_is_named(file, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(ItmError, match="leaderboard.jsonl: the folder may not be written to; choose another place"):
        leaderboard.record(run(), file)


WITHOUT_FCNTL = """
import os, sys, warnings

sys.modules["fcntl"] = None  # as on Windows: the import fails
warnings.simplefilter("ignore")  # filelock then says that it has no lock of the system's
from itm_tutorial.course import leaderboard, leaderboard_row
from itm_tutorial.storage import lines

for number in range(20):
    leaderboard.record(leaderboard.json.loads(sys.argv[1]) | {"number": number}, sys.argv[2])
"""


def test_rows_are_kept_whole_without_fcntl(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    leaderboard.record(run(seed=9), file)
    file.with_name(f"{file.name}.lock").unlink()
    words = ([sys.executable, "-c", WITHOUT_FCNTL, json.dumps(run(seed=seed)), str(file)] for seed in range(2))
    writers = [subprocess.Popen(command) for command in words]
    assert [writer.wait() for writer in writers] == [0, 0]
    rows, damaged = leaderboard.read(file)
    assert damaged == [] and len(rows) == 1 + 2 * 20
    for seed in range(2):
        assert [row["number"] for row in rows if row["seed"] == seed] == list(range(20))


DAMAGE = {
    b'{"method": "vse"': "broken JSON",
    b"[1, 2]": "a list instead of an object",
    b"{}": "no method, options",
    b"\xff\xfe": "not UTF-8 at byte 0",
    json.dumps(run(metrics={"rsum": None})).encode(): "rsum is None, not a finite number",
    json.dumps(run(metrics={"rsum": float("nan")})).encode(): "rsum is nan",
    json.dumps(run(metrics=[1])).encode(): "metrics is not an object",
    b"[" * 100_000: "broken JSON",
}


def test_damaged_lines_are_reported_skipped_and_kept(file):
    leaderboard.record(run(seed=1), file)
    with file.open("ab") as stream:
        stream.write(b"\n" + b"\n".join(DAMAGE) + b"\n")
    leaderboard.record(run(seed=2), file)
    before = file.read_bytes()
    rows, damaged = leaderboard.read(file)
    assert [row["seed"] for row in rows] == [1, 2]
    assert [line.line for line in damaged] == list(range(3, 3 + len(DAMAGE)))
    for line, why in zip(damaged, DAMAGE.values(), strict=True):
        assert why in line.why and str(line).startswith(f"{file} line {line.line}: ")
    assert file.read_bytes() == before


def test_half_a_line_of_a_killed_writer_does_not_take_the_next_with_it(file):
    leaderboard.record(run(seed=1), file)
    with file.open("ab") as stream:
        stream.write(b'{"method": "v')
    leaderboard.record(run(seed=2), file)
    rows, damaged = leaderboard.read(file)
    assert [row["seed"] for row in rows] == [1, 2] and [line.line for line in damaged] == [2]


def test_a_full_disk_leaves_no_half_line(file, monkeypatch):
    leaderboard.record(run(seed=1), file)
    before = file.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, text: write(descriptor, text[:9]))
    with pytest.raises(ItmError, match="the disk is full"):
        leaderboard.record(run(seed=2), file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"metrics": {"rsum": float("inf")}}, "rsum is inf, not a finite number"),
        ({"metrics": {"rsum": True}}, "rsum is True"),
        ({"options": {"loss": object()}}, "not JSON serializable"),
        ({"seconds": float("nan")}, "without NaN"),
    ],
)
def test_a_row_that_is_not_one_is_refused(file, changed, complaint):
    with pytest.raises(ItmError, match=complaint):
        leaderboard.record(run(**changed), file)
    assert not file.exists()


def test_a_row_without_its_fields_is_refused(file):
    row = run()
    del row["seed"]
    with pytest.raises(ItmError, match="no seed; make it with leaderboard.run_row"):
        leaderboard.record(row, file)
    with pytest.raises(ItmError, match="leaderboard.jsonl does not exist"):
        leaderboard.read(file)
    with pytest.raises(ItmError, match="cannot be read"):
        leaderboard.read(file.parent.parent)


def test_a_class_is_merged_without_repetition_or_loss(tmp_path):
    ann, ben, out = (tmp_path / name for name in ("ann.jsonl", "ben.jsonl", "all.jsonl"))
    for seed in (1, 2, 2):
        leaderboard.record(run(seed=seed), ann)
    ben.write_text(json.dumps(run(seed=2)) + "\nbroken\n" + json.dumps(run(seed=3)) + "\n")
    leaderboard.record(run(seed=9), out)
    before = [ann.read_bytes(), ben.read_bytes()]
    added, damaged = leaderboard.merge([ann, ben], out)
    assert added == 3 and [(line.file, line.line) for line in damaged] == [(ben, 2)]
    assert [row["seed"] for row in leaderboard.read(out)[0]] == [9, 1, 2, 3]
    assert leaderboard.merge([ann, ben], out)[0] == 0  # again: nothing new
    assert [ann.read_bytes(), ben.read_bytes()] == before


def shuffled(value):
    """The same plain data with the keys of every object in the opposite order."""
    return {name: shuffled(value[name]) for name in reversed(value)} if isinstance(value, dict) else value


def test_the_order_of_keys_makes_no_other_row(tmp_path):
    ann, ben, out = (tmp_path / name for name in ("ann.jsonl", "ben.jsonl", "all.jsonl"))
    options = {"margin": 0.2, "features": {"kind": "grid", "backbone": "mini"}}
    leaderboard.record(run(options=options), ann)
    ben.write_text(json.dumps(shuffled(run(options=options))) + "\n")
    out.write_text(json.dumps(shuffled(run(options=options))) + "\n")
    lines = [file.read_text() for file in (ann, ben)]
    assert lines[0] != lines[1] and json.loads(lines[0]) == json.loads(lines[1])
    assert leaderboard.merge([ann, ben], out)[0] == 0  # one of them is there, in another order
    out.unlink()
    assert leaderboard.merge([ann, ben], out)[0] == 1
    ben.write_text(json.dumps(shuffled(run(options={**options, "margin": 0.3}))) + "\n")
    assert leaderboard.merge([ben], out)[0] == 1  # another value is another row


def test_a_merge_that_makes_no_sense_is_refused(tmp_path, file):
    leaderboard.record(run(), file)
    link = file.parent / "link.jsonl"
    link.symlink_to(file)
    before = file.read_bytes()
    for same in (file, file.parent / ".." / file.parent.name / file.name, link):
        for files, out in (([same], file), ([file], same)):
            with pytest.raises(ItmError, match="is among the files to merge"):
                leaderboard.merge(files, out)
    assert file.read_bytes() == before
    with pytest.raises(ItmError, match="merge: no files"):
        leaderboard.merge([], file)


@pytest.fixture
def model(tiny, instant_features):
    return itm.create_model("bow", tiny, dim=8, word_dim=8)


def test_a_run_leaves_one_line_with_its_best_epoch(tiny, model, file):
    with leaderboard.leaderboard_callback(tiny, seed=3, file=file) as board:
        history = itm.fit(model, tiny, epochs=3, batch_size=16, seed=3, callbacks=[board], progress=False)
        assert not file.exists()
    (row,), damaged = leaderboard.read(file)
    best = history.epochs[history.best_epoch - 1]
    assert damaged == [] and set(leaderboard.FIELDS) < set(row)
    assert row["epoch"] == history.best_epoch and row["metrics"]["rsum"] == best["rsum"]
    assert row["metrics"]["t2i_r1"] == best["t2i_r1"]
    names = ("r1", "r5", "r10", "median_rank", "mean_rank")  # no seconds, no loss
    assert set(row["metrics"]) == {f"{side}_{name}" for side in ("i2t", "t2i") for name in names} | {"rsum"}
    assert (row["method"], row["corpus"], row["split"], row["seed"], row["device"]) == (
        "bow",
        "scenes",
        "val",
        3,
        "cpu",
    )
    assert row["options"]["dim"] == 8 and row["options"]["features"]["backbone"] == "mini"
    assert row["seconds"] == pytest.approx(sum(epoch["seconds"] for epoch in history.epochs), abs=0.06)
    assert row["images"] == len(tiny.val.images) and row["versions"]["itm_tutorial"] == itm.__version__


def test_a_run_that_fails_leaves_no_line(tiny, model, file):
    with pytest.raises(KeyboardInterrupt), leaderboard.leaderboard_callback(tiny, file=file) as board:
        board(model, {"epoch": 1, "loss": 1.0, "seconds": 1.0, "rsum": 300.0})
        raise KeyboardInterrupt
    assert not file.exists()


def test_the_first_of_equal_epochs_counts_and_a_recorder_starts_anew(tiny, model, file):
    board = leaderboard.leaderboard_callback(tiny, file=file)
    for epoch, rsum in enumerate([200.0, 300.0, 300.0], start=1):
        board(model, {"epoch": epoch, "loss": 1.0, "seconds": 2.0, "rsum": rsum})
    assert board.finish()["epoch"] == 2
    assert board.finish() is None
    board(model, {"epoch": 1, "loss": 1.0, "seconds": 2.0, "rsum": 100.0})
    assert board.finish()["seconds"] == 2.0
    assert [row["metrics"]["rsum"] for row in leaderboard.read(file)[0]] == [300.0, 100.0]


def test_the_commit_is_that_of_the_course_or_none(monkeypatch, tmp_path):
    commit = leaderboard_row._commit()
    assert commit is None or (len(commit) >= 7 and int(commit, 16) >= 0)
    monkeypatch.setattr(leaderboard_row, "__file__", str(tmp_path / "leaderboard_row.py"))
    assert leaderboard_row._commit() is None
    monkeypatch.setenv("PATH", "")
    assert leaderboard_row._commit() is None


def test_runs_are_beside_the_papers(file):
    leaderboard.record(run(), file)
    metrics = {f"{way}_r{k}": float(k) for way in ("i2t", "t2i") for k in (1, 5, 10)}
    photographs = {"corpus": "flickr8k", "drawn": False, "split": "test", "metrics": metrics, "images": 1000}
    leaderboard.record(run(**photographs), file)
    leaderboard.record(run(**{**photographs, "images": 60}), file)
    frame = leaderboard.table(corpus="flickr8k", file=file)
    papers, own = frame[frame.source == "paper"], frame[frame.source == "own run"]
    assert len(papers) == 19 and set(papers.dataset) == {"Flickr8K"} and len(own) == 2
    devise = papers.iloc[0]
    assert (devise.method, devise["i2t R@1"], devise["t2i R@10"]) == ("DeViSE", 4.8, 29.6)
    assert devise.comparable.startswith("with care: the paper itself measures labels")
    assert papers.iloc[1].comparable == "yes" and papers.iloc[1].method == "SDT-RNN"
    assert devise.rsum == pytest.approx(104.2)
    assert papers[papers.method == "m-CNN"].comparable.str.startswith("no: an ensemble").all()
    assert list(own.comparable) == ["yes", "no: a gallery of 60 images, in the papers 1,000"]
    assert list(own.rsum) == [32.0, 32.0] and own.iloc[0]["i2t R@5"] == 5.0


@pytest.mark.parametrize("split", ["train", "val"])
def test_only_the_test_split_is_comparable(file, split):
    metrics = {f"{way}_r{k}": float(k) for way in ("i2t", "t2i") for k in (1, 5, 10)}
    leaderboard.record(run(corpus="flickr8k", drawn=False, split=split, metrics=metrics, images=1000), file)
    own = leaderboard.table(corpus="flickr8k", file=file).iloc[-1]
    assert own.comparable == f"no: evaluated on the {split} split, the papers on test"


@pytest.mark.parametrize(
    ("corpus", "images", "datasets"),
    [
        ("flickr30k", 1000, {"Flickr30K"}),
        ("coco", 1000, {"MSCOCO1K", "MSCOCO5K"}),
        ("coco", 5000, {"MSCOCO1K", "MSCOCO5K"}),
        ("cuhk_pedes", 3074, {"CUHK-PEDES"}),
        ("icfg_pedes", 19_848, {"ICFG-PEDES"}),
        ("rstpreid", 1000, {"RSTPReid"}),
        ("cub", 2933, {"CUB"}),
        ("oxford102", 1155, {"Flowers"}),
    ],
)
def test_published_corpora_are_beside_their_papers(file, corpus, images, datasets):
    row = run(corpus=corpus, drawn=False, split="test", images=images, about="complete")
    for one in (
        row,
        {**row, "images": images - 1},
        {**row, "about": "complete; splits made, not the published splits"},
    ):
        leaderboard.record(one, file)
    frame = leaderboard.table("2025", corpus=corpus, file=file)
    assert set(frame[frame.source == "paper"].dataset) == datasets
    whole, smaller, made = frame[frame.source == "own run"].comparable
    assert (whole, made) == ("yes", "no: splits made here, not the published splits")
    assert smaller.startswith(f"no: a gallery of {images - 1:,} images, in the papers ")


def test_the_mean_of_folds_says_so(file):
    leaderboard.record({**run(corpus="coco", drawn=False, split="test", images=1000), "folds": 5}, file)
    assert leaderboard.table(corpus="coco", file=file).iloc[-1].note.endswith("mean of 5 folds")


def test_drawn_images_are_never_comparable(file):
    leaderboard.record(run(), file)
    frame = leaderboard.table(corpus="scenes", file=file)
    (own,) = frame[frame.source == "own run"].to_dict("records")
    assert own["comparable"] == "no: drawn images, not photographs; evaluated on the val split, the papers on test"
    assert set(frame[frame.source == "paper"].dataset) == set(leaderboard.STANDS_FOR["scenes"])
    doubtful = frame[(frame.method == "2WayNet") & (frame.dataset == "MSCOCO1K")]
    assert doubtful.comparable.str.startswith("no: doubtful: the authors' public code").all()


def test_every_row_of_an_edition_is_in_the_table(file):
    leaderboard.record(run(corpus="own photographs", drawn=False, split="test"), file)
    assert len(leaderboard.table("2020", file=file)) == 114 + 1
    frame = leaderboard.table("2025", file=file)
    assert len(frame) == 460 + 1
    assert frame.iloc[-1].comparable == "no: the survey has no results on these photographs"
    with pytest.raises(ItmError, match="unknown corpus 'scene': did you mean 'scenes'"):
        leaderboard.table(corpus="scene", file=file)


def command(folder, *words):
    code = "from itm_tutorial.cli import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", code, "leaderboard", *words], cwd=folder, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_the_command_prints_and_merges(tmp_path):
    code, out, complaint = command(tmp_path, "--corpus", "flickr8k")
    assert code == 0 and "DeViSE" in out and "own run" not in out and complaint == ""
    leaderboard.record(run(), tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").write_text("broken\n")
    code, out, complaint = command(tmp_path, "--merge", "a.jsonl", "b.jsonl", "--out", "all.jsonl")
    assert (code, out) == (0, "1 new rows in all.jsonl\n") and "b.jsonl line 1: broken JSON" in complaint
    code, out, _ = command(tmp_path, "all.jsonl", "--corpus", "scenes")
    assert code == 0 and "drawn images, not photographs" in out
    for words in (["--merge", "a.jsonl"], ["--out", "all.jsonl"], ["a.jsonl", "b.jsonl"], ["--corpus", "nothing"]):
        code, out, complaint = command(tmp_path, *words)
        assert code == 2 and out == "" and complaint.startswith("itm: ") and complaint.count("\n") == 1


BAD_ROWS = {  # a line of a class's leaderboard -> what is wrong with it
    json.dumps(run(metrics={"rsum": 10**400})): "rsum is of type int, not a finite number",
    json.dumps(run(options=5)): r"\['options'\]",
    json.dumps(run(options={"features": -1})): r"\['options'\]\['features'\]",
    json.dumps(run(options={"features": {"backbone": [1]}})): r"\['options'\]\['features'\]\['backbone'\]",
    json.dumps(run(options={"loss": "\ud800"})): "half a character",
    json.dumps(run(seconds=float("nan"))): "without NaN or infinity",
    json.dumps(run(options={"margin": float("inf")})): "without NaN or infinity",
    json.dumps(run(seconds="long")): r"\['seconds'\]",
    json.dumps(run(corpus=[])): r"\['corpus'\]",
    json.dumps(run(corpus=[1], metrics={"rsum": 3.0})): r"\['corpus'\]",
    json.dumps(run(images="")): r"\['images'\]",
    json.dumps(run(images=[1])): r"\['images'\]",
    json.dumps(run(images=-1)): r"\['images'\]",
    json.dumps(run(method=None)): r"\['method'\]",
    json.dumps(run(split=1.5)): r"\['split'\]",
    json.dumps(run(drawn="yes")): r"\['drawn'\]",
    json.dumps(run(seed=True)): r"\['seed'\]",
    json.dumps(run(versions=[])): r"\['versions'\]",
    "1" * 5000: "broken JSON",
    json.dumps(run(options={"deep": json.loads("[" * 500 + "]" * 500)})).replace(
        "[" * 500, "[" * 90_000
    ): "broken JSON",
}


def bad_file(file):
    """A good row, every bad one, and another good row."""
    leaderboard.record(run(seed=1), file)
    with file.open("a") as stream:
        stream.write("\n".join(BAD_ROWS) + "\n")
    leaderboard.record(run(seed=2), file)


def test_a_bad_row_is_skipped_and_named_and_the_others_are_read(file):
    bad_file(file)
    rows, damaged = leaderboard.read(file)
    assert [row["seed"] for row in rows] == [1, 2]
    assert [line.line for line in damaged] == list(range(2, 2 + len(BAD_ROWS)))
    for line, why in zip(damaged, BAD_ROWS.values(), strict=True):
        assert re.search(why, line.why), (line.why, why)
        assert len(str(line)) < 400 and "\n" not in str(line)


def test_the_table_goes_on_without_bad_rows_and_warns_of_each(file):
    bad_file(file)
    with pytest.warns(UserWarning) as caught:
        frame = leaderboard.table(file=file)
    assert frame[frame.source == "own run"].seed.tolist() == [1, 2]
    assert len(caught) == len(BAD_ROWS) and str(caught[0].message).startswith(f"{file} line 2: ")


def test_a_merge_goes_on_without_bad_rows(file, tmp_path):
    bad_file(file)
    out = tmp_path / "all.jsonl"
    added, damaged = leaderboard.merge([file], out)
    assert added == 2 and len(damaged) == len(BAD_ROWS)
    assert [row["seed"] for row in leaderboard.read(out)[0]] == [1, 2] and leaderboard.read(out)[1] == []


def test_the_command_names_damaged_lines_once(file, capsys, monkeypatch):
    from typer.testing import CliRunner

    from itm_tutorial.cli import app_of_commands

    leaderboard.record(run(seed=1), file)
    with file.open("a") as stream:
        stream.write(json.dumps(run(options=5)) + "\n")
    ran = CliRunner().invoke(app_of_commands, ["leaderboard", str(file), "--corpus", "scenes"])
    assert ran.exit_code == 0 and ran.output.count(f"{file} line 2: ") == 1
    ran = CliRunner().invoke(
        app_of_commands, ["leaderboard", str(file), "--merge", "--out", str(file.parent / "b.jsonl")]
    )
    assert ran.exit_code == 0 and ran.output.count(f"{file} line 2: ") == 1 and "1 new rows" in ran.output


@pytest.mark.parametrize("kind", ["symlink", "hard link", "dots"])
def test_one_file_by_two_paths_is_not_merged_into_itself(file, kind):
    leaderboard.record(run(seed=1), file)
    other = file.parent / ".." / "runs" / file.name if kind == "dots" else file.parent / "other.jsonl"
    if kind == "symlink":
        other.symlink_to(file)
    elif kind == "hard link":
        os.link(file, other)
    with pytest.raises(ItmError, match="is among the files to merge"):
        leaderboard.merge([other], file)
    assert len(leaderboard.read(file)[0]) == 1
