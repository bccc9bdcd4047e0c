"""The verdict rule: twice the standard error, and nothing else."""

import json
from functools import partial
from importlib import import_module

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.ch00_start_here import claims as start_here
from itm_tutorial.chapters.ch01_devise import claims as devise
from itm_tutorial.chapters.ch02_vsepp import claims as vsepp
from itm_tutorial.chapters.ch02_vsepp import second_stage
from itm_tutorial.chapters.ch02_vsepp.claims import area_under_curve, crossing, entailment_pairs
from itm_tutorial.chapters.ch03_scan import claims as scan
from itm_tutorial.chapters.ch04_timam import claims as timam
from itm_tutorial.chapters.verdict import effect
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.training.loop import _load
from itm_tutorial.worlds.scenes.kinds import KINDS


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([5.0, 6.0, 7.0], "holds"),
        ([-5.0, -6.0, -7.0], "does not hold"),
        ([-5.0, 6.0, 1.0], "too close to say"),
        ([0.0, 0.0, 0.0], "too close to say"),
    ],
)
def test_verdict(values, verdict):
    assert effect("a claim", values).verdict == verdict


def test_standard_error_by_hand():
    found = effect("a claim", [1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.standard_error == pytest.approx(1 / 3**0.5)


def test_one_seed_or_a_nan_is_refused():
    with pytest.raises(ItmError, match="spread"):
        effect("a claim", [1.0])
    with pytest.raises(ItmError, match="not a number"):
        effect("a claim", [1.0, float("nan")])


def test_the_area_under_a_curve_equals_the_loop():
    scores, right = torch.tensor([0.1, 0.4, 0.4, 0.8, 0.3]), torch.tensor([False, True, False, True, False])
    pairs = [
        (a, b) for a, r in zip(scores, right, strict=True) if r for b, q in zip(scores, right, strict=True) if not q
    ]
    expected = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    assert area_under_curve(scores, right) == pytest.approx(100 * expected)
    assert area_under_curve(torch.ones(5), right) == 50


def test_curves_cross_where_one_stays_above():
    assert crossing([1, 3, 2, 5, 6], [2, 2, 3, 4, 5]) == 4
    assert crossing([3, 4], [1, 2]) == 1
    assert crossing([3, 1], [1, 2]) is None


def test_entailment_is_read_off_the_facts(tiny):
    first, second, summary = entailment_pairs(tiny.test)
    assert len(first) == 30 * 20 and 0 < summary.sum() < len(summary)
    truths = tiny.test.facts.truths
    for a, b, entailed in list(zip(first.tolist(), second.tolist(), summary.tolist(), strict=True))[:200]:
        assert tiny.test.image_of[a] == tiny.test.image_of[b] and a != b
        assert entailed == all(fact in tiny.test.facts.of_caption[a] for fact in truths[b].facts)


@pytest.mark.slow
def test_the_claims_of_chapter_02_run_from_end_to_end(tiny, instant_features, monkeypatch):
    monkeypatch.setattr(vsepp, "EPOCHS", 2)
    monkeypatch.setattr(vsepp, "BATCHES", (64, 128, 256))
    fit = vsepp.fit
    monkeypatch.setattr(vsepp, "fit", lambda *a, **k: fit(*a, **{**k, "epochs": 2}))
    rows = vsepp.figures_of_seed(0, "tiny")
    figures = rows + [{**row, "seed": 1} for row in rows]
    effects = vsepp.effects_of(figures)
    assert len(effects) == 10 and all(e["standard_error"] == 0 for e in effects)
    assert json.loads(json.dumps(figures)) == figures  # plain data


@pytest.mark.slow
def test_the_claims_of_chapter_01_run_from_end_to_end(cache, monkeypatch):
    words = WordVectors(list(KINDS), torch.randn(len(KINDS), 8, generator=torch.Generator().manual_seed(0)))
    monkeypatch.setattr(devise, "world_words", lambda seed: words)
    monkeypatch.setattr(devise, "MAP_EPOCHS", 1)
    fit = devise.fit
    monkeypatch.setattr(devise, "fit", lambda *a, **k: fit(*a, **{**k, "epochs": 1, "batch_size": 20}))
    found = itm.claims.run("devise", seeds=(0, 1), size="tiny")
    softmax = [row for row in found["figures"] if row["model"] == "softmax"]
    assert all(row["zero_shot_hit"]["5"] == 0 for row in softmax)
    assert json.loads(json.dumps(found))["effects"][0]["values"]


@pytest.mark.slow
def test_the_claims_of_chapter_03_run_from_end_to_end(tiny, made_up_regions, monkeypatch):
    fit = scan.fit
    monkeypatch.setattr(scan, "fit", lambda *a, **k: fit(*a, **{**k, "epochs": 1, "batch_size": 30}))
    rows = scan.figures_of_seed(0, "tiny")
    figures = rows + [{**row, "seed": 1} for row in rows]
    effects = scan.effects_of(figures)
    kinds = rows[1]["minimal_pairs"]  # a tiny split has not all of them
    assert len(effects) == 8 + 2 * len(kinds) and all(e["standard_error"] == 0 for e in effects)
    assert json.loads(json.dumps(figures)) == figures  # plain data


@pytest.mark.slow
def test_the_claims_of_chapter_04_run_from_end_to_end(cache, grids, monkeypatch):
    fit, runs = timam.fit, {name: (kind, {**options}) for name, (kind, options) in timam.RUNS.items()}
    runs["timam"] = ("timam", timam.WORDS)  # a BERT would have to be trained first
    monkeypatch.setattr(timam, "RUNS", runs)
    monkeypatch.setattr(timam, "fit", lambda *a, **k: fit(*a, **{**k, "epochs": 1, "batch_size": 20}))
    rows = timam.figures_of_seed(0, "tiny")
    figures = rows + [{**row, "seed": 1} for row in rows]
    effects = timam.effects_of(figures)
    assert len(effects) == 11 + 3 * (len(timam.ADVERSARIES) - 1) and all(e["standard_error"] == 0 for e in effects)
    assert {row["corpus"] for row in rows} == {"people", "birds", "flowers"}
    assert json.loads(json.dumps(figures)) == figures  # plain data


def test_a_ranking_loss_and_a_classifier_take_the_place_of_a_models_own(cache, grids):
    people = itm.load_corpus("people", size="tiny")
    ranked, classified = (timam.untrained(name, people, 0) for name in ("triplet, sum", "a classifier each"))
    ranked.eval()  # no dropout
    batch = next(_load(ranked, people.train, torch.device("cpu")).batches([torch.arange(8)]))
    scores = ranked.similarity(ranked.encode_images(batch), ranked.encode_captions(batch))
    assert torch.equal(ranked.loss(batch), SumOfHinges()(scores, batch.positives))
    assert len(classified.classifier.weights) == 2 and classified.loss(batch).item() > 0
    assert all(weight in set(classified.parameters()) for weight in classified.classifier.weights)


@pytest.mark.slow
def test_the_claims_of_the_second_stage_run_from_end_to_end(tiny, monkeypatch):
    fit = second_stage.fit
    monkeypatch.setattr(second_stage, "fit", lambda *a, **k: fit(*a, **{**k, "epochs": 1, "batch_size": 30}))
    rows = second_stage.figures_of_seed(0, "tiny")
    assert [row["model"] for row in rows] == ["first stage", "on, backbone frozen", "on, all weights free"]
    effects = second_stage.effects_of(rows + [{**row, "seed": 1} for row in rows])
    assert len(effects) == 2 and json.loads(json.dumps(rows)) == rows  # plain data


@pytest.mark.slow
def test_the_claims_of_chapter_00_run_from_end_to_end(tiny, instant_features, monkeypatch):
    fit = start_here.fit
    monkeypatch.setattr(start_here, "fit", lambda *a, **k: fit(*a, **{**k, "epochs": 1, "batch_size": 30}))
    found = itm.claims.run("start_here", seeds=(0, 0), size="tiny")
    assert [row["model"] for row in found["figures"]] == 2 * ["ceiling", "untrained", "bow", "vse"]
    assert len(found["effects"]) >= 5 and all(e["standard_error"] == 0 for e in found["effects"])
    assert json.loads(json.dumps(found["figures"])) == found["figures"]  # plain data


@pytest.mark.parametrize("name", itm.claims.list_claims())
def test_verdicts_kept_are_those_that_the_figures_kept_give(name):
    kept = itm.claims.results(name)
    summary = import_module(f"itm_tutorial.chapters.{experiment._MODULES[name]}").effects_of(kept["figures"])
    assert json.loads(json.dumps(summary)) == kept["effects"]


def test_a_killed_run_of_a_claim_goes_on_at_the_seed_that_it_was_killed_in(tmp_path, monkeypatch):
    trained, killed_in = [], {1}

    def figures_of_seed(seed, size):
        if seed in killed_in:
            raise KeyboardInterrupt
        trained.append((seed, size))
        return [{"seed": seed, "rsum": 100.0 + seed}]

    monkeypatch.setattr(start_here, "figures_of_seed", figures_of_seed)
    monkeypatch.setattr(start_here, "effects_of", lambda figures: [])
    run = partial(itm.claims.run, "start_here", folder=tmp_path / "claims")
    with pytest.raises(KeyboardInterrupt):
        run()
    killed_in.clear()
    assert [row["rsum"] for row in run()["figures"]] == [100.0, 101.0, 102.0]
    assert trained == [(0, "mini"), (1, "mini"), (2, "mini")]  # seed 0 once
    run(size="tiny", seeds=(0,))
    assert trained.pop() == (0, "tiny")  # another size is another run
    files = sorted((tmp_path / "claims").iterdir())
    assert len(files) == 4
    files[0].write_text('{"made_by": ', encoding="utf-8")  # damaged
    changed = json.loads(files[1].read_text(encoding="utf-8"))
    files[1].write_text(json.dumps(changed | {"made_by": "other code"}), encoding="utf-8")
    trained.clear()
    run()
    assert trained == [(0, "mini"), (1, "mini")]
    run = partial(itm.claims.run, "start_here")  # without a folder nothing is kept
    assert len(run()["figures"]) == 3 and len(trained) == 5
