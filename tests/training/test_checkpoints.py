"""Kept models of another version are refused in words, and never read as something else."""

import json

import pytest

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.training.checkpoints import FORMAT


@pytest.fixture
def kept(tiny, tmp_path):
    """A folder with an untrained model."""
    return itm.save_model(itm.create_model("bow", tiny, dim=8, word_dim=8), tmp_path / "kept")


def change(file, **changes):
    about = json.loads(file.read_text(encoding="utf-8"))
    about.update(changes)
    file.write_text(json.dumps({name: value for name, value in about.items() if value is not None}), encoding="utf-8")


@pytest.mark.parametrize("found", [None, 1, FORMAT + 1])
def test_a_model_of_another_version_is_refused(kept, found):
    assert itm.load_model(kept).name == "bow"
    change(kept / "model.json", format=found)
    with pytest.raises(ItmError, match=f"another version of the course .format {found or 1}; this one reads {FORMAT}"):
        itm.load_model(kept)


def test_a_run_of_another_version_is_refused(tiny, tmp_path, instant_features):
    settings = {"epochs": 1, "batch_size": 30, "device": "cpu", "progress": False, "folder": tmp_path}
    itm.fit(itm.create_model("bow", tiny), tiny, **settings)
    change(tmp_path / "training.json", format=None)
    with pytest.raises(ItmError, match="training.json was saved by another version of the course"):
        itm.fit(itm.create_model("bow", tiny), tiny, **settings)
