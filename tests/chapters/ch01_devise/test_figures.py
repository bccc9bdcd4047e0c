"""Chapter 01's figures of words, labels and hubs: alt text, marks, the neighbour map, and the widget."""

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch01_devise import figures as ch01
from itm_tutorial.chapters.ch01_devise.kind_figures import first_labels, nearest_seen
from itm_tutorial.chapters.ch01_devise.label_figures import correlation
from itm_tutorial.chapters.ch01_devise.word_figures import families_of, neighbour_map
from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.evaluation.class_metrics import k_occurrence

FAMILIES = {
    "animal": "dog wolf fox", "bird": "duck swan owl", "vehicle": "car van motorcycle", "furniture": "chair table sofa"
}  # fmt: skip
NAMES = [kind for kinds in FAMILIES.values() for kind in kinds.split()]
HIDDEN = ["fox", "owl", "motorcycle", "sofa"]
TREE = ClassTree(
    NAMES,
    {kind: family for family, kinds in FAMILIES.items() for kind in kinds.split()}
    | {"animal": "creature", "bird": "creature", "vehicle": "artefact", "furniture": "artefact"}
    | {"creature": "thing", "artefact": "thing"},
    frozenset(NAMES) - set(HIDDEN),
)
PANELS = {
    "seen kinds": {"softmax": [90.0, 70.0, 50.0], "guessing": [8.3, 25.0, 25.0]},
    "hidden kinds": {"softmax": [0.0, 40.0, 40.0], "guessing": [8.3, 25.0, 25.0]},
}


@pytest.fixture
def kinds(small_split):
    """A picture of every kind, in the order of the tree, then all again."""
    identity = torch.arange(24) % len(NAMES)
    captions = [NAMES[i] for i in identity]
    return Split("unseen", torch.stack(list(small_split.images)), captions, torch.arange(24), identity)


