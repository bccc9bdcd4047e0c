"""Identification losses: every identity of the training split is a class, and a code must name its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize

from itm_tutorial.errors import ItmError


class IdentityNumbers(nn.Module):
    """Identities as a corpus counts them -> rows of a classifier, from 0 on.

    Args:
        identities: the identities of the training split, each once.

    Raises:
        ItmError: none at all, or one that stands there twice.
    """

    def __init__(self, identities: Sequence[int]):
        super().__init__()
        if not len(identities) or len(set(identities)) < len(identities):
            raise ItmError(f"identities: {len(identities)}, {len(set(identities))} of them different; give each once")
        self.register_buffer("known", torch.tensor(sorted(identities), dtype=torch.int64))

    def forward(self, identity: LongTensor | None) -> LongTensor:
        """Identities, int64 [n] -> their numbers, int64 [n].

        Raises:
            ItmError: no identities, or one that is not of the training split.
        """
        if identity is None:
            raise ItmError('the batch says not who is shown: train on a corpus with identities, such as "people"')
        numbers = torch.searchsorted(self.known, identity).clamp(max=len(self.known) - 1)
        strange = self.known[numbers] != identity
        if strange.any():
            raise ItmError(
                f"identity {int(identity[strange][0])} is none of the {len(self.known)} that the model was made for: "
                "make the model with the corpus that it is trained on"
            )
        return numbers


def instance_loss(
    images: Tensor,
    captions: Tensor,
    image_labels: LongTensor,
    caption_labels: LongTensor,
    image_weight: Tensor,
    caption_weight: Tensor,
) -> Tensor:
    """Cross-entropy of who is shown and of who is described; with one matrix for both, the two spaces must agree.

    Source: the instance loss of Zheng et al. 2020 (Dual-Path), who take every training image for a class of its own.

    Args:
        images: [n_images, dim].
        captions: [n_captions, dim].
        image_labels: int64 [n_images], from 0 to n_identities - 1.
        caption_labels: int64 [n_captions].
        image_weight, caption_weight: [n_identities, dim]; one and the same tensor in the paper.

    Returns:
        The sum of the two cross-entropies, each the mean over its rows; a scalar.
    """
    of_images = cross_entropy(linear(images, image_weight), image_labels)
    return of_images + cross_entropy(linear(captions, caption_weight), caption_labels)


class InstanceLoss(nn.Module):
    """``instance_loss`` with a classifier of its own, which the test has no use for.

    Args:
        n_identities: rows.
        dim: numbers per embedding.
        shared: one classifier for both sides, as published; two let each side sort its embeddings in its own way, and
            nothing brings an image and its caption together.
    """

    def __init__(self, n_identities: int, dim: int, shared: bool = True):
        super().__init__()
        weights = [nn.Parameter(torch.empty(n_identities, dim)) for _ in range(1 if shared else 2)]
        self.weights = nn.ParameterList(weights)
        for weight in self.weights:
            nn.init.xavier_uniform_(weight)

    def forward(self, images: Tensor, captions: Tensor, image_labels: LongTensor, caption_labels: LongTensor) -> Tensor:
        """Embeddings [n_images, dim], [n_captions, dim] and identities int64 [n_images], [n_captions] -> a scalar."""
        return instance_loss(images, captions, image_labels, caption_labels, self.weights[0], self.weights[-1])


def norm_softmax(embeddings: Tensor, labels: LongTensor, weight: Tensor, scale: float) -> Tensor:
    """Cross-entropy of scaled cosines: only directions count, and so the classifier does what the search will do.

    Source: Wang et al. 2017 (NormFace), who normalise embeddings and weights and show that the cosines, which end at 1,
    need a scale. Zhang and Lu 2018 call a softmax with unit weights alone norm-softmax: see ``losses.projection``.

    Args:
        embeddings: [n, dim], of any length.
        labels: int64 [n], from 0 to n_identities - 1.
        weight: [n_identities, dim], of any length.
        scale: multiplies the cosines; an inverse temperature.

    Returns:
        The mean over rows, a scalar.
    """
    cosines = linear(normalize(embeddings, dim=-1, eps=1e-6), normalize(weight, dim=-1, eps=1e-6))  # [n, n_identities]
    return cross_entropy(scale * cosines, labels)


class NormSoftmax(nn.Module):
    """``norm_softmax`` of images and of captions, with one classifier for both.

    Args:
        n_identities: rows.
        dim: numbers per embedding.
        scale: of the cosines; the more identities, the larger it must be for the loss to come down.

    Raises:
        ItmError: a scale of 0 or less.
    """

    def __init__(self, n_identities: int, dim: int, scale: float = 16.0):
        super().__init__()
        if not scale > 0:
            raise ItmError(f"scale is {scale}; give a number above 0, such as 16")
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(n_identities, dim))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, images: Tensor, captions: Tensor, image_labels: LongTensor, caption_labels: LongTensor) -> Tensor:
        """Embeddings [n_images, dim], [n_captions, dim] and identities int64 [n_images], [n_captions] -> a scalar."""
        of_images = norm_softmax(images, image_labels, self.weight, self.scale)
        return of_images + norm_softmax(captions, caption_labels, self.weight, self.scale)
