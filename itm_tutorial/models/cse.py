"""CSE: convolutions read image and caption end to end, and an extra loss compares the middle layers of the two.

After the idea of You, Zhang and Luo, "End-to-end Convolutional Semantic Embeddings", CVPR 2018, whose abstract says:
convolutions on both sides, whose middle layers stand for phrases and image regions, and an objective on these layers
beside the one on the whole. The equation of the paper's local term was not readable; the one here is ours. With
L(S) the two-sided hinge loss of the scores S,

    loss = L(S_global) + weight L(S_local),   S_local(i, j) = mean_t max_r cos(r, t),   t of caption j, r of image i.

S_local is the score of DVSA (Karpathy and Fei-Fei, CVPR 2015, equation 8) with unit vectors and a mean. It is used in
training alone; the test compares one vector per image with one per caption. Left out: the ResNet, trained on ImageNet.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.convolutional import IMAGE_MAPS, ImageConvolutions, TextConvolutions
from itm_tutorial.encoders.text import create_text_encoder, masked_mean, word_mask
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


def local_scores(cells: Tensor, windows: Tensor, mask: Tensor) -> Tensor:
    """The mean over windows of words of their best cell's cosine.

    Args:
        cells: unit vectors [n_images, n_cells, dim].
        windows: unit vectors [n_captions, seq_len, dim].
        mask: bool [n_captions, seq_len], False for padding.

    Returns:
        [n_images, n_captions].
    """
    cosines = torch.einsum("ird,jtd->jtir", cells, windows)  # [n_captions, seq_len, n_images, n_cells]
    return masked_mean(cosines.amax(3), mask).T


@register_model(chapter="10", paper="you2018cse", variants={"cse_global": {"local_weight": 0.0}})
class CSE(Matching):
    """Three convolutions on each side, cosine of the two embeddings, and a hinge loss on middle layers as well.

    Args:
        vocabulary: the words of the training captions.
        features: pixels.
        image_dim: unused; the network reads pixels.
        embed_size: numbers per embedding.
        word_dim: numbers per word, and per position of the text's layers.
        side: of the image in pixels, as the network reads it.
        sentence: "conv", or "gru", which has no middle layers and needs ``local_weight=0``.
        local_weight: of the loss on the middle layers; 0 trains on the global loss alone.
        image_layer: the layer, 1 to 3, whose cells the local term compares.
        text_layer: the layer, 1 to 3, whose windows it compares them with.
        margin: of both hinges.

    Raises:
        ItmError: a layer that does not exist, or a local term for "gru".
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=2e-3, epochs=12, batch_size=64, drop_at=0.75, sampler="images"),
    }
    feature_kind = "pixels"
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        side: PositiveInt = 48,
        sentence: Literal["conv", "gru"] = "conv",
        local_weight: Weight = 1.0,
        image_layer: PositiveInt = 2,
        text_layer: PositiveInt = 2,
        margin: Weight = 0.2,
    ):
        super().__init__(vocabulary, features)
        for name, layer in {"image_layer": image_layer, "text_layer": text_layer}.items():
            if layer > len(IMAGE_MAPS):
                raise ItmError(f"cse: {name} is {layer}; give a layer from 1 to {len(IMAGE_MAPS)}")
        if sentence == "gru" and local_weight:
            raise ItmError("cse: a GRU has no middle layers to compare; give local_weight=0, or sentence='conv'")
        self.local_weight, self.image_layer, self.text_layer = local_weight, image_layer, text_layer
        self.image_network = ImageConvolutions(side, embed_size)
        network = TextConvolutions if sentence == "conv" else partial(create_text_encoder, "gru")
        self.text_network = network(len(vocabulary), word_dim, embed_size)
        if local_weight:
            self.cells = nn.Linear(IMAGE_MAPS[image_layer - 1], word_dim)
            self.windows = nn.Linear(word_dim, word_dim)
        self.loss_function = create_loss("sum_of_hinges", margin=margin)

    def image_encoder(self, images: Tensor) -> Tensor:
        """Pixels [n_images, 3, H, W] from 0 to 255 -> unit vectors [n_images, embed_size]."""
        return self.image_network(images)[0]

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> unit vectors [n_captions, embed_size]."""
        found = self.text_network(ids, lengths)
        return found if isinstance(found, Tensor) else found[0]  # a GRU gives no layers

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The global loss and, where its weight is above 0, the local one."""
        if not self.local_weight:
            return {"global": super().loss(batch)}
        tokens = batch.captions
        image_emb, cells = self.image_network(batch.images.to(self.dtype))
        caption_emb, windows = self.text_network(tokens.ids, tokens.lengths)
        cells = normalize(self.cells(cells[self.image_layer - 1]), dim=-1)  # [n_images, n_cells, word_dim]
        windows = normalize(self.windows(windows[self.text_layer - 1]), dim=-1)  # [n_captions, seq_len, word_dim]
        local = local_scores(cells, windows, word_mask(tokens.ids, tokens.lengths))
        return {
            "global": self.loss_function(self.similarity(image_emb, caption_emb), batch.positives),
            "local": self.local_weight * self.loss_function(local, batch.positives),
        }
