"""The figures of chapter 12 in numbers: alt text, marks without colour, and errors; and what the notebook computes."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial import show
from itm_tutorial.chapters.ch12_correlation import figures as ch12
from itm_tutorial.chapters.ch12_correlation import live
from itm_tutorial.chapters.ch12_correlation.measures.dcca import noise_curve, pearson
from itm_tutorial.chapters.ch12_correlation.structure_figures import METHODS, NEW, distances_by_image
from itm_tutorial.encoders.fisher_vector import Mixture
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.correlation import total_correlation

X = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [2.0, -2.0], [-2.0, 0.5]])
Y = torch.stack([X[:, 0], -X[:, 1]], 1)
WORDS = {"red": torch.tensor([0.0, 1.0]), "dog": torch.tensor([-1.0, 0.0]), "dogs": torch.tensor([1.0, 0.0])}
EMBEDDINGS = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


@pytest.fixture
def mixture():
    """Two standard Gaussians left and right."""
    made = Mixture(2, 2)
    made.locations.copy_(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    return made


@pytest.fixture
def figures(mixture):
    rows = [{"batch": 6, "correlation": 5.0}, {"batch": 100, "correlation": 0.9}]
    correlations = {"train": torch.tensor([0.9, 0.6]), "test": torch.tensor([0.8, 0.4])}
    return {
        "caption_distances": ch12.caption_distances({"plain": EMBEDDINGS}, torch.tensor([0, 0, 1])),
        "correlation_by_batch": ch12.correlation_by_batch({"noise": rows}, 5),
        "directions": ch12.directions(X, Y, [0, 1]),
        "methods": ch12.methods(),
        "shift": ch12.shift(WORDS, ["red", "dog"], mixture, torch.tensor([[0.0, 2.0], [0.5, 0.0]])),
        "spectrum": ch12.spectrum({"linear CCA": correlations}),
        "variance_curves": ch12.variance_curves({"full": [0.5, 0.4], "plain": [0.5, 0.001]}),
    }


def test_every_figure_says_what_it_shows(figures, drawing):
    assert set(figures) == set(ch12.__all__)
    quoted = {
        "caption_distances": ["plain: 0.00 within an image, 1.41 between images"],
        "correlation_by_batch": ["at most 5 is possible, from 6 pairs on", "noise: 5.0 with 6 pairs, 0.9 with 100"],
        "directions": ["4 pairs of image and caption", "direction 1: 1.00, direction 2: -1.00."],
        "methods": ["A map of 6 methods", "FV (2015), new: sentence: Fisher vector of its words"],
        "shift": ["3 word vectors in two dimensions", "arrow of component 1 is the longest, at an angle of 90 degrees"],
        "spectrum": ["linear CCA: sum 1.5 in training, 1.2 in test"],
        "variance_curves": ["over 1 epoch.", "plain: from 0.5 to 0.001"],
    }
    drawing.check_alt_texts(figures, quoted)


def test_the_map_is_of_the_methods_of_the_chapter():
    assert [name.partition(" ")[0] for name in METHODS] == ["DCCA", "FV", "SPE", "2WayNet", "RRF-Net", "Two-Branch"]
    assert {name for name, _ in NEW} == set(METHODS)


def test_lines_differ_in_their_marks(figures):
    lines = figures["variance_curves"].axes[0].lines
    assert len({line.get_marker() for line in lines}) == len({line.get_linestyle() for line in lines}) == 2
    train, test = figures["spectrum"].axes[0].lines
    assert (train.get_linestyle(), train.get_markerfacecolor()) == (":", "white") and test.get_linestyle() == "-"
    bars = figures["caption_distances"].axes[0].patches
    assert {bar.get_hatch() for bar in bars} == {"////", None}


def test_figures_that_take_axes_draw_on_them(mixture):
    figure = show.canvas.new_figure(4, 3)
    axes = figure.subplots()
    assert ch12.shift(WORDS, ["red"], mixture, torch.ones(2, 2), axes=axes) is axes and figure.axes == [axes]


def test_pairs_of_captions_are_counted_once():
    same, other = distances_by_image(EMBEDDINGS, torch.tensor([0, 0, 1]))
    assert same.tolist() == [0] and other.tolist() == pytest.approx([2**0.5, 2**0.5])


def test_what_cannot_be_drawn_is_refused(mixture):
    with pytest.raises(ItmError, match=r"directions: projections \[4, 2\] and \[3, 2\]"):
        ch12.directions(X, Y[:3], [0])
    with pytest.raises(ItmError, match="correlation_by_batch: give one or more rows"):
        ch12.correlation_by_batch({"noise": []}, 5)
    with pytest.raises(ItmError, match="spectrum: give the correlations"):
        ch12.spectrum({})
    with pytest.raises(ItmError, match=r"without one: \['cat'\]"):
        ch12.shift(WORDS, ["cat"], mixture, torch.zeros(2, 2))
    with pytest.raises(ItmError, match="means and gradient"):
        ch12.shift(WORDS, ["red"], mixture, torch.zeros(3, 2))
    with pytest.raises(ItmError, match="give one per caption"):
        ch12.caption_distances({"plain": EMBEDDINGS}, torch.tensor([0, 1]))
    with pytest.raises(ItmError, match="variance_curves: give one to 5 lines"):
        ch12.variance_curves({"full": []})


def test_the_curve_of_noise_falls_as_the_measure_says():
    x, y = torch.randn(300, 5), torch.randn(300, 5)
    rows = live.correlation_curve(x, y, (6, 300, 1000))
    assert [row["batch"] for row in rows] == [6, 300]  # no more pairs than there are
    assert rows[0]["correlation"] == pytest.approx(noise_curve(dim=5, batches=(6,))[0]["correlation"], abs=1e-3)
    assert rows[1]["correlation"] == pytest.approx(total_correlation(x, y, 1e-8).item())


def test_words_in_the_plane_keep_their_largest_variances():
    vectors = {f"w{i}": torch.tensor([float(i), 0.1 * (i % 3), 0.0]) for i in range(12)}
    plane, mixture = live.word_plane(vectors, 2)
    places = torch.stack(list(plane.values()))
    assert list(plane) == list(vectors) and places.shape == (12, 2) and mixture.locations.shape == (2, 2)
    assert torch.allclose(torch.pdist(places), torch.pdist(torch.stack(list(vectors.values()))), atol=1e-4)


def test_projections_are_those_whose_cosine_the_model_takes(tiny, instant_features):
    model = itm.create_model("dcca", tiny, embed_size=3)
    itm.fit(model, tiny, epochs=1, batch_size=75)
    images, captions = live.projections(model, tiny.test)
    assert images.shape == captions.shape == (len(tiny.test.captions), 3)
    expected = model.encode_captions(tiny.test.captions).detach().double()
    assert torch.allclose(torch.nn.functional.normalize(captions, dim=1), expected, atol=1e-4)
    found = live.correlations(model, tiny.test)
    assert torch.allclose(found["test"], pearson(images, captions)) and found["train"].shape == (3,)
    words = live.caption_words(itm.create_model("fisher_vector", tiny), tiny.test)
    assert "dog" in words and all(vector.any() for vector in words.values())


def test_the_variance_has_one_number_per_epoch(tiny, instant_features):
    found = live.variances(
        tiny, {"full": ("two_way_net", {}), "plain": ("two_way_net_plain", {})}, epochs=2, batch_size=50, seed=0
    )
    assert {name: len(rows) for name, rows in found.items()} == {"full": 3, "plain": 3}  # before training, too
    assert all(value > 0 for rows in found.values() for value in rows)
