"""What the claim of GXN measures: imagined features that find their image, and the truth of written captions."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch13_writing.claims.gxn import CLAIMS
from itm_tutorial.chapters.ch13_writing.measures import gxn as measures
from itm_tutorial.evaluation.caption_truth import exchanged
from itm_tutorial.retrieval.writing import WrittenCaption


@pytest.fixture
def trained(tiny, monkeypatch):
    features = torch.randn(len(tiny.test.images), 6, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(measures, "split_features", lambda split, spec: features)
    number = {caption: n for n, caption in enumerate(tiny.test.captions)}
    model = SimpleNamespace(features=None, encode_captions=lambda some: torch.tensor([number[one] for one in some]))
    model.own = normalize(features, dim=-1)[tiny.test.image_of]
    model.imagine = lambda rows: model.own[rows]
    return SimpleNamespace(model=model, corpus=tiny)


def test_features_that_are_imagined_right_find_their_image(trained, monkeypatch):
    assert measures.imagined_recall(trained) == {"imagined_t2i_r10": 100}
    monkeypatch.setattr(measures, "CHUNK", 7)
    assert measures.imagined_recall(trained) == {"imagined_t2i_r10": 100}
    trained.model.own = -trained.model.own  # the opposite of the right feature
    assert measures.imagined_recall(trained)["imagined_t2i_r10"] < 10


def test_captions_of_the_grammar_are_true_and_silence_is_nothing(trained, monkeypatch):
    test = trained.corpus.test
    captions = [test.captions_of(image)[0] for image in range(len(test.images))]
    monkeypatch.setattr(measures, "write_captions", lambda *_: [WrittenCaption(one, -1.0) for one in captions])
    found = measures.written_truth(trained)
    assert found["true_statements"] == 100 > found["true_of_others"] > 0 and found["statements"] > len(captions)
    others = exchanged(len(captions)).tolist()
    captions = [captions[others.index(image)] for image in range(len(captions))]  # true of another picture instead
    assert measures.written_truth(trained)["true_statements"] < 60
    captions = ["a thing"] * len(captions)
    assert measures.written_truth(trained) == {"true_statements": 0, "true_of_others": 0, "statements": 0}


def test_the_arms_differ_in_their_losses_alone():
    (claim,) = CLAIMS
    assert len({tuple(arm.fit.items()) for arm in claim.arms}) == 1
    sizes = {tuple((name, value) for name, value in arm.options.items() if name != "targets") for arm in claim.arms}
    assert len(sizes) == 1 and claim.arms[-1].options["targets"] == "shuffled"
