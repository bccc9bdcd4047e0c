"""The world of the drawn people: splits of identities with views, descriptions, boxes and facts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from random import Random

import numpy as np

from itm_tutorial.worlds.people.configuration import Configuration
from itm_tutorial.worlds.people.facts import PARTS, closure, person_facts, sighting_facts
from itm_tutorial.worlds.people.grammar import CAPTIONS_PER_IMAGE, describe, sentences, write
from itm_tutorial.worlds.people.person import Person, changes, sample_person
from itm_tutorial.worlds.people.view import Sighting, View, sample_views
from itm_tutorial.worlds.scenes.grammar import CaptionTruth, Word
from itm_tutorial.worlds.streams import stream

Box = tuple[float, float, float, float]

SIZES = {  # identities for training, validation and test
    "tiny": {"train": 16, "val": 6, "test": 8},
    "mini": {"train": 800, "val": 100, "test": 200},
    "full": {"train": 8_000, "val": 500, "test": 1_000},
}


@dataclass
class PeopleSplit:
    """A split before it is drawn: plain data.

    Attributes:
        name: "train", "val" or "test".
        seed: of the world.
        configuration: the settings of the split.
        first: the number of its first identity; the others follow, and no other split has any of them.
        people: one per identity.
        scenes: one per image: the person and the view. The images of an identity are consecutive.
        person_of: per image, the index of the person in ``people``.
        truths: descriptions with their parse, in the order of their images.
        image_of: per description, its image.
        minimal_pairs: (identity, identity, attribute): two people (look-alikes) that differ only in this attribute, and
            have the same views.
        sources: per image, (number of the person, 0 or 1 for the look-alike, view), which names its random streams.
    """

    name: str
    seed: int
    configuration: Configuration
    first: int = 0
    people: list[Person] = field(default_factory=list)
    scenes: list[Sighting] = field(default_factory=list)
    person_of: list[int] = field(default_factory=list)
    truths: list[CaptionTruth] = field(default_factory=list)
    image_of: list[int] = field(default_factory=list)
    minimal_pairs: list[tuple[int, int, str]] = field(default_factory=list)
    sources: list[tuple[int, int, int]] = field(default_factory=list)

    def stream_of(self, purpose: str, *number: int) -> Random:
        """The random stream for one purpose and one person or image."""
        return stream("people", self.seed, purpose, self.name, *number)

    @property
    def identities(self) -> list[int]:
        """Per image, the number of its identity."""
        return [self.first + person for person in self.person_of]

    @cached_property
    def parts(self) -> list[dict[str, Box]]:
        """Per image, the visible parts, each with its box (x0, y0, x1, y1) in [0, 1]."""
        from itm_tutorial.worlds.people.drawing import part_boxes

        return [part_boxes(sighting) for sighting in self.scenes]

    def boxes(self) -> list[list[Box]]:
        """Per image, the boxes of its parts, in the order of ``parts``."""
        return [list(boxes.values()) for boxes in self.parts]

    def groundings(self) -> list[list[tuple[int, int]]]:
        """Per description, the (word, box) pairs: every word about a part, with the part's box."""
        names = [list(boxes) for boxes in self.parts]
        return [
            [
                (w, names[image].index(PARTS[part]))
                for w, word in enumerate(truth.words)
                for part in word.things
                if PARTS[part] in names[image]
            ]
            for truth, image in zip(self.truths, self.image_of, strict=True)
        ]

    def image_minimal_pairs(self) -> list[tuple[int, int, str]]:
        """(image, image, attribute) of two look-alikes in the same view, if the view shows the attribute."""
        images: dict[int, list[int]] = {}
        for image, person in enumerate(self.person_of):
            images.setdefault(self.first + person, []).append(image)
        return [
            (x, y, attribute)
            for a, b, attribute in self.minimal_pairs
            for x, y in zip(images[a], images[b], strict=True)
            if sighting_facts(self.scenes[x]) != sighting_facts(self.scenes[y])
        ]

    def draw(self, image: int, size: int = 96) -> np.ndarray:
        """Draws one image, uint8 [size, size // 2, 3], with its own random stream."""
        from itm_tutorial.worlds.people.drawing import draw_sighting

        return draw_sighting(
            self.scenes[image], size, self.stream_of("drawing", *self.sources[image]), self.configuration.tint
        )


def make_world(size: str, seed: int, configuration: Configuration | None = None) -> dict[str, PeopleSplit]:
    """Makes all splits of a size; identities are numbered consecutively over the splits."""
    made, first = {}, 0
    for name, n_identities in SIZES[size].items():
        made[name] = make_split(name, n_identities, seed, configuration, first)
        first += n_identities
    return made


