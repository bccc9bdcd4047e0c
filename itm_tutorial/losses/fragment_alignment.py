"""The alignment objective of DeFrag: which regions a fragment of a caption belongs to, learned without being told.

Karpathy, Joulin and Fei-Fei, "Deep Fragment Embeddings for Bidirectional Image Sentence Mapping", NIPS 2014.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from itm_tutorial.data.options import Fraction
from itm_tutorial.errors import ItmError


def instance_labels(dots: Tensor, own: Tensor, multiple_instance: bool = True) -> Tensor:
    """The labels y of all pairs of a region and a fragment, as the mi-SVM guesses them from the dot products.

    A region of another image is negative. A region of the fragment's own image is positive if their dot product is, and
    if no region of that image is, the best one (the first of equal ones) becomes positive.

    Args:
        dots: [n_images, n_regions, n_captions, seq_len]; labels carry no gradient.
        own: bool [n_images, n_captions], True where the caption describes the image.
        multiple_instance: False makes every region of the own image positive.

    Returns:
        bool [n_images, n_regions, n_captions, seq_len]: True for y = +1, False for y = -1. A dot product of exactly 0
        is no positive one. (In the authors' code it gets the label 0, and the best region's becomes 2 where all are 0:
        such a fragment has neither positives nor negatives, and no weight.)
    """
    own = own[:, None, :, None]  # [n_images, 1, n_captions, 1]
    if not multiple_instance:
        return own.expand_as(dots)
    positive = dots.detach() > 0
    best = torch.zeros_like(positive).scatter_(1, dots.detach().argmax(1, keepdim=True), True)
    return own & (positive | best & ~positive.any(1, keepdim=True))


def alignment_weights(labels: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """The weights that give each fragment's positives a total of 1, and its negatives too, over all images of a batch.

    Args:
        labels: bool [n_images, n_regions, n_captions, seq_len].
        dtype: of the weights.

    Returns:
        Of the same shape.
    """
    positives = labels.sum((0, 1), keepdim=True).clamp(min=1).to(dtype)
    negatives = (~labels).sum((0, 1), keepdim=True).clamp(min=1).to(dtype)
    return torch.where(labels, 1 / positives, 1 / negatives)


class FragmentAlignment(nn.Module):
    """sum over regions r and fragments w of weight_rw max(0, 1 - y_rw d_rw).

    Args:
        multiple_instance: whether labels inside the own image follow the dot products; see ``instance_labels``.
        warmup: fraction of the run in which every region of the own image is positive, before the labels follow the
            dot products: those of an untrained model are noise.

    Raises:
        ItmError: ``warmup`` is no fraction.
    """

    def __init__(self, multiple_instance: bool = True, warmup: Fraction = 0.0):
        super().__init__()
        if not 0 <= warmup <= 1:
            raise ItmError(f"warmup is {warmup}; give a fraction of the run, from 0 to 1")
        self.multiple_instance, self.warmup = multiple_instance, warmup
        self.guesses = multiple_instance and not warmup

    def on_epoch(self, state) -> None:
        """Ends the warm-up at epoch ``state.epoch`` (from 0) of ``state.epochs``."""
        self.guesses = self.multiple_instance and state.epoch >= self.warmup * state.epochs

    def forward(self, dots: Tensor, own: Tensor, mask: Tensor) -> Tensor:
        """The objective, a sum over the batch.

        Args:
            dots: [n_images, n_regions, n_captions, seq_len].
            own: bool [n_images, n_captions], True where the caption describes the image.
            mask: bool [n_captions, seq_len], True where there is a fragment.

        Returns:
            A scalar.
        """
        labels = instance_labels(dots, own, self.guesses)
        hinges = (1 - torch.where(labels, dots, -dots)).clamp(min=0)
        weights = alignment_weights(labels, torch.promote_types(dots.dtype, torch.float32))
        return (weights * hinges).masked_fill(~mask, 0).sum()
