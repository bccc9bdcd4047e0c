"""SPE: its loss is that of the batch's embeddings, its recipes bring siblings, its words stay fixed."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.losses.structure import StructureLoss
from itm_tutorial.models import Batch
from itm_tutorial.models.spe import SPE


def small(corpus, name="spe", **options):
    return itm.create_model(name, corpus, embed_size=6, hidden=8, **options)


def batch_of(model, corpus):
    """Four images with two captions each."""
    captions = [c for i in range(4) for c in corpus.train.captions[5 * i : 5 * i + 2]]
    return Batch(torch.rand(4, 512), model.tokenize(captions), torch.arange(8) // 2)


@pytest.mark.parametrize(("name", "weight"), [("spe", 0.05), ("spe_without", 0.0)])
def test_the_loss_is_that_of_the_embeddings(tiny, name, weight):
    model = small(tiny, name).double()
    batch = batch_of(model, tiny)
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    expected = StructureLoss(0.05, 1.5, weight, 10)(images, captions, batch.positives)
    assert model.loss(batch).item() == pytest.approx(expected.item(), abs=1e-10)
    assert torch.allclose(images.norm(dim=1), torch.ones(4).double())


def test_the_neighbour_term_is_all_that_the_control_leaves_out(tiny):
    model, control = small(tiny), small(tiny, "spe_without")
    batch = batch_of(model, tiny)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), control.parameters(), strict=True))
    captions = model.encode_captions(batch)
    term = model.loss_function.neighbours(captions, batch.positives)
    assert (model.loss(batch) - control.loss(batch)).item() == pytest.approx(0.05 * term.item(), abs=1e-6)
    assert term > 0


def test_every_recipe_brings_two_captions_of_an_image():
    assert {recipe.sampler for recipe in SPE.recipes.values()} == {"siblings"}


def test_cosine_ranks_as_the_distance_does(tiny):
    from itm_tutorial.losses.structure import distances

    model = small(tiny).eval()
    batch = batch_of(model, tiny)
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    by_cosine = model.similarity(images, captions).argsort(1, descending=True)
    assert torch.equal(by_cosine, distances(images, captions).argsort(1))


def test_word_vectors_are_not_trained(tiny):
    model = small(tiny)
    before = model.text_encoder.words.vectors.clone()
    itm.fit(model, tiny, epochs=1, batch_size=10, device="cpu", progress=False)
    assert torch.equal(before, model.text_encoder.words.vectors) and before.abs().sum() > 0
