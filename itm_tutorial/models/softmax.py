"""The baseline that DeViSE starts from: a softmax classifier, which can only predict labels that it was trained on."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import Labels
from itm_tutorial.data.text import Tokens, Vocabulary
from itm_tutorial.encoders.pixels import VisualNetwork
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.losses.labels import numbers_of_seen
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

NEVER = -1e4  # the score of a label without an output: below every other, and equal for all such labels


@register_model(chapter="01")
class Softmax(Matching):
    """A convolutional network with one output per seen label; it never predicts an unseen label, which has no output.

    Args:
        vocabulary: unused; a label is one entry of a list.
        features: pixels.
        image_dim: unused; the network reads pixels.
        labels: every label, in the order in which a corpus counts identities.
        seen: those that training shows.
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=8, batch_size=64, drop_at=0.7),
    }
    feature_kind = "pixels"

    def __init__(self, vocabulary: Vocabulary, features: FeatureSpec, image_dim: int, *, labels: Labels, seen: Labels):
        super().__init__(vocabulary, features)
        self.number = {label: i for i, label in enumerate(labels)}
        self.visual = VisualNetwork()
        self.classifier = nn.Linear(VisualNetwork.dim, len(labels))
        is_seen = torch.zeros(len(labels), dtype=torch.bool)
        is_seen[numbers_of_seen(labels, seen)] = True
        self.register_buffer("is_seen", is_seen)

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """The labels of a corpus with classes."""
        return corpus.class_options()

    def image_encoder(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] -> log-probabilities [n, n_labels]; those of unseen labels are ``NEVER``."""
        logits = self.classifier(self.visual(images)).masked_fill(~self.is_seen, NEVER)
        return logits.log_softmax(1).masked_fill(~self.is_seen, NEVER)

    def tokenize(self, captions: list[str]) -> Tokens:
        """Labels -> their indices, int64 [n, 1]."""
        for label in captions:
            if label not in self.number:
                raise ItmError(
                    f"{unknown('label', label, self.number)}; this model reads one label per caption, such as those "
                    "of the corpus 'objects': for sentences take 'bow' or 'vsepp'"
                )
        ids = torch.tensor([[self.number[label]] for label in captions], dtype=torch.int64)
        return Tokens(ids, torch.ones(len(ids), dtype=torch.int64))

    def text_encoder(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Indices of labels [n, 1] -> one-hot rows [n, n_labels]."""
        return one_hot(ids[:, 0], len(self.number)).to(self.dtype)

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Log-probabilities and one-hot rows -> the log-probability of each label [n_images, n_captions]."""
        return image_emb @ caption_emb.T

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of the right label, [n_images] identities -> a scalar."""
        return cross_entropy(self.encode_images(batch), batch.identity)
