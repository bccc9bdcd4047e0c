"""CHAIN-VSE: a caption is read character by character, by convolutions, so that no word is unknown.

Wehrmann and Barros, "Bidirectional Retrieval Made Simple", CVPR 2018; public code, adapted by the authors:
https://github.com/jwehrmann/chain-vse. One-hot characters x pass a stem and then towers of different depth:

    maxout_k(x) = max(conv_k(x), conv'_k(x))                        two convolutions with kernel k, no ReLU
    stem(x)     = [maxout_3(x); maxout_5(x); maxout_7(x)]
    tower_d     = max over real positions of (maxout_3 applied d times to stem(x))
    t           = l2(W [tower_1; tower_2; ...] + b)

Left out: embeddings of up to 8,192 numbers; by default there are two towers in place of four, and fewer maps, so that a
laptop trains them in minutes. The public code takes the maximum over padding too; here an embedding does not depend on
the other captions of its batch.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize, one_hot

from itm_tutorial.data.options import Dimension, Weight
from itm_tutorial.data.text import SPECIAL, Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._characters import Characters, ReadCharacters
from itm_tutorial.models._registry import register_model

STEM = (3, 5, 7)  # characters per window of the parallel convolutions
KERNEL = 3  # positions per window of the towers
Towers = Annotated[int, Field(ge=1, le=16, description="a whole number from 1 to 16")]


class Maxout(nn.Module):
    """The larger of two convolutions, position by position and map by map; zeros lie outside the caption.

    Args:
        channels: numbers per position.
        maps: numbers per position of the result.
        kernel: positions per window, odd.
    """

    def __init__(self, channels: int, maps: int, kernel: int):
        super().__init__()
        self.both = nn.Conv1d(channels, 2 * maps, kernel, padding=kernel // 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[n, channels, seq_len], bool mask [n, 1, seq_len] -> [n, maps, seq_len], zero for padding."""
        one, other = self.both(x).chunk(2, dim=1)
        return torch.maximum(one, other).masked_fill(~mask, 0)  # so that the next window sees zeros there too


class CharacterTowers(nn.Module):
    """The stem, then towers of 1, 2, ... maxout layers; the maximum of each over a caption, and one linear map.

    Args:
        n_characters: characters in the vocabulary, special symbols included.
        stem_maps: numbers per position of each of the three convolutions of the stem.
        maps: numbers per position in a tower.
        towers: how many; the last one has as many layers.
        dim: numbers per caption embedding.
    """

    def __init__(self, n_characters: int, stem_maps: int, maps: int, towers: int, dim: int):
        super().__init__()
        self.n_characters = n_characters
        self.stem = nn.ModuleList(Maxout(n_characters - 1, stem_maps, kernel) for kernel in STEM)
        wide = stem_maps * len(STEM)
        self.towers = nn.ModuleList(
            nn.ModuleList(Maxout(maps if layer else wide, maps, KERNEL) for layer in range(depth))
            for depth in range(1, towers + 1)
        )
        self.project = nn.Linear(maps * towers, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Character ids [n_captions, seq_len] and lengths [n_captions] -> unit vectors [n_captions, dim]."""
        mask = word_mask(ids, lengths)[:, None]  # [n_captions, 1, seq_len]
        x = one_hot(ids, self.n_characters)[..., 1:].mT.to(self.project.weight.dtype)  # padding: a column of zeros
        x = torch.cat([convolution(x, mask) for convolution in self.stem], 1)  # [n_captions, 3 * stem_maps, seq_len]
        found = []
        for tower in self.towers:
            maps = x
            for layer in tower:
                maps = layer(maps, mask)
            found.append(maps.masked_fill(~mask, float("-inf")).amax(2))  # [n_captions, maps]
        return normalize(self.project(torch.cat(found, 1)), dim=-1)


@register_model(chapter="10", paper="wehrmann2018chainvse")
class ChainVSE(Matching):
    """Convolutions over characters with maxout, one linear map of the image, cosine, all hinges.

    Args:
        vocabulary: the characters that the model knows.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        embed_size: numbers per embedding (1,024 to 8,192 in the paper).
        stem_maps: numbers per position of each convolution of the stem (64 in the public code).
        maps: numbers per position of the towers (256 in the public code).
        towers: how many, with 1, 2, ... layers (4 in the public code).
        margin: of the hinge (0.05 in the public code).
        mask_same_image: whether to leave other captions of the same image out of the negatives.
    """

    text_input = ReadCharacters()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=2e-3, epochs=10),
        "flickr8k": Recipe(
            learning_rate=5e-4,
            epochs=15,
            features="mirrored",
            options={"embed_size": 1024, "stem_maps": 64, "maps": 128},
        ),
        "paper": Recipe(  # the options and the rate of the authors' command; it does not give the rest
            learning_rate=1e-3,
            options={"embed_size": 2048, "stem_maps": 64, "maps": 256, "towers": 4, "mask_same_image": False},
        ),
    }
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        stem_maps: Dimension = 32,
        maps: Dimension = 64,
        towers: Towers = 2,
        margin: Weight = 0.05,
        mask_same_image: bool = True,
    ):
        characters = Characters(vocabulary.words[len(SPECIAL) :])  # a kept model's is read as a plain list of words
        super().__init__(characters, features)
        self.image_encoder = GlobalProjection(image_dim, embed_size)
        self.text_encoder = CharacterTowers(len(characters), stem_maps, maps, towers, embed_size)
        self.loss_function = create_loss("sum_of_hinges", margin=margin, mask_same_image=mask_same_image)
