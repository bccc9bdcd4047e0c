"""SEAM: several self-attention hops over the words of a caption take the place of a recurrent network.

Wehrmann, Lopes, More and Barros, "Fast Self-Attentive Multimodal Retrieval", WACV 2018; public code:
https://github.com/jwehrmann/seam-retrieval. With one row of H per word, A has one row per hop:

    A = softmax over words (W2 tanh(W1 H^T)),    t = | l2(W vec(A H) + b) |

The score of an image and a caption is the order violation, as for ``order``. Left out: the square root that the public
code takes of it; the ranking is the same without it, but a margin means something else. The penalty c ||A A^T - I||_F
on hops that read the same words is an option and 0 by default: the public code computes such a penalty, but never for
its SEAM encoders, and never adds it to the loss that it returns.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import LongTensor, Tensor

from itm_tutorial.data.options import Dimension, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.self_attentive import SelfAttentive, redundancy
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.interaction.order import order_similarity
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(
    chapter="10",
    paper="wehrmann2018seam",
    variants={"seam_g": {"encoder": "G"}, "seam_c": {"encoder": "C", "hops": 10}},
)
class SEAM(Matching):
    """Self-attention hops over words, one linear map of the image, both made positive, order violation, all hinges.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        encoder: what the hops read: "E" word vectors, "G" the states of a GRU, "C" word vectors and two convolutions
            over them.
        hops: weighted means per caption (30 in the authors' commands for E and G, 10 for C).
        attention_units: rows of W1 (300 in the authors' commands).
        embed_size: numbers per embedding (1024 in the public code).
        word_dim: numbers per word (300 in the public code).
        gru_units: numbers per state of "G" (1024 in the public code).
        conv_maps: numbers per window of "C" (100 in the public code).
        penalty: c, the weight of ||A A^T - I||_F. The authors' commands ask for 0.5, and the public code ignores it.
        measure: "order" as published, with absolute values; "cosine" without them.
        margin: of the hinge (0.05 in the public code, on the root of the violation).
        mask_same_image: whether to leave other captions of the same image out of the negatives; False as in the
            public code.
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=6e-3, epochs=10),  # as for ``order``, so that the text encoder alone differs
        "flickr8k": Recipe(
            learning_rate=5e-4,
            epochs=15,
            features="mirrored",
            options={"hops": 30, "attention_units": 300, "embed_size": 1024, "word_dim": 300},
        ),
        "paper": Recipe(
            learning_rate=1e-3,
            clip=1.0,
            options={"hops": 30, "attention_units": 300, "embed_size": 1024, "word_dim": 300, "gru_units": 1024}
            | {"conv_maps": 100, "mask_same_image": False},
        ),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        encoder: Literal["E", "G", "C"] = "E",
        hops: Dimension = 10,
        attention_units: Dimension = 128,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        gru_units: Dimension = 256,
        conv_maps: Dimension = 64,
        penalty: Weight = 0.0,
        measure: Literal["order", "cosine"] = "order",
        margin: Weight = 0.05,
        mask_same_image: bool = True,
    ):
        super().__init__(vocabulary, features)
        self.penalty, self.measure = penalty, measure
        self.project = GlobalProjection(image_dim, embed_size)
        shape = (len(vocabulary), word_dim, embed_size, hops, attention_units, gru_units, conv_maps)
        self.hops = SelfAttentive(encoder, *shape)
        self.loss_function = create_loss("sum_of_hinges", margin=margin, mask_same_image=mask_same_image)

    def image_encoder(self, images: Tensor) -> Tensor:
        """Features [n_images, image_dim] -> unit embeddings [n_images, embed_size]."""
        return self._positive(self.project(images))

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> unit embeddings [n_captions, embed_size]."""
        return self._positive(self.hops(ids, lengths))

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Embeddings [n_images, embed_size] and [n_captions, embed_size] -> scores [n_images, n_captions]."""
        return (order_similarity if self.measure == "order" else cosine)(image_emb, caption_emb)

    def attention(self, captions: list[str]) -> Tensor:
        """Which words the hops read.

        Args:
            captions: n_captions texts.

        Returns:
            Weights [n_captions, hops, seq_len], <start> and <end> included; of "C", those over the word vectors.
        """
        tokens = self.tokenize(captions).to(self.device)
        return self.hops.read(tokens.ids, tokens.lengths).weights[-1]

    def loss(self, batch: Batch) -> Tensor | dict[str, Tensor]:
        """A batch -> the hinges, and the penalty where it has a weight, summed over the sets of hops."""
        if not self.penalty:
            return super().loss(batch)
        captions, weights = self.hops.read(batch.captions.ids, batch.captions.lengths)
        scores = self.similarity(self.encode_images(batch), self._positive(captions))  # [n_images, n_captions]
        ranking = self.loss_function(scores, batch.positives)
        return {"ranking": ranking, "penalty": self.penalty * sum(map(redundancy, weights))}

    def _positive(self, embeddings: Tensor) -> Tensor:
        return embeddings.abs() if self.measure == "order" else embeddings
