"""``load_corpus``: the only module that knows worlds, readers and the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from itm_tutorial.data.corpus import ClassTree, Corpus, Split, SplitFacts
from itm_tutorial.data.names import OWN, PUBLISHED
from itm_tutorial.data.options import Seed, check_options
from itm_tutorial.errors import ItmError, refuse_options, unknown
from itm_tutorial.storage import cache_dir, prepare_folder, read_tensors, write_tensors
from itm_tutorial.worlds import birds, flowers, objects, people, scenes, species, streams
from itm_tutorial.worlds.birds import world as birds_world
from itm_tutorial.worlds.flowers import world as flowers_world
from itm_tutorial.worlds.objects import world as objects_world
from itm_tutorial.worlds.objects.tree import parents, unseen_kinds
from itm_tutorial.worlds.objects.world import ObjectSplit
from itm_tutorial.worlds.people import configuration as people_configuration
from itm_tutorial.worlds.people import facts as people_facts
from itm_tutorial.worlds.people import world as people_world
from itm_tutorial.worlds.people.world import PeopleSplit
from itm_tutorial.worlds.scenes.configuration import make_configuration
from itm_tutorial.worlds.scenes.facts import closure, scene_facts
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.world import SIZES, SceneSplit, make_split, shared_captions
from itm_tutorial.worlds.species import portrait as species_portrait
from itm_tutorial.worlds.species import world as species_world
from itm_tutorial.worlds.species.world import SpeciesSplit


def load_corpus(name: str, size: str = "mini", seed: int | None = None, **options: Any) -> Corpus:
    """Loads a corpus by name; drawn images are kept in the cache.

    Args:
        name: one of ``itm.list_corpora()``.
        size: of a drawn world: "tiny", "mini" or "full".
        seed: of a drawn world, or of the splits of your own photographs; 0 by default.
        options: ``image_size`` in pixels of a drawn world and the settings of scenes and people; ``test="testall"`` for
            all of ``coco_precomp``'s test images; ``restval=False`` leaves these images of ``coco`` out of training;
            for "photos" ``folder=``, the folder that holds them, and what ``data.readers.photos.load`` takes beside it;
            none for other published data.

    Returns:
        The corpus.

    Raises:
        ItmError: the name, size or setting is unknown, the published data were not prepared, or the cache cannot be
            written.
    """
    if not isinstance(name, str) or name not in _LOADERS:
        raise unknown("corpus", name, _LOADERS)
    types = {"size": str, "seed": Seed | None, "image_size": int}
    given = check_options("load_corpus", types, {"size": size, "seed": seed, **options})
    size, seed = given.pop("size"), given.pop("seed")
    if name in OWN:
        return _LOADERS[name](size, seed, **given)
    return _LOADERS[name](size, 0 if seed is None else seed, **given)


@cache
def source_hash(*modules: ModuleType) -> str:
    """A hash (eight digits) of the source of these modules or packages: the cache's key for what they draw or train."""
    digest = hashlib.sha256()
    for module in modules:
        file = Path(module.__file__)
        for source in sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]:
            digest.update(source.read_bytes())
    return digest.hexdigest()[:8]


def _check_drawn(size: str, sizes: dict, image_size: int, largest: int) -> None:
    if size not in sizes:
        raise unknown("size", size, sizes)
    if not isinstance(image_size, int) or not 32 <= image_size <= largest:
        raise ItmError(f"image_size is {image_size!r}; give 32 to {largest} pixels")


def _pictures(
    folder: Path,
    made: dict[str, SceneSplit] | dict[str, ObjectSplit] | dict[str, PeopleSplit] | dict[str, SpeciesSplit],
    image_size: int,
) -> dict[str, Tensor]:
    """The images of drawn splits, uint8 [n_images, 3, H, W], memory-mapped; drawn now if the cache lacks them."""

    def draw(part: Path) -> None:
        for name, split in made.items():
            pixels = np.stack([split.draw(i, image_size) for i in range(len(split.scenes))])
            write_tensors(part / f"{name}.safetensors", {"images": torch.from_numpy(pixels).permute(0, 3, 1, 2)})

    prepare_folder(folder, draw)
    sizes = {name: (len(split.scenes), 3, None, None) for name, split in made.items()}
    holding = {name: {"images": ("torch.uint8", *size)} for name, size in sizes.items()}
    return {name: read_tensors(folder / f"{name}.safetensors", holding[name])["images"] for name in made}


