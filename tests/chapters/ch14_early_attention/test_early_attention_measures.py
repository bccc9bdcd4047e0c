"""What the claims of chapter 14 measure: areas under curves, the gate, coverage of named objects; and their arms."""

from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch14_early_attention.claims import dan, sco, sm_lstm
from itm_tutorial.chapters.ch14_early_attention.measures import sco as of_sco
from itm_tutorial.chapters.ch14_early_attention.measures import sm_lstm as of_sm_lstm
from itm_tutorial.chapters.declaration import Control
from itm_tutorial.chapters.small_galleries import trained_on_small_validation


def test_the_mean_area_equals_the_loop():
    torch.manual_seed(0)
    scores, truth = (torch.rand(9, 4) * 5).round(), torch.rand(9, 4) < 0.5  # rounded, so that some are equal
    truth[:, 3] = True  # shown everywhere: no area
    areas = []
    for c in range(3):
        pairs = [(scores[i, c], scores[j, c]) for i in range(9) for j in range(9) if truth[i, c] and not truth[j, c]]
        areas.append(sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs))
    assert of_sco.area_under_curve(scores, truth) == pytest.approx(100 * sum(areas) / 3)
    assert of_sco.area_under_curve(scores[:, 3:], truth[:, 3:]) == 50


def test_concepts_that_are_known_have_a_full_area(tiny, monkeypatch):
    model = itm.create_model("sco_gate", tiny, embed_size=4, word_dim=5).eval()
    test, ids = tiny.test, model.tokenize(tiny.test.captions).ids
    named = of_sco.named_concepts(ids, model.concept_of, len(model.concepts))
    shown = torch.stack([named[test.image_of == image].amax(0) for image in range(len(test.images))])
    monkeypatch.setattr(of_sco, "split_features", lambda split, spec: shown)
    gate = torch.full((1, 4), 0.25)
    for flip, expected in ((False, 100), (True, 0)):
        absent = lambda x, flip=flip: (1 - (0.9 * (1 - x if flip else x) + 0.05)).log()  # noqa: E731
        predict = lambda x, absent=absent: SimpleNamespace(absent=absent(x), gate=gate.expand(len(x), 4))  # noqa: E731
        monkeypatch.setattr(model.image_encoder, "predict", predict)
        found = of_sco.concepts(SimpleNamespace(model=model, corpus=tiny))
        assert found["concept_auc"] == pytest.approx(expected)
        assert found["gate"] == pytest.approx(0.25) and found["gate_spread"] == pytest.approx(0)


def test_coverage_counts_weights_on_named_boxes(tiny, monkeypatch):
    test = tiny.test
    model = itm.create_model("sm_lstm", tiny, embed_size=4, word_dim=5, hidden_size=3, state_size=2)
    most = max(map(len, test.boxes))
    boxes = torch.zeros(len(test.images), most, 4)  # the regions are the true boxes, then empty ones
    for image, own in enumerate(test.boxes):
        boxes[image, : len(own)] = own
    monkeypatch.setattr(of_sm_lstm, "split_boxes", lambda split, spec: boxes)
    monkeypatch.setattr(of_sm_lstm, "split_features", lambda split, spec: torch.rand(len(boxes), most, 256))
    trained = SimpleNamespace(model=model, corpus=tiny)
    maps = lambda weights: SimpleNamespace(regions=weights)  # noqa: E731
    full = lambda i, c: maps(torch.ones(2, len(c.mask), most))  # noqa: E731
    monkeypatch.setattr(model.network, "pair_maps", full)  # weights of 2 in sum count as 1
    found = of_sm_lstm.coverage(trained)
    assert found["coverage"] >= 100 and found["moved"] == 0  # boxes that overlap show one another
    monkeypatch.setattr(model.network, "pair_maps", lambda i, c: maps(torch.zeros(2, len(c.mask), most)))
    assert of_sm_lstm.coverage(trained)["coverage"] == 0
    first = torch.zeros(2, 1, most)
    first[0, :, 0] = first[1, :, 1] = 1  # the two maps share no region
    monkeypatch.setattr(model.network, "pair_maps", lambda i, c: maps(first.expand(2, len(c.mask), most)))
    assert of_sm_lstm.coverage(trained)["moved"] == 1


def test_arms_share_batches_and_updates():
    for claims in (dan, sco):
        (claim,) = claims.CLAIMS
        arms = [arm for arm in claim.arms if not isinstance(arm, Control)]
        assert len({tuple(sorted(arm.fit.items())) for arm in arms}) == 1
    (claim,) = sm_lstm.CLAIMS
    assert all(arm.fit is None and arm.start is trained_on_small_validation for arm in claim.arms)


def test_a_cheap_model_makes_a_shortlist_for_the_pair_network(tiny):
    cheap, model = itm.create_model("dan", tiny), itm.create_model("sm_lstm", tiny)
    first = itm.score(cheap, tiny.test)
    whole = itm.score(model, tiny.test)
    found = itm.rerank(model, tiny.test, first, k=4, direction="t2i")
    assert found.report.n_scored == 4 * len(tiny.test.captions) < found.report.n_pairs
    chosen = first.topk(4, dim=0).indices  # [4, n_captions]
    # the order within the shortlist is that of the pair network
    assert torch.equal(found.scores.gather(0, chosen).argmax(0), whole.gather(0, chosen).argmax(0))
