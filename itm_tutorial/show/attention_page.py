"""Attention maps as one HTML page that any browser opens and that needs no other file."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import visible
from itm_tutorial.show.attention import attention
from itm_tutorial.show.canvas import to_html

if TYPE_CHECKING:
    from itm_tutorial.evaluation.grounding import Attention

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #2b2f33; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }}
figure {{ margin: 2.5rem 0; }}
figcaption {{ color: #5a6168; font-size: 0.9rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
{about}
{figures}
</body>
</html>
"""


def attention_page(seen: Attention, split: Split, title: str, about: Sequence[str] = (), backbone: str = "mini") -> str:
    """Makes an HTML page with the figure of ``attention`` for every caption of ``seen``.

    Args:
        seen: what ``attend`` returned.
        split: the split that the captions are from.
        title: of the page.
        about: paragraphs that stand before the figures.
        backbone: the model's, ``model.features.backbone``.

    Returns:
        HTML with the pictures in it, each with its alt text.
    """
    figures = []
    for i, (caption, image) in enumerate(zip(seen.captions.tolist(), seen.images.tolist(), strict=True)):
        own = "" if image == split.image_of[caption] else ", which it does not describe"
        label = f"caption {caption} of the {_escaped(split.name)} split beside image {image}{own}"
        drawn = to_html(attention(seen, split, i, backbone=backbone))
        figures.append(f"<figure>{drawn}\n<figcaption>{label}</figcaption></figure>")
    paragraphs = "\n".join(f"<p>{_escaped(text)}</p>" for text in about)
    return PAGE.format(title=_escaped(title), about=paragraphs, figures="\n".join(figures))


def _escaped(text: str) -> str:
    """Text as HTML that shows it as it is written."""
    return html.escape(visible(text))
