"""The answers of chapter 15 follow from the numbers of a run, whichever way these go; so does what is measured live."""

import json
from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch11_fragments.measures.pointing import points
from itm_tutorial.chapters.ch15_attention import answers, live, pair_times
from itm_tutorial.chapters.ch15_attention.cost_figures import LABELS, Point
from itm_tutorial.chapters.ch15_attention.figures import plans_after
from itm_tutorial.chapters.ch15_attention.kept_runs import kept_points
from itm_tutorial.chapters.ch15_attention.live import Pointing, Sweep
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import Attention, attend
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.retrieval.rerank import rerank


@pytest.fixture
def ready(tiny, cheap_features, monkeypatch):
    """Makes untrained models on features that need no backbone."""
    from itm_tutorial.evaluation import grounding
    from itm_tutorial.retrieval import rerank as reranking
    from itm_tutorial.retrieval import scoring

    for module in (grounding, scoring, reranking, live):
        monkeypatch.setattr(module, "split_features", cheap_features)
    for name in ("split_boxes", "split_confidence"):
        monkeypatch.setattr(grounding, name, getattr(scoring, name))

    def make(name, **options):
        return itm.create_model(name, tiny, seed=0, **{"features": "oracle", "embed_size": 8, "word_dim": 8, **options})

    return make


