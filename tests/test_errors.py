"""Warnings come once, and text that somebody else wrote cannot steer a terminal."""

import pytest

from itm_tutorial.errors import unknown, visible, warn_once


def test_the_same_is_said_once(said):
    for message in ("a", "a", "b", "a"):
        warn_once(message)
    warn_once("c", about="b")
    assert said() == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\x9b2Jb\x07\x00\x7f", "a\\x9b2Jb\\x07\\x00\\x7f"),
        ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree"),
        ("dog\u202egod\u2066x\u2069", "dog\\u202egod\\u2066x\\u2069"),
        ("a\u2028b\ud800", "a\\u2028b\\ud800"),
    ],
)
def test_what_steers_a_terminal_is_escaped(text, shown):
    assert visible(text) == shown and visible(shown) == shown


@pytest.mark.parametrize("text", ["a dog", "नमस्ते 狗 שָׁלוֹם می\u200cخواهم 👩\u200d👧 café\u00a0au lait", "C:\\new $5"])
def test_text_of_any_script_stays(text):
    assert visible(text) == text


def test_some_characters_may_be_kept():
    assert visible("a\nb\x1bc", keep="\n") == "a\nb\\x1bc"


def test_a_long_list_of_names_is_cut_and_says_where_the_rest_is():
    names = [f"model_{number}" for number in range(200)]
    text = str(unknown("model", None, names))
    assert "model_0, model_1, " in text and "(200 in all: `itm list` prints them)" in text and len(text) < 800
    assert str(unknown("model", None, names[:3])).endswith("choose one of model_0, model_1, model_2")
