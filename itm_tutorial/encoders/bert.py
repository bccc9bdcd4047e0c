"""BERT as a reader of sentences: a vector for every word that knows the words beside it, frozen.

Devlin, Chang, Lee and Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
NAACL 2019. The network is that of the ``transformers`` library, which is imported when a BERT is first made.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.encoders.text import word_mask
from itm_tutorial.errors import ItmError


class BertWords(nn.Module):
    """A frozen BERT: word ids in, one vector a word out; it stays in evaluation mode and gets no gradient.

    It is made with random weights from its configuration alone, so that a model that holds it can be built again
    without the network and without the file its weights once came from; they travel with the model's own.

    Args:
        config: arguments of ``transformers.BertConfig``, as plain data.

    Raises:
        ItmError: transformers is not installed.
    """

    def __init__(self, config: dict[str, Any]):
        super().__init__()
        self.bert = make_bert(config)
        self.requires_grad_(False)
        self.eval()

    @property
    def dim(self) -> int:
        """Numbers a word vector."""
        return self.bert.config.hidden_size

    @property
    def seq_len(self) -> int:
        """How many words, or pieces of words, it can read at once, the special ones included."""
        return self.bert.config.max_position_embeddings

    def train(self, mode: bool = True) -> BertWords:
        """Stays in evaluation mode: what is frozen drops nothing out either."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Reads captions.

        Args:
            ids: int64 [n_captions, seq_len], in the numbers of this BERT's own vocabulary.
            lengths: int64 [n_captions], each at least 1.

        Returns:
            [n_captions, seq_len, dim], the last layer; what stands where a caption has ended means nothing.

        Raises:
            ItmError: a caption is longer than the positions that this BERT has. It is not cut: its end would go
                unread, and nobody would know.
        """
        if ids.shape[1] > self.seq_len:
            row = int(lengths.argmax())
            raise ItmError(
                f"caption {row} has {int(lengths[row])} words or pieces of words with the special ones, and this BERT "
                f"reads {self.seq_len}: shorten it, or take a BERT with more positions"
            )
        mask = word_mask(ids, lengths).long()  # [n_captions, seq_len]
        return self.bert(input_ids=ids, attention_mask=mask).last_hidden_state


def make_bert(config: dict[str, Any]) -> nn.Module:
    """A ``transformers.BertModel`` with random weights, without the pooled sentence vector that nobody here reads.

    Args:
        config: arguments of ``transformers.BertConfig``.

    Raises:
        ItmError: transformers is not installed.
    """
    try:
        from transformers import BertConfig, BertModel
    except ImportError as error:
        raise ItmError("BERT needs the package transformers: pip install transformers") from error
    return BertModel(BertConfig(**config), add_pooling_layer=False)