def make_split(
    name: str, n_identities: int, seed: int, configuration: Configuration | None = None, first: int = 0
) -> PeopleSplit:
    """Makes the people, views and descriptions of a split.

    Args:
        name: "train", "val" or "test"; each has its own random streams.
        n_identities: number of people.
        seed: of the world.
        configuration: see ``Configuration``.
        first: the number of the first identity.

    Returns:
        The split; it is the same for the same arguments in every process. No two people in it are equal in all
        attributes.
    """
    split = PeopleSplit(name, seed, configuration or Configuration(), first)
    _fill_with_people(split, n_identities)
    for image, sighting in enumerate(split.scenes):
        truths = describe(sighting, split.stream_of("caption", *split.sources[image]), split.configuration)
        noise = split.stream_of("noise", *split.sources[image])
        split.truths += [_spoil(truth, sighting, noise, split.configuration) for truth in truths]
        split.image_of += [image] * CAPTIONS_PER_IMAGE
    return split


def _fill_with_people(split: PeopleSplit, n_identities: int) -> None:
    """Samples people one by one; after some, adds a look-alike with the same cameras and poses."""
    known: set[Person] = set()
    number = 0
    while len(split.people) < n_identities:
        person = sample_person(split.stream_of("person", number))
        views = sample_views(
            split.stream_of("view", number), split.stream_of("veil", number), split.configuration.occlusion
        )
        companion = split.stream_of("companion", number)
        wanted = companion.random() < split.configuration.minimal_pairs / (2 - split.configuration.minimal_pairs)
        found = _look_alike(person, views, companion, known) if wanted else None
        if person not in known:
            _add(split, person, views, number, 0)
            if found and len(split.people) < n_identities:
                _add(split, found[1], views, number, 1)
                one = split.first + len(split.people) - 2
                split.minimal_pairs.append((one, one + 1, found[0]))
            known.update(split.people[-2:])
        number += 1


def _look_alike(person: Person, views: list[View], rng: Random, known: set[Person]) -> tuple[str, Person] | None:
    """A changed attribute that at least one of the views shows, and the person with that change."""
    for attribute, other in changes(person, rng):
        shown = any(sighting_facts(Sighting(person, v)) != sighting_facts(Sighting(other, v)) for v in views)
        if shown and other not in known:
            return attribute, other
    return None


def _add(split: PeopleSplit, person: Person, views: list[View], number: int, member: int) -> None:
    split.people.append(person)
    split.scenes += [Sighting(person, view) for view in views]
    split.person_of += [len(split.people) - 1] * len(views)
    split.sources += [(number, member, v) for v in range(len(views))]


def _spoil(truth: CaptionTruth, sighting: Sighting, noise: Random, configuration: Configuration) -> CaptionTruth:
    """Adds wrong facts and misspellings as configured; draws three numbers for every description, used or not."""
    wrong, liar, typist = noise.random(), Random(noise.random()), Random(noise.random())
    if wrong < configuration.wrong_captions:
        true, seed = sighting_facts(sighting), liar.random()
        for _, other in islice(changes(sighting.person, liar), 8):
            lie = write(Sighting(other, sighting.view), Random(seed), configuration)[1]
            if not lie.facts <= true:
                truth = lie
                break
    if configuration.misspellings:
        words = tuple(_misspell(w, typist) if typist.random() < configuration.misspellings else w for w in truth.words)
        truth = replace(truth, words=words, text=sentences(words))
    return truth


def _misspell(word: Word, typist: Random) -> Word:
    """Swaps two neighbouring letters."""
    if len(word.text) < 4:
        return word
    at = typist.randrange(1, len(word.text) - 1)
    return replace(word, text=word.text[:at] + word.text[at + 1] + word.text[at] + word.text[at + 2 :])


def ambiguity(split: PeopleSplit) -> float:
    """The fraction of descriptions whose facts are true of more than one person of the split.

    Args:
        split: the people.

    Returns:
        From 0 to 1. Only facts about the person count; pose, place and angle are ignored.
    """
    holders: dict[tuple, set[int]] = {}
    for number, person in enumerate(split.people):
        for fact in person_facts(person):
            holders.setdefault(fact, set()).add(number)
    shared = 0
    for truth in split.truths:
        facts = [fact for fact in closure(truth.facts) if fact[0] in ("kind", "attribute")]
        fitting = set.intersection(*(holders.get(fact, set()) for fact in facts))
        shared += len(fitting) > 1
    return shared / len(split.truths)
