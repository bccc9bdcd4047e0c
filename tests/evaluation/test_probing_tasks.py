"""The tasks of the probes on drawn captions: labels agree with the scenes, and swaps leave every word as frequent."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.probing_tasks import changed_task, count_task, object_task, swapped_task
from itm_tutorial.evaluation.query_changes import replace_object
from itm_tutorial.worlds.scenes.kinds import KINDS


@pytest.fixture(scope="module")
def split():
    return itm.load_corpus("scenes", size="tiny", seed=0).train


def named(split, image):
    return [thing for thing in split.facts.scenes[image].things if thing.named]


def test_the_object_is_the_only_kind_of_its_family_in_the_picture(split):
    task = object_task(split)
    assert len(task) and len(task.captions) == len(task.labels) == len(task.groups)
    for label, image in zip(task.labels.tolist(), task.image_of.tolist(), strict=True):
        assert [t.kind for t in named(split, image) if KINDS[t.kind].family == "animal"] == [task.classes[label]]
    for image in set(range(len(split.images))) - set(task.image_of.tolist()):
        assert sum(KINDS[t.kind].family == "animal" for t in named(split, image)) != 1


def test_the_count_is_that_of_all_named_individuals(split):
    task = count_task(split)
    assert task.captions == split.captions and task.classes == ("2", "3", "4", "5 or more")
    for label, image in zip(task.labels.tolist(), task.image_of.tolist(), strict=True):
        assert min(sum(thing.count for thing in named(split, image)), 5) - 2 == label
    assert count_task(split, (0, 4)).classes == ("0 to 3", "4 or more")


def test_a_changed_caption_differs_and_an_unchanged_one_does_not(split):
    task = changed_task(split, replace_object, seed=1)
    originals = set(split.captions)
    assert 0.3 < task.labels.float().mean() < 0.7
    for caption, label in zip(task.captions, task.labels.tolist(), strict=True):
        assert label or caption in originals
    assert task.captions == changed_task(split, replace_object, seed=1).captions
    assert task.captions != changed_task(split, replace_object, seed=2).captions
    with pytest.raises(ItmError, match="no caption of train changes"):
        changed_task(split, lambda caption: caption)


def test_swaps_leave_every_noun_as_frequent_and_change_one_noun_of_the_same_family(split):
    task = swapped_task(split, seed=0)
    assert len(task) % 2 == 0 and 0 < int(task.labels.sum()) < len(task)
    originals = {image: split.captions_of(image) for image in range(len(split.images))}
    for row in range(0, len(task), 2):  # the two captions of a swap stand beside each other
        assert task.labels[row] == task.labels[row + 1] and task.groups[row] == task.groups[row + 1]
        for here in (row, row + 1):
            caption, image = task.captions[here], int(task.image_of[here])
            if not task.labels[here]:
                assert caption in originals[image]
                continue
            differing = [
                [(a, b) for a, b in zip(tokenize(caption), tokenize(one), strict=True) if a != b]
                for one in originals[image]
                if len(tokenize(one)) == len(tokenize(caption))
            ]
            assert any(len([pair for pair in some if {*pair} != {"a", "an"}]) == 1 for some in differing)
    changed = Counter(word for c, y in zip(task.captions, task.labels, strict=True) if y for word in tokenize(c))
    before = Counter()
    for row, (image, label) in enumerate(zip(task.image_of.tolist(), task.labels.tolist(), strict=True)):
        if label:
            words = tokenize(task.captions[row])
            fits = [
                o
                for o in originals[image]
                if len(tokenize(o)) == len(words)
                and sum(a != b and {a, b} != {"a", "an"} for a, b in zip(words, tokenize(o), strict=True)) == 1
            ]
            before.update(tokenize(fits[0]))
    for word in ("a", "an"):
        del changed[word], before[word]
    assert changed == before


def test_each_image_is_in_one_pair_and_a_coin_decides(split):
    task = swapped_task(split, seed=3)
    groups_of = {}
    for image, group in zip(task.image_of.tolist(), task.groups.tolist(), strict=True):
        groups_of.setdefault(image, set()).add(group)
    assert all(len(groups) == 1 for groups in groups_of.values())
    assert swapped_task(split, seed=3).captions == task.captions
    assert swapped_task(split, seed=4).captions != task.captions


def test_what_is_not_known_is_refused(split):
    with pytest.raises(ItmError, match="did you mean 'animal'"):
        object_task(split, "animals")
    for task in (object_task, count_task, swapped_task):
        with pytest.raises(ItmError, match="use a split of the drawn scenes"):
            task(replace(split, facts=None))
    few = replace(
        split,
        images=split.images[:1],
        captions=split.captions[:1],
        image_of=torch.zeros(1, dtype=torch.int64),
        facts=replace(split.facts, scenes=split.facts.scenes[:1], truths=split.facts.truths[:1]),
    )
    with pytest.raises(ItmError, match="no two images of train"):
        swapped_task(few)
