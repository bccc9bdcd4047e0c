"""Writing captions: greedy, beam and sample against exhaustive search and a loop over images and words."""

import math
from collections import Counter
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.data.text import SPECIAL, Vocabulary
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Matching
from itm_tutorial.models._writer import Writer
from itm_tutorial.retrieval import writing
from itm_tutorial.retrieval.writing import word_log_probabilities, write_beams, write_captions

FIRST = len(SPECIAL)


class Table(Writer, Matching):
    """A stand-in that writes by a random table: the logits depend on the image, on the last two words and on t.

    Args:
        n_words: words that it can write.
        seed: of the table.
        sharp: larger means less uniform; 0 makes all words equally likely.
    """

    def __init__(self, n_words=3, seed=0, sharp=1.5):
        super().__init__(Vocabulary([chr(97 + n) for n in range(n_words)]), None)
        generator = torch.Generator().manual_seed(seed)
        size = len(self.vocabulary)
        self.pair = torch.nn.Parameter(sharp * torch.randn(size, size, size - 2, generator=generator))
        self.of_image = torch.nn.Parameter(sharp * torch.randn(4, size - 2, generator=generator))
        self.of_time = torch.nn.Parameter(sharp * torch.randn(40, size - 2, generator=generator))
        self.image_encoder = torch.nn.Identity()
        self.sizes, self.modes = [], []

    def next_tokens(self, image_emb, prefixes):
        self.sizes.append(len(prefixes))
        self.modes.append(self.training)
        before = torch.cat([torch.zeros(len(prefixes), 2, dtype=torch.long), prefixes], 1)
        logits = self.pair[before[:, -2], before[:, -1]] + image_emb @ self.of_image + self.of_time[prefixes.shape[1]]
        return logits.log_softmax(-1)


def images(n=5, seed=3):
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))


def scalar_log_p(model, image, words):
    """log p of each next word and of stop after some words, as a dictionary of floats; stop is None."""
    with torch.no_grad():
        row = model.next_words(image[None], torch.tensor([words], dtype=torch.long).reshape(1, len(words)))[0]
    return {word: float(row[word]) for word in range(FIRST, len(model.vocabulary))} | {None: float(row[-1])}


def every_caption(model, image, max_len):
    """All captions of 1 to max_len words with their log P, by a loop; the best first, equal ones by their ids."""
    found = []
    for n in range(1, max_len + 1):
        for words in product(range(FIRST, len(model.vocabulary)), repeat=n):
            total = sum(scalar_log_p(model, image, words[:t])[word] for t, word in enumerate(words))
            found.append((total + scalar_log_p(model, image, words)[None], words))
    return sorted(found, key=lambda pair: -pair[0])


def greedy_by_loop(model, image, max_len):
    words, total = [], 0.0
    for t in range(max_len + 1):
        log_p = scalar_log_p(model, image, words)
        options = [None] if t == max_len else [w for w in log_p if w is not None or t > 0]
        best = max(options, key=lambda word: log_p[word])
        total += log_p[best]
        if best is None:
            return words, total
        words.append(best)


def text(model, words):
    return " ".join(model.vocabulary.words[word] for word in words)


@pytest.mark.parametrize(("n_words", "max_len"), [(2, 3), (3, 3), (1, 4)])
def test_a_wide_beam_is_exhaustive_search(n_words, max_len):
    for seed in range(4):
        model, some = Table(n_words, seed), images(3, seed)
        wide = 1 + sum(n_words**n for n in range(1, max_len + 2))
        for image, found in zip(some, write_beams(model, some, wide, max_len), strict=True):
            expected = every_caption(model, image, max_len)
            assert len(found) == len(expected)
            assert [one.text for one in found] == [text(model, words) for _, words in expected]
            assert [one.log_p for one in found] == pytest.approx([total for total, _ in expected], abs=1e-5)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 6))
def test_greedy_is_a_beam_of_one_and_a_temperature_of_nothing(seed, n_words, max_len):
    model, some = Table(n_words, seed), images(4, seed)
    greedy = write_captions(model, some, max_len=max_len)
    for image, found in zip(some, greedy, strict=True):
        words, total = greedy_by_loop(model, image, max_len)
        assert found.text == text(model, words) and found.log_p == pytest.approx(total, abs=1e-5)
    assert write_captions(model, some, "beam", width=1, max_len=max_len) == greedy
    for cold in (0.0, 1e-6):
        assert write_captions(model, some, "sample", temperature=cold, max_len=max_len, seed=seed) == greedy


def test_a_beam_finds_a_caption_that_greedy_misses():
    """The likeliest first word leads nowhere: 0.6 x 0.3 x ..., while the other one goes on with certainty."""
    model = Table(2)
    a, b = FIRST, FIRST + 1
    table = {(): {a: 0.6, b: 0.4}, (a,): {a: 0.35, b: 0.35, None: 0.3}, (b,): {None: 1.0}}

    def next_words(image_emb, prefixes):
        rows = torch.full((len(prefixes), len(model.vocabulary) + 1), -math.inf)
        for row, prefix in zip(rows, prefixes.tolist(), strict=True):
            for word, p in table.get(tuple(prefix), {None: 1.0}).items():
                row[-1 if word is None else word] = math.log(p)
        return rows

    model.next_words = next_words
    greedy, (first, second) = write_captions(model, images(1))[0], write_beams(model, images(1), 2)[0]
    assert (greedy.text, greedy.log_p) == ("a a", pytest.approx(math.log(0.6 * 0.35)))
    assert (first.text, first.log_p) == ("b", pytest.approx(math.log(0.4)))  # kept although it stopped first
    assert second.text == "a a" and second.log_p == greedy.log_p  # "a b" is as likely: the smaller id is taken
    assert write_captions(model, images(1), "beam", width=2)[0] == first


