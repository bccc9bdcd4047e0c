"""Parses: what a ``Parse`` refuses, what follows from a tree, any text as a tree, tensors, and spaCy's converter."""

import sys
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.data import spacy_parser
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.parsing import (
    PARTS_OF_SPEECH,
    RELATIONS,
    Parse,
    WorldParser,
    parse_captions,
    parse_tensors,
    parser_for,
    relation_word,
)
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.errors import ItmError

WORLDS = ("scenes", "objects", "people", "birds", "flowers")
PARSERS = {world: WorldParser(world) for world in WORLDS}
RED_CAR = Parse(("red", "car"), (1, 1), ("amod", "root"), ("ADJ", "NOUN"), ((0, 2),), ((0, 1),))
COMMON = (
    "a the two red car dog with in on and is near of to left left of a pair man shirt wearing that has , . there it"
)
words = st.one_of(st.sampled_from(COMMON.split()), st.text(min_size=1, max_size=8))
texts = st.lists(words, min_size=1, max_size=14).map(" ".join).filter(tokenize)


def one(world, caption):
    return PARSERS[world]([caption])[0]


def named(parse):
    """Phrases, attributes and triples as words."""
    return {
        "phrases": [parse.text(range(*span)) for span in parse.noun_phrases],
        "attributes": {parse.text(pair) for pair in parse.attributes},
        "triples": {(parse.words[s], parse.text(r), parse.words[o]) for s, r, o in parse.triples},
    }


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"heads": (1,)}, "heads has 1 entries for 2 words"),
        ({"relations": ("amod",)}, "relations has 1 entries"),
        ({"parts_of_speech": ()}, "parts_of_speech has 0 entries"),
        ({"heads": (2, 1)}, "word 0 hangs on word 2; heads are 0 to 1"),
        ({"heads": (-1, 1)}, "word 0 hangs on word -1"),
        ({"heads": (0, 1)}, "2 words are their own head"),
        ({"heads": (1, 0)}, "0 words are their own head"),
        ({"relations": ("amd", "root")}, "amod"),
        ({"parts_of_speech": ("ADJ", "NOUNS")}, "did you mean 'NOUN'"),
        ({"noun_phrases": ((0, 3),)}, r"noun phrase \(0, 3\)"),
        ({"noun_phrases": ((1, 1),)}, r"noun phrase \(1, 1\)"),
        ({"attributes": ((0, 2),)}, "names word 2"),
        ({"triples": ((0, (-1,), 1),)}, "names word -1"),
        ({"triples": ((0, (), 1),)}, "no word for its relation"),
    ],
)
def test_what_is_no_parse_is_refused(change, complaint):
    with pytest.raises(ItmError, match=complaint):
        replace(RED_CAR, **change)


def test_a_cycle_beside_the_root_is_refused():
    with pytest.raises(ItmError, match="cycle"):
        Parse(("a", "b", "c"), (0, 2, 1), ("root", "dep", "dep"), ("X", "X", "X"))


def test_the_labels_are_those_of_universal_dependencies():
    assert (len(RELATIONS), len(PARTS_OF_SPEECH)) == (37, 17)
    assert sorted(set(RELATIONS)) == list(RELATIONS)