def vectors(*seeds):
    """Word vectors by moment; the last ones know the families."""
    found = {}
    for seed in seeds:
        noise = torch.randn(len(NAMES), 6, generator=torch.Generator().manual_seed(seed))
        middle = torch.eye(6)[torch.arange(len(NAMES)) // 3]
        found[f"after {seed} steps"] = WordVectors(NAMES, noise if seed != seeds[-1] else middle + 0.1 * noise)
    return found


def class_scores(kinds, correct):
    """Scores of the kinds' pictures, [24, n_classes]: all correct, or always the first label."""
    scores = torch.linspace(0.3, 0, len(NAMES)).repeat(24, 1)
    return scores + torch.eye(len(NAMES))[kinds.identity] if correct else scores


@pytest.fixture
def figures(kinds):
    good, poor = class_scores(kinds, True), class_scores(kinds, False)
    hidden = TREE.unseen_classes
    once_wrong = good.clone()
    once_wrong[14, NAMES.index("owl")] = 2.0  # the second fox
    words = list(vectors(3).values())[0]
    counts = {"one": k_occurrence(poor[:, hidden]), "another": k_occurrence(good[:, hidden])}
    return {
        "class_tree": ch01.class_tree(TREE, [kinds]),
        "predicted_kinds": ch01.predicted_kinds(once_wrong, kinds.identity, TREE, hidden),
        "hubs": ch01.hubs(counts, HIDDEN, torch.tensor([1.0, 2.0, 0.5, 4.0])),
        "labels_over_epochs": ch01.labels_over_epochs(kinds, 5, [poor, poor, good], TREE),
        "words_and_pictures": ch01.words_and_pictures(kinds, ["owl", "sofa"], words, poor, once_wrong, TREE, k=2),
        "one_word_space": ch01.one_word_space(TREE, kinds, "owl"),
        "precision_curves": ch01.precision_curves(PANELS, [1, 2, 5]),
        "word_space": ch01.word_space(vectors(1, 2, 3), TREE, named=("owl", "unicorn", "swan")),
    }


def test_alt_text_quotes_the_numbers(figures, drawing):
    assert set(figures) == set(ch01.__all__) - {"explorer_of_labels", "shown_kinds"}
    quoted = {
        "class_tree": [
            "each of 12 kinds, in 4 families",
            "bird: duck, swan, owl",
            "the 4 hidden kinds, which training never shows: fox,",
        ],
        "predicted_kinds": ["Bars of 4 kinds", "guessing gives 25.0 %", "owl 100 %", "fox 50 %, else mostly owl, 50 %"],
        "hubs": [
            "each of 4 labels",
            "one: most 24 (fox), 3 never named, r =",
            "another: most 18 (fox)",
            "0.5 to 4.0",
            "mean is 6",
        ],
        "labels_over_epochs": [
            "picture of owl",
            "2 epochs: dog, dog, owl",
            "from rank 6 to 1 of 12",
            "after epoch 2 its rank is 1, and the first label, owl, scores 0.00 more",
        ],
        "words_and_pictures": [
            "2 hidden kinds",
            "owl: nearest seen words by cosine",
            "the classifier says, in percent, dog 100; DeViSE says owl 100",
        ],
        "one_word_space": [
            "an owl goes through",
            "the hollow point owl",
            "its family, duck and swan, and far from car",
        ],
        "precision_curves": [
            "at 1 to 5 guesses",
            "2 panels of 2 curves",
            "seen kinds, softmax: 90 to 50",
            "hidden kinds, g",
        ],
        "word_space": [
            "3 maps of 12 words",
            "4 families: animal, bird,",
            "3 steps: for 12 of 12 kinds, the nearest is of their family",
        ],
    }
    drawing.check_alt_texts(figures, quoted)


def test_texts_stay_inside_the_figure_and_off_each_other(figures, drawing):
    drawing.check_texts(figures)


def test_figures_draw_on_what_they_are_given(kinds, drawing):
    scores = class_scores(kinds, True)
    drawing.check_targets(
        [
            lambda f: ch01.class_tree(TREE, [kinds], figure=f),
            lambda f: ch01.one_word_space(TREE, kinds, figure=f),
            lambda f: ch01.word_space(vectors(1), TREE, figure=f),
            lambda f: ch01.words_and_pictures(
                kinds, ["owl"], list(vectors(1).values())[0], scores, scores, TREE, figure=f
            ),
            lambda f: ch01.labels_over_epochs(kinds, 0, [scores], TREE, figure=f),
            lambda f: ch01.precision_curves(PANELS, [1, 2, 5], figure=f),
            lambda f: ch01.hubs({"one": torch.tensor([1, 2])}, ["a", "b"], torch.ones(2), figure=f),
        ],
        [lambda a: ch01.predicted_kinds(scores, kinds.identity, TREE, TREE.unseen_classes, axes=a)],
    )


def test_families_of_one_group_stand_together():
    parent = {"fox": "animal", "car": "vehicle", "owl": "bird", "dog": "animal"}
    parent |= {"animal": "creature", "bird": "creature", "vehicle": "artefact", "creature": "thing"}
    parent |= {"artefact": "thing"}
    tree = ClassTree(["fox", "car", "owl", "dog"], parent, frozenset({"car"}))
    assert families_of(tree) == {"animal": ["fox", "dog"], "bird": ["owl"], "vehicle": ["car"]}
    flat = ClassTree(["a", "b"], {"a": "root", "b": "root"}, frozenset())
    assert families_of(flat) == {"root": ["a", "b"]}
    assert "b" in show.alt_text(ch01.class_tree(flat, []))  # no split shows them: empty frames


def test_a_neighbour_map_keeps_neighbours_and_is_the_same_each_time():
    units = list(vectors(3).values())[0].unit().matrix(NAMES)
    places = neighbour_map(units)
    assert places.shape == (12, 2) and torch.equal(places, neighbour_map(units))
    nearest = torch.cdist(places, places).fill_diagonal_(torch.inf).argmin(1)
    assert torch.equal(nearest // 3, torch.arange(12) // 3)  # three kinds per family
    assert neighbour_map(units[:3]).shape == (3, 2)
    assert torch.isfinite(neighbour_map(torch.ones(8, 4))).all()


def test_names_on_a_map_cover_neither_points_nor_each_other(drawing):
    figure = ch01.word_space(vectors(3), TREE, named=("owl", "duck", "swan", "fox"))
    drawing.check_texts({"named": figure})
    written = [text.get_text() for text in figure.axes[0].texts]
    assert {"owl", "duck", "swan", "fox"} <= set(written)
    plain = [text.get_text() for text in ch01.word_space(vectors(3), TREE).axes[0].texts]
    assert set(written) - set(plain) == {"owl", "duck", "swan", "fox"}


def test_words_and_pictures_lists_what_the_text_and_the_classifier_say(kinds):
    words, good, poor = list(vectors(3).values())[0], class_scores(kinds, True), class_scores(kinds, False)
    figure = ch01.words_and_pictures(kinds, ["owl"], words, poor, good, TREE, k=2)
    text, looks, named = figure.axes[1:]
    assert {t.get_text() for t in text.texts[::2]} == {"~ duck", "~ swan"}  # seen words of its family
    assert [t.get_text() for t in looks.texts] == [" dog", "100"]  # labels that no picture gets are left out
    assert [t.get_text() for t in named.texts] == ["✓ owl", "100"]


def test_nearest_seen_words_and_first_labels_match_a_loop(kinds):
    words = list(vectors(3).values())[0]
    units, fox = words.unit(), words.unit().vector("fox")
    cosines = {name: float(units.vector(name) @ fox) for name in NAMES if name not in HIDDEN}
    found = nearest_seen("fox", words, TREE, 3)
    assert [name for name, _ in found] == sorted(cosines, key=cosines.get, reverse=True)[:3]
    assert found[0][1] == pytest.approx(max(cosines.values()))
    scores = class_scores(kinds, True)[:6]  # a picture of each of the first six kinds
    assert first_labels(scores, TREE, k=12) == [(name, pytest.approx(100 / 6)) for name in NAMES[:6]]
    assert first_labels(scores, TREE, TREE.unseen_classes, k=1)[0][0] == "fox"


def test_kinds_that_no_picture_shows_are_left_out(kinds):
    assert ch01.shown_kinds(kinds, ["unicorn", "owl", "sofa"], TREE) == ["owl", "sofa"]
    assert ch01.shown_kinds(kinds, ["unicorn", "griffin"], TREE) == NAMES[:2]


def test_the_plan_falls_back_on_the_first_picture(kinds):
    assert "the hollow point dog" in show.alt_text(ch01.one_word_space(TREE, kinds, "unicorn"))


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_the_bars_of_labels_start_at_the_correct_one(kinds, epoch):
    poor, good = class_scores(kinds, False), class_scores(kinds, True)
    figure = ch01.labels_over_epochs(kinds, 11, [poor, poor, good], TREE, epoch, k=3)
    bars = figure.axes[1]
    assert bars.get_title() == ("before training", "after epoch 1", "after epoch 2")[epoch]
    scores, sofa = (poor, poor, good)[epoch][11], NAMES.index("sofa")
    written = [text.get_text().split(" (")[0].split()[-1] for text in bars.texts]
    assert written == (["sofa", "dog", "wolf"] if epoch == 2 else ["dog", "wolf", "fox", "sofa"])
    widths = [patch.get_width() for patch in bars.patches]
    assert widths == pytest.approx([float(scores[NAMES.index(name)] - scores[sofa]) for name in written])
    limits = {ch01.labels_over_epochs(kinds, 11, [poor, poor, good], TREE, e, k=3).axes[1].get_xlim() for e in range(3)}
    assert len(limits) == 1  # bars of two epochs can be compared


def test_every_rank_has_its_own_place(kinds):
    poor, good = class_scores(kinds, False), class_scores(kinds, True)
    figure = ch01.labels_over_epochs(kinds, 11, [good, poor], TREE, k=3)
    assert "sofa goes from rank 1 to 12 of 12" in show.alt_text(figure)
    ends = {line.get_ydata()[-1] for line in figure.axes[2].lines if len(line.get_ydata()) == 2 and line.get_marker()}
    assert {1, 2, 3, 12} <= ends and figure.axes[2].get_yscale() == "log"
    assert [text.get_text() for text in figure.axes[2].texts] == ["1 dog", "2 wolf", "3 fox", "12 sofa"]


def test_hubs_have_a_scale_per_panel_and_the_correlation_of_count_and_length():
    lengths = torch.tensor([1.0, 2.0, 3.0, 4.0])
    counts = {
        "short": torch.tensor([9, 4, 1, 0]),
        "long": torch.tensor([0, 100, 200, 300]),
        "even": torch.full((4,), 5),
    }
    figure = ch01.hubs(counts, list("abcd"), lengths)
    tops = [axes.get_ylim()[1] for axes in figure.axes[:3]]
    assert tops[0] < 15 < 300 < tops[1]
    assert (
        f"r = {-15 / (5 * 49) ** 0.5:.2f}" in figure.axes[0].get_title() and "r = +1.00" in figure.axes[1].get_title()
    )
    assert "r =" not in figure.axes[2].get_title()  # counts that are all equal have no correlation
    assert correlation(lengths, torch.tensor([2, 4, 6, 8])) == pytest.approx(1.0)
    assert correlation(lengths, torch.full((4,), 5)) is None and correlation(lengths[:2], torch.tensor([1, 2])) is None


def test_the_explorer_of_labels_follows_its_picture_and_its_epoch(kinds):
    poor, good = class_scores(kinds, False), class_scores(kinds, True)
    box = ch01.explorer_of_labels(kinds, [poor, good], TREE, [2, 11])
    (picture, epoch), view = box.children[0].children, box.children[1]
    assert picture.options == (("1: fox", 2), ("2: sofa", 11)) and (epoch.min, epoch.max, epoch.value) == (0, 1, 1)
    assert "A picture of fox." in view.value and "after epoch 1 its rank is 1," in view.value
    epoch.value = 0
    assert "before training its rank is 3," in view.value
    picture.value = 11
    assert "A picture of sofa." in view.value and "before training its rank is 12," in view.value
