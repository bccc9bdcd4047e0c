"""A decoder that writes captions: an LSTM whose first input is the image, and log P of a caption given an image.

Vinyals, Toshev, Bengio and Erhan, "Show and Tell: A Neural Image Caption Generator", CVPR 2015,
https://arxiv.org/abs/1411.4555. With x_{-1} the image, x_0 = <start> and the words w_1 ... w_N of a caption,

    log P(caption | image) = sum over t = 1 ... N + 1 of  log p(w_t | image, w_1 ... w_{t-1}),   w_{N+1} = <end>:

stop is scored; <start> and what the network says right after the image are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy

from itm_tutorial.data.text import END, SPECIAL, START
from itm_tutorial.encoders.prefixes import Level, prefix_levels, prefix_scores
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.errors import unknown

TILE = 2**20  # float32 numbers of the widest layer that are in memory at once: 4 MiB
START_ID, FIRST_WRITTEN = SPECIAL.index(START), SPECIAL.index(END)  # <pad> and <start> are never written
FORGET_BIAS = 1.0  # at first, so that a cell keeps what it holds: the image comes first, and must last to the end
CELLS = ("standard", "paper")


class WordIds(NamedTuple):
    """Captions as they came, for a model that scores them word by word.

    Attributes:
        ids: int64 [n_captions, seq_len], <start> first, <end> last, then padding of any kind.
        lengths: int64 [n_captions], <start> and <end> included.
    """

    ids: LongTensor
    lengths: LongTensor


class KeepIds(nn.Module):
    """The text encoder of a model that has none: the word ids themselves, for a decoder that reads them later."""

    def forward(self, ids: LongTensor, lengths: LongTensor) -> WordIds:
        """Ids [n_captions, seq_len] and lengths [n_captions] -> the same, as embeddings that can be chunked."""
        return WordIds(ids, lengths)


class State(NamedTuple):
    """What an LSTM remembers: output and cell, [..., dim] each."""

    output: Tensor
    cell: Tensor


class CaptionDecoder(nn.Module):
    """An LSTM that reads the image once, as if it were a word, and then predicts each word of a caption.

    i, f, o = sigmoid(W x_t + U m_{t-1}), c_t = f c_{t-1} + i tanh(W x_t + U m_{t-1}), and m_t = o tanh(c_t). A softmax
    over an affine map of m_t gives the next word: <end>, <unk> or a word of the vocabulary. The id of the first of them
    is ``FIRST_WRITTEN``; <pad> and <start> have no output, so that their probability is zero.

    Args:
        n_words: words in the vocabulary, special ones included.
        word_dim: numbers per word, and per image as the first input (512 in the paper).
        dim: numbers per state (512 in the paper).
        cell: "standard", the LSTM above with a bias per gate; "paper", without biases and with m_t = o c_t, no tanh.
        dropout: the fraction of the numbers of an input word and of an output m_t that training sets to zero.

    Raises:
        ItmError: no cell has this name.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, cell: str = "standard", dropout: float = 0.0):
        super().__init__()
        if cell not in CELLS:
            raise unknown("cell", cell, CELLS)
        self.squash = cell == "standard"
        self.dropout = nn.Dropout(dropout)
        self.words = nn.Embedding(n_words, word_dim)
        nn.init.uniform_(self.words.weight, -1, 1)  # with small numbers the states hardly differ at first
        self.input = nn.Linear(word_dim, 4 * dim, bias=self.squash)
        self.recurrent = nn.Linear(dim, 4 * dim, bias=False)
        self.output = nn.Linear(dim, n_words - FIRST_WRITTEN)
        if self.squash:
            nn.init.zeros_(self.input.bias)
            nn.init.constant_(self.input.bias[dim : 2 * dim], FORGET_BIAS)
        nn.init.zeros_(self.output.bias)

    def step(self, gates: Tensor, state: State | None) -> State:
        """One step of the LSTM.

        Args:
            gates: [..., 4 dim], W x_t, the input's part of the gates and of the proposal.
            state: of [..., dim], or None before the first step.

        Returns:
            The new state, of [..., dim].
        """
        if state is not None:
            gates = gates + self.recurrent(state.output)
        dim = gates.shape[-1] // 4
        update, forget, output = gates[..., : 3 * dim].sigmoid().chunk(3, -1)
        cell = update * gates[..., 3 * dim :].tanh()
        if state is not None:
            cell = cell + forget * state.cell
        return State(output * (cell.tanh() if self.squash else cell), cell)

    def begin(self, inputs: Tensor) -> State:
        """Images as the first input [n, word_dim] -> states after the image and <start>, from which word 1 is written.

        Args:
            inputs: [n, word_dim], x_{-1}.
        """
        after_image = self.step(self.input(inputs), None)
        start = self.words(torch.full((len(inputs),), START_ID, device=inputs.device))
        return self.step(self.input(self.dropout(start)), after_image)

    def logits(self, output: Tensor) -> Tensor:
        """Outputs [..., dim] -> unnormalised log p of the next token, float32 [..., n_words - FIRST_WRITTEN]."""
        return wide(self.output(output))

    def forward(self, inputs: Tensor, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """log P of one caption for each image, by teacher forcing; padding is masked.

        Args:
            inputs: [n, word_dim], the images as first inputs.
            ids: int64 [n, seq_len], <start> first, <end> last.
            lengths: int64 [n], both included.

        Returns:
            [n], 0 or below.
        """
        gates = self.input(self.dropout(self.words(ids[:, 1:-1])))  # [n, seq_len - 2, 4 dim]
        states = [self.begin(inputs)]
        for step in range(gates.shape[1]):  # what stands behind the end cannot reach what came before it
            states.append(self.step(gates[:, step], states[-1]))
        outputs = self.dropout(torch.stack([state.output for state in states], 1))  # [n, seq_len - 1, dim]
        return log_likelihoods(outputs, ids, lengths, self.logits)

    def next(self, inputs: Tensor, prefixes: LongTensor) -> Tensor:
        """log p of the next token after a prefix.

        Args:
            inputs: [n, word_dim], the images as first inputs.
            prefixes: int64 [n, t], the words so far, without <start>; t may be 0.

        Returns:
            [n, n_words - FIRST_WRITTEN], by id from ``FIRST_WRITTEN`` on.
        """
        state = self.begin(inputs)
        for words in prefixes.T:
            state = self.step(self.input(self.dropout(self.words(words))), state)
        return self.logits(self.dropout(state.output)).log_softmax(-1)

    def pairs(self, inputs: Tensor, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """log P of every caption for every image, some images at a time.

        W x_t is computed once per word of the vocabulary, and captions share the steps of the words with which they
        begin alike: both are exact.

        Args:
            inputs: [n_images, word_dim], the images as first inputs.
            ids: int64 [n_captions, seq_len], <start> first, <end> last.
            lengths: int64 [n_captions], both included.

        Returns:
            [n_images, n_captions], 0 or below.
        """
        levels = prefix_levels(ids, lengths)
        table = self.input(self.words.weight)  # [n_words, 4 dim]
        numbers = max(self.recurrent.out_features, self.output.out_features)  # per image and prefix
        side = max(1, TILE // (numbers * max((len(level.tokens) for level in levels), default=1)))
        scores = inputs.new_empty(len(inputs), len(ids), dtype=torch.promote_types(inputs.dtype, torch.float32))
        for first in range(0, len(inputs) if len(ids) else 0, side):
            some = slice(first, first + side)
            outputs = self._outputs(inputs[some], levels, table)
            scores[some] = prefix_scores(levels, outputs, self.logits, len(ids), FIRST_WRITTEN)
        return scores

    def _outputs(self, inputs: Tensor, levels: list[Level], table: Tensor) -> Iterator[Tensor]:
        """Before each level, the outputs at the prefixes that it goes on from, [n_images, n_inner, dim]."""
        state = State(*(part[:, None] for part in self.begin(inputs)))
        yield state.output
        for level in levels[:-1]:
            before = State(*(part[:, level.parents[level.inner]] for part in state))
            state = self.step(table[level.tokens[level.inner]], before)
            yield state.output


def log_likelihoods(
    outputs: Tensor, ids: LongTensor, lengths: LongTensor, logits: Callable[[Tensor], Tensor]
) -> Tensor:
    """log P of captions from a network's outputs before each of their tokens; only real tokens get a softmax.

    Args:
        outputs: [n, seq_len - 1, dim]; at place t what is known after tokens 0 ... t.
        ids: int64 [n, seq_len], <start> first, <end> last, then padding of any kind.
        lengths: int64 [n], <start> and <end> included.
        logits: outputs [n_tokens, dim] -> [n_tokens, n_words - FIRST_WRITTEN].

    Returns:
        [n]: <end> is scored, <start> and padding are not.
    """
    mask = word_mask(ids, lengths)[:, 1:]  # [n, seq_len - 1], the tokens behind <start>
    targets = ids[:, 1:][mask] - FIRST_WRITTEN  # [n_tokens]
    chosen = -cross_entropy(logits(outputs[mask]), targets, reduction="none")
    return chosen.new_zeros(mask.shape).masked_scatter(mask, chosen).sum(1)


def wide(values: Tensor) -> Tensor:
    """At least float32: a sum of logarithms over words loses too much in bfloat16."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
