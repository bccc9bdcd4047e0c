"""An image-text matching head: words attend to the cells of an image, and a classifier says whether the two belong.

Li et al. 2021 (ALBEF), https://arxiv.org/abs/2107.07651, section 3.1; BLIP's head is of the same kind.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn

MOST = 2**20  # words of pairs times cells that are attended to at a time


class MatchingHead(nn.Module):
    """Fusion layers (self-attention of the words, attention to the image, feed-forward), then two logits.

    Args:
        dim: numbers per word and per cell.
        n_layers: fusion layers (6 in ALBEF).
        n_heads: attention heads.
    """

    def __init__(self, dim: int, n_layers: int = 1, n_heads: int = 4):
        super().__init__()
        layers = (nn.TransformerDecoderLayer(dim, n_heads, 2 * dim, 0.0, batch_first=True) for _ in range(n_layers))
        self.layers = nn.ModuleList(layers)
        self.classify = nn.Linear(dim, 2)

    def forward(self, cells: Tensor, words: Tensor, lengths: LongTensor) -> Tensor:
        """Scores n pairs of an image and a caption.

        Args:
            cells: [n, n_cells, dim], of the pair's image.
            words: [n, seq_len, dim], of the pair's caption; the first one stands for the whole text.
            lengths: int64 [n].

        Returns:
            Logits [n, 2]: that the two do not belong together, and that they do.
        """
        places = torch.arange(words.shape[1], device=words.device)
        padding = places[None] >= lengths.to(words.device)[:, None]  # [n, seq_len]
        for layer in self.layers:
            words = layer(words, cells, tgt_key_padding_mask=padding)
        return self.classify(words[:, 0])

    def log_odds(self, cells: Tensor, words: Tensor, lengths: LongTensor) -> Tensor:
        """The logarithm of p(match) / p(no match) of n pairs -> [n]; in parts of bounded memory."""
        step = max(1, MOST // max(1, cells.shape[1] * words.shape[1]))
        parts = zip(cells.split(step), words.split(step), lengths.split(step), strict=True)
        logits = [self(*some) for some in parts]  # [at most step, 2] each
        return torch.cat([some[:, 1] - some[:, 0] for some in logits] or [cells.new_zeros(0)])
