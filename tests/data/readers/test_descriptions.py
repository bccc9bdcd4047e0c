"""Birds and flowers with descriptions: classes are the identities, test classes are not trained on, faults named."""

import shutil

import pytest

import itm_tutorial as itm
from itm_tutorial.data import readers
from itm_tutorial.errors import ItmError

pytestmark = pytest.mark.usefixtures("own_cache")
ARCHIVES = {"cub": "cvpr2016_cub", "oxford102": "cvpr2016_flowers"}


@pytest.fixture(params=ARCHIVES)
def name(request):
    return request.param


@pytest.fixture
def copy(name, tmp_path, layouts):
    layouts.make(name, tmp_path / "copy")
    return tmp_path / "copy"


def texts(name, copy):
    return copy / ARCHIVES[name] / "text_c10"


def test_classes_are_disjoint_and_named(name, copy):
    readers.prepare(name, copy)
    corpus = itm.load_corpus(name)
    assert corpus.train.identity.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (corpus.val.identity.tolist(), corpus.test.identity.tolist()) == ([4, 4], [5, 5])
    assert corpus.classes.names == sorted(folder.name for folder in texts(name, copy).iterdir())
    assert corpus.classes.seen == frozenset(corpus.classes.names[:4])
    assert corpus.about == "complete"


def test_without_lists_classes_are_divided(name, copy):
    for file in (copy / ARCHIVES[name]).glob("*classes.txt"):
        file.unlink()
    listed = readers.read(name, copy)
    assert {split: len({row["identity"] for row in rows}) for split, rows in listed.splits.items()} == {
        "train": 4,
        "val": 1,
        "test": 1,
    }
    assert listed.note.startswith("no testclasses.txt: splits made here by the hash of the class names (4 train, 1 val")


def test_other_places_for_the_descriptions(name, copy):
    shutil.move(texts(name, copy), copy / "text_c10")
    assert len(readers.read(name, copy).rows()) == 12
    (copy / "text_c10").rename(copy / "text")
    assert len(readers.read(name, copy).rows()) == 12
    (copy / "text_c10").mkdir()
    (copy / "text").rename(copy / "text_c10/text")
    assert len(readers.read(name, copy).rows()) == 12
    assert readers.recognised(copy) == [name]


def test_the_folder_of_birds_may_be_given_with_the_descriptions_beside_it(tmp_path, layouts):
    layouts.make("cub", tmp_path)
    assert len(readers.read("cub", tmp_path / "CUB_200_2011").rows()) == 12


def test_without_descriptions_it_says_where_they_are(name, copy):
    shutil.rmtree(copy / ARCHIVES[name])
    assert readers.recognised(copy) == [name]
    with pytest.raises(ItmError, match="has no text_c10/ with the descriptions: put it there; .*reedscot/cvpr2016"):
        readers.read(name, copy)


def test_lost_characters_and_lines_without_a_word_are_left_out(name, copy):
    file = sorted(texts(name, copy).rglob("*.txt"))[0]
    file.write_text(file.read_text().replace(" with ", " \ufffd\ufffd ", 1) + " . \n\n")
    listed = readers.read(name, copy)
    assert listed.note == "1 line without a word left out"
    assert len(listed.rows()[0]["captions"]) == 3 and "\ufffd" not in listed.rows()[0]["captions"][0]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda archive: (archive / "valclasses.txt").unlink(), "valclasses.txt is missing beside trainclasses.txt"),
        (
            lambda archive: (archive / "valclasses.txt").write_text((archive / "testclasses.txt").read_text()),
            "testclasses.txt line 1: class .* is in valclasses.txt too",
        ),
        (lambda archive: (archive / "valclasses.txt").write_text("x\n"), "this class is in none of trainclasses.txt, "),
        (lambda archive: sorted(archive.glob("text_c10/*/*.txt"))[0].write_text(""), r"\.jpg has no caption"),
        (lambda archive: sorted(archive.glob("text_c10/*/*.txt"))[0].write_bytes(b"\xff"), "line 1: not UTF-8"),
    ],
)
def test_broken_copies_are_named(name, copy, damage, message):
    damage(copy / ARCHIVES[name])
    with pytest.raises(ItmError, match=message):
        readers.read(name, copy)
