"""Figures: alt text that quotes what is drawn, nothing cut off, no windows; the explorer without a browser."""

import html
import io
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial import show
from itm_tutorial.chapters.ch00_start_here import figures as ch00
from itm_tutorial.chapters.ch01_devise import figures as ch01
from itm_tutorial.chapters.ch01_devise.word_figures import families_of, neighbour_map
from itm_tutorial.chapters.ch02_vsepp import figures as ch02
from itm_tutorial.chapters.ch02_vsepp.loss_figures import share_with_doubles
from itm_tutorial.chapters.ch02_vsepp.toy_figures import LOSSES, toy_after, toy_angles, toy_forces, toy_hinges
from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.evaluation.class_metrics import k_occurrence
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult
from itm_tutorial.retrieval.search import Hits
from itm_tutorial.show.timeline import PARTS, STEPS
from itm_tutorial.training.loop import History

CAPTIONS = ["a red van", "a big van on the beach", 'a "quiet" dog & <b>two</b> cats', "a dog", "a red van"]
SWEEP = pd.DataFrame({"margin": [0.1, 0.2], "negatives": "sum", "batch_size": 32, "rsum": [400.0, 410.0]})
MINIMAL_PAIRS = {
    "object": MinimalPairResult(71.0, 476, 2.1),
    "binding": MinimalPairResult(50.0, 68, 6.1),
    "new": MinimalPairResult(0.0, 1, 0.0),
}
HISTORY = History([{"epoch": n, "loss": 0.5 / n, "rsum": 300 - (n - 2) ** 2} for n in (1, 2, 3)])
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

TESTED_ELSEWHERE = {  # test_show_attention.py, test_show_literature.py, test_show_people.py, test_show_regions.py
    *("attention", "attention_matrix", "attention_of", "attention_page", "pointing_game", "search_cost", "smoothing"),
    *("adversary_weights", "embedding_map", "identity_gallery", "loss_ablation", "modality_game", "projection_weights"),
    *("regions_found", "worlds"),
    *("ingredients", "leaderboard", "papers_timeline", "record", "who_follows_whom"),
}
SQUARE = torch.tensor([[0.6, 0.5, 0.45], [0.7, 0.6, 0.3], [0.1, 0.2, 0.9]])
RUNS = {"no warm-up": ([80.0] + [51.2] * 60, [40.0, 90.0]), "warm-up": ([900.0, 300.0] + [30.0] * 59, [300.0, 420.0])}
BY_SIZE = {"sum": {32: 380.0, 128: 391.4, 512: 380.0}, "max": {32: 390.0, 128: 410.0, 512: 420.6}}
DOUBLES = {"shuffled captions": (3000, 0.9), "distinct images": (3000, 0.0)}


def maps():
    """Embeddings of four pairs: at first anywhere, then each pair in one direction."""
    early = tuple(normalize(torch.randn(4, 6, generator=torch.Generator().manual_seed(n)), dim=-1) for n in (1, 2))
    return {"before": early, "after": (torch.eye(4, 6), torch.eye(4, 6))}


def drawn_ranking(split):
    return {
        "before_and_after": ch02.before_and_after(split, hits(6), hits(4), [3]),
        "collapse": ch02.collapse(RUNS, 51.2),
        "doubles": ch02.doubles(DOUBLES),
        "forces": ch02.forces(),
        "gradients": ch02.gradients({"sum": torch.tensor([[-3.0, 1, 2], [0, -1, 0], [0, 0, 0]]), "max": -torch.eye(3)}),
        "hardest_negatives": ch02.hardest_negatives(SQUARE, split.images[:3], split.captions[:3]),
        "maps_by_epoch": ch02.maps_by_epoch(maps()),
        "rsum_by_batch_size": ch02.rsum_by_batch_size(BY_SIZE),
    }


@pytest.fixture
def kinds(split):
    """A picture of every kind, in the order of the tree, then all again."""
    identity = torch.arange(24) % len(NAMES)
    captions = [NAMES[i] for i in identity]
    return Split("unseen", torch.stack(list(split.images)), captions, torch.arange(24), identity)


