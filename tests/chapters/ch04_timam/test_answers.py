"""The folded answers of chapter 04 say what the numbers say, whichever way they go."""

import copy

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch04_timam import answers
from itm_tutorial.chapters.ch04_timam.kept_runs import VARIANTS, by_variant, by_weight
from itm_tutorial.data.corpus import Split, SplitFacts
from itm_tutorial.evaluation.class_metrics import ClassSearch
from itm_tutorial.retrieval.search import Hits


@pytest.fixture
def split():
    """Three pictures of two people; the caption of the first says three things."""
    man, bag, shoes = ("kind", "person", "man"), ("kind", "bag", "bag"), ("attribute", "shoes", "black")
    facts = SplitFacts(
        of_image=[frozenset({man, bag, shoes}), frozenset({man, bag}), frozenset({man})],
        of_caption=[frozenset({man, bag, shoes})] * 3,
        truths=[],
        scenes=[],
    )
    images = [torch.zeros(3, 4, 2, dtype=torch.uint8)] * 3
    return Split("test", images, ["a", "b", "c"], torch.arange(3), identity=torch.tensor([5, 6, 6]), facts=facts)


def test_a_gallery_says_the_ranks_and_what_is_not_true(split):
    text = answers.gallery(split, [Hits("a", [1, 0, 2], [0.9, 0.8, 0.7]), Hits("b", [1, 2], [0.9, 0.8])], [0, 1])
    assert "Description 1 finds its person at rank 2; description 2 finds its person at rank 1." in text
    assert "67 % of what the description says is true" in text and "concerns the shoes." in text
    missed = answers.gallery(split, [Hits("a", [1, 2], [0.9, 0.8])], [0])
    assert (
        "does not find its person among the first 2" in missed and "50 % of what" in missed
    )  # three of six statements
    assert "No picture of another person" in answers.gallery(split, [Hits("a", [0], [0.9])], [0])


def test_the_steps_of_cmpm_name_the_caption_that_costs_most():
    image, captions = torch.tensor([1.5, 2.0]), torch.tensor([[0.3, 1.1], [1.0, -0.1]])
    text = answers.cmpm_steps(image, captions, torch.tensor([True, False]))
    assert "a caption of another person" in text
    alone = answers.cmpm_steps(image, captions, torch.tensor([True, True]))
    assert "a caption of the same person" in alone and "other people have 0 %" in alone


def test_targets_by_the_l2_norm_are_said_to_reward_only_where_they_do():
    assert "costs -0.23" in answers.copied_targets(0.0, -0.23) and "rewards batches" in answers.copied_targets(0, -0.23)
    assert "both targets are equal" in answers.copied_targets(0.0, 0.0)


def test_both_directions_are_quoted():
    assert "0.001 on a wrong caption costs 0.014 there and 0.002" in answers.directions(0.001, 0.0141, 0.0021)


def test_padding_is_said_to_matter_only_where_it_does():
    assert "With the plain maximum it does" in answers.padding(False, True)
    assert "happens to give the same" in answers.padding(True, True)
    assert "mask has to be corrected" in answers.padding(False, False)


def test_projection_weights_are_summed_inside_the_frames():
    match = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    p = torch.tensor([[0.6, 0.2, 0.2], [0.1, 0.1, 0.8], [0.5, 0.0, 0.5]])
    text = answers.projection_weights(p, match)
    assert "hold 50 % of the probability" in text and "for 1 of 3 images" in text
    assert "for 3 of 3 images" in answers.projection_weights(match / match.sum(1, keepdim=True), match)


def test_a_map_says_whether_the_sides_and_the_people_came_together():
    images = torch.eye(4)[[0, 1]]
    far, near = torch.eye(4)[[2, 3]], images + 0.1 * torch.eye(4)[[2, 3]]
    groups = (torch.tensor([0, 1]), torch.tensor([0, 1]))
    text = answers.embedding_map({"before": (images, far), "after": (images, near)}, groups)
    assert "1.00 apart" in text and "so the gap is smaller" in text and "embeddings came together" in text
    text = answers.embedding_map({"before": (images, near), "after": (images, far)}, groups)
    assert "no smaller" in text and "did not come together" in text


def test_known_people_are_compared_as_the_numbers_go():
    assert "the 20.0 points show" in answers.known_people(70.0, 50.0)
    assert "has not learned its training people" in answers.known_people(50.0, 49.0)


def test_centring_is_judged_by_what_it_changed():
    same = answers.centred({"trained": (76.0, 0.1, 53.9), "centred": (45.0, 0.0, 54.1)})
    assert "stays within 2 points (+0.2)" in same and "leaves the order of the pictures" in same
    other = answers.centred({"trained": (76.0, 0.1, 53.9), "centred": (45.0, 0.0, 40.1)})
    assert "changes by -13.8 points" in other and "did affect the order" in other


@pytest.fixture
def kept():
    return copy.deepcopy(itm.claims.results("timam"))


def turned(kept, words, verdict):
    for effect in kept["effects"]:
        if words in effect["name"]:
            effect["verdict"] = verdict
    return kept


def test_the_adversary_is_judged_by_the_kept_verdicts(kept):
    text = answers.adversary(kept)
    assert "with an adversary of weight 0.03, 0.1 and 1.0" in text and "R@1 clearly rises at no weight" in text
    assert "no clear difference at any weight" in text
    helped = answers.adversary(turned(copy.deepcopy(kept), "adds to the rest (R@1)", "holds"))
    assert "R@1 clearly rises at 4 weights" in helped
    blind = answers.adversary(turned(copy.deepcopy(kept), "a fresh line", "too close to say"))
    assert "as accurate with an adversary as without" in blind
    network = answers.adversary(turned(kept, "a fresh network", "holds"))
    assert "The network is less accurate at weight 0.03, 0.1, 0.3 and 1.0" in network


def test_an_ablation_is_judged_by_the_kept_verdicts(kept):
    text = answers.ablation(kept)
    assert "(chapter 02), `cmpl` is worse (-3.0" in text and "the sum of hinges, it shows no clear difference" in text
    better = answers.ablation(turned(kept, "cmpl beats a triplet loss", "holds"))
    assert "(chapter 02), `cmpl` is better" in better


def test_birds_compare_sentences_with_means():
    identity, hits = torch.tensor([0, 0, 1, 1]), [Hits("a", [0, 2], [1.0, 0.5])]
    assert "One sentence is harder: 50 %" in answers.birds(hits, identity, [0], ClassSearch(60.0, 80.0, 50.0))
    assert "do as well as the means" in answers.birds(hits, identity, [0], ClassSearch(20.0, 80.0, 50.0))


def test_kept_runs_are_selected_by_weight_and_by_variant(kept):
    judged, recalls = by_weight(kept["figures"])
    assert set(judged) == {"line", "network"} and list(recalls) == [0.0, 0.03, 0.1, 0.3, 1.0]
    assert {len(seeds) for curve in (*judged.values(), recalls) for seeds in curve.values()} == {3}
    groups = by_variant(kept["figures"])
    r1 = itm.claims.per_model(kept["figures"], "t2i", "r1")
    assert groups["encoders of timam"]["all three, words of a small BERT"] == r1["timam"]
    arms = [arm for group in VARIANTS.values() for arm in group.values()]
    names = [name for group in VARIANTS.values() for name in group]
    assert len(set(arms)) == len(arms) == len(set(names)) == 12
