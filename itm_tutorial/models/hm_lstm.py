"""HM-LSTM: an LSTM up a constituency tree, whose root meets the image and whose noun phrases meet regions.

Niu, Zhou, Wang, Gao and Hua, "Hierarchical Multimodal LSTM for Dense Visual-Semantic Embedding", ICCV 2017,
http://openaccess.thecvf.com/content_ICCV_2017/papers/Niu_Hierarchical_Multimodal_LSTM_ICCV_2017_paper.pdf. Pair 0 of a
caption is its image with the root of its tree; each noun phrase k makes a further pair with the region that is nearest
to it, r = argmax_r v_r . h_k. The loss is

    sum_k w_k sum_l [m - v_k . h_k + v_k . h_l]_+ + [m - h_k . v_k + h_k . v_l]_+

over unit vectors, with w_k = v_k . h_k, held fixed, for phrases. No true box is used. Training begins with the root
alone, and goes on by choosing regions and training in turn. The LSTM is in ``encoders.tree_lstm``.

The paper does not state the margin, the contrasts l, how often regions are chosen again, or w_0. Here the margin is
0.2, contrasts are the pairs of other images in the batch, every step chooses anew, and w_0 is 1. Left out: batch
normalisation, and the parser, in place of which ``data.constituents`` makes the tree by rule.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Fraction, Weight
from itm_tutorial.data.text import Tokens, Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.encoders.tree_lstm import ChainReader, TreeReader
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_constituents import FixedConstituents
from itm_tutorial.models._registry import register_model


@register_model(chapter="10", paper="niu2017hmlstm")
class HMLSTM(Matching):
    """A tree LSTM over fixed word vectors, one linear map of image and regions, cosine, hinges of roots and of phrases.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as: regions of any kind.
        image_dim: numbers per region.
        word_dim: numbers per word vector (300 in the paper).
        parser: of captions; it follows from the corpus.
        embed_size: numbers per embedding, and per state of the LSTM (512 in the paper).
        reader: "tree", or "chain", a control: an LSTM over the words of the sentence, and of each phrase cut out.
        children: "two" kinds as in the paper, or "one", with which all children share their matrices.
        root_first: fraction of the run in which only the roots are trained; 1 leaves the phrases out.
        weighted: whether a phrase's pair counts by its similarity; otherwise all count alike.
        margin: of the hinge, in cosines.
    """

    feature_kind = "regions"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=4e-3, epochs=6, batch_size=64),  # 8e-3 does not train on small batches
        "paper": Recipe(learning_rate=8e-3, batch_size=64, options={"embed_size": 512}),
    }
    text_input = FixedConstituents()
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        parser: str,
        embed_size: Dimension = 128,
        reader: Literal["tree", "chain"] = "tree",
        children: Literal["two", "one"] = "two",
        root_first: Fraction = 0.34,
        weighted: bool = True,
        margin: Weight = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.words = WordAverage(len(vocabulary), word_dim, centre=True)  # holds the fixed vectors
        self.image_encoder = GlobalProjection(image_dim, embed_size)  # the mean of the regions, for the image
        tree = reader == "tree"
        self.reader = TreeReader(word_dim, embed_size, children == "two") if tree else ChainReader(word_dim, embed_size)
        self.project = nn.Linear(embed_size, embed_size)
        self.root_first, self.weighted, self.margin = root_first, weighted, margin
        self.with_phrases = root_first < 1
        self.loss_function = SumOfHinges(margin)  # of the roots

    def on_epoch(self, state) -> None:
        """Begins with the roots alone; the phrases come in after ``root_first`` of the run."""
        self.with_phrases = self.root_first < 1 and state.epoch >= self.root_first * state.epochs

    def text_encoder(self, ids: LongTensor, lengths: LongTensor, **tree: Tensor) -> Tensor:
        """Word ids [n_captions, seq_len] and their trees -> unit embeddings of the roots [n_captions, embed_size]."""
        return self._unit(self.reader(self.words.vectors[ids], lengths, **tree)[0])

    def encode_phrases(self, captions: list[str] | Tokens) -> tuple[Tensor, Tensor, LongTensor]:
        """Captions -> embeddings of their roots [n_captions, embed_size] and of their noun phrases.

        Returns:
            Unit vectors of the roots, and of all phrases [n_phrases, embed_size]; and int64 [n_phrases], the row of the
            caption that each phrase is from.
        """
        tokens = (captions if isinstance(captions, Tokens) else self.tokenize(captions)).to(self.device)
        roots, phrases = self.reader(self.words.vectors[tokens.ids], tokens.lengths, **tokens.per_caption)
        return self._unit(roots), self._unit(phrases), tokens.per_caption["phrase_mask"].nonzero()[:, 0]

    def encode_regions(self, features: Tensor) -> Tensor:
        """Region features [n_images, n_regions, image_dim] -> unit embeddings [n_images, n_regions, embed_size]."""
        features = features.to(self.device, self.dtype)
        return self.image_encoder(features.flatten(0, 1)).view(*features.shape[:2], -1)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The hinges of images and roots, and after the first stage those of phrases and their best regions."""
        roots, phrases, caption_of = self.encode_phrases(batch.captions)
        parts = {"roots": self.loss_function(self.similarity(self.encode_images(batch), roots), batch.positives)}
        if self.with_phrases:
            image_of = batch.image_of[caption_of]  # [n_phrases]
            regions = self.encode_regions(batch.images)[image_of]  # [n_phrases, n_regions, embed_size]
            similarity, best = (regions @ phrases.unsqueeze(2)).squeeze(2).detach().max(1)  # chosen before the step
            chosen = regions[torch.arange(len(best), device=best.device), best]  # [n_phrases, embed_size]
            weight = similarity.clamp(min=0) if self.weighted else torch.ones_like(similarity)
            parts["phrases"] = phrase_hinges(chosen @ phrases.T, image_of, weight, self.margin)
        return parts

    def _unit(self, states: Tensor) -> Tensor:
        return normalize(self.project(states), dim=-1)


def phrase_hinges(scores: Tensor, image_of: LongTensor, weight: Tensor, margin: float) -> Tensor:
    """The weighted hinges of pairs of region and phrase against the pairs of other images.

    Args:
        scores: [n_pairs, n_pairs], the region of one pair with the phrase of another.
        image_of: int64 [n_pairs], the image of each pair.
        weight: [n_pairs], w_k.
        margin: m.

    Returns:
        A scalar.
    """
    same = image_of[:, None] == image_of
    hinges = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])).clamp(min=0)
    return (weight * hinges.masked_fill(same, 0).sum((0, 2))).sum()
