"""Misspelt texts: the same for the same arguments, only letters change, and a larger fraction changes more of them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.misspelling import misspell

fractions = st.floats(0, 1)


@given(st.text(max_size=40), fractions, st.integers(0, 5))
def test_only_letters_change_and_each_into_another_letter(text, fraction, seed):
    found = misspell(text, fraction, seed)
    assert len(found) == len(text) and found == misspell(text, fraction, seed)
    for before, after in zip(text, found, strict=True):
        if after != before:
            assert before.isalpha() and after.lower() != before.lower()
            assert after in string.ascii_letters and after.isupper() == before.isupper()


@given(st.text(max_size=40), fractions, fractions)
def test_a_larger_fraction_changes_the_same_letters_and_more(text, one, other):
    less, more = misspell(text, min(one, other)), misspell(text, max(one, other))
    for before, few, many in zip(text, less, more, strict=True):
        assert few in (before, many)


def test_the_fraction_is_that_of_the_letters():
    text = "a dog in the shade of a tree 123 " * 100
    letters = sum(character.isalpha() for character in text)
    changed = sum(a != b for a, b in zip(text, misspell(text, 0.25), strict=True))
    assert changed / letters == pytest.approx(0.25, abs=0.03)
    assert misspell(text, 0.0) == text
    assert all(a != b for a, b in zip(text, misspell(text, 1.0), strict=True) if a.isalpha())


def test_seeds_and_texts_differ():
    assert misspell("a red car on the grass", 0.5, 0) != misspell("a red car on the grass", 0.5, 1)
    assert misspell("aaaaaaaaaaaa", 0.5)[:6] != misspell("aaaaaab", 0.5)[:6]


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction):
    with pytest.raises(ItmError, match="fraction is .*from 0 to 1"):
        misspell("a", fraction)
