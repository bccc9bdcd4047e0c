"""ALBEF in miniature: its loss against scalars, its pairs one by one, and the two ends of a shortlist."""

import math

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.matching_head import MatchingHead
from itm_tutorial.models import Batch, create_model
from itm_tutorial.models.albef import ImageCells, TextWords


@pytest.fixture(scope="module")
def model(tiny):
    """A model after two epochs."""
    made = create_model("albef", tiny, embed_size=32, word_dim=16)
    itm.fit(made, tiny, epochs=2, batch_size=20, device="cpu", progress=False)
    return made


def test_a_shortlist_of_one_keeps_the_order_of_the_cosines(model, tiny):
    """The rank of the first is that of the cosine whatever the head says: k = 1 has nothing to put in another order."""
    split = tiny.test
    cheap = itm.score(model, split)
    for direction, dim in (("t2i", 0), ("i2t", 1)):
        scores = itm.rerank(model.by("itm"), split, cheap, 1, direction).scores
        assert torch.equal(scores.argmax(dim), cheap.argmax(dim))
    assert itm.evaluate(itm.rerank(model.by("itm"), split, cheap, 1, "t2i").scores, split.image_of).t2i.r1 == (
        pytest.approx(itm.evaluate(cheap, split.image_of).t2i.r1)
    )


@pytest.mark.parametrize("way", ["itm", "sum"])
def test_a_shortlist_of_all_is_the_ranking_of_the_head(model, tiny, way):
    split = tiny.test
    whole = itm.score(model.by(way), split)
    scores, report = itm.rerank(model.by(way), split, itm.score(model, split), len(split.captions))
    assert report.n_scored == report.n_pairs and torch.allclose(scores, whole, atol=1e-4)


def test_the_sum_is_the_head_and_the_cosine(model, tiny):
    split = tiny.val
    cosine, odds, both = (itm.score(model.by(way), split) for way in ("itc", "itm", "sum"))
    assert torch.equal(cosine, itm.score(model, split)) and cosine.abs().max() <= 1 + 1e-5
    assert torch.allclose(both, odds + cosine, atol=1e-4)


def test_its_other_scores_share_the_weights_and_leave_it_as_it_is(model):
    other = model.by("itm")
    assert other.head is model.head and (model.way, model.pair_cost, other.pair_cost) == ("itc", "product", "network")
    assert model.pair_similarity is None and other.by("itc").pair_similarity is None
    with pytest.raises(ItmError, match="unknown score of albef 'imt': did you mean 'itm'"):
        model.by("imt")


def test_the_loss_equals_scalars_where_there_is_one_negative(tiny):
    """Two pairs: the hard negatives are certain, so the whole loss can be written down."""
    torch.manual_seed(0)
    model = create_model("albef", tiny, embed_size=8, word_dim=8).double()
    batch = Batch(torch.rand(2, 5, 256), model.tokenize(["a red car", "two dogs on the grass"]), torch.tensor([0, 1]))
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    s = [[model.contrast.scale.theta.exp().item() * (v @ t).item() for t in captions.pooled] for v in images.pooled]
    rows = [math.log(sum(math.exp(x) for x in s[i])) - s[i][i] for i in range(2)]
    columns = [math.log(sum(math.exp(s[j][i]) for j in range(2))) - s[i][i] for i in range(2)]
    itc = (sum(rows) / 2 + sum(columns) / 2) / 2
    pairs = [(0, 0, 1), (1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 1, 0), (1, 0, 0)]  # image, caption, label: 3 B of them
    itm_loss = 0.0
    for image, caption, label in pairs:
        length = captions.lengths[caption : caption + 1]
        words = captions.words[caption : caption + 1, : int(length)]
        logits = model.head(images.cells[image : image + 1], words, length)[0]
        itm_loss -= (logits[label] - logits.logsumexp(0)).item() / len(pairs)
    assert model.loss(batch).item() == pytest.approx(itc + itm_loss, abs=1e-6)
    balanced = [2 * itm_loss, itm_loss / 2]  # sums or a prior of one half would give other numbers
    assert all(model.loss(batch).item() != pytest.approx(itc + wrong, abs=1e-3) for wrong in balanced)


def test_the_log_odds_are_not_the_second_logit(tiny):
    """The order by the second logit alone, as in public code, may differ from the order by probability."""
    logits = torch.tensor([[0.0, 1.0], [3.0, 2.0]])  # p = .73 and .27
    assert logits[:, 1].argmax() == 1 and (logits[:, 1] - logits[:, 0]).argmax() == 0
    assert torch.equal((logits[:, 1] - logits[:, 0]).argsort(), logits.softmax(1)[:, 1].argsort())


def test_a_batch_of_one_image_has_no_negatives(tiny):
    model = create_model("albef", tiny, embed_size=8, word_dim=8)
    batch = Batch(torch.rand(1, 5, 256), model.tokenize(["a red car", "a car"]), torch.tensor([0, 0]))
    assert model.loss(batch).isfinite()


@torch.no_grad()
def test_the_head_reads_no_padding_and_works_in_parts(monkeypatch):
    torch.manual_seed(0)
    head = MatchingHead(8).eval()
    cells, words, lengths = torch.randn(6, 4, 8), torch.randn(6, 7, 8), torch.tensor([7, 2, 3, 7, 1, 5])
    whole = head.log_odds(cells, words, lengths)
    for row, length in enumerate(lengths.tolist()):
        one = slice(row, row + 1)
        assert torch.allclose(head.log_odds(cells[one], words[one, :length], lengths[one])[0], whole[row], atol=1e-5)
    monkeypatch.setattr("itm_tutorial.interaction.matching_head.MOST", 60)  # two pairs at a time
    assert torch.allclose(head.log_odds(cells, words, lengths), whole, atol=1e-5)
    assert head.log_odds(cells[:0], words[:0], lengths[:0]).shape == (0,)


@torch.no_grad()
def test_pairs_and_tiles_agree(model):
    images = ImageCells(torch.randn(3, 32), torch.randn(3, 4, 32))
    captions = TextWords(torch.randn(3, 32), torch.randn(3, 6, 32), torch.tensor([6, 2, 4]))
    matcher = model.by("sum")
    assert torch.allclose(
        matcher.similarity(images, captions).diagonal(), matcher.score_pairs(images, captions), atol=1e-5
    )


def test_options_that_do_not_fit_are_refused(tiny):
    with pytest.raises(ItmError, match="embed_size is 30; give a multiple of 4"):
        create_model("albef", tiny, embed_size=30)
