"""A frozen BERT as text encoder: one contextual vector per word.

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
    """A frozen BERT: word ids in, one vector per word out; it stays in evaluation mode and gets no gradient.

    It is built with random weights from its configuration alone, so a model that contains it can be built without
    network access and without the original file of weights; the checkpoint of the model holds BERT's weights too.

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
        """Numbers per word vector."""
        return self.bert.config.hidden_size

    @property
    def max_words(self) -> int:
        """The largest number of words or word pieces per caption, including the special ones."""
        return self.bert.config.max_position_embeddings

    def train(self, mode: bool = True) -> BertWords:
        """Stays in evaluation mode, so that dropout is off."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Encodes the words of captions.

        Args:
            ids: int64 [n_captions, seq_len], of this BERT's own vocabulary.
            lengths: int64 [n_captions], each at least 1.

        Returns:
            [n_captions, seq_len, dim], the last layer; the vectors of padding are meaningless.

        Raises:
            ItmError: a caption is longer than this BERT can read. It is not cut silently.
        """
        if ids.shape[1] > self.max_words:
            row = int(lengths.argmax())
            raise ItmError(
                f"caption {row} has {int(lengths[row])} words or word pieces with the special ones, but this BERT "
                f"reads at most {self.max_words}: shorten the caption, or use a BERT with more positions"
            )
        mask = word_mask(ids, lengths).long()  # [n_captions, seq_len]
        return self.bert(input_ids=ids, attention_mask=mask).last_hidden_state


def make_bert(config: dict[str, Any]) -> nn.Module:
    """A ``transformers.BertModel`` with random weights, without its pooling layer.

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
