"""The dials of the drawn scenes: how many siblings, how careful the writers, how crowded the pictures."""

from __future__ import annotations

from dataclasses import dataclass, fields

from itm_tutorial.errors import ItmError, unknown


@dataclass(frozen=True)
class Dials:
    """Every dial is a share from 0 to 1; turning one leaves what the others decide as it was.

    Attributes:
        siblings: share of the scenes that stand in pairs which differ in exactly one thing.
        twins: share of the scenes whose facts are drawn a second time; at most 0.02.
        completeness: how much of a scene its captions tell.
        wrong_captions: share of the captions with one false fact.
        misspellings: share of the words with two letters swapped.
        synonyms: how often a rarer word stands for the common one.
        hypernyms: how often the family is named in place of the kind ("an animal").
        number_words: how often a number is told where there are several, rather than "some".
        relations: how often a caption about two things says how they stand to each other.
        distractors: share of the scenes with a thing that no caption names.
        tint: how much the light varies from picture to picture.
        sketch: share of the pictures in the second drawing style.
    """

    siblings: float = 0.25
    twins: float = 0.01
    completeness: float = 0.6
    wrong_captions: float = 0.0
    misspellings: float = 0.0
    synonyms: float = 0.2
    hypernyms: float = 0.04
    number_words: float = 0.75
    relations: float = 0.65
    distractors: float = 0.2
    tint: float = 0.5
    sketch: float = 0.0

    def __post_init__(self):
        for name in (f.name for f in fields(self)):
            value, most = getattr(self, name), 0.02 if name == "twins" else 1.0
            if not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise ItmError(f"dial {name} is {value!r}; give a number from 0 to {most:g}")


def make_dials(**settings: float) -> Dials:
    """Dials by name.

    Raises:
        ItmError: no dial has this name, or a value is out of its range.
    """
    known = [f.name for f in fields(Dials)]
    for name in settings:
        if name not in known:
            raise unknown("dial", name, known)
    return Dials(**settings)
