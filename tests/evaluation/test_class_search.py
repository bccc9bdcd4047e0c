"""AP@50 and retrieval between images and classes, compared with loops that follow the definitions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.class_metrics import ClassSearch, precision_at_k, search_by_class


def precision_by_loop(scores, identity, k):
    n_classes, found, best = len(scores[0]), 0.0, 0.0
    for c in range(n_classes):
        own = [y == c for y in identity]
        ranked = sorted(
            range(len(scores)), key=lambda i: (-scores[i][c], own[i])
        )  # in ties, negatives are ranked first
        found += sum(own[i] for i in ranked[:k]) / k
        best += min(sum(own), k) / k
    return 100 * found / n_classes, 100 * best / n_classes


@st.composite
def cases(draw):
    n_classes = draw(st.integers(1, 4))
    identity = [*range(n_classes), *draw(st.lists(st.integers(0, n_classes - 1), max_size=8))]
    row = st.lists(st.integers(-2, 2), min_size=n_classes, max_size=n_classes)  # few values: many ties
    scores = draw(st.lists(row, min_size=len(identity), max_size=len(identity)))
    return scores, identity, draw(st.sampled_from([1, 2, 3, 5, 50]))


@given(cases())
def test_precision_equals_its_loop(case):
    scores, identity, k = case
    found = precision_at_k(torch.tensor(scores, dtype=torch.float32), torch.tensor(identity), k)
    assert found == pytest.approx(precision_by_loop(scores, identity, k))


@given(st.integers(0, 10_000))
def test_a_text_vector_is_the_mean_over_all_captions_of_a_class(seed):
    generator = torch.Generator().manual_seed(seed)
    identity = torch.tensor([30, 7, 30, 12, 7])
    image_of = torch.tensor([4, 0, 1, 3, 2, 2, 0, 4])
    images = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    captions = torch.randn(8, 3, generator=generator, dtype=torch.float64)
    texts = []
    for c in (7, 12, 30):
        own = [captions[j] for j in range(8) if identity[image_of[j]] == c]
        texts.append(sum(own) / len(own))
    scores = [[float(image @ text) for text in texts] for image in images]
    target = [{7: 0, 12: 1, 30: 2}[who] for who in identity.tolist()]
    correct = sum(max(range(3), key=lambda c: row[c]) == y for row, y in zip(scores, target, strict=True))
    found = search_by_class(images, captions, image_of, identity, k=2)
    assert (found.precision, found.best) == pytest.approx(precision_by_loop(scores, target, 2))
    assert found.image_r1 == pytest.approx(100 * correct / 5) and found.k == 2


def test_a_class_with_few_pictures_is_divided_by_fifty_all_the_same():
    identity = torch.tensor([0] * 60 + [1] * 20)
    scores = torch.nn.functional.one_hot(identity).float()
    assert precision_at_k(scores, identity) == pytest.approx((70.0, 70.0))
    assert precision_at_k(torch.zeros(80, 2), identity) == pytest.approx((30.0, 70.0))  # all negatives first
    embeddings = torch.eye(2)
    assert search_by_class(embeddings, embeddings, torch.arange(2), torch.tensor([3, 4])) == ClassSearch(
        2.0, 2.0, 100.0
    )


def test_bad_input_is_refused_with_a_clear_message():
    embeddings, pairs, identity = torch.eye(3), torch.arange(3), torch.tensor([1, 1, 2])
    with pytest.raises(ItmError, match="class 2 has pictures and no caption"):
        search_by_class(embeddings, embeddings[:2], pairs[:2], identity)
    with pytest.raises(ItmError, match="caption_emb is a tuple"):
        search_by_class(embeddings, (embeddings, pairs), pairs, identity)
    with pytest.raises(ItmError, match="one number per image"):
        search_by_class(embeddings, embeddings, pairs, identity[:2])
    with pytest.raises(ItmError, match="image_of"):
        search_by_class(embeddings, embeddings, pairs + 1, identity)
    with pytest.raises(ItmError, match="no image shows class 0"):
        precision_at_k(torch.rand(3, 3), identity)
    with pytest.raises(ItmError, match="k is 0"):
        precision_at_k(torch.rand(3, 2), torch.tensor([0, 1, 1]), 0)
    with pytest.raises(ItmError, match="nan"):
        search_by_class(embeddings / 0, embeddings, pairs, identity)
