"""Identification losses: every identity of the training split is a class, predicted from each embedding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize

from itm_tutorial.errors import ItmError


class IdentityNumbers(nn.Module):
    """Maps the identities of a corpus to class indices from 0 on.

    Args:
        identities: the identities of the training split, each once.

    Raises:
        ItmError: there are no identities, or one occurs twice.
    """

    def __init__(self, identities: Sequence[int]):
        super().__init__()
        if not len(identities) or len(set(identities)) < len(identities):
            raise ItmError(f"identities: {len(identities)}, {len(set(identities))} of them distinct; give each once")
        self.register_buffer("known", torch.tensor(sorted(identities), dtype=torch.int64))

    def forward(self, identity: LongTensor | None) -> LongTensor:
        """Identities, int64 [n] -> class indices, int64 [n].

        Raises:
            ItmError: there are no identities, or one is not in the training split.
        """
        if identity is None:
            raise ItmError('the batch has no identities: train on a corpus with identities, such as "people"')
        numbers = torch.searchsorted(self.known, identity).clamp(max=len(self.known) - 1)
        unseen = self.known[numbers] != identity
        if unseen.any():
            raise ItmError(
                f"identity {int(identity[unseen][0])} is not among the {len(self.known)} identities of the model: "
                "create the model with the corpus on which you train it"
            )
        return numbers


def instance_loss(
    image_emb: Tensor,
    caption_emb: Tensor,
    image_labels: LongTensor,
    caption_labels: LongTensor,
    image_weight: Tensor,
    caption_weight: Tensor,
) -> Tensor:
    """Cross-entropy of the identities of images and of captions; one shared classifier aligns both embeddings.

    Source: the instance loss of Zheng et al. 2020 (Dual-Path), where every training image is a separate class.

    Args:
        image_emb: [n_images, dim].
        caption_emb: [n_captions, dim].
        image_labels: int64 [n_images], from 0 to n_identities - 1.
        caption_labels: int64 [n_captions].
        image_weight, caption_weight: [n_identities, dim]; the same tensor in the paper.

    Returns:
        The sum of the two cross-entropies, each the mean over its rows; a scalar.
    """
    of_images = cross_entropy(linear(image_emb, image_weight), image_labels)
    return of_images + cross_entropy(linear(caption_emb, caption_weight), caption_labels)


class InstanceLoss(nn.Module):
    """``instance_loss`` with its classifier, which is used only in training.

    Args:
        n_identities: rows of the classifier.
        dim: numbers per embedding.
        shared: whether images and captions share one classifier, as published. With two classifiers, nothing aligns an
            image with its caption.
    """

    def __init__(self, n_identities: int, dim: int, shared: bool = True):
        super().__init__()
        weights = [nn.Parameter(torch.empty(n_identities, dim)) for _ in range(1 if shared else 2)]
        self.weights = nn.ParameterList(weights)
        for weight in self.weights:
            nn.init.xavier_uniform_(weight)

    def forward(
        self, image_emb: Tensor, caption_emb: Tensor, image_labels: LongTensor, caption_labels: LongTensor
    ) -> Tensor:
        """Embeddings [n_images, dim], [n_captions, dim] and identities int64 [n_images], [n_captions] -> a scalar."""
        return instance_loss(image_emb, caption_emb, image_labels, caption_labels, self.weights[0], self.weights[-1])


def norm_softmax(embeddings: Tensor, labels: LongTensor, weight: Tensor, scale: float) -> Tensor:
    """Cross-entropy of scaled cosines: only directions count, as in retrieval by cosine.

    Source: Wang et al. 2017 (NormFace), who normalise embeddings and weights and show that the cosines, at most 1, need
    a scale. Zhang and Lu 2018 use the name norm-softmax for unit weights only: see ``losses.projection``.

    Args:
        embeddings: [n, dim], of any length.
        labels: int64 [n], from 0 to n_identities - 1.
        weight: [n_identities, dim], of any length.
        scale: multiplies the cosines; the inverse of a temperature.

    Returns:
        The mean over rows, a scalar.
    """
    cosines = linear(normalize(embeddings, dim=-1, eps=1e-6), normalize(weight, dim=-1, eps=1e-6))  # [n, n_identities]
    return cross_entropy(scale * cosines, labels)


class NormSoftmax(nn.Module):
    """``norm_softmax`` of images and of captions, with one classifier for both.

    Args:
        n_identities: rows of the classifier.
        dim: numbers per embedding.
        scale: of the cosines; the more identities, the larger it must be for the loss to fall.

    Raises:
        ItmError: the scale is 0 or less.
    """

    def __init__(self, n_identities: int, dim: int, scale: float = 16.0):
        super().__init__()
        if not scale > 0:
            raise ItmError(f"scale is {scale}; give a number above 0, such as 16")
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(n_identities, dim))
        nn.init.xavier_uniform_(self.weight)

    def forward(
        self, image_emb: Tensor, caption_emb: Tensor, image_labels: LongTensor, caption_labels: LongTensor
    ) -> Tensor:
        """Embeddings [n_images, dim], [n_captions, dim] and identities int64 [n_images], [n_captions] -> a scalar."""
        of_images = norm_softmax(image_emb, image_labels, self.weight, self.scale)
        return of_images + norm_softmax(caption_emb, caption_labels, self.weight, self.scale)
