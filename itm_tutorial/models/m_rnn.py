"""m-RNN: a recurrence over words alone; a multimodal layer joins word, memory and image at each step.

Mao, Xu, Yang, Wang and Yuille, "Explain Images with Multimodal Recurrent Neural Networks", 2014,
https://arxiv.org/abs/1410.1090, the first report of "Deep Captioning with Multimodal Recurrent Neural Networks (m-RNN)"
(ICLR 2015). With word vectors w_t, w_0 that of <start>,

    r_t = relu(U r_{t-1} + w_t),
    m_t = g(V_w w_t + V_r r_t + V_I CNN(I)),   g(x) = 1.7159 tanh(2 x / 3),   p_{t+1} = softmax(W m_t),
    S(I, c) = log P(c | I), the sum of log p over words and stop,
    loss    = mean over the words and stops of a batch of -log p.

No image reaches r_t. The recurrence is therefore computed once per caption, in ``encode_captions``, and a pair costs
the layer m and the softmax. Text-to-image ranks by S (or by perplexity: a caption's length is one for all images);
image-to-text ranks by log P(c | I) - log mean over training images I' of P(c | I'), which is
``retrieval.corrections.divide_by_prior``. ``similarity`` gives log P without it.

Left out: the second layer of the word embedding, and the penalty on weights. The report writes log_2; here it is ln.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Dimension, Dropout
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.decoder import FIRST_WRITTEN, START_ID, TILE, WordIds, log_likelihoods, wide
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.prefixes import Level, prefix_levels, prefix_scores
from itm_tutorial.encoders.word_recurrence import ReadWords, WordRecurrence
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._writer import Writer


@register_model(chapter="13", paper="mao2015mrnn", variants={"m_rnn_recurrence": {"image_at": "recurrence"}})
class MRNN(Writer, Matching):
    """A linear map of the image, a recurrence over words, the multimodal layer, log P as interaction and as loss.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word, and per state of the recurrence (256 in the report).
        multimodal_dim: numbers per multimodal layer (512 in the report).
        image_at: "multimodal", the layer, as published; "recurrence", r_t = relu(U r_{t-1} + w_t + V_I CNN(I)) in its
            place, which no two images share.
        dropout: the fraction of the numbers of a feature and of the multimodal layer that training hides.
    """

    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=10, batch_size=64),
        "paper": Recipe(options={"word_dim": 256, "multimodal_dim": 512}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension = 128,
        multimodal_dim: Dimension = 256,
        image_at: Literal["multimodal", "recurrence"] = "multimodal",
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        shared = image_at == "multimodal"
        self.image_encoder = GlobalProjection(image_dim, multimodal_dim if shared else word_dim, dropout, unit=False)
        self.text_encoder = WordRecurrence(len(vocabulary), word_dim, multimodal_dim, shared)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(multimodal_dim, len(vocabulary) - FIRST_WRITTEN)

    def logits(self, layer: Tensor) -> Tensor:
        """The multimodal layer before g, [..., multimodal_dim] -> float32 [..., n_words - FIRST_WRITTEN]."""
        return wide(self.output(self.dropout(scaled_tanh(layer))))

    def similarity(self, image_emb: Tensor, caption_emb: ReadWords | WordIds) -> Tensor:
        """Images and captions -> log P(caption | image), [n_images, n_captions]; some images at a time.

        Captions with the same first words share the layers and softmaxes of these words; that is exact.
        """
        *_, ids, lengths = caption_emb
        levels = prefix_levels(ids, lengths)
        widest = max((len(level.tokens) for level in levels), default=1)
        side = max(1, TILE // (widest * max(self.output.out_features, self.output.in_features)))
        scores = image_emb.new_empty(
            len(image_emb), len(ids), dtype=torch.promote_types(image_emb.dtype, torch.float32)
        )
        outputs = self._shared if self.text_encoder.shared else self._pairwise
        for first in range(0, len(image_emb) if len(ids) else 0, side):
            some = image_emb[first : first + side]
            layers = outputs(some, caption_emb, levels)
            scores[first : first + side] = prefix_scores(levels, layers, self.logits, len(ids), FIRST_WRITTEN)
        return scores

    def _shared(self, images: Tensor, captions: ReadWords, levels: list[Level]) -> Iterator[Tensor]:
        """Before each level, the layers [n_images, n_inner, dim] at the prefixes that it goes on from."""
        yield (captions.layer[:1, 0] + images)[:, None]  # after <start>, alike in all captions
        for place, level in enumerate(levels[:-1], start=1):
            yield captions.layer[level.examples[level.inner], place] + images[:, None]

    def _pairwise(self, images: Tensor, captions: WordIds, levels: list[Level]) -> Iterator[Tensor]:
        """The same where each image has a recurrence of its own."""
        words, images = self.text_encoder.words.weight, images[:, None]  # [n_words, word_dim], [n_images, 1, word_dim]
        state = self.text_encoder.step(words[START_ID], None, images)
        yield self.text_encoder.read_out(words[START_ID], state)
        for level in levels[:-1]:
            before = state[:, level.parents[level.inner]]  # [n_images, n_inner, word_dim]
            inputs = words[level.tokens[level.inner]]
            state = self.text_encoder.step(inputs, before, images)
            yield self.text_encoder.read_out(inputs, state)

    def after(self, image_emb: Tensor, ids: LongTensor, layer: Tensor | None = None) -> Tensor:
        """The multimodal layer before g after each token, [n, seq_len, dim]: n images with n captions, by their ids."""
        if self.text_encoder.shared:
            return (self.text_encoder.layer(ids) if layer is None else layer) + image_emb[:, None]
        return self.text_encoder.layer(ids, image_emb)

    def pair_similarity(self, image_emb: Tensor, caption_emb: ReadWords | WordIds) -> Tensor:
        """n images and n captions -> log P of each caption given its image, [n]."""
        *layer, ids, lengths = caption_emb
        return log_likelihoods(self.after(image_emb, ids, *layer)[:, :-1], ids, lengths, self.logits)

    def loss(self, batch: Batch) -> Tensor:
        """The mean over words and stops of -log p, each caption given its own image."""
        likelihoods = self.pair_similarity(self.encode_images(batch)[batch.image_of], self.encode_captions(batch))
        return -likelihoods.sum() / (batch.captions.lengths - 1).sum()

    def next_tokens(self, image_emb: Tensor, prefixes: LongTensor) -> Tensor:
        """Images and prefixes [n, t] -> log p of the next token; see ``Writer``."""
        start = prefixes.new_full((len(prefixes), 1), START_ID)
        ids = torch.cat([start, prefixes], 1)  # [n, 1 + t]
        return self.logits(self.after(image_emb, ids)[:, -1]).log_softmax(-1)


def scaled_tanh(x: Tensor) -> Tensor:
    """g(x) = 1.7159 tanh(2 x / 3), of any shape: g(1) = 1, and its slope at 0 is above 1."""
    return 1.7159 * (x * (2 / 3)).tanh()
