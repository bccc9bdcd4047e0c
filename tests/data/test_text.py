"""The vocabulary: a stable order, a round trip, and no word from elsewhere."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.errors import ItmError

WORDS = st.lists(
    st.text("abcdeé'x", min_size=1, max_size=6).filter(lambda w: tokenize(w) == [w]), min_size=1, max_size=8
)


@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_encode_then_decode_gives_the_caption_back(tmp_path, captions):
    vocabulary = Vocabulary.from_captions(captions)
    tokens = vocabulary.encode(captions)
    assert [vocabulary.decode(row) for row in tokens.ids] == captions
    assert tokens.lengths.tolist() == [len(tokenize(caption)) + 2 for caption in captions]
    vocabulary.save(tmp_path / "v.json")
    assert Vocabulary.load(tmp_path / "v.json") == vocabulary == Vocabulary.from_captions(reversed(captions))


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A Dog on GRASS", ["a", "dog", "on", "grass"]),
        ("ÉTÉ in Paris", ["été", "in", "paris"]),
        ("The dog's toy isn't here.", ["the", "dog's", "toy", "isn't", "here"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("'quoted' dogs' 'n", ["quoted", "dogs", "n"]),
        ("red-brown, 2 dogs_and a cat!", ["red", "brown", "2", "dogs", "and", "a", "cat"]),
    ],
)
def test_a_caption_becomes_lower_case_words_with_their_apostrophes(caption, words):
    assert tokenize(caption) == words


def test_capitals_make_no_words_of_their_own():
    vocabulary = Vocabulary.from_captions(["A dog", "a DOG"], min_count=2)
    assert vocabulary.words[4:] == ["a", "dog"]
    assert vocabulary.encode(["DoG A"]).ids.tolist() == [[1, 5, 4, 2]]


def test_words_stand_in_the_order_of_their_frequency_then_of_the_alphabet():
    vocabulary = Vocabulary.from_captions(["b b b c a", "c a d", "b c z"])
    assert vocabulary.words == ["<pad>", "<start>", "<end>", "<unk>", "b", "c", "a", "d", "z"]


def test_rare_and_unseen_words_are_unknown():
    vocabulary = Vocabulary.from_captions(["a dog", "a cat"], min_count=2)
    assert vocabulary.words[4:] == ["a"]
    assert vocabulary.encode(["a wolf"]).ids.tolist() == [[1, 4, 3, 2]]


def test_an_empty_caption_is_named():
    with pytest.raises(ItmError, match="caption 1"):
        Vocabulary(["a"]).encode(["a", " . "])


def test_some_captions_are_cut_to_the_longest_of_them():
    tokens = Vocabulary(["a", "dog"]).encode(["a dog a dog", "a", "dog a"])
    some = tokens[torch.tensor([2, 1])]
    assert some.ids.tolist() == [[1, 5, 4, 2], [1, 4, 2, 0]]
    assert some.lengths.tolist() == [4, 3]
    assert len(tokens[torch.tensor([], dtype=torch.int64)]) == 0
