"""Chapter 02's answers follow from the numbers they are given, whichever way these turn out."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch02_vsepp import answers, sweep_answers
from itm_tutorial.chapters.ch02_vsepp.sample import LOSSES, sample_sweep, with_losses_in_order
from itm_tutorial.retrieval.search import Hits

CAPTIONS = ("a red dog in the snow", "a red cat", "two blue boats")


def test_the_toy_space_depends_on_the_margin():
    wide, narrow = answers.about_forces(0.2), answers.about_forces(0.05)
    assert wide.count("away from its own caption**") == 1 and "b -0.19, c -0.25 and d -0.30; together -0.18" in wide
    assert narrow.count("towards its own caption**") == 2 and "away from its own caption**" not in narrow
    assert "margins of 0.05, 0.10 and 0.15, and opposite ways" in answers.about_margins()
    assert "sum 1.00 against 0.80 and max 1.00 against 0.83" in answers.about_margins()


def test_ringed_captions_are_counted_and_compared():
    scores = torch.tensor([[0.6, 0.5, 0.0], [0.7, 0.6, 0.0], [0.0, 0.6, 0.7]])
    said = answers.about_ringed(scores, CAPTIONS, 0.2)
    assert "picture b with caption a, at 0.30. Both name *red*." in said
    assert "Caption b is ringed for 2 pictures (a and c)" in said and "**hub**" in said and "Every row" in said
    one = answers.about_ringed(torch.tensor([[0.9, 0.0, 0.0], [0.0, 0.6, 0.0], [0.0, 0.6, 0.7]]), CAPTIONS, 0.2)
    assert "share no word" in one and "hub" not in one and "In rows a and b nothing is ringed" in one
    assert "hinges of both matrices, 0.30; the sum adds up all hinges, 0.30. With 3 pairs the rings hold 100 %" in one
    assert "nothing is ringed and the loss is 0" in answers.about_ringed(torch.eye(3), CAPTIONS, 0.2)


def test_pushes_are_counted():
    gradient = torch.tensor([[-3.0, 2.0, 1.0], [1.0, -1.0, 0.0], [0.0, 0.0, -1.0]])
    told = answers.about_pushes({"sum": gradient, "max": gradient.clamp(max=0), "InfoNCE": gradient / 4})
    assert "Of the 6 negative scores the sum pushes 3 and the maximum 0, which can be 6 at most" in told
    assert "1 scores are pushed with 2" in told and "InfoNCE pushes 3 scores" in told
    assert "falls on 1 of them; for the sum these are 1, for the maximum 0." in told


def test_maps_say_when_positive_pairs_are_ahead():
    random = torch.Generator().manual_seed(0)
    early = tuple(normalize(torch.randn(6, 5, generator=random), dim=-1) for _ in range(2))
    late = (torch.eye(6, 6), torch.eye(6, 6))
    told = answers.about_maps({"before": early, "after": late})
    assert "after 1.00 against 0.00" in told and "ahead on average after." in told and "6 of 6 captions" in told
    assert "At none of these moments" in answers.about_maps({"before": early})


def test_searches_compare_ranks_and_name_the_missing_words(small_split):
    query = small_split.captions[0]
    before, after = Hits(query, [1, 2], [0.3, 0.2]), Hits(query, [0, 1], [0.9, 0.8])
    told = answers.about_searches(small_split, before, after, right=0)
    assert "is not among the first 2" in told and "After training it is at rank 1." in told and "hard negative" in told
    turned = answers.about_searches(small_split, after, before, right=0)
    assert "picture is at rank 1" in turned and "After training it is not among the first 2" in turned
    assert "hard negative" not in answers.about_searches(small_split, before, Hits(query, [0], [0.9]), right=0)


def test_the_lead_grows_with_the_batch_or_does_not():
    sums = {32: 400.0, 128: 410.0, 512: 400.0}
    grows = answers.about_batches({"sum": sums, "max": {32: 405.0, 128: 430.0, 512: 440.0}})
    assert "+5 at 32, +20 at 128 and +40 at 512" in grows and "makes use of more negatives" in grows
    shrinks = answers.about_batches({"sum": sums, "max": {32: 420.0, 128: 430.0, 512: 400.0}})
    assert "no larger" in shrinks and "makes use" not in shrinks


def test_a_collapse_is_told_only_where_there_is_one():
    stuck, free = ([51.2] * 20, [40.0, 90.0]), ([30.0] * 20, [300.0, 420.0])
    told = answers.about_collapse({"no warm-up": stuck, "warm-up": free}, {"no warm-up": 0.004, "warm-up": 0.2}, 51.2)
    assert "*no warm-up* ends at a loss of 51.2 with a spread of the scores of 0.004" in told
    assert "rises from 40 to 90" in told and "last rsum: *warm-up* (420)" in told
    assert "none has collapsed" in answers.about_collapse({"warm-up": free}, {"warm-up": 0.2}, 51.2)
    falling = answers.about_collapse({"a": (stuck[0], [90.0, 40.0])}, {"a": 0.0}, 51.2)
    assert "goes from 90 to 40" in falling and "last rsum: none" in falling


def test_doubles_name_the_data_sets_and_what_was_counted():
    told = answers.about_doubles({"shuffled captions": (3000, 0.9), "distinct images": (3000, 0.0)}, 128)
    assert "66 % on Flickr8k, 20 % on Flickr30k and 6 % on MSCOCO" in told
    assert "with 3,000 images, we counted 90 % with shuffled captions and 0 % with distinct images" in told


@pytest.mark.parametrize(("rsums", "words"), [([100, 200, 300, 400], "Yes"), ([100, 400, 401, 402], "Hardly")])
def test_the_budget_is_judged_by_the_last_quarter(rsums, words):
    history = SimpleNamespace(frame=lambda: pd.DataFrame({"rsum": [float(value) for value in rsums]}))
    told = sweep_answers.about_budget(history)
    assert told.startswith(f"**{words}") and f"added {'only ' if words == 'Hardly' else ''}" in told


def sweep(best_of_sum):
    rows = [("sum_of_hinges", 0.05, 400.0), ("sum_of_hinges", 0.2, best_of_sum), ("max_of_hinges", 0.05, 405.0)]
    rows.append(("max_of_hinges", 0.2, 430.0))
    points = [{"negatives": n, "margin": m, "rsum": v, "batch_size": 32, "seed": 0} for n, m, v in rows]
    return with_losses_in_order(pd.DataFrame(points))


def test_a_sweep_is_compared_at_the_best_margin_of_each_loss():
    told = sweep_answers.about_sweep(sweep(410.0))
    assert "0.2 for the sum of hinges (410.0) and 0.2 for the max of hinges (430.0)" in told
    assert "+5.0 at margin 0.05 and +20.0 at margin 0.2; with the best margin of each loss it is +20.0" in told
    assert "One margin is best" in told and "sum of hinges at margin 0.05 and batch size 32, with 400.0" in told
    other = sweep_answers.about_sweep(sweep(390.0))
    assert "unfair" in other and "with the best margin of each loss it is +30.0" in other


def test_the_sample_is_whole_and_says_where_it_comes_from():
    points, said = sample_sweep()
    assert re.match(r"\d+ runs of \d{4}-\d\d-\d\d: corpus scenes, size mini, split val", said) and "torch" in said
    assert list(points["negatives"].cat.categories) == list(LOSSES)
    by_cell = points.groupby(["batch_size", "margin", "negatives"], observed=True)["seed"].nunique()
    assert by_cell.min() >= 2 and not points.duplicated(["batch_size", "margin", "negatives", "seed"]).any()
    assert points["rsum"].between(0, 600).all() and len(sweep_answers.about_sweep(points)) > 200
    of_recalls = points[[f"{side}_r{k}" for side in ("i2t", "t2i") for k in (1, 5, 10)]].sum(axis=1)
    assert (of_recalls - points["rsum"]).abs().max() < 0.01


def test_a_sweep_tells_which_runs_with_the_maximum_collapsed():
    points = sweep(410.0)
    assert "collapse" not in sweep_answers.about_sweep(points)
    free = sweep_answers.about_sweep(points.assign(loss=1.0))
    assert "No run with the maximum ends with the loss of a collapse" in free
    stuck = sweep_answers.about_sweep(points.assign(loss=2 * 32 * 0.2))
    assert "Of the 2 runs with the maximum, 1 end within 5 % of 2 × batch size × margin (batch size 32)" in stuck
