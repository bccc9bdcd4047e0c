"""The folded answers of chapter 01: each sentence follows from the numbers, in either direction."""

import pytest
import torch

from itm_tutorial.chapters.ch01_devise import answers
from itm_tutorial.chapters.ch01_devise.claims import FEWER_HUBS
from itm_tutorial.chapters.experiment import results
from itm_tutorial.data.corpus import ClassTree
from itm_tutorial.data.word_vectors import WordVectors

FAMILIES = {"animal": "dog wolf fox", "bird": "duck swan owl", "boat": "canoe sailboat ship"}
NAMES = [kind for kinds in FAMILIES.values() for kind in kinds.split()]
HIDDEN = ["fox", "owl", "ship"]
TREE = ClassTree(
    NAMES,
    {kind: family for family, kinds in FAMILIES.items() for kind in kinds.split()}
    | {"animal": "thing", "bird": "thing", "boat": "thing"},
    frozenset(NAMES) - set(HIDDEN),
)
IDENTITY = torch.tensor([NAMES.index(kind) for kind in HIDDEN]).repeat_interleave(4)  # four pictures of each
DISTANCE, LOSSES = f"{FEWER_HUBS} N_1 unseen, L2 less dem", "rank loss beats L2 in zero-shot hit@1 (points)"


def vectors(mixed=()):
    """Words of a family near each other; those of mixed kinds near the next family."""
    places = [(NAMES.index(kind) // 3 + (kind in mixed)) % 3 for kind in NAMES]
    noise = 0.1 * torch.randn(len(NAMES), 3, generator=torch.Generator().manual_seed(0))
    return WordVectors(NAMES, torch.eye(3)[places] + noise)


def naming(*labels):
    """Scores of the twelve pictures, [12, 9]: each list of labels is for the four pictures of a kind."""
    first = torch.tensor([NAMES.index(label) for four in labels for label in four])
    return torch.eye(len(NAMES))[first] + torch.linspace(0.1, 0, len(NAMES))


RIGHT = naming(["fox"] * 4, ["owl"] * 4, ["ship"] * 4)
WRONG = naming(["ship"] * 4, ["ship"] * 4, ["owl"] * 4)
LOOKS = naming(
    ["dog"] * 4, ["dog", "dog", "dog", "canoe"], ["canoe"] * 4
)  # of the classifier: no owl looks like a bird


def effects(mean):
    return [
        {"name": name, "values": [mean] * 3, "mean": mean, "standard_error": 0.1, "verdict": f"verdict of {mean}"}
        for name in (DISTANCE, LOSSES)
    ]


def test_the_word_space_counts_families_and_names_the_nearest_hidden_word():
    text = answers.word_space(vectors(), TREE, ("owl", "unicorn", "dog"))
    assert "same family for 9 of 9 kinds, and for 3 of the 3 hidden ones" in text
    assert text.count("nearest hidden word") == 1 and "*owl*" in text and "of another family" in text
    assert "for 2 of the 3 hidden ones" in answers.word_space(vectors(["fox"]), TREE, ())
    assert answers.word_space(vectors(), TREE, ()).endswith("much that no picture shows.")


@pytest.mark.parametrize(
    ("softmax", "words"),
    [
        ([90.0, 50.0, 40.0], "is behind DeViSE from k = 2 on; at k = 3 the two have 40 % and 60 %"),
        ([90.0, 80.0, 70.0], "is behind DeViSE at no k"),
        ([90.0, 50.0, 70.0], "is behind DeViSE at 1 of 3 values of k"),
    ],
)
def test_precision_says_where_the_classifier_falls_behind(softmax, words):
    hidden = {"softmax": [0.0, 40.0, 40.0], "DeViSE": [10.0, 50.0, 55.0], "guessing": [1.0, 90.0, 90.0]}
    text = answers.precision(
        {"seen kinds": {"softmax": softmax, "DeViSE": [80.0, 70.0, 60.0]}, "hidden kinds": hidden}, range(1, 4)
    )
    assert words in text and "the best model is DeViSE with 55 %" in text


def test_generalised_names_the_model_that_loses_most():
    halved = RIGHT.clone()
    halved[::2, 0] += 5  # every other picture is named dog, a seen label
    lost = RIGHT + 5 * torch.eye(len(NAMES))[0]
    unseen = TREE.unseen_classes
    text = answers.generalised({"softmax": lost, "DeViSE": halved, "L2": lost}, IDENTITY, unseen)
    assert "DeViSE from 100.0 to 50.0 %; L2 from 100.0 to 0.0 %" in text and "softmax" not in text
    assert "L2 keeps the smallest share of its hits, 0 %. Its loss asks" in text
    other = answers.generalised({"DeViSE": lost, "L2": halved}, IDENTITY, unseen)
    assert other.endswith("DeViSE keeps the smallest share of its hits, 0 %.")
    assert "smallest share" not in answers.generalised({"DeViSE": lost, "L2": lost}, IDENTITY, unseen)


def test_kinds_tells_the_best_from_the_worst_and_counts_families():
    mixed = naming(["fox"] * 4, ["ship", "ship", "owl", "owl"], ["fox"] * 4)
    text = answers.kinds(mixed, IDENTITY, TREE)
    assert "*fox* (100 %), *owl* (50 %), *ship* (0 %) are found most often" in text
    assert "For 1 of 3 kinds the share is below the 33.3 % of guessing" in text and "wrong names, 0 %" in text
    assert "wrong names" not in answers.kinds(RIGHT, IDENTITY, TREE)
    assert answers.kinds(WRONG, IDENTITY, TREE).startswith("No picture of a hidden kind gets its name")


def test_words_and_pictures_says_whether_the_two_paths_agree():
    scores = naming(["fox"] * 4, ["ship", "ship", "ship", "fox"], ["ship", "ship", "owl", "owl"])
    text = answers.words_and_pictures(("fox", "owl", "ship"), vectors(), LOOKS, scores, IDENTITY, TREE)
    fox, owl, ship, over_all = text.split("\n\n")
    assert "The two paths agree, and *fox* is the most frequent name, with 100 %" in fox and "in 100 % of them" in fox
    assert "*dog* (75 %) and *canoe* (25 %), and in 0 % of them" in owl
    assert "The two paths disagree, and the most frequent name is *ship* (75 %); *owl* has 0 %" in owl
    assert "*ship* is the most frequent name together with *owl*, with 50 %" in ship
    assert "+0.87: this alone does not explain" in over_all  # three kinds are too few
    half = naming(["dog", "dog", "duck", "duck"], ["dog"] * 4, ["canoe"] * 4)
    assert "agree for a part" in answers.words_and_pictures(("fox",), vectors(), half, scores, IDENTITY, TREE)
    same = answers.words_and_pictures(("fox",), vectors(), LOOKS, WRONG, IDENTITY, TREE)
    assert same.endswith("There are too few pictures to compare all kinds.")


def test_the_correlation_over_kinds_is_told_in_either_direction():
    names = [f"{family}{i}" for family in "abcdefgh" for i in range(2)]
    parent = {name: name[0] for name in names} | {family: "thing" for family in "abcdefgh"}
    tree = ClassTree(names, parent, frozenset(names[::2]))
    identity = tree.unseen_classes
    found = torch.tensor([c if n < 4 else int(identity[0]) for n, c in enumerate(identity.tolist())])
    inside = torch.tensor([c - 1 if n < 4 else 0 for n, c in enumerate(identity.tolist())])  # its family's seen kind
    outside = torch.tensor([14 - 2 * (n == 7) if n < 4 else c - 1 for n, c in enumerate(identity.tolist())])
    eye = torch.eye(len(names))
    words = WordVectors(names, torch.randn(len(names), 4, generator=torch.Generator().manual_seed(0)))
    assert "found more often" in answers.words_and_pictures([names[1]], words, eye[inside], eye[found], identity, tree)
    assert "*less* often" in answers.words_and_pictures([names[1]], words, eye[outside], eye[found], identity, tree)


def test_epochs_says_when_the_family_comes_first_and_what_stays_ahead():
    swan, ship = NAMES.index("swan"), NAMES.index("ship")
    start, middle, end = WRONG.clone(), WRONG.clone(), WRONG.clone()
    middle[4, swan] += 3
    end[4, ship] += 3
    text = answers.epochs([start, middle, end], 4, IDENTITY, TREE)
    assert "first after 1 of 2 epochs" in text and "*ship* is first" in text
    better = answers.epochs([start, RIGHT], 4, IDENTITY, TREE)
    assert "to 1; its best rank is 1, after epoch 1. At the end no label is ahead" in better
    worse = answers.epochs([RIGHT, WRONG], 4, IDENTITY, TREE)
    assert "No epoch puts a label" in worse and "best rank is 1, before training" in worse


def test_hubs_says_which_methods_prefer_short_or_long_words():
    lengths = torch.arange(1.0, 11.0)
    counts = {"short": 10 - lengths.long(), "long": lengths.long(), "even": torch.full((10,), 5)}
    text = answers.hubs(counts, lengths, 4.0, 1.9, effects(0.5))
    assert "short: prefers short words (r = -1.00); long: prefers long words (r = +1.00); even: no clear" in text
    assert (
        "(mean length 1.90) is shorter than the word vectors (4.00)" in text
        and "0.5 higher than that of DEM" in text
        and "verdict of 0.5" in text
    )
    other = answers.hubs(counts, lengths, 4.0, 4.5, effects(-0.5))
    assert "no shorter than" in other and "0.5 lower than that of DEM" in other


def test_paper_compares_each_of_its_three_results():
    seen_identity = torch.tensor([0, 1])
    right, wrong = torch.eye(9)[[0, 1]], torch.eye(9)[[1, 0]]
    near = (
        right + 0.5 * torch.eye(9)[[1, 0]] + 0.4 * torch.eye(9)[[2, 2]] + 2 * wrong
    )  # the family first, in a wrong order
    seen, hidden = {"softmax": right, "DeViSE": near}, {"DeViSE": RIGHT, "L2": WRONG}
    text = answers.paper(seen, hidden, seen_identity, IDENTITY, TREE, effects(5.0)).split("\n\n")
    assert text[0].endswith("33.3 %: found.") and "100.0 against 0.0 %: found." in text[1]
    assert "5.0 points ahead of L2" in text[1] and "100.0 against 0.0 %. Hierarchical" in text[2]
    other = answers.paper(
        {"softmax": near, "DeViSE": right}, {"DeViSE": WRONG, "L2": RIGHT}, seen_identity, IDENTITY, TREE, effects(-5.0)
    ).split("\n\n")
    assert other[0].endswith("not found.") and "not found; L2 is at least as good" in other[1]
    assert "5.0 points behind L2" in other[1] and other[2].endswith("not found.")


def test_the_kept_runs_have_the_effects_that_the_answers_name():
    kept = results("devise")["effects"]
    lengths = torch.arange(1.0, 6.0)
    assert "Over the 5 runs" in answers.hubs({"ridge": torch.arange(5)}, lengths, 4.0, 1.9, kept)
    assert "Over the 5 runs" in answers.paper(
        {"softmax": RIGHT, "DeViSE": RIGHT}, {"DeViSE": RIGHT, "L2": RIGHT}, IDENTITY, IDENTITY, TREE, kept
    )