def vectors(*seeds):
    """Word vectors by moment; the last ones know the families."""
    found = {}
    for seed in seeds:
        noise = torch.randn(len(NAMES), 6, generator=torch.Generator().manual_seed(seed))
        middle = torch.eye(6)[torch.arange(len(NAMES)) // 3]
        found[f"after {seed} steps"] = WordVectors(NAMES, noise if seed != seeds[-1] else middle + 0.1 * noise)
    return found


def class_scores(kinds, right):
    """Scores of the kinds' pictures, [24, n_classes]: all right, or always the first label."""
    scores = torch.linspace(0.3, 0, len(NAMES)).repeat(24, 1)
    return scores + torch.eye(len(NAMES))[kinds.identity] if right else scores


def drawn_kinds(kinds):
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


@pytest.fixture
def split():
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, 32, 40), dtype=torch.uint8, generator=generator) for _ in range(24)]
    captions = CAPTIONS + [f"picture number {i}" for i in range(4, 24)]
    return Split("test", images, captions, torch.tensor([0, 1, 2, 3, 3, *range(4, 24)]))


def hits(n, query="a red van"):
    return Hits(query, list(range(n)), [0.9 - i / 100 for i in range(n)])


@pytest.fixture
def figures(split, kinds):
    """Every figure of the course, by the name of its function."""
    return drawn(split) | drawn_kinds(kinds) | drawn_ranking(split)


def drawn(split):
    scores = torch.tensor([[0.9, 0.2], [0.1, 0.05]])
    return {
        "heat_map": ch02.heat_map(SWEEP),
        "history": show.history(),
        "pictures": show.pictures(split, [2, 0, 1]),
        "ranked": show.ranked(split, hits(6), [3]),
        "score_matrix": ch00.score_matrix(scores, torch.arange(2), split.images[:2], split.captions[:2]),
        "minimal_pair_accuracy": show.minimal_pair_accuracy(MINIMAL_PAIRS),
        "training_curve": show.training_curve(HISTORY),
        "two_encoders": ch00.two_encoders(split, 1),
    }


