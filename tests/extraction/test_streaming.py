"""Decoding ahead and writing chunk by chunk: order, bounds, errors, and files that are whole or absent."""

import threading
import time
import weakref
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction import features, streaming
from itm_tutorial.extraction.streaming import decoded_chunks, in_memory, on_disk
from itm_tutorial.models import FeatureSpec
from itm_tutorial.storage import read_tensors


class Slow(Sequence):
    """Images that take longer the earlier they are, decoded by threads; it counts how many are decoded."""

    threads = True

    def __init__(self, n, broken=None):
        self.n, self.broken, self.decoded, self.by = n, broken, 0, set()

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError(i)
        if i == self.broken:
            raise ItmError(f"image {i} is damaged")
        time.sleep(0.002 * (self.n - i) / self.n)
        self.decoded += 1
        self.by.add(threading.current_thread().name)
        return torch.full((3, 4, 4), i % 256, dtype=torch.uint8)


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(streaming, "usable_cores", lambda: 2)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 50])
def test_chunks_come_in_order_whoever_decodes_them(two_cores, n):
    for images in (Slow(n), list(Slow(n))):
        chunks = list(decoded_chunks(images, 8, ""))
        assert torch.cat(chunks)[:, 0, 0, 0].tolist() == list(range(n))
        assert all(len(chunk) == 8 for chunk in chunks[:-1])


def test_only_images_that_say_so_are_decoded_by_threads(two_cores):
    images = Slow(40)
    list(decoded_chunks(images, 8, ""))
    assert images.by and all(name.startswith("decode") for name in images.by)
    images = Slow(40)
    images.threads = False
    list(decoded_chunks(images, 8, ""))
    assert images.by == {threading.current_thread().name}


def test_no_more_is_decoded_ahead_than_a_few_chunks(two_cores):
    images = Slow(400)
    chunks = decoded_chunks(images, 8, "")
    next(chunks)
    time.sleep(0.3)
    assert images.decoded <= 8 * (2 * streaming.AHEAD + 2)
    chunks.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("decode")]


def test_a_damaged_image_ends_it_with_its_own_error(two_cores):
    images = Slow(400, broken=100)
    with pytest.raises(ItmError, match="image 100 is damaged"):
        list(decoded_chunks(images, 8, ""))
    assert images.decoded < 200
    assert not [one for one in threading.enumerate() if one.name.startswith("decode")]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.booleans())
@settings(max_examples=25)
def test_what_is_written_is_what_comes_back(tmp_path_factory, sizes, several):
    file = tmp_path_factory.mktemp("streamed") / "a.safetensors"
    parts = [{"features": torch.randn(size, 3, 2)} for size in sizes]
    if several:
        for part in parts:
            part["pixels"] = torch.randint(0, 256, (len(part["features"]), 5), dtype=torch.uint8)
            part["boxes"] = torch.randn(len(part["features"]), 7).half()
    on_disk(iter(parts), sum(sizes), file)
    found, expected = read_tensors(file), in_memory(iter(parts), sum(sizes))
    assert found.keys() == expected.keys() == parts[0].keys()
    for name, values in expected.items():
        assert torch.equal(found[name], values) and found[name].dtype == values.dtype
        assert torch.equal(values, torch.cat([part[name] for part in parts]))


@pytest.mark.parametrize("error", [ItmError("damaged"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_file_that_was_not_finished_does_not_exist(tmp_path, error):
    def broken():
        yield {"features": torch.zeros(2, 3)}
        raise error

    with pytest.raises((ItmError, KeyboardInterrupt)):
        on_disk(broken(), 4, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_chunks_that_are_written_are_let_go(tmp_path):
    alive, most = weakref.WeakSet(), []

    def chunks():
        for _ in range(50):
            one = torch.zeros(4, 3)
            alive.add(one)
            most.append(len(alive))
            yield {"features": one}

    on_disk(chunks(), 200, tmp_path / "a.safetensors")
    assert len(most) == 50 and max(most) <= 2


def test_no_images_are_refused(tmp_path):
    for collect in (lambda: in_memory(iter([]), 0), lambda: on_disk(iter([]), 0, tmp_path / "a")):
        with pytest.raises(ItmError, match="the split is empty"):
            collect()
    assert list(tmp_path.iterdir()) == []


def split_of(n, fingerprint=None, damaged=None):
    class Pictures(Slow):
        def __getitem__(self, i):
            super().__getitem__(i)
            return torch.full((3, 30, 40), i, dtype=torch.uint8)

    captions = [f"picture {i}" for i in range(n)]
    return Split("train", Pictures(n, damaged), captions, torch.arange(n), fingerprint=fingerprint)


def test_gradients_are_as_they_were_while_features_are_computed(monkeypatch):
    from itm_tutorial.encoders.backbones import MiniBackbone

    monkeypatch.setattr(features, "load_mini", lambda: MiniBackbone().eval())
    chunks = features._feature_chunks(split_of(20).images, FeatureSpec())
    assert not next(chunks)["features"].requires_grad
    assert torch.is_grad_enabled()
    chunks.close()
    assert torch.is_grad_enabled()


def test_pixels_of_photographs_are_kept_and_mapped_and_those_of_a_damaged_split_are_not(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    spec, split = FeatureSpec("pixels", "resnet18"), split_of(12, "mine/train-1")
    first = features.split_features(split, spec)
    assert first.shape == (12, 3, 224, 224) and first.dtype == torch.uint8 and first[5].float().mean() == 5
    decoded = split.images.decoded
    assert torch.equal(features.split_features(split, spec), first) and split.images.decoded == decoded
    with pytest.raises(ItmError, match="image 9 is damaged"):
        features.split_features(split_of(12, "mine/train-2", damaged=9), spec)
    assert not (tmp_path / "features/mine-train-2" / "pixels").exists()
    assert [one for one in (tmp_path / "features/mine-train-2").iterdir() if not one.name.endswith(".lock")] == []


def test_padded_features_have_a_place_of_their_own(tmp_path, monkeypatch):
    from itm_tutorial.extraction.versions import kept_folder

    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    plain = kept_folder("mine/train-1", FeatureSpec("pixels", "resnet18"))
    padded = kept_folder("mine/train-1", FeatureSpec("pixels", "resnet18", fit="pad"))
    assert plain.parent == padded.parent and plain != padded
    assert padded.name == f"{plain.name}-pad"


def test_pixels_of_unequal_images_are_refused_for_the_mini_backbone():
    images = [torch.zeros(3, 4, 4, dtype=torch.uint8), torch.zeros(3, 5, 4, dtype=torch.uint8)]
    with pytest.raises(ItmError, match=r"\[3, 4, 4\] and \[3, 5, 4\].*mobilenet_v2"):
        features.image_features(images, FeatureSpec("pixels"))
