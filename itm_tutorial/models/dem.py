"""DEM maps words into the visual space (DeViSE maps images into the word space), where fewer labels become hubs.

Zhang, Xiang and Gong, "Learning a Deep Embedding Model for Zero-Shot Learning", CVPR 2017.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import Dimension, Fraction, Labels
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.pixels import VisualNetwork
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.losses.labels import l2_loss, numbers_of_seen
from itm_tutorial.models._base import Batch, EpochState, FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model


@register_model(chapter="01", paper="zhang2017dem")
class DEM(Matching):
    """A frozen visual network; a small network from a label's word vector to a visual feature; squared distance.

    Args:
        vocabulary: the words that have a vector.
        features: pixels.
        image_dim: unused; the network reads pixels.
        labels: every label, in the order in which a corpus counts identities.
        seen: those that training shows.
        word_dim: numbers per word.
        hidden: size of the hidden layer (300 in the authors' code for attributes).
        classify_until: fraction of the epochs in which the classifier is trained; 0 if the network is already trained.
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=14, batch_size=64, drop_at=0.85),
    }
    feature_kind = "pixels"
    text_input = FixedWords()

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        labels: Labels,
        seen: Labels,
        word_dim: Dimension,
        hidden: Dimension = 300,
        classify_until: Fraction = 0.55,
    ):
        super().__init__(vocabulary, features)
        self.labels, self.classify_until, self.stage = labels, classify_until, "map"
        self.visual = VisualNetwork()
        self.classifier = nn.Linear(VisualNetwork.dim, len(labels))
        self.words = WordAverage(len(vocabulary), word_dim)
        self.map = nn.Sequential(nn.Linear(word_dim, hidden), nn.ReLU(), nn.Linear(hidden, VisualNetwork.dim))
        self.register_buffer("seen", numbers_of_seen(labels, seen))

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """The labels of a corpus with classes."""
        return corpus.class_options()

    def on_epoch(self, state: EpochState) -> None:
        """Switches to the stage of this epoch."""
        self.stage = "classify" if state.epoch / state.epochs < self.classify_until else "map"

    def image_encoder(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] -> visual features [n, 512]; after the classifier's stage they stay fixed."""
        frozen = self.training and self.stage == "map"
        return self.visual.frozen(images) if frozen else self.visual(images)

    def text_encoder(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Word ids [n, seq_len] and lengths [n] -> the labels' vectors in the visual space, [n, 512]."""
        return self.map(self.words(ids, lengths))

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Minus the mean squared difference per coordinate, [n_images, n_captions]."""
        return -torch.cdist(image_emb, caption_emb).square() / VisualNetwork.dim

    def loss(self, batch: Batch) -> Tensor:
        """The loss of the current stage, over the seen labels only."""
        right = torch.searchsorted(self.seen, batch.identity)  # [n_images]
        features = self.encode_images(batch)  # [n_images, 512]
        if self.stage == "classify":
            return cross_entropy(self.classifier(features)[:, self.seen], right)
        landed = self.encode_captions(self.labels)[self.seen]  # [n_seen, 512]
        return l2_loss(landed[right], features) / VisualNetwork.dim
