"""Changed queries: one thing differs, and a text without such a thing stays as it is."""

import pytest

from itm_tutorial.evaluation.query_changes import CHANGES, change_count, exchange_sides, replace_object, swap_colours


@pytest.mark.parametrize(
    ("change", "query", "changed"),
    [
        (exchange_sides, "A dog to the left of a van.", "A dog to the right of a van."),
        (exchange_sides, "a dog in front of a van, right of a tree", "a dog behind a van, left of a tree"),
        (exchange_sides, "a plane over a house", "a plane under a house"),
        (swap_colours, "A red dog and a red van near a gray cat.", "A gray dog and a red van near a red cat."),
        (swap_colours, "Red vans and blue dogs", "blue vans and Red dogs"),
        (change_count, "Two dogs and three cats", "Three dogs and three cats"),
        (change_count, "several dogs and four cats", "several dogs and three cats"),
        (replace_object, "A wolf and a dog in a room.", "A cat and a dog in a room."),
        (replace_object, "Puppies near an owl", "Cats near an owl"),
        (replace_object, "an owl", "a duck"),
        (replace_object, "a swan and a duck", "a hen and a duck"),
    ],
)
def test_one_thing_changes(change, query, changed):
    assert change(query) == changed


@pytest.mark.parametrize("change", CHANGES.values())
@pytest.mark.parametrize("query", ["", "a red zebra", "bright leftovers", "twofold", "grey and gray"])
def test_a_text_without_such_a_thing_stays(change, query):
    assert change(query) == query


def test_sides_exchanged_twice_are_the_first_query():
    query = "a dog to the left of a van behind a tree, under a balloon"
    assert exchange_sides(exchange_sides(query)) == query != exchange_sides(query)


def test_the_changes_are_the_kinds_of_minimal_pairs(tiny):
    assert {kind for _, _, kind in tiny.train.facts.minimal_pairs} <= set(CHANGES)
