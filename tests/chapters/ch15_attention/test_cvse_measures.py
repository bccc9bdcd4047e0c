"""The measure of CVSE's claim: weight on concepts that other captions of the image name."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch15_attention.measures.cvse import left_unsaid
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.text import tokenize
from itm_tutorial.extraction.features import split_features


def test_unsaid_weight_equals_a_loop_over_captions(tiny, cheap_features):
    model = itm.create_model("cvse", tiny, embed_size=8, word_dim=8).eval()
    found = left_unsaid(Trained(None, model, tiny, 0))
    concepts, test = model.options["concepts"], tiny.test
    with torch.no_grad():
        weights = model.spell_images(split_features(test, model.features)).weights
    said = [set(tokenize(caption)) & set(concepts) for caption in test.captions]
    total = 0.0
    for c, image in enumerate(test.image_of.tolist()):
        shown = set().union(*(said[o] for o, i in enumerate(test.image_of.tolist()) if i == image))
        total += sum(weights[image, concepts.index(word)].item() for word in shown - said[c])
    assert found["unsaid"] == pytest.approx(100 * total / len(said), abs=1e-4)
    assert found["edges"] == len(model.options["edges"]) > 0
