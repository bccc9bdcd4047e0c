"""Descriptions of tokenizers: a wrong one is one sentence, and never ends the process."""

import json

import pytest

from itm_tutorial.data.text import WordPieces
from itm_tutorial.data.tokenizers import library_errors
from itm_tutorial.errors import ItmError


@pytest.fixture
def description(tmp_path):
    """The description of a BERT's tokenizer, as plain data."""
    from transformers import BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "car"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return json.loads(BertTokenizerFast(vocab=str(tmp_path / "vocab.txt")).backend_tokenizer.to_str())


def test_a_whole_description_is_read(description):
    tokens = WordPieces(json.dumps(description)).encode(["a red car"])
    assert tokens.ids.tolist() == [[2, 5, 6, 7, 3]]


def large_id(value):
    value["model"]["vocab"]["car"] = 2_147_483_648


def large_added_id(value):
    value["added_tokens"][0]["id"] = 2_147_483_648


def negative_id(value):
    value["model"]["vocab"]["car"] = -1


def no_words(value):
    value["model"]["vocab"] = {}


def no_separator(value):
    del value["post_processor"]["special_tokens"]["[SEP]"]


def no_unknown(value):
    del value["model"]["vocab"]["[UNK]"]
    value["added_tokens"] = [one for one in value["added_tokens"] if one["content"] != "[UNK]"]


def no_model(value):
    del value["model"]


def odd_model(value):
    value["model"]["type"] = "nothing that the library knows"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (large_id, r"\['vocab'\]"),
        (large_added_id, r"\['added_tokens'\]\[0\]\['id'\]"),
        (negative_id, r"\['vocab'\]"),
        (no_words, "its vocabulary is empty"),
        (no_separator, r"puts '\[SEP\]' into captions, which special_tokens does not have"),
        (no_unknown, "UNK"),
        (no_model, "model"),
        (odd_model, "variant"),
    ],
)
def test_a_damaged_description_is_refused(description, damage, message):
    damage(description)
    with pytest.raises(ItmError, match=f"^word pieces: no tokenizer .*{message}.*fetch the BERT again"):
        WordPieces(json.dumps(description))


@pytest.mark.parametrize("text", ['{"half": ', "[" * 100_000, "1" * 5000, "5", "null"])
def test_what_is_no_description_is_refused(text):
    with pytest.raises(ItmError, match="word pieces: no tokenizer"):
        WordPieces(text)


def test_an_interrupt_is_not_an_error_of_the_library():
    assert library_errors(KeyboardInterrupt(), "a", "b") is None
    panic = type("PanicException", (BaseException,), {})("index out\nof bounds")
    assert str(library_errors(panic, "a", "b")) == "a (index out of bounds); b"