@pytest.mark.parametrize(
    ("world", "caption", "phrases", "attributes", "triples"),
    [
        (
            "scenes",
            "Two dogs stand to the left of a red car on the beach.",
            ["two dogs", "a red car", "the beach"],
            {"two dogs", "red car"},
            {("dogs", "stand to the left of", "car"), ("dogs", "stand on", "beach")},
        ),
        (
            "scenes",
            "There is a man in striped red clothes near a cat and a small dog.",
            ["a man", "striped red clothes", "a cat", "a small dog"],
            {"striped clothes", "red clothes", "small dog"},
            {("man", "in", "clothes"), ("man", "near", "cat"), ("man", "near", "dog")},
        ),
        ("scenes", "a man in red", ["a man"], {"red man"}, set()),
        (
            "people",
            "The woman has on a pair of white shoes and a hat. Her hair is long and brown.",
            ["the woman", "a pair of white shoes", "a hat", "her hair"],
            {"white shoes", "long hair", "brown hair"},
            {("woman", "has on", "shoes"), ("woman", "has on", "hat")},
        ),
        (
            "people",
            "Wearing blue jeans, a man is walking in the park.",
            ["blue jeans", "a man", "the park"],
            {"blue jeans"},
            {("man", "wearing", "jeans"), ("man", "walking in", "park")},
        ),
        (
            "birds",
            "A bird that has a mostly black crown and back, a long beak and its tail is red.",
            ["a bird", "a mostly black crown", "back", "a long beak", "its tail"],
            {"black crown", "black back", "long beak", "red tail"},
            {("bird", "has", "crown"), ("bird", "has", "back"), ("bird", "has", "beak")},
        ),
        (
            "flowers",
            "The petals are five and heart shaped.",
            ["the petals"],
            {"five petals", "shaped petals"},
            set(),
        ),
        ("objects", "car", ["car"], set(), set()),
        (
            "scenes",
            "A red and black kite flies over the house",
            ["a red and black kite", "the house"],
            {"red kite", "black kite"},
            {("kite", "flies over", "house")},
        ),
    ],
)
def test_phrases_attributes_and_triples_follow_from_the_tree(world, caption, phrases, attributes, triples):
    assert named(one(world, caption)) == {"phrases": phrases, "attributes": attributes, "triples": triples}


def test_a_query_goes_the_same_way_as_a_caption():
    assert one("scenes", "A red car on the grass.") == one("scenes", "a red car on the grass")
    assert named(one("scenes", "shiny zeppelins over Lisbon"))["triples"] == {("zeppelins", "over", "lisbon")}


@given(texts)
@settings(max_examples=150)
def test_any_text_has_a_tree(text):
    for parser in PARSERS.values():
        (parse,) = parse_captions([text], parser)  # a Parse that is no tree is refused
        assert list(parse.words) == tokenize(text)
        assert parse.relations.count("root") == 1 and parse.relations[parse.root] == "root"


@given(st.lists(texts, min_size=1, max_size=5))
@settings(max_examples=50)
def test_a_parse_depends_on_its_own_caption_alone(captions):
    parser = PARSERS["people"]
    parses = parse_captions(captions, parser)
    assert parses == [parse for caption in captions for parse in parser([caption])]
    together = parse_tensors(parses)
    for row, parse in enumerate(parses):
        for name, alone in parse_tensors([parse]).items():
            padded = together[name][row]
            inside = tuple(slice(size) for size in alone.shape[1:])
            assert torch.equal(padded[inside], alone[0]), name
            assert int(padded.sum()) == int(alone.sum()), name  # padding is 0


def test_tensors_hold_what_the_parses_say():
    captions = ["Two dogs stand to the left of a red car on the beach.", "car", "a man in red"]
    parses = parse_captions(captions, PARSERS["scenes"])
    tensors = parse_tensors(parses)
    longest = max(len(parse.words) for parse in parses)
    for row, parse in enumerate(parses):
        for w in range(longest):
            inside = w < len(parse.words)
            assert tensors["heads"][row, w] == (parse.heads[w] if inside else 0)
            assert tensors["relations"][row, w] == (RELATIONS.index(parse.relations[w]) + 1 if inside else 0)
            tag = PARTS_OF_SPEECH.index(parse.parts_of_speech[w]) + 1 if inside else 0
            assert tensors["parts_of_speech"][row, w] == tag
        triples = [(s, relation_word(parse, r), o) for s, r, o in parse.triples]
        for name, entries in (
            ("noun_phrase", parse.noun_phrases),
            ("attribute", parse.attributes),
            ("triple", triples),
        ):
            mask = tensors[f"{name}_mask"][row]
            assert mask.tolist() == [k < len(entries) for k in range(len(mask))]
            assert [tuple(entry) for entry in tensors[f"{name}s"][row][mask].tolist()] == list(entries)
            assert not tensors[f"{name}s"][row][~mask].any()
    assert [parses[0].words[w] for w in tensors["triples"][0][0].tolist()] == ["dogs", "left", "car"]
    assert {t.dtype for name, t in tensors.items() if not name.endswith("mask")} == {torch.int64}
    assert {t.dtype for name, t in tensors.items() if name.endswith("mask")} == {torch.bool}


