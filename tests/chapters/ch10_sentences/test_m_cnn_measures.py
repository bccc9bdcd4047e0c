"""What m-CNN's claim scores: small galleries, and sums of raw scores."""

from dataclasses import dataclass
from types import SimpleNamespace

import torch

from itm_tutorial.chapters.ch10_sentences.measures import m_cnn as measures
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.evaluation.retrieval_metrics import evaluate


@dataclass
class Stub:
    """A trained arm as the measures read it."""

    model: object
    corpus: object


def test_a_small_gallery_keeps_the_first_images_and_their_captions(tiny):
    split = measures.first_images(tiny.test, 7)
    assert len(split.images) == 7 and len(split.captions) == len(split.image_of)
    assert split.captions == [c for image in range(7) for c in tiny.test.captions_of(image)]
    assert torch.equal(split.images[6], tiny.test.images[6]) and int(split.image_of.max()) == 6
    assert split.fingerprint != tiny.test.fingerprint  # features of the whole split are another file
    assert len(measures.first_images(tiny.test).images) == len(tiny.test.images)  # fewer than a gallery: all


def test_the_sum_adds_raw_scores_that_are_computed_once(tiny, monkeypatch):
    n, calls = len(tiny.test.images), []
    scores = {name: torch.randn(n, len(tiny.test.captions)) for name in ("a", "b")}
    monkeypatch.setattr(measures, "score", lambda model, split: calls.append(model) or scores[model])
    trained = {name: Stub(name, tiny) for name in scores}
    run = SimpleNamespace(trained=trained, corpus=tiny)
    alone = measures.small_gallery(trained["a"])
    both = measures.sum_of_scores(("a", "b"), run)
    assert calls == ["a", "b"]
    assert alone["rsum"] == evaluate(scores["a"], tiny.test.image_of).rsum
    assert both["rsum"] == evaluate(scores["a"] + scores["b"], tiny.test.image_of).rsum


def test_models_of_one_run_differ_in_weights_and_in_batches(tiny, monkeypatch):
    seeds = []
    monkeypatch.setattr(measures, "fit", lambda model, corpus, seed, progress: seeds.append((seed, len(corpus.splits))))
    arm = Arm("word", "m_cnn", {"word_dim": 4, "maps": 4, "deep_maps": 4, "hidden": 4}, fit=None)
    first, second = (measures.trained_apart(number, arm, tiny, 2, None) for number in (0, 1))
    assert seeds == [(2, 2), (1002, 2)]  # and no test split in sight
    assert not torch.equal(first.words.weight, second.words.weight)
