"""Convolutional encoders of both sides that give their middle layers too, trained from pixels and words (CSE)."""

from __future__ import annotations

from torch import LongTensor, Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, normalize, relu

from itm_tutorial.encoders.backbones import normalised, pool
from itm_tutorial.encoders.text import word_embedding, word_mask

IMAGE_MAPS = (24, 48, 96)  # of the three convolutions of an image, each of which halves its side
CELLS = 6  # rows, and columns, of cells that a layer of the image is pooled to, whatever its depth


class ImageConvolutions(nn.Module):
    """Three convolutions over pixels, each of stride 2.

    Args:
        side: of the image in pixels; larger ones are averaged down to it.
        dim: numbers per embedding.
    """

    def __init__(self, side: int, dim: int):
        super().__init__()
        self.side = side
        sizes = zip((3, *IMAGE_MAPS), IMAGE_MAPS, strict=False)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()) for a, b in sizes
        )
        self.project = nn.Linear(2 * IMAGE_MAPS[-1], dim)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Pixels [n, 3, H, W] from 0 to 255 -> unit vectors [n, dim], and the cells of each layer [n, 36, n_maps]."""
        x = normalised(adaptive_avg_pool2d(images, self.side), "mini").to(images.dtype)
        layers = []
        for block in self.blocks:
            x = block(x)
            layers.append(adaptive_avg_pool2d(x, CELLS).flatten(2).mT)
        return normalize(self.project(pool(x)), dim=-1), layers


class TextConvolutions(nn.Module):
    """Three convolutions over three words each: a position sees 3, 5, then 7 words.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word, and per position of each layer.
        dim: numbers per embedding.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.convolutions = nn.ModuleList(nn.Conv1d(word_dim, word_dim, 3, padding=1) for _ in IMAGE_MAPS)
        self.project = nn.Linear(word_dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> tuple[Tensor, list[Tensor]]:
        """Word ids [n, seq_len] and lengths -> unit vectors [n, dim], and each layer [n, seq_len, word_dim]."""
        mask = word_mask(ids, lengths)[..., None]
        x, layers = self.words(ids) * mask, []
        for convolution in self.convolutions:
            x = relu(convolution(x.mT).mT) * mask  # zero behind the end, whatever the batch's padding
            layers.append(x)
        return normalize(self.project(x.amax(1)), dim=-1), layers
