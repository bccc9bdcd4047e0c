"""The structure-preserving loss: captions of one image should be neighbours of each other, and of their image.

Wang, Li and Lazebnik, "Learning Deep Structure-Preserving Image-Text Embeddings", CVPR 2016,
http://slazebni.cs.illinois.edu/publications/cvpr16_structure.pdf; Wang, Li, Huang and Lazebnik, "Learning Two-Branch
Neural Networks for Image-Text Matching Tasks", TPAMI 2019, https://arxiv.org/abs/1704.03470.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from itm_tutorial.data.options import PositiveInt, Weight
from itm_tutorial.losses.ranking import positive_pairs

FLOOR = 1e-4  # added to a squared distance, so that the root has a finite gradient where embeddings are equal


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances d = sqrt(|a|^2 - 2 a.b + |b|^2 + 1e-4) of all pairs, at least in float32.

    Args:
        a: [n, dim].
        b: [m, dim].

    Returns:
        [n, m]; 0.01 where two embeddings are equal.
    """
    wide = torch.promote_types(torch.promote_types(a.dtype, b.dtype), torch.float32)
    with torch.autocast(a.device.type, enabled=False):
        a, b = a.to(wide), b.to(wide)
        squared = (a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1)[None]
        return (squared.clamp(min=0) + FLOOR).sqrt()


def mean_of_largest(hinges: Tensor, negatives: Tensor, k: int) -> Tensor:
    """The mean over anchors of the mean of their k largest hinges; hinges of zero count too.

    Args:
        hinges: [n_anchors, n], at least 0.
        negatives: bool [n_anchors, n], which hinges are of negatives.
        k: how many; all of an anchor that has fewer negatives.

    Returns:
        A scalar. An anchor without a negative gives 0, and so does no anchor at all.
    """
    k = min(k, hinges.shape[1])
    largest = hinges.masked_fill(~negatives, 0).topk(k, dim=1).values.sum(1)  # [n_anchors]
    counted = negatives.sum(1).clamp(1, max(1, k))
    return (largest / counted).sum() / max(1, len(hinges))


class StructureLoss(nn.Module):
    """Hinges on distances: image and caption in both directions, and captions of one image against other captions.

    With d of ``distances`` and M the mean over anchors of the mean of their ``k`` largest hinges (zeros included),

        L = 1.5 M[m + d(t, v) - d(t, v')]+  +  M[m + d(v, t) - d(v, t')]+  +  0.05 M[m + max d(t, s) - d(t, t')]+

    where v is the image of caption t, s another caption of it, and v', t' are any image and caption that do not belong
    to t. The last term takes the farthest s. Captions without another one of their image have no last term: a sampler
    such as "siblings" gives each caption one.

    In the authors' code all images of a batch are negatives of each other, even two copies of one image; here, what
    belongs together is never a negative.

    Args:
        margin: m (0.05 in the public code).
        image_weight: of the first term (1.5 in the public code).
        neighbour_weight: of the last term (0.05 in the public code); 0 leaves it out.
        k: hinges per anchor (10 in the public code).
    """

    def __init__(
        self,
        margin: Weight = 0.05,
        image_weight: Weight = 1.5,
        neighbour_weight: Weight = 0.05,
        k: PositiveInt = 10,
    ):
        super().__init__()
        self.margin, self.k = margin, k
        self.image_weight, self.neighbour_weight = image_weight, neighbour_weight

    def forward(self, image_emb: Tensor, caption_emb: Tensor, positives: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            image_emb: [n_images, dim].
            caption_emb: [n_captions, dim].
            positives: bool [n_images, n_captions].

        Returns:
            A scalar.

        Raises:
            ItmError: there is no positive pair.
        """
        images, captions = positive_pairs(positives)
        across = distances(image_emb, caption_emb)  # [n_images, n_captions]
        own = across[images, captions][:, None]  # [n_pairs, 1]
        against_images = (self.margin + own - across.T[captions]).clamp(min=0)  # [n_pairs, n_images]
        against_captions = (self.margin + own - across[images]).clamp(min=0)  # [n_pairs, n_captions]
        loss = self.image_weight * mean_of_largest(against_images, ~positives.T[captions], self.k)
        loss = loss + mean_of_largest(against_captions, ~positives[images], self.k)
        if not self.neighbour_weight:
            return loss
        return loss + self.neighbour_weight * self.neighbours(caption_emb, positives)

    def neighbours(self, caption_emb: Tensor, positives: Tensor) -> Tensor:
        """The last term, without its weight: embeddings [n_captions, dim] and the mask -> a scalar."""
        together = positives.T.float() @ positives.float() > 0  # [n_captions, n_captions], itself included
        siblings = together & ~torch.eye(len(together), dtype=torch.bool, device=together.device)
        anchors = siblings.any(1)
        within = distances(caption_emb[anchors], caption_emb)  # [n_anchors, n_captions]
        farthest = within.masked_fill(~siblings[anchors], 0).amax(1, keepdim=True)  # [n_anchors, 1]
        return mean_of_largest((self.margin + farthest - within).clamp(min=0), ~together[anchors], self.k)
