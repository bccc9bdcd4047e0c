"""Zero-shot classification by prompts: each class becomes texts, and an image takes the class of the nearest one.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, section 3.1.4,
https://arxiv.org/abs/2103.00020. Several templates of a class are averaged as embeddings, not as probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.errors import ItmError, unknown

NORMALISE = ("each", "mean")


def fill(template: str, label: str) -> str:
    """A template with a label; "a {}" becomes "an {}" before a vowel: ("a {} in the snow", "owl") -> "an owl ...".

    Raises:
        ItmError: the template has no place for a label.
    """
    if "{}" not in template:
        raise ItmError(f"the template {template!r} has no {{}} for the label: write one, such as 'a photo of a {{}}'")
    if label[:1].lower() in tuple("aeiou"):
        template = template.replace("a {}", "an {}").replace("A {}", "An {}")
    return template.replace("{}", label)


def ensemble(template_emb: Tensor, normalise: str = "each") -> Tensor:
    """One embedding per class from those of its templates.

    Args:
        template_emb: [n_templates, n_classes, dim], before they are scaled to unit length.
        normalise: "each": scaled to unit length, averaged, and scaled again, as in CLIP's notebook. "mean": averaged
            as they are, so that a template with longer embeddings counts more.

    Returns:
        Unit vectors [n_classes, dim].

    Raises:
        ItmError: an unknown way to normalise.
    """
    if normalise not in NORMALISE:
        raise unknown("normalise", normalise, NORMALISE)
    if normalise == "each":
        template_emb = normalize(template_emb, dim=-1)
    return normalize(template_emb.mean(0), dim=-1)


@torch.no_grad()
def class_embeddings(
    encode: Callable[[list[str]], Tensor],
    labels: Sequence[str],
    templates: Sequence[str] = ("{}",),
    normalise: str = "each",
) -> Tensor:
    """The embedding of each class: the ensemble of its templates.

    Args:
        encode: texts -> embeddings [n_texts, dim], such as ``model.encode_captions``. With ``normalise="mean"``, one
            whose embeddings have not been scaled to unit length: scaled ones give the same as "each".
        labels: names of n_classes classes.
        templates: texts with {} for the label.
        normalise: see ``ensemble``.

    Returns:
        Unit vectors [n_classes, dim].

    Raises:
        ItmError: no template, or one without {}; an unknown way to normalise.
    """
    if isinstance(templates, str) or not len(templates):
        raise ItmError(f"templates is {templates!r}: give a list of one or more, such as ['a photo of a {{}}']")
    found = torch.stack([encode([fill(template, label) for label in labels]) for template in templates])
    return ensemble(found, normalise)
