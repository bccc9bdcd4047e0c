"""DAN: image and caption attend apart from each other in K steps; each side's memory decides where it attends next.

Nam, Ha and Kim, "Dual Attention Networks for Multimodal Reasoning and Matching", CVPR 2017
(http://openaccess.thecvf.com/content_cvpr_2017/papers/Nam_Dual_Attention_Networks_CVPR_2017_paper.pdf), the matching
version (m-DAN). With regions v_r, word states h_w, memories m (image) and n (caption), for each step k = 1 ... K:

    h_r = tanh(W_v^k v_r) * tanh(W_m^k m),      a = softmax over r of  w_h^k . h_r,      v^k = tanh(P^k sum_r a_r v_r)
    h_w = tanh(W_u^k h_w) * tanh(W_n^k n),      b = softmax over w of  w_g^k . h_w,      u^k = sum_w b_w h_w
    m <- m + v^k,   n <- n + u^k,   from  m = v^0 = tanh(P^0 mean_r v_r)  and  n = u^0 = mean_w h_w
    S(image, caption) = sum over k = 0 ... K of  v^k . u^k

Only the image side has P and tanh, no weights are shared between steps, and k = 0 counts. As each side reads its own
memory alone, S is one dot product of [v^0; ...; v^K] and [u^0; ...; u^K]: an index that is K + 1 times as wide. A joint
memory is the paper's other version, for question answering. The hinge is on plain dot products, so that its margin (100
in the paper, at K = 2 and 512 numbers) must fit their size; by default it grows with (K + 1) * embed_size.

The paper draws one negative image and one negative caption per pair. The default here takes the hardest of the batch,
after a warm-up with all, as this course's other models do. Left out: pictures of 448 pixels, momentum, weight decay.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Count, Dimension, Dropout, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.memory_attention import MemoryAttention, Steps, memory_steps
from itm_tutorial.encoders.summed_lstm import SummedLSTM
from itm_tutorial.encoders.text import masked_mean, word_mask
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

MARGIN = 100 / (3 * 512)  # the paper's, per number of the concatenated vector


class ImageSteps(nn.Module):
    """Regions -> [v^0; ...; v^K]; features are scaled to numbers of about 1, and all steps have their own weights."""

    def __init__(self, image_dim: int, dim: int, steps: int, hidden: int, uniform: bool, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout1d(dropout)
        self.attend = nn.ModuleList(MemoryAttention(image_dim, dim, hidden, uniform) for _ in range(steps))
        self.project = nn.ModuleList(nn.Linear(image_dim, dim, bias=False) for _ in range(steps + 1))  # P

    def forward(self, features: Tensor) -> Tensor:
        """Features [n_images, n_regions, image_dim] -> [n_images, (K + 1) dim]."""
        return torch.cat(self.steps(features).vectors, 1)

    def steps(self, features: Tensor) -> Steps:
        """The vectors v^k and the attention of each step."""
        # numbers of about 1, as the paper's features have: a dot product of small numbers trains slowly
        regions = self.dropout(normalize(features, dim=-1).mT).mT * features.shape[2] ** 0.5
        mask = torch.ones(regions.shape[:2], dtype=torch.bool, device=regions.device)
        start, *maps = ((lambda attended, project=project: project(attended).tanh()) for project in self.project)
        return memory_steps(regions, mask, start(regions.mean(1)), self.attend, maps)


class CaptionSteps(nn.Module):
    """Word ids -> [u^0; ...; u^K], by a bidirectional LSTM and attention without a projection."""

    def __init__(self, n_words: int, word_dim: int, dim: int, steps: int, hidden: int, uniform: bool, dropout: float):
        super().__init__()
        self.words = SummedLSTM(n_words, word_dim, dim, dropout)
        self.attend = nn.ModuleList(MemoryAttention(dim, dim, hidden, uniform) for _ in range(steps))

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Ids [n_captions, seq_len] and lengths [n_captions] -> [n_captions, (K + 1) dim]."""
        return torch.cat(self.steps(ids, lengths).vectors, 1)

    def steps(self, ids: LongTensor, lengths: LongTensor) -> Steps:
        """The vectors u^k and the attention of each step; <start> and <end> are attended to as words are."""
        states, mask = self.words(ids, lengths).words, word_mask(ids, lengths)
        return memory_steps(states, mask, masked_mean(states, mask), self.attend)


@register_model(
    chapter="14",
    paper="nam2017dan",
    variants={"dan_one_step": {"steps": 1}, "dan_means": {"steps": 0}, "dan_uniform": {"attention": "uniform"}},
)
class DAN(Matching):
    """K steps of attention per side, each from that side's own memory, and the dot product of all K + 1 vectors.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per v^k and u^k (512 in the paper).
        word_dim: numbers per word (512 in the paper).
        hidden_size: numbers per h_r and h_w (512 in the paper).
        steps: K (2 in the paper); with 0 the means alone are compared.
        attention: "learned"; or "uniform", a control with the same parameters in which every weight is equal.
        margin: of the hinge on dot products; None takes the paper's 100 times (K + 1) * embed_size / 1536.
        loss: a name in ``losses.LOSSES``.
        warmup: fraction of the run in which all hinges count.
        dropout: the fraction of a region's, and of a word's, numbers that training hides (0.5 in the paper).
    """

    feature_kind = "regions"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=5e-3, epochs=6, batch_size=64),
        "paper": Recipe(options={"embed_size": 512, "word_dim": 512, "hidden_size": 512, "dropout": 0.5}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        hidden_size: Dimension = 64,
        steps: Count = 2,
        attention: Literal["learned", "uniform"] = "learned",
        margin: Weight | None = None,
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        shared = (steps, hidden_size, attention == "uniform", dropout)
        self.image_encoder = ImageSteps(image_dim, embed_size, *shared)
        self.text_encoder = CaptionSteps(len(vocabulary), word_dim, embed_size, *shared)
        margin = MARGIN * (steps + 1) * embed_size if margin is None else margin
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """[n_images, (K + 1) dim] and [n_captions, (K + 1) dim] -> the sums of K + 1 dot products."""
        return image_emb @ caption_emb.T
