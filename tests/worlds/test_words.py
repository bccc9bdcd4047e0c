"""The words of a text: English as before, marks with their letter, scripts without spaces, and a limit."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.worlds.parsers import words as module
from itm_tutorial.worlds.parsers.words import MOST_WORDS, normalised, word_pattern

ENGLISH = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # the rule of the kept results: letters and digits, apostrophes inside
TEXTS = """The dog's toy isn't here, and the dogs' bowls aren't either.
A red-brown cow; 2 dogs_and a cat! A café in São Paulo? Rock'n'roll at 5 o'clock: $3.50 (or 3,50).
'quoted' ''twice'' 'n' it's 'tis l'été ÉTÉ naïve Über straße Øre don't''t a'b'c '' ' _x_ __ 1st 2nd m² ½
Быстрая собака бежит. Ένας σκύλος τρέχει."""


@pytest.mark.parametrize("name", ["scenes", "objects", "people", "birds", "flowers"])
def test_captions_of_drawn_worlds_have_the_words_that_they_always_had(name, cache):
    corpus = itm.load_corpus(name, size="tiny")
    captions = [caption for split in corpus.splits.values() for caption in split.captions]
    assert len(captions) > 100
    assert [tokenize(caption) for caption in captions] == [ENGLISH.findall(caption.lower()) for caption in captions]


def test_english_has_the_words_that_it_always_had():
    for line in TEXTS.splitlines():
        assert tokenize(line) == ENGLISH.findall(line.lower())


@given(st.text(st.characters(max_codepoint=0x17F, exclude_characters="\u00ad\u00b7\u0149"), max_size=60))
def test_latin_text_has_the_words_that_it_always_had(text):
    assert tokenize(text.replace("İ", "I")) == ENGLISH.findall(text.replace("İ", "I").lower())


@given(st.text(max_size=80))
def test_the_fast_pattern_finds_what_the_other_one_finds(text):
    text = normalised(text)
    assert word_pattern(text).findall(text) == module._WORD.findall(text)


def test_the_fast_pattern_is_for_letters_that_need_no_other():
    fast = [chr(code) for code in range(sys.maxunicode + 1) if word_pattern(chr(code)) is module._SIMPLE_WORD]
    assert 1000 < len(fast) < 2000
    assert all(module._WORD.findall(letter) == module._SIMPLE_WORD.findall(letter) for letter in fast)


@given(st.text(max_size=80))
def test_words_are_found_in_the_normalised_text_in_their_order(text):
    end, text = 0, normalised(text)
    for word in tokenize(text):
        end = text.index(word, end) + len(word)
        assert word and not word.isspace()


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("नमस्ते दुनिया, एक लड़की।", ["नमस्ते", "दुनिया", "एक", "लड़की"]),
        ("একটি মেয়ে দৌড়ায়", ["একটি", "মেয়ে", "দৌড়ায়"]),
        ("ஒரு சிறுமி", ["ஒரு", "சிறுமி"]),
        ("مُحَمَّد يَلْعَبُ.", ["مُحَمَّد", "يَلْعَبُ"]),
        ("שָׁלוֹם, צה״ל", ["שָׁלוֹם", "צה״ל"]),
        ("می\u200cخواهم بروم", ["می\u200cخواهم", "بروم"]),
        ("한국어 소녀가 달린다", ["한국어", "소녀가", "달린다"]),
        ("l’homme de l＇été", ["l'homme", "de", "l'été"]),
        ("col·lecció", ["col·lecció"]),
        ("co\u00adoperate \u202edog\u202c", ["cooperate", "dog"]),
    ],
)
def test_marks_stay_with_their_letter(caption, words):
    assert tokenize(caption) == [unicodedata.normalize("NFC", word) for word in words]


@pytest.mark.parametrize("text", ["café Ångström", "नमस्ते", "쌍둥이 소녀", "Việt Nam"])
def test_composed_and_decomposed_letters_are_the_same_words(text):
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert forms[0] != forms[1] or "्" in text
    assert tokenize(forms[0]) == tokenize(forms[1]) and len(tokenize(forms[1])) == len(text.split())


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("一个女孩在奔跑。", list("一个女孩在奔跑")),
        ("5只狗，T恤", ["5", "只", "狗", "t", "恤"]),
        ("ラーメンを食べる", list("ラーメンを食べる")),
        ("เด็กผู้หญิง", ["เ", "ด็", "ก", "ผู้", "ห", "ญิ", "ง"]),
        ("ກຳລັງ", ["ກຳ", "ລັ", "ງ"]),
        ("ស្រីរត់", ["ស្រី", "រ", "ត់"]),
        ("ပန်း", ["ပ", "န်း"]),
    ],
)
def test_scripts_without_spaces_go_by_character(caption, words):
    assert tokenize(caption) == words


def test_emoji_are_dropped_like_punctuation():
    assert tokenize("a 🐶 👩‍👩‍👧 1️⃣ dog 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽 ❤️!") == ["a", "1", "dog"]
    assert tokenize("🐶") == []


def test_a_caption_has_a_limited_number_of_words():
    words = [f"w{i}" for i in range(MOST_WORDS + 3)]
    assert tokenize(" ".join(words[:MOST_WORDS]) + " .") == words[:MOST_WORDS]
    assert tokenize(" ".join(words)) == words[:MOST_WORDS]
    assert tokenize("犬" * 10_000) == ["犬"] * MOST_WORDS


@pytest.mark.parametrize("value", [None, float("nan"), 3, ["a dog"], b"a dog"])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ItmError, match="a caption is .*, not a text: "):
        tokenize(value)
