"""What a text states about a scene: read from the text alone, it is what the grammar knows of its captions."""

import pytest
import torch

from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.statements import has_statements, statements
from itm_tutorial.worlds.scenes.configuration import Configuration
from itm_tutorial.worlds.scenes.world import make_split


@pytest.mark.parametrize("configuration", [None, Configuration(synonyms=0.5, completeness=1.0), Configuration(order=1)])
def test_a_caption_states_what_the_grammar_wrote_into_it(configuration):
    split = make_split("test", 120, seed=3, configuration=configuration)
    assert len(split.truths) == 600
    for truth in split.truths:
        assert {statement.fact for statement in statements(truth.text)} == truth.facts, truth.text


def test_statements_are_grouped_by_their_thing_and_say_it_in_words():
    found = statements("Two small grey wolves stand behind a man in striped red clothes in the woods at night.")
    assert [(s.subject, s.words) for s in found] == [
        ("wolf", "wolf"),
        ("wolf", "two"),
        ("wolf", "small"),
        ("wolf", "grey"),
        ("man", "man"),
        ("man", "striped"),
        ("man", "red"),
        ("", "man in front of wolf"),
        ("", "in the forest"),
        ("", "at night"),
    ]
    assert found[1].fact == ("count", "wolf", 2) and found[7].fact == ("relation", "front", "man", "wolf")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("", set()),
        ("?!", set()),
        ("zebras and ghosts", set()),
        ("wolf", {("object", "wolf")}),
        ("the dog is red", {("object", "dog"), ("attribute", "dog", "red")}),
        ("a tall building", {("object", "building")}),  # only people are tall
        ("一只狗 a cat", {("object", "cat")}),
    ],
)
def test_any_text_has_statements_or_none(text, facts):
    assert {statement.fact for statement in statements(text)} == facts


def test_only_drawn_scenes_have_statements(tiny):
    assert has_statements(tiny.test)
    blank = Split("val", [torch.zeros(3, 4, 4, dtype=torch.uint8)], ["a dog"], torch.tensor([0]))
    assert not has_statements(blank)
