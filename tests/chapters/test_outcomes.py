"""What a trained model must reach and an untrained one cannot: bands around the figures kept in claims/results.json."""

from statistics import mean, stdev

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.experiment import results

FIGURES = results("start_here")["figures"]


def band(model: str) -> tuple[float, float]:
    """Where rsum must lie: within six standard deviations over the kept seeds (at least 8), and under the ceiling."""
    kept = [row["rsum"] for row in FIGURES if row["model"] == model]
    width = 6 * max(8.0, stdev(kept))
    return mean(kept) - width, min(mean(kept) + width, min(r["rsum"] for r in FIGURES if r["model"] == "ceiling"))


@pytest.fixture(scope="module")
def scenes(cache):
    return itm.load_corpus("scenes")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bow", "vse"])
def test_training_reaches_its_band_and_no_training_does_not(scenes, name):
    low, high = band(name)
    model = itm.create_model(name, scenes)
    untrained = itm.evaluate(itm.score(model, scenes.test), scenes.test.image_of)
    itm.fit(model, scenes)
    trained = itm.evaluate(itm.score(model, scenes.test), scenes.test.image_of)
    assert untrained.rsum < low < trained.rsum < high
    chance = 100 * (1 + 5 + 10) / 1000  # of caption to image; an image has five chances
    assert untrained.rsum < 6 * chance + 10


@pytest.mark.slow
def test_right_captions_on_wrong_images_teach_nothing(scenes):
    """A shuffled pairing must fall out of the band that the right one reaches."""
    train = scenes.train
    shuffled = train.image_of[torch.randperm(len(train.image_of), generator=torch.Generator().manual_seed(0))]
    wrong = itm.Corpus(
        "scenes", {**scenes.splits, "train": itm.Split("train", train.images, train.captions, shuffled)}, drawn=True
    )
    model = itm.create_model("bow", wrong)
    itm.fit(model, wrong, epochs=2)
    report = itm.evaluate(itm.score(model, scenes.test), scenes.test.image_of)
    assert report.rsum < band("bow")[0] / 4


@pytest.mark.slow
def test_finding_people_reaches_its_band_and_guessing_does_not(cache):
    """Half of ``cmpl``'s epochs reach half of what its kept figures reach; embeddings before training find nobody."""
    people = itm.load_corpus("people")
    kept = [row["t2i"]["r1"] for row in results("timam")["figures"] if row["model"] == "cmpl" and "t2i" in row]
    model = itm.create_model("cmpl", people)
    r1 = []
    for epochs in (0, 5):
        if epochs:
            itm.fit(model, people, epochs=epochs)
        test = people.test
        r1.append(itm.evaluate(itm.score(model, test), test.image_of, identity=test.identity).t2i.r1)
    assert r1[0] < 5 < mean(kept) / 2 < r1[1] < mean(kept) + 6 * max(2.0, stdev(kept))
