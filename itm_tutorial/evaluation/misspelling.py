"""Misspelt queries: letters of a text replaced at random, to measure how much of the recall a model keeps."""

from __future__ import annotations

import string
from random import Random

from itm_tutorial.errors import ItmError


def misspell(text: str, fraction: float, seed: int = 0) -> str:
    """Replaces each letter by another one with a given probability; spaces, digits and punctuation stay.

    The result depends on the arguments alone. A larger fraction changes the same letters in the same way, and more.

    Args:
        text: any text.
        fraction: the probability for each letter, from 0 to 1.
        seed: of the random choices, which differ from text to text.

    Returns:
        The text with as many characters as before; a capital letter is replaced by a capital one.

    Raises:
        ItmError: ``fraction`` is no number from 0 to 1.

    Example:
        >>> misspell("a red car", 0.0)
        'a red car'
    """
    if not 0 <= fraction <= 1:
        raise ItmError(f"misspell: fraction is {fraction}; give a number from 0 to 1")
    rng = Random(f"{seed} {text}")
    found = []
    for character in text:
        if character.isalpha():
            chance, place = rng.random(), rng.randrange(25)  # drawn for every letter, changed or not
            if chance < fraction:
                other = string.ascii_lowercase.replace(character.lower(), "")[place]  # never the letter itself
                character = other.upper() if character.isupper() else other
        found.append(character)
    return "".join(found)
