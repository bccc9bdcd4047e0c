"""What the cache keeps of trained networks and drawn pictures: a damaged file names the folder to delete."""

import pytest
import torch

import itm_tutorial as itm
import itm_tutorial.pretraining.backbone as backbones
import itm_tutorial.pretraining.detector as detectors
import itm_tutorial.pretraining.word_vectors as words
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import cache_dir, read_tensors, write_json, write_tensors


def mini():
    write_tensors(backbones.mini_folder() / "weights.safetensors", backbones.MiniBackbone().state_dict())
    return backbones.mini_folder() / "weights.safetensors", backbones.load_mini


def detector():
    weights = detectors.new_detector(backbones.MiniBackbone()).state_dict()
    write_tensors(detectors.detector_folder() / "weights.safetensors", weights)
    return detectors.detector_folder() / "weights.safetensors", detectors.load_detector


def world_words():
    WordVectors(["a", "b"], torch.eye(2)).save(words.words_folder())
    return words.words_folder() / "vectors.safetensors", words.world_words


def pictures():
    def load():
        return itm.load_corpus("scenes", size="tiny", image_size=32)

    load()
    (folder,) = [folder for folder in (cache_dir() / "corpora").iterdir() if folder.is_dir()]
    return folder / "val.safetensors", load


@pytest.mark.parametrize("make", [mini, detector, world_words, pictures])
@pytest.mark.parametrize("damage", ["cut short", "empty", "another's", "other shapes"])
def test_a_damaged_file_names_the_folder_to_delete_and_a_whole_one_is_read(tmp_path, monkeypatch, make, damage):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    file, load = make()
    assert load() is not None
    if damage in ("cut short", "empty"):
        file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2 * (damage == "cut short")])
    else:
        whole = read_tensors(file)
        changed = {f"x{name}": value for name, value in whole.items()}
        if damage == "other shapes":
            changed = {name: value.flatten()[:1].clone() for name, value in whole.items()}
        write_tensors(file, changed)
    with pytest.raises(ItmError, match=f"{file}.*delete {file.parent} and make it again"):
        load()


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"words": ["a", 5]}, r"\['words'\]\[1\]"),
        ({"words": ["a", "a"]}, "the word 'a' occurs twice"),
        ({"words": ["a"]}, "vectors must be torch.float32 1 any"),
        ({"words": "ab"}, r"\['words'\]"),
        ({"words": ["a", "b"], "duplicates": "x"}, r"\['duplicates'\]"),
        ([], "words.json"),
    ],
)
def test_damaged_words_are_named_with_their_folder(tmp_path, about, message):
    WordVectors(["a", "b"], torch.eye(2)).save(tmp_path)
    assert WordVectors.load(tmp_path).words == ["a", "b"]
    write_json(tmp_path / "words.json", about)
    with pytest.raises(ItmError, match=message) as caught:
        WordVectors.load(tmp_path)
    assert str(tmp_path) in str(caught.value)
