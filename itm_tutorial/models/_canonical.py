"""What models of chapter 12 share: projections of both sides by canonical correlation analysis (CCA), and its cosine.

``fit`` has no step after an epoch, so the module collects sums over the training pairs while the batches pass, and
solves CCA when the model leaves training mode, which happens before every evaluation. For features that do not change,
this is CCA of all pairs of the epoch, up to rounding. Where networks learn during the epoch (``dcca``), the sums mix
their outputs of different steps, as the running mean of batch normalisation does.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, normalize

from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.correlation import Covariances, canonical_directions
from itm_tutorial.models._base import Batch, EpochState, Matching


class Sums(NamedTuple):
    """Sums over pairs of feature vectors, float64.

    Attributes:
        n: a scalar, how many pairs.
        x, y: [x_dim], [y_dim].
        xx, xy, yy: sums of outer products, [x_dim, x_dim], [x_dim, y_dim], [y_dim, y_dim].
    """

    n: Tensor
    x: Tensor
    y: Tensor
    xx: Tensor
    xy: Tensor
    yy: Tensor

    def covariances(self) -> Covariances:
        """Of the pairs that were added; without a ridge."""
        products = ((self.xx, self.x, self.x), (self.xy, self.x, self.y), (self.yy, self.y, self.y))
        return Covariances(*((both - a[:, None] * b / self.n) / (self.n - 1) for both, a, b in products))


class CanonicalProjection(nn.Module):
    """(x - mean) W_x and (y - mean) W_y, with W_x and W_y from CCA of the training pairs of an epoch.

    The matrices are parameters, so that a model without any other weight can be trained and saved like all others.
    Gradient steps move them during an epoch, and CCA replaces them at its end.

    Args:
        image_dim: numbers per image feature.
        text_dim: numbers per sentence feature.
        size: numbers per embedding; at most the smaller of both dimensions is used.
        ridge: what is added to each variance of a side, as a fraction of the mean variance of this side.
    """

    def __init__(self, image_dim: int, text_dim: int, size: int, ridge: float):
        super().__init__()
        self.size, self.ridge = min(size, image_dim, text_dim), ridge
        self.image = nn.Parameter(torch.randn(image_dim, self.size) / image_dim**0.5)  # W_x
        self.text = nn.Parameter(torch.randn(text_dim, self.size) / text_dim**0.5)  # W_y
        self.register_buffer("image_mean", torch.zeros(image_dim))
        self.register_buffer("text_mean", torch.zeros(text_dim))
        self.register_buffer("correlations", torch.zeros(self.size))
        self.sums: Sums | None = None  # while an epoch is collected

    def begin(self) -> None:
        """Starts to collect the pairs of an epoch; those of an earlier one are forgotten."""
        sizes = [(), (len(self.image),), (len(self.text),)]
        sizes += [(len(a), len(b)) for a, b in ((self.image, self.image), (self.image, self.text))]
        sizes += [(len(self.text), len(self.text))]
        self.sums = Sums(*(torch.zeros(size, dtype=torch.float64, device=self.image.device) for size in sizes))

    @torch.no_grad()
    def add(self, images: Tensor, texts: Tensor) -> None:
        """Adds the pairs of a batch, [n, image_dim] and [n, text_dim], if an epoch is being collected."""
        if self.sums is None:
            return
        with torch.autocast(images.device.type, enabled=False):
            x, y = images.double(), texts.double()
            new = (torch.tensor(float(len(x))).to(x), x.sum(0), y.sum(0), x.T @ x, x.T @ y, y.T @ y)
        for total, part in zip(self.sums, new, strict=True):
            total += part

    def train(self, mode: bool = True) -> CanonicalProjection:
        """As ``nn.Module.train``; when training ends, CCA of the collected pairs gives the projections."""
        if not mode and self.sums is not None and self.sums.n > 1:
            self.solve()
        return super().train(mode)

    @torch.no_grad()
    def solve(self) -> None:
        """Sets means, W_x, W_y and correlations to those of the collected pairs, and ends the collection."""
        found = self.sums.covariances()
        found = found.with_ridge(*(self.ridge * s.diagonal().mean().clamp(min=1e-12) for s in (found.xx, found.yy)))
        w_x, w_y, correlations = canonical_directions(found, self.size)
        self.image.copy_(w_x)
        self.text.copy_(w_y)
        self.correlations.copy_(correlations)
        self.image_mean.copy_(self.sums.x / self.sums.n)
        self.text_mean.copy_(self.sums.y / self.sums.n)
        self.sums = None

    def images(self, features: Tensor) -> Tensor:
        """Image features [n_images, image_dim] -> unit vectors [n_images, size]."""
        return normalize((features - self.image_mean) @ self.image, dim=-1)

    def texts(self, features: Tensor) -> Tensor:
        """Sentence features [n_captions, text_dim] -> unit vectors [n_captions, size]."""
        return normalize((features - self.text_mean) @ self.text, dim=-1)

    def forward(self, images: Tensor, texts: Tensor) -> Tensor:
        """The mean of 1 - cosine over pairs [n, image_dim] and [n, text_dim], a scalar; it moves W_x and W_y alone."""
        return 1 - cosine_similarity(self.images(images.detach()), self.texts(texts.detach())).mean()


class CanonicalMatching(Matching):
    """Features of both sides, projected by CCA, and the cosine between them.

    A subclass sets ``canonical`` and defines ``image_features`` and ``text_features``. A training loop of your own
    calls ``on_epoch`` before the first batch of an epoch, as ``fit`` does.
    """

    canonical: CanonicalProjection
    similarity = staticmethod(cosine)

    def image_features(self, images: Tensor) -> Tensor:
        """Features [n_images, ...] -> what CCA reads, [n_images, image_dim]."""
        raise NotImplementedError

    def text_features(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Word ids [n_captions, seq_len] and lengths -> what CCA reads, [n_captions, text_dim]."""
        raise NotImplementedError

    def image_encoder(self, images: Tensor) -> Tensor:
        """Features [n_images, ...] -> unit vectors [n_images, size]."""
        return self.canonical.images(self.image_features(images))

    def text_encoder(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Word ids int64 [n_captions, seq_len] and lengths -> unit vectors [n_captions, size]."""
        return self.canonical.texts(self.text_features(ids, lengths))

    def on_epoch(self, state: EpochState | None = None) -> None:
        """Starts the sums of a new epoch."""
        self.canonical.begin()

    def pairs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The features of the pairs of a batch, [n_captions, image_dim] and [n_captions, text_dim]; sums get them."""
        images, tokens = batch.images.to(self.device, self.dtype), batch.captions
        images = images if self.pixel_backbone is None else self.pixel_backbone(images)
        x, y = self.image_features(images)[batch.image_of], self.text_features(tokens.ids, tokens.lengths)
        self.canonical.add(x, y)
        return x, y


def mean_of_regions(features: Tensor) -> Tensor:
    """Features [n_images, dim], or [n_images, n_regions, dim] (averaged) -> [n_images, dim]."""
    return features.mean(1) if features.ndim == 3 else features
