"""What only some models have: methods that the rest of the package asks for and does without."""

from __future__ import annotations

from typing import Any


def provides(thing: Any, hook: str) -> bool:
    """Whether an object has an optional method.

    A branch behind ``if provides(x, "name"):`` is taken for few models only. The results of a claim do not depend on it
    unless one of its own classes has such a method: see ``chapters.dependencies``.

    Args:
        thing: a model, the ``FeatureSpec`` of a model, or a part of one.
        hook: the method's name, written out where it is called.
    """
    return hasattr(thing, hook)
