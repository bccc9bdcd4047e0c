"""Scores of a whole split: equal to one pair at a time, whatever the tiles, and what is said before they are made."""

import re
from unittest.mock import MagicMock

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.encoders.text import Words
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching, list_models, model_class
from itm_tutorial.retrieval import scoring

MODELS = {"vsepp": 0, "order0": 0, "scan": 4, "scan_i2t": 4}  # name -> regions per image
quick = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


def pair_by_pair(model, split):
    """The oracle: every image and every caption encoded and compared alone."""
    features, rows = torch.from_numpy(split.precomputed), []
    model.eval()
    with torch.no_grad():
        for image in range(len(split.images)):
            image_emb = model.encode_images(features[image : image + 1])
            rows.append([float(model.similarity(image_emb, model.encode_captions([c]))) for c in split.captions])
    return torch.tensor(rows)


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_each_pair_alone(name, make_model, make_split):
    model, split = make_model(name), make_split(5, 9, regions=MODELS[name])
    scores = itm.score(model, split)
    assert scores.shape == (5, 9) and scores.dtype == torch.float32
    assert torch.allclose(scores, pair_by_pair(model, split), atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
@given(chunk=st.integers(1, 12), tile=st.sampled_from([1, 4 * 4 * 11 * 5, 2**28]))
@quick
def test_neither_chunk_nor_tile_changes_a_score(name, chunk, tile, make_model, make_split):
    model, split = make_model(name), make_split(5, 9, regions=MODELS[name])
    whole = itm.score(model, split)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "TILE_BYTES", tile)
        assert torch.allclose(itm.score(model, split, chunk=chunk), whole, atol=1e-5)


def test_scores_of_any_size_are_left_as_they_are(make_model, make_split):
    model, split = make_model("vsepp"), make_split()
    cosines, inner = itm.score(model, split), model.similarity
    model.similarity = lambda images, captions: 1e4 * inner(images, captions) - 3e3
    scores = itm.score(model, split)
    assert scores.min() < -3e3 and scores.max() > 1e3
    assert torch.allclose(scores, 1e4 * cosines - 3e3, rtol=1e-5)


