"""The configuration of the drawn people: look-alikes, quality of descriptions, occlusion."""

from __future__ import annotations

from dataclasses import dataclass, fields

from itm_tutorial.errors import ItmError, unknown


@dataclass(frozen=True)
class Configuration:
    """The settings of the drawn people, each from 0 to 1; changing one does not change what the others determine.

    Attributes:
        minimal_pairs: fraction of the identities in pairs that differ in one attribute.
        completeness: how much of what is visible the descriptions mention.
        synonyms: how often a rarer word replaces the common one.
        wrong_captions: fraction of the descriptions with one false fact.
        misspellings: fraction of the words with two letters swapped.
        occlusion: fraction of the images in which something hides the shoes.
        tint: how much light and film vary between images.
    """

    minimal_pairs: float = 0.6
    completeness: float = 0.5
    synonyms: float = 0.25
    wrong_captions: float = 0.0
    misspellings: float = 0.0
    occlusion: float = 0.12
    tint: float = 0.5

    def __post_init__(self):
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ItmError(f"setting {name} is {value!r}; give a number from 0 to 1")


def make_configuration(**settings: float) -> Configuration:
    """Makes a configuration from named settings.

    Raises:
        ItmError: no setting has this name, or a value is out of range.
    """
    known = [f.name for f in fields(Configuration)]
    for name in settings:
        if name not in known:
            raise unknown("setting", name, known)
    return Configuration(**settings)
