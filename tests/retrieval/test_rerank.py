"""Reranking: only shortlists are scored again, the rest stays below in its order, and the report is a true bound."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.retrieval import rerank as module

quick = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
REGIONS = {"vsepp": 0, "scan": 3}


def made_up(split, seed=3, decimals=1):
    """Cheap scores with many ties."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(split.images), len(split.captions), generator=generator).mul(10**decimals).round() / 10


def pairs_of(scores, k, direction):
    """The oracle's shortlists: a set of (image, caption), from sorts in Python; equal items in their order."""
    pairs = set()
    n_images, n_captions = scores.shape
    if direction in ("t2i", "both"):
        for c in range(n_captions):
            column = scores[:, c].tolist()
            pairs |= {(i, c) for i in sorted(range(n_images), key=lambda i: (-column[i], i))[:k]}
    if direction in ("i2t", "both"):
        for i in range(n_images):
            row = scores[i].tolist()
            pairs |= {(i, c) for c in sorted(range(n_captions), key=lambda c: (-row[c], c))[:k]}
    return pairs


def check(new, cheap, expensive, pairs):
    """What the docstring promises, pair by pair."""
    chosen = torch.zeros(cheap.shape, dtype=torch.bool)
    for image, caption in pairs:
        chosen[image, caption] = True
    assert torch.allclose(new[chosen], expensive[chosen], atol=1e-5)
    assert bool(new.isfinite().all())
    below, before = new[~chosen], cheap[~chosen]
    if len(below):
        assert below.max() < new[chosen].min()
        order = before.argsort()
        assert bool((below[order].diff() >= 0).all())  # none overtakes another
        assert torch.equal(below[order].diff() == 0, before[order].diff() == 0)  # ties stay, and no new ones


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("direction", ["t2i", "i2t", "both"])
def test_a_shortlist_of_all_gives_the_models_own_scores(name, direction, make_model, make_split):
    model, split = make_model(name), make_split(regions=REGIONS[name])
    expensive = itm.score(model, split)
    n = {"t2i": 11, "i2t": 23, "both": 23}[direction]
    scores, report = itm.rerank(model, split, made_up(split), n, direction)
    assert scores.dtype == torch.float32 and torch.allclose(scores, expensive, atol=1e-5)
    assert report.n_scored == report.n_pairs == 253
    assert all(ceiling[n] == 100 for ceiling in report.ceiling.values())
    with pytest.raises(ItmError, match=f"k is {n + 1}; give 1 to {n}"):
        itm.rerank(model, split, made_up(split), n + 1, direction)


@given(seed=st.integers(0, 1_000), k=st.integers(1, 11), direction=st.sampled_from(["t2i", "i2t", "both"]))
@quick
def test_only_the_pairs_of_the_shortlists_are_scored_again(seed, k, direction, make_model, make_split):
    model, split = make_model("vsepp"), make_split(seed=seed)
    expensive, cheap = itm.score(model, split), made_up(split, seed)
    before = cheap.clone()
    scores, report = itm.rerank(model, split, cheap, k, direction)
    pairs = pairs_of(cheap, k, direction)
    check(scores, cheap, expensive, pairs)
    assert torch.equal(cheap, before)
    assert (report.direction, report.k, report.n_scored, report.n_pairs) == (direction, k, len(pairs), 253)


@pytest.mark.parametrize("k", [1, 4])
def test_a_network_scores_k_pairs_per_query_and_no_more(k, make_model, make_split, counted, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 7)  # captions in four chunks, images in two
    model, split = make_model("scan"), make_split(regions=3)
    expensive, cheap = itm.score(model, split), made_up(split)
    asked, images, captions = (counted(model, m) for m in ("similarity", "encode_images", "encode_captions"))
    scores, report = itm.rerank(model, split, cheap, k, "t2i")
    assert asked == [(k, 1)] * 23 and report.n_scored == 23 * k
    assert (sorted(images), sorted(captions)) == ([4, 7], [2, 7, 7, 7])  # and nothing is encoded twice
    check(scores, cheap, expensive, pairs_of(cheap, k, "t2i"))
    asked.clear()
    itm.rerank(model, split, cheap, k, "i2t")
    assert sum(n * m for n, m in asked) == 11 * k
    asked.clear()
    _, report = itm.rerank(model, split, cheap, k)
    assert sum(n * m for n, m in asked) == report.n_scored == len(pairs_of(cheap, k, "both"))