def _scenes(size: str, seed: int, image_size: int = 128, **configuration: float) -> Corpus:
    _check_drawn(size, SIZES, image_size, largest=1024)
    settings = make_configuration(**configuration)
    made = {name: make_split(name, n, seed, settings) for name, n in SIZES[size].items()}
    key = hashlib.sha256(f"{image_size} {settings} {source_hash(scenes, streams)}".encode()).hexdigest()[:8]
    folder = cache_dir() / "corpora" / f"scenes-{size}-seed{seed}-{key}"
    images = _pictures(folder, made, image_size)
    splits = {name: _scene_split(split, images[name], f"{folder.name}/{name}") for name, split in made.items()}
    shared = shared_captions(splits["train"].captions, splits["test"].captions)
    note = f"{shared:,} of {len(splits['test'].captions):,} test captions also occur in train, word for word"
    return Corpus("scenes", splits, drawn=True, about=f"drawn scenes, size {size}, seed {seed}; {note}")


def _scene_split(made: SceneSplit, images: Tensor, fingerprint: str) -> Split:
    facts = SplitFacts(
        of_image=[scene_facts(scene) for scene in made.scenes],
        of_caption=[closure(truth.facts) for truth in made.truths],
        truths=made.truths,
        scenes=made.scenes,
        minimal_pairs=made.minimal_pairs,
        duplicates=made.duplicates,
    )
    return Split(
        name=made.name,
        images=images,  # uint8 [n_images, 3, H, W], memory-mapped
        captions=[truth.text for truth in made.truths],
        image_of=torch.tensor(made.image_of),
        groundings=made.groundings(),
        facts=facts,
        boxes=[torch.tensor(b, dtype=torch.float32).reshape(-1, 4) for b in made.boxes()],
        fingerprint=fingerprint,
        draw=made.draw,
    )


def _objects(size: str, seed: int, image_size: int = 64, **options: Any) -> Corpus:
    refuse_options("objects", options, "its only option is image_size")
    _check_drawn(size, objects_world.SIZES, image_size, largest=256)
    made = {name: objects_world.make_split(name, n, seed) for name, n in objects_world.SIZES[size].items()}
    key = hashlib.sha256(f"{image_size} {source_hash(scenes, objects, streams)}".encode()).hexdigest()[:8]
    folder = cache_dir() / "corpora" / f"objects-{size}-seed{seed}-{key}"
    images = _pictures(folder, made, image_size)
    classes = ClassTree(list(KINDS), parents(), frozenset(KINDS) - unseen_kinds(seed))
    splits = {name: _object_split(split, images[name], f"{folder.name}/{name}") for name, split in made.items()}
    note = f"{len(classes.seen)} kinds seen in training, {len(classes.names) - len(classes.seen)} not"
    return Corpus(
        "objects", splits, drawn=True, about=f"drawn objects, size {size}, seed {seed}; {note}", classes=classes
    )


def _object_split(made: ObjectSplit, images: Tensor, fingerprint: str) -> Split:
    number = {kind: i for i, kind in enumerate(KINDS)}
    return Split(
        name=made.name,
        images=images,  # uint8 [n_images, 3, H, W], memory-mapped
        captions=made.kinds,
        image_of=torch.arange(len(made.scenes)),
        identity=torch.tensor([number[kind] for kind in made.kinds]),
        boxes=[torch.tensor([box], dtype=torch.float32) for box in made.boxes()],
        fingerprint=fingerprint,
        draw=made.draw,
    )