def test_with_ends_positions_are_those_of_the_token_ids():
    captions = ["Two red cars near a tree.", "a dog"]
    tokens = Vocabulary.from_captions(captions).encode(captions)
    parses = parse_captions(captions, PARSERS["scenes"])
    plain, ends = parse_tensors(parses), parse_tensors(parses, ends=True)
    assert ends["heads"].shape == tokens.ids.shape
    assert not ends["relations"][:, 0].any()  # <start>
    assert not ends["relations"].gather(1, tokens.lengths[:, None] - 1).any()  # <end>
    linked = ends["relations"] > 0
    assert linked.sum(1).tolist() == (tokens.lengths - 2).tolist()
    assert torch.equal(ends["heads"][linked], plain["heads"][plain["relations"] > 0] + 1)
    assert torch.equal(
        ends["noun_phrases"][ends["noun_phrase_mask"]] - 1, plain["noun_phrases"][plain["noun_phrase_mask"]]
    )


@pytest.mark.parametrize("ends", [False, True])
def test_no_caption_and_captions_without_phrases_have_tensors_too(ends):
    nothing = parse_tensors([], ends)
    assert nothing["heads"].shape == (0, 0) and nothing["triples"].shape == (0, 0, 3)
    bare = parse_tensors([Parse(("hello",), (0,), ("root",), ("INTJ",))], ends)
    assert bare["heads"].shape == (1, 3 if ends else 1) and bare["triples"].shape == (1, 0, 3)
    assert bare["noun_phrase_mask"].shape == (1, 0)


def test_an_empty_caption_is_named_by_its_number():
    for parser in (PARSERS["birds"], lambda captions: pytest.fail("it was called")):
        with pytest.raises(ItmError, match=r"caption 1 has no word in it \('!!'\)"):
            parse_captions(["a bird", "!!"], parser)
    with pytest.raises(ItmError, match="caption 0"):
        PARSERS["birds"]([""])


def test_a_parser_that_gives_other_captions_or_other_words_is_refused():
    with pytest.raises(ItmError, match="0 parses for 1 captions"):
        parse_captions(["a car"], lambda captions: [])
    with pytest.raises(ItmError, match="the parser's words are 'red car'"):
        parse_captions(["a car"], lambda captions: [RED_CAR])


def test_each_corpus_has_its_parser():
    assert repr(parser_for(Corpus("birds", {}, drawn=True))) == "WorldParser('birds')"
    with pytest.raises(ItmError, match="did you mean 'birds'"):
        WorldParser("bird")


def test_a_parse_prints_as_a_table():
    assert str(RED_CAR).splitlines() == ["  0 red            ADJ    amod       car", "  1 car            NOUN   root"]


# spaCy's converter


@dataclass
class Token:
    """What the converter reads of a spaCy token."""

    text: str
    pos_: str
    dep_: str
    i: int
    head: "Token" = None


def doc(*rows):
    """A parsed text: (word, part of speech, spaCy's label, head) per token."""
    tokens = [Token(word, tag, label, i) for i, (word, tag, label, _) in enumerate(rows)]
    for token, (_, _, _, head) in zip(tokens, rows, strict=True):
        token.head = tokens[head]
    return tokens


SPACY_WORDS = "a pair of in front to the left next dog , . car as well out"
SPACY_LABELS = "prep pobj pcomp dative det nsubj attr expl punct conj agent amod relcl made_up"
IN_FRONT = doc(
    ("two", "NUM", "nummod", 1),
    ("dogs", "NOUN", "nsubj", 3),
    (",", "PUNCT", "punct", 1),
    ("stand", "VERB", "ROOT", 3),
    ("in", "ADP", "prep", 3),
    ("front", "NOUN", "pobj", 4),
    ("of", "ADP", "prep", 5),
    ("a", "DET", "det", 8),
    ("car", "NOUN", "pobj", 6),
    (".", "PUNCT", "punct", 3),
)


def test_prepositions_are_turned_and_joined():
    parse = spacy_parser.parse_of(IN_FRONT)
    assert parse.words == ("two", "dogs", "stand", "in", "front", "of", "a", "car")
    assert parse.heads == (1, 2, 2, 7, 3, 3, 7, 2)
    assert parse.relations == ("nummod", "nsubj", "root", "case", "fixed", "fixed", "det", "obl")
    assert named(parse)["triples"] == {("dogs", "stand in front of", "car")}


