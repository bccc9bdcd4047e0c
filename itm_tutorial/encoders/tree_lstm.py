"""An LSTM up a constituency tree whose children are of two kinds (HM-LSTM, Niu et al. 2017), and its control."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from itm_tutorial.encoders.tree import by_kind, plant

WORD, NOUN_PHRASE, OTHER = 1, 2, 3  # kinds of nodes, as in ``data.constituents.constituent_tensors``; 0 is padding


class TreeLSTM(nn.Module):
    """Noun phrases and other children are added up apart, with own matrices, and each child has its own forget gate.

    With h^N and h^O, the sums of the states of a node's noun phrases and of its other children,

        i, o = sigmoid(W x + U h^N + V h^O + b),    u = tanh(W x + U h^N + V h^O + b),
        f_c = sigmoid(U^f h_c + b^f) for each noun phrase c, with V^f for another child,
        cell = i * u + sum_c f_c * cell_c,    h = o * tanh(cell).

    The gates i, o and u have weights of their own. x is the word of a leaf and zero elsewhere; so the word's part of a
    forget gate, which only a node with children and a word would have, is left out.

    Args:
        word_dim: numbers per word vector.
        dim: numbers per state.
        two_kinds: whether noun phrases and other children have own matrices; otherwise it is a child-sum LSTM.
    """

    def __init__(self, word_dim: int, dim: int, two_kinds: bool = True):
        super().__init__()
        self.two_kinds = two_kinds
        self.word = nn.Linear(word_dim, 3 * dim)  # W and b of i, o, u
        self.kinds = nn.ModuleList(nn.Linear(dim, 4 * dim, bias=False) for _ in range(1 + two_kinds))  # i, o, u, f
        self.forget_bias = nn.Parameter(torch.zeros(dim))

    def forward(self, words: Tensor, parents: LongTensor, node_kinds: LongTensor) -> Tensor:
        """Encodes every node of trees.

        Args:
            words: [n_captions, n_nodes, word_dim], zero but for leaves.
            parents: int64 [n_captions, n_nodes], the position of each node's parent, the root's own.
            node_kinds: int64 [n_captions, n_nodes], ``WORD``, ``NOUN_PHRASE``, ``OTHER``, or 0 for padding.

        Returns:
            States [n_captions, n_nodes, dim]; zero for padding.
        """
        kinds = (node_kinds != NOUN_PHRASE).long() if self.two_kinds else None  # 0: noun phrase, 1: another child
        forest = plant(parents, node_kinds > 0, kinds, len(self.kinds))
        found, below = [], None
        for level, x in zip(forest.levels, forest.by_level(words), strict=True):
            gates = self.word(x)  # [n_nodes, 3 dim]
            dim = gates.shape[1] // 3
            cell = 0.0
            if below is not None:
                gates, cell = gates + below[:, : 3 * dim], below[:, 3 * dim :]  # sums of messages, of f_c * cell_c
            i, o, u = gates.chunk(3, dim=1)
            cell = i.sigmoid() * u.tanh() + cell  # [n_nodes, dim]
            state = o.sigmoid() * cell.tanh()
            found.append(state)
            if level.n_above:
                messages, forget = by_kind(state, level, lambda kind: self.kinds[kind].weight).split([3 * dim, dim], 1)
                kept = (forget + self.forget_bias).sigmoid() * cell
                below = level.to_parents(torch.cat([messages, kept], 1))
        states = torch.cat(found)
        return (
            states.new_zeros(node_kinds.numel(), dim).index_copy(0, forest.order, states).view(*node_kinds.shape, dim)
        )


class TreeReader(nn.Module):
    """A ``TreeLSTM`` over the words of captions, read at the root and at the noun phrases.

    Args:
        word_dim, dim, two_kinds: of the ``TreeLSTM``.
    """

    def __init__(self, word_dim: int, dim: int, two_kinds: bool = True):
        super().__init__()
        self.lstm = TreeLSTM(word_dim, dim, two_kinds)

    def forward(
        self,
        words: Tensor,
        lengths: LongTensor,
        parents: LongTensor,
        node_kinds: LongTensor,
        phrases: LongTensor,
        phrase_mask: Tensor,
        phrase_spans: LongTensor,
    ) -> tuple[Tensor, Tensor]:
        """Encodes captions and their noun phrases.

        Args:
            words: vectors [n_captions, seq_len, word_dim], with <start> in front and <end> behind.
            lengths: int64 [n_captions], <start> and <end> included.
            parents, node_kinds, phrases, phrase_mask, phrase_spans: see ``data.constituents.constituent_tensors``.

        Returns:
            States of the roots [n_captions, dim], and of all noun phrases of all captions in order [n_phrases, dim].
        """
        leaves = words.new_zeros(*parents.shape, words.shape[2])
        leaves[:, : words.shape[1] - 2] = words[:, 1:-1]
        leaves = leaves.masked_fill((node_kinds != WORD).unsqueeze(2), 0)  # only leaves have a word
        states = self.lstm(leaves, parents, node_kinds)  # [n_captions, n_nodes, dim]
        rows = torch.arange(len(words), device=words.device)
        roots = states[rows, (node_kinds > 0).sum(1) - 1]  # the last node
        return roots, states[rows[:, None], phrases][phrase_mask]


class ChainReader(nn.Module):
    """The control without a hierarchy: an LSTM over the words of a caption, and over those of each noun phrase.

    Args:
        word_dim: numbers per word vector.
        dim: numbers per state.
    """

    def __init__(self, word_dim: int, dim: int):
        super().__init__()
        self.lstm = nn.LSTM(word_dim, dim, batch_first=True)

    def forward(
        self, words: Tensor, lengths: LongTensor, phrase_mask: Tensor, phrase_spans: LongTensor, **tree: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As ``TreeReader.forward``; of a phrase it gets the words from its first to its last."""
        rows = phrase_mask.nonzero()[:, 0]  # [n_phrases]
        first, end = phrase_spans[phrase_mask].unbind(1)
        longest = int((end - first).max()) if len(rows) else 0
        places = first[:, None] + torch.arange(longest, device=words.device) + 1  # behind <start>
        cut = words[rows[:, None], places.clamp(max=words.shape[1] - 1)]  # [n_phrases, longest, word_dim]
        return self._last(words[:, 1:], lengths - 2), self._last(cut, end - first)

    def _last(self, words: Tensor, lengths: LongTensor) -> Tensor:
        """The state after the last word, [n, dim]."""
        if not len(words):
            return words.new_zeros(0, self.lstm.hidden_size)
        packed = pack_padded_sequence(words, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return self.lstm(packed)[1][0][0]
