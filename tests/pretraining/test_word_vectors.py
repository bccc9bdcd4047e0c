"""Skip-gram: loss, pairs and negatives compared with loops and frequencies; a toy language is learned."""

import math
from collections import Counter
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.pretraining.word_vectors import (
    LONGEST,
    NOTHING,
    draw_negatives,
    keep_probability,
    noise_distribution,
    number_words,
    skip_gram_loss,
    thin_out,
    train_skip_gram,
    window_pairs,
)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_loss_and_gradient_equal_a_loop_over_pairs():
    torch.manual_seed(0)
    centre, context, noise = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 2, 3)
    centre, context, noise = (t.double().requires_grad_() for t in (centre, context, noise))
    loss = skip_gram_loss(centre, context, noise)
    loss.backward()
    total = 0
    for c, o, drawn, d_centre in zip(*(t.tolist() for t in (centre, context, noise, centre.grad)), strict=True):
        total -= math.log(sigmoid(dot(o, c))) + sum(math.log(sigmoid(-dot(n, c))) for n in drawn)
        by_hand = [(sigmoid(dot(o, c)) - 1) * o[i] + sum(sigmoid(dot(n, c)) * n[i] for n in drawn) for i in range(3)]
        assert d_centre == pytest.approx([g / 4 for g in by_hand])
    assert loss.item() == pytest.approx(total / 4)


def padded(sentences):
    seq_len = max(1, *map(len, sentences)) if len(sentences) > 1 else max(1, len(sentences[0]))
    return torch.tensor([s + [NOTHING] * (seq_len - len(s)) for s in sentences], dtype=torch.int64)


