"""DeViSE maps images into a space of word vectors, so that it can predict labels without training images.

Frome, Corrado, Shlens, Bengio, Dean, Ranzato and Mikolov, "DeViSE: A Deep Visual-Semantic Embedding Model", NIPS 2013.
The authors trained on the 1,000 labels of ImageNet, with word vectors of 500 or 1000 numbers from 5.4 billion words.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import Dimension, Fraction, Labels, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.pixels import VisualNetwork
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.labels import l2_loss, numbers_of_seen, rank_loss
from itm_tutorial.models._base import Batch, EpochState, FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model


@register_model(chapter="01", paper="frome2013devise")
class DeViSE(Matching):
    """A visual network, trained as a classifier first; a linear map into the word space; fixed vectors of the labels.

    One run of ``fit`` has three stages: the softmax classifier, then only the linear map with the visual network
    frozen, then everything at a tenth of the learning rate.

    Args:
        vocabulary: the words that have a vector.
        features: pixels.
        image_dim: unused; the network reads pixels.
        labels: every label, in the order in which a corpus counts identities.
        seen: those with training images, and the only ones that the loss ranks.
        word_dim: numbers per word.
        loss: "rank" as published, or "l2", the paper's baseline.
        margin: of the rank loss; 0.1 in the paper.
        negatives: "one": the first wrong label in random order that violates the margin, as in the paper; or "all".
        classify_until: fraction of the epochs in which the classifier is trained; 0 if the network is already trained.
        freeze_until: fraction of the epochs after which the network is trained further.
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=14, batch_size=64, drop_at=0.85),
    }
    feature_kind = "pixels"
    text_input = FixedWords()
    similarity = staticmethod(cosine)  # a dot product: labels are unit vectors, an image's vector may have any length

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        labels: Labels,
        seen: Labels,
        word_dim: Dimension,
        loss: Literal["rank", "l2"] = "rank",
        margin: Weight = 0.1,
        negatives: Literal["one", "all"] = "all",
        classify_until: Fraction = 0.55,
        freeze_until: Fraction = 0.85,
    ):
        super().__init__(vocabulary, features)
        self.labels, self.loss_name, self.margin, self.negatives = labels, loss, margin, negatives
        self.classify_until, self.freeze_until, self.stage = classify_until, freeze_until, "all"
        self.visual = VisualNetwork()
        self.classifier = nn.Linear(VisualNetwork.dim, len(labels))
        self.map = nn.Linear(VisualNetwork.dim, word_dim)
        self.text_encoder = WordAverage(len(vocabulary), word_dim)
        self.register_buffer("seen", numbers_of_seen(labels, seen))

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """The labels of a corpus with classes."""
        return corpus.class_options()

    def on_epoch(self, state: EpochState) -> None:
        """Switches to the stage of this epoch."""
        share = state.epoch / state.epochs
        self.stage = "classify" if share < self.classify_until else "map" if share < self.freeze_until else "all"

    def image_encoder(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] -> the images' vectors in the word space, [n, word_dim]."""
        return self.map(self.look(images))

    def look(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] -> visual features [n, 512]; a frozen network gives them no gradient."""
        frozen = self.training and self.stage == "map"
        return self.visual.frozen(images) if frozen else self.visual(images)

    def loss(self, batch: Batch) -> Tensor:
        """The loss of the current stage, over the seen labels only."""
        right = torch.searchsorted(self.seen, batch.identity)  # [n_images]
        if self.stage == "classify":
            return cross_entropy(self.classifier(self.look(batch.images))[:, self.seen], right)
        landed = self.encode_images(batch)  # [n_images, word_dim]
        stands = self.encode_captions(self.labels)[self.seen]  # [n_seen, word_dim]
        if self.loss_name == "l2":
            return l2_loss(landed, stands[right])
        return rank_loss(self.similarity(landed, stands), right, self.margin, self.negatives)