def test_equal_probabilities_give_the_smaller_id_and_stop_last():
    model = Table(3, sharp=0.0)
    assert write_captions(model, images(2), max_len=3)[0].text == "a a a"  # stop is as likely, but last
    beam = [one.text for one in write_beams(model, images(2), 3, max_len=2)[1]]
    assert beam == ["a a", "a b", "a c"]  # the first beginning's options come first, its stop after them
    assert write_beams(model, images(2), 3, max_len=2) == write_beams(model, images(2), 3, max_len=2)


@pytest.mark.parametrize("method", writing.METHODS)
def test_a_caption_does_not_depend_on_the_other_images_or_on_the_chunk(method, monkeypatch):
    model, some = Table(4, sharp=0.7), images(6)
    together = write_captions(model, some, method, width=3)
    if method == "sample":
        assert write_captions(model, some[:2], method) == together[:2]
    else:
        assert [write_captions(model, image[None], method, width=3)[0] for image in some] == together
    monkeypatch.setattr(writing, "MOST", 1)  # one image at a time
    assert write_captions(model, some, method, width=3) == together


def test_log_p_is_the_models_own_whatever_the_temperature():
    model, some = Table(4, sharp=0.7), images(5)
    for temperature in (0.3, 1.0, 3.0):
        found = write_captions(model, some, "sample", temperature=temperature, seed=2, max_len=5)
        words = word_log_probabilities(model, some, [one.text for one in found])
        assert [sum(p for _, p in row) for row in words] == pytest.approx([one.log_p for one in found], abs=1e-5)
        assert [" ".join(w for w, _ in row[:-1]) for row in words] == [one.text for one in found]
        assert {row[-1][0] for row in words} == {"<end>"}
    cold, hot = (
        sum(one.log_p for one in write_captions(model, images(200), "sample", temperature=t)) for t in (0.5, 2.0)
    )
    assert cold > hot


def test_samples_follow_the_tempered_probabilities():
    model, n, temperature = Table(3, seed=1), 4000, 1.7
    same = images(1).expand(n, -1)
    counts = Counter(one.text.split()[0] for one in write_captions(model, same, "sample", temperature=temperature))
    log_p = scalar_log_p(model, same[0], [])
    weights = {model.vocabulary.words[w]: math.exp(p / temperature) for w, p in log_p.items() if w is not None}
    for word, weight in weights.items():  # five standard errors
        p = weight / sum(weights.values())
        assert abs(counts[word] / n - p) < 5 * math.sqrt(p * (1 - p) / n)


def test_sampling_is_repeatable_and_leaves_the_callers_random_numbers():
    model, some = Table(4, sharp=0.5), images(8)
    before = torch.random.get_rng_state()
    first = write_captions(model, some, "sample", seed=5)
    assert first == write_captions(model, some, "sample", seed=5) != write_captions(model, some, "sample", seed=6)
    assert torch.equal(before, torch.random.get_rng_state())


def test_no_loop_over_images_and_no_work_for_captions_that_have_stopped():
    model, some = Table(3, sharp=0.7), images(50)
    model.train()
    found = write_captions(model, some, max_len=6)
    lengths = [len(one.text.split()) for one in found]
    assert max(lengths) <= 6 and model.training and not any(model.modes)
    assert model.sizes == [sum(length >= t for length in lengths) for t in range(max(lengths) + 1)]
    model.sizes.clear()
    write_beams(model, some, 3, max_len=6)
    assert len(model.sizes) <= 7 and model.sizes[0] == 50


@pytest.mark.parametrize("name", ["nic", "m_rnn"])
def test_a_published_model_writes_and_ranks_by_the_same_log_p(name, tiny, cheap_features, monkeypatch):
    monkeypatch.setattr(writing, "split_features", cheap_features)
    model = itm.create_model(name, tiny, word_dim=8)
    for method in writing.METHODS:
        found = itm.write_captions(model, tiny.val, method, width=2, max_len=5)
        assert len(found) == len(tiny.val.images)
        scores = itm.score(model, tiny.val, captions=[one.text for one in found[:6]])
        assert scores[:6].diagonal().tolist() == pytest.approx([one.log_p for one in found[:6]], abs=1e-4)


def test_what_cannot_be_done_is_refused(tiny):
    with pytest.raises(ItmError, match="bow cannot write captions: take a model that does, such as 'nic'"):
        itm.write_captions(itm.create_model("bow", tiny), images())
    model = Table()
    for wrong in ({"method": "gready"}, {"width": 0}, {"max_len": 0}, {"temperature": -1.0}, {"seed": 0.5}):
        with pytest.raises(ItmError, match=f"write_captions: {next(iter(wrong))} is"):
            write_captions(model, images(), **wrong)
    with pytest.raises(ItmError, match="caption 1 has a word that the model does not know \\('z'\\)"):
        word_log_probabilities(model, images(2), ["a b", "a z"])
    with pytest.raises(ItmError, match="5 images and 2 captions"):
        word_log_probabilities(model, images(5), ["a", "b"])
    model.pair.data[0, 0, 0] = math.nan
    with pytest.raises(ItmError, match="gives NaN"):
        write_captions(model, images())
