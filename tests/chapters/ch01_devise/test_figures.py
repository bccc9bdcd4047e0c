"""Chapter 01's figures of words, labels and hubs: alt text, marks, the neighbour map, and the widget."""

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch01_devise import figures as ch01
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
    counts = {"one": k_occurrence(poor[:, hidden]), "another": k_occurrence(good[:, hidden])}
    return {
        "class_tree": ch01.class_tree(TREE, [kinds]),
        "predicted_kinds": ch01.predicted_kinds(once_wrong, kinds.identity, TREE, hidden),
        "hubs": ch01.hubs(counts, HIDDEN, torch.tensor([1.0, 2.0, 0.5, 4.0])),
        "labels_over_epochs": ch01.labels_over_epochs(kinds, 5, [poor, poor, good], TREE),
        "predicted_labels": ch01.predicted_labels(kinds, [2, 3], {"softmax": poor, "DeViSE": good}, TREE),
        "one_word_space": ch01.one_word_space(TREE, kinds, 2),
        "precision_curves": ch01.precision_curves(PANELS, [1, 2, 5]),
        "word_space": ch01.word_space(vectors(1, 2, 3), TREE),
    }


def test_alt_text_quotes_the_numbers(figures, drawing):
    assert set(figures) == set(ch01.__all__) - {"explorer_of_labels"}
    quoted = {
        "class_tree": [
            "each of 12 kinds, in 4 families",
            "bird: duck, swan, owl",
            "the 4 that training never shows: fox,",
        ],
        "predicted_kinds": ["Bars of 4 kinds", "guessing gives 25.0 %", "owl 100 %", "fox 50 %, else mostly owl, 50 %"],
        "hubs": [
            "each of 4 labels",
            "one: most 24 (fox), 3 never",
            "another: most 18 (fox)",
            "0.5 to 4.0",
            "mean is 6",
        ],
        "labels_over_epochs": [
            "picture of owl",
            "2 epochs: dog, dog, owl",
            "from place 6 to 1 of 12",
            "after epoch 2 it",
        ],
        "predicted_labels": ["2 pictures, 1 of kinds", "They show: fox, duck.", "softmax: dog, dog; DeViSE: fox, duck"],
        "one_word_space": ["the hollow point fox", "its family dog and wolf, far from car"],
        "precision_curves": [
            "at 1 to 5 guesses",
            "2 panels of 2 curves",
            "seen kinds, softmax: 90 to 50",
            "hidden kinds, g",
        ],
        "word_space": [
            "3 maps of 12 words",
            "4 families: animal, bird,",
            "3 steps: 12 of 12 kinds have one of their family",
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
            lambda f: ch01.predicted_labels(kinds, [0], {"one": scores}, TREE, figure=f),
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


def test_labels_are_marked_as_correct_or_of_the_same_family(kinds):
    figure = ch01.predicted_labels(kinds, [2], {"one": class_scores(kinds, True)}, TREE, k=4)
    written = [text.get_text() for text in figure.axes[1].texts]
    assert written == ["one", "✓", "fox", "~", "dog", "~", "wolf", "", "duck"]


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_the_ranks_of_labels_mark_an_epoch(kinds, epoch):
    poor, good = class_scores(kinds, False), class_scores(kinds, True)
    figure = ch01.labels_over_epochs(kinds, 11, [poor, poor, good], TREE, epoch, k=3)
    assert figure.axes[1].get_title() == ("before training", "after epoch 1", "after epoch 2")[epoch]
    listed = figure.axes[1].texts[0].get_text()
    assert listed == ("✓ sofa" if epoch == 2 else " dog")
    alt = show.alt_text(ch01.labels_over_epochs(kinds, 11, [good, poor], TREE, k=3))
    assert "sofa goes from place 1 to 12 of 12" in alt


def test_the_explorer_of_labels_follows_its_picture_and_its_epoch(kinds):
    poor, good = class_scores(kinds, False), class_scores(kinds, True)
    box = ch01.explorer_of_labels(kinds, [poor, good], TREE, [2, 11])
    (picture, epoch), view = box.children[0].children, box.children[1]
    assert picture.options == (("1: fox", 2), ("2: sofa", 11)) and (epoch.min, epoch.max, epoch.value) == (0, 1, 1)
    assert "A picture of fox." in view.value and "after epoch 1 it is at place 1." in view.value
    epoch.value = 0
    assert "before training it is at place 3." in view.value
    picture.value = 11
    assert "A picture of sofa." in view.value and "before training it is at place 12." in view.value
