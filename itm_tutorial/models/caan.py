"""CAAN: regions and words are weighted by how they respond to the other side, and by who responds as they do.

Zhang, Lei, Zhang and Li, "Context-Aware Attention Network for Image-Text Retrieval", CVPR 2020. With regions as the
rows of V and words as the rows of T,

    H = tanh(V K T'),   [H]+ its positive part,
    H_uv = [H]+, each column (a word) at length 1;   H_vu = [H]+', each column (a region) at length 1;
    H_v = N N',  N = H_uv with each row at length 1;   H_u the same from H_vu       second order: regions that respond
                                                                                    to the same words are related
    f = softmax( tanh(H_v V Q_1 + H_uv T Q_2) w_v ),   g = softmax( tanh(H_u T Q_3 + H_vu V Q_4) w_u ),
    S = (V' f) . (T' g),

a dot product, not a cosine. ``intra="first"`` has H_v = V M_1 V' and H_u = T M_2 T'. A region without a positive
response has a row of zeros in H_uv; lengths get EPS, without which it would be NaN. Neither margin nor sizes were
given. That regions and words have unit length, and that K starts as the identity, is ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from itm_tutorial.data.options import Dimension, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import WordGRU, Words
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

EPS = 1e-12  # added to squared lengths
MOST = 2**22  # numbers of a tile of pairs


class Weighted(NamedTuple):
    """Scores and both attentions.

    Attributes:
        scores: [n_images, n_captions].
        regions: f, [n_images, n_captions, n_regions].
        words: g, [n_images, n_captions, seq_len].
        response: H_uv, [n_images, n_captions, n_regions, seq_len].
    """

    scores: Tensor
    regions: Tensor
    words: Tensor
    response: Tensor


def at_length_one(values: Tensor, dim: int) -> Tensor:
    """Vectors along a dimension at length 1; a vector of zeros stays as it is."""
    return values / (values.square().sum(dim, keepdim=True) + EPS).sqrt()


@register_model(
    chapter="15",
    paper="zhang2020caan",
    variants={
        "caan_mean": {"inter": False, "intra": "none"},
        "caan_inter": {"intra": "none"},
        "caan_first": {"inter": False, "intra": "first"},
        "caan_second": {"inter": False},
        "caan_inter_first": {"intra": "first"},
    },
)
class CAAN(Matching):
    """Affinities of all regions and words, attention on both sides by them, the dot product, the largest hinge.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle", "grid" or "mirrored_grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding.
        word_dim: numbers per word (300 in the paper).
        hidden: z, numbers that the columns of Q_1 to Q_4 make.
        inter: whether the terms of the other side, H_uv T Q_2 and H_vu V Q_4, are there.
        intra: the terms of the own side: "second" or "first" order, or "none". Without any term f and g are uniform.
        margin: of the hinge.
        warmup: fraction of the run in which all hinges count.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=4e-3, epochs=4, batch_size=32),
        "paper": Recipe(options={"word_dim": 300}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        hidden: Dimension = 32,
        inter: bool = True,
        intra: Literal["second", "first", "none"] = "second",
        margin: Weight = 0.2,
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionProjection(image_dim, embed_size)
        self.text_encoder = WordGRU(len(vocabulary), word_dim, embed_size)
        self.inter, self.intra = inter, intra
        self.affinity = nn.Linear(embed_size, embed_size, bias=False)  # K
        nn.init.eye_(self.affinity.weight)
        self.q1, self.q2, self.q3, self.q4 = (nn.Linear(embed_size, hidden, bias=False) for _ in range(4))
        self.of_regions, self.of_words = (nn.Linear(hidden, 1, bias=False) for _ in range(2))  # w_v and w_u
        if intra == "first":
            self.m1, self.m2 = (nn.Linear(embed_size, embed_size, bias=False) for _ in range(2))
        self.loss_function = create_loss("max_of_hinges", margin=margin, warmup=warmup)

    def similarity(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """Regions [n_images, n_regions, dim] and words -> S, [n_images, n_captions], some images at a time."""
        (n_captions, seq_len), n_regions = caption_emb.words.shape[:2], image_emb.shape[1]
        of_pair = 6 * n_regions * seq_len + 4 * (n_regions + seq_len) * self.q1.out_features
        side = max(1, MOST // max(1, n_captions * of_pair))
        return torch.cat([self.weigh(some, caption_emb).scores for some in image_emb.split(side)])

    def weigh(self, regions: Tensor, caption_emb: Words) -> Weighted:
        """Scores and attention of all pairs; letters below: image i, caption c, region r or s, word w or x.

        Args:
            regions: [n_images, n_regions, dim].
            caption_emb: of n_captions captions.
        """
        words, lengths = caption_emb
        mask = torch.arange(words.shape[1], device=words.device) < lengths.to(words.device)[:, None]
        words = words * mask[..., None]  # a word of padding responds to nothing
        response = torch.einsum("ird,cwd->icrw", self.affinity(regions), words).tanh().clamp(min=0)  # [H]+
        h_uv, h_vu = at_length_one(response, 2), at_length_one(response, 3)  # [i, c, r, w] both
        of_regions = regions.new_zeros(len(regions), len(words), regions.shape[1], self.q1.out_features)
        of_words = words.new_zeros(len(regions), len(words), words.shape[1], self.q1.out_features)
        if self.inter:
            of_regions = of_regions + torch.einsum("icrw,cwz->icrz", h_uv, self.q2(words))
            of_words = of_words + torch.einsum("icrw,irz->icwz", h_vu, self.q4(regions))
        if self.intra == "second":
            n_v, n_u = at_length_one(h_uv, 3), at_length_one(h_vu, 2)
            of_regions = of_regions + torch.einsum("icrs,isz->icrz", n_v @ n_v.mT, self.q1(regions))
            of_words = of_words + torch.einsum("icwx,cxz->icwz", n_u.mT @ n_u, self.q3(words))
        if self.intra == "first":
            of_regions = of_regions + (self.m1(regions) @ regions.mT @ self.q1(regions))[:, None]
            of_words = of_words + self.m2(words) @ words.mT @ self.q3(words)
        f = self.of_regions(of_regions.tanh()).squeeze(-1).softmax(-1)
        g = self.of_words(of_words.tanh()).squeeze(-1).masked_fill(~mask, -torch.inf).softmax(-1)
        dots = torch.einsum("ird,cwd->icrw", regions, words)
        scores = (f * (dots @ g[..., None].to(dots)).squeeze(-1)).sum(-1)
        return Weighted(scores, f, g, h_uv)

    def attention(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """H_uv squared: how the response to each word is shared by the regions, at most 1 together.

        Args:
            image_emb: [n_images, n_regions, dim].
            caption_emb: of n_captions captions.

        Returns:
            Weights [n_images, n_captions, n_regions, seq_len]; all 0 where there is no word, or no positive response.
        """
        return self.weigh(image_emb, caption_emb).response.square()
