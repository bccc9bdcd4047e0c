"""What the claim of DCCA measures: correlation on held-out pairs, that of pure noise, and a ranking loss as control."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.extraction.features import split_features
from itm_tutorial.losses.correlation import total_correlation
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models import Batch, Matching, create_model
from itm_tutorial.models.dcca import DCCA

BATCHES = (17, 33, 64, 128, 256, 512, 1000)  # of the curve; 33 is the dimension plus one
DIM = 32


def noise_curve(
    dim: int = DIM, batches: Iterable[int] = BATCHES, ridge: float = 1e-8, seed: int = 0
) -> list[dict[str, float]]:
    """The total correlation of two views that have nothing in common, by batch size.

    Args:
        dim: numbers per row of either view, independent and normally distributed.
        batches: numbers of rows, of at least 2.
        ridge: of the covariances.
        seed: of the numbers.

    Returns:
        For each batch size: batch, correlation, and ``share``, in percent of the maximum min(batch - 1, dim).
    """
    generator, found = torch.Generator().manual_seed(seed), []
    for batch in batches:
        x, y = (torch.randn(batch, dim, generator=generator, dtype=torch.float64) for _ in range(2))
        value = total_correlation(x, y, ridge).item()
        found.append({"batch": batch, "correlation": value, "share": 100 * value / min(batch - 1, dim)})
    return found


def noise(run: Run) -> dict[str, Any]:
    """A control: the curve of pure noise, and its shares by batch size."""
    curve = noise_curve(seed=run.seed)
    return {"curve": curve, "share": {str(row["batch"]): row["share"] for row in curve}}


@torch.inference_mode()
def held_out_correlation(trained: Trained) -> dict[str, Any]:
    """The sum over canonical directions of the correlation on test pairs, and of that on the training pairs of CCA."""
    model, test = trained.model.eval(), trained.corpus.test
    canonical = model.canonical
    images = model.image_features(split_features(test, model.features))[test.image_of]  # [n_captions, image_dim]
    tokens = model.tokenize(test.captions)
    texts = model.text_features(tokens.ids, tokens.lengths)
    sides = (images - canonical.image_mean) @ canonical.image, (texts - canonical.text_mean) @ canonical.text
    found = pearson(*sides)  # [size]
    return {"correlation": {"test": found.sum().item(), "train": canonical.correlations.sum().item()}}


def pearson(x: Tensor, y: Tensor) -> Tensor:
    """Pearson's correlation of the columns of x and y, [n, dim] each -> [dim]; 0 where a column is constant."""
    x, y = (side.double() - side.double().mean(0) for side in (x, y))
    return (x * y).sum(0) / (x.norm(dim=0) * y.norm(dim=0)).clamp(min=1e-12)


class RankedNetworks(DCCA):
    """DCCA's networks with cosine and the sum of hinges, without CCA."""

    def image_encoder(self, images: Tensor) -> Tensor:
        """Features [n_images, ...] -> unit vectors [n_images, dim]."""
        return normalize(self.image_features(images), dim=-1)

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] -> unit vectors [n_captions, dim]."""
        return normalize(self.text_features(ids, lengths), dim=-1)

    def on_epoch(self, state=None) -> None:
        """Nothing: there are no sums."""

    def loss(self, batch: Batch) -> Tensor:
        """The sum of hinges over the pairs of the batch."""
        scores = self.similarity(self.encode_images(batch), self.encode_captions(batch))  # [n_images, n_captions]
        return SumOfHinges(0.2)(scores, batch.positives)


def ranked(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """The networks of the arm's untrained model with a ranking loss in place of correlation."""
    made = create_model(arm.model, corpus, seed=seed, **arm.options)
    other = RankedNetworks(made.vocabulary, made.features, made.image_network[0].in_features, **made.options)
    other.load_state_dict(made.state_dict())
    other.name, other.options, other.recipe = made.name, made.options, made.recipe
    return other
