"""The drawn objects: seen and unseen kinds, drawing, and the tree of classes."""

import copy
import hashlib
import pickle
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.corpus import ClassTree
from itm_tutorial.errors import ItmError
from itm_tutorial.worlds.objects.tree import parents, unseen_kinds
from itm_tutorial.worlds.objects.world import SIZES, make_split
from itm_tutorial.worlds.scenes.kinds import FAMILIES, KINDS

SPLIT = make_split("train", 600, seed=3)
TREE = ClassTree(
    ["fox", "wolf", "hen", "car"],
    {"fox": "animal", "wolf": "animal", "hen": "bird", "animal": "creature", "bird": "creature"}
    | {"creature": "thing", "car": "thing"},
    frozenset({"fox", "car"}),
)


@pytest.fixture(scope="module")
def objects(cache):
    return itm.load_corpus("objects", size="tiny")


@pytest.mark.parametrize("seed", range(5))
def test_every_family_stands_on_both_sides(seed):
    hidden = unseen_kinds(seed)
    for family in FAMILIES:
        same_family = {kind.name for kind in KINDS.values() if kind.family == family}
        assert len(same_family & hidden) >= 1 and len(same_family - hidden) >= 2
    assert (len(KINDS) - len(hidden), len(hidden)) == (48, 21)


def test_another_seed_hides_other_kinds():
    assert len({unseen_kinds(seed) for seed in range(10)}) == 10


@pytest.mark.parametrize("name", ["train", "val", "test", "unseen"])
def test_a_split_shows_its_kinds_equally_often_in_shuffled_order(name):
    split = make_split(name, SIZES["mini"][name], seed=1)
    counts = Counter(split.kinds)
    hidden = unseen_kinds(1)
    assert set(counts) == (hidden if name == "unseen" else set(KINDS) - hidden)
    assert sum(counts.values()) == SIZES["mini"][name]
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(set(split.kinds[:50])) > 15


def test_splits_and_seeds_share_no_picture():
    splits = [make_split(name, 100, seed) for name in ("train", "val", "test") for seed in (0, 1)]
    scenes = [scene for split in splits for scene in split.scenes]
    assert len(set(scenes)) == len(scenes)


def test_the_same_seed_gives_the_same_pictures_in_another_process():
    code = (
        "import hashlib; from itm_tutorial.worlds.objects.world import make_split;"
        "s = make_split('unseen', 30, 5);"
        "print(hashlib.sha256(repr((s.scenes, s.tilts)).encode()"
        " + b''.join(s.draw(i).tobytes() for i in range(30))).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": h}, capture_output=True, text=True, check=True
        )
        for h in ("1", "2")
    ]
    split = make_split("unseen", 30, 5)
    here = hashlib.sha256(
        repr((split.scenes, split.tilts)).encode() + b"".join(split.draw(i).tobytes() for i in range(30))
    ).hexdigest()
    assert runs[0].stdout == runs[1].stdout == here + "\n"


def test_the_box_holds_the_object_and_is_filled_by_it():
    empty = replace(SPLIT, scenes=[replace(scene, things=()) for scene in SPLIT.scenes])
    size, filled = 96, []
    for image, box in enumerate(SPLIT.boxes()[:150]):
        changed = np.abs(SPLIT.draw(image, size).astype(int) - empty.draw(image, size)).sum(axis=2) > 60
        x0, y0, x1, y1 = (size * v for v in box)
        ys, xs = np.nonzero(changed)
        assert xs.min() >= x0 - 2 and xs.max() <= x1 + 1 and ys.min() >= y0 - 2
        assert ys.max() <= y1 + 0.09 * size  # its shadow reaches a little below
        filled.append(changed[round(y0) : round(y1) + 1, round(x0) : round(x1) + 1].mean())
    assert np.mean(filled) > 0.4


def test_objects_are_large_and_whole():
    boxes = np.array(SPLIT.boxes())
    seq_len = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    assert seq_len.min() > 0.2 and seq_len.max() <= 1
    assert (boxes[:, 3] > boxes[:, 1]).all() and (boxes[:, 2] > boxes[:, 0]).all()


def test_pictures_of_a_kind_differ():
    foxes = [image for image, kind in enumerate(SPLIT.kinds) if kind == SPLIT.kinds[0]]
    assert len({SPLIT.draw(image).tobytes() for image in foxes}) == len(foxes) > 5
    things = [SPLIT.scenes[image].things[0] for image in foxes]
    assert len({(thing.colour, thing.size) for thing in things}) > 3
    assert {thing.spots[0].flip for thing in things} == {True, False}


def test_boats_are_on_water_and_aircraft_under_the_sky():
    places = {habitat: set() for habitat in ("water", "sky", "ground", "top")}
    for scene in make_split("unseen", 2000, 0).scenes + SPLIT.scenes:
        places[KINDS[scene.things[0].kind].habitat].add(scene.place)
    assert places["water"] == {"lake", "beach"} and "room" not in places["sky"]
    assert len(places["ground"]) == len(places["top"]) == 10


