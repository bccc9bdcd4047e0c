"""Order embeddings: images and captions in a partial order, in which a caption is more general than its image.

Vendrov, Kiros, Fidler and Urtasun, "Order-Embeddings of Images and Language", ICLR 2016. The rows Order0 and Order++ of
Faghri et al. 2018 differ from it in the loss.
"""

from __future__ import annotations

from typing import ClassVar

from torch import LongTensor, Tensor

from itm_tutorial.data.options import Dimension, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import create_text_encoder
from itm_tutorial.interaction.order import order_similarity
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(
    chapter="02",
    paper="vendrov2016order",
    variants={"order0": {}, "orderpp": {"max_violation": True, "margin": 0.2, "use_abs": False}},
)
class Order(Matching):
    """A GRU over words, one linear map of the image, both made positive, and the order violation between them.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        embed_size: numbers per embedding (1024 in the paper).
        word_dim: numbers per word (300 in the paper).
        margin: of the hinge, in squared violation (0.05 in the paper).
        max_violation: True takes the largest hinge; False the sum, as in the paper.
        use_abs: take absolute values, as the paper does; the row Order++ does not.
        warmup: fraction of the run in which all hinges count.
        mask_same_image: whether to leave other captions of the same image out of the negatives.
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=6e-3, epochs=10),  # the paper: 1e-3, at most 100 epochs
        "paper": Recipe(
            epochs=100, learning_rate=1e-3, drop_at=1.0, sampler="images", options={"embed_size": 1024, "word_dim": 300}
        ),
    }
    similarity = staticmethod(order_similarity)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        margin: Weight = 0.05,
        max_violation: bool = False,
        use_abs: bool = True,
        warmup: Fraction = 0.0,
        mask_same_image: bool = True,
    ):
        super().__init__(vocabulary, features)
        self.use_abs = use_abs
        self.project = GlobalProjection(image_dim, embed_size)
        self.read = create_text_encoder("gru", len(vocabulary), word_dim, embed_size)
        name = "max_of_hinges" if max_violation else "sum_of_hinges"
        self.loss_function = create_loss(name, margin=margin, warmup=warmup, mask_same_image=mask_same_image)

    def image_encoder(self, images: Tensor) -> Tensor:
        """Features [n, image_dim] -> unit embeddings [n, embed_size]."""
        embeddings = self.project(images)
        return embeddings.abs() if self.use_abs else embeddings

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n, seq_len] and lengths [n] -> unit embeddings [n, embed_size]."""
        embeddings = self.read(ids, lengths)
        return embeddings.abs() if self.use_abs else embeddings
