"""NIC: scores against a double loop, no negatives, the blind writer, the next word, and what a pair is said to cost."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Batch, FeatureSpec, build_model
from itm_tutorial.retrieval import scoring
from itm_tutorial.retrieval.corrections import divide_by_prior

CAPTIONS = ["a red dog", "a red car on grass", "a dog", "a red dog", "zebra"]


def make(name="nic", seed=0, **options):
    torch.manual_seed(seed)
    small = {"word_dim": 3, "hidden_size": 4} if name == "nic" else {"word_dim": 3, "multimodal_dim": 5}
    vocabulary = Vocabulary(["a", "red", "dog", "car", "on", "grass"])
    model = build_model(name, vocabulary, FeatureSpec("global", "precomputed", 6), **{**small, **options})
    for weight in model.parameters():
        torch.nn.init.uniform_(weight, -1, 1)
    return model.double().eval(), torch.randn(4, 6, dtype=torch.float64)


def by_double_loop(model, images, captions):
    """log P of each pair, one word at a time from the definition, by the network's own next token."""
    rows = []
    for image in model.encode_images(images).split(1):
        row = []
        for caption in captions:
            ids = model.tokenize([caption]).ids[0].tolist()
            steps = range(1, len(ids))
            log_p = [model.next_tokens(image, torch.tensor([ids[1:place]], dtype=torch.int64))[0] for place in steps]
            row.append(sum(p[ids[place] - 2] for p, place in zip(log_p, steps, strict=True)))
        rows.append(torch.stack(row))
    return torch.stack(rows)


@torch.inference_mode()
@pytest.mark.parametrize("name", ["nic", "m_rnn", "m_rnn_recurrence"])
def test_scores_equal_the_double_loop(name):
    model, images = make(name)
    expected = by_double_loop(model, images, CAPTIONS)
    image_emb, caption_emb = model.encode_images(images), model.encode_captions(CAPTIONS)
    assert torch.allclose(model.similarity(image_emb, caption_emb), expected, atol=1e-10)
    alone = model.pair_similarity(image_emb, model.encode_captions(CAPTIONS[:4]))
    assert torch.allclose(alone, expected[:, :4].diagonal(), atol=1e-10)
    assert (expected < 0).all() and not torch.allclose(expected[0], expected[1])


@torch.inference_mode()
@pytest.mark.parametrize("name", ["nic", "m_rnn", "m_rnn_recurrence"])
def test_next_words_along_a_caption_sum_to_its_score(name):
    model, images = make(name)
    n_words = len(model.vocabulary)
    image_emb = model.encode_images(images)
    ids = model.tokenize(CAPTIONS[1:2]).ids[0, 1:-1]  # the words alone
    total = torch.zeros(4, dtype=torch.float64)
    for place in range(len(ids) + 1):
        log_p = model.next_words(image_emb, ids[:place].expand(4, -1))
        assert log_p.shape == (4, n_words + 1) and (log_p[:, :4] == -torch.inf).all()
        assert (log_p.exp().sum(1) < 1).all() and log_p[:, 4:].isfinite().all()  # <unk> has the rest
        total += log_p[:, ids[place] if place < len(ids) else n_words]
    assert torch.allclose(total, model.similarity(image_emb, model.encode_captions(CAPTIONS[1:2]))[:, 0], atol=1e-10)


def test_prefixes_that_are_none_are_refused():
    model, images = make()
    image_emb = model.encode_images(images)
    for wrong in (torch.ones(4, 1).long(), torch.full((4, 2), 10), torch.full((4, 1), 2)):
        with pytest.raises(ItmError, match="give ids of words, 4 to 9"):
            model.next_words(image_emb, wrong)
    for wrong in (torch.full((3, 1), 5), torch.full((4,), 5), torch.full((4, 1), 5.0)):
        with pytest.raises(ItmError, match=r"for 4 images: give int64 \[4, t\]"):
            model.next_words(image_emb, wrong)


