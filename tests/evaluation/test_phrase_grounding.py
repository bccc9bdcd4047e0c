"""Phrases and the regions chosen for them, compared with the true boxes; chance lines; loop oracles."""

from types import SimpleNamespace

import pytest
import torch

from itm_tutorial.data.corpus import Split, SplitFacts
from itm_tutorial.data.parsing import WorldParser
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation import phrase_grounding
from itm_tutorial.evaluation.grounding import Attention
from itm_tutorial.evaluation.phrase_grounding import (
    GroundedPhrases,
    choose_regions,
    compare_regions,
    evaluate_phrases,
    grounded_phrases,
    overlap,
)

parser = WorldParser("scenes")
CLASSES = {"red": "colour", "three": "number", "striped": "pattern", "small": "size"}


def world(captions, groundings, boxes):
    """A split with one image per caption."""
    truths = [
        SimpleNamespace(
            words=[SimpleNamespace(word_class=CLASSES.get(w.strip("."), "other")) for w in c.lower().split()]
        )
        for c in captions
    ]
    n = len(captions)
    facts = SplitFacts([frozenset()] * n, [frozenset()] * n, truths, [None] * n)
    images = torch.zeros(n, 3, 8, 8, dtype=torch.uint8)
    return Split("test", images, captions, torch.arange(n), groundings=groundings, facts=facts, boxes=boxes)


@pytest.fixture
def split(corners):
    captions = ["A red dog near a car.", "Three small cats in a field.", "A dog on the grass."]
    groundings = [[(1, 0), (2, 0), (5, 1)], [(0, 0), (1, 0), (2, 0), (0, 2), (2, 2)], [(1, 4)]]
    return world(captions, groundings, [corners] * 3)


def test_phrases_are_those_whose_noun_names_a_box(split, corners):
    phrases = grounded_phrases(split, parser)
    assert phrases.row.tolist() == [0, 0, 1, 2] and phrases.number.tolist() == [0, 1, 0, 0]  # no field, no grass
    assert phrases.spans.tolist() == [[0, 3], [4, 6], [0, 3], [0, 2]]
    assert phrases.kind == ["colour", "noun", "number", "noun"] and phrases.noun == ["dog", "car", "cats", "dog"]
    assert torch.equal(phrases.named[2], corners[[0, 2]]) and not phrases.named[0, 1].any()


def test_the_report_counts_centres_and_overlaps(split, corners):
    phrases = grounded_phrases(split, parser)
    half = torch.tensor([[0.0, 0, 0.3, 0.16], [0, 0, 0.3, 0.14], [0.1, 0.1, 0.9, 0.9]])  # IoU .53, .47; a large box
    regions = torch.cat([corners, half]).expand(3, -1, -1)
    report = compare_regions(torch.tensor([5, 1, 2, 7]), regions, split, phrases)
    assert report.hits.tolist() == [[True, True], [True, True], [True, True], [True, False]]
    assert report.iou["model"] == {"all": 75.0, "colour": 100.0, "noun": 50.0, "number": 100.0}
    assert report.phrases == {"all": 4, "noun": 2, "number": 1, "colour": 1}
    other = compare_regions(torch.tensor([6, 0, 1, 0]), regions, split, phrases)
    assert other.pointing["model"]["colour"] == 100 and other.iou["model"]["colour"] == 0  # inside, but too small
    assert other.pointing["model"]["noun"] == other.pointing["model"]["number"] == 0
    assert "pointing (IoU 0.5)" in repr(report) and report.frame().loc["all", ("phrases", "")] == 4


