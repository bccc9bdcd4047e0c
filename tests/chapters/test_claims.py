"""The experiments of the chapters: each runs from end to end on a tiny corpus; and what is special about each."""

import json
from dataclasses import replace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters import runner
from itm_tutorial.chapters.ch01_devise import measures as devise
from itm_tutorial.chapters.ch02_vsepp.measures import area_under_curve, backbone_frozen, crossing, entailment_pairs
from itm_tutorial.chapters.ch04_timam import claims as timam
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, effects_of
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.runner import Run, figures_of_seed
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.training.loop import _load
from itm_tutorial.worlds.scenes.kinds import KINDS


@pytest.fixture
def short(monkeypatch):
    """Lets every run be as short as it can be: these arguments of ``fit`` in place of an arm's."""

    def shorten(**settings):
        fit = runner.fit

        def fit_shortly(*args, **declared):
            most = min(declared.get("batch_size", 30), settings.get("batch_size", 30))
            return fit(*args, **{**declared, "epochs": 1, **settings, "batch_size": most})

        monkeypatch.setattr(runner, "fit", fit_shortly)

    return shorten


def over_two_seeds(claim):
    """Rows of seed 0, and the effects of a run whose second seed found the same."""
    rows = figures_of_seed(claim, 0, "tiny")
    assert json.loads(json.dumps(rows)) == rows  # plain data
    effects = effects_of(claim.effects, rows + [{**row, "seed": 1} for row in rows])
    assert all(effect["standard_error"] == 0 for effect in effects)
    return rows, effects


@pytest.mark.slow
def test_the_claims_of_chapter_00_run_from_end_to_end(tiny, instant_features, short):
    short()
    found = itm.claims.run("start_here", seeds=(0, 0), size="tiny")
    assert [row["model"] for row in found["figures"]] == 2 * ["ceiling", "untrained", "bow", "vse"]
    assert len(found["effects"]) >= 5 and all(e["standard_error"] == 0 for e in found["effects"])
    assert json.loads(json.dumps(found["figures"])) == found["figures"]  # plain data
    assert len(found["provenance"]["sources"]) == 16 and found["provenance"]["size"] == "tiny"


@pytest.mark.slow
def test_the_claims_of_chapter_01_run_from_end_to_end(cache, monkeypatch, short):
    words = WordVectors(list(KINDS), torch.randn(len(KINDS), 8, generator=torch.Generator().manual_seed(0)))
    monkeypatch.setattr(devise, "world_words", lambda seed: words)
    short(batch_size=20)
    rows, effects = over_two_seeds(find("devise"))
    softmax = next(row for row in rows if row["model"] == "softmax")
    assert softmax["zero_shot_hit"]["5"] == 0 and len(effects) == 16


@pytest.mark.slow
def test_the_claims_of_chapter_02_run_from_end_to_end(tiny, instant_features, short):
    short(epochs=2, batch_size=256)
    rows, effects = over_two_seeds(find("vsepp"))
    assert len(effects) == 10
    long = [row for row in rows if "val_rsum_by_epoch" in row]
    assert len(long) == 11 and {row["batch_size"] for row in long} == {32, 128, 512}


@pytest.mark.slow
def test_the_claims_of_the_second_stage_run_from_end_to_end(tiny, short):
    short()
    rows, effects = over_two_seeds(find("second_stage"))
    assert [row["model"] for row in rows] == ["first stage", "on, backbone frozen", "on, all weights free"]
    assert len(effects) == 2


@pytest.mark.slow
def test_the_claims_of_chapter_03_run_from_end_to_end(tiny, made_up_regions, short):
    short()
    rows, effects = over_two_seeds(find("scan"))
    assert len(effects) == 8 + 2 * len(rows[1]["minimal_pairs"])  # a tiny split has not all kinds
    assert [row["model"] for row in rows if "pointing" in row] == ["scan, regions"]


@pytest.mark.slow
def test_the_claims_of_chapter_04_run_from_end_to_end(cache, grids, short):
    short(batch_size=20)
    claim = find("timam")
    arms = (replace(arm, options=timam.WORDS) if arm.name == "timam" else arm for arm in claim.arms)  # no BERT is there
    rows, effects = over_two_seeds(replace(claim, arms=tuple(arms)))
    assert len(effects) == 11 + 3 * (len(timam.ADVERSARIES) - 1)
    assert {row["corpus"] for row in rows} == {"people", "birds", "flowers"}


