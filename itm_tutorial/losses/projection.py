"""Projection losses: embeddings are compared by scalar projections, so that their lengths matter.

Zhang and Lu, "Deep Cross-Modal Projection Learning for Image-Text Matching", ECCV 2018.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from itm_tutorial.errors import ItmError

SMOOTHING = (
    1e-8  # as in the authors' code: the target of a negative pair; probability on a negative costs about 18 nats
)
SHORTEST = 1e-6  # smallest length by which an embedding is divided


def cmpm(image_emb: Tensor, caption_emb: Tensor, positives: Tensor) -> Tensor:
    """Cross-modal projection matching: the softmax of projections should equal the distribution of positives.

    Source: Zhang and Lu 2018, CMPM; details as in the authors' code: KL(p || q) with p the softmax of the scalar
    projections and q the mask over its sum in each row, smoothed; the mean over rows, in both directions. Only the
    embedding projected on is normalised: a longer embedding gives a sharper softmax.

    Args:
        image_emb: [n_images, dim], not normalised.
        caption_emb: [n_captions, dim], not normalised.
        positives: bool [n_images, n_captions]; True where both have the same identity.

    Returns:
        The sum of the two directions, a scalar.

    Raises:
        ItmError: an image or a caption has no positive, or all pairs are positives.
    """
    if positives.all():
        raise ItmError(
            "positives: the batch shows one identity only, so it has no negatives: make it larger, or mix it"
        )
    for what, matched in (("image", positives.any(1)), ("caption", positives.any(0))):
        if not matched.all():
            row = int((~matched).nonzero()[0])
            raise ItmError(f"positives: {what} {row} of the batch has no positive; give it one, or leave it out")
    onto_captions = image_emb @ normalize(caption_emb, dim=-1, eps=SHORTEST).T  # [n_images, n_captions]
    onto_images = caption_emb @ normalize(image_emb, dim=-1, eps=SHORTEST).T  # [n_captions, n_images]
    return _divergence(onto_captions, positives) + _divergence(onto_images, positives.T)


def _divergence(projections: Tensor, positives: Tensor) -> Tensor:
    """KL(p || q) of each row, [n, m] projections and the mask of positives -> the mean over rows."""
    p = projections.softmax(1)  # [n, m]
    q = positives.to(p.dtype) / positives.sum(1, keepdim=True)  # by the sum, not the norm: a row sums to one
    return (p * (p / (q + SMOOTHING) + SMOOTHING).log()).sum(1).mean()


def cmpc(image_emb: Tensor, caption_emb: Tensor, labels: LongTensor, weight: Tensor) -> Tensor:
    """Cross-modal projection classification: the projection of one embedding on the other predicts the identity.

    Source: Zhang and Lu 2018, CMPC with the norm-softmax: the vector projection of an image on its caption, and of a
    caption on its image, each classified by the same matrix with columns of unit length.

    Args:
        image_emb: [n_pairs, dim], not normalised; an image with two captions has two rows.
        caption_emb: [n_pairs, dim], not normalised.
        labels: int64 [n_pairs], from 0 to n_identities - 1.
        weight: [dim, n_identities].

    Returns:
        The sum of the two cross-entropies, each the mean over pairs; a scalar.
    """
    columns = normalize(weight, dim=0, eps=SHORTEST)  # [dim, n_identities]
    image_logits = projected(image_emb, caption_emb) @ columns  # [n_pairs, n_identities]
    caption_logits = projected(caption_emb, image_emb) @ columns
    return cross_entropy(image_logits, labels) + cross_entropy(caption_logits, labels)


def projected(embeddings: Tensor, others: Tensor) -> Tensor:
    """The vector projection of each embedding on its partner, both [n_pairs, dim] -> [n_pairs, dim]."""
    along = normalize(others, dim=-1, eps=SHORTEST)
    return (embeddings * along).sum(-1, keepdim=True) * along


class CMPM(nn.Module):
    """``cmpm`` as a module."""

    def forward(self, image_emb: Tensor, caption_emb: Tensor, positives: Tensor) -> Tensor:
        """Embeddings [n_images, dim] and [n_captions, dim], and the mask of positives -> a scalar."""
        return cmpm(image_emb, caption_emb, positives)


class CMPC(nn.Module):
    """``cmpc`` with its classifier, which is used only in training.

    Args:
        n_identities: columns of the classifier.
        dim: numbers per embedding.
    """

    def __init__(self, n_identities: int, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(dim, n_identities))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, image_emb: Tensor, caption_emb: Tensor, labels: LongTensor) -> Tensor:
        """Embeddings of pairs, [n_pairs, dim] each, and their identities, int64 [n_pairs] -> a scalar."""
        return cmpc(image_emb, caption_emb, labels, self.weight)