def test_a_pair_similarity_takes_the_place_of_many_calls(make_model, make_split, counted, monkeypatch):
    model, split = make_model("vsepp"), make_split()
    expensive, cheap = itm.score(model, split), made_up(split)
    model.similarity = None
    model.pair_similarity = lambda image_emb, caption_emb: (image_emb * caption_emb).sum(1)
    asked = counted(model, "pair_similarity")
    for direction in ("t2i", "both"):
        asked.clear()
        scores, report = itm.rerank(model, split, cheap, 3, direction)
        check(scores, cheap, expensive, pairs_of(cheap, 3, direction))
        assert asked == [(report.n_scored,)]
    asked.clear()
    monkeypatch.setattr(module, "TILE_BYTES", 5 * (2 * 4 * 6 + 4))  # five pairs of embeddings and their scores
    assert torch.allclose(
        itm.rerank(model, split, cheap, 3, "t2i").scores, itm.rerank(model, split, cheap, 3, "t2i")[0]
    )
    assert asked[:14] == [(5,)] * 13 + [(4,)]


def test_a_caption_with_many_images_is_scored_in_parts(make_model, make_split, counted, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 4)
    model, split = make_model("scan"), make_split(regions=3)
    asked = counted(model, "similarity")
    scores, _ = itm.rerank(model, split, made_up(split), 10, "t2i")
    assert asked == [(4, 1), (4, 1), (2, 1)] * 23
    check(scores, made_up(split), itm.score(model, split), pairs_of(made_up(split), 10, "t2i"))


def test_equal_scores_are_shortlisted_in_the_order_of_the_split(make_model, make_split):
    model, split = make_model("vsepp"), make_split()
    cheap = torch.zeros(11, 23)
    scores, report = itm.rerank(model, split, cheap, 4, "t2i")
    assert bool((scores[4:] == scores[4, 0]).all()) and scores[4, 0] < scores[:4].min()
    assert torch.allclose(scores[:4], itm.score(model, split)[:4], atol=1e-5)
    among = [100 * (split.image_of < k).double().mean().item() for k in (1, 4)]
    assert report.ceiling == {"t2i": {1: pytest.approx(among[0]), 4: pytest.approx(among[1])}}


@pytest.mark.parametrize("shift", [-1e8, -1e4, 0.0, 1e4, 1e8])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_rest_lies_below_whatever_the_size_of_the_scores(shift, scale, make_model, make_split):
    model, split, inner = make_model("vsepp"), make_split(), make_model("vsepp").similarity
    model.similarity = lambda image_emb, caption_emb: inner(image_emb, caption_emb) + shift
    cheap = scale * made_up(split)
    scores, _ = itm.rerank(model, split, cheap, 3)
    chosen = torch.zeros(11, 23, dtype=torch.bool)
    for image, caption in pairs_of(cheap, 3, "both"):
        chosen[image, caption] = True
    assert bool(scores.isfinite().all()) and scores[~chosen].max() < scores[chosen].min()
    assert bool((scores[~chosen][cheap[~chosen].argsort()].diff() >= 0).all())
    itm.evaluate(scores, split.image_of)  # takes them


# ---- the report


def perfect(split, identity=None):
    """An expensive model that knows the pairing: 1 for a positive, 0 else."""
    of_image = torch.arange(len(split.images)) if identity is None else identity
    return (of_image[:, None] == of_image[split.image_of][None, :]).float()


def recall(scores, split, k, direction, identity=None):
    """Percent of the queries with a positive among the first k, equal items in their order; a loop."""
    of_image = list(range(len(split.images))) if identity is None else identity.tolist()
    of_caption = [of_image[i] for i in split.image_of.tolist()]
    queries, of_query, of_item = (
        (scores.T, of_caption, of_image) if direction == "t2i" else (scores, of_image, of_caption)
    )
    hits = []
    for query, right in zip(queries.tolist(), of_query, strict=True):
        if right in of_item:
            first = sorted(range(len(query)), key=lambda item: (-query[item], item))[:k]
            hits.append(any(of_item[item] == right for item in first))
    return 100 * sum(hits) / len(hits)


@pytest.mark.parametrize("identity", [None, torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 4, 4, 5])])
@given(seed=st.integers(0, 1_000), k=st.integers(1, 11))
@quick
def test_the_ceiling_is_what_a_perfect_model_reaches(identity, seed, k, make_model, make_split):
    model, split = make_model("vsepp"), make_split(seed=seed, identity=identity)
    cheap = made_up(split, seed)
    for direction in ("t2i", "i2t"):
        _, report = itm.rerank(model, split, cheap, k, direction)
        lengths = [length for length in (1, 5, 10) if length < k] + [k]
        assert list(report.ceiling) == [direction] and list(report.ceiling[direction]) == lengths
        for length in lengths:
            expected = recall(cheap, split, length, direction, identity)
            assert report.ceiling[direction][length] == pytest.approx(expected)
        pairs = pairs_of(cheap, k, direction)
        best = torch.tensor(
            [[perfect(split, identity)[i, c] if (i, c) in pairs else -1.0 for c in range(23)] for i in range(11)]
        )
        assert recall(best, split, 1, direction, identity) <= report.ceiling[direction][k] + 1e-9
        assert recall(best, split, k, direction, identity) == pytest.approx(report.ceiling[direction][k])


