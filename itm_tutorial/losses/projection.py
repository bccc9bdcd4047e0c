"""Projection losses: embeddings are matched by how far each reaches along the other, and length is left to speak.

Zhang and Lu, "Deep Cross-Modal Projection Learning for Image-Text Matching", ECCV 2018.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from itm_tutorial.errors import ItmError

SMOOTHING = 1e-8  # of the authors' code: a wrong pair's target, so that a probability spent on it costs about 18 nats
SHORTEST = 1e-6  # a code below this length has no direction, and is taken for nearly zero


def cmpm(images: Tensor, captions: Tensor, match: Tensor) -> Tensor:
    """Cross-modal projection matching: projections should be shared out as the right answers are.

    Source: Zhang and Lu 2018, CMPM; details as in the authors' code: KL(p || q) with p the softmax of the scalar
    projections and q the mask over its sum in each row, smoothed; the mean over rows, in both directions. Only what is
    projected on has unit length: the length of a code is how sure it is.

    Args:
        images: [n_images, dim], not normalised.
        captions: [n_captions, dim], not normalised.
        match: bool [n_images, n_captions]; True where both are of one identity.

    Returns:
        The sum of the two directions, a scalar.

    Raises:
        ItmError: an image or a caption has nothing that matches it, or everything matches everything.
    """
    if match.all():
        raise ItmError("match: the batch shows one identity alone, and nothing to tell it from: make it larger, or mix")
    for what, there in (("image", match.any(1)), ("caption", match.any(0))):
        if not there.all():
            alone = int((~there).nonzero()[0])
            raise ItmError(f"match: nothing matches {what} {alone} of the batch; give each a right answer, or drop it")
    onto_captions = images @ normalize(captions, dim=-1, eps=SHORTEST).T  # [n_images, n_captions]
    onto_images = captions @ normalize(images, dim=-1, eps=SHORTEST).T  # [n_captions, n_images]
    return _divergence(onto_captions, match) + _divergence(onto_images, match.T)


def _divergence(projections: Tensor, match: Tensor) -> Tensor:
    """KL(p || q) of each row, [n, m] projections and their mask -> the mean over rows."""
    p = projections.softmax(1)  # [n, m]
    q = match.to(p.dtype) / match.sum(1, keepdim=True)  # its sum, not its length: a row adds up to one
    return (p * (p / (q + SMOOTHING) + SMOOTHING).log()).sum(1).mean()


def cmpc(images: Tensor, captions: Tensor, labels: LongTensor, weight: Tensor) -> Tensor:
    """Cross-modal projection classification: what one code has along the other should say who is shown.

    Source: Zhang and Lu 2018, CMPC with the norm-softmax: the vector projection of an image on its caption, and of a
    caption on its image, each classified by one and the same matrix with columns of unit length.

    Args:
        images: [n_pairs, dim], not normalised; an image with two captions stands in two rows.
        captions: [n_pairs, dim], not normalised.
        labels: int64 [n_pairs], from 0 to n_identities - 1.
        weight: [dim, n_identities].

    Returns:
        The sum of the two cross-entropies, each the mean over pairs; a scalar.
    """
    columns = normalize(weight, dim=0, eps=SHORTEST)  # [dim, n_identities]
    image_logits = projected(images, captions) @ columns  # [n_pairs, n_identities]
    caption_logits = projected(captions, images) @ columns
    return cross_entropy(image_logits, labels) + cross_entropy(caption_logits, labels)


def projected(embeddings: Tensor, others: Tensor) -> Tensor:
    """The part of each code that lies along its partner, both [n_pairs, dim] -> [n_pairs, dim]; zero for a zero."""
    along = normalize(others, dim=-1, eps=SHORTEST)
    return (embeddings * along).sum(-1, keepdim=True) * along


class CMPM(nn.Module):
    """``cmpm`` as a module."""

    def forward(self, images: Tensor, captions: Tensor, match: Tensor) -> Tensor:
        """Embeddings [n_images, dim] and [n_captions, dim], and the mask of what belongs together -> a scalar."""
        return cmpm(images, captions, match)


class CMPC(nn.Module):
    """``cmpc`` with a matrix of its own, which the test has no use for.

    Args:
        n_identities: columns.
        dim: numbers per embedding.
    """

    def __init__(self, n_identities: int, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(dim, n_identities))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, images: Tensor, captions: Tensor, labels: LongTensor) -> Tensor:
        """Embeddings of pairs, [n_pairs, dim] each, and who they show, int64 [n_pairs] -> a scalar."""
        return cmpc(images, captions, labels, self.weight)
