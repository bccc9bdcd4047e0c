"""Small galleries: the first images of a split, training that compares epochs on them, and recall on them."""

from functools import partial

import pytest

import itm_tutorial as itm
from itm_tutorial.chapters import small_galleries
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.chapters.small_galleries import first_images, small_gallery, trained_on_small_validation


def test_the_first_images_keep_their_captions(tiny):
    small = first_images(tiny.test, 3)
    kept = [row for row, image in enumerate(tiny.test.image_of.tolist()) if image < 3]
    assert small.captions == [tiny.test.captions[row] for row in kept]
    assert small.image_of.tolist() == [int(tiny.test.image_of[row]) for row in kept]
    assert len(small.images) == 3 and small.fingerprint != tiny.test.fingerprint
    assert len(first_images(tiny.test, 10**6).images) == len(tiny.test.images)


def test_training_sees_all_images_and_validation_a_few(tiny, cheap_features, monkeypatch):
    seen = {}

    def watched(model, corpus, **given):
        seen.update(given, train=corpus.train, val=corpus.val)
        return itm.fit(model, corpus, **{**given, "epochs": 1})

    monkeypatch.setattr(small_galleries, "fit", watched)
    start = partial(trained_on_small_validation, images=4, epochs=7, batch_size=8)
    model = start(Arm("bow", "bow", {"dim": 4}, None), tiny, 3, None)
    assert model.name == "bow" and model.options["dim"] == 4
    assert seen["train"] is tiny.train and len(seen["val"].images) == 4
    assert (seen["epochs"], seen["batch_size"], seen["seed"]) == (7, 8, 3)


def test_recall_on_the_small_gallery_is_that_of_the_block_of_scores(tiny, cheap_features, monkeypatch):
    monkeypatch.setattr(small_galleries, "GALLERY", 5)
    model = itm.create_model("bow", tiny, dim=8).eval()
    found = small_gallery(Trained(Arm("bow", "bow"), model, tiny, 0))
    own = tiny.test.image_of < 5
    report = itm.evaluate(itm.score(model, tiny.test)[:5][:, own], tiny.test.image_of[own])
    assert found == pytest.approx({"rsum": report.rsum, "i2t_r1": report.i2t.r1, "t2i_r1": report.t2i.r1})
