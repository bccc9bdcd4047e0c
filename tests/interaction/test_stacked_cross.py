"""Stacked cross attention equals a loop over pairs, written from the paper's equations."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from itm_tutorial.errors import ItmError
from itm_tutorial.interaction import stacked_cross
from itm_tutorial.interaction.stacked_cross import pool, stacked_cross_attention

DIRECTIONS, POOLINGS = ("t2i", "i2t"), ("mean", "lse", "sum", "max", "length")


def cosine_of(a, b):
    return float(a @ b / max(float(a.norm() * b.norm()), 1e-8))


def pair(regions, words, direction, smooth, pooling, lse, rectifier):
    """One image [n_regions, dim] and one caption [n_words, dim], by the equations -> score, attention."""
    queries, keys = (words, regions) if direction == "t2i" else (regions, words)
    s = torch.tensor([[float(key @ query) for query in queries] for key in keys], dtype=regions.dtype)
    for k in range(len(keys)):  # equation 1 (9): rectified, normalised over the queries
        row = [max(v, 0.0) if rectifier == "plain" or v > 0 else 0.1 * v for v in s[k].tolist()]
        norm = math.sqrt(sum(v * v for v in row))
        s[k] = torch.tensor([v / max(norm, 1e-8) for v in row], dtype=s.dtype)
    attention, found = torch.zeros_like(s), []
    for q, query in enumerate(queries):
        weights = [math.exp(smooth * float(s[k, q])) for k in range(len(keys))]  # equation 3
        alpha = [w / sum(weights) for w in weights]
        attended = sum(a * key for a, key in zip(alpha, keys, strict=True))  # equation 2
        attention[:, q] = torch.tensor(alpha, dtype=s.dtype)
        found.append(cosine_of(query, attended))  # equation 4
    if pooling == "lse":  # equation 5
        score = math.log(sum(math.exp(lse * r) for r in found)) / lse
    elif (
        pooling == "length"
    ):  # our own: the projections of queries on their attended vectors, over the length of the sum of queries
        along = sum(float(query.norm()) * r for query, r in zip(queries, found, strict=True))
        score = along / max(float(sum(queries).norm()), 1e-8)
    else:  # equation 6
        score = {"mean": sum(found) / len(found), "sum": sum(found), "max": max(found)}[pooling]
    return score, attention if direction == "t2i" else attention.T


def looped(regions, words, lengths, **options):
    scores = torch.zeros(len(regions), len(words), dtype=regions.dtype)
    for i, image in enumerate(regions):
        for c, n in enumerate(lengths.tolist()):
            scores[i, c], _ = pair(image, words[c, :n], **options)
    return scores


def example(n_images=4, n_captions=5, n_regions=6, seq_len=7, dim=8, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    regions = normalize(torch.randn(n_images, n_regions, dim, generator=generator, dtype=dtype), dim=2)
    words = normalize(torch.randn(n_captions, seq_len, dim, generator=generator, dtype=dtype), dim=2)
    lengths = torch.randint(1, seq_len + 1, (n_captions,), generator=generator)
    lengths[0], lengths[-1] = 1, seq_len  # always includes a caption of one word
    return regions, words, lengths


OPTIONS = [
    {"direction": d, "smooth": s, "pooling": p, "lse": 6.0, "rectifier": r}
    for d, s in (("t2i", 9.0), ("i2t", 4.0))
    for p in POOLINGS
    for r in ("leaky", "plain")
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: f"{o['direction']}-{o['pooling']}-{o['rectifier']}")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_equals_the_loop(options, dtype, tolerance):
    for n_regions in (6, 1):
        regions, words, lengths = example(n_regions=n_regions, dtype=dtype)
        expected = looped(regions.double(), words.double(), lengths, **options)
        found = stacked_cross_attention(regions, words, lengths, **options)
        assert found.dtype == dtype
        assert (found.double() - expected).abs().max() < tolerance


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_vectors_need_not_be_of_length_one(direction):
    regions, words, lengths = example()
    regions, words = 3 * regions, 0.2 * words
    options = {"direction": direction, "smooth": 5.0, "pooling": "mean", "lse": 6.0, "rectifier": "leaky"}
    expected = looped(regions, words, lengths, **options)
    assert torch.allclose(stacked_cross_attention(regions, words, lengths, **options), expected, atol=1e-10)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_attention_equals_the_loop_and_sums_to_one(direction):
    regions, words, lengths = example()
    for chunk in (None, 2):
        found = stacked_cross_attention(regions, words, lengths, direction, return_attention=True, chunk=chunk)
        assert found.attention.shape == (4, 5, 6, 7)
        for i in range(4):
            for c, n in enumerate(lengths.tolist()):
                _, expected = pair(regions[i], words[c, :n], direction, 9.0, "mean", 6.0, "leaky")
                assert torch.allclose(found.attention[i, c, :, :n], expected, atol=1e-10)
                assert not found.attention[i, c, :, n:].any()
                over = 0 if direction == "t2i" else 1
                assert torch.allclose(found.attention[i, c, :, :n].sum(over), torch.ones(1, dtype=torch.float64))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("chunk", [None, 1, 2])
def test_captions_keep_their_places_whatever_their_lengths(direction, chunk):
    regions, words, _ = example()
    lengths = torch.tensor([5, 7, 1, 6, 2])
    found = stacked_cross_attention(regions, words, lengths, direction, return_attention=True, chunk=chunk)
    for c, n in enumerate(lengths.tolist()):
        alone = stacked_cross_attention(
            regions, words[c : c + 1, :n], lengths[c : c + 1], direction, return_attention=True
        )
        assert torch.allclose(found.scores[:, c], alone.scores[:, 0], atol=1e-12)
        assert torch.allclose(found.attention[:, c, :, :n], alone.attention[:, 0], atol=1e-12)
        assert not found.attention[:, c, :, n:].any()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_reads_no_padding(pooling):
    cosine = torch.rand(3, 2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False, False], [True, False, False, False, False]])
    queries = torch.rand(2, 5, 4, dtype=torch.float64).masked_fill(~mask[..., None], 0)
    expected = pool(cosine, queries, mask, pooling, 6.0)
    for value in (-7.0, 7.0):
        padded = cosine.masked_fill(~mask, value)
        assert torch.allclose(pool(padded, queries, mask, pooling, 6.0), expected, atol=1e-12)
    first = pool(cosine[:, :1, :3], queries[:1, :3], mask[:1, :3], pooling, 6.0)
    assert torch.allclose(expected[:, :1], first, atol=1e-12)


@settings(max_examples=25)
@given(
    st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4),
    st.sampled_from(OPTIONS), st.integers(0, 99),
)  # fmt: skip
def test_any_chunk_gives_the_same_matrix(n_images, n_captions, n_regions, seq_len, chunk, options, seed):
    regions, words, lengths = example(n_images, n_captions, n_regions, seq_len, seed=seed)
    whole = stacked_cross_attention(regions, words, lengths, **options, chunk=99)
    assert torch.allclose(
        stacked_cross_attention(regions, words, lengths, **options, chunk=chunk), whole, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_padding_is_not_read(direction):
    regions, words, lengths = example()
    expected = stacked_cross_attention(regions, words, lengths, direction)
    padded = torch.cat([words, torch.full((5, 3, 8), torch.nan, dtype=words.dtype)], 1)
    for c, n in enumerate(lengths.tolist()):
        padded[c, n:] = torch.nan
    padded.requires_grad_()
    found = stacked_cross_attention(regions, padded, lengths, direction)
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    found.sum().backward()
    assert torch.isfinite(padded.grad).all()


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: f"{o['direction']}-{o['pooling']}-{o['rectifier']}")
@pytest.mark.parametrize("chunk", [None, 1])
def test_gradients(options, chunk):
    regions, words, lengths = example(2, 2, 3, 3, 4)
    regions.requires_grad_()
    words.requires_grad_()
    call = lambda r, w: stacked_cross_attention(r, w, lengths, **options, chunk=chunk)  # noqa: E731
    assert torch.autograd.gradcheck(call, (regions, words))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_zero_vectors_give_no_nan(direction, pooling):
    regions, words, lengths = torch.zeros(2, 3, 4), torch.zeros(2, 5, 4), torch.tensor([5, 1])
    regions.requires_grad_()
    words.requires_grad_()
    scores = stacked_cross_attention(regions, words, lengths, direction, pooling=pooling)
    scores.sum().backward()
    assert all(torch.isfinite(t).all() for t in (scores, regions.grad, words.grad))


def test_a_constant_temperature_of_zero_attends_uniformly():
    regions, words, lengths = example()
    attention = stacked_cross_attention(regions, words, lengths, smooth=0.0, return_attention=True).attention
    assert torch.allclose(attention[:, -1], torch.full_like(attention[:, -1], 1 / 6))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_pooled_by_length_what_attends_uniformly_is_the_cosine_of_the_means(direction):
    regions, words, lengths = own_lengths()
    found = stacked_cross_attention(regions, words, lengths, direction, smooth=0.0, pooling="length")
    for caption, n in enumerate(lengths.tolist()):
        for image in range(len(regions)):
            expected = cosine_of(regions[image].mean(0), words[caption, :n].mean(0))
            assert float(found[image, caption]) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: f"{o['direction']}-{o['pooling']}-{o['rectifier']}")
def test_vectors_of_any_length_equal_the_loop(options):
    regions, words, lengths = own_lengths()
    found = stacked_cross_attention(regions, words, lengths, **options)
    assert torch.allclose(found, looped(regions, words, lengths, **options), rtol=0, atol=1e-9)


def own_lengths():
    regions, words, lengths = example()
    generator = torch.Generator().manual_seed(1)
    regions, words = (x * torch.rand(*x.shape[:2], 1, generator=generator, dtype=x.dtype) * 3 for x in (regions, words))
    return regions, words, lengths


def test_lse_favours_long_captions_by_the_logarithm_of_their_length():
    regions, words, _ = example(seq_len=9)
    words = words[:, :1].expand(-1, 9, -1)  # nine times the same word
    one, nine = (
        stacked_cross_attention(regions, words, torch.full((5,), n), smooth=0.0, pooling="lse", lse=6.0) for n in (1, 9)
    )
    assert torch.allclose(nine - one, torch.tensor(math.log(9) / 6, dtype=torch.float64))


def test_large_runs_are_tiled(monkeypatch):
    regions, words, lengths = example()
    whole = stacked_cross_attention(regions, words, lengths)
    monkeypatch.setattr(stacked_cross, "TILE", 1)
    monkeypatch.setattr(stacked_cross, "KEPT", 1)
    with torch.no_grad():
        assert torch.allclose(stacked_cross_attention(regions, words, lengths), whole)
    assert torch.allclose(stacked_cross_attention(regions, words, lengths), whole)


def test_nothing_to_score_is_an_empty_matrix():
    regions, words, lengths = example()
    assert stacked_cross_attention(regions[:0], words, lengths).shape == (0, 5)
    assert stacked_cross_attention(regions, words[:0], lengths[:0]).shape == (4, 0)
    assert stacked_cross_attention(regions, words[:0], lengths[:0], "i2t").shape == (4, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"direction": "t-i"}, "direction"),
        ({"pooling": "avg"}, "pooling"),
        ({"rectifier": "relu"}, "rectifier"),
        ({"lengths": torch.tensor([1, 2])}, "one number per caption"),
        ({"lengths": torch.tensor([0, 1, 1, 1, 1])}, "lengths go from 0"),
        ({"lengths": torch.tensor([1, 1, 1, 1, 8])}, "to 8"),
        ({"regions": torch.zeros(4, 8)}, "give \\[n_images"),
        ({"regions": torch.zeros(4, 3, 9)}, "with the same dim"),
        ({"regions": torch.zeros(4, 0, 8)}, "at least one region"),
        ({"chunk": 0}, "chunk is 0"),
    ],
)
def test_bad_input(change, message):
    regions, words, lengths = example(dtype=torch.float32)
    with pytest.raises(ItmError, match=message):
        stacked_cross_attention(**{"regions": regions, "words": words, "lengths": lengths, **change})
