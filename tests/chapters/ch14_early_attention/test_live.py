"""What the notebook of chapter 14 reads off its models has the shapes and the meaning that its figures need."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch14_early_attention import figures as ch14
from itm_tutorial.chapters.ch14_early_attention import live
from itm_tutorial.chapters.ch14_early_attention.exercises import costs, crossing_point
from itm_tutorial.show.attention_view import AttentionView

SMALL = {"embed_size": 6, "word_dim": 5, "hidden_size": 4}


@pytest.fixture
def split(tiny, monkeypatch):
    """The test split of the tiny scenes, with random features of 12 regions whose boxes are random."""
    generator = torch.Generator().manual_seed(0)
    n = len(tiny.test.images)
    features, corners = torch.rand(n, 12, 256, generator=generator), torch.rand(n, 12, 2, generator=generator) / 2
    boxes = torch.cat([corners, corners + 0.3], 2)
    monkeypatch.setattr(live, "split_features", lambda split, spec: features)
    monkeypatch.setattr(live, "split_boxes", lambda split, spec: boxes)
    return tiny.test


def model_of(name, corpus, **options):
    torch.manual_seed(0)
    return itm.create_model(name, corpus, **{**SMALL, **options}).eval()


def test_maps_of_dan_are_one_row_per_step(tiny, split):
    model = model_of("dan", tiny)
    maps = live.image_maps(model, split, 2)
    assert maps.shape == (2, 12) and torch.allclose(maps.sum(1), torch.ones(2))
    view = live.picture_view(model, split, 5)
    assert isinstance(view, AttentionView) and view.n == 12 and view.caption == split.captions[5]
    assert len(ch14.step_maps(view, {"dan": maps}).axes) == 3


def test_pairs_of_maps_are_those_of_the_caption_and_its_image(tiny, split):
    caption = 7
    for name, still in (("sm_lstm", False), ("sm_lstm_fixed", True)):
        model = model_of(name, tiny, state_size=3)
        found = live.saliency(model, split, caption)
        assert found.regions.shape == (3, 12) and found.words.shape == (3, len(found.tokens))
        assert torch.allclose(found.regions.sum(1), torch.ones(3)) and torch.allclose(found.words.sum(1), torch.ones(3))
        assert (live.moved(found.regions) < 1e-6) == still
        view = live.picture_view(model, split, caption)
        assert ch14.map_pairs(view, found.tokens, {name: found.regions}, {name: found.words})


def test_from_the_second_step_on_a_map_belongs_to_the_pair(tiny, split):
    for name, differs in (("sm_lstm", True), ("sm_lstm_fixed", False)):
        model = model_of(name, tiny, state_size=3)
        with torch.no_grad():
            image = model.encode_images(live.split_features(split, model.features)[:1])
            maps = model.network.all_maps(image, model.encode_captions(split.captions[:2])).regions[:, 0]  # [T, 2, R]
        assert torch.allclose(maps[0, 0], maps[0, 1])
        assert torch.allclose(maps[1:, 0], maps[1:, 1], atol=1e-7) != differs


def test_concepts_and_gates_of_a_split_read_no_caption(tiny, split):
    model = model_of("sco", tiny)
    found = live.shown_concepts(model, split)
    assert found.concepts.shape == (len(split.images), len(model.concepts)) and found.gate.shape[1] == 6
    assert (found.concepts.min() >= 0) and found.concepts.max() <= 1
    named = live.named_by(model, split, 1)
    assert named <= set(model.concepts) and named
    assert ch14.concepts_and_gate(found.concepts[1], model.concepts, named, found.gate, 1)


def test_the_weight_that_moves_is_between_nothing_and_all():
    maps = torch.tensor([[1.0, 0], [0.5, 0.5], [0, 1]])
    assert live.moved(maps) == 1 and live.moved(maps[:2]) == 0.5 and live.moved(maps[:1]) == 0


def test_the_work_agrees_with_the_exercises():
    sizes = (3, 36, 12, 64)
    work, table = live.work_per_image(*sizes), costs.own(*sizes)
    names = ("DAN, K = 3", "sm-LSTM, T = 3", "SCO", "SCAN")
    assert [work[name][1] for name in names] == table[:, 1].tolist()
    assert ch14.crossing_of(work, names[0], "SCAN") == pytest.approx(crossing_point.own(*sizes))


def test_a_permutation_that_undoes_itself_hides_the_fault():
    assert live.permutation_faults(torch.tensor([1, 0, 2])) == 0
    assert live.permutation_faults(torch.tensor([1, 2, 0])) == 3
