"""How true captions are: counted one by one, the grammar's own captions are true, and others are not."""

import math

import pytest
import torch

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.caption_truth import (
    SORTS,
    commonest_caption,
    evaluate_captions,
    exchanged,
    statement_truth,
    truth_controls,
)
from itm_tutorial.evaluation.statements import statements
from itm_tutorial.worlds.scenes.facts import scene_facts
from itm_tutorial.worlds.scenes.kinds import KINDS


@pytest.fixture(scope="module")
def split(tiny):
    return tiny.test


def by_loops(captions, images, split):
    """Counts per sort from the scenes themselves, in plain Python."""
    rows = []
    for caption, image in zip(captions, images, strict=True):
        scene = split.facts.scenes[image]
        facts, row = scene_facts(scene), {sort: [0, 0] for sort in SORTS}
        for statement in statements(caption):
            sort = "number" if statement.fact[0] == "count" else statement.fact[0]
            row[sort][0] += 1
            if statement.fact in facts:
                row[sort][1] += 1
        words = {s.fact[1] for s in statements(caption) if s.fact[0] == "object"}
        there = [thing for thing in scene.things if thing.named]
        named = [thing for thing in there if thing.kind in words or KINDS[thing.kind].family in words]
        rows.append((row, len(named), len(there)))
    return rows


def test_the_counts_equal_a_loop_over_captions_and_statements(split):
    captions = split.captions[:80]
    images = [(7 * n) % len(split.images) for n in range(80)]  # most of them another's
    report, rows = evaluate_captions(captions, split, images), by_loops(captions, images, split)
    for n, (row, named, there) in enumerate(rows):
        assert report.stated[n].tolist() == [row[sort][0] for sort in SORTS]
        assert report.true[n].tolist() == [row[sort][1] for sort in SORTS]
        assert (report.named[n], report.things[n]) == (named, there)
    for sort in SORTS:
        stated, true = (sum(row[sort][side] for row, _, _ in rows) for side in (0, 1))
        expected = 100 * true / stated if stated else math.nan
        assert report.shares[sort] == pytest.approx(expected, nan_ok=True) and report.counts[sort] == stated
    right = [all(a == b for a, b in row.values()) and any(a for a, _ in row.values()) for row, _, _ in rows]
    assert report.entirely_true == pytest.approx(100 * sum(right) / 80) and 0 < report.entirely_true < 100
    assert report.coverage == pytest.approx(100 * sum(r[1] for r in rows) / sum(r[2] for r in rows))
    assert 0 < report.shares["all"] < 100


def test_captions_of_the_grammar_are_true_of_their_own_picture_and_not_of_others(split):
    own = evaluate_captions(split.captions, split, split.image_of)
    assert own.entirely_true == 100 and own.shares["all"] == 100 and torch.equal(own.n_true, own.n_stated)
    assert own.n_stated.min() > 0
    one_each = [split.captions_of(image)[0] for image in range(len(split.images))]
    controls = truth_controls(one_each, split, split.captions)
    for report in controls.values():
        assert report.shares["all"] < 60 and report.entirely_true < 30 and report.coverage < own.coverage
    assert controls["commonest caption"].distinct == pytest.approx(100 / len(one_each))
    assert controls["other pictures"].distinct == evaluate_captions(one_each, split).distinct


def test_one_caption_with_known_truths(split):
    image = next(i for i, scene in enumerate(split.facts.scenes) if scene.place != "beach" and scene.things[0].named)
    scene = split.facts.scenes[image]
    thing = scene.things[0]
    wrong = "red" if thing.colour != "red" else "blue"
    family = KINDS[thing.kind].family
    report = evaluate_captions([f"a {wrong} {thing.kind} on the beach"], split, [image])
    assert report.stated.tolist() == [[1, 1, 0, 0, 1, 0]] and report.true.tolist() == [[1, 0, 0, 0, 0, 0]]
    assert report.shares["object"] == 100 and report.shares["place"] == 0 and math.isnan(report.shares["relation"])
    assert report.named.tolist() == [1] and report.entirely_true == 0
    if family != thing.kind:  # the more general word names it too
        n = sum(KINDS[one.kind].family == family for one in scene.things if one.named)
        assert evaluate_captions([f"a {family}"], split, [image]).named.tolist() == [n]
    marks = statement_truth(f"a {wrong} {thing.kind} on the beach", split, image)
    assert [(s.words, true) for s, true in marks] == [(thing.kind, True), (wrong, False), ("on the beach", False)]
    nothing = evaluate_captions(["zebras and ghosts"], split, [image])
    assert nothing.entirely_true == 0 and math.isnan(nothing.shares["all"]) and nothing.coverage == 0


def test_copies_and_repetitions_are_counted(split):
    known = split.captions[:10]
    captions = [known[0], known[0].lower().replace(".", ""), "a strange red dog", known[3]]
    report = evaluate_captions(captions, split, None, known)
    n_distinct = len({tuple(tokenize(caption)) for caption in captions})
    assert report.copied == 75 and report.distinct == 25 * n_distinct <= 75
    assert evaluate_captions(captions, split).copied is None
    text = repr(report)
    assert "word by word: 75.0%" in text and f"distinct captions: {report.distinct:.1f}%" in text
    assert list(report.frame().index) == [*SORTS, "all"]


@pytest.mark.parametrize("n", [2, 3, 50])
def test_the_exchange_leaves_nobody_his_own_picture(n):
    for seed in range(5):
        order = exchanged(n, seed)
        assert sorted(order.tolist()) == list(range(n)) and not (order == torch.arange(n)).any()
    assert torch.equal(exchanged(n, 3), exchanged(n, 3))


def test_the_commonest_caption_does_not_depend_on_the_order():
    assert commonest_caption(["b", "a", "b", "c", "a"]) == commonest_caption(["a", "b", "a", "c", "b"]) == "a"
    with pytest.raises(ItmError, match="one training caption or more"):
        commonest_caption([])


def test_what_cannot_be_judged_is_refused(split):
    blank = Split("val", [torch.zeros(3, 4, 4, dtype=torch.uint8)], ["a dog"], torch.tensor([0]))
    for judge in (lambda: evaluate_captions(["a dog"], blank), lambda: statement_truth("a dog", blank, 0)):
        with pytest.raises(ItmError, match="no drawn scenes"):
            judge()
    with pytest.raises(ItmError, match="one caption or more"):
        evaluate_captions([], split)
    with pytest.raises(ItmError, match="2 captions and 1 images"):
        evaluate_captions(["a dog", "a cat"], split, [0])
    with pytest.raises(ItmError, match="image 99999 is none"):
        evaluate_captions(["a dog"], split, [99999])
    with pytest.raises(ItmError, match="1 captions for"):
        truth_controls(["a dog"], split, ["a dog"])
