"""Embeddings as one tensor, a named tuple, or a plain tuple."""

import pytest
import torch

from itm_tutorial.encoders.embeddings import bytes_per_row, join, pick, to_device, vectors_per_row
from itm_tutorial.encoders.text import Words

VECTORS, REGIONS, LENGTHS = torch.randn(6, 4), torch.randn(6, 3, 4), torch.tensor([3, 1, 2, 3, 3, 2])
KINDS = {"tensor": VECTORS, "words": Words(REGIONS, LENGTHS), "tuple": (VECTORS, REGIONS, LENGTHS)}


def parts(embeddings):
    return [embeddings] if isinstance(embeddings, torch.Tensor) else list(embeddings)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [slice(1, 4), torch.tensor([5, 0, 0])])
def test_rows_are_picked_from_every_part(kind, rows):
    embeddings = KINDS[kind]
    some = pick(embeddings, rows)
    assert type(some) is type(embeddings)
    for part, whole in zip(parts(some), parts(embeddings), strict=True):
        assert torch.equal(part, whole[rows]) and len(part) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_are_joined_again(kind):
    embeddings = KINDS[kind]
    whole = join([pick(embeddings, slice(0, 4)), pick(embeddings, slice(4, 6))])
    assert type(whole) is type(embeddings)
    assert all(torch.equal(a, b) for a, b in zip(parts(whole), parts(embeddings), strict=True))


def test_how_much_a_row_holds():
    assert [vectors_per_row(embeddings) for embeddings in KINDS.values()] == [1, 3, 3]
    assert vectors_per_row(torch.zeros(2, 3, 5, 4)) == 15
    # float32 vectors of 4 numbers, and an int64 length
    assert [bytes_per_row(embeddings) for embeddings in KINDS.values()] == [16, 48 + 8, 16 + 48 + 8]


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_moves(kind):
    moved = to_device(KINDS[kind], torch.device("meta"))
    assert type(moved) is type(KINDS[kind]) and all(part.is_meta for part in parts(moved))
