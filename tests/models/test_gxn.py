"""GXN: look, write, imagine. Each loss by a loop, each step moves only what it should, and both can be left out."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.losses import create_loss
from itm_tutorial.models import Batch
from itm_tutorial.training.loop import _step

SMALL = {"embed_size": 5, "word_dim": 6, "hidden_size": 7}


def made(tiny, name="gxn", **options):
    return itm.create_model(name, tiny, **SMALL, **options)


def batch_of(model, tiny, dtype=torch.float64):
    images = torch.randn(3, 512, generator=torch.Generator().manual_seed(1)).to(dtype)
    return Batch(images, model.tokenize(tiny.train.captions[:5]), torch.tensor([0, 1, 1, 2, 0]))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def unit(a):
    return [x / math.sqrt(dot(a, a)) for x in a]


def softplus(x):
    return math.log1p(math.exp(x))


def affine(layer, x):
    return [dot(w, x) + b for w, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)]


@torch.no_grad()
def test_every_loss_equals_the_equations_by_loops(tiny):
    torch.manual_seed(4)
    model = made(tiny, write_weight=0.7, imagine_weight=0.3).double().eval()
    batch = batch_of(model, tiny)
    parts, of = model.loss(batch), batch.image_of.tolist()
    projected = [affine(model.image_encoder[0].project, unit(image)) for image in batch.images.tolist()]
    v, u = ([unit(p[half]) for p in projected] for half in (slice(0, 5), slice(5, 10)))
    t, s = (encoder(batch.captions.ids, batch.captions.lengths).tolist() for encoder in model.text_encoder)

    # the largest hinge, per caption over images and per image over captions
    score = [[(dot(v[i], t[c]) + dot(u[i], s[c])) / 2 for c in range(5)] for i in range(3)]
    assert torch.allclose(
        model.similarity(model.encode_images(batch), model.encode_captions(batch)),
        torch.tensor(score, dtype=torch.float64),
        atol=1e-10,
    )
    hinge = 0.0
    for c in range(5):
        own = score[of[c]][c]
        hinge += max([0.2 + score[i][c] - own for i in range(3) if i != of[c]] + [0.0])
        hinge += max([0.2 + score[of[c]][d] - own for d in range(5) if of[d] != of[c]] + [0.0])
    assert parts["match"].item() == pytest.approx(hinge, abs=1e-9)

    # the caption, word by word, from the grounded embedding alone
    total = 0.0
    for c in range(5):
        inputs = torch.tensor([affine(model.first_input, [math.sqrt(5) * x for x in u[of[c]]])], dtype=torch.float64)
        words = batch.captions.ids[c, 1 : batch.captions.lengths[c]].tolist()
        for place, word in enumerate(words):
            log_p = model.decoder.next(inputs, torch.tensor([words[:place]], dtype=torch.long).reshape(1, place))
            total += log_p[0, word - 2].item()  # <pad> and <start> have no column
    assert parts["write"].item() == pytest.approx(-0.7 * total / 5, abs=1e-9)

    # the imagined feature, and what the discriminator says to it
    def logit(feature, sentence):
        hidden = [h if h > 0 else 0.2 * h for h in affine(model.discriminator.layers[0], [*feature, *sentence])]
        return affine(model.discriminator.layers[2], hidden)[0]

    imagine, adversary = 0.0, 0.0
    for c in range(5):
        made_up = unit(affine(model.generator[2], [max(h, 0) for h in affine(model.generator[0], s[c])]))
        real = unit(batch.images[of[c]].tolist())
        distance = sum((a - b) ** 2 for a, b in zip(made_up, real, strict=True))
        imagine += distance + softplus(-logit(made_up, s[c]))
        adversary += (softplus(-logit(real, s[c])) + softplus(logit(made_up, s[c]))) / 2
    assert parts["imagine"].item() == pytest.approx(0.3 * imagine / 5, abs=1e-9)
    assert parts["adversary"].item() == pytest.approx(adversary / 5, abs=1e-9)
    saturating = -sum(softplus(logit(made_up, s[c])) for c in range(5))  # a known wrong version
    assert abs(saturating) > 0.1 and set(parts) == {"match", "write", "imagine", "adversary"}


class MatchOnly(nn.Module):
    """What is left without both generative losses, written down again: two linear maps, two GRUs, a hinge."""

    def __init__(self, model):
        super().__init__()
        self.image, self.texts = model.image_encoder[0].project, model.text_encoder
        self.hinge = create_loss("max_of_hinges", margin=0.2)

    def forward(self, batch):
        halves = self.image(normalize(batch.images, dim=-1)).chunk(2, 1)
        image = 0.5**0.5 * torch.cat([normalize(half, dim=-1) for half in halves], 1)
        texts = [normalize(text(batch.captions.ids, batch.captions.lengths), dim=-1) for text in self.texts]
        return self.hinge(image @ (0.5**0.5 * torch.cat(texts, 1)).T, batch.positives)


def test_without_both_weights_it_is_matching_alone_bit_for_bit(tiny):
    model, other = made(tiny, write_weight=0.0, imagine_weight=0.0), made(tiny, "gxn_match")
    plain = MatchOnly(other)
    optimizers = [torch.optim.Adam(one.parameters(), 1e-2) for one in (model, plain)]
    batch = batch_of(model, tiny, torch.float32)
    for _ in range(5):
        for one, optimizer, loss in zip(
            (model, plain), optimizers, (sum(model.loss(batch).values()), plain(batch)), strict=True
        ):
            one.zero_grad()
            loss.backward()
            optimizer.step()
    mine, theirs = model.state_dict(), other.state_dict()
    assert all(torch.equal(mine[key], theirs[key]) for key in mine) and len(mine) == len(theirs)
    assert not [key for key in mine if key.startswith(("decoder", "generator", "discriminator", "first_input"))]
    assert list(model.loss(batch)) == ["match"] and list(model.parameter_groups()) == ["main"]
    whole, fresh = made(tiny).state_dict(), made(tiny, "gxn_match").state_dict()
    assert all(torch.equal(whole[key], fresh[key]) for key in fresh)  # the encoders begin alike


def moved(model, parts, batch):
    """Which weights one step of ``fit`` changes if only some parts of the loss count."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizers = {name: torch.optim.Adam(group, 1e-2) for name, group in model.parameter_groups().items()}
    _step(model, optimizers, {name: part * (name in parts) for name, part in model.loss(batch).items()}, "here")
    return {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def test_each_step_moves_only_what_it_should(tiny):
    batch = batch_of(made(tiny), tiny, torch.float32)
    assert moved(made(tiny), {"adversary"}, batch) == {"discriminator"}
    assert moved(made(tiny), {"imagine"}, batch) == {"generator", "text_encoder"}
    assert moved(made(tiny), {"write"}, batch) == {"decoder", "first_input", "image_encoder"}
    assert moved(made(tiny), {"match"}, batch) == {"image_encoder", "text_encoder"}
    everything = moved(made(tiny), {"match", "write", "imagine", "adversary"}, batch)
    assert everything == {"image_encoder", "text_encoder", "first_input", "decoder", "generator", "discriminator"}


def test_only_the_grounded_embeddings_write_and_imagine(tiny):
    model = made(tiny)
    parts = model.loss(batch_of(model, tiny, torch.float32))
    abstract, grounded = model.text_encoder
    for part, image_moves, text_moves in (("write", True, False), ("imagine", False, True)):
        model.zero_grad()
        parts[part].backward(retain_graph=True)
        rows = model.image_encoder[0].project.weight.grad
        assert rows is None or not rows[:5].any()
        assert (rows is not None and bool(rows[5:].any())) == image_moves
        assert all(weight.grad is None or not weight.grad.any() for weight in abstract.parameters())
        assert any(weight.grad is not None and weight.grad.any() for weight in grounded.parameters()) == text_moves


def test_shuffled_targets_are_never_the_captions_own_image(tiny):
    model = made(tiny, targets="shuffled").double()
    batch = batch_of(model, tiny)
    own = normalize(batch.images, dim=-1)
    for seed in range(20):
        torch.manual_seed(seed)
        found = model._targets(batch.images, batch)
        number = (found[:, None] == own).all(2).int().argmax(1)
        assert (number != batch.image_of).all()
        assert number[1] == number[2]  # captions of one image share the wrong one
    assert torch.equal(made(tiny)._targets(batch.images, batch), own[batch.image_of])
    groups = [made(tiny, targets=kind).parameter_groups() for kind in ("own", "shuffled")]
    assert len({tuple((k, len(v)) for k, v in group.items()) for group in groups}) == 1  # as many updates


@torch.no_grad()
def test_it_writes_and_imagines_only_with_the_part_that_does(tiny):
    model = made(tiny)
    image_emb, caption_emb = (normalize(torch.randn(4, 10), dim=-1) for _ in range(2))
    first = model.next_words(image_emb, torch.zeros(4, 0, dtype=torch.long))
    assert first.shape == (4, len(model.vocabulary) + 1) and (first.exp().sum(1) <= 1 + 1e-5).all()
    assert torch.allclose(model.imagine(caption_emb).norm(dim=1), torch.ones(4))
    with pytest.raises(ItmError, match="write_weight above 0"):
        made(tiny, "gxn_imagine").next_words(image_emb, torch.zeros(4, 0, dtype=torch.long))
    with pytest.raises(ItmError, match="imagine_weight above 0"):
        made(tiny, "gxn_write").imagine(caption_emb)
