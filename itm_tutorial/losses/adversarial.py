"""Adversarial losses: a discriminator classifies embeddings as image or caption; the encoders try to fool it.

Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, with image and caption embeddings instead of real and
generated images. The encoders minimise the same loss with exchanged targets, the paper's remedy for vanishing
gradients.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from itm_tutorial.errors import ItmError


class ModalityDiscriminator(nn.Module):
    """A network of two layers that predicts whether an embedding comes from an image.

    It has no batch normalisation, since the statistics of a batch of images alone would reveal the modality or hide it.

    Args:
        dim: numbers per embedding.
        hidden: width of the hidden layer.
    """

    def __init__(self, dim: int, hidden: int = 128):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dim, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Embeddings [n, dim] -> logits [n], positive for "image"."""
        return self.layers(embeddings).squeeze(-1)


def discriminator_loss(image_logits: Tensor, caption_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """The loss of the discriminator, with target 1 for images and 0 for captions.

    Each modality has weight one half, whatever the numbers of images and captions, so that chance gives log 2.

    Args:
        image_logits: [n_images].
        caption_logits: [n_captions].
        smoothing: moves the targets to 1 - smoothing and smoothing. They must stay in [0, 1]: with a target outside, as
            in a public port, the loss has no lower bound, and larger logits always reduce it.

    Returns:
        A scalar.

    Raises:
        ItmError: the smoothing would exchange the targets or move them out of [0, 1].
    """
    if not 0 <= smoothing < 0.5:
        raise ItmError(f"smoothing is {smoothing}; give 0 or more, and less than 0.5")
    return _halves(image_logits, 1 - smoothing, caption_logits, smoothing)


def fooling_loss(image_logits: Tensor, caption_logits: Tensor) -> Tensor:
    """The loss of the encoders: target 0 for images and 1 for captions.

    Args:
        image_logits: [n_images], of the current discriminator.
        caption_logits: [n_captions].

    Returns:
        A scalar; log 2 where the discriminator is at chance.
    """
    return _halves(image_logits, 0.0, caption_logits, 1.0)


def generator_loss(logits: Tensor) -> Tensor:
    """The loss of a generator that does not saturate: -log D of what it made (Goodfellow et al., section 3).

    Args:
        logits: [n], of the current discriminator, for generated samples.

    Returns:
        A scalar; log 2 where the discriminator is at chance.
    """
    return binary_cross_entropy_with_logits(logits, logits.new_ones(logits.shape))


def _halves(image_logits: Tensor, of_images: float, caption_logits: Tensor, of_captions: float) -> Tensor:
    """The mean of two binary cross-entropies, each with one target for all rows."""
    images = binary_cross_entropy_with_logits(image_logits, image_logits.new_full(image_logits.shape, of_images))
    captions = binary_cross_entropy_with_logits(
        caption_logits, caption_logits.new_full(caption_logits.shape, of_captions)
    )
    return (images + captions) / 2
