"""What models that write captions share: the next word after a prefix, for whoever generates captions."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.text import SPECIAL
from itm_tutorial.encoders.decoder import FIRST_WRITTEN
from itm_tutorial.errors import ItmError


class Writer:
    """A part of a ``Matching`` that can write captions word by word.

    A model that has it defines ``next_tokens``; generation calls ``next_words``. The sum of ``next_words`` along a
    caption, its stop included, is log P(caption | image), the likelihood by which the model ranks.
    """

    def next_tokens(self, image_emb, prefixes: LongTensor) -> Tensor:
        """log p of the next token, [n, n_words - FIRST_WRITTEN] by id from ``FIRST_WRITTEN`` (<end>, <unk>, words) on.

        Args:
            image_emb: of n images, as ``encode_images`` gives them.
            prefixes: int64 [n, t], the words so far, without <start>.
        """
        raise NotImplementedError

    @torch.inference_mode()
    def next_words(self, image_emb, prefixes: LongTensor) -> Tensor:
        """log p of the next word after a prefix, for one prefix per image.

        <pad>, <start> and <unk> can never be written. The probability that the model gives to <unk> is left out without
        a new division, so that a row's probabilities sum to 1 minus that of <unk>.

        Args:
            image_emb: of n images, [n, ...] as ``encode_images`` gives them; an image may stand in several rows.
            prefixes: int64 [n, t], the words so far, without <start>; t may be 0.

        Returns:
            [n, n_words + 1], n_words being ``len(self.vocabulary)``: by the id of a word; the last column is stop. -inf
            at the ids of <pad>, <start>, <end> and <unk>.

        Raises:
            ItmError: prefixes is no matrix of ids of words with a row per image.
        """
        n = len(image_emb if isinstance(image_emb, Tensor) else image_emb[0])
        n_words = len(self.vocabulary)
        if prefixes.ndim != 2 or len(prefixes) != n or prefixes.is_floating_point():
            raise ItmError(
                f"prefixes is {list(prefixes.shape)} {prefixes.dtype} for {n} images: give int64 [{n}, t], the ids of "
                "the words so far; t = 0 for none"
            )
        if prefixes.numel() and not len(SPECIAL) <= int(prefixes.min()) <= int(prefixes.max()) < n_words:
            raise ItmError(
                f"prefixes has ids from {int(prefixes.min())} to {int(prefixes.max())}: give ids of words, "
                f"{len(SPECIAL)} to {n_words - 1}, without <start> and <end>"
            )
        tokens = self.next_tokens(image_emb, prefixes.to(self.device))  # [n, n_words - FIRST_WRITTEN]
        words = tokens.new_full((n, n_words + 1), float("-inf"))
        words[:, len(SPECIAL) : n_words] = tokens[:, len(SPECIAL) - FIRST_WRITTEN :]
        words[:, n_words] = tokens[:, 0]  # <end>
        return words
