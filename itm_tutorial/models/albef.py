"""ALBEF in miniature: a contrastive loss aligns two encoders, and a matching head on top learns from hard negatives.

Li, Selvaraju, Gotmare, Joty, Xiong and Hoi, "Align before Fuse: Vision and Language Representation Learning with
Momentum Distillation", NeurIPS 2021, https://arxiv.org/abs/2107.07651. With unit vectors v and t, the temperature tau,
and the head's probability p of a match:

    L_itc = (CE of rows + CE of columns of v.t / tau) / 2
    L_itm = - mean over B positives and 2 B hard negatives of log p(their label),   L = L_itc + L_itm

The hard image of a caption, and the hard caption of an image, are drawn from the batch by softmax(v.t / tau).
Left out: momentum encoders and their soft targets, the queue of 65,536, and masked language modelling.
"""

from __future__ import annotations

import copy
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from itm_tutorial.data.options import Dimension, Fraction, PositiveInt
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.text import create_word_encoder, masked_mean, word_mask
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.interaction.matching_head import MatchingHead
from itm_tutorial.losses.hard_negatives import draw_negatives
from itm_tutorial.losses.symmetric_cross_entropy import SymmetricCrossEntropy
from itm_tutorial.models._base import Batch, EpochState, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

WAYS = ("itc", "itm", "sum")  # what a score is: the cosine, the head's log-odds, or both added up
LARGEST_SCALE = 1000.0  # tau of at least .001, as in the authors' pre-training
N_HEADS = 4


class ImageCells(NamedTuple):
    """Unit vectors [n_images, dim] for the contrastive part, and cells [n_images, n_cells, dim] for the head."""

    pooled: Tensor
    cells: Tensor


class TextWords(NamedTuple):
    """Unit vectors [n_captions, dim], words [n_captions, seq_len, dim], and lengths int64 [n_captions]."""

    pooled: Tensor
    words: Tensor
    lengths: LongTensor


class CellEncoder(nn.Module):
    """A linear map of each cell of a grid, and one of their mean."""

    def __init__(self, in_dim: int, dim: int):
        super().__init__()
        self.cells, self.pool = nn.Sequential(nn.Linear(in_dim, dim), nn.LayerNorm(dim)), nn.Linear(in_dim, dim)

    def forward(self, features: Tensor) -> ImageCells:
        """Features [n_images, n_cells, in_dim] -> ``ImageCells``."""
        features = normalize(features, dim=-1)
        return ImageCells(normalize(self.pool(features.mean(1)), dim=-1), self.cells(features))


