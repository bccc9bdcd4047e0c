"""sm-LSTM: step by step, a region and a word of the pair are selected and compared, and an LSTM adds up the evidence.

After the abstract of Huang, Wang and Wang, "Instance-aware Image and Sentence Matching with Selective Multimodal LSTM",
CVPR 2017 (https://arxiv.org/abs/1611.05588): at each of a few steps, attention that global context modulates gives
a pair of saliency maps, one over regions and one over words; the two attended vectors make a local similarity, and an
LSTM aggregates the local similarities into the score. The paper's equations were not readable to us, so all forms below
are ours. For t = 1 ... T, with regions v_r of mean v, word states s_w of mean s, and h_0 = c_0 = 0:

    e_r = a . tanh(A v_r + M v + H h_{t-1}),       p_t = softmax over r of e_r
    f_w = b . tanh(B s_w + N s + G h_{t-1}),       q_t = softmax over w of f_w
    l_t = tanh(P sum_r p_t,r v_r) * tanh(Q sum_w q_t,w s_w),     (h_t, c_t) = LSTM(l_t, h_{t-1}, c_{t-1})
    S = w . h_T
    loss = hinge(S) + penalty * sum over matched pairs of ( sum_r (1 - sum_t p_t,r)^2 + sum_w (1 - sum_t q_t,w)^2 )

Without H and G, all T maps of a pair are equal. Without the square, the penalty is a constant, the number of items
minus T per side, and has no gradient; with it, and more items than T steps, its least value is that of equal weights.
The state belongs to a pair, so that every pair costs a network: score tile by tile, or ``rerank`` a shortlist.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Dropout, Fraction, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.encoders.summed_lstm import SummedLSTM
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.interaction.selective_lstm import ItemMaps, Items, PairLSTM, coverage_penalty
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


class ImageItems(ItemMaps):
    """The linear maps of regions, whose features are scaled to numbers of about 1."""

    def forward(self, features: Tensor) -> Items:
        """Features [n_images, n_regions, in_dim] -> ``Items``."""
        items = normalize(features, dim=-1) * features.shape[2] ** 0.5
        return super().forward(items, torch.ones(items.shape[:2], dtype=torch.bool, device=items.device))


class CaptionItems(nn.Module):
    """Word states and their linear maps; <start> and <end> are attended to as words are."""

    def __init__(self, words: SummedLSTM, maps: ItemMaps):
        super().__init__()
        self.words, self.maps = words, maps

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Items:
        """Ids [n_captions, seq_len] and lengths [n_captions] -> ``Items``."""
        return self.maps(self.words(ids, lengths).words, word_mask(ids, lengths))


@register_model(
    chapter="14",
    paper="huang2017smlstm",
    variants={
        "sm_lstm_one_step": {"steps": 1},
        "sm_lstm_fixed": {"attention": "fixed"},
        "sm_lstm_no_context": {"context": False},
    },
)
class SelectiveLSTM(Matching):
    """T pairs of saliency maps, each asked by the state before it, and one LSTM per pair over the local similarities.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per local similarity, and per word state.
        word_dim: numbers per word.
        hidden_size: numbers of the attention's hidden layer.
        state_size: numbers per LSTM state.
        steps: T.
        attention: "recurrent"; or "fixed", a control: e and f do not read h_{t-1}, and the LSTM still runs.
        context: whether attention reads the mean region and the mean word; False keeps the number of parameters.
        penalty: of the squared penalty, on matched pairs.
        margin: of the hinge.
        loss: a name in ``losses.LOSSES``.
        warmup: fraction of the run in which all hinges count.
        dropout: the fraction of a word's numbers that training hides.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=3e-3, epochs=2, batch_size=20, drop_at=0.75)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 64,
        word_dim: Dimension = 64,
        hidden_size: Dimension = 32,
        state_size: Dimension = 64,
        steps: PositiveInt = 3,
        attention: Literal["recurrent", "fixed"] = "recurrent",
        context: bool = True,
        penalty: Weight = 0.01,
        margin: Weight = 0.2,
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.penalty = penalty
        sizes = (hidden_size, embed_size, context)
        self.image_encoder = ImageItems(image_dim, *sizes)
        words = SummedLSTM(len(vocabulary), word_dim, embed_size, dropout)
        self.text_encoder = CaptionItems(words, ItemMaps(embed_size, *sizes))
        self.network = PairLSTM(hidden_size, embed_size, state_size, steps, attention == "recurrent")
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)

    def pair_similarity(self, image_emb: Items, caption_emb: Items) -> Tensor:
        """Image 0 with caption 0, image 1 with caption 1 and so on: scores [n]."""
        return self.network.pair_maps(image_emb, caption_emb).scores

    def similarity(self, image_emb: Items, caption_emb: Items) -> Tensor:
        """Scores [n_images, n_captions], some pairs at a time, so that memory is bounded by ``TILE``."""
        return self.network.all_pairs(image_emb, caption_emb)

    def attention(self, image_emb: Items, caption_emb: Items) -> Tensor:
        """For each word, the regions that were looked at when it was: sum_t q_t,w p_t,r / sum_t q_t,w.

        Returns:
            Weights [n_images, n_captions, n_regions, seq_len]; 0 where a caption has ended.
        """
        maps = self.network.all_maps(image_emb, caption_emb)
        joint = torch.einsum("ticr,ticw->icrw", maps.regions, maps.words)
        return joint / joint.sum(2, keepdim=True).clamp(min=1e-12)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The hinge on all pairs, and the squared penalty on the matched ones."""
        image_emb, caption_emb = self.encode_images(batch), self.encode_captions(batch)
        parts = {"match": self.loss_function(self.similarity(image_emb, caption_emb), batch.positives)}
        if self.penalty:
            own = pick(image_emb, batch.image_of)
            maps = self.network.pair_maps(own, caption_emb)
            both = coverage_penalty(maps.regions, own.mask) + coverage_penalty(maps.words, caption_emb.mask)
            parts["coverage"] = self.penalty * both.sum()
        return parts
