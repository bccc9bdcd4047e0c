"""The sentence encoder of skip-thoughts: a GRU whose last state is the sentence vector.

Kiros, Zhu, Salakhutdinov, Zemel, Torralba, Urtasun and Fidler, "Skip-Thought Vectors", NIPS 2015,
https://arxiv.org/abs/1506.06726.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn


class SkipThoughtEncoder(nn.Module):
    """Word ids in, one sentence vector out: h_t = u * h_{t-1} + (1 - u) * tanh(W x + r * (U h_{t-1}) + b).

    These are the gates of the authors' code, and ``torch.nn.GRU`` has the same: the reset gate r acts after the product
    with U (in the paper's equation 3 before it, U (r * h)), and the update gate u keeps the old state. torch has one
    bias more, inside the product with r.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word (620 in the paper).
        dim: numbers per sentence vector (2,400 in the paper).
    """

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.words = nn.Embedding(n_words, word_dim)
        self.gru = nn.GRU(word_dim, dim, batch_first=True)
        start_skip_thought(self)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Encodes sentences.

        Args:
            ids: int64 [n_sentences, seq_len], each sentence with the token that ends it.
            lengths: int64 [n_sentences], that token included.

        Returns:
            [n_sentences, dim], the state after the last token, of any length.
        """
        states, _ = self.gru(self.words(ids))  # [n_sentences, seq_len, dim]; from left to right, so padding comes after
        rows = torch.arange(len(ids), device=ids.device)
        return states[rows, lengths.to(ids.device) - 1]


@torch.no_grad()
def start_skip_thought(network: nn.Module) -> None:
    """Initialises all weights as in the paper: orthogonal recurrent matrices, the others from U(-0.1, 0.1), no bias."""
    for name, weight in network.named_parameters():
        if "weight_hh" in name:
            for matrix in weight.chunk(3):  # of the reset gate, the update gate and the proposal
                nn.init.orthogonal_(matrix)
        elif "bias" in name:
            nn.init.zeros_(weight)
        else:
            nn.init.uniform_(weight, -0.1, 0.1)
