"""NIC: a network that writes captions ranks a caption by how likely it would have written it.

Vinyals, Toshev, Bengio and Erhan, "Show and Tell: A Neural Image Caption Generator", CVPR 2015,
https://arxiv.org/abs/1411.4555. The image is the first input of an LSTM, once; the words follow:

    x_{-1} = W_I CNN(I),   x_0 = <start>,   x_t = W_e w_t,   p_{t+1} = softmax(W_p LSTM(x_t)),
    S(I, c) = log P(c | I) = sum over t = 1 ... N + 1 of log p_t(w_t),   w_{N+1} = <end>,
    loss    = mean over the captions of a batch of -log P(c | I).

There are no negatives: an image is trained with its own captions alone. A caption that is likely for every image, such
as a common and short one, therefore scores high for every image. For image-to-text the paper divides the scores by the
caption's prior, as m-RNN does: ``retrieval.corrections.divide_by_prior``. ``similarity`` gives log P without it.

Left out: ensembles and stochastic gradient descent without momentum (here: Adam). The paper's LSTM has neither biases
nor a tanh at the cell's output (``cell="paper"``); the default is the standard cell.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Dimension, Dropout
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.decoder import CaptionDecoder, KeepIds, WordIds
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._writer import Writer

IMAGE_GAIN = 10.0  # the numbers of a unit-length feature are small; the image is read once, and must last for a caption


@register_model(chapter="13", paper="vinyals2014nic")
class NIC(Writer, Matching):
    """A linear map of the image to an LSTM's first input, no text encoder, log P as interaction and as loss.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word, and per image as the first input (512 in the paper).
        hidden_size: numbers per state of the LSTM (512 in the paper).
        cell: "standard"; "paper", without biases and without the tanh at the cell's output.
        sees_image: False feeds zeros in place of the image: a writer that knows the language alone, as a control.
        dropout: the fraction of the numbers of a feature, of an input word and of an LSTM's output that training hides.
    """

    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=8, batch_size=64, drop_at=0.75),
        "paper": Recipe(batch_size=100, options={"word_dim": 512, "hidden_size": 512, "cell": "paper"}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension = 128,
        hidden_size: Dimension = 128,
        cell: Literal["standard", "paper"] = "standard",
        sees_image: bool = True,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = GlobalProjection(image_dim, word_dim, dropout, unit=False)
        nn.init.xavier_uniform_(self.image_encoder.project.weight, gain=IMAGE_GAIN)
        self.text_encoder = KeepIds()
        self.decoder = CaptionDecoder(len(vocabulary), word_dim, hidden_size, cell, dropout)
        self.sees_image = sees_image

    def encode_images(self, images) -> Tensor:
        """Features [n_images, ...] (or a batch that holds them) -> the LSTM's first inputs [n_images, word_dim]."""
        inputs = super().encode_images(images)
        return inputs if self.sees_image else inputs * 0

    def similarity(self, image_emb: Tensor, caption_emb: WordIds) -> Tensor:
        """First inputs [n_images, word_dim] and captions -> log P(caption | image), [n_images, n_captions]."""
        if self.sees_image:
            return self.decoder.pairs(image_emb, *caption_emb)
        return self.decoder.pairs(image_emb[:1], *caption_emb).expand(len(image_emb), -1)  # all images are equal

    def pair_similarity(self, image_emb: Tensor, caption_emb: WordIds) -> Tensor:
        """First inputs [n, word_dim] and n captions -> log P of each with its image, [n]."""
        return self.decoder(image_emb, *caption_emb)

    def loss(self, batch: Batch) -> Tensor:
        """The mean of -log P over the batch's captions, each given its own image."""
        return -self.pair_similarity(self.encode_images(batch)[batch.image_of], self.encode_captions(batch)).mean()

    def next_tokens(self, image_emb: Tensor, prefixes: LongTensor) -> Tensor:
        """First inputs [n, word_dim] and prefixes [n, t] -> log p of the next token; see ``Writer``."""
        return self.decoder.next(image_emb, prefixes)