@pytest.mark.parametrize("name", ["nic", "m_rnn"])
def test_the_loss_is_that_of_the_given_pairs_alone(name):
    model, images = make(name)
    captions, image_of = model.tokenize(CAPTIONS[:4]), torch.tensor([0, 0, 1, 2])
    scores = by_double_loop(model, images, CAPTIONS[:4])
    likelihoods = torch.stack([scores[image, caption] for caption, image in enumerate(image_of.tolist())])
    n = 4 if name == "nic" else 4 + 6 + 3 + 4  # captions; words and stops
    loss = model.loss(Batch(images, captions, image_of))
    assert loss.item() == pytest.approx(-likelihoods.sum().item() / n, abs=1e-10)
    changed = images.clone()
    changed[3] += 1  # no caption of the batch is its own
    assert model.loss(Batch(changed, captions, image_of)).item() == pytest.approx(loss.item(), abs=1e-12)


@torch.inference_mode()
def test_a_writer_that_sees_no_image_ties_all_images_and_ties_count_against_it():
    model, images = make(sees_image=False)
    image_emb, captions = model.encode_images(images), CAPTIONS[:4]
    scores = model.similarity(image_emb, model.encode_captions(captions))
    assert torch.equal(scores, scores[:1].expand_as(scores)) and not torch.allclose(scores[:, 0], scores[:, 1])
    assert torch.allclose(scores, by_double_loop(model, images, captions), atol=1e-10)
    report = evaluate(scores, torch.tensor([0, 1, 2, 3]))
    assert (report.t2i.r1, report.t2i.median_rank) == (0.0, 4.0)
    seeing, _ = make()
    assert not torch.equal(*(seeing.similarity(seeing.encode_images(images), seeing.encode_captions(captions))[:2]))
    assert model.similarity(image_emb[:0], model.encode_captions(captions)).shape == (0, 4)


def test_division_by_the_prior_changes_no_ranking_of_images_and_undoes_a_common_caption():
    log_p = torch.tensor([[-2.0, -5.0], [-2.0, -9.0], [-2.0, -9.0], [-2.0, -9.0]])
    divided = divide_by_prior(log_p, log_p)
    assert log_p[0].argmax() == 0 and divided[0].argmax() == 1
    assert divided[0].tolist() == pytest.approx([0, 1.333], abs=5e-4)
    model, images = make()
    with torch.inference_mode():
        scores = model.similarity(model.encode_images(images), model.encode_captions(CAPTIONS))
        train = model.similarity(model.encode_images(images.flip(1)), model.encode_captions(CAPTIONS))
    divided = divide_by_prior(scores, train)
    assert torch.equal(divided.argsort(0), scores.argsort(0))
    assert not torch.allclose(divided - scores, torch.zeros(1).double())


@pytest.mark.parametrize("name", ["nic", "m_rnn"])
def test_what_all_pairs_cost_is_said_before_they_are_scored(cache, cheap_features, monkeypatch, name):
    corpus = itm.load_corpus("scenes", size="tiny")
    told, tile_times = [], iter(range(0, 1000, 5))
    monkeypatch.setattr(scoring, "progress_wanted", lambda: True)
    monkeypatch.setattr(scoring, "notice", told.append)
    monkeypatch.setattr(scoring.time, "perf_counter", lambda: next(tile_times))
    itm.score(itm.create_model(name, corpus), corpus.val)
    assert len(told) == 1 and told[0].startswith(f"{name} runs a network for each of 2,000 pairs: about ")


def test_the_paper_s_recipe_has_the_paper_s_cell(cache):
    model = itm.create_model("nic", itm.load_corpus("scenes", size="tiny"), recipe="paper")
    assert not model.decoder.squash and model.decoder.input.bias is None
    assert model.decoder.input.in_features == 512 and model.decoder.recurrent.in_features == 512
