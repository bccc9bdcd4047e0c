"""CMPL: a loss without margin or mining, in which every pair of the batch counts by a projection of embeddings.

Zhang and Lu, "Deep Cross-Modal Projection Learning for Image-Text Matching", ECCV 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import Dimension, Dropout, Int64
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.lstm import WordLSTM
from itm_tutorial.encoders.stripes import image_projection
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.identity import IdentityNumbers
from itm_tutorial.losses.projection import CMPC, CMPM
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(chapter="04", paper="zhang2018cmpl")
class CMPL(Matching):
    """A linear map of the image, a bidirectional LSTM with the maximum over time, CMPM and CMPC.

    Args:
        vocabulary: the words of the training captions.
        features: "grid", read in horizontal stripes, or "global" and other kinds, whose mean over regions is read.
        image_dim: numbers per feature.
        identities: those of the training split, one column of CMPC per identity; without any, CMPM is the only loss.
        embed_size: numbers per embedding (512 in the authors' code).
        word_dim: numbers per word (512 in the authors' code).
        matching, classification: whether CMPM and CMPC are used.
        dropout: the fraction of a word's numbers that training hides (0.3 in the authors' code).
    """

    feature_kind = "grid"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-2, epochs=10, batch_size=64),
        "paper": Recipe(batch_size=16, weight_decay=4e-5, options={"embed_size": 512, "word_dim": 512}),  # CUHK-PEDES
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        identities: Sequence[Int64] = (),
        embed_size: Dimension = 128,
        word_dim: Dimension = 64,
        matching: bool = True,
        classification: bool = True,
        dropout: Dropout = 0.3,
    ):
        super().__init__(vocabulary, features)
        check_some_loss(matching, classification and len(identities))
        self.image_encoder = image_projection(features.kind, image_dim, embed_size)
        self.text_encoder = WordLSTM(len(vocabulary), word_dim, embed_size, dropout)
        self.matching = CMPM() if matching else None
        self.classification = None
        if classification and len(identities):
            self.numbers = IdentityNumbers(identities)
            self.classification = CMPC(len(identities), embed_size)

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """The identities of the training split."""
        return train_identities(corpus)

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Embeddings of any length -> cosines [n_images, n_captions]; only the loss depends on the length."""
        return cosine(normalize(image_emb, dim=-1), normalize(caption_emb, dim=-1))

    def loss(self, batch: Batch) -> Tensor:
        """CMPM over all that the batch holds, and CMPC over its pairs."""
        images, captions = self.encode_images(batch), self.encode_captions(batch)  # [n_images, dim], [n_captions, dim]
        parts = []
        if self.matching is not None:
            parts.append(self.matching(images, captions, batch.positives))
        if self.classification is not None:
            labels = self.numbers(batch.identity)  # [n_images]
            parts.append(self.classification(images[batch.image_of], captions, labels[batch.image_of]))
        return sum(parts)


def train_identities(corpus: Corpus) -> dict[str, list[int]]:
    """The identities of a corpus' training split, in order, as an option of a model.

    Raises:
        ItmError: the corpus has no identities.
    """
    if corpus.train.identity is None:
        raise ItmError(f'corpus {corpus.name!r} has no identities or classes: take "people", "birds" or "flowers"')
    return {"identities": corpus.train.identity.unique().tolist()}


def check_some_loss(*parts: Any) -> None:
    """Refuses a model without any loss.

    Raises:
        ItmError: all parts of the loss are left out.
    """
    if not any(parts):
        raise ItmError("every part of the loss is left out: leave one in, or give identities for the classifier")
