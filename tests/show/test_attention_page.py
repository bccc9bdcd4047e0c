"""A page of attention maps: every figure with its alt text, and text that is escaped."""

import html

import torch

from itm_tutorial import show
from itm_tutorial.evaluation.grounding import Attention


def test_a_page_holds_every_figure_with_its_alt_text_and_escapes_its_text(attended):
    seen, split = attended
    page = show.attention_page(seen, split, "<b>maps</b>", ["a & b"])
    alt = show.alt_text(show.attention(seen, split, 0))
    assert f'alt="{html.escape(alt)}"' in page and "caption 0 of the test split beside image 0<" in page
    assert "<h1>&lt;b&gt;maps&lt;/b&gt;</h1>" in page and "<p>a &amp; b</p>" in page
    beside = Attention(seen.captions, torch.tensor([1]), seen.words, seen.weights, seen.boxes)
    assert "image 1, which it does not describe" in show.attention_page(beside, split, "maps")
