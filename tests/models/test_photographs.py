"""Every registered model trains on photographs with its default recipe, or says in one sentence what to set."""

import numpy as np
import pytest
import torch
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.data.corpus import ClassTree, Corpus, Split
from itm_tutorial.data.readers.photographs import Photographs
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.backbones import weights_file
from itm_tutorial.encoders.stripes import StripeProjection, stripe_pool
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction import regions
from itm_tutorial.models import create_model

COLOURS = {"red": (200, 40, 40), "green": (40, 170, 60), "blue": (50, 70, 200)}
THINGS = ("ball", "box")
EACH = {"train": 2, "val": 1, "test": 1}  # photographs per colour and thing


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A TORCH_HOME with random weights of the two networks that photographs are seen through."""
    from torchvision.models import mobilenet_v2
    from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

    folder = tmp_path_factory.mktemp("torch_home")
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setenv("TORCH_HOME", str(folder))
        torch.manual_seed(0)
        weights_file("mobilenet_v2").parent.mkdir(parents=True)
        torch.save(mobilenet_v2(weights=None).state_dict(), weights_file("mobilenet_v2"))
        network = fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None)
        torch.save(network.state_dict(), weights_file(regions.BOXES_BY))
    return folder


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """A corpus of 24 JPEGs of 224 x 224 pixels, with classes; two captions each."""
    folder = tmp_path_factory.mktemp("photographs")
    rng, splits = np.random.default_rng(0), {}
    kinds = [(colour, thing) for colour in COLOURS for thing in THINGS]
    for name, times in EACH.items():
        files, captions, identity = [], [], []
        for number, (colour, thing) in enumerate(kinds * times):
            pixels = rng.integers(0, 60, (224, 224, 3)) + 150
            left = 40 + 50 * THINGS.index(thing)
            pixels[30:200, left : left + 60] = np.array(COLOURS[colour]) + rng.integers(-30, 30, (170, 60, 3))
            files.append(folder / f"{name}-{number}.jpg")
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(files[-1])
            captions += [f"a {colour} {thing} before a wall", f"the {thing} is {colour}"]
            identity.append(kinds.index((colour, thing)))
        image_of = torch.arange(len(files)).repeat_interleave(2)
        splits[name] = Split(
            name, Photographs(files), captions, image_of, torch.tensor(identity), fingerprint=f"made-up/{name}-1"
        )
    names = [f"{colour} {thing}" for colour, thing in kinds]
    classes = ClassTree(names, dict.fromkeys(names, "thing"), frozenset(names))
    return Corpus("made-up", splits, drawn=False, classes=classes)


@pytest.fixture(scope="session")
def features_kept(tmp_path_factory):
    """One cache for all models of this file, so that each kind of features is extracted once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def here(weights, features_kept, monkeypatch):
    """The weights at hand, and a cache."""
    monkeypatch.setenv("TORCH_HOME", str(weights))
    monkeypatch.setenv("ITM_CACHE", str(features_kept))


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No weights and no network."""

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "nothing"))


def words():
    known = [*COLOURS, *THINGS, "a", "the", "is", "before", "wall"]
    return WordVectors(known, torch.nn.functional.normalize(torch.randn(len(known), 16), dim=1))


@pytest.mark.parametrize("name", itm.list_models())
def test_it_trains_with_its_default_recipe_or_says_what_to_set(here, photographs, name):
    small = {"bert": None} if name == "timam" else {}  # a BERT need not be trained here
    try:
        model = create_model(name, photographs, **small)
    except ItmError as error:
        if "is trained with the true boxes" in str(error):  # which photographs do not come with
            assert str(error).endswith("use 'scenes'")
            return
        assert "give words=itm.read_word_vectors(FILE)" in str(error)
        model = create_model(name, photographs, words=words(), **small)
    settings = {"epochs": 1, "batch_size": 8, "device": "cpu", "progress": False}
    if name == "softmax":  # it reads labels, and these captions are sentences
        with pytest.raises(ItmError, match="reads one label per caption.*for sentences take 'bow'"):
            itm.fit(model, photographs, **settings)
        return
    history = itm.fit(model, photographs, **settings)
    assert np.isfinite(history.epochs[0]["loss"])
    scores = itm.score(model, photographs.test)
    assert scores.shape == (6, 12) and scores.isfinite().all()


def test_a_corpus_without_classes_is_refused_in_one_sentence(here, photographs):
    splits = {
        name: Split(name, split.images, split.captions, split.image_of) for name, split in photographs.splits.items()
    }
    plain = Corpus("plain", splits, drawn=False)
    for name, missing in (
        ("softmax", "no classes"),
        ("cmpl", "no identities or classes"),
        ("timam", "no identities or classes"),
    ):
        with pytest.raises(ItmError, match=f"corpus 'plain' .*{missing}"):
            create_model(name, plain)


@pytest.mark.parametrize("kind", ["global", "grid", "regions"])
def test_cached_features_are_used_without_weights_and_network(here, photographs, offline, weights, monkeypatch, kind):
    nothing = itm.features(photographs, kind)
    monkeypatch.setenv("TORCH_HOME", str(weights))
    kept = {name: getattr(itm.features(photographs, kind), name) for name in EACH}
    monkeypatch.setenv("TORCH_HOME", str(weights / "gone"))
    for name, values in kept.items():
        assert torch.equal(getattr(nothing, name), values)
    if kind != "global":
        assert nothing.boxes.test.shape == (*kept["test"].shape[:2], 4)


def test_without_a_detector_the_message_has_address_file_and_another_way(here, photographs, weights, monkeypatch):
    """Nothing is written before, and grids go on."""

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    file = weights_file(regions.BOXES_BY)
    file.rename(file.with_suffix(".away"))
    monkeypatch.setenv("ITM_CACHE", str(weights / "empty"))
    try:
        model = create_model("scan", photographs)
        with pytest.raises(ItmError) as caught:
            itm.fit(model, photographs, epochs=1, batch_size=8)
        for part in (str(file), "https://download.pytorch.org/models/fasterrcnn", "--option features=grid"):
            assert part in str(caught.value) and "\n" not in str(caught.value)
        kept = [path for path in (weights / "empty").rglob("*") if path.is_file() and path.suffix != ".lock"]
        assert kept == []
        gridded = create_model("scan", photographs, features="grid")
        itm.fit(gridded, photographs, epochs=1, batch_size=8, device="cpu", progress=False)
    finally:
        file.with_suffix(".away").rename(file)


def test_features_of_two_versions_are_never_mixed(photographs, weights, offline, tmp_path, monkeypatch):
    from torchvision.models import mobilenet_v2

    from itm_tutorial.extraction import versions

    monkeypatch.setattr(versions, "_ASSUMED", {})
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(weights))
    first = itm.features(photographs).train
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "nothing"))
    with pytest.raises(ItmError, match="mobilenet_v2"):  # the test split has none, and the training split's do not help
        _ = itm.features(photographs).test
    assert torch.equal(itm.features(photographs).train, first)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "other"))
    weights_file("mobilenet_v2").parent.mkdir(parents=True)
    torch.save(mobilenet_v2(weights=None).state_dict(), weights_file("mobilenet_v2"))
    with pytest.raises(ItmError, match="features of made-up that were read before .*restart Python"):
        _ = itm.features(photographs).test
    monkeypatch.setattr(versions, "_ASSUMED", {})  # a new process
    second = itm.features(photographs).test
    assert len(second) == 6
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "nothing"))
    for name in ("train", "test"):
        with pytest.raises(ItmError, match="2 versions .*delete all versions but one"):
            _ = getattr(itm.features(photographs), name)


def loop(grid, n_stripes):
    """Stripes by scalars, of a square grid."""
    side = round(grid.shape[1] ** 0.5)
    means, tops = [], []
    for i in range(n_stripes):
        rows = range(int(i * side / n_stripes), int(np.ceil((i + 1) * side / n_stripes)))
        cells = [grid[:, row * side + column] for row in rows for column in range(side)]
        means.append(sum(cells) / len(cells))
        tops.append(torch.stack(cells).amax(0))
    return torch.stack(means, 1), torch.stack(tops, 1)


@pytest.mark.parametrize("side", [1, 4, 7, 8, 12, 14, 16])
def test_stripes_of_any_square_grid_against_a_loop(side):
    grid = torch.randn(3, side**2, 5)
    for ours, theirs in zip(stripe_pool(grid, 8), loop(grid, 8), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)
    assert StripeProjection(5, 4).eval()(grid).shape == (3, 4)


def test_eight_rows_are_pooled_as_equal_chunks_bit_for_bit():
    grid = torch.randn(3, 64, 5)
    equal = grid.unflatten(1, (8, -1))
    assert torch.equal(stripe_pool(grid, 8)[0], equal.mean(2)) and torch.equal(stripe_pool(grid, 8)[1], equal.amax(2))
