"""Embeddings as encoders give them: one tensor, or a tuple of them such as ``Words`` (vectors and lengths)."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import LongTensor, Tensor

Embeddings = Tensor | tuple[Tensor, ...]  # the first dimension of every tensor counts images or captions


def pick(embeddings: Embeddings, rows: LongTensor | slice) -> Embeddings:
    """Some rows of embeddings.

    Args:
        embeddings: of n images or captions.
        rows: int64 [n_rows], or a slice.

    Returns:
        The same kind of embeddings, of n_rows images or captions.
    """
    # lengths stay on the CPU where the vectors are on a device, so each part is asked where it is
    return _each(embeddings, lambda part: part[rows if isinstance(rows, slice) else rows.to(part.device)])


def join(parts: list[Embeddings]) -> Embeddings:
    """Embeddings of several chunks -> those of all rows together.

    Args:
        parts: one or more, of the same kind and of the same shape but for the number of rows.

    Returns:
        The same kind of embeddings.
    """
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(parts)
    return _like(first, [torch.cat(tensors) for tensors in zip(*parts, strict=True)])


def to_device(embeddings: Embeddings, device: torch.device) -> Embeddings:
    """Embeddings on another device; those that are there already are not copied."""
    return _each(embeddings, lambda part: part.to(device))


def vectors_per_row(embeddings: Embeddings) -> int:
    """How many vectors describe one image or one caption: 1, n_regions, or seq_len with its padding."""
    parts = (embeddings,) if isinstance(embeddings, Tensor) else embeddings
    return max(prod(part.shape[1:-1]) for part in parts)  # the product of no number is 1


def bytes_per_row(embeddings: Embeddings) -> int:
    """The memory that the embedding of one image or one caption takes."""
    parts = (embeddings,) if isinstance(embeddings, Tensor) else embeddings
    return sum(part.element_size() * prod(part.shape[1:]) for part in parts)


def _each(embeddings: Embeddings, change: Callable[[Tensor], Tensor]) -> Embeddings:
    if isinstance(embeddings, Tensor):
        return change(embeddings)
    return _like(embeddings, [change(part) for part in embeddings])


def _like(embeddings: tuple[Tensor, ...], parts: list[Tensor]) -> tuple[Tensor, ...]:
    named = hasattr(embeddings, "_make")  # a named tuple
    return embeddings._make(parts) if named else tuple(parts)
