"""m-CNN: a convolution over words takes the image in at one of four levels, and a network scores each pair.

Ma, Lu, Shang and Li, "Multimodal Convolutional Neural Networks for Matching Image and Sentence", ICCV 2015
(https://arxiv.org/abs/1504.06063). Equations 4 to 6: position i of a layer with the image v = relu(W_im f + b) is

    u_i = g_i relu(W_x [x_i; x_i+1; x_i+2] + W_v v + b),   g_i = 0 where x_i = x_i+1 = x_i+2 = 0, else 1,

followed by the maximum over positions (0, 1), (2, 3) and so on. The other layers lack W_v v. After three such layers a
perceptron gives the score s. The loss of a pair is [0.5 - s(v, x) + s(v, x')]+ with one random wrong partner x'. The
paper sums the raw scores of four models, one per level. Left out: training the image network, and skip-gram vectors.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import pad, relu

from itm_tutorial.data.options import Dimension, Dropout, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.encoders.text import word_embedding, word_mask
from itm_tutorial.interaction.image_in_convolution import GatedConvolution, TextMaps
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

LEVELS = ("word", "short_phrase", "long_phrase", "sentence")  # the layer that takes the image in
FRAME = 30  # words: every caption is filled up with zeros, or cut, to this length, so that no batch decides it
POSITIONS = 2  # that three layers leave of the frame: 30 -> 28 -> 14 -> 12 -> 6 -> 4 -> 2
SIDE = 32  # images, and captions, whose pairs ``similarity`` holds in memory at a time


def random_negative(positives: Tensor) -> tuple[LongTensor, Tensor]:
    """One random column per row where the mask [n_rows, n] is False, and whether the row has any: both [n_rows]."""
    drawn = torch.rand(positives.shape, device=positives.device).masked_fill(positives, -1)
    return drawn.argmax(1), ~positives.all(1)


@register_model(
    chapter="10",
    paper="ma2015mcnn",
    variants={
        "m_cnn_short_phrase": {"level": "short_phrase"},
        "m_cnn_long_phrase": {"level": "long_phrase"},
        "m_cnn_sentence": {"level": "sentence"},
    },
)
class MCNN(Matching):
    """Three gated convolutions over words, one of which reads the image too, and a perceptron that gives the score.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        level: where the image comes in: "word", "short_phrase" or "long_phrase" (first, second or third convolution),
            or "sentence", the perceptron.
        embed_size: numbers per image vector v (256 in the paper).
        word_dim: numbers per word (50 in the paper).
        maps: of the first convolution (200 in the paper).
        deep_maps: of the second and the third (300 in the paper).
        hidden: size of the perceptron's hidden layer (400 in the paper).
        margin: of the hinge (0.5 in the paper).
        dropout: of the perceptron's inputs and hidden numbers (0.1 in the paper, which does not say where).
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=8, batch_size=64, drop_at=0.75),
        "paper": Recipe(options={"word_dim": 50, "maps": 200, "deep_maps": 300, "hidden": 400, "dropout": 0.1}),
    }
    pair_cost = "network"

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        level: Literal["word", "short_phrase", "long_phrase", "sentence"] = "word",
        embed_size: Dimension = 256,
        word_dim: Dimension = 64,
        maps: Dimension = 64,
        deep_maps: Dimension = 64,
        hidden: Dimension = 128,
        margin: Weight = 0.5,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.margin, self.joint = margin, LEVELS.index(level)
        self.words = word_embedding(len(vocabulary), word_dim)
        with torch.no_grad():
            self.words.weight.mul_(10)  # as large as trained vectors, so that three layers do not lose them
        sizes = (word_dim, maps, deep_maps, deep_maps)
        self.layers = nn.ModuleList(map(GatedConvolution, sizes, sizes[1:]))
        self.hidden, self.output = nn.Linear(POSITIONS * deep_maps, hidden), nn.Linear(hidden, 1)
        self.project = nn.Linear(image_dim, embed_size)
        self.image_part = nn.Linear(embed_size, (*sizes[1:], hidden)[self.joint], bias=False)  # W_v
        self.dropout = nn.Dropout(dropout)
        for linear in (*(layer.linear for layer in self.layers), self.hidden, self.project, self.output):
            nn.init.kaiming_normal_(linear.weight)

    def image_encoder(self, images: Tensor) -> Tensor:
        """Features [n_images, image_dim] -> W_v v, [n_images, n_maps of the layer that takes the image in]."""
        return self.image_part(relu(self.project(images)))

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> TextMaps:
        """Word ids [n_captions, seq_len] and lengths -> ``TextMaps``; the marks of start and end are no words."""
        gate = word_mask(ids[:, 1:], lengths - 2)
        room = FRAME - gate.shape[1]  # negative where captions are cut
        x = pad(self.words(ids[:, 1:]) * gate[..., None], (0, 0, 0, room))  # [n_captions, FRAME, word_dim]
        gate = pad(gate, (0, room))
        for layer in self.layers[: self.joint]:
            x, gate = layer(x, gate)
        if self.joint < len(self.layers):
            return self.layers[self.joint].before_relu(x, gate)
        maps = self.hidden(self.dropout(x.flatten(1)))[:, None]  # the perceptron's hidden layer is one position
        return TextMaps(maps, torch.ones_like(maps[..., 0], dtype=torch.bool))

    def _scores(self, image_emb: Tensor, caption_emb: TextMaps) -> Tensor:
        """[n_captions, n_images or 1 each, n_maps] and captions -> scores [n_captions, n_images or 1]."""
        maps, gate = caption_emb  # x below is [n_captions, n_positions, n_images, n_maps]
        x = relu(maps[:, :, None] + image_emb[:, None]) * gate[..., None, None]
        for layer in self.layers[self.joint + 1 :]:
            x, gate = layer(x, gate)
        x = x.transpose(1, 2).flatten(2)  # [n_captions, n_images, POSITIONS * n_maps]
        if self.joint < len(self.layers):
            x = relu(self.hidden(self.dropout(x)))
        return self.output(self.dropout(x)).squeeze(2)

    def pair_similarity(self, image_emb: Tensor, caption_emb: TextMaps) -> Tensor:
        """Image 0 with caption 0, image 1 with caption 1 and so on: scores [n]."""
        return self._scores(image_emb[:, None], caption_emb)[:, 0]

    def similarity(self, image_emb: Tensor, caption_emb: TextMaps) -> Tensor:
        """Scores [n_images, n_captions]; memory is bounded by ``SIDE`` images times ``SIDE`` captions."""
        texts = [TextMaps(*text) for text in zip(*(part.split(SIDE) for part in caption_emb), strict=True)]
        rows = [[self._scores(some[None], text) for text in texts] for some in image_emb.split(SIDE)]
        return torch.cat([torch.cat(row).T for row in rows])

    def loss(self, batch: Batch) -> Tensor:
        """The sum of both hinges of every pair, each against one random partner of another image in the batch."""
        image_emb, caption_emb, own = self.encode_images(batch), self.encode_captions(batch), batch.image_of
        positive = self.pair_similarity(image_emb[own], caption_emb)  # [n_captions]
        caption, some_caption = random_negative(batch.positives[own])
        image, some_image = random_negative(batch.positives.T)
        against_caption = self.pair_similarity(image_emb[own], pick(caption_emb, caption))
        against_image = self.pair_similarity(image_emb[image], caption_emb)
        costs = [(self.margin - positive + other).clamp(min=0) for other in (against_caption, against_image)]
        return (costs[0] * some_caption + costs[1] * some_image).sum()
