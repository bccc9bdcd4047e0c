"""Chapter 04's figures of person search: alt text with the numbers, marks that grey print keeps, widget, errors."""

import math
import re
from types import SimpleNamespace

import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox

import itm_tutorial as itm
from itm_tutorial import show
from itm_tutorial.chapters.ch04_timam import figures as ch04
from itm_tutorial.chapters.ch04_timam.diagrams import cmpm_terms
from itm_tutorial.chapters.ch04_timam.person_figures import ATTRIBUTES, described_by, person_gallery
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.retrieval.search import Hits

PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])
MATCH = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]]).bool()
JUDGED = {"line": {0.1: [70.0, 72.0], 0: [77.0, 79.0]}, "network": {0: [91.0, 93.0], 0.1: [90.0, 90.0]}}
ABLATION = {"losses": {"CMPM": [50.0, 54.0, 52.0]}, "TIMAM": {"with adversary": [53.0]}}
TOY = (torch.tensor([1.5, 2.0]), torch.tensor([[0.3, 1.1], [1.0, -0.1]]), torch.tensor([True, False]))


@pytest.fixture
def split():
    """Four pictures, twice as high as wide, of three people."""
    images = [torch.full((3, 16, 8), 60 * n, dtype=torch.uint8) for n in range(4)]
    captions = ["a man", "a woman", "a man in jeans", "a <b>child</b>"]
    return Split("test", images, captions, torch.arange(4), identity=torch.tensor([7, 8, 7, 9]))


@pytest.fixture
def figures(split):
    random = torch.Generator().manual_seed(0)
    sides = [torch.randn(6, 5, generator=random), torch.randn(8, 5, generator=random) + 2]
    groups = (torch.tensor([1, 1, 2, 2, 3, 3]), torch.tensor([1, 1, 2, 2, 3, 3, 4, 4]))
    found = [Hits("a man", [0, 1, 2], [0.9, 0.5, 0.4]), Hits("a child", [1, 0, 2], [0.3, 0.2, 0.1])]
    return {
        "embedding_map": ch04.embedding_map(
            {"before": tuple(sides), "after": (sides[0], sides[0][[0, 1, 2]].repeat(2, 1))}
        ),
        "numbered": ch04.embedding_map({"before": tuple(sides)}, groups=groups),
        "identity_gallery": ch04.identity_gallery(split, found, [7, 9]),
        "loss_ablation": ch04.loss_ablation(ABLATION),
        "adversary_weights": ch04.adversary_weights(JUDGED, {0: [60.0, 62.0], 0.1: [61.0, 63.0]}),
        "adversary_game": ch04.adversary_game(),
        "cmpm_steps": ch04.cmpm_steps(*TOY),
        "projection_weights": ch04.projection_weights(PROBABILITIES, MATCH, split, [0, 1, 2], [0, 1, 3]),
        "worlds": ch04.worlds({"people": split}, n=4),
    }


def texts_of(figure):
    return [text.get_text() for axes in figure.get_axes() for text in axes.texts]


def test_every_figure_has_alt_text_and_is_drawn(figures, drawing):
    assert set(figures) - {"numbered"} == set(ch04.__all__) - {"person_explorer"}
    quoted = {name: [] for name in figures} | {"worlds": ["1 rows of drawn pictures. people: 2 of no. 1"]}
    drawing.check_alt_texts(figures, quoted)
    assert all((drawing.in_grey(figure) < 128).any() for figure in figures.values())


def test_a_gallery_marks_every_picture_of_the_right_person(figures):
    drawn = figures["identity_gallery"]
    titles = [axes.get_title() for axes in drawn.get_axes()]
    assert titles == ["✓ 1", "2", "✓ 3", "1", "2", "3"]
    frames = [axes.spines["left"].get_visible() for axes in drawn.get_axes()]
    assert frames == [True, False, True, False, False, False]  # a tick as well as a frame
    alt = show.alt_text(drawn)
    assert "“a man”: the right one at rank 1, 3, of 3 shown" in alt
    assert "“a child”: the right one is not among them, of 3 shown" in alt


