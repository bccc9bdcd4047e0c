"""Weights from files: those of another network, and damaged ones, are one sentence with the file and what to do."""

import io
import zipfile

import pytest
import torch
from torch import nn

from itm_tutorial.encoders.backbones import create_backbone
from itm_tutorial.encoders.kept_weights import load_kept, load_published, weights_file
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import write_tensors


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Where torchvision looks for the weights of resnet18, in an empty folder and without a network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    file = weights_file("resnet18")
    file.parent.mkdir(parents=True)
    return file


def saved(value):
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def test_published_weights_are_loaded(file):
    network, other = nn.Linear(2, 3), nn.Linear(2, 3)
    file.write_bytes(saved(network.state_dict()))
    load_published(other, "resnet18")
    assert torch.equal(network.weight, other.weight)


def with_another_pickle():
    """A whole archive in which a byte of the pickle is another."""
    data = saved({"weight": torch.zeros(3, 2)})
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[:2] + b"\xff" + content[3:] if name.endswith(".pkl") else content)
    return packed.getvalue()


DAMAGED = {
    "empty": b"",
    "cut short": saved(nn.Linear(2, 3).state_dict())[:300],
    "rubbish": bytes(range(256)) * 20,
    "a list": saved([torch.zeros(2)]),
    "numbers": saved({"weight": 1, "bias": 2}),
    "a number": saved(5),
    "another network's": saved(nn.Linear(2, 4).state_dict()),
    "with a name too many": saved({**nn.Linear(2, 3).state_dict(), "x": torch.zeros(1)}),
    "with a name too few": saved({"weight": torch.zeros(3, 2)}),
    "another pickle": with_another_pickle(),
    "code": saved({"weight": print}),
}


@pytest.mark.parametrize("damage", list(DAMAGED))
def test_damaged_weights_name_the_file_and_the_address(file, damage):
    file.write_bytes(DAMAGED[damage])
    with pytest.raises(
        ItmError, match=r"resnet18 cannot be had from .*resnet18.*: delete this file .*https?://"
    ) as caught:
        load_published(nn.Linear(2, 3), "resnet18")
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_absent_weights_name_the_folder_and_the_address(file):
    with pytest.raises(ItmError, match=r"cannot be had from .*no network.*https?://.*TORCH_HOME") as caught:
        create_backbone("resnet18")
    assert str(file) in str(caught.value)


def test_kept_weights_come_back(tmp_path):
    network, other = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    network(torch.randn(5, 3))
    write_tensors(tmp_path / "weights.safetensors", network.state_dict())
    load_kept(other, tmp_path / "weights.safetensors")
    assert torch.equal(network.running_mean, other.running_mean) and other.num_batches_tracked == 1


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"weight": torch.zeros(3, 2)}, "bias must be torch.float32 3 and is absent"),
        (
            {"weight": torch.zeros(2, 3), "bias": torch.zeros(3)},
            "weight must be torch.float32 3 2 and is torch.float32 2 3",
        ),
        ({"weight": torch.zeros(3, 2, dtype=torch.int32), "bias": torch.zeros(3)}, "is torch.int32 3 2"),
        ({"weight": torch.zeros(3), "bias": torch.zeros(3)}, "is torch.float32 3:"),
        (b"cut short", "cut short or damaged"),
        (None, "does not exist"),
    ],
)
def test_other_kept_weights_name_the_folder_to_delete(tmp_path, weights, message):
    file = tmp_path / "mini" / "weights.safetensors"
    file.parent.mkdir()
    if isinstance(weights, bytes):
        file.write_bytes(weights)
    elif weights is not None:
        write_tensors(file, weights)
    with pytest.raises(ItmError, match=f"{message}.*delete {file.parent} and make it again"):
        load_kept(nn.Linear(2, 3), file)


def test_a_file_of_rubbish_is_not_answered_with_advice_to_unpickle_it(tmp_path, monkeypatch):
    from torchvision.models import mobilenet_v2

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = weights_file("mobilenet_v2")
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(range(1, 200)) * 20)
    with pytest.raises(ItmError, match="cut short, damaged, or no file of weights.*delete this file") as error:
        load_published(mobilenet_v2(weights=None), "mobilenet_v2")
    assert "weights_only" not in str(error.value)
