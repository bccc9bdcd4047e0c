"""The details of ``fit`` that change results: the rate, Adam, the random numbers, the hooks, and which run goes on."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

import itm_tutorial as itm
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.errors import ItmError
from itm_tutorial.models import FeatureSpec, Matching, Recipe
from itm_tutorial.training.loop import fit

N_IMAGES, DIM, RATE = 8, 5, 0.1
ALL = 2 * N_IMAGES  # captions of a split: two per image; as the batch size, one step per epoch


def made_up_split(name, n_images=N_IMAGES, **changes):
    """A split that brings random features; the caption of each pair has a word of its own."""
    features = torch.randn(n_images, DIM, generator=torch.Generator().manual_seed(len(name))).numpy()
    captions = [f"picture number{i % N_IMAGES} line{i}" for i in range(ALL)]
    parts = {"captions": captions, "image_of": torch.arange(ALL) % N_IMAGES, "fingerprint": f"made-up/{name}"}
    return Split(name, [None] * n_images, precomputed=features, **{**parts, **changes})


def made_up_corpus(**splits):
    return Corpus("made up", {"train": made_up_split("train"), "val": made_up_split("val"), **splits}, drawn=True)


class Probe(Matching):
    """A model of two parameters whose loss a test gives; every image of the split has the same score.

    Args:
        loss: (the model, a batch) -> what ``fit`` makes smaller.
        start: value of the first parameter; the second has half of it.
        recipe: fields of the ``Recipe``.
    """

    def __init__(self, loss=lambda model, batch: model.first + model.second, start: float = 0.0, **recipe):
        super().__init__(Vocabulary.from_captions(made_up_split("train").captions), FeatureSpec("global", "x", DIM))
        self.first = nn.Parameter(torch.tensor(start, dtype=torch.float64))
        self.second = nn.Parameter(torch.tensor(start / 2, dtype=torch.float64))
        self.recipe, self.given = Recipe(**{"epochs": 3, "batch_size": ALL, "learning_rate": RATE, **recipe}), loss

    def encode_images(self, images):
        return torch.zeros(len(images), 1)

    def encode_captions(self, captions):
        return torch.zeros(len(captions), 1)

    def similarity(self, image_emb, caption_emb):
        return image_emb @ caption_emb.T

    def loss(self, batch):
        return self.given(self, batch)


def values_of(model, corpus=None, **options):
    """Trains a probe -> the values of its first parameter after every epoch."""
    values = []
    fit(model, corpus or made_up_corpus(), callbacks=[lambda model, row: values.append(model.first.item())], **options)
    return values


@pytest.mark.parametrize(
    ("drop_at", "epochs", "at_full_rate"),
    [(0.5, 4, 2), (0.5, 5, 3), (0.25, 4, 1), (0.5, 1, 1), (0.0, 2, 0), (1.0, 3, 3)],
)
def test_the_rate_falls_to_a_tenth_at_the_epoch_that_the_recipe_says(drop_at, epochs, at_full_rate):
    values = [0.0, *values_of(Probe(drop_at=drop_at, epochs=epochs))]
    steps = [before - after for before, after in zip(values, values[1:], strict=False)]
    rates = [RATE] * at_full_rate + [RATE / 10] * (epochs - at_full_rate)
    assert steps == pytest.approx(rates, rel=1e-4)  # Adam moves by the rate where the gradient stays the same


def adam_by_loop(start, gradients, clip, weight_decay):
    """Kingma and Ba 2015, algorithm 1, for two numbers whose gradients are clipped together, then get the decay."""
    values, means, squares = [start, start / 2], [0.0, 0.0], [0.0, 0.0]
    for step, pair in enumerate(gradients, 1):
        norm = math.sqrt(sum(g * g for g in pair))
        for i, g in enumerate(pair):
            g = g * min(1.0, clip / norm) + weight_decay * values[i]
            means[i] = 0.9 * means[i] + 0.1 * g
            squares[i] = 0.999 * squares[i] + 0.001 * g * g
            mean, square = means[i] / (1 - 0.9**step), squares[i] / (1 - 0.999**step)
            values[i] -= RATE * mean / (math.sqrt(square) + 1e-8)
    return values


NEVER = 1e9  # no gradient is that long


@pytest.mark.parametrize(("clip", "weight_decay"), [(2.0, 0.0), (NEVER, 0.0), (NEVER, 0.5), (2.0, 0.5)])
def test_gradients_are_clipped_and_weights_decay_as_the_recipe_says(clip, weight_decay):
    gradients = [(30.0, -40.0), (0.6, 0.3), (-0.2, 0.1), (9.0, 1.0)]
    left = list(gradients)

    def slope(model, batch):
        first, second = left.pop(0)
        return first * model.first + second * model.second

    model = Probe(slope, start=2.0, clip=clip, weight_decay=weight_decay, batch_size=ALL // 4, drop_at=1.0, epochs=1)
    fit(model, made_up_corpus())
    found = [model.first.item(), model.second.item()]
    assert not left and found == pytest.approx(adam_by_loop(2.0, gradients, clip, weight_decay), abs=1e-5)
    for other in [(2.0, 0.0), (NEVER, 0.0), (NEVER, 0.5), (2.0, 0.5)]:  # each setting gives numbers of its own
        assert (found == pytest.approx(adam_by_loop(2.0, gradients, *other), abs=1e-3)) == (
            other == (clip, weight_decay)
        )


def drawn_numbers(seed, epochs=3):
    """Trains a probe -> per epoch: the captions of each batch, the masks of dropout, the numbers of ``on_epoch``."""
    batches, masks, between = ([[] for _ in range(epochs)] for _ in range(3))
    now = []

    def loss(model, batch):
        batches[now[-1]].append(batch.captions.ids.tolist())
        masks[now[-1]].append(nn.functional.dropout(torch.ones(40), 0.5).tolist())
        return model.first * 1.0

    def on_epoch(state):
        now.append(state.epoch)
        between[state.epoch].append(torch.rand(5, generator=state.generator).tolist())

    model = Probe(loss, epochs=epochs, batch_size=4)
    model.on_epoch = on_epoch
    fit(model, made_up_corpus(), seed=seed)
    assert all(len(steps) == ALL // 4 for steps in batches)
    return {"batches": batches, "dropout": masks, "on_epoch": between}


@pytest.mark.parametrize("which", ["batches", "dropout", "on_epoch"])
def test_random_numbers_are_others_in_every_epoch_and_with_another_seed(which):
    first, again, other = (drawn_numbers(seed)[which] for seed in (0, 0, 1))
    assert first == again
    assert all(a != b for n, a in enumerate(first) for b in first[:n])
    assert all(a != b for a in first for b in other)


def test_what_on_epoch_draws_changes_no_batch_and_no_dropout():
    seen = [[], []]
    for n_drawn, numbers in zip((0, 100), seen, strict=True):

        def loss(model, batch, numbers=numbers):
            numbers.append((batch.captions.ids.tolist(), torch.rand(3).tolist()))
            return model.first * 1.0

        model = Probe(loss, epochs=2, batch_size=4)
        model.on_epoch = lambda state, n=n_drawn: torch.rand(n, generator=state.generator)
        fit(model, made_up_corpus())
    assert seen[0] == seen[1]


def test_validation_counts_every_image_of_the_same_identity():
    val = made_up_split("val", identity=torch.arange(N_IMAGES) // 2)

    def neighbour_first(image_emb, caption_emb):
        """Each caption scores the other image of its identity above its own."""
        scores = torch.zeros(N_IMAGES, ALL)
        own = torch.arange(ALL) % N_IMAGES
        scores[own, torch.arange(ALL)] = 1.0
        scores[own ^ 1, torch.arange(ALL)] = 2.0
        return scores

    for split, recall in ((val, 100.0), (replace(val, identity=None), 0.0)):
        model = Probe(epochs=1)
        model.similarity = neighbour_first
        row = fit(model, made_up_corpus(val=split)).epochs[0]
        assert (row["i2t_r1"], row["t2i_r1"]) == (recall, recall)


class Listening(nn.Module):
    """A loss function that writes down what it is told before each epoch."""

    def __init__(self, events):
        super().__init__()
        self.events = events

    def on_epoch(self, state):
        self.events.append(("loss", state))


def test_the_model_and_its_loss_are_told_of_each_epoch_before_its_first_batch():
    events, corpus = [], made_up_corpus()

    def loss(model, batch):
        events.append(("batch", None))
        return model.first * 1.0

    model = Probe(loss, epochs=3, batch_size=ALL // 2)
    model.on_epoch = lambda state: events.append(("model", state))
    model.loss_function = Listening(events)
    fit(model, corpus)
    assert [who for who, _ in events] == ["model", "loss", "batch", "batch"] * 3
    for who in ("model", "loss"):
        states = [state for name, state in events if name == who]
        assert [(state.epoch, state.epochs) for state in states] == [(0, 3), (1, 3), (2, 3)]
        assert all(state.model is model for state in states)
        assert all(torch.equal(state.train.image_of, corpus.train.image_of) for state in states)
        assert all(len(state.train.images) == N_IMAGES and len(state.train.captions) == ALL for state in states)


def test_a_warm_up_of_the_loss_ends_while_fit_runs():
    corpus = made_up_corpus()
    model = itm.create_model("vsepp", corpus, embed_size=4, word_dim=4, warmup=0.5)
    weights = []
    fit(model, corpus, epochs=4, batch_size=4, callbacks=[lambda m, row: weights.append(m.loss_function.hardest)])
    assert weights == [0.0, 0.0, 1.0, 1.0]


def test_every_batch_is_trained_in_training_mode():
    modes = []

    def loss(model, batch):
        modes.append(model.training)
        return model.first * 1.0

    model = Probe(loss, epochs=2, batch_size=ALL // 2).eval()
    fit(model, made_up_corpus())
    assert modes == [True] * 4
    assert not model.training


def test_the_loss_of_an_epoch_is_the_mean_over_its_batches():
    made = []

    def loss(model, batch):
        made.append(len(made) ** 2)
        return 0 * model.first + made[-1]

    history = fit(Probe(loss, epochs=2, batch_size=ALL // 4), made_up_corpus())
    assert made == [0, 1, 4, 9, 16, 25, 36, 49]
    assert [row["loss"] for row in history.epochs] == pytest.approx([14 / 4, 126 / 4])


def small_run(folder, corpus=None, recipe=None, **options):
    """One short epoch of a bag of words; it goes on from what the folder holds."""
    corpus = corpus or made_up_corpus()
    model = itm.create_model("bow", corpus, dim=4, word_dim=4)
    model.recipe = recipe or model.recipe
    return fit(model, corpus, folder=folder, **{"epochs": 1, "batch_size": 4, "learning_rate": 0.01, **options})


OTHER_SPLITS = {
    "pairing": {"image_of": (torch.arange(ALL) + 1) % N_IMAGES},
    "pictures": {"fingerprint": "made-up/others"},
    "number of pictures": {"n_images": N_IMAGES + 1},
    "captions": {"captions": made_up_split("train").captions[::-1]},  # the same words, so the same vocabulary
}


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("what", OTHER_SPLITS)
def test_a_run_does_not_go_on_with_other_data(tmp_path, what, split):
    small_run(tmp_path)
    other = made_up_corpus(**{split: made_up_split(split, **OTHER_SPLITS[what])})
    with pytest.raises(ItmError, match="corpus"):
        small_run(tmp_path, other)
    assert len(small_run(tmp_path).epochs) == 1  # with its own data it does


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("seed", {"seed": 1}),
        ("batch_size", {"batch_size": 5}),
        ("learning_rate", {"learning_rate": 0.02}),
        ("sampler", {"sampler": "images"}),
        ("recipe", {"recipe": Recipe(clip=1.0)}),
    ],
)
def test_a_run_does_not_go_on_with_another_setting(tmp_path, what, changed):
    recipe = Recipe()
    small_run(tmp_path, recipe=recipe)
    with pytest.raises(ItmError, match=what):
        small_run(tmp_path, **{"recipe": recipe, **changed})
    assert len(small_run(tmp_path, recipe=recipe).epochs) == 1


def test_a_recipe_s_batch_that_is_larger_than_the_split_is_made_smaller(small_split, monkeypatch):
    for module in ("training.loop", "retrieval.scoring"):
        name = f"itm_tutorial.{module}.split_features"
        monkeypatch.setattr(name, lambda split, spec: torch.rand(len(split.images), 1280))
    corpus = itm.Corpus("mine", {"train": small_split, "val": replace(small_split, name="val")}, drawn=False)
    sizes = []

    def sampler(image_of, batch_size, generator):
        sizes.append(batch_size)
        yield torch.arange(batch_size)

    model = itm.create_model("bow", corpus, dim=8, word_dim=8)
    assert model.recipe.batch_size > len(small_split.captions) == 25
    with pytest.warns(
        UserWarning, match="batch_size of 128 is more than the 25 captions of the test split: going on with 6"
    ):
        itm.fit(model, corpus, epochs=1, sampler=sampler, device="cpu")
    assert sizes == [6]
    with pytest.raises(ItmError, match="batch_size is 128, but the train split has 25 captions"):
        itm.fit(model, corpus, epochs=1, batch_size=128)  # asked for, so it is not changed
    few = replace(small_split, images=small_split.images[:1], captions=["a dog"], image_of=torch.tensor([0]))
    alone = itm.Corpus("mine", {"train": few, "val": few}, drawn=False)
    with pytest.raises(ItmError, match="batch_size is 128, but the train split has 1 captions"):
        itm.fit(model, alone, epochs=1)


def test_rare_words_are_kept_where_captions_are_few(small_split):
    from itm_tutorial.models._text_input import MANY

    def words(split, drawn):
        made = itm.create_model("bow", itm.Corpus("mine", {"train": split}, drawn=drawn), dim=8, word_dim=8)
        return "beach" in made.vocabulary

    many = [*small_split.captions, *["a dog"] * (MANY - 25)]
    large = replace(small_split, captions=many, image_of=torch.zeros(MANY, dtype=torch.int64))
    assert words(small_split, drawn=False) and words(large, drawn=True) and not words(large, drawn=False)
