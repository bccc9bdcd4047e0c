"""The reader of SCAN's and VSE++'s features on small arrays: both layouts work, and each fault is named."""

import json
import os
import pickle
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.readers import arrays as arrays_module
from itm_tutorial.data.readers.arrays import check_values
from itm_tutorial.data.readers.precomp import NAMES, prepare, read_precomp, record_file
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import write_json

NAME = "f30k_precomp"
IMAGES = {"train": 6, "dev": 3, "test": 2}


def arrays(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def save(folder, published, array, n_captions):
    np.save(folder / f"{published}_ims.npy", array)
    lines = [f"{published} {i // 5}, caption {i % 5} .\n" for i in range(n_captions)]
    (folder / f"{published}_caps.txt").write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def regions(tmp_path, monkeypatch):
    """SCAN's layout: one row per image, 4 regions of 8 numbers."""
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ITM_PROGRESS", "0")
    folder = tmp_path / "published"
    folder.mkdir()
    for seed, (published, n) in enumerate(IMAGES.items()):
        save(folder, published, arrays(seed, n, 4, 8), 5 * n)
    return folder


@pytest.fixture
def redundant(regions):
    """VSE++'s layout: one row per caption, global features of 8 numbers."""
    for seed, (published, n) in enumerate(IMAGES.items()):
        save(regions, published, arrays(seed, n, 8).repeat(5, axis=0), 5 * n)
    return regions


def change(folder, change_array, file="train_ims.npy"):
    array = np.load(folder / file)
    np.save(folder / file, change_array(array))


def test_one_row_per_image(regions):
    corpus = read_precomp(regions, NAME)
    assert list(corpus.splits) == ["train", "val", "test"]
    assert [len(split.images) for split in corpus.splits.values()] == [6, 3, 2]
    assert corpus.val.captions[6] == "dev 1, caption 1 ."
    assert corpus.test.image_of.tolist() == [0] * 5 + [1] * 5 and corpus.test.image_of.dtype == torch.int64
    assert np.array_equal(corpus.train.precomputed, arrays(0, 6, 4, 8))
    assert (corpus.name, corpus.drawn, corpus.about) == (NAME, False, "features only, 4 x 8 per image")


def test_one_row_per_caption_becomes_one_per_image(redundant):
    corpus = read_precomp(redundant, NAME)
    for seed, (split, n) in enumerate(zip(corpus.splits.values(), IMAGES.values(), strict=True)):
        assert np.array_equal(split.precomputed, arrays(seed, n, 8))
        assert (len(split.images), len(split.captions), split.image_of[5 * n - 1]) == (n, 5 * n, n - 1)
    assert "train held each image 5 times" in corpus.about


def test_each_split_has_its_own_layout(redundant):
    save(redundant, "test", arrays(2, 2, 8), 10)
    corpus = read_precomp(redundant, NAME)
    assert corpus.about.endswith("train held each image 5 times; dev held each image 5 times")
    assert np.array_equal(corpus.test.precomputed, arrays(2, 2, 8))


@pytest.mark.parametrize("layout", ["regions", "redundant"])
def test_arrays_stay_on_disk_and_cannot_be_written(request, layout):
    features = read_precomp(request.getfixturevalue(layout), NAME).train.precomputed
    assert isinstance(features, np.memmap) and not features.flags.owndata  # a view of the file, not a copy
    with pytest.raises(ValueError, match="read-only"):
        features[0] = 0
    assert isinstance(torch.from_numpy(features[[1, 3]]), torch.Tensor)


def test_there_are_no_pictures_and_an_error_says_so(regions):
    images = read_precomp(regions, NAME).train.images
    assert len(images) == 6
    with pytest.raises(ItmError, match="f30k_precomp holds features only, so image 2 cannot .* use split.precomputed"):
        images[2]


def test_testall_is_taken_on_request_and_where_there_is_no_other(regions, tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    save(regions, "testall", arrays(3, 5, 4, 8), 25)
    corpus = read_precomp(regions, NAME)
    about = "features only, 4 x 8 per image; the test split is test; test='testall' takes all 5,000"
    assert (len(corpus.test.images), corpus.about) == (2, about)
    whole = read_precomp(regions, NAME, test="testall")
    assert len(whole.test.images) == 5 and whole.about.endswith("the test split is testall")
    assert whole.test.fingerprint != corpus.test.fingerprint and whole.train.fingerprint == corpus.train.fingerprint
    prepare("coco_precomp", regions)
    assert len(itm.load_corpus("coco_precomp", test="testall").test.images) == 5
    with pytest.raises(ItmError, match="did you mean 'testall'"):
        read_precomp(regions, NAME, test="testal")
    change(regions, lambda array: array * np.nan, "testall_ims.npy")
    with pytest.raises(ItmError, match="testall_ims.npy"):
        prepare("coco_precomp", regions)
    for file in ("test_ims.npy", "test_caps.txt"):
        (regions / file).unlink()
    assert len(read_precomp(regions, NAME).test.images) == 5


def test_lists_of_ids_do_not_matter(regions):
    (regions / "train_ids.txt").write_text("17\n")
    assert len(read_precomp(regions, NAME).train.images) == 6


def test_captions_are_composed_and_any_line_ends_are_read(regions):
    file = regions / "test_caps.txt"
    text = file.read_text().replace("test 0, caption 0", "\tcafe\u0301 \u2028 0").replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.rstrip().encode())  # and no line feed at the end
    captions = read_precomp(regions, NAME).test.captions
    assert captions[0] == "caf\u00e9 \u2028 0 ." and captions[-1] == "test 1, caption 4 ."


def truncate(n_bytes):
    def damage(folder):
        file = folder / "train_ims.npy"
        file.write_bytes(file.read_bytes()[:n_bytes])

    return damage


def damage_text(old, new):
    def damage(folder):
        file = folder / "train_caps.txt"
        file.write_bytes(file.read_bytes().replace(old, new, 1))

    return damage


def write_archive(folder):
    with (folder / "train_ims.npy").open("wb") as file:
        np.savez(file, images=arrays(0, 6, 4, 8))


def spoil(index, value):
    def damage(folder):
        def put(array):
            array[index] = value
            return array

        change(folder, put)

    return damage


FAULTS = [
    (lambda folder: (folder / "train_ims.npy").unlink(), "train_ims.npy is missing: give the folder"),
    (lambda folder: (folder / "dev_caps.txt").unlink(), "dev_caps.txt is missing"),
    (lambda folder: (folder / "test_ims.npy").unlink(), "test_ims.npy is missing"),
    (truncate(300), "train_ims.npy is cut short"),
    (truncate(20), "train_ims.npy is cut short"),
    (truncate(0), "train_ims.npy is cut short"),
    (write_archive, "train_ims.npy is cut short, or not a .npy file"),
    (lambda folder: change(folder, lambda a: a.astype("int32")), "is <i4 int32: save it again as .astype"),
    (lambda folder: change(folder, lambda a: a.astype("complex64")), "is <c8 complex64: save it again as .astype"),
    (lambda folder: change(folder, lambda a: a.astype(">f4")), "is >f4 float32: save it again as .astype"),
    (lambda folder: change(folder, lambda a: a[:, 0, 0]), r"train_ims.npy has shape \[6\], not \[n_images, dim\]"),
    (lambda folder: change(folder, lambda a: a[None]), r"has shape \[1, 6, 4, 8\]"),
    (lambda folder: change(folder, lambda a: a[:0]), r"has shape \[0, 4, 8\]"),
    (
        lambda folder: change(folder, lambda a: a[:4]),
        "has 4 rows, and train_caps 30 lines: there must be as many lines as rows, or",
    ),
    (lambda folder: save(folder, "train", arrays(0, 60, 4, 8), 30), "has 60 rows, and train_caps 30 lines"),
    (
        lambda folder: change(folder, lambda a: a[..., :7]),
        r"\[4, 8\] numbers per image in dev_ims.npy, but \[4, 7\] in",
    ),
    (damage_text(b"train 1, caption 2 .", b" \r"), "train_caps.txt line 8: the caption is empty; write one there"),
    (damage_text(b"train 1, caption 2 .", b" . "), "train_caps.txt line 8: the caption is empty"),
    (damage_text(b"train 1, caption 2", b"caf\xe9"), "train_caps.txt line 8: not UTF-8"),
    (
        damage_text(b"train 1, caption 2 .\n", b""),
        "has 6 rows, and train_caps 29 lines",
    ),
]
SPOILT = [
    (spoil((3, 2, 1), np.nan), r"train_ims.npy holds nan at \[3, 2, 1\], counted from 0"),
    (spoil((5, 3, 7), -np.inf), r"train_ims.npy holds -inf at \[5, 3, 7\]"),
]


@pytest.mark.parametrize(("damage", "message"), FAULTS + SPOILT)
def test_faults_are_named_and_nothing_is_recorded(regions, damage, message):
    damage(regions)
    with pytest.raises(ItmError, match=message):
        prepare(NAME, regions)
    assert not record_file(NAME).exists()


@pytest.mark.parametrize(("damage", "message"), FAULTS)
def test_faults_are_named_by_the_reader_too(regions, damage, message):
    damage(regions)
    with pytest.raises(ItmError, match=message):
        read_precomp(regions, NAME)


def test_rows_that_are_not_five_times_one_image_are_refused(redundant, monkeypatch):
    spoil((0, 7), 9)(redundant)
    with pytest.raises(ItmError, match=r"rows 1 and 2 \(counted from 0\) are the same image, .* but rows 0 and 1"):
        read_precomp(redundant, NAME)  # the layout is inferred, so the first rows are compared
    change(redundant, lambda a: arrays(0, 6, 8).repeat(5, axis=0))
    spoil((27, 0), 9)(redundant)
    monkeypatch.setattr(arrays_module, "CHUNK", 1)  # the smallest step that does not split an image
    with pytest.raises(ItmError, match=r"begins with one row per caption, 5 equal rows per image, but rows 25 to 29"):
        prepare(NAME, redundant)
    change(redundant, lambda a: arrays(0, 6, 8).repeat(5, axis=0))
    spoil((3, 0), 9)(redundant)
    with (
        pytest.warns(UserWarning, match="3 captions per image in train"),
        pytest.raises(ItmError, match=r"3 equal rows per image, but rows 3 to 5"),
    ):
        prepare(NAME, redundant)
    change(redundant, lambda a: np.ones((30, 8), "float32"))
    with pytest.raises(ItmError, match="its first 25 rows are all the same image"):
        read_precomp(redundant, NAME)
    save(redundant, "train", arrays(0, 10, 8).repeat(3, axis=0)[:-2], 28)
    with pytest.raises(ItmError, match="begins with 3 equal rows, .* but 28 rows cannot be divided by 3"):
        read_precomp(redundant, NAME)


def test_every_number_is_checked_whatever_the_chunks(monkeypatch):
    for chunk in (1, 1000, 2**26):
        monkeypatch.setattr(arrays_module, "CHUNK", chunk)
        array = arrays(0, 23, 4, 8)
        check_values(array, 1, Path("a.npy"))
        array[22, 3, 7] = np.nan
        with pytest.raises(ItmError, match=r"nan at \[22, 3, 7\]"):
            check_values(array, 1, Path("a.npy"))


@pytest.mark.parametrize("captions", [1, 2, 3, 7])
def test_an_image_may_have_any_number_of_captions(regions, captions):
    for seed, (published, n) in enumerate(IMAGES.items()):
        save(regions, published, arrays(seed, n, 4, 8), captions * n)
    prepare(NAME, regions)
    corpus = itm.load_corpus(NAME)
    assert corpus.train.image_of.tolist() == [i for i in range(6) for _ in range(captions)]
    assert f"{captions} caption{'s' * (captions > 1)} per image in train and dev and test" in corpus.about


def test_splits_with_other_numbers_of_captions_are_read_with_a_warning(regions):
    change(regions, lambda a: a[:5])  # 30 captions, as if each of 5 images had 6
    with pytest.warns(UserWarning, match="6 captions per image in train, 5 captions per image in dev and test"):
        read_precomp(regions, NAME)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_half_and_double_precision_are_read_and_trained_on(regions, dtype):
    for published in IMAGES:
        change(regions, lambda a: a.astype(dtype), f"{published}_ims.npy")
    prepare(NAME, regions)
    corpus = itm.load_corpus(NAME)
    assert corpus.train.precomputed.dtype == dtype and isinstance(corpus.train.precomputed, np.memmap)
    model = itm.create_model("scan", corpus, embed_size=8, word_dim=8)
    history = itm.fit(model, corpus, epochs=1, batch_size=4, progress=False)
    assert np.isfinite(history.epochs[0]["loss"]) and itm.score(model, corpus.val).dtype == torch.float32


@pytest.mark.parametrize(
    ("there", "absent"), [(["train", "dev"], "test"), (["dev"], "train and test"), (["test"], "t")]
)
def test_a_folder_may_hold_some_of_the_splits(regions, there, absent):
    for published in set(IMAGES) - set(there):
        for file in regions.glob(f"{published}_*"):
            file.unlink()
    with pytest.warns(UserWarning, match=f"f30k_precomp was prepared without {absent}"):
        prepare(NAME, regions)
    with pytest.warns(UserWarning, match="without"):
        corpus = itm.load_corpus(NAME)
    assert list(corpus.splits) == [{"dev": "val"}.get(published, published) for published in there]
    with pytest.raises(ItmError, match=r"has no .* split: it has .* \(features only, .*without"):
        _ = [corpus.train, corpus.val, corpus.test]


def test_a_table_of_captions_is_read(regions):
    for published, n in IMAGES.items():
        (regions / f"{published}_caps.txt").unlink()
        (regions / f"{published}_caps.tsv").write_text("".join(f"{i}00\timage {i} .\n" for i in range(n)))
    prepare("cc152k_precomp", regions)
    corpus = itm.load_corpus("cc152k_precomp")
    assert corpus.val.captions == ["image 0 .", "image 1 .", "image 2 ."] and corpus.val.image_of.tolist() == [0, 1, 2]
    (regions / "dev_caps.tsv").write_text("0\timage 0\nimage 1\n2\timage 2\n")
    with pytest.raises(ItmError, match="dev_caps.tsv line 2: no tab"):
        prepare("cc152k_precomp", regions)


def test_captions_that_were_written_as_bytes_are_repaired(regions):
    file = regions / "test_caps.txt"
    file.write_text("".join(f"{line.encode()!r}\n" for line in ["a caf\u00e9", "it's", 'a "b"', *"cdefghi"]))
    assert read_precomp(regions, NAME).test.captions[:3] == ["a caf\u00e9", "it's", 'a "b"']
    file.write_text(file.read_text().replace("b'c'", "b'c\\xff'"))
    with pytest.raises(ItmError, match="test_caps.txt line 4: .* is no caption; write the text without"):
        read_precomp(regions, NAME)


@pytest.mark.parametrize(
    "record",
    [
        "x", [], {}, {"folder": "/x"}, {"files": {}, "folder": 5}, {"folder": "a", "files": {}},
        {"folder": "/x", "files": {"train_ims.npy": "9"}}, {"folder": "/x", "files": {"../y": 9}},
        {"folder": "/x\0", "files": {}}, {"folder": "/x", "files": {"a" * 300: 5}}, {"folder": "/x", "files": []},
    ],
)  # fmt: skip
def test_a_damaged_record_is_named(regions, record):
    write_json(record_file(NAME), record)
    with pytest.raises(ItmError):
        itm.load_corpus(NAME)
    with pytest.raises(ItmError):
        prepare(NAME)


class Bomb:
    """Creates a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize("write", ["object array", "bare pickle"])
def test_nothing_is_unpickled(regions, monkeypatch, tmp_path, write):
    monkeypatch.chdir(tmp_path)
    if write == "object array":
        np.save(regions / "train_ims.npy", np.array([Bomb()] * 6, dtype=object), allow_pickle=True)
    else:
        (regions / "train_ims.npy").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ItmError, match="train_ims.npy is cut short, or not a .npy file of plain numbers"):
        read_precomp(regions, NAME)
    assert not Path("unpickled").exists()


@pytest.mark.parametrize("name", NAMES)
def test_prepared_it_is_loaded_by_name_from_its_folder(regions, name):
    with pytest.raises(ItmError, match=f"{name} is not prepared: run `itm prepare {name} --from DIR`"):
        itm.load_corpus(name)
    with pytest.raises(ItmError, match=f"{name} cannot be downloaded here: give the folder"):
        prepare(name)
    record = prepare(name, regions)
    assert prepare(name) == record  # again, from the recorded folder
    assert {file.name for file in record.parent.iterdir()} == {f"{name}.json"}  # nothing copied
    assert name in itm.list_corpora() and itm.load_corpus(name).name == name
    with pytest.raises(ItmError, match="takes no option 'image_size'"):
        itm.load_corpus(name, image_size=64)


def test_the_folder_is_recorded_whole_from_any_working_folder(regions, monkeypatch):
    monkeypatch.chdir(regions)
    record = json.loads(prepare(NAME, Path(".")).read_text())
    assert record["folder"] == str(regions) and len(record["files"]) == 6
    monkeypatch.chdir("/")
    assert len(itm.load_corpus(NAME).train.images) == 6


def test_an_unknown_name_is_refused(regions):
    with pytest.raises(ItmError, match="did you mean 'f30k_precomp'"):
        prepare("f8k_precomp", regions)


def test_files_that_changed_since_are_reported(regions):
    prepare(NAME, regions)
    save(regions, "test", arrays(2, 3, 4, 8), 15)
    message = "test_ims.npy has 512 bytes, but had 384 when .*, or run `itm prepare f30k_precomp --from .*shed` again"
    with pytest.raises(ItmError, match=message):
        itm.load_corpus(NAME)
    prepare(NAME, regions)
    assert len(itm.load_corpus(NAME).test.images) == 3
    regions.rename(regions.with_name("elsewhere"))
    with pytest.raises(ItmError, match="train_ims.npy is gone.*run `itm prepare f30k_precomp --from DIR`"):
        itm.load_corpus(NAME)


def test_a_fingerprint_is_of_one_content(regions):
    before = {split.fingerprint for split in read_precomp(regions, NAME).splits.values()}
    assert before == {split.fingerprint for split in read_precomp(regions, NAME).splits.values()} and len(before) == 3
    os.utime(regions / "dev_ims.npy", ns=(1, 1))
    after = {split.fingerprint for split in read_precomp(regions, NAME).splits.values()}
    assert len(before & after) == 2 and len(after) == 3
    copied = read_precomp(regions.rename(regions.with_name("elsewhere")), NAME)
    assert not after & {split.fingerprint for split in copied.splits.values()}


def test_a_split_refuses_features_of_another_number_of_images():
    pictures, image_of = torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, 1])
    assert itm.Split("val", pictures, ["a", "b"], image_of).precomputed is None
    itm.Split("val", pictures, ["a", "b"], image_of, precomputed=torch.zeros(2, 8))
    for wrong in (np.zeros((3, 8)), torch.zeros(())):
        with pytest.raises(ItmError, match=r"val: precomputed has shape .* for 2 images; give one row per image"):
            itm.Split("val", pictures, ["a", "b"], image_of, precomputed=wrong)


def test_the_command_prepares_and_prints_the_shapes(regions):
    from typer.testing import CliRunner

    from itm_tutorial.cli import app_of_commands

    result = CliRunner().invoke(app_of_commands, ["prepare", NAME, "--from", str(regions)])
    assert result.exit_code == 0, result.exception
    assert "train 6 images, 30 captions" in result.output and "val: features [3, 4, 8]" in result.output
    assert NAME in CliRunner().invoke(app_of_commands, ["list"]).output
    result = CliRunner().invoke(app_of_commands, ["prepare", "scenes", "--from", str(regions)])
    assert "not for 'scenes'" in str(result.exception)


def test_the_script_prepares_and_reports_a_fault_in_one_line(regions, monkeypatch, capsys):
    script = str(Path(__file__).parents[3] / "data_scripts/precomp.py")
    monkeypatch.setattr("sys.argv", [script, NAME, "--from", str(regions)])
    runpy.run_path(script, run_name="__main__")
    assert "f30k_precomp.json: features only, 4 x 8 per image" in capsys.readouterr().out
    truncate(300)(regions)
    with pytest.raises(SystemExit, match="^f30k_precomp: .*train_ims.npy is cut short"):
        runpy.run_path(script, run_name="__main__")