def test_projection_weights_frame_the_matches_in_both_panels(figures, split):
    drawn = figures["projection_weights"]
    side, *panels = drawn.get_axes()
    assert [len(axes.patches) for axes in panels] == [5, 5]
    assert sum(isinstance(artist, AnnotationBbox) for artist in side.get_children()) == 3  # a picture beside each row
    assert [label.get_text() for label in panels[0].get_xticklabels()] == ["a", "b", "c"]
    (captions,) = [text.get_text() for part in drawn.subfigs for text in part.texts]
    assert captions.splitlines() == ["a   a man", "b   a woman", "c   a <b>child</b>"]
    assert texts_of(drawn) == ["0.70", "0.20", "0.10", *["0.50"] * 2, *["0.25"] * 2, *["0.50"] * 5, "1.00"]
    alt = show.alt_text(drawn)
    assert "On average 80 % of an image's probability" in alt and "evenly among 1 to 2 matching" in alt
    large = ch04.projection_weights(torch.full((20, 20), 0.05), torch.eye(20).bool(), split, [0] * 20, [0] * 20)
    assert texts_of(large) == [] and "On average 5 %" in show.alt_text(large)


def test_the_steps_of_cmpm_are_those_of_the_loss(figures):
    image, captions, match = TOY
    terms = cmpm_terms(*TOY)
    longer = cmpm_terms(image, 3 * captions, match)
    assert all(torch.allclose(terms[name], longer[name]) for name in terms)  # a caption has no length
    other = torch.tensor([[9.0, 9.0]])  # a second image, so that both directions of the package's loss are defined
    p = (image[None] @ (captions / captions.norm(dim=1, keepdim=True)).T).softmax(1)
    q = match.float()[None]
    assert torch.allclose(terms["term"].sum().float(), (p * (p / (q + 1e-8)).log()).sum(), atol=1e-5)
    assert projection_divergence_of(torch.cat([image[None], other]), captions, match) == pytest.approx(
        terms["term"].sum().item(), abs=1e-4
    )
    alt = show.alt_text(figures["cmpm_steps"])
    assert f"The loss of the image is {terms['term'].sum():.2f}" in alt and "A1: projection 2.32" in alt


def projection_divergence_of(images, captions, match):
    """The loss of the first image by a loop."""
    total, raised = 0.0, []
    for caption in captions.tolist():
        length = math.hypot(*caption)
        raised.append(math.exp(sum(x * y / length for x, y in zip(images[0].tolist(), caption, strict=True))))
    for value, positive in zip(raised, match.tolist(), strict=True):
        p = value / sum(raised)
        total += p * math.log(p / (positive / int(match.sum()) + 1e-8))
    return total


def test_the_game_says_who_learns_in_each_move(figures):
    left, right = figures["adversary_game"].get_axes()
    states = [[t.get_text() for t in axes.texts if t.get_text() in ("learns", "fixed")] for axes in (left, right)]
    assert states == [["fixed", "fixed", "learns"], ["learns", "learns", "fixed"]]


def test_weights_of_the_adversary_stand_in_order_and_every_seed_is_drawn(figures):
    left, right = figures["adversary_weights"].axes
    assert [label.get_text() for label in left.get_xticklabels()] == ["none", "0.1"]
    drawn = [line for line in left.lines if not line.get_label().startswith("_")]
    assert [list(line.get_ydata()) for line in drawn] == [[78.0, 71.0], [92.0, 90.0]]
    assert sorted(y for line in right.lines[1:] for y in line.get_ydata()) == [60, 61, 62, 63]
    alt = show.alt_text(figures["adversary_weights"])
    assert "linear judge: 78.0 at 0, 71.0 at 0.1; network: 92.0 at 0, 90.0 at 0.1; R@1: 61.0 at 0, 62.0 at 0.1" in alt


def test_two_pictures_of_each_identity_stand_together(figures):
    titles = [axes.get_title() for axes in figures["worlds"].get_axes() if axes.get_title()]
    assert titles == sorted(titles) and all(title.startswith("people, no. ") for title in titles)
    assert all(titles.count(title) <= 2 for title in titles)