def test_what_a_claim_declares_is_what_its_rows_say(tiny, instant_features):
    """Columns, other measures, an arm that goes on from another, and a control that reads both."""
    starts = []

    def start(arm, corpus, seed, before):
        starts.append((arm.name, seed, before))
        return itm.create_model(arm.model, corpus, seed=seed, **arm.options)

    def label(trained):
        return {"label": trained.arm.name, "scores": list(trained.scores.shape), "trained": trained.history is not None}

    small = {"dim": 8, "word_dim": 8}
    claim = Claim(
        name="toy",
        corpus="scenes",
        arms=(
            Arm("first", "bow", small, fit=None, columns={"size": 1}),
            Arm("second", "bow", small, {"epochs": 1, "batch_size": 30}, start=start, after="first"),
            Arm("third", "bow", small, fit=None, measures=()),
            Control(
                "both", lambda run: {"rows": [row["model"] for row in run.rows], "first": run.row("first")["size"]}
            ),
        ),
        measures=(label,),
        effects=(),
    )
    shape = [len(tiny.test.images), len(tiny.test.captions)]
    assert figures_of_seed(claim, 0, "tiny") == [
        {"seed": 0, "model": "first", "size": 1, "label": "first", "scores": shape, "trained": False},
        {"seed": 0, "model": "second", "label": "second", "scores": shape, "trained": True},
        {"seed": 0, "model": "third"},
        {"seed": 0, "model": "both", "rows": ["first", "second", "third"], "first": 1},
    ]
    assert [(name, seed, before.name) for name, seed, before in starts] == [("second", 0, "bow")]


def test_settings_of_training_alone_leave_the_other_splits_as_they_are(tiny):
    arm = Arm("wrong", "bow", training={"wrong_captions": 0.5})
    run = Run(Claim("toy", "scenes", (arm,), (), ()), 0, "tiny")
    right, wrong = run.corpus, run.corpus_of(arm)
    assert right.train.captions != wrong.train.captions and right.test is wrong.test and right.val is wrong.val
    assert run.corpus_of(Arm("right", "bow")) is right  # loaded once


def test_a_declaration_that_cannot_be_run_is_refused_before_anything_is_trained():
    arms = (Arm("a", "bow"), Control("chance", len))
    with pytest.raises(ItmError, match="two arms are called 'a'"):
        Claim("toy", "scenes", (*arms, Arm("a", "vse")), (), ())
    Claim("toy", "scenes", (*arms, Arm("a", "vse", columns={"size": 2})), (), ())
    with pytest.raises(ItmError, match="effect 'better'.*unknown arm 'aa': did you mean 'a'"):
        Claim("toy", "scenes", arms, (), (Above("better", "aa", "chance"),))
    with pytest.raises(ItmError, match="'b' goes on.*unknown earlier arm 'c'"):
        Claim("toy", "scenes", (*arms, Arm("b", "bow", after="c"), Arm("c", "bow")), (), ())


def test_going_on_with_the_backbone_frozen_leaves_the_first_stage_as_it_was(tiny, monkeypatch):
    monkeypatch.setattr("itm_tutorial.chapters.ch02_vsepp.measures.unfreeze", lambda model: model)
    first = itm.create_model("vsepp", tiny, embed_size=8, word_dim=8, warmup=0.2)
    model = backbone_frozen(None, tiny, 0, first)
    assert first.loss_function.warmup == 0.2 and model.loss_function.warmup == 0
    with torch.no_grad():
        next(model.parameters()).zero_()
    assert next(first.parameters()).abs().sum() > 0


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


def test_a_ranking_loss_and_a_classifier_take_the_place_of_a_models_own(cache, grids):
    people = itm.load_corpus("people", size="tiny")
    arms = {arm.name: arm for arm in find("timam").arms}
    ranked, classified = (
        arms[name].start(arms[name], people, 0, None) for name in ("triplet, sum", "a classifier each")
    )
    ranked.eval()  # no dropout
    batch = next(_load(ranked, people.train, torch.device("cpu")).batches([torch.arange(8)]))
    scores = ranked.similarity(ranked.encode_images(batch), ranked.encode_captions(batch))
    assert torch.equal(ranked.loss(batch), SumOfHinges()(scores, batch.positives))
    assert len(classified.classifier.weights) == 2 and classified.loss(batch).item() > 0
    assert all(weight in set(classified.parameters()) for weight in classified.classifier.weights)