def test_other_labels_become_those_of_universal_dependencies():
    there = doc(
        ("there", "PRON", "expl", 1),
        ("are", "AUX", "ROOT", 1),
        ("dogs", "NOUN", "attr", 1),
        (".", "PUNCT", "punct", 1),
        ("one", "NUM", "nsubj", 5),
        ("is", "AUX", "ROOT", 5),
        ("big", "ADJ", "acomp", 5),
        ("on", "ADP", "prep", 5),
    )
    parse = spacy_parser.parse_of(there)
    assert parse.relations == ("expl", "root", "nsubj", "nsubj", "parataxis", "xcomp", "advmod")
    assert parse.heads == (1, 1, 1, 4, 1, 4, 4)


def test_a_pair_of_is_a_determiner():
    pair = doc(
        ("a", "DET", "det", 1),
        ("pair", "NOUN", "ROOT", 1),
        ("of", "ADP", "prep", 1),
        ("white", "ADJ", "amod", 4),
        ("shoes", "NOUN", "pobj", 2),
    )
    parse = spacy_parser.parse_of(pair)
    assert parse.relations == ("det", "fixed", "fixed", "amod", "root") and parse.heads == (4, 0, 0, 4, 4)
    assert named(parse)["phrases"] == ["a pair of white shoes"]


@given(st.data())
@settings(max_examples=200)
def test_whatever_tree_spacy_gives_is_converted(data):
    """Random trees over words that make phrases, with random labels and parts of speech."""
    vocabulary = st.sampled_from(SPACY_WORDS.split())
    n = data.draw(st.integers(1, 9))
    chosen = [*data.draw(st.lists(vocabulary, min_size=n, max_size=n)), "end"]
    labels = st.sampled_from(SPACY_LABELS.split())
    order = data.draw(st.permutations(range(n + 1)))
    heads = {order[0]: order[0]}
    for k in range(1, n + 1):
        heads[order[k]] = data.draw(st.sampled_from(order[: k + 1]))  # its own head: the root of another sentence
    rows = [
        (word, data.draw(st.sampled_from(PARTS_OF_SPEECH)), "ROOT" if heads[i] == i else data.draw(labels), heads[i])
        for i, word in enumerate(chosen)
    ]
    assert list(spacy_parser.parse_of(doc(*rows)).words) == [word for word in chosen if tokenize(word)]


def test_spacy_sees_our_words_and_the_marks_between_them():
    assert spacy_parser.words_and_marks('"A T-shirt, the dog\'s" ... (two) cats.') == [
        *("a", "t", "shirt", ",", "the", "dog's", ".", "two", "cats", ".")
    ]


def test_without_spacy_the_message_has_the_command(monkeypatch):
    spacy_parser.load_model.cache_clear()
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ItmError, match=r"pip install -e '\.\[parse\]' && python -m spacy download en_core_web_sm"):
        parser_for(Corpus("flickr8k", {}, drawn=False))


def test_without_the_model_the_message_has_the_command(monkeypatch):
    class Empty:
        __version__ = "3.8"
        util = type("util", (), {"is_package": staticmethod(lambda name: False)})

    spacy_parser.load_model.cache_clear()
    monkeypatch.setitem(sys.modules, "spacy", Empty)
    with pytest.raises(ItmError, match="python -m spacy download en_core_web_sm"):
        spacy_parser.SpacyParser()


def test_spacy_parses_captions_of_photographs():
    spacy = pytest.importorskip("spacy")
    if not any(spacy.util.is_package(name) for name in spacy_parser.MODELS):
        pytest.skip("spaCy's English model is not installed")
    spacy_parser.load_model.cache_clear()
    parser = parser_for(Corpus("flickr8k", {}, drawn=False))
    captions = [
        "Two dogs stand to the left of a red car on the beach.",
        "A little girl is climbing into a wooden playhouse .",
        "a T-shirt, on top of a table!",
    ]
    parses = parse_captions(captions, parser)
    assert named(parses[0]) == {
        "phrases": ["two dogs", "a red car", "the beach"],
        "attributes": {"two dogs", "red car"},
        "triples": {("dogs", "stand to the left of", "car"), ("dogs", "stand on", "beach")},
    }
    assert ("girl", "climbing into", "playhouse") in named(parses[1])["triples"]
    assert "wooden playhouse" in named(parses[1])["attributes"]
    assert parses == [parse for caption in captions for parse in parser([caption])]
