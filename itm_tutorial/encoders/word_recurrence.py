"""The recurrence of m-RNN: over words alone, so that all images share it, or with the image at each step.

Mao, Xu, Yang, Wang and Yuille, "Explain Images with Multimodal Recurrent Neural Networks", 2014,
https://arxiv.org/abs/1410.1090.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.encoders.decoder import WordIds
from itm_tutorial.encoders.text import word_embedding


class ReadWords(NamedTuple):
    """Captions after the recurrence.

    Attributes:
        layer: [n_captions, seq_len, dim], V_w w_t + V_r r_t, the words' part of the multimodal layer.
        ids: int64 [n_captions, seq_len].
        lengths: int64 [n_captions].
    """

    layer: Tensor
    ids: LongTensor
    lengths: LongTensor


class WordRecurrence(nn.Module):
    """Word vectors, the recurrence over them, and the words' part of the multimodal layer.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word, and per state, since the two are added.
        dim: numbers per multimodal layer.
        shared: whether all images share the recurrence.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, shared: bool):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.recurrent = nn.Linear(word_dim, word_dim, bias=False)
        self.from_word = nn.Linear(word_dim, dim)
        self.from_state = nn.Linear(word_dim, dim, bias=False)
        self.shared = shared

    def forward(self, ids: LongTensor, lengths: LongTensor) -> ReadWords | WordIds:
        """Ids [n_captions, seq_len] and lengths [n_captions] -> the layer's part, or ids if images do not share it."""
        return ReadWords(self.layer(ids), ids, lengths) if self.shared else WordIds(ids, lengths)

    def layer(self, ids: LongTensor, images: Tensor | None = None) -> Tensor:
        """V_w w_t + V_r r_t after each word.

        Args:
            ids: int64 [n, seq_len].
            images: [n, word_dim], added at each step of the recurrence; None leaves it to the words.

        Returns:
            [n, seq_len, dim].
        """
        words = self.words(ids)  # [n, seq_len, word_dim]
        state, states = None, []
        for step in range(ids.shape[1]):  # padding comes after the words, and changes nothing before it
            state = self.step(words[:, step], state, images)
            states.append(state)
        return self.read_out(words, torch.stack(states, 1))

    def step(self, words: Tensor, state: Tensor | None, images: Tensor | None) -> Tensor:
        """r_t = relu(U r_{t-1} + w_t), plus the image where it enters; all [..., word_dim]."""
        total = words if images is None else words + images
        return (total if state is None else total + self.recurrent(state)).relu()

    def read_out(self, words: Tensor, states: Tensor) -> Tensor:
        """V_w w + V_r r: words and states, [..., word_dim] each -> [..., dim]."""
        return self.from_word(words) + self.from_state(states)