@given(seed=st.integers(0, 1_000), k=st.integers(1, 5))
@quick
def test_both_directions_allow_at_least_what_each_allows(seed, k, make_model, make_split):
    model, split = make_model("vsepp"), make_split(seed=seed)
    cheap = made_up(split, seed)
    both = itm.rerank(model, split, cheap, k).report.ceiling
    pairs = pairs_of(cheap, k, "both")
    found = [pair for pair in pairs if int(split.image_of[pair[1]]) == pair[0]]
    assert both["t2i"][k] == pytest.approx(100 * len({c for _, c in found}) / 23)
    n_asked = len(split.image_of.unique())  # images with a caption
    assert both["i2t"][k] == pytest.approx(100 * len({i for i, _ in found}) / n_asked)
    for direction in ("t2i", "i2t"):
        assert both[direction][k] >= itm.rerank(model, split, cheap, k, direction).report.ceiling[direction][k]


def test_the_report_can_be_read(make_model, make_split):
    split = make_split(image_of=torch.arange(23) % 10)  # the last image has no caption
    cheap = 0.5 * perfect(split)
    report = itm.rerank(make_model("vsepp"), split, cheap, 6, "i2t").report
    assert repr(report).splitlines() == [
        "shortlist of 6: 66 of 253 pairs scored (26.1 %)",
        "image to captions: a shortlist allows a recall of 100.0 at 1, 100.0 at 5, 100.0 at 6",
    ]
    assert repr(itm.rerank(make_model("vsepp"), split, -cheap, 6).report).count("\n") == 2


# ---- the rest


def test_the_mode_is_as_before_and_dropout_off(make_model, make_split):
    model, split = make_model("vsepp", dropout=0.5), make_split()
    expensive = itm.score(model, split)
    assert torch.allclose(itm.rerank(model, split, made_up(split), 23).scores, expensive, atol=1e-6)
    assert model.training

    def broken(image_emb, caption_emb):
        raise ItmError("stop")

    model.similarity = broken
    with pytest.raises(ItmError, match="stop"):
        itm.rerank(model, split, made_up(split), 2)
    assert model.training


def test_a_person_is_told_what_the_shortlists_cost(make_model, make_split, monkeypatch, capsys):
    monkeypatch.setenv("ITM_PROGRESS", "1")
    monkeypatch.setattr("itm_tutorial.retrieval.scoring.ENOUGH", 0.0)
    monkeypatch.setattr("itm_tutorial.retrieval.scoring.LONG", 0.0)
    itm.rerank(make_model("scan"), make_split(regions=2), made_up(make_split()), 2, "t2i")
    assert "scan runs a network for each of 46 pairs" in capsys.readouterr().err


def test_what_does_not_fit_is_refused(make_model, make_split):
    model, split = make_model("vsepp"), make_split()
    cheap = made_up(split)
    for wrong in (cheap.T, cheap[:, 1:], cheap[0], cheap.long(), cheap.tolist()):
        with pytest.raises(ItmError, match=r"scores is .*; give a floating tensor \[11, 23\]"):
            itm.rerank(model, split, wrong, 2)
    for bad in (float("nan"), float("inf"), float("-inf")):
        scores = cheap.clone()
        scores[4, 20] = bad
        with pytest.raises(ItmError, match=f"scores: {bad} for image 4, caption 20"):
            itm.rerank(model, split, scores, 2)
    for k in (0, -1):
        with pytest.raises(ItmError, match=f"k is {k}; give 1 to 23"):
            itm.rerank(model, split, cheap, k)
    with pytest.raises(ItmError, match="unknown direction 'i2i': did you mean"):
        itm.rerank(model, split, cheap, 2, "i2i")
    model.similarity = lambda image_emb, caption_emb: torch.full((len(image_emb), len(caption_emb)), float("nan"))
    with pytest.raises(ItmError, match=r"scores of the expensive model: nan for image \d+, caption \d+"):
        itm.rerank(model, split, cheap, 2)
