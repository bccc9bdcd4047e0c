"""The gap between image and caption embeddings, and the probe that separates them."""

import pytest
import torch

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.modality_gap import JUDGES, modality_gap, modality_probe


def clusters(n=200, dim=8, apart=0.0, seed=0):
    """Images and captions around two points at the distance ``apart``; each image has two captions."""
    random = torch.Generator().manual_seed(seed)
    images = torch.randn(n, dim, generator=random)
    captions = torch.randn(2 * n, dim, generator=random)
    images[:, 0] += apart
    return images, captions, torch.arange(n).repeat_interleave(2)


def test_the_gap_by_hand():
    images, captions = torch.tensor([[2.0, 0.0], [0.0, 5.0]]), torch.tensor([[-1.0, 0.0]])
    assert modality_gap(images, captions) == pytest.approx((1.5**2 + 0.5**2) ** 0.5)  # (0.5, 0.5) from (-1, 0)
    assert modality_gap(images, images * 3) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("judge", JUDGES)
def test_a_probe_finds_a_gap_only_where_there_is_one(judge):
    alike = modality_probe(*clusters(n=600), judge=judge)
    assert 40 < alike < 60
    assert modality_probe(*clusters(n=600, apart=20.0), judge=judge) > 95
    assert modality_probe(*clusters(n=600, apart=2.0), judge=judge) > alike + 15


def test_a_network_separates_what_no_line_can():
    random = torch.Generator().manual_seed(0)
    images, captions = torch.randn(400, 2, generator=random), torch.randn(400, 2, generator=random)
    images, captions = (x / x.norm(dim=1, keepdim=True) for x in (images, captions))
    images[:, 0] = images[:, 0].sign() * 3  # left and right; the captions lie above and below
    captions[:, 1] = captions[:, 1].sign() * 3
    embeddings = images, captions, torch.arange(400)
    assert modality_probe(*embeddings, judge="network") > 95 > 70 > modality_probe(*embeddings)


def test_the_probe_is_tested_on_other_identities_than_it_learns_from():
    """Two identities with opposite gaps: a probe trained on the first is always wrong on the second."""
    images = torch.tensor([[1.0, 0.0]] * 10 + [[-1.0, 0.0]] * 10)
    identity = torch.arange(2).repeat_interleave(10)
    assert modality_probe(images, -images, torch.arange(20), identity) == 0
    assert modality_probe(images[:10], -images[:10], torch.arange(10)) == 100


def test_the_probe_is_the_same_for_the_same_seed_and_leaves_the_callers_random_numbers_alone():
    embeddings = clusters(apart=1.0)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first = modality_probe(*embeddings, judge="network")
    assert torch.equal(torch.rand(1), expected)
    with torch.inference_mode():
        assert modality_probe(*(part.clone() for part in embeddings), judge="network") == first


def test_pictures_without_a_caption_and_captions_in_any_order_are_no_trouble():
    images, captions, image_of = clusters(apart=20.0)
    order = torch.randperm(len(captions), generator=torch.Generator().manual_seed(1))
    keep = order[image_of[order] % 5 != 0]
    assert modality_probe(images, captions[keep], image_of[keep]) > 90  # some captions have the direction of images


def test_what_no_probe_can_learn_from_is_refused():
    images, captions, image_of = clusters(n=4)
    with pytest.raises(ItmError, match="line, network"):
        modality_probe(images, captions, image_of, judge="jury")
    with pytest.raises(ItmError, match="two or more"):
        modality_probe(images, captions, image_of, torch.zeros(4, dtype=torch.int64))
    with pytest.raises(ItmError, match="modality_probe"):
        modality_probe(images, captions[:3], image_of)