def test_load_corpus(objects):
    assert {name: len(split.images) for name, split in objects.splits.items()} == SIZES["tiny"]
    classes, hidden = objects.classes, unseen_kinds(0)
    for name, split in objects.splits.items():
        assert split.images.shape[1:] == (3, 64, 64) and split.images.dtype == torch.uint8
        assert split.captions == [classes.names[i] for i in split.identity]
        assert split.image_of.tolist() == list(range(len(split.images)))
        assert all(box.shape == (1, 4) and box.min() >= 0 and box.max() <= 1 for box in split.boxes)
        assert split.facts is None and split.groundings is None
        assert {caption in hidden for caption in split.captions} == {name == "unseen"}
    assert objects.unseen is objects.splits["unseen"]
    assert (objects.train.images[7].permute(1, 2, 0).numpy() == make_split("train", 60, 0).draw(7)).all()
    assert itm.load_corpus("objects", size="tiny", image_size=32).val.images.shape == (20, 3, 32, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 300}, "32 to 256"),
        ({"minimal_pairs": 0.5}, "'minimal_pairs': its only option is image_size"),
        ({"size": "huge"}, "size 'huge'"),
    ],
)
def test_wrong_options_are_refused(cache, options, message):
    with pytest.raises(ItmError, match=message):
        itm.load_corpus("objects", **options)


def test_the_tree_of_the_kinds(objects):
    tree = objects.classes
    assert tree.names == list(KINDS) and tree.parent == parents()
    assert tree.ancestors("fox") == ["animal", "creature", "thing"]
    assert [tree.distance("fox", other) for other in ("fox", "wolf", "hen", "car")] == [0, 2, 4, 6]
    assert sorted([*tree.seen_classes.tolist(), *tree.unseen_classes.tolist()]) == list(range(69))
    assert {tree.names[i] for i in tree.unseen_classes} == unseen_kinds(0)


def test_distances_by_hand():
    # fox, wolf, hen, car: an animal and a bird meet at creature, the car only at the root
    assert TREE.distances().tolist() == [[0, 2, 4, 4], [2, 0, 4, 4], [4, 4, 0, 4], [4, 4, 4, 0]]
    assert TREE.distances().dtype == torch.int64
    assert all(
        TREE.distance(a, b) == TREE.distances()[i, j]
        for i, a in enumerate(TREE.names)
        for j, b in enumerate(TREE.names)
    )
    assert TREE.distance("fox", "creature") == 2
    assert (TREE.seen_classes.tolist(), TREE.unseen_classes.tolist()) == ([0, 3], [1, 2])


def test_a_tree_of_one_level_is_legal():
    flat = ClassTree(["a", "b", "c"], dict.fromkeys("abc", "root"), frozenset("abc"))
    assert flat.distances().tolist() == [[0, 2, 2], [2, 0, 2], [2, 2, 0]]
    assert flat.unseen_classes.tolist() == [] and flat.unseen_classes.dtype == torch.int64


@pytest.mark.parametrize(
    ("names", "parent", "seen", "message"),
    [
        ([], {}, [], "no leaf"),
        (["fox", "fox"], {"fox": "animal"}, [], "names holds 'fox' twice"),
        (["fox", "hen"], {"fox": "animal"}, [], "from the leaf 'hen' to the root"),
        (["fox", "animal"], {"fox": "animal", "animal": "thing"}, [], "'animal' is in names but has children"),
        (["fox"], {"fox": "a", "a": "b", "b": "a"}, [], "a cycle, a -> b -> a"),
        (["fox"], {"fox": "fox"}, [], "'fox' is in names but has children"),
        (["fox", "car"], {"fox": "animal", "car": "vehicle"}, [], "two roots, 'animal' .*'fox'.* and 'vehicle'"),
        (["fox"], {"fox": "animal"}, ["foxx"], "leaf in seen 'foxx': did you mean 'fox'"),
        (["fox"], {"fox": "animal"}, ["animal"], "leaf in seen 'animal'"),
    ],
)
def test_what_is_no_tree_is_refused(names, parent, seen, message):
    with pytest.raises(ItmError, match=message):
        ClassTree(names, parent, frozenset(seen))


def test_an_unknown_node_names_the_nearest():
    with pytest.raises(ItmError, match="did you mean 'wolf'"):
        TREE.distance("fox", "wolff")


def test_a_missing_split_says_which_there_are(objects, tiny):
    with pytest.raises(ItmError, match="no unseen split: it has train, val, test"):
        tiny.unseen  # noqa: B018
    with pytest.raises(ItmError, match="no train split: it has unseen"):
        replace(objects, splits={"unseen": objects.unseen}).train  # noqa: B018
    with pytest.raises(AttributeError, match="splat"):
        objects.splat  # noqa: B018
    assert tiny.classes is None


def test_a_corpus_can_be_copied_and_pickled(objects):
    for other in (copy.copy(objects), copy.deepcopy(objects), pickle.loads(pickle.dumps(objects))):
        assert other.classes == objects.classes and other.unseen.captions == objects.unseen.captions
