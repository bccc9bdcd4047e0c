"""The configuration of the drawn scenes: minimal pairs, quality of captions, difficulty of images."""

from __future__ import annotations

from dataclasses import dataclass, fields

from itm_tutorial.errors import ItmError, unknown


@dataclass(frozen=True)
class Configuration:
    """The settings of the drawn scenes, each from 0 to 1; changing one does not change what the others determine.

    Attributes:
        minimal_pairs: fraction of the images in pairs that differ in exactly one thing.
        duplicates: fraction of the images in pairs with the same facts, drawn separately; at most 0.02.
        completeness: how much of a scene its captions mention.
        length: how long the captions are, from one thing and its place to three things and their relations.
        order: fraction of the captions that name the two things in reverse order, with the same meaning.
        wrong_captions: fraction of the captions with one false fact.
        misspellings: fraction of the words with two letters swapped.
        synonyms: how often a rarer word replaces the common one.
        hypernyms: how often the family is named instead of the kind ("an animal").
        number_words: how often several things get a number word rather than "some".
        relations: how often a caption about two things states their relation.
        distractors: fraction of the scenes with a thing that no caption names.
        occlusion: fraction of the images in which a mound or a cloud covers part of one thing.
        tint: how much the light varies between images.
        sketch: fraction of the images in the second drawing style.
    """

    minimal_pairs: float = 0.25
    duplicates: float = 0.01
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
            value, most = getattr(self, name), 0.02 if name == "duplicates" else 1.0
            if not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise ItmError(f"setting {name} is {value!r}; give a number from 0 to {most:g}")


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
