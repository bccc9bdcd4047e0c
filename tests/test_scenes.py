"""The drawn scenes: what they promise about facts, siblings, streams and captions."""

import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.data.text import tokenize
from itm_tutorial.data.worlds.scenes.dials import Dials, make_dials
from itm_tutorial.data.worlds.scenes.facts import closure, entails, relevance, scene_facts
from itm_tutorial.data.worlds.scenes.grammar import PERTURBATIONS, perturb
from itm_tutorial.data.worlds.scenes.kinds import KINDS
from itm_tutorial.data.worlds.scenes.layout import SIBLING_KINDS
from itm_tutorial.data.worlds.scenes.world import make_split, shared_captions
from itm_tutorial.errors import ItmError

SPLIT = make_split("train", 600, seed=3)


def test_every_caption_states_only_what_is_true_and_splits_into_its_words():
    for truth, image in zip(SPLIT.truths, SPLIT.image_of, strict=True):
        assert truth.facts <= scene_facts(SPLIT.scenes[image]), truth.text
        assert tokenize(truth.text) == [word.text for word in truth.words]
        assert all(0 <= word.head < len(truth.words) for word in truth.words)


def test_five_different_captions_an_image():
    for image in range(600):
        assert len({truth.text for truth in SPLIT.truths[5 * image : 5 * image + 5]}) == 5


def test_siblings_differ_in_the_one_thing_they_are_tagged_with():
    kinds = {kind for _, _, kind in SPLIT.siblings}
    assert kinds == set(SIBLING_KINDS)
    for a, b, kind in SPLIT.siblings:
        differ = scene_facts(SPLIT.scenes[a]) ^ scene_facts(SPLIT.scenes[b])
        assert differ, kind
        if kind != "kin":
            assert {fact[0] for fact in differ} == {{"binding": "attribute"}.get(kind, kind)}
    share = 2 * len(SPLIT.siblings) / 600
    assert 0.17 < share < 0.33


def test_twins_share_their_facts_and_are_rare():
    split = make_split("train", 3000, seed=0)
    assert 0 < 2 * len(split.twins) / 3000 <= 0.04
    assert all(scene_facts(split.scenes[a]) == scene_facts(split.scenes[b]) for a, b in split.twins)


def test_the_same_seed_gives_the_same_world_in_another_process():
    code = (
        "import hashlib; from itm_tutorial.data.worlds.scenes.world import make_split; s = make_split('val', 20, 5);"
        "print(hashlib.sha256((repr(s.scenes) + repr([t.text for t in s.truths])).encode()"
        " + b''.join(s.draw(i).tobytes() for i in range(20))).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": h}, capture_output=True, text=True, check=True
        )
        for h in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != ""


@pytest.mark.parametrize(
    "dial", ["completeness", "synonyms", "wrong_captions", "misspellings", "hypernyms", "relations"]
)
def test_a_dial_on_text_leaves_scenes_and_pictures_as_they_were(dial):
    turned = make_split("train", 40, seed=3, dials=make_dials(**{dial: 0.9}))
    assert turned.scenes == SPLIT.scenes[:40]
    assert (turned.draw(7) == SPLIT.draw(7)).all()
    assert [t.text for t in turned.truths] != [t.text for t in SPLIT.truths[:200]]


def test_wrong_captions_leave_the_others_word_for_word():
    wrong = make_split("train", 200, seed=3, dials=Dials(wrong_captions=0.1))
    changed = [a.text != b.text for a, b in zip(wrong.truths, SPLIT.truths, strict=False)]
    assert 0.05 < sum(changed) / len(changed) < 0.15


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_perturb_changes_what_it_says_and_nothing_else(kind):
    done = 0
    for truth in SPLIT.truths[:400]:
        changed = perturb(truth, kind, Random(0))
        if changed is None:
            continue
        new, fact = changed
        done += 1
        assert new.text != truth.text
        assert tokenize(new.text) == [word.text for word in new.words]
        if kind == "paraphrase":
            assert fact is None and new.facts == truth.facts
        else:
            assert fact in new.facts and fact not in truth.facts
    assert done > 10


def test_groundings_point_at_the_boxes_of_the_thing_named():
    boxes = SPLIT.boxes()
    owner = [[thing.kind for thing in scene.things for _ in thing.spots] for scene in SPLIT.scenes]
    pairs = 0
    for truth, image, grounding in zip(SPLIT.truths, SPLIT.image_of, SPLIT.groundings(), strict=True):
        for word, box in grounding:
            assert box < len(boxes[image])
            if truth.words[word].word_class == "noun" and truth.words[word].meaning in KINDS:
                assert owner[image][box] == truth.words[word].meaning
                pairs += 1
    assert pairs > 1000


def test_facts_by_hand():
    said = {("attribute", "dog", "brown"), ("relation", "left", "dog", "car")}
    assert entails(said, {("object", "animal"), ("relation", "left", "animal", "vehicle")})
    assert not entails(said, {("relation", "left", "car", "dog")})
    assert relevance(said, closure({("attribute", "dog", "brown")})) == 0.5


@given(st.integers(0, 599), st.integers(0, 2999))
def test_closure_is_idempotent_and_truth_is_closed(image, caption):
    facts = scene_facts(SPLIT.scenes[image])
    assert closure(facts) == facts
    stated = SPLIT.truths[caption].facts
    assert entails(stated, stated)
    assert relevance(closure(stated), scene_facts(SPLIT.scenes[SPLIT.image_of[caption]])) == 1


def test_dials_are_checked():
    with pytest.raises(ItmError, match="siblings"):
        Dials(siblings=1.5)
    with pytest.raises(ItmError, match="wrong_captions"):
        make_dials(wrong_caption=0.1)


def test_shared_captions_are_counted():
    assert shared_captions(["a", "b"], ["b", "b", "c"]) == 2
