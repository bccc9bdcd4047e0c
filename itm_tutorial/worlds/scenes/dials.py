"""The dials of the drawn scenes: how many siblings, how careful the writers, how crowded the pictures."""

from __future__ import annotations

from dataclasses import dataclass, fields

from itm_tutorial.errors import ItmError, unknown


@dataclass(frozen=True)
class Dials:
    """Every dial goes from 0 to 1; turning one leaves what the others decide as it was.

    Attributes:
        siblings: share of the images that stand in pairs which differ in exactly one thing.
        twins: share of the images that stand in pairs with the same facts, drawn anew; at most 0.02.
        completeness: how much of a scene its captions tell.
        length: how long the captions are, from one thing and its place to three things and how they stand.
        order: share of the captions that name the two things the other way round, saying the same of them.
        wrong_captions: share of the captions with one false fact.
        misspellings: share of the words with two letters swapped.
        synonyms: how often a rarer word stands for the common one.
        hypernyms: how often the family is named in place of the kind ("an animal").
        number_words: how often a number is told where there are several, rather than "some".
        relations: how often a caption about two things says how they stand to each other.
        distractors: share of the scenes with a thing that no caption names.
        occlusion: share of the pictures in which a mound or a cloud covers part of one thing.
        tint: how much the light varies from picture to picture.
        sketch: share of the pictures in the second drawing style.
    """

    siblings: float = 0.25
    twins: float = 0.01
    completeness: float = 0.6
    length: float = 0.5
    order: float = 0.0
    wrong_captions: float = 0.0
    misspellings: float = 0.0
    synonyms: float = 0.2
    hypernyms: float = 0.04
    number_words: float = 0.75
    relations: float = 0.65
    distractors: float = 0.2
    occlusion: float = 0.05
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
