"""The world of the drawn scenes: splits of scenes with captions, boxes and facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from itm_tutorial.worlds.scenes.configuration import Configuration
from itm_tutorial.worlds.scenes.facts import scene_facts
from itm_tutorial.worlds.scenes.grammar import PERTURBATIONS, CaptionTruth, Word, describe, perturb, sentence
from itm_tutorial.worlds.scenes.layout import make_minimal_pair, sample_scene, without_distractor
from itm_tutorial.worlds.scenes.scene import Scene, boxes, boxes_of_thing
from itm_tutorial.worlds.streams import stream

SIZES = {  # images for training, validation and test
    "tiny": {"train": 60, "val": 20, "test": 30},
    "mini": {"train": 3_000, "val": 500, "test": 1_000},
    "full": {"train": 30_000, "val": 1_000, "test": 5_000},
}


@dataclass
class SceneSplit:
    """A split before it is drawn: plain data.

    Attributes:
        name: "train", "val" or "test".
        seed: of the world.
        configuration: the settings of the split.
        scenes: one per image.
        truths: captions with their parse, in the order of their images.
        image_of: per caption, its image.
        minimal_pairs: (image, image, kind) of the pairs that differ in one thing.
        duplicates: (image, image) of the pairs with the same facts.
        sources: per image, (scene number, 0 or 1 for the second image of a pair), which names its random streams.
    """

    name: str
    seed: int
    configuration: Configuration
    scenes: list[Scene] = field(default_factory=list)
    truths: list[CaptionTruth] = field(default_factory=list)
    image_of: list[int] = field(default_factory=list)
    minimal_pairs: list[tuple[int, int, str]] = field(default_factory=list)
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    sources: list[tuple[int, int]] = field(default_factory=list)

    def stream_of(self, purpose: str, *number: int) -> Random:
        """The random stream for one purpose and one scene."""
        return stream("scenes", self.seed, purpose, self.name, *number)

    def boxes(self) -> list[list[tuple[float, float, float, float]]]:
        """Per image, the box of every individual, distractors included."""
        return [boxes(scene) for scene in self.scenes]

    def groundings(self) -> list[list[tuple[int, int]]]:
        """Per caption, the (word, box) pairs: every word about a thing, with each of the thing's boxes."""
        return [
            [
                (w, box)
                for w, word in enumerate(truth.words)
                if word.word_class != "verb"
                for thing in word.things
                for box in boxes_of_thing(self.scenes[image], thing)
            ]
            for truth, image in zip(self.truths, self.image_of, strict=True)
        ]

    def draw(self, image: int, size: int = 128) -> np.ndarray:
        """Draws one image, uint8 [size, size, 3], with its own random stream."""
        from itm_tutorial.worlds.scenes.drawing import draw_scene

        rng, veil = (self.stream_of(purpose, *self.sources[image]) for purpose in ("drawing", "veil"))
        style = "sketch" if rng.random() < self.configuration.sketch else "paint"
        veiled = veil if veil.random() < self.configuration.occlusion else None
        return draw_scene(self.scenes[image], size, rng, style=style, tint=self.configuration.tint, veil=veiled)


def make_split(name: str, n_images: int, seed: int, configuration: Configuration | None = None) -> SceneSplit:
    """Makes the scenes and captions of a split.

    Args:
        name: "train", "val" or "test"; each has its own random streams.
        n_images: number of scenes.
        seed: of the world.
        configuration: see ``Configuration``.

    Returns:
        The split; it is the same for the same arguments in every process.
    """
    split = SceneSplit(name, seed, configuration or Configuration())
    _fill_with_scenes(split, n_images)
    for image, scene in enumerate(split.scenes):
        captions = describe(scene, split.stream_of("caption", *split.sources[image]), split.configuration)
        noise = split.stream_of("noise", *split.sources[image])
        split.truths += [_spoil(truth, scene, noise, split.configuration) for truth in captions]
        split.image_of += [image] * len(captions)
    return split


def _fill_with_scenes(split: SceneSplit, n_images: int) -> None:
    """Samples scenes one by one; after some, adds the second image of a minimal pair or a duplicate."""
    most_duplicates = int(0.01 * n_images)  # pairs: two images each, so at most 2 % of the images
    number = 0
    while len(split.scenes) < n_images:
        scene, first = sample_scene(split.stream_of("scene", number)), len(split.scenes)
        found, kind = _companion(scene, split.stream_of("companion", number), split.configuration)
        if first + 1 == n_images or (kind == "duplicate" and len(split.duplicates) == most_duplicates):
            found = None
        scenes = [scene, found] if found else [scene]
        # the distractor is sampled in any case, so that showing it does not move other things
        shown = split.stream_of("distractor", number).random() < split.configuration.distractors
        split.scenes += scenes if shown else map(without_distractor, scenes)
        split.sources += [(number, member) for member in range(len(scenes))]
        if found and kind == "duplicate":
            split.duplicates.append((first, first + 1))
        elif found:
            split.minimal_pairs.append((first, first + 1, kind))
        number += 1


def _companion(scene: Scene, rng: Random, configuration: Configuration) -> tuple[Scene | None, str]:
    """The second scene of a minimal pair or a duplicate, as often as configured; and the kind of the pair."""
    duplicate, minimal_pair = (
        rng.random() < configuration.duplicates / 2,
        rng.random() < configuration.minimal_pairs / (2 - configuration.minimal_pairs),
    )
    if duplicate:
        return scene, "duplicate"
    return (minimal_pair and make_minimal_pair(scene, rng)) or (None, "")


def _spoil(truth: CaptionTruth, scene: Scene, noise: Random, configuration: Configuration) -> CaptionTruth:
    """Adds wrong facts and misspellings as configured; draws three numbers for every caption, used or not."""
    wrong, liar, typist = noise.random(), Random(noise.random()), Random(noise.random())
    if wrong < configuration.wrong_captions:
        true = scene_facts(scene)
        for kind in liar.sample(PERTURBATIONS[:-1], len(PERTURBATIONS) - 1):
            if change := perturb(truth, kind, liar, true):
                truth = change.truth
                break
    if configuration.misspellings:
        words = tuple(_misspell(w, typist) if typist.random() < configuration.misspellings else w for w in truth.words)
        truth = replace(truth, words=words, text=sentence(words))
    return truth


def _misspell(word: Word, typist: Random) -> Word:
    """Swaps two neighbouring letters."""
    if len(word.text) < 4:
        return word
    at = typist.randrange(1, len(word.text) - 1)
    return replace(word, text=word.text[:at] + word.text[at + 1] + word.text[at] + word.text[at + 2 :])


def shared_captions(train: Iterable[str], test: Iterable[str]) -> int:
    """How many captions of the second list also occur in the first."""
    seen = set(train)
    return sum(caption in seen for caption in test)
