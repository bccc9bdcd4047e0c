"""What the claims of SPE and 2WayNet measure, on embeddings whose answer is known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.chapters.ch12_correlation.measures import spe, two_way_net
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Trained


def by_loop(embeddings, image_of):
    hits, asked = 0, 0
    for c, a in enumerate(embeddings):
        others = [(float(a @ b), image_of[o]) for o, b in enumerate(embeddings) if o != c]
        own = [score for score, image in others if image == image_of[c]]
        if own:
            asked += 1
            hits += all(score < max(own) for score, image in others if image != image_of[c])
    return 100 * hits / max(1, asked)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=12), st.integers(0, 9999), st.sampled_from([2, 500]))
def test_the_nearest_other_caption_by_a_loop(image_of, seed, chunk):
    embeddings = normalize(torch.randn(len(image_of), 3, generator=torch.Generator().manual_seed(seed)), dim=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spe, "CHUNK", chunk)
        found = spe.first_is_sibling(embeddings.double(), torch.tensor(image_of))
    assert found == pytest.approx(by_loop(embeddings.double(), image_of))


def test_a_caption_is_not_its_own_answer_and_ties_are_misses():
    far = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])  # captions 0, 1 of one image; 2, 3 of another
    assert spe.first_is_sibling(far, torch.tensor([0, 0, 1, 1])) == 0  # with the caption itself it would be 100
    assert spe.first_is_sibling(far, torch.tensor([0, 1, 0, 1])) == 100
    assert spe.first_is_sibling(torch.ones(4, 2), torch.tensor([0, 0, 1, 1])) == 0


def test_variance_and_correlation_of_hidden_numbers():
    h = torch.tensor([[1.0, 2.0, 5.0], [-1.0, -2.0, 5.0]])
    found = two_way_net.of_hidden(h)
    assert found == {"variance": pytest.approx(5 / 3), "correlation": pytest.approx(1 / 3)}  # two of three
    dead = two_way_net.of_hidden(torch.ones(4, 3))
    assert dead == {"variance": 0, "correlation": 0}


def test_both_are_measured_on_the_test_split(tiny):
    for name, measures in (
        ("spe", (spe.sibling_recalls,)),
        ("two_way_net", (two_way_net.hidden, two_way_net.recall_at_5)),
    ):
        model = itm.create_model(name, tiny, embed_size=6, hidden=8).eval()
        trained = Trained(Arm(name, name), model, tiny, 0)
        row = {key: value for measure in measures for key, value in measure(trained).items()}
        assert row
        numbers = [v for value in row.values() for v in (value.values() if isinstance(value, dict) else [value])]
        assert all(0 <= v <= 100 for v in numbers)