def test_chance_lines_and_overlaps_equal_loops():
    torch.manual_seed(3)
    n, n_regions, most = 6, 5, 2
    corner = torch.rand(n, n_regions, 2) * 0.5
    regions = torch.cat([corner, corner + 0.1 + torch.rand(n, n_regions, 2) * 0.4], 2)
    named = torch.cat([regions[:, :most, :2] * 0.9, regions[:, :most, 2:]], 2)
    named[0, 1] = 0  # padding
    split = SimpleNamespace(image_of=torch.arange(n))
    rows = torch.arange(n)
    phrases = GroundedPhrases(rows, rows * 0, torch.zeros(n, 2), ["noun"] * n, ["dog"] * n, named)
    chosen = torch.randint(n_regions, (n,))
    report = compare_regions(chosen, regions, split, phrases)
    expected = {key: {party: [] for party in report.pointing} for key in ("pointing", "iou")}
    for i in range(n):
        areas, points, covers = [], [], []
        for r in regions[i].tolist():
            x, y = (r[0] + r[2]) / 2, (r[1] + r[3]) / 2
            boxes = [b for b in named[i].tolist() if b[2] > b[0]]
            points.append(float(any(b[0] < x < b[2] and b[1] < y < b[3] for b in boxes)))
            best = 0.0
            for b in boxes:
                shared = max(0, min(r[2], b[2]) - max(r[0], b[0])) * max(0, min(r[3], b[3]) - max(r[1], b[1]))
                union = (r[2] - r[0]) * (r[3] - r[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
                best = max(best, shared / union)
            covers.append(float(best >= 0.5))
            areas.append((r[2] - r[0]) * (r[3] - r[1]))
        for key, hits in (("pointing", points), ("iou", covers)):
            expected[key]["model"].append(hits[int(chosen[i])])
            expected[key]["uniform"].append(sum(hits) / n_regions)
            expected[key]["by area"].append(sum(h * a for h, a in zip(hits, areas, strict=True)) / sum(areas))
            expected[key]["best region"].append(max(hits))
    for key, found in (("pointing", report.pointing), ("iou", report.iou)):
        for party, values in expected[key].items():
            assert found[party]["all"] == pytest.approx(100 * sum(values) / n, abs=1e-3), (key, party)
    assert (overlap(named, named)[0, 1] == 0).all()  # an empty box overlaps nothing, itself included


def test_a_phrase_attends_as_the_mean_or_the_largest_of_its_words(split, corners, monkeypatch):
    weights = torch.full((5, 6), 0.0)
    weights[0, :3] = torch.tensor([0.4, 0.4, 0.3])  # mean .37, largest .4
    weights[1, :3] = torch.tensor([0.0, 0.0, 0.7])  # mean .23, largest .7
    weights[3, 4:] = 1.0
    seen = Attention(torch.arange(3), torch.arange(3), [], [weights, weights, weights], corners.expand(3, -1, -1))
    monkeypatch.setattr(phrase_grounding, "attend", lambda model, split: seen)
    phrases = grounded_phrases(split, parser)
    model = SimpleNamespace(name="scan")
    assert choose_regions(model, split, phrases).tolist() == [0, 3, 0, 0]
    assert choose_regions(model, split, phrases, "max").tolist() == [1, 3, 1, 0]
    with pytest.raises(ItmError, match="unknown pooling 'maks'"):
        choose_regions(model, split, phrases, "maks")


def test_a_model_that_scores_phrases_is_asked_itself(tiny, made_up_regions, monkeypatch):
    import itm_tutorial as itm
    from itm_tutorial.extraction.regions import grid_boxes
    from itm_tutorial.training import loop

    monkeypatch.setattr(phrase_grounding, "split_features", loop.split_features)
    boxes = grid_boxes(16).expand(len(tiny.val.images), -1, -1)
    monkeypatch.setattr(phrase_grounding, "split_boxes", lambda split, spec: boxes)
    model = itm.create_model("align2ground", tiny, embed_size=16, word_dim=8).eval()
    phrases = grounded_phrases(tiny.val, parser)
    chosen = choose_regions(model, tiny.val, phrases)
    assert len(chosen) == len(phrases)
    features = loop.split_features(tiny.val, model.features)
    for i in (0, 7, len(phrases) - 1):
        row, number = int(phrases.row[i]), int(phrases.number[i])
        caption = model.encode_captions([tiny.val.captions[row]])
        image = model.encode_images(features[tiny.val.image_of[row]][None])
        scores = (image[0] @ caption.phrases[0, number]).tolist()
        assert chosen[i] == scores.index(max(scores))
    report = evaluate_phrases(model, tiny.val, parser)
    assert report.phrases["all"] == len(phrases) == len(report.hits)


def test_a_split_without_truth_is_refused(small_split, tiny):
    with pytest.raises(ItmError, match="use a split of a drawn world"):
        grounded_phrases(small_split, parser)
    nothing = world(["A red dog."], [[]], [torch.zeros(0, 4)])
    with pytest.raises(ItmError, match="no noun phrase of its captions names a box"):
        grounded_phrases(nothing, parser)
