"""SDT-RNN: a sentence composed along its dependency tree, with one matrix per grammatical relation.

Socher, Karpathy, Le, Manning and Ng, "Grounded Compositional Semantics for Finding and Describing Images with
Sentences", TACL 2014, https://aclanthology.org/Q14-1017. Word i with the children c has (equation 4)

    h_i = f( (W_v x_i + sum_c l_c W_rel(c) h_c) / l_i ),    l_i = 1 + sum_c l_c, the words of its subtree,

without a bias. The caption embedding is h of the root, an image is v = W_I z, the score is their dot product, and
neither is normalised. DT-RNN has one matrix per position of a child in place of one per relation.

Left out: Adagrad with its resets, weight decay, and the collapsed Stanford relations. A preposition is a word of the
tree here, and the relations are those of Universal Dependencies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from itm_tutorial.data.options import Dimension, Weight
from itm_tutorial.data.parsing import RELATIONS
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.text import WordAverage, masked_mean
from itm_tutorial.encoders.tree_rnn import MOST_CHILDREN, TreeRNN, child_positions, near_identity
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_parsed_words import FixedParsedWords
from itm_tutorial.models._registry import register_model


@register_model(chapter="10", paper="socher2014sdtrnn", variants={"dt_rnn": {"compose": "position"}})
class SDTRNN(Matching):
    """Fixed word vectors composed along a dependency tree, one linear map of the image, dot product, sum of hinges.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word vector (50 in the paper).
        parser: of captions; it follows from the corpus.
        embed_size: numbers per embedding (50 in the paper).
        compose: "relation" (SDT-RNN), "position" (DT-RNN), or one of the paper's baselines: "chain", a plain
            recurrent network from left to right, and "mean", the mean of the word vectors.
        activation: f: "tanh" as published, or "identity", with which the start equals the mean of the word vectors.
        margin: of the hinge, in dot products (3 in the paper's best model).
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-2, epochs=10),  # chosen from four rates on validation pictures
        "paper": Recipe(options={"embed_size": 50}),
    }
    text_input = FixedParsedWords()
    similarity = staticmethod(cosine)  # a dot product, since neither side is a unit vector

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        parser: str,
        embed_size: Dimension = 128,
        compose: Literal["relation", "position", "chain", "mean"] = "relation",
        activation: Literal["tanh", "identity"] = "tanh",
        margin: Weight = 3.0,
    ):
        super().__init__(vocabulary, features)
        self.words = WordAverage(len(vocabulary), word_dim, centre=True)  # holds the fixed vectors
        self.image_map = nn.Linear(image_dim, embed_size, bias=False)  # W_I
        f = torch.tanh if activation == "tanh" else nn.Identity()
        self.compose = _COMPOSERS[compose](word_dim, embed_size, f)
        self.by_position = compose == "position"
        self.loss_function = SumOfHinges(margin)  # other captions of the same image are no negatives

    def image_encoder(self, images: Tensor) -> Tensor:
        """Features [n_images, image_dim], or [n_images, n_regions, image_dim] (averaged) -> [n_images, embed_size]."""
        return self.image_map(images.mean(1) if images.ndim == 3 else images)

    def text_encoder(
        self, ids: LongTensor, lengths: LongTensor, heads: LongTensor, relations: LongTensor, **rest: Tensor
    ) -> Tensor:
        """Word ids and their trees, int64 [n_captions, seq_len] -> embeddings [n_captions, embed_size]."""
        real = relations > 0  # neither padding nor <start> and <end>, which hang on no word
        kinds = child_positions(heads, real) if self.by_position else relations - 1
        return self.compose(self.words.vectors[ids], real, heads, kinds)


class ChainRNN(nn.Module):
    """The baseline h_t = f(W_v x_t + W h_{t-1}) from left to right, without a tree and without a bias."""

    def __init__(self, word_dim: int, dim: int, activation: Callable[[Tensor], Tensor]):
        super().__init__()
        self.rnn = nn.RNN(word_dim, dim, bias=False, batch_first=True)

    def forward(self, words: Tensor, real: Tensor, heads: LongTensor, kinds: LongTensor) -> Tensor:
        """As ``TreeRNN.forward``; the last word's state."""
        packed = pack_padded_sequence(words[:, 1:], real.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        return self.rnn(packed)[1][0]


class MeanWords(nn.Module):
    """The baseline W_v mean_i(x_i), which the tree equals at the start if f is the identity."""

    def __init__(self, word_dim: int, dim: int, activation: Callable[[Tensor], Tensor]):
        super().__init__()
        self.word = near_identity(nn.Linear(word_dim, dim, bias=False))

    def forward(self, words: Tensor, real: Tensor, heads: LongTensor, kinds: LongTensor) -> Tensor:
        """As ``TreeRNN.forward``."""
        return self.word(masked_mean(words, real))


_COMPOSERS = {
    "relation": partial(TreeRNN, n_kinds=len(RELATIONS)),
    "position": partial(TreeRNN, n_kinds=2 * MOST_CHILDREN),
    "chain": ChainRNN,
    "mean": MeanWords,
}