@given(st.lists(st.lists(st.integers(0, 5), max_size=7), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_pairs_equal_a_loop_with_the_same_windows(sentences, rng):
    ids = padded(sentences)
    windows = torch.tensor([[rng.randint(1, 4) for _ in row] for row in ids.tolist()], dtype=torch.int64).view_as(ids)
    expected = []
    for sentence, reach in zip(sentences, windows.tolist(), strict=True):
        for i, word in enumerate(sentence):
            around = range(max(0, i - reach[i]), min(len(sentence), i + reach[i] + 1))
            expected += [(word, sentence[j]) for j in around if j != i]
    centre, context = window_pairs(ids, windows)
    assert list(zip(centre.tolist(), context.tolist(), strict=True)) == expected


def test_negatives_are_drawn_by_count_to_the_power_three_quarters():
    torch.manual_seed(0)
    counts = torch.tensor([10_000, 1_000, 100, 16, 1])
    drawn = draw_negatives(noise_distribution(counts), 40_000, 5)
    assert drawn.shape == (40_000, 5)
    raised = [n**0.75 for n in counts.tolist()]
    for word, n in Counter(drawn.flatten().tolist()).items():
        p = raised[word] / sum(raised)
        assert abs(n - 200_000 * p) < 5 * math.sqrt(200_000 * p * (1 - p))


def test_frequent_words_are_subsampled_and_the_rest_moves_together():
    torch.manual_seed(0)
    counts = torch.tensor([9_000, 990, 10])
    keep = keep_probability(counts, 1e-2)
    assert keep.tolist() == pytest.approx([math.sqrt(1e-2 / 0.9), math.sqrt(1e-2 / 0.099), 1.0])
    ids = padded([[0, 2, 0, 1], [2, 0]]).repeat(5_000, 1)
    thinned = thin_out(ids, keep)
    for word, p in enumerate(keep.tolist()):
        n = int((ids == word).sum())
        assert abs(int((thinned == word).sum()) - n * p) <= 5 * math.sqrt(n * p * (1 - p))
    there = thinned != NOTHING
    assert (there[:, :-1] | ~there[:, 1:]).all()  # no gap
    assert Counter(map(tuple, thinned[::2].tolist())).keys() <= {
        tuple(row + [NOTHING] * (4 - len(row)))
        for row in ([2], [0, 2], [2, 0], [2, 1], [0, 2, 0], [0, 2, 1], [2, 0, 1], [0, 2, 0, 1])
    }
    assert torch.equal(thin_out(ids, keep_probability(counts, 0)), ids)


def test_words_are_numbered_by_their_count():
    words, counts, ids = number_words([["b", "a", "rare", "a"], [], ["b", "a"]], min_count=2)
    assert (words, counts.tolist()) == (["a", "b"], [3, 2])
    assert ids.tolist() == [[1, 0, 0], [1, 0, NOTHING]]
    _, _, cut = number_words([["a", "b"] * LONGEST, ["a"]], min_count=1)
    assert cut.shape == (3, LONGEST)


def toy(n):
    """Three families of four words; the words of a family have the same neighbours."""
    rng = Random(0)
    for _ in range(n):
        family, word = rng.randrange(3), rng.randrange(4)
        yield ["the", f"w{family}{word}", f"does{family}{rng.randrange(3)}", "it", f"where{rng.randrange(5)}"]


def test_a_toy_language_is_learned_and_leaves_the_callers_randomness_alone():
    sentences, words = list(toy(2_000)), [f"w{family}{word}" for family in range(3) for word in range(4)]
    state = torch.random.get_rng_state()
    with torch.inference_mode():
        result = train_skip_gram(
            sentences, dim=16, epochs=4, subsample=0, learning_rate=0.05, batch_size=2048, snapshots=(0, 0.5, 1)
        )
    assert torch.equal(torch.random.get_rng_state(), state)

    def n_correct(vectors):
        return sum(vectors.nearest(word, 1, words)[0][0][1] == word[1] for word in words)

    assert n_correct(result.vectors) == 12
    assert sorted(result.snapshots) == [0, 0.5, 1]
    assert n_correct(result.snapshots[0]) < 12
    assert result.snapshots[0].vectors.abs().max() <= 0.5 / 16
    assert torch.equal(result.snapshots[1].vectors, result.vectors.vectors)
    assert result.losses[0] == pytest.approx(6 * math.log(2), rel=1e-4)
    assert result.losses[-1] < 0.7 * result.losses[0]
    assert result.vectors.words[:2] == ["it", "the"]


def test_the_same_seed_gives_the_same_vectors():
    sentences = list(toy(500))
    one, same, other = (train_skip_gram(sentences, dim=8, epochs=1, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.vectors.vectors, same.vectors.vectors)
    assert one.losses == same.losses
    assert not torch.equal(one.vectors.vectors, other.vectors.vectors)


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        ([["a", "b"] * 9], {"dim": 0}, "dim is 0"),
        ([["a", "b"] * 9], {"window": 2.5}, "window is 2.5"),
        ([["a", "b"] * 9], {"epochs": -1}, "epochs is -1"),
        ([["a", "b"] * 9], {"subsample": -1.0}, "subsample is -1.0"),
        ([["a", "b"] * 9], {"learning_rate": 0.0}, "learning_rate 0.0"),
        ([["a", "b"] * 9], {"snapshots": (2,)}, "fractions of the run"),
        ([["a", "b"]], {}, "occur 5 times"),
        ([], {}, "occur 5 times"),
        ([["a"], "a b"], {}, "number 1 is a string"),
        ([["a"], ["b"]] * 5, {}, "no word has a neighbour"),
    ],
)
def test_bad_input_is_refused_with_a_clear_message(sentences, options, message):
    with pytest.raises(ItmError, match=message):
        train_skip_gram(sentences, **options)


@pytest.mark.slow
def test_the_worlds_word_vectors_reflect_the_families_and_are_trained_once(cache, monkeypatch):
    import itm_tutorial as itm
    from itm_tutorial.worlds.scenes.kinds import KINDS

    words = itm.world_words()
    nearest = {name: words.nearest(name, 1, among=KINDS)[0][0] for name in KINDS}
    assert sum(KINDS[name].family == KINDS[other].family for name, other in nearest.items()) >= 0.85 * len(KINDS)
    monkeypatch.setattr("itm_tutorial.pretraining.word_vectors.train_skip_gram", None)
    again = itm.world_words()
    assert again.words == words.words and torch.equal(again.vectors, words.vectors)
