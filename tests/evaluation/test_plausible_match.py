"""PMRP against a loop over queries and distances written from the paper's definition."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.plausible_match import evaluate_plausible_matches, object_labels, plausible_matches
from itm_tutorial.evaluation.true_matches import true_matches


def by_loop(scores, image_of, labels, distances):
    """PMRP of one direction: ``scores`` [n_queries, n_items]; ``image_of`` is a pair of lists, of queries and items."""
    of_query, of_item = image_of
    values = []
    for zeta in distances:
        for query, row in enumerate(scores.tolist()):
            if not any(labels[of_query[query]]):
                continue
            items = [item for item in range(len(row)) if any(labels[of_item[item]])]
            near = {
                item: sum(a != b for a, b in zip(labels[of_query[query]], labels[of_item[item]], strict=True)) <= zeta
                for item in items
            }
            ranking = sorted(items, key=lambda item: (-row[item], near[item]))
            n = sum(near.values())
            values.append(sum(near[item] for item in ranking[:n]) / n)
    return 100 * sum(values) / len(values)


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_a_loop(seed):
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.rand(8, 5, generator=generator) < 0.4).int()
    labels[2] = 0  # without instance labels: left out
    image_of = torch.cat([torch.arange(8), torch.randint(8, (12,), generator=generator)])
    scores = torch.randint(6, (8, 20), generator=generator).double()  # with ties
    found = evaluate_plausible_matches(scores, image_of, labels)
    images, captions = list(range(8)), image_of.tolist()
    rows = labels.tolist()
    assert found.t2i == pytest.approx(by_loop(scores.T, (captions, images), rows, (0, 1, 2)))
    assert found.i2t == pytest.approx(by_loop(scores, (images, captions), rows, (0, 1, 2)))
    assert found.n_images == int(labels.any(1).sum()) < 8


def test_hamming_distances_of_the_example():
    labels = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1]])  # cat and mat, cat, dog
    image_of = torch.tensor([0, 1, 2])
    assert plausible_matches(labels, image_of, 0).tolist() == torch.eye(3).bool().tolist()
    assert plausible_matches(labels, image_of, 1)[0].tolist() == [True, True, False]
    assert plausible_matches(labels, image_of, 2)[1].tolist() == [True, True, True]
    assert plausible_matches(labels.bool(), image_of, 3).all()


def test_the_distances_are_averaged_and_images_without_labels_go():
    scores = torch.tensor([[3.0, 1.0, 9.0], [2.0, 4.0, 9.0], [9.0, 9.0, 9.0]])
    labels = torch.tensor([[1, 0], [0, 1], [0, 0]])
    found = evaluate_plausible_matches(scores, torch.tensor([0, 1, 2]), labels)
    assert found.n_images == 2 and found.i2t == found.t2i == 100  # the third image would be first everywhere
    assert set(found.by_distance) == {0, 1, 2} and "distance up to 1" in repr(found)
    worse = evaluate_plausible_matches(-scores, torch.tensor([0, 1, 2]), labels, distances=(0, 2))
    assert worse.by_distance[0] == (0, 0) and worse.by_distance[2] == (100, 100) and worse.i2t == 50


def test_a_plausible_match_of_drawn_scenes_need_not_be_true(tiny):
    split = tiny.test
    labels = object_labels(split)
    assert labels.shape[0] == len(split.images) and labels.any(1).all()
    for shown, scene in zip(labels.sum(1).tolist(), split.facts.scenes, strict=True):
        assert shown == len({thing.kind for thing in scene.things if thing.named})
    near, true = plausible_matches(labels, split.image_of, 2), true_matches(split)
    assert (near & ~true).any()
    assert 0 < evaluate_plausible_matches(itm.oracle_scores(split), split.image_of, labels).i2t <= 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": torch.tensor([[2, 0], [0, 1]])}, "labels is .*of True and False"),
        ({"labels": torch.ones(3, 2)}, "labels has 3 rows for 2 images"),
        ({"labels": torch.zeros(2, 2)}, "no image with a caption has a label"),
        ({"distances": ()}, "distances is empty"),
        ({"distances": (-1,)}, "distance is -1"),
        ({"image_of": torch.tensor([0, 5])}, "names images 0 to 5"),
        ({"scores": torch.full((2, 2), float("inf"))}, "scores: inf"),
    ],
)
def test_wrong_arguments_get_one_sentence(change, message):
    given = {"scores": torch.eye(2), "image_of": torch.tensor([0, 1]), "labels": torch.eye(2)} | change
    with pytest.raises(ItmError, match=message):
        evaluate_plausible_matches(**given)


def test_people_have_no_objects_of_scenes(cache):
    with pytest.raises(ItmError, match="no facts about objects of scenes"):
        object_labels(itm.load_corpus("people", size="tiny").test)
