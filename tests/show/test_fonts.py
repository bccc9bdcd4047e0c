"""Letters of any script: from a font that has them, else an empty square and one note."""

import warnings

import pytest
import torch
from matplotlib import font_manager

from itm_tutorial import show
from itm_tutorial.data.corpus import Split
from itm_tutorial.show import fonts


@pytest.fixture
def installed(monkeypatch):
    """Lets a test say which fonts there are besides the default one."""

    def use(*families):
        monkeypatch.setattr(fonts, "_installed", lambda: [(font_manager.findfont(name), name) for name in families])
        fonts._family_with.cache_clear()

    yield use
    fonts._family_with.cache_clear()


def test_latin_needs_no_other_font(said):
    for text in ("a dog", "café “x” ✓ ✗ → λ", "Быстрая собака", "كلب", "a\nb\u200c"):
        assert fonts.drawable(text) == (text, [])
    assert said() == []


def test_letters_that_no_font_has_are_noted_once(said, installed):
    installed()
    assert fonts.drawable("a 狗 dog 한") == ("a □ dog □", [])
    assert fonts.drawable("कुत्ता")[0].strip("□") == ""
    (note,) = said()
    assert note.startswith("no installed font has '狗'") and "Noto Sans CJK" in note
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = show.pictures(Split("test", [image], ["一只狗在跑"], torch.tensor([0])), [0])
        show.to_html(figure)
    assert "一只狗在跑" in show.alt_text(figure)


def test_a_font_that_has_the_letter_is_used(said, installed):
    letter = "\u2a0c"  # a sign that the default font lacks or has: a stand-in for a script of its own
    family = "STIXGeneral"
    installed(family)
    fonts._default_font()
    original = fonts._has
    try:
        fonts._has = lambda path, character: "STIX" in path if character == letter else original(path, character)
        assert fonts.drawable(f"a {letter}") == (f"a {letter}", [family])
        image = torch.zeros(3, 8, 8, dtype=torch.uint8)
        figure = show.pictures(Split("test", [image], [f"a {letter} b"], torch.tensor([0])), [0])
        assert figure.axes[0].xaxis.label.get_fontfamily()[-1] == family
        show.to_html(figure)
    finally:
        fonts._has = original
    assert said() == []


def test_fonts_of_pictures_and_boxes_are_no_letters():
    families = [family.lower() for _, family in fonts._installed()]
    assert families and not any("emoji" in family or "last resort" in family for family in families)
    assert len(families) == len(set(families))
