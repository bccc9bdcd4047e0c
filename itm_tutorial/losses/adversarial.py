"""A game: a discriminator tells images from captions by their embeddings; the encoders try to prevent it.

Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, with embeddings of two modalities in place of real and made
pictures; the encoders get the same question with the answers turned round, as there in place of a loss that fades.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from itm_tutorial.errors import ItmError


class ModalityDiscriminator(nn.Module):
    """Two layers that say of a code whether it came from an image.

    No batch normalisation: a batch of images alone would give itself away by its statistics, or hide behind them.

    Args:
        dim: numbers per embedding.
        hidden: numbers between the layers.
    """

    def __init__(self, dim: int, hidden: int = 128):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dim, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Embeddings [n, dim] -> logits [n], above zero for what looks like an image's."""
        return self.layers(embeddings).squeeze(-1)


def discriminator_loss(image_logits: Tensor, caption_logits: Tensor, smoothing: float = 0.0) -> Tensor:
    """What the discriminator makes smaller: images should get 1, captions 0.

    Each side counts half, however many there are of it, so that log 2 is what a coin gives.

    Args:
        image_logits: [n_images].
        caption_logits: [n_captions].
        smoothing: moves the targets to 1 - smoothing and smoothing. They stay inside [0, 1]: with a target beyond, as
            in a public port, the loss has no lower bound, and a discriminator need only shout.

    Returns:
        A scalar.

    Raises:
        ItmError: a smoothing that would turn the answers round or leave [0, 1].
    """
    if not 0 <= smoothing < 0.5:
        raise ItmError(f"smoothing is {smoothing}; give 0 or more, and less than 0.5")
    return _halves(image_logits, 1 - smoothing, caption_logits, smoothing)


def fooling_loss(image_logits: Tensor, caption_logits: Tensor) -> Tensor:
    """What the encoders make smaller: images should pass for captions, captions for images.

    Args:
        image_logits: [n_images], of the discriminator as it stands.
        caption_logits: [n_captions].

    Returns:
        A scalar; log 2 where the discriminator cannot tell.
    """
    return _halves(image_logits, 0.0, caption_logits, 1.0)


def _halves(image_logits: Tensor, of_images: float, caption_logits: Tensor, of_captions: float) -> Tensor:
    """The mean of two binary cross-entropies, each with one target for all its rows."""
    images = binary_cross_entropy_with_logits(image_logits, image_logits.new_full(image_logits.shape, of_images))
    captions = binary_cross_entropy_with_logits(
        caption_logits, caption_logits.new_full(caption_logits.shape, of_captions)
    )
    return (images + captions) / 2
