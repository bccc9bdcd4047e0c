"""Fonts for text of any script: matplotlib's own where it has the letters, else one that is installed."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from itm_tutorial.errors import warn_once

MISSING = "\u25a1"  # an empty square, drawn for a letter that no font has
BROAD = ("noto sans", "noto", "cjk", "han", "unifont", "arial unicode", "yahei", "pingfang", "gothic", "freesans")
NO_LETTERS = ("last resort", "emoji", "cmb10", "cmex10", "cmmi10", "cmr10", "cmss10", "cmsy10", "cmtt10", "stix")


def drawable(text: str) -> tuple[str, list[str]]:
    """What of a text can be drawn, and with which fonts.

    A letter that no installed font has becomes an empty square; one note per process names its script and what to
    install.

    Args:
        text: any text.

    Returns:
        The text, and the families of fonts that it needs behind the default one; none for Latin letters.
    """
    if text.isascii():
        return text, []
    families, lost = {}, {}
    for character in dict.fromkeys(text):
        if character.isascii() or _has(_default_font(), character) or _draws_nothing(character):
            continue
        family = _family_with(character)
        if family is None:
            lost[character] = MISSING
        else:
            families[family] = None
    if lost:
        _tell(next(iter(lost)))
        text = "".join(lost.get(character, character) for character in text)
    return text, list(families)


def _draws_nothing(character: str) -> bool:
    """Whether a character has no picture of its own: a joiner, a variation selector, a line break."""
    return unicodedata.category(character) in ("Cf", "Cc", "Zs", "Zl", "Zp") or "\ufe00" <= character <= "\ufe0f"


def _tell(character: str) -> None:
    """One note per process, whichever letters are missing."""
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    script = name.split()[0].capitalize()
    font = {"Cjk": "Noto Sans CJK", "Hiragana": "Noto Sans CJK", "Katakana": "Noto Sans CJK", "Hangul": "Noto Sans CJK"}
    wanted = font.get(script, f"Noto Sans {script}")
    warn_once(
        f"no installed font has {character!r} ({name.lower()}): figures show such letters as {MISSING}. Install a font "
        f"that has them, such as {wanted} (Linux: the package fonts-noto), and start Python again",
        about="letters that no font has",
    )


@cache
def _default_font() -> str:
    return font_manager.findfont(font_manager.FontProperties())


@lru_cache(maxsize=512)
def _opened(path: str) -> FT2Font | None:
    try:
        return FT2Font(path)
    except (OSError, RuntimeError, ValueError):  # a font that is damaged or of a kind that cannot be read
        return None


@lru_cache(maxsize=100_000)
def _has(path: str, character: str) -> bool:
    font = _opened(path)
    return font is not None and font.get_char_index(ord(character)) != 0


@lru_cache(maxsize=100_000)
def _family_with(character: str) -> str | None:
    """The family of an installed font that has a letter; those made for many scripts come first."""
    return next((family for path, family in _installed() if _has(path, character)), None)


@cache
def _installed() -> list[tuple[str, str]]:
    """(file, family) of the fonts of an upright, regular face, one for each family."""
    faces = {}
    for entry in font_manager.fontManager.ttflist:
        name = entry.name.lower()
        if any(part in name for part in NO_LETTERS) or not Path(entry.fname).is_file():
            continue
        usual = (entry.style == "normal", str(entry.weight) in ("400", "normal", "regular", "book"))
        if entry.name not in faces or usual > faces[entry.name][0]:
            faces[entry.name] = (usual, entry.fname)
    order = {part: place for place, part in enumerate(BROAD)}

    def rank(family: str) -> tuple[int, str]:
        return min((place for part, place in order.items() if part in family.lower()), default=len(order)), family

    return [(faces[family][1], family) for family in sorted(faces, key=rank)]
