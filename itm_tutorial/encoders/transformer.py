"""Small transformer encoders for both sides, of one design: tokens in, one unit vector per image or caption out.

Vaswani et al., "Attention Is All You Need", NIPS 2017, https://arxiv.org/abs/1706.03762; for images Dosovitskiy et al.,
"An Image is Worth 16x16 Words", ICLR 2021, https://arxiv.org/abs/2010.11929. CLIP reads a caption at its end token.
"""

from __future__ import annotations

import math

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, normalize, scaled_dot_product_attention

from itm_tutorial.encoders.backbones import normalised
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import word_embedding
from itm_tutorial.errors import ItmError

STEM = (24, 48)  # maps of the convolutions before the last; each halves the side, so that a token is 8 x 8 pixels
CELL = 8  # pixels per side of a token
GRIDS = ("pixels", "grid", "mirrored_grid")  # kinds of features whose tokens have a place in rows and columns
VECTORS = ("global", "mirrored")  # kinds with one vector per image


def sinusoidal_positions(n: int, dim: int, device: torch.device | None = None) -> Tensor:
    """Sines and cosines of n positions at falling frequencies, float32 [n, dim]; any n, since nothing is learned."""
    half = (dim + 1) // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=device) / half)
    angles = torch.arange(n, device=device)[:, None] * frequencies  # [n, half]
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :dim]


class TransformerLayer(nn.Module):
    """x + attention(LN(x)), then x + MLP(LN(x)): the order of layers that CLIP uses.

    Args:
        width: numbers per token.
        heads: of the attention; they divide ``width``.

    Raises:
        ItmError: the heads do not divide the width.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if width % heads:
            raise ItmError(f"width is {width} and heads {heads}: give a width that the heads divide")
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        """Tokens [n, n_tokens, width] -> the same shape; if ``causal``, a token sees itself and those before it."""
        split = self.queries_keys_values(self.norm_1(x)).unflatten(2, (3, self.heads, -1))
        q, k, v = split.permute(2, 0, 3, 1, 4)  # [n, heads, n_tokens, width / heads] each
        seen = scaled_dot_product_attention(q, k, v, is_causal=causal)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm_2(x))


class TextTransformer(nn.Module):
    """A causal transformer over words; the state of the end token, after a linear map, is the caption embedding.

    A token sees only what stands before it, so padding behind the end changes nothing and needs no mask.

    Args:
        n_words: words in the vocabulary.
        width: numbers per token.
        dim: numbers per caption embedding.
        depth: layers.
        heads: per layer.
    """

    def __init__(self, n_words: int, width: int, dim: int, depth: int, heads: int):
        super().__init__()
        self.words = word_embedding(n_words, width)
        self.layers = nn.ModuleList(TransformerLayer(width, heads) for _ in range(depth))
        self.norm, self.project = nn.LayerNorm(width), nn.Linear(width, dim, bias=False)

    def states(self, ids: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] -> the states of all tokens [n_captions, seq_len, width]."""
        x = self.words(ids)
        # a tenth: as large as the word vectors are in the beginning
        x = x + 0.1 * sinusoidal_positions(x.shape[1], x.shape[2], x.device).to(x.dtype)
        for layer in self.layers:
            x = layer(x, causal=True)
        return self.norm(x)

    def vectors(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Embeddings before they are scaled to unit length, [n_captions, dim]; arguments as for ``forward``."""
        last = lengths.to(ids.device) - 1
        return self.project(self.states(ids)[torch.arange(len(ids), device=ids.device), last])

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> unit vectors [n_captions, dim]."""
        return normalize(self.vectors(ids, lengths), dim=-1)


class ImageTransformer(nn.Module):
    """A transformer over the tokens of an image; their mean, after a linear map, is the image embedding.

    The tokens are those of three convolutions over pixels, or given features of cells or regions. A convolutional stem
    in place of one linear map per patch, and the mean in place of a class token, learn faster from few images.

    Args:
        in_dim: numbers per feature; unused for pixels.
        width: numbers per token.
        dim: numbers per image embedding.
        depth: layers.
        heads: per layer.
        kind: of the features: see ``FeatureSpec``. Tokens of pixels and of grids get a position, regions none.
        side: of an image in pixels, to which it is averaged down; ``CELL`` divides it.

    Raises:
        ItmError: a side that cells of 8 pixels do not fill.
    """

    def __init__(self, in_dim: int, width: int, dim: int, depth: int, heads: int, kind: str, side: int = 48):
        super().__init__()
        if side % CELL:
            raise ItmError(f"side is {side}: give a multiple of {CELL}, such as 48")
        self.side, self.placed = side, kind in GRIDS
        if kind == "pixels":
            sizes = (3, *STEM, width)
            blocks = [_halve(a, b) for a, b in zip(sizes, sizes[1:], strict=False)]
            self.stem = nn.Sequential(*blocks)
        else:
            self.stem = nn.Linear(in_dim, width)
        self.layers = nn.ModuleList(TransformerLayer(width, heads) for _ in range(depth))
        self.norm, self.project = nn.LayerNorm(width), nn.Linear(width, dim, bias=False)

    def tokens(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] from 0 to 255, or features [n, n_tokens, in_dim] -> [n, n_tokens, width]."""
        if images.ndim == 4:
            pixels = normalised(adaptive_avg_pool2d(images, self.side), "mini").to(images.dtype)
            x = self.stem(pixels).flatten(2).mT
        else:
            x = self.stem(normalize(images, dim=-1) * images.shape[-1] ** 0.5)
        if not self.placed:
            return x
        rows = math.isqrt(x.shape[1])
        if rows * rows != x.shape[1]:
            raise ItmError(f"a grid of {x.shape[1]} cells is no square: give square images, or regions")
        place = sinusoidal_positions(rows, x.shape[2] // 2, x.device).to(x.dtype)  # [rows, width / 2]
        across, down = place.expand(rows, -1, -1), place[:, None].expand(-1, rows, -1)
        return x + torch.cat([across, down], 2).flatten(0, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] from 0 to 255, or features [n, n_tokens, in_dim] -> unit vectors [n, dim]."""
        x = self.tokens(images)
        for layer in self.layers:
            x = layer(x)
        return normalize(self.project(self.norm(x.mean(1))), dim=-1)


def _halve(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, 2, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())


def create_image_transformer(
    kind: str, in_dim: int, width: int, dim: int, depth: int, heads: int, side: int = 48
) -> nn.Module:
    """An image encoder for a kind of features: a transformer where there are tokens, one linear map of one vector.

    Args:
        kind: of the features: see ``FeatureSpec``.
        in_dim, width, dim, depth, heads, side: as for ``ImageTransformer``.

    Returns:
        A module: images or features -> unit vectors [n_images, dim].

    Raises:
        ItmError: as for ``ImageTransformer``.
    """
    if kind in VECTORS:
        return GlobalProjection(in_dim, dim)
    return ImageTransformer(in_dim, width, dim, depth, heads, kind, side)
