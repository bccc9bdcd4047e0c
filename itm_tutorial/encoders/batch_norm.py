"""Batch normalisation that also takes a batch of one row."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import batch_norm


class BatchNorm(nn.BatchNorm1d):
    """As ``nn.BatchNorm1d``, but one row alone, which has no variance, is normalised as in evaluation.

    In training the mean and the variance are those of the batch, so that an embedding depends on its batch there; in
    evaluation they are the running ones, and it does not.
    """

    def forward(self, rows: Tensor) -> Tensor:
        """[n, dim] -> the same shape."""
        if len(rows) > 1:
            return super().forward(rows)
        return batch_norm(rows, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