class PooledWords(nn.Module):
    """States of a GRU or a bag of words, and a linear map of their mean."""

    def __init__(self, sentence: str, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.states, self.pool = create_word_encoder(sentence, n_words, word_dim, dim, unit=False), nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> TextWords:
        """Ids int64 [n_captions, seq_len], lengths int64 [n_captions] -> ``TextWords``."""
        words = self.norm(self.states(ids, lengths).words)
        return TextWords(normalize(self.pool(masked_mean(words, word_mask(ids, lengths))), dim=-1), words, lengths)


@register_model(chapter="21", paper="li2021albef")
class ALBEF(Matching):
    """Two encoders with a contrastive loss, and a head that reads an image and a caption together.

    ``itm.score`` compares by the cosine, which is cheap. ``model.by("itm")`` is the same model with the head's score,
    for ``itm.rerank``: the head then scores only a shortlist.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "grid", "regions" or "oracle".
        image_dim: numbers per cell.
        embed_size: numbers per embedding, per word and per cell (256 and 768 in the paper).
        word_dim: numbers per word.
        sentence: "gru" or "bow"; the paper's text encoder is the first half of a BERT.
        n_layers: fusion layers (6 in the paper); a head with a single one learns much more slowly.
        negatives: how the head's negatives are drawn: "hard", by the contrastive scores, or "random".
        warmup: fraction of the run in which "hard" negatives are drawn at random (0 in the paper, whose head has
            millions of pairs to learn from).
    """

    feature_kind = "grid"
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=1e-3, epochs=6, batch_size=64)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        sentence: Literal["gru", "bow"] = "gru",
        n_layers: PositiveInt = 2,
        negatives: Literal["hard", "random"] = "hard",
        warmup: Fraction = 0.5,
    ):
        super().__init__(vocabulary, features)
        if embed_size % N_HEADS:
            raise ItmError(f"albef: embed_size is {embed_size}; give a multiple of {N_HEADS}, its attention heads")
        self.image_encoder = CellEncoder(image_dim, embed_size)
        self.text_encoder = PooledWords(sentence, len(vocabulary), word_dim, embed_size)
        self.head = MatchingHead(embed_size, n_layers, N_HEADS)
        self.contrast = SymmetricCrossEntropy(temperature=0.07, largest=LARGEST_SCALE)
        self.negatives, self.warmup, self.way = negatives, warmup, "itc"
        self.at_random = negatives == "random" or warmup > 0

    def on_epoch(self, state: EpochState) -> None:
        """Decides whether this epoch's negatives are drawn at random."""
        self.at_random = self.negatives == "random" or state.epoch < self.warmup * state.epochs

    def by(self, way: str) -> ALBEF:
        """The same model, which shares its weights, with another score.

        Args:
            way: "itc", the cosine; "itm", the head's log-odds, by which ALBEF ranks its shortlist; "sum", both, as
                BLIP does. The public code takes the second logit of the head in place of the log-odds.

        Raises:
            ItmError: no such score.
        """
        if way not in WAYS:
            raise unknown("score of albef", way, WAYS)
        other = copy.copy(self)
        other.way, other.pair_cost = way, "product" if way == "itc" else "network"
        other.pair_similarity = None if way == "itc" else other.score_pairs
        return other

    def score_pairs(self, image_emb: ImageCells, caption_emb: TextWords) -> Tensor:
        """Image 0 with caption 0, image 1 with caption 1 and so on -> [n]."""
        odds = self.head.log_odds(image_emb.cells, caption_emb.words, caption_emb.lengths.to(image_emb.cells.device))
        return odds + (image_emb.pooled * caption_emb.pooled).sum(1) if self.way == "sum" else odds

    def similarity(self, image_emb: ImageCells, caption_emb: TextWords) -> Tensor:
        """Embeddings of both sides -> [n_images, n_captions]."""
        if self.way == "itc":
            return image_emb.pooled @ caption_emb.pooled.T
        n_images, n_captions = len(image_emb.pooled), len(caption_emb.pooled)
        rows = []
        for one in range(n_images):  # every caption with one image at a time: memory is that of the captions
            image = ImageCells(*(part[one : one + 1].expand(n_captions, *part.shape[1:]) for part in image_emb))
            rows.append(self.score_pairs(image, caption_emb))
        return torch.stack(rows)

    def loss(self, batch: Batch) -> Tensor:
        """L_itc + L_itm of a batch."""
        images, captions, positives = self.encode_images(batch), self.encode_captions(batch), batch.positives
        cosines = images.pooled.float() @ captions.pooled.float().T  # [n_images, n_captions]
        logits = self.contrast.scale() * cosines
        return self.contrast(cosines, positives) + self.matching_loss(images, captions, logits, batch)

    def matching_loss(self, images: ImageCells, captions: TextWords, scores: Tensor, batch: Batch) -> Tensor:
        """L_itm: each caption with its image, with a hard image, and its image with a hard caption."""
        own, uniform = batch.image_of, self.at_random
        every = torch.arange(len(own), device=own.device)
        image, has_image = draw_negatives(scores.T, batch.positives.T, uniform)  # [n_captions] each
        caption, has_caption = draw_negatives(scores[own], batch.positives[own], uniform)  # [n_captions] each
        rows = torch.cat([own, image[has_image], own[has_caption]])  # the images of at most 3 B pairs
        columns = torch.cat([every, every[has_image], caption[has_caption]])
        lengths = captions.lengths.to(columns.device)
        logits = self.head(images.cells[rows], captions.words[columns], lengths[columns])
        labels = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
        labels[: len(own)] = 1
        return cross_entropy(logits.float(), labels)
