"""The claims of DVSA and DeFrag run from end to end, and their measures are what they say."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters import runner
from itm_tutorial.chapters.ch11_fragments.measures.defrag import AlignmentElsewhere
from itm_tutorial.chapters.ch11_fragments.measures.dvsa import correlation
from itm_tutorial.chapters.ch11_fragments.measures.pointing import foreign_pointing, points
from itm_tutorial.chapters.effects import effects_of
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.runner import figures_of_seed
from itm_tutorial.evaluation.grounding import attend, evaluate_attention
from itm_tutorial.losses.fragment_alignment import FragmentAlignment


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dvsa", "defrag"])
def test_a_claim_runs_from_end_to_end(tiny, made_up_regions, monkeypatch, name):
    fit = runner.fit
    monkeypatch.setattr(runner, "fit", lambda *args, **given: fit(*args, **{**given, "epochs": 1}))
    claim = find(name)
    rows = figures_of_seed(claim, 0, "tiny")
    assert [row["model"] for row in rows] == [arm.name for arm in claim.arms]
    effects = effects_of(claim.effects, rows + [{**row, "seed": 1} for row in rows])
    assert len(effects) == len(claim.effects)


def test_points_are_those_of_the_course_s_own_pointing_game(tiny, made_up_regions):
    model = itm.create_model("dvsa", tiny, embed_size=16, word_dim=8).eval()
    seen = attend(model, tiny.val)
    found = points([weights.argmax(0) for weights in seen.weights], seen.boxes, tiny.val)
    assert found == pytest.approx(evaluate_attention(model, tiny.val).pointing["model"], abs=1e-3)


def test_with_the_regions_of_another_image_a_word_still_points_at_its_own_boxes(tiny, made_up_regions):
    model = itm.create_model("dvsa", tiny, embed_size=16, word_dim=8).eval()
    found, own = foreign_pointing(model, tiny.val), evaluate_attention(model, tiny.val).pointing
    assert found.keys() == own["model"].keys() and found != own["model"]


def test_the_correlation_of_scores_with_length_by_a_loop():
    scores, words = torch.randn(3, 9), torch.randint(3, 12, (9,)).float()
    expected = [torch.corrcoef(torch.stack([row, words]))[0, 1].item() for row in scores]
    assert correlation(scores, words) == pytest.approx(sum(expected) / 3, abs=1e-5)
    assert correlation(words.expand(2, 9), words) == pytest.approx(1)
    assert correlation(torch.zeros(2, 9), words) == 0


def test_the_control_aligns_with_the_next_image_of_the_batch():
    dots, mask = torch.randn(3, 2, 3, 4), torch.ones(3, 4, dtype=torch.bool)
    own = torch.eye(3, dtype=torch.bool)
    elsewhere = torch.tensor([[False, False, True], [True, False, False], [False, True, False]])
    found = AlignmentElsewhere()(dots, own, mask)
    assert found == FragmentAlignment()(dots, elsewhere, mask) != FragmentAlignment()(dots, own, mask)
