"""Stories: sentences of a story are about one scene, and words that are kept out are nowhere."""

from collections import Counter

import pytest

from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.worlds import stories
from itm_tutorial.worlds.scenes import lexicon
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.world import make_split
from itm_tutorial.worlds.stories import KEPT_OUT, TEMPLATES, kept_out_words, write_stories

TEXT = write_stories(3_000, seed=0)
SENTENCES = [sentence for story in TEXT for sentence in story]
COUNTS = Counter(word for sentence in SENTENCES for word in sentence)
KIND_OF = {form: kind for kind in KINDS for noun in lexicon.nouns(kind) for form in (noun, lexicon.plural(noun))}


def kinds_of(sentence):
    return {KIND_OF[word] for word in sentence if word in KIND_OF}


def test_sentences_are_words_as_the_tokenizer_makes_them():
    assert len(TEXT) == 3_000 and {len(story) for story in TEXT} == {6}
    assert all(tokenize(" ".join(sentence)) == sentence for sentence in SENTENCES)
    assert min(map(len, SENTENCES)) >= 3 and max(map(len, SENTENCES)) < 30


def test_the_same_seed_gives_the_same_text_and_a_shorter_one_is_its_beginning():
    assert write_stories(20, seed=0) == TEXT[:20] and write_stories(20, seed=1) != TEXT[:20]


def test_neighbours_are_about_the_same_things_and_other_stories_about_others():
    pairs = [(story[i], story[i + 1]) for story in TEXT for i in range(5)]
    strangers = [(a[0], b[1]) for a, b in zip(TEXT, TEXT[1:], strict=False)]
    shared = [sum(bool(kinds_of(a) & kinds_of(b)) for a, b in some) / len(some) for some in (pairs, strangers)]
    assert shared[0] > 0.6 and shared[1] < 0.3


def test_shuffled_stories_have_the_same_sentences_and_no_common_scene():
    text = write_stories(3_000, seed=0, shuffled=True)
    assert sorted(sentence for story in text for sentence in story) == sorted(SENTENCES)
    pairs = [(story[i], story[i + 1]) for story in text for i in range(5)]
    assert sum(bool(kinds_of(a) & kinds_of(b)) for a, b in pairs) / len(pairs) < 0.3


def test_words_that_are_kept_out_occur_in_captions_and_in_no_story():
    assert not kept_out_words() & set(COUNTS)
    assert {"cow", "cows", "pine", "fir"} <= kept_out_words()
    captions = make_split("train", 300, 0).truths
    with_them = sum(bool(set(tokenize(truth.text)) & kept_out_words()) for truth in captions)
    assert 0.1 < with_them / len(captions) < 0.4
    assert set(KEPT_OUT) <= set(KINDS) and len({KINDS[kind].family for kind in KEPT_OUT}) >= 11


def test_stories_have_nearly_all_other_words_of_captions():
    words = Counter(word for truth in make_split("train", 300, 0).truths for word in tokenize(truth.text))
    known = sum(n for word, n in words.items() if word in COUNTS or word in kept_out_words())
    assert known / words.total() > 0.97


def test_another_choice_of_words_is_kept_out():
    counts = Counter(word for story in write_stories(500, kept_out=("dog",)) for sentence in story for word in sentence)
    assert not {"dog", "dogs", "puppy", "puppies"} & set(counts) and counts["cow"]


def test_relations_agree_with_their_reverse():
    """Of two figures in one setting, all sentences tell one kind of relation."""
    for story in TEXT[:500]:
        first_half = story[:3]
        sides = set()
        for sentence in first_half:
            text = " ".join(sentence)
            if "left of" in text or "right of" in text:
                sides.add("side")
            if any(word in sentence for word in ("front", "behind")):
                sides.add("depth")
        assert len(sides) <= 1


def test_every_template_names_known_slots():
    slots = {piece for template in (*TEMPLATES, *stories.ARRIVALS) for piece in template.split() if piece.isupper()}
    assert slots <= {"A", "B", "N", "M", "PLACE", "LIGHT", "REL", "BACK", "VERBS_A", "VERBS_B"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_stories": 0}, "n_stories is 0"),
        ({"n_sentences": 2}, "n_sentences is 2; give 3 or more"),
        ({"kept_out": ("unicorn",)}, "kept_out names 'unicorn'"),
        ({"kept_out": tuple(KINDS)[:-2]}, "leaves 2 kinds"),
    ],
)
def test_a_wrong_argument_is_refused(options, message):
    with pytest.raises(ItmError, match=message):
        write_stories(**{"n_stories": 3, **options})
