"""CMPL and TIMAM: what each part of the loss moves, what they need, and that they learn and come back from disk."""

from dataclasses import replace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.stripes import StripeProjection
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Batch, FeatureSpec, build_model
from itm_tutorial.training.checkpoints import load_model, save_model
from itm_tutorial.training.loop import _step, fit
from itm_tutorial.training.samplers import identities_by_images

SMALL = {"embed_size": 16, "word_dim": 8}
BERT = {  # of a size that is made in no time
    "vocab_size": 400,
    "hidden_size": 12,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 64,
}


@pytest.fixture(scope="module")
def people(cache):
    return itm.load_corpus("people", size="tiny")


def made(name, corpus, **options):
    """A small model; TIMAM learns its words unless told otherwise."""
    vocabulary = Vocabulary.from_captions(corpus.train.captions, 1)
    identities = corpus.train.identity.unique().tolist()
    torch.manual_seed(0)
    return build_model(name, vocabulary, FeatureSpec("grid"), **{"identities": identities, **SMALL, **options})


def a_batch(model, corpus, n=8):
    split = corpus.train
    grid = torch.randn(n, 32, 256, generator=torch.Generator().manual_seed(0))
    captions = model.tokenize([split.captions_of(image)[0] for image in range(n)])
    return Batch(grid, captions, torch.arange(n), split.identity[:n])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cmpl", {}),
        ("cmpl", {"classification": False}),
        ("timam", {}),
        ("timam", {"bert": "one of our own", "bert_config": BERT}),
    ],
)
def test_they_learn_and_come_back_from_disk(people, grids, name, options, tmp_path):
    model = made(name, people, **options)
    losses = []
    inner = model.loss

    def watched(batch):
        parts = inner(batch)
        parts = parts if isinstance(parts, dict) else {"all": parts}
        losses.append(sum(part.item() for side, part in parts.items() if side not in ("adversary", "fooling")))
        return parts

    model.loss = watched
    fit(model, people, epochs=16, batch_size=20, learning_rate=3e-2)
    assert sum(losses[-4:]) < 0.95 * sum(losses[:4])
    again = load_model(save_model(model, tmp_path))
    assert torch.equal(itm.score(model, people.test), itm.score(again, people.test))
    assert itm.score(model, people.test).abs().max() <= 1.0001  # cosines, whatever the length of the embeddings


@pytest.mark.parametrize("identification", [True, False])
@pytest.mark.parametrize("matching", [True, False])
@pytest.mark.parametrize("adversary", [True, False])
def test_each_ingredient_of_timam_is_a_switch(people, identification, matching, adversary):
    switches = {"identification": identification, "matching": matching, "adversary": adversary}
    if not identification and not matching:
        with pytest.raises(ItmError, match="left out"):
            made("timam", people, **switches)
        return
    model = made("timam", people, **switches)
    parts = {name for name, wanted in switches.items() if wanted} | ({"fooling"} if adversary else set())
    assert set(model.loss(a_batch(model, people))) == parts
    assert set(model.parameter_groups()) == ({"main", "adversary"} if adversary else {"main"})
    assert (model.discriminator is None, model.identification is None) == (not adversary, not identification)


def moved(model, before):
    now = model.state_dict()
    return {name.split(".")[0] for name, value in now.items() if not torch.equal(before[name], value)}


def test_the_discriminator_steps_on_its_own_loss_and_the_encoders_on_theirs(people):
    for silent, expected in (("adversary", "main"), ("main", "adversary")):
        model = made("timam", people, bert="one of our own", bert_config=BERT)
        optimizers = {name: torch.optim.SGD(group, 0.1) for name, group in model.parameter_groups().items()}
        parts = model.loss(a_batch(model, people))
        groups = {"adversary": ["adversary"], "main": ["matching", "identification", "fooling"]}
        before = {name: value.clone() for name, value in model.state_dict().items()}
        _step(model, optimizers, {name: (0.0 if name in groups[silent] else 1.0) * p for name, p in parts.items()}, "")
        found = moved(model, before)
        if expected == "adversary":
            assert found == {"discriminator"}
        else:
            assert found == {"image_encoder", "text_encoder", "identification"}
        frozen = [name for name in before if ".words." in name]
        assert frozen and all(torch.equal(before[name], model.state_dict()[name]) for name in frozen)


def test_the_weight_of_the_game_is_that_of_the_encoders_alone(people):
    parts = [made("timam", people, adversary_weight=weight).eval() for weight in (0.0, 0.5, 1.0)]  # no dropout
    parts = [model.loss(a_batch(model, people)) for model in parts]
    assert parts[0]["fooling"] == 0 and torch.allclose(2 * parts[1]["fooling"], parts[2]["fooling"])
    assert torch.equal(parts[0]["adversary"], parts[2]["adversary"])


def test_codes_keep_their_length_in_training_alone(people):
    model = made("cmpl", people).eval()
    batch = a_batch(model, people)
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    assert (images.norm(dim=1) - 1).abs().max() > 0.01 < (captions.norm(dim=1) - 1).abs().max()
    assert torch.allclose(model.similarity(images, captions), model.similarity(5 * images, 0.2 * captions), atol=1e-6)


def test_a_model_of_identities_says_what_it_needs(tiny, people):
    for name in ("cmpl", "timam"):
        with pytest.raises(ItmError, match='"people", "birds" or "flowers"'):
            itm.create_model(name, tiny)
    with pytest.raises(ItmError, match="left out"):
        made("cmpl", people, matching=False, identities=[])
    for name in ("cmpl", "timam"):
        model = made(name, people)
        batch = a_batch(model, people)
        with pytest.raises(ItmError, match="identity 9999 is not among"):
            model.loss(replace(batch, identity=torch.where(batch.identity == batch.identity[0], 9999, batch.identity)))
        with pytest.raises(ItmError, match="has no identities"):
            model.loss(replace(batch, identity=None))
        with pytest.raises(ItmError, match="one identity only"):
            model.loss(replace(batch, identity=torch.full_like(batch.identity, int(batch.identity[0]))))


def test_they_are_made_from_a_corpus(people, grids):
    model = itm.create_model("cmpl", people, **SMALL)
    assert model.numbers.known.tolist() == people.train.identity.unique().tolist()
    fit(model, people, epochs=1, batch_size=20)
    model = itm.create_model("timam", people, bert=None, features="global", embed_size=16, word_dim=8)
    fit(model, people, epochs=1, batch_size=20, sampler=identities_by_images(people.train.identity))


def test_stripes_are_cut_from_top_to_bottom():
    encoder = StripeProjection(3, 4, n_stripes=2).eval()
    grid = torch.randn(5, 6, 3)  # two rows of three cells
    pooled = torch.cat([x for row in (grid[:, :3], grid[:, 3:]) for x in (row.mean(1), row.amax(1))], 1)
    standard = encoder.standard(pooled) / 12**0.5
    assert torch.allclose(encoder(grid), encoder.project(standard), atol=1e-6)
    for wrong in (torch.randn(5, 7, 3), torch.randn(5, 3)):
        with pytest.raises(ItmError, match="cannot be divided into 2 stripes: give a square grid"):
            encoder(wrong)
