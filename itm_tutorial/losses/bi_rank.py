"""Hinges in both directions over the largest violators, with two terms inside each view.

Liu, Guo, Bakker and Lew, "Learning a Recurrent Residual Fusion Network for Multimodal Matching", ICCV 2017,
http://openaccess.thecvf.com/content_ICCV_2017/papers/Liu_Learning_a_Recurrent_ICCV_2017_paper.pdf.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from itm_tutorial.data.options import PositiveInt, Weight
from itm_tutorial.losses.ranking import positive_pairs

Weights = Annotated[tuple[float, float, float, float], Field(description="four numbers")]


def violators(scores: Tensor, own: Tensor, others: Tensor, margin: float, k: int) -> Tensor:
    """The k highest-scoring negatives of each pair among those that violate the margin.

    Args:
        scores: [n_pairs, n_pairs].
        own: [n_pairs, 1], the scores of the pairs.
        others: bool [n_pairs, n_pairs], which are negatives.
        margin: of the hinge.
        k: how many at most.

    Returns:
        bool [n_pairs, n_pairs].
    """
    violating = others & (margin - own + scores > 0)
    best = scores.masked_fill(~violating, -torch.inf).topk(min(k, scores.shape[1]), dim=1).indices
    return torch.zeros_like(violating).scatter(1, best, True) & violating


class BiRankLoss(nn.Module):
    """For pairs i of an image v_i and a caption t_i, with s_ij = v_i . t_j:

        L = 1 / (k B) sum_ij  A_ij (w_1 [m - s_ii + s_ij]+ + w_2 [m - s_ii + t_i . t_j]+)
                            + B_ij (w_3 [m - s_ii + s_ji]+ + w_4 [m - s_ii + v_i . v_j]+)

    A_ij is 1 where caption j is one of the k negatives of image i that violate the margin most, B_ij where image j is
    one of those of caption i. The two terms inside a view have the match of image and caption as their positive, and
    their negatives are those of the other view: they are not the neighbour term of ``losses.structure``.

    Args:
        margin: m (0.1 in the public code).
        k: violators of a pair in each direction (50 in the public code).
        weights: w_1 to w_4 (1, 0.5, 2, 1 in the public code).
    """

    def __init__(self, margin: Weight = 0.1, k: PositiveInt = 50, weights: Weights = (1.0, 0.5, 2.0, 1.0)):
        super().__init__()
        self.margin, self.k, self.weights = margin, k, weights

    def forward(self, image_emb: Tensor, caption_emb: Tensor, positives: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            image_emb: [n_images, dim].
            caption_emb: [n_captions, dim].
            positives: bool [n_images, n_captions]; pairs that belong together are no negatives of each other.

        Returns:
            A scalar.

        Raises:
            ItmError: there is no positive pair.
        """
        images, captions = positive_pairs(positives)
        v, t = image_emb[images], caption_emb[captions]  # [n_pairs, dim]
        others = ~(positives[images][:, captions])  # [n_pairs, n_pairs]: pair i's image against pair j's caption
        across = v @ t.T
        own = across.diagonal()[:, None]  # [n_pairs, 1]
        sides = ((across, t @ t.T, others), (across.T, v @ v.T, others.T))
        total = across.new_zeros(())
        for (scores, within, negatives), first in zip(sides, (0, 2), strict=True):
            chosen = violators(scores, own, negatives, self.margin, self.k)
            for weight, rivals in zip(self.weights[first : first + 2], (scores, within), strict=True):
                total = total + weight * ((self.margin - own + rivals).clamp(min=0) * chosen).sum()
        return total / (self.k * len(images))