def _people(size: str, seed: int, image_size: int = 96, **configuration: float) -> Corpus:
    _check_drawn(size, people_world.SIZES, image_size, largest=512)
    settings = people_configuration.make_configuration(**configuration)
    made = people_world.make_world(size, seed, settings)
    key = hashlib.sha256(f"{image_size} {settings} {source_hash(scenes, people, streams)}".encode()).hexdigest()[:8]
    folder = cache_dir() / "corpora" / f"people-{size}-seed{seed}-{key}"
    images = _pictures(folder, made, image_size)
    splits = {name: _people_split(split, images[name], f"{folder.name}/{name}") for name, split in made.items()}
    note = f"{100 * people_world.ambiguity(made['test']):.0f} % of the test captions are true of more than one person"
    return Corpus("people", splits, drawn=True, about=f"drawn people, size {size}, seed {seed}; {note}")


def _people_split(made: PeopleSplit, images: Tensor, fingerprint: str) -> Split:
    facts = SplitFacts(
        of_image=[people_facts.sighting_facts(sighting) for sighting in made.scenes],
        of_caption=[people_facts.closure(truth.facts) for truth in made.truths],
        truths=made.truths,
        scenes=made.scenes,
        minimal_pairs=made.image_minimal_pairs(),
    )
    return Split(
        name=made.name,
        images=images,  # uint8 [n_images, 3, H, H // 2], memory-mapped
        captions=[truth.text for truth in made.truths],
        image_of=torch.tensor(made.image_of),
        identity=torch.tensor(made.identities),
        groundings=made.groundings(),
        facts=facts,
        boxes=[torch.tensor(b, dtype=torch.float32) for b in made.boxes()],
        fingerprint=fingerprint,
        draw=made.draw,
    )


def _species(name: str, size: str, seed: int, image_size: int = 64, **options: Any) -> Corpus:
    refuse_options(name, options, "its only option is image_size")
    world, package = {"birds": (birds_world.WORLD, birds), "flowers": (flowers_world.WORLD, flowers)}[name]
    _check_drawn(size, world.sizes, image_size, largest=256)
    made = species_world.make_splits(world, size, seed)
    key = hashlib.sha256(f"{image_size} {source_hash(package, species, scenes, streams)}".encode()).hexdigest()[:8]
    folder = cache_dir() / "corpora" / f"{name}-{size}-seed{seed}-{key}"
    images = _pictures(folder, made, image_size)
    everyone = made["train"].species
    classes = ClassTree(
        [one.name for one in everyone],
        species_world.parents(world, everyone),
        frozenset(everyone[number].name for number in made["train"].identity),
    )
    splits = {part: _species_split(split, images[part], f"{folder.name}/{part}") for part, split in made.items()}
    note = species_world.about(made)
    return Corpus(name, splits, drawn=True, about=f"drawn {name}, size {size}, seed {seed}; {note}", classes=classes)


def _species_split(made: SpeciesSplit, images: Tensor, fingerprint: str) -> Split:
    facts = SplitFacts(
        of_image=[species_portrait.portrait_facts(portrait) for portrait in made.scenes],
        of_caption=[species_portrait.closure(truth.facts) for truth in made.truths],
        truths=made.truths,
        scenes=made.scenes,
    )
    return Split(
        name=made.name,
        images=images,  # uint8 [n_images, 3, H, W], memory-mapped
        captions=[truth.text for truth in made.truths],
        image_of=torch.tensor(made.image_of),
        identity=torch.tensor(made.identity),
        groundings=made.groundings(),
        facts=facts,
        boxes=[torch.tensor(b, dtype=torch.float32) for b in made.boxes()],
        fingerprint=fingerprint,
        draw=made.draw,
    )


def _published(name: str, size: str, seed: int | None, **options: Any) -> Corpus:
    from itm_tutorial.data import readers

    return readers.load(name, **options, **({"seed": seed} if name in OWN else {}))


_LOADERS: dict[str, Callable[..., Corpus]] = {
    "scenes": _scenes,
    "objects": _objects,
    "people": _people,
    "birds": partial(_species, "birds"),
    "flowers": partial(_species, "flowers"),
    **{name: partial(_published, name) for name in PUBLISHED},
}
