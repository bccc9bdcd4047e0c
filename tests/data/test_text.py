"""The vocabulary: a stable order, a round trip, no word from elsewhere, and captions that are no text by number."""

import json
import re

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itm_tutorial.data.text import Vocabulary, WordPieces, checked_captions, tokenize
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


NAN = float("nan")


@pytest.mark.parametrize("read", [Vocabulary.from_captions, Vocabulary(["a"]).encode])
@pytest.mark.parametrize(("value", "shown"), [(None, "None"), (NAN, "nan (float)"), (7, "7 (int)"), (b"a", "b'a'")])
def test_a_caption_that_is_no_text_is_named(read, value, shown):
    with pytest.raises(ItmError, match=re.escape(f"caption 2 is {shown}, not a text: ")):
        read(["a", "a a", value, None])


def test_one_text_in_place_of_a_list_is_refused():
    with pytest.raises(ItmError, match=r"captions is one text; give a list of texts, such as \['a dog'\]"):
        Vocabulary.from_captions("a dog")


def test_half_a_character_is_named():
    with pytest.raises(ItmError, match="train: caption 1 .* holds half a character"):
        checked_captions(["a dog", "a \ud800 dog"], "train")


def test_printed_bytes_are_read_as_their_text(said):
    captions = ["a dog", "b'a caf\\xc3\\xa9 .'", 'b"a dog\'s toy"', "b 'no' literal", "b'", "b'x' and b'y'"]
    read = checked_captions(captions, "train")
    assert read == ["a dog", "a café .", "a dog's toy", *captions[3:]] and captions[1].startswith("b'")
    (told,) = said()
    assert "train: 2 of 6 captions are printed bytes literals, such as caption 1, " in told
    with pytest.raises(ItmError, match="train: caption 0: .*is no caption"):
        checked_captions(["b'caf\\xe9'"], "train")
    assert checked_captions(read, "train") is read


@pytest.mark.parametrize(
    ("captions", "min_count", "complaint"),
    [
        ([], 1, "none of the 0 captions has a word in it"),
        (["...", "🐶"], 1, "none of the 2 captions has a word in it"),
        (["a dog", "a cat"], 4, "no word stands in the 2 captions min_count=4 times or more ('a', the most frequent"),
    ],
)
def test_a_vocabulary_without_words_is_refused(captions, min_count, complaint):
    with pytest.raises(ItmError, match=re.escape(complaint)):
        Vocabulary.from_captions(captions, min_count)
    with pytest.raises(ItmError, match="it has no words"):
        Vocabulary([])


def test_scripts_without_spaces_are_noted_once(said):
    for _ in range(2):
        vocabulary = Vocabulary.from_captions(["一只狗 dog", "いぬ"])
    assert said() == [
        "some captions are in a script that puts no spaces between words (Chinese, Hiragana): each character counts as "
        "a word"
    ]
    assert vocabulary.encode(["狗"]).lengths.tolist() == [3]
    Vocabulary.from_captions(["कुत्ता", "собака", "한국어", "كلب"])
    assert said() == []


def test_one_long_caption_does_not_pad_the_others(said):
    long = "a big dog " * 4000
    captions = ["a dog"] * 1500 + [long] + ["a cat"] * 499
    vocabulary = Vocabulary.from_captions(captions)
    for _ in range(2):
        assert tuple(vocabulary.encode(captions).ids.shape) == (2000, 258)
    (told,) = said()
    assert "caption 1500 ('a big dog" in told and "has more than 256 words: the first 256 are read" in told
    vocabulary.encode(["a " * 256])
    assert said() == []


def test_the_share_of_unknown_words():
    vocabulary = Vocabulary(["a", "dog"])
    assert vocabulary.unknown_share(["a dog", "a cat or a dog"]) == pytest.approx(2 / 7)
    assert vocabulary.unknown_share([]) == 0


@pytest.mark.parametrize(
    ("kept", "complaint"),
    [
        ("[]", "v.json: vocabulary: it has no words"),
        ('["a", "a"]', "v.json: vocabulary: the word 'a' stands in it twice"),
        ('["a", 3]', "v.json is not a list of words"),
        ('{"word_pieces": {}}', "v.json: word pieces: no tokenizer"),
        ('{"words": []}', "v.json is not a list of words"),
    ],
)
def test_a_kept_vocabulary_that_is_none_is_named(tmp_path, kept, complaint):
    (tmp_path / "v.json").write_text(kept, encoding="utf-8")
    with pytest.raises(ItmError, match=re.escape(complaint)):
        Vocabulary.load(tmp_path / "v.json")


def pieces(change=lambda description: None):
    """A tokenizer of word pieces as its library writes it down, with a change."""
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "dog": 4}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    ends = [("[CLS]", 1), ("[SEP]", 2)]
    made.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    description = json.loads(made.to_str())
    change(description)
    return json.dumps(description)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["post_processor"]["special_tokens"].pop("[SEP]"),
        lambda d: d["model"].update(vocab={}),
        lambda d: d["model"]["vocab"].pop("[UNK]"),
        lambda d: d["model"]["vocab"].update(dog=2**31),
        lambda d: d.pop("model"),
    ],
)
def test_word_pieces_that_do_not_fit_together_are_refused(change):
    with pytest.raises(ItmError, match="word pieces: .*(fetch the BERT again|no vocabulary)"):
        WordPieces(pieces(change))


def test_word_pieces_take_captions_as_words_do(said):
    vocabulary = WordPieces(pieces())
    assert vocabulary.encode(["a dog"]).ids.tolist() == [[1, 3, 4, 2]]
    assert vocabulary.encode(["a dog", "dog " * 5000]).ids.shape == (2, 258) and len(said()) == 1
    assert vocabulary.unknown_share(["a dog", "a cat"]) == 0.25
    with pytest.raises(ItmError, match="caption 1 is None, not a text"):
        vocabulary.encode(["a dog", None])