def test_channels_are_counted_by_what_is_taken():
    items = torch.tensor([[-1.0, -1.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    text = answers.channels(items, torch.tensor([9.0, 0.0, -9.0]), 4.0, [0, 1])
    assert "channel 0: 1 + gamma is 9.00, and the fovea takes 1.00 where the mean is 0.00; channel 1: 1 + " in text
    assert "Of all 3 channels, 1 come more than halfway from the mean to the largest number, and 1 more than" in text
    assert "does not use it" not in text
    text = answers.channels(items, torch.tensor([9.0, 9.0, 9.0]), 4.0, [0])
    assert "with lambda = 4 and this short training, the fovea is close to the maximum" in text


def test_a_plan_is_told_beside_sinkhorns():
    cost = torch.tensor([[0.1, 0.4], [0.5, 0.3]])
    text = answers.moved(plans_after(cost), cost)
    assert text.startswith("After 20 steps, the plan costs 0.200 and has an entropy of 0.69 nats; a word goes to 1.0")
    assert "*Sinkhorn, 20 steps* costs 0.294" in text and "is lower than Sinkhorn's" in text
    assert "same mass, 0.500" in text


def test_trees_share_edges_or_none():
    words, heads = ["a", "red", "dog", "and", "a", "cat"], [2, 2, 2, 5, 5, 2]
    found = [answers.trees(words, heads, seed) for seed in range(9)]
    assert any("0 of 5 edges." in text for text in found) or any("*dog*" in text for text in found)
    assert all("of 5 edges" in text for text in found)


def seen(weights, boxes=((0.0, 0.0, 0.2, 0.2), (0.8, 0.8, 1.0, 1.0))):
    """Attention of one caption."""
    words = ["a", "dog"]
    return Attention(torch.tensor([0]), torch.tensor([0]), [words], [torch.tensor(weights)], torch.tensor([boxes]))


@pytest.fixture
def split():
    """One picture with one caption, "a dog", whose dog stands at the upper left."""
    truth = SimpleNamespace(words=[SimpleNamespace(word_class="other"), SimpleNamespace(word_class="noun")])
    return SimpleNamespace(
        captions=["a dog"],
        image_of=torch.tensor([0]),
        groundings=[[(1, 0)]],
        boxes=[torch.tensor([[0.0, 0.0, 0.4, 0.4]])],
        facts=SimpleNamespace(truths=[truth]),
        display=lambda image: torch.zeros(3, 8, 8, dtype=torch.uint8),
        name="test",
    )


def test_maps_are_told_by_where_they_look(split):
    right, wrong = seen([[0.1, 0.9], [0.9, 0.1]]), seen([[0.2, 0.2], [0.8, 0.8]])
    text = answers.looks({"scan": right, "adapt": wrong}, split)
    assert "*scan* 1 of 1, 0.90; *adapt* 0 of 1, 0.80." in text and "*adapt* shows nearly the same map" in text
    assert "same map" not in answers.looks({"scan": right}, split)


def test_pointing_of_some_captions_is_that_of_the_whole_game(split, tiny, ready):
    assert live.pointing(seen([[0.1, 0.9], [0.9, 0.1]]), split) == Pointing(100.0, 50.0, 1)
    assert live.pointing(seen([[0.2, 0.2], [0.8, 0.8]]), split) == Pointing(0.0, 50.0, 1)
    with pytest.raises(ItmError, match="no verb of these 1 captions"):
        live.pointing(seen([[0.2, 0.2], [0.8, 0.8]]), split, "verb")
    every = attend(ready("scan"), tiny.test)
    whole = points([weights.argmax(0) for weights in every.weights], every.boxes, tiny.test)
    assert live.pointing(every, tiny.test).model == pytest.approx(whole["noun"])


def test_the_best_and_those_near_chance_are_named():
    own = {"scan": Pointing(80.0, 28.0, 90), "got": Pointing(79.5, 28.0, 90), "adapt": Pointing(30.0, 28.0, 90)}
    text = answers.pointed(own, {})
    assert "*scan* and *got* point best: 80 % of 90 nouns" in text and "*adapt* is near chance" in text
    assert "not measured the chapter's claims" in text
    assert "one and the same" not in text
    for attention, told in ((85.0, "less often than"), (79.9, "as often as"), (70.0, "more often than")):
        some = own | {"got, attention": Pointing(attention, 28.0, 1090)}
        assert f"attention for {attention:.0f} %: the plan is right {told} attention" in answers.pointed(some, {})
    text = answers.pointed({"scan": own["scan"]}, {"IMRAM, last step": [70.0, 72.0]})
    assert "*scan* points best" in text and "near chance" not in text and "IMRAM, last step 71 %" in text


@pytest.mark.parametrize(
    ("rsum", "told"), [(250.4, "hardly changes"), (260.0, "raises rsum by 10.0"), (245.0, "lowers")]
)
def test_what_a_second_score_does(rsum, told):
    sweep = Sweep(torch.zeros(2, 4), 250.0, {0.2: rsum}, {"i2t": 90.0, "t2i": 80.0}, 0.25)
    worth = torch.tensor([[True, True, True, False]] * 2)
    text = answers.shortlist(sweep, 0.2, worth, 10, kept=False)
    assert told in text and "for 25 % of the pairs" in text and "keeps 75 % of the captions" in text
    assert "your run, one seed" in text and "It saves little" in text
    assert "It saves little" not in answers.shortlist(sweep, 0.2, ~worth, 10, kept=True)


def test_a_front_is_named_with_its_source():
    some = [Point("fast", 0.001, 200.0), Point("slow", 0.1, 300.0), Point("beaten", 0.05, 190.0)]
    text = answers.front(some, kept=False)
    assert "your own short runs" in text and "No other method beats *fast*, *slow* in both." in text
    assert "*slow* takes 100 times as long per pair as *fast*" in text
    assert "kept results" in answers.front(some, kept=True)


def test_own_rows_stand_below_those_of_the_papers():
    report = evaluate(torch.eye(4), torch.arange(4))
    assert "*scan* 100.0 and 100.0." in answers.beside_papers({"scan": report})


def test_an_alpha_of_the_sweep_is_a_reranking(tiny, ready):
    model = ready("mmca", heads=1, hidden=8, filters=4)
    sweep = live.alpha_sweep(model, tiny.test, (0.1, 0.2), 5)
    assert model.alpha == 0.2 and list(sweep.rsum) == [0.1, 0.2] and sweep.allowed.keys() == {"i2t", "t2i"}
    scores, report = rerank(model, tiny.test, sweep.cheap, 5)
    assert sweep.rsum[0.2] == pytest.approx(evaluate(scores, tiny.test.image_of).rsum)
    assert sweep.share == report.n_scored / report.n_pairs < 1
    with pytest.raises(ItmError, match="one or more above 0"):
        live.alpha_sweep(model, tiny.test, (0.0,), 5)


def test_timed_scores_are_those_of_score(tiny, ready):
    for name in ("scan", "rve"):
        model, threads = ready(name), torch.get_num_threads()
        scores, milliseconds = live.timed_scores(model, tiny.test)
        assert torch.allclose(scores, itm.score(model, tiny.test), atol=1e-5) and milliseconds >= 0
        assert torch.get_num_threads() == threads


def test_points_are_kept_results(tmp_path):
    trained = {"trainings": [{"test": {"rsum": 400.0}}, {"test": {"rsum": 410.0}}, {"test": None}]}
    models = {"scan": trained, "got": trained, "vsrn": {"trainings": []}, "bow": trained}
    file = tmp_path / "check.json"
    assert kept_points(file, {"scan": 0.1}) == []
    file.write_text(json.dumps({"models": models}))
    found = kept_points(file, {"scan": 0.1, "got": 9.0, "vsrn": 0.2})
    assert [(one.name, one.milliseconds, one.recall) for one in found] == [
        ("SCAN (chapter 03)", 0.1, 405.0),
        ("GOT, in the loss alone", 0.1, 405.0),
    ]
    assert kept_points(file, {}) == []


def test_kept_times_are_of_the_rows_of_the_map(tmp_path):
    assert pair_times.MODELS.keys() == LABELS.keys()
    assert pair_times.kept_times(tmp_path / "none.json") == {}
    times = pair_times.kept_times()
    assert set(times) <= set(LABELS) and all(value > 0 for value in times.values())