def test_dropout_is_off_while_scoring(make_model, make_split):
    model, split = make_model("vsepp", dropout=0.5), make_split()
    features = torch.from_numpy(split.precomputed)
    assert not torch.equal(model.encode_images(features), model.encode_images(features))  # it is on outside
    scores = itm.score(model, split)
    assert torch.equal(scores, itm.score(model, split))
    assert torch.allclose(scores, pair_by_pair(model, split), atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_as_before(training, make_model, make_split):
    model, split = make_model("vsepp", dropout=0.5).train(training), make_split()
    itm.score(model, split)
    assert {module.training for module in model.modules()} == {training}

    def broken(image_emb, caption_emb):
        assert not model.training
        raise ItmError("stop")

    model.similarity = broken
    with pytest.raises(ItmError, match="stop"):
        itm.score(model, split)
    assert {module.training for module in model.modules()} == {training}  # after an error too


@pytest.mark.parametrize("chunk", [0, -3])
def test_a_chunk_below_one_is_refused(chunk, make_model, make_split):
    with pytest.raises(ItmError, match=f"chunk is {chunk}; give"):
        itm.score(make_model("vsepp"), make_split(), chunk=chunk)


def test_other_texts_take_the_place_of_the_captions(make_model, make_split):
    model, split = make_model("scan"), make_split(regions=3)
    texts = [split.captions[20], "word3", split.captions[0]]
    scores = itm.score(model, split, captions=texts)
    whole = itm.score(model, split)
    assert torch.allclose(scores[:, [0, 2]], whole[:, [20, 0]], atol=1e-5) and scores.shape == (11, 3)


# ---- tiles


@given(
    n_images=st.integers(1, 40),
    n_captions=st.integers(1, 40),
    n_regions=st.integers(1, 9),
    seq_len=st.integers(1, 9),
    limit=st.integers(4, 20_000),
    corner=st.booleans(),
)
@settings(max_examples=200)
def test_tiles_hold_every_pair_once_in_bounded_memory(n_images, n_captions, n_regions, seq_len, limit, corner):
    image_emb = torch.zeros(n_images, n_regions, 2)
    caption_emb = Words(torch.zeros(n_captions, seq_len, 2), torch.ones(n_captions, dtype=torch.int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "TILE_BYTES", limit)
        tiles = list(scoring.tiles(model_class("scan"), image_emb, caption_emb, corner))
        (whole,) = scoring.tiles(model_class("vsepp"), image_emb, caption_emb)  # a product is scored at once
    scored = torch.zeros(n_images, n_captions)
    for rows, columns in tiles:
        scored[rows, columns] += 1
        n_pairs = scored[rows, columns].numel()
        assert n_pairs == 1 or 4 * n_pairs * n_regions * seq_len <= limit
    assert bool((scored == 1).all())
    n_least = -(-n_images * n_captions // max(1, limit // (4 * n_regions * seq_len)))
    assert len(tiles) <= 6 * n_least + 12 * corner  # and not many more of them than needed
    assert not corner or (tiles[0][0].stop <= scoring.CORNER and tiles[0][1].stop <= scoring.CORNER)
    assert torch.zeros(n_images, n_captions)[whole].numel() == n_images * n_captions


def test_a_network_is_asked_tile_by_tile_and_a_product_at_once(make_model, make_split, counted, monkeypatch):
    network, product, split = make_model("scan"), make_model("vsepp"), make_split(regions=4)
    seq_len = network.tokenize(split.captions).ids.shape[1]
    monkeypatch.setattr(scoring, "TILE_BYTES", 4 * 4 * seq_len * 30)  # 30 pairs
    asked = counted(network, "similarity"), counted(product, "similarity")
    itm.score(network, split)
    itm.score(product, make_split())
    assert sum(n * m for n, m in asked[0]) == 11 * 23 and max(n * m for n, m in asked[0]) <= 30
    assert asked[1] == [(11, 23)]


def test_every_model_says_what_a_pair_costs():
    costs = {name: model_class(name).pair_cost for name in list_models()}
    assert set(costs.values()) == {"product", "network"}
    assert costs["scan"] == costs["scan_i2t"] == "network" and costs["vsepp"] == costs["order"] == "product"
    with pytest.raises(ItmError, match="unknown pair_cost of Typo 'netwrok': did you mean 'network'"):
        type("Typo", (Matching,), {"pair_cost": "netwrok"})


# ---- what is said before


def slow(model, clock, monkeypatch, seconds_per_pair=1.0):
    """A clock that only the pairs of a model move."""
    inner = model.similarity

    def similarity(image_emb, caption_emb):
        scores = inner(image_emb, caption_emb)
        clock.append(clock[-1] + seconds_per_pair * scores.numel())
        return scores

    model.similarity = similarity
    monkeypatch.setattr(scoring.time, "perf_counter", lambda: clock[-1])
    return model


@pytest.mark.parametrize(("seconds_per_pair", "duration"), [(0.2, "51 s"), (1.0, "4 min"), (60.0, "4.2 h")])
def test_a_person_is_told_what_a_network_will_cost(
    seconds_per_pair, duration, make_model, make_split, counted, monkeypatch
):
    monkeypatch.setenv("ITM_PROGRESS", "1")
    model, split, clock, bar, told = make_model("scan"), make_split(23, 11, regions=4), [0.0], MagicMock(), []
    monkeypatch.setattr(scoring, "progress_counter", bar)
    monkeypatch.setattr(scoring, "notice", lambda line: told.append((line, clock[-1])))
    slow(model, clock, monkeypatch, seconds_per_pair)
    asked = counted(model, "similarity")
    scores = itm.score(model, split)
    line = f"scan runs a network for each of 253 pairs: about {duration}"
    assert told == [(line, 16 * 11 * seconds_per_pair)]  # told after the first, small tile
    assert asked == [(16, 11), (7, 11)] and clock[-1] == pytest.approx(253 * seconds_per_pair)  # no pair twice
    bar.assert_called_once_with(253, "scoring pairs", "pair")
    assert [call.args[0] for call in bar.return_value.update.call_args_list] == [16 * 11, 7 * 11]
    bar.return_value.close.assert_called_once_with()
    monkeypatch.setenv("ITM_PROGRESS", "0")
    assert torch.allclose(scores, itm.score(model, split), atol=1e-5)
    assert len(told) == 1 and asked[2:] == [(23, 11)]


def test_the_line_and_the_bar_go_to_the_error_stream(make_model, make_split, monkeypatch, capsys):
    monkeypatch.setenv("ITM_PROGRESS", "1")
    itm.score(slow(make_model("scan"), [0.0], monkeypatch), make_split(regions=4))
    said = capsys.readouterr()
    assert said.err.startswith("scan runs a network") and "scoring pairs" in said.err and said.out == ""


def test_the_cost_is_told_once_enough_time_was_measured(make_model, make_split, counted, monkeypatch):
    monkeypatch.setenv("ITM_PROGRESS", "1")
    model, split, clock, told = make_model("scan"), make_split(60, 600, regions=1), [0.0], []
    monkeypatch.setattr(scoring, "notice", lambda line: told.append((line, clock[-1])))
    each = scoring.ENOUGH / (16 * 500)  # more pairs than the corner has, and fewer than with the strip beside it
    slow(model, clock, monkeypatch, each)
    asked = counted(model, "similarity")
    itm.score(model, split)
    assert told == []  # 0.45 s in all
    # and once it was measured, no more small tiles
    assert asked == [(16, 16), (16, 496), (44, 16), (44, 496), (60, 88)]
    monkeypatch.setattr(scoring, "LONG", 0.4)
    clock.append(0.0)
    itm.score(model, split)
    assert told == [("scan runs a network for each of 36,000 pairs: about 0 s", pytest.approx(16 * 512 * each))]


@pytest.mark.parametrize(("name", "wanted", "seconds"), [("scan", "0", 9.0), ("scan", "1", 1e-3), ("vsepp", "1", 9.0)])
def test_nothing_is_said_to_a_machine_of_quick_work_or_of_a_product(
    name, wanted, seconds, make_model, make_split, monkeypatch, capsys
):
    monkeypatch.setenv("ITM_PROGRESS", wanted)
    clock = [0.0]
    itm.score(slow(make_model(name), clock, monkeypatch, seconds), make_split(regions=MODELS[name]))
    assert capsys.readouterr() == ("", "") and clock[-1] == pytest.approx(253 * seconds)


ODD = ["2", 2.0, None, True, float("nan"), 0, -1, [], 10**30]


@pytest.mark.parametrize("value", ODD, ids=map(repr, ODD))
def test_a_number_of_another_type_is_refused_by_name(tiny, instant_features, value):
    model = itm.create_model("bow", tiny, dim=8, word_dim=8)
    split, scores = tiny.val, torch.rand(20, 100)
    index = itm.SearchIndex(model, split)
    calls = {
        "chunk": [
            lambda: itm.score(model, split, chunk=value),
            lambda: itm.evaluate(scores, split.image_of, chunk=value),
        ],
        "k": [
            lambda: itm.search(model, split, "a red car", k=value),
            lambda: index.search("a red car", k=value),
            lambda: itm.rerank(model, split, scores, k=value),
        ],
        "n_folds": [lambda: itm.evaluate_folds(scores, split.image_of, n_folds=value)],
        "seed": [lambda: itm.load_corpus("scenes", size="tiny", seed=value)] if value not in (0, -1, None) else [],
        "size": [lambda: itm.load_corpus("scenes", size=value)],
        "image_size": [lambda: itm.load_corpus("scenes", size="tiny", image_size=value)],
        "corpus": [lambda: itm.load_corpus(value)],
    }
    for name, some in calls.items():
        for call in some:
            with pytest.raises(ItmError, match=name) as error:
                call()
            assert "\n" not in str(error.value) and len(str(error.value)) < 400, name


def test_numpys_whole_numbers_are_taken(tiny, instant_features):
    import numpy as np

    model = itm.create_model("bow", tiny, dim=8, word_dim=8)
    scores = itm.score(model, tiny.val, chunk=np.int64(7))
    assert len(itm.search(model, tiny.val, "a red car", k=np.int32(3)).indices) == 3
    assert itm.evaluate(scores, tiny.val.image_of, chunk=np.int64(9)) == itm.evaluate(scores, tiny.val.image_of)
    corpus = itm.load_corpus("scenes", size="tiny", seed=np.int64(0), image_size=np.int64(128))
    assert corpus.train.fingerprint == tiny.train.fingerprint


def test_a_split_of_unknown_words_is_told_once(make_model, make_split, said):
    model, split = make_model("vsepp"), make_split()
    itm.score(model, split)
    split.captions[:] = ["word1 word2 zebra"] * len(split.captions)  # exactly a third
    itm.score(model, split)
    itm.score(model, split, captions=["zebra", "lion"])  # labels of one's own are no captions of the split
    assert said() == []
    split.captions[0] = "a wholly other text"
    for _ in range(2):
        itm.score(model, split)
    (told,) = said()
    assert re.match(rf"3\d% of the words of the {split.name} captions are unknown to the model", told)
    assert "another language" in told


def test_unknown_words_are_counted_among_captions_of_the_whole_split(make_model, make_split, said, monkeypatch):
    model, split = make_model("vsepp"), make_split(10, 200)
    split.captions[:] = ["word1"] * 100 + ["zebra"] * 100
    monkeypatch.setattr(scoring, "LOOKED_AT", 20)
    scoring.warn_of_unknown_words(model, split)
    assert said()[0].startswith("50% of the words")


def test_a_model_that_reads_no_words_is_told_nothing(make_model, make_split, said, monkeypatch):
    model, split = make_model("vsepp"), make_split()
    split.captions[:] = ["zebra"] * len(split.captions)
    own = type("Labels", (type(model),), {"tokenize": lambda self, captions: self.vocabulary.encode(captions)})
    model.__class__ = own
    scoring.warn_of_unknown_words(model, split)
    assert itm.search(model, split, "zebra", k=1).query == "zebra"
    assert said() == []
