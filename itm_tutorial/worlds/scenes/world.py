"""The world of the drawn scenes: a split of scenes with captions, boxes and all that is true of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from itm_tutorial.worlds.scenes.dials import Dials
from itm_tutorial.worlds.scenes.facts import scene_facts
from itm_tutorial.worlds.scenes.grammar import PERTURBATIONS, CaptionTruth, Word, describe, perturb, sentence
from itm_tutorial.worlds.scenes.layout import make_sibling, sample_scene, without_distractor
from itm_tutorial.worlds.scenes.scene import Scene, boxes, boxes_of_thing
from itm_tutorial.worlds.streams import stream

SIZES = {  # images to train on, to validate on, to test on
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
        dials: it was made with.
        scenes: one an image.
        truths: captions with their parse, in the order of their images.
        image_of: per caption, its image.
        siblings: (image, image, kind) of the pairs that differ in one thing.
        twins: (image, image) of the pairs with the same facts.
        sources: per image, (scene number, 0 or 1 for its sibling or twin): what its random numbers hang on.
    """

    name: str
    seed: int
    dials: Dials
    scenes: list[Scene] = field(default_factory=list)
    truths: list[CaptionTruth] = field(default_factory=list)
    image_of: list[int] = field(default_factory=list)
    siblings: list[tuple[int, int, str]] = field(default_factory=list)
    twins: list[tuple[int, int]] = field(default_factory=list)
    sources: list[tuple[int, int]] = field(default_factory=list)

    def stream_of(self, purpose: str, *number: int) -> Random:
        """The random numbers for one purpose and one scene, apart from all others."""
        return stream("scenes", self.seed, purpose, self.name, *number)

    def boxes(self) -> list[list[tuple[float, float, float, float]]]:
        """Per image, the box of every individual, distractors included."""
        return [boxes(scene) for scene in self.scenes]

    def groundings(self) -> list[list[tuple[int, int]]]:
        """Per caption, the (word, box) pairs: every word that speaks of a thing, with each of the thing's boxes."""
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
        """Draws one image, uint8 [size, size, 3], from its own stream."""
        from itm_tutorial.worlds.scenes.drawing import draw_scene

        rng, veil = (self.stream_of(purpose, *self.sources[image]) for purpose in ("drawing", "veil"))
        style = "sketch" if rng.random() < self.dials.sketch else "paint"
        veiled = veil if veil.random() < self.dials.occlusion else None
        return draw_scene(self.scenes[image], size, rng, style=style, tint=self.dials.tint, veil=veiled)


def make_split(name: str, n_images: int, seed: int, dials: Dials | None = None) -> SceneSplit:
    """Makes the scenes and captions of a split.

    Args:
        name: "train", "val" or "test"; each has its own random numbers.
        n_images: how many scenes.
        seed: of the world.
        dials: see ``Dials``.

    Returns:
        The split, the same for the same arguments in every process.
    """
    split = SceneSplit(name, seed, dials or Dials())
    _fill_with_scenes(split, n_images)
    for image, scene in enumerate(split.scenes):
        captions = describe(scene, split.stream_of("caption", *split.sources[image]), split.dials)
        noise = split.stream_of("noise", *split.sources[image])
        split.truths += [_spoil(truth, scene, noise, split.dials) for truth in captions]
        split.image_of += [image] * len(captions)
    return split


def _fill_with_scenes(split: SceneSplit, n_images: int) -> None:
    """Samples scenes one by one; now and then a scene is followed by its sibling or its twin."""
    most_twins = int(0.01 * n_images)  # pairs: two images each, so at most 2 % of the images
    number = 0
    while len(split.scenes) < n_images:
        scene, first = sample_scene(split.stream_of("scene", number)), len(split.scenes)
        found, kind = _companion(scene, split.stream_of("companion", number), split.dials)
        if first + 1 == n_images or (kind == "twin" and len(split.twins) == most_twins):
            found = None
        scenes = [scene, found] if found else [scene]
        # a distractor is there from the start, so that it stands in nobody's way when the dial shows it
        shown = split.stream_of("distractor", number).random() < split.dials.distractors
        split.scenes += scenes if shown else map(without_distractor, scenes)
        split.sources += [(number, member) for member in range(len(scenes))]
        if found and kind == "twin":
            split.twins.append((first, first + 1))
        elif found:
            split.siblings.append((first, first + 1, kind))
        number += 1


def _companion(scene: Scene, rng: Random, dials: Dials) -> tuple[Scene | None, str]:
    """The twin of a scene or, else, its sibling, by their dials; and of which kind it is."""
    twin, sibling = rng.random() < dials.twins / 2, rng.random() < dials.siblings / (2 - dials.siblings)
    if twin:
        return scene, "twin"
    return (sibling and make_sibling(scene, rng)) or (None, "")


def _spoil(truth: CaptionTruth, scene: Scene, noise: Random, dials: Dials) -> CaptionTruth:
    """Wrong facts and misspelt words, by their dials; three numbers are drawn for every caption, used or not."""
    wrong, liar, typist = noise.random(), Random(noise.random()), Random(noise.random())
    if wrong < dials.wrong_captions:
        true = scene_facts(scene)
        for kind in liar.sample(PERTURBATIONS[:-1], len(PERTURBATIONS) - 1):
            if change := perturb(truth, kind, liar, true):
                truth = change.truth
                break
    if dials.misspellings:
        words = tuple(_misspell(w, typist) if typist.random() < dials.misspellings else w for w in truth.words)
        truth = replace(truth, words=words, text=sentence(words))
    return truth


def _misspell(word: Word, typist: Random) -> Word:
    """Two neighbouring letters change places."""
    if len(word.text) < 4:
        return word
    at = typist.randrange(1, len(word.text) - 1)
    return replace(word, text=word.text[:at] + word.text[at + 1] + word.text[at] + word.text[at + 2 :])


def shared_captions(train: Iterable[str], test: Iterable[str]) -> int:
    """How many captions of the second list stand, word for word, in the first."""
    seen = set(train)
    return sum(caption in seen for caption in test)