def rendered(figure):
    """A figure as [H, W] bool: where it is not white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return np.array(Image.open(buffer).convert("L")) < 250


def test_every_figure_has_specific_alt_text_and_is_drawn(figures):
    widgets = {name for name in show.__all__ if "explorer" in name}
    assert set(figures) == set(show.__all__) - {"alt_text", "to_html"} - widgets - TESTED_ELSEWHERE
    for name, figure in figures.items():
        assert isinstance(figure, Figure)
        alt = show.alt_text(figure)
        assert len(alt) > 60 and re.search(r"\d", alt), name
        assert rendered(figure).any(), name
        assert f'<img alt="{html.escape(alt)}"' in show.to_html(figure), name
    assert len({show.alt_text(figure) for figure in figures.values()}) == len(figures)


def test_alt_text_quotes_the_figures(figures):
    for name, quoted in {
        "history": ["8 systems", "VSE++, 2018: loss: only the hardest wrong pair counts; R@1 39.6", "UVSE, 2014 (this"],
        "pictures": ["3 pictures", '1: a "quiet" dog', "2: a red van", "3: a big van"],
        "ranked": ["6 pictures", "“a red van”", "The right picture stands at rank 4.", "2, score 0.89: a big van"],
        "score_matrix": ["from 0.05 to 0.90", "2 images by 2 captions", "1 of 2 captions score the right image"],
        "minimal_pair_accuracy": [
            "guessing gives 50 %",
            "an object and its kin (476 queries): 71 % ± 4",
            "new (1 query): 0 %",
        ],
        "training_curve": ["3 epochs", "from 0.5 to 0.167", "from 299 to 299", "with 300, at epoch 2"],
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
            "share is 6",
        ],
        "labels_over_epochs": [
            "picture of owl",
            "2 epochs: dog, dog, owl",
            "from place 6 to 1 of 12",
            "after epoch 2 it",
        ],
        "predicted_labels": ["2 pictures, 1 of kinds", "They show: fox, duck.", "softmax: dog, dog; DeViSE: fox, duck"],
        "one_word_space": ["the hollow point fox", "its kin dog and wolf, far from car"],
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
        "before_and_after": ["“before training: a red van”", "“after training: a red van”, best first. The right"],
        "collapse": ["51.2, the loss of equal", "no warm-up: loss 51.2, rsum 90; warm-up: loss 30.0, rsum 420"],
        "doubles": ["Flickr8k 66 %; Flickr30k 20 %; MSCOCO 6 %", "distinct images on 3000 images, counted: 0 %"],
        "forces": ["4 of 7 wrong captions pushed; the picture turns to the nearest", "the picture turns to its right"],
        "gradients": ["sum: 2 of 6 wrong pairs are pushed down, the hardest by 2", "max: 0 of 6", "up by 0 to 3"],
        "hardest_negatives": ["3 of 6 wrong pairs cost something, sum 0.45, ringed 0.40", "2 of 6", "b: a big van on"],
        "maps_by_epoch": ["2 maps of 4 pictures", "cosine: right 1.00, hardest wrong 0.00; 4 of 4 captions"],
        "rsum_by_batch_size": ["sum: 380 at 32, 391 at 128", "max: 390 at 32, 410 at 128, 421 at 512"],
        "two_encoders": ["32 × 40 pixels", "6 words", "“a big van on the beach”", "the right caption 0.70"],
    }.items():
        for words in quoted:
            assert words in show.alt_text(figures[name]), (name, words)


def test_special_characters_are_escaped(split):
    shown = show.to_html(show.pictures(split, [2]))
    assert "a &quot;quiet&quot; dog &amp; &lt;b&gt;two&lt;/b&gt; cats" in shown and "<b>" not in shown
    assert "1 picture," in shown


@pytest.mark.parametrize("n", [1, 2, 6, 7, 20])
def test_ranked_wraps_into_rows(split, n):
    figure = show.ranked(split, hits(n, "a long query about many things " * 6), right=[1])
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == n
    assert [axes.get_title() for axes in shown[:2]] == ["1", "✓ 2, right"][:n]
    assert shown[-1].get_xlabel() == f"{0.9 - (n - 1) / 100:.2f}"
    rows = {round(axes.get_subplotspec().rowspan.start) for axes in shown}
    assert len(rows) == -(-n // 6)


def test_ranked_says_where_the_right_ones_are(split):
    assert "right picture" not in show.alt_text(show.ranked(split, hits(2)))
    assert "The right picture is not among them." in show.alt_text(show.ranked(split, hits(2), [9]))
    assert "The right pictures stand at ranks 1, 3." in show.alt_text(show.ranked(split, hits(3), [0, 2]))


def test_a_matrix_of_one_and_a_matrix_of_ties():
    assert "1 of 1 caption scores" in show.alt_text(ch00.score_matrix(torch.ones(1, 1), torch.tensor([0])))
    tied = show.alt_text(ch00.score_matrix(torch.ones(3, 4), torch.tensor([0, 1, 2, 0])))
    assert "0 of 4 captions" in tied
    large = ch00.score_matrix(torch.rand(20, 30), torch.randint(0, 20, (30,)))
    assert len(large.axes) == 2  # a scale in place of numbers


def test_one_epoch_is_a_curve_too():
    history = History([{"epoch": 1, "loss": 2.0, "rsum": 6.0}])
    assert "at epoch 1" in show.alt_text(show.training_curve(history))


def boxes_of_texts(figure):
    figure.draw_without_rendering()
    texts = [figure._suptitle] if figure._suptitle is not None else []
    for axes in figure.axes:
        texts += [axes.title, *axes.texts] + ([axes.xaxis.label, axes.yaxis.label] if axes.axison else [])
        named = not axes.get_lines() or axes.get_title() == "guessing: 50 %"  # rows and columns with names, no scales
        if axes.axison and named:
            texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    return [text.get_window_extent() for text in texts if text.get_text()]


def test_texts_stay_inside_the_figure_and_off_each_other(split, kinds):
    long = "There is a large spotted orange animal to the right of several small grey houses in the snow at night."
    split.captions[:] = [long] * len(split.captions)
    figures = drawn(split) | drawn_kinds(kinds) | drawn_ranking(split)
    figures["ranked"] = show.ranked(split, hits(7, long * 2), [1])
    figures["pictures"] = show.pictures(split, range(7), columns=4)
    for name, figure in figures.items():
        boxes = boxes_of_texts(figure)
        width, height = figure.bbox.max
        assert boxes
        for i, box in enumerate(boxes):
            assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (name, box)
            if name != "score_matrix":  # its names are slanted, so that their boxes cross where they do not
                assert not any(box.overlaps(other) for other in boxes[:i]), (name, box)


def test_figures_draw_on_what_they_are_given(split, kinds):
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    assert show.ranked(split, hits(2), figure=left) is left
    axes = right.subplots()
    assert show.minimal_pair_accuracy(MINIMAL_PAIRS, axes=axes) is axes
    assert "476" in show.alt_text(axes) and "a red van" in show.alt_text(left)
    scores = class_scores(kinds, True)
    for draw in (
        lambda f: show.pictures(split, [0], figure=f),
        lambda f: show.training_curve(HISTORY, figure=f),
        lambda f: ch01.class_tree(TREE, [kinds], figure=f),
        lambda f: ch01.one_word_space(TREE, kinds, figure=f),
        lambda f: ch01.word_space(vectors(1), TREE, figure=f),
        lambda f: ch01.predicted_labels(kinds, [0], {"one": scores}, TREE, figure=f),
        lambda f: ch01.labels_over_epochs(kinds, 0, [scores], TREE, figure=f),
        lambda f: ch01.precision_curves(PANELS, [1, 2, 5], figure=f),
        lambda f: ch01.hubs({"one": torch.tensor([1, 2])}, ["a", "b"], torch.ones(2), figure=f),
        lambda f: ch02.before_and_after(split, hits(2), hits(2), [0], figure=f),
        lambda f: ch02.collapse(RUNS, 51.2, figure=f),
        lambda f: ch02.forces(figure=f),
        lambda f: ch02.gradients({"max": -torch.eye(2)}, figure=f),
        lambda f: ch02.hardest_negatives(SQUARE, split.images[:3], split.captions[:3], figure=f),
        lambda f: ch02.maps_by_epoch(maps(), figure=f),
    ):
        mine = Figure()
        assert draw(mine) is mine
    for draw in (
        lambda a: show.history(axes=a),
        lambda a: ch00.score_matrix(torch.eye(2), torch.arange(2), axes=a),
        lambda a: ch02.doubles(DOUBLES, axes=a),
        lambda a: ch02.rsum_by_batch_size(BY_SIZE, axes=a),
        lambda a: ch01.predicted_kinds(scores, kinds.identity, TREE, TREE.unseen_classes, axes=a),
    ):
        mine = Figure().subplots()
        assert draw(mine) is mine


def test_no_window_and_no_pyplot():
    code = (
        "import sys, torch, itm_tutorial as itm; itm.show.history(); "
        "ch00.score_matrix(torch.eye(3), torch.arange(3)); print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_the_timeline_names_known_parts_once_each():
    assert [step.year for step in STEPS] == sorted(step.year for step in STEPS)
    assert all(set(step.changed) <= set(PARTS) and step.changed for step in STEPS)
    assert set(STEPS[0].changed) == set(PARTS)
    assert "TIMAM, 2019 (this chapter)" not in show.alt_text(show.history())


@pytest.fixture
def explored(split, instant_features):
    corpus = itm.Corpus("own", {"train": split, "val": split, "test": split}, drawn=False)
    model = itm.create_model("bow", corpus, backbone="mini", min_count=1)
    box = show.explorer(model, split, ["a red van", "a dog", "a dog"], k=3)
    return box.children


def test_the_explorer_starts_with_its_first_query(explored):
    text, view = explored
    assert text.value == "a red van" and text.options == ("a red van", "a dog")
    assert "3 pictures for the query “a red van”" in view.value and "No training caption" not in view.value


def test_the_explorer_marks_every_picture_of_a_caption(explored):
    text, view = explored
    text.value = "A red van!"  # stands with images 0 and 3
    assert "right picture" in view.value
    text.value = "a red dog"
    assert "“a red dog”" in view.value and "right picture" not in view.value


def test_the_explorer_names_words_that_the_model_does_not_know(explored):
    text, view = explored
    text.value = "a zebra <i> on a beech"
    assert "has the words <b>zebra</b>, <b>i</b>, <b>beech</b> (did you mean <b>beach</b>?)" in view.value
    assert "query “a on a”" in view.value and "<i>" not in view.value
    text.value = "zebras"
    assert "has the word <b>zebras</b>:" in view.value and "No word is left" in view.value and "<img" not in view.value


@pytest.mark.parametrize("nothing", ["", "   ", "?!"])
def test_the_explorer_asks_for_words(explored, nothing):
    text, view = explored
    text.value = nothing
    assert "Type what the picture should show" in view.value


def test_families_of_one_group_stand_together():
    parent = {"fox": "animal", "car": "vehicle", "owl": "bird", "dog": "animal"}
    parent |= {
        "animal": "creature",
        "bird": "creature",
        "vehicle": "artefact",
        "creature": "thing",
        "artefact": "thing",
    }
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
    assert torch.equal(nearest // 3, torch.arange(12) // 3)  # three kinds a family
    assert neighbour_map(units[:3]).shape == (3, 2)
    assert torch.isfinite(neighbour_map(torch.ones(8, 4))).all()


def test_labels_are_marked_as_right_or_as_kin(kinds):
    figure = ch01.predicted_labels(kinds, [2], {"one": class_scores(kinds, True)}, TREE, k=4)
    written = [text.get_text() for text in figure.axes[1].texts]
    assert written == ["one", "✓", "fox", "~", "dog", "~", "wolf", "", "duck"]


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_the_courses_of_labels_mark_an_epoch(kinds, epoch):
    poor, good = class_scores(kinds, False), class_scores(kinds, True)
    figure = ch01.labels_over_epochs(kinds, 11, [poor, poor, good], TREE, epoch, k=3)
    assert figure.axes[1].get_title() == ("before training", "after epoch 1", "after epoch 2")[epoch]
    listed = figure.axes[1].texts[0].get_text()
    assert listed == ("✓ sofa" if epoch == 2 else " dog")
    summary = show.alt_text(ch01.labels_over_epochs(kinds, 11, [good, poor], TREE, k=3))
    assert "sofa goes from place 1 to 12 of 12" in summary


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


def test_the_chance_of_an_image_twice_is_that_of_drawing():
    assert share_with_doubles(2, 2) == pytest.approx(4 / 9)  # of the nine captions left, four are of the same image
    assert share_with_doubles(3, 4) == 1 and share_with_doubles(5, 4, captions_each=1) == 0
    generator = torch.Generator().manual_seed(0)
    image_of = torch.arange(40).repeat_interleave(5)
    batches = [image_of[torch.randperm(200, generator=generator)[:8]] for _ in range(4000)]
    counted = sum(len(batch.unique()) < 8 for batch in batches) / 4000
    assert share_with_doubles(40, 8) == pytest.approx(counted, abs=0.03)


@pytest.mark.parametrize("loss", LOSSES)
def test_forces_of_the_toy_space_are_the_slopes_of_its_hinges(loss):
    angles = toy_angles()
    pushes, small = toy_forces(angles, 0.2, loss), 1e-3
    for n in range(len(angles)):
        step = small * torch.eye(len(angles))[n]
        up, down = (toy_hinges(a, 0.2).topk(LOSSES[loss]).values.sum() for a in (angles + step, angles - step))
        assert pushes[n].item() == pytest.approx(-float(up - down) / (2 * small), abs=2e-3)
    assert pushes.sum().item() == pytest.approx(0, abs=1e-5)  # turning everything changes nothing
    assert toy_hinges(toy_after(0.2, loss, 60), 0.2).sum() < 0.4 * toy_hinges(angles, 0.2).sum()


def test_the_explorer_of_forces_starts_with_its_figure_and_follows_its_controls():
    (row, choice, view) = ch02.explorer_of_forces().children
    margin, steps = row.children
    assert view.value == show.to_html(ch02.forces(0.2, ("max",)))
    choice.value = "sum"
    assert "turns to the nearest wrong one" in view.value
    steps.value, margin.value = 20, 0.0
    assert "after 20 steps" in view.value and "margin 0.00" in view.value


@pytest.mark.slow
def test_a_notebook_shows_each_figure_once_with_its_alt_text(tmp_path):
    nbformat, nbclient, nbconvert = (pytest.importorskip(name) for name in ("nbformat", "nbclient", "nbconvert"))
    cells = [
        "import matplotlib.pyplot\nimport torch\nimport itm_tutorial as itm",  # pyplot: its own formatters join in
        "itm.show.history()",
        "ch00.score_matrix(torch.eye(2), torch.arange(2));\nitm.ch00.score_matrix(torch.eye(3), torch.arange(3))",
        "from IPython.display import display\ndisplay(itm.show.history('01'))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [set(output.data) for output in outputs] == [{"text/html", "text/plain"}] * 3
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    images = re.findall(r'<img alt="([^"]*)"', page)
    assert [alt[:20] for alt in images] == ["A timeline of 8 syst", "A matrix of scores f", "A timeline of 8 syst"]
    assert "3 images by 3 captions" in images[1]
    assert outputs[0].data["text/plain"].startswith("A timeline of 8 systems")
