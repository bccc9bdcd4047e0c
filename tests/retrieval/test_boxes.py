"""A model that reads boxes gets them wherever its images are scored, searched, indexed or reranked."""

import pytest
import torch
from torch import nn

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.models import FeatureSpec, Matching
from itm_tutorial.retrieval import scoring, search

WORDS = [f"word{number}" for number in range(40)]


class Placed(Matching):
    """An image is the sum of its regions' features, boxes and confidence; a caption is the mean of its words."""

    reads_boxes = True

    def __init__(self):
        super().__init__(Vocabulary(WORDS), FeatureSpec("regions", "mini", 8))
        self.project, self.words = nn.Linear(8 + 4 + 1, 6), nn.EmbeddingBag(44, 6, padding_idx=0)
        self.text_encoder = lambda ids, lengths: self.words(ids)

    def image_encoder(self, features, boxes, confidence):
        return self.project(torch.cat([features, boxes, confidence[..., None]], -1)).sum(1)

    def similarity(self, image_emb, caption_emb):
        return image_emb @ caption_emb.T


@pytest.fixture
def placed(make_split, monkeypatch):
    """The model, a split, and its features, boxes and confidence."""
    split, generator = make_split(regions=3), torch.Generator().manual_seed(1)
    features = torch.from_numpy(split.precomputed)
    boxes, confidence = torch.rand(11, 3, 4, generator=generator), torch.rand(11, 3, generator=generator)
    rows = lambda of: slice(None) if of is split else [int(image[0, 0, 0]) for image in of.images]  # noqa: E731
    for module in (scoring, search, "itm_tutorial.retrieval.rerank"):
        where = module if isinstance(module, str) else module.__name__
        monkeypatch.setattr(f"{where}.split_features", lambda split, spec: features)
    monkeypatch.setattr(search, "image_features", lambda images, spec: features[[int(i[0, 0, 0]) for i in images]])
    monkeypatch.setattr(scoring, "split_boxes", lambda split, spec: boxes[rows(split)])
    monkeypatch.setattr(scoring, "split_confidence", lambda split, spec: confidence[rows(split)])
    torch.manual_seed(0)
    return Placed(), split, (features, boxes, confidence)


def test_boxes_and_confidence_reach_the_encoder(placed, monkeypatch):
    model, split, parts = placed
    captions = [model.encode_captions([caption]) for caption in split.captions]
    with torch.no_grad():
        expected = torch.cat([model.image_encoder(*parts) @ caption.T for caption in captions], 1)  # [11, 23]
    assert torch.allclose(itm.score(model, split), expected, atol=1e-5)
    assert torch.allclose(itm.score(model, split, chunk=4), expected, atol=1e-5)
    assert torch.allclose(itm.rerank(model, split, torch.zeros(11, 23), 23).scores, expected, atol=1e-5)
    picture = torch.full((3, 8, 8), 6, dtype=torch.uint8)  # image 6
    for find in (lambda query: itm.search(model, split, query, k=5), itm.SearchIndex(model, split).search):
        hits = find(split.captions[2])
        assert hits.indices[:5] == expected[:, 2].topk(5).indices.tolist()
        hits = find(picture)
        assert hits.indices[:5] == expected[6].topk(5).indices.tolist()
    parts[1].zero_()
    assert not torch.allclose(itm.score(model, split), expected, atol=1e-2)  # they do matter