def test_a_map_of_embeddings_gives_the_gap_and_the_variance(figures):
    images, captions = torch.eye(4)[[0, 1]], torch.eye(4)[[2, 3]]
    alt = show.alt_text(ch04.embedding_map({"a stage": (5 * images, captions)}))
    assert "2 images and 2 captions" in alt and "the means are 1.00 apart" in alt  # lengths are taken away
    assert "two directions hold 67 % of the variance" in alt
    assert sorted(set(texts_of(figures["numbered"]))) == ["1", "2", "3"]


def test_an_ablation_says_where_there_is_one_seed(figures):
    drawn = figures["loss_ablation"]
    assert texts_of(drawn) == ["losses", "52.0 ± 2.3", "TIMAM", "53.0, one seed"]
    assert "R@1 of 2 variants" in show.alt_text(drawn) and "losses, CMPM: 52.0 ± 2.3" in show.alt_text(drawn)
    assert not any(bar.get_hatch() for bar in drawn.axes[0].patches)  # a pattern would need a meaning
    assert "guessing: 0.5" in show.alt_text(ch04.loss_ablation(ABLATION, chance=0.5))
    figure = Figure()
    axes = figure.subplots()
    assert ch04.loss_ablation({"all": {"one": [0.0]}}, axes=axes) is axes


def test_what_cannot_be_drawn_is_refused_in_words(split):
    hits = Hits("a man", [0], [0.9])
    nameless = Split("val", split.images, split.captions, split.image_of)
    for words, call in {
        "does not say who is shown": lambda: ch04.identity_gallery(nameless, [hits], [7]),
        "1 descriptions for 2 people": lambda: ch04.identity_gallery(split, [hits], [7, 8]),
        "match is [2, 3] and probabilities [3, 3]": lambda: ch04.projection_weights(
            PROBABILITIES, MATCH[:2], split, [0, 1, 2], [0, 1, 2]
        ),
        "2 images and 3 captions for a matrix": lambda: ch04.projection_weights(
            PROBABILITIES, MATCH, split, [0, 1], [0, 1, 2]
        ),
        "give an image [2]": lambda: ch04.cmpm_steps(TOY[0][:1], *TOY[1:]),
        "no caption is of the image's person": lambda: ch04.cmpm_steps(*TOY[:2], ~TOY[2] & TOY[2]),
        "give at least one weight": lambda: ch04.adversary_weights(JUDGED, {0.1: []}),
        "the embeddings of at least one stage": lambda: ch04.embedding_map({}),
        "each with an identity": lambda: ch04.worlds({"people": nameless}),
        "give at least one variant": lambda: ch04.loss_ablation({"all": {"one": []}}),
        "'wings' is no attribute": lambda: ch04.person_explorer(None, split, ["wings"]),
    }.items():
        with pytest.raises(ItmError, match=re.escape(words)):
            call()


def test_ticks_make_a_description_in_the_order_of_the_buttons():
    assert described_by(["umbrella", "jeans", "woman"]) == "a woman, jeans, an umbrella"
    assert described_by([]) == ""
    names = [name for group in ATTRIBUTES for name in group]
    assert len(names) == len(set(names))


@pytest.fixture
def explored(cache, grids):
    people = itm.load_corpus("people", size="tiny")
    model = itm.create_model("cmpl", people, seed=0)
    *rows, text, view = ch04.person_explorer(model, people.test).children
    boxes = {box.description: box for row in rows for box in row.children}
    return SimpleNamespace(boxes=boxes, text=text, view=view, model=model, split=people.test)


def test_the_explorer_starts_with_its_figure_and_follows_ticks_and_words(explored):
    start = show.to_html(person_gallery(explored.model, explored.split, ("woman", "blue top", "jeans")))
    assert explored.view.value == start
    explored.boxes["umbrella"].value = True
    assert explored.text.value == "a woman, a blue top, jeans, an umbrella"
    assert "an umbrella" in explored.view.value
    explored.text.value = "a man with a zither"
    assert "Not in the vocabulary, left out: zither." in explored.view.value
    assert "found for “a man with a”" in explored.view.value
    explored.text.value = "zither"
    assert "There is no word to search for" in explored.view.value
    explored.text.value = ""
    assert "There is no word to search for" in explored.view.value
