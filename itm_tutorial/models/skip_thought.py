"""Skip-thoughts: sentence vectors learned from neighbouring sentences, without any image; two linear maps do the rest.

Kiros, Zhu, Salakhutdinov, Zemel, Torralba, Urtasun and Fidler, "Skip-Thought Vectors", NIPS 2015,
https://arxiv.org/abs/1506.06726.

The encoder is a GRU whose last state h is the sentence vector. It was trained on a text, to predict from h the words of
the sentences before and after: it minimises -sum_t log P(next_t | next_<t, h) - sum_t log P(previous_t | previous_<t,
h); see ``pretraining.skip_thought``. Words that the text lacks get a vector by least squares from word vectors
(vocabulary expansion). Here the encoder is frozen, and only the maps of both sides into the joint space are learned.

Left out: the bidirectional encoder (bi-skip) and its concatenation with this one (combine-skip); the 50 negatives per
pair that the authors' ``eval_rank.py`` draws from the whole training set, without asking whether they are of the same
image: here the other pairs of the batch are negatives. That code also leaves image embeddings unnormalised in training,
and reads sentences without the token that ended them in pre-training; here images are normalised, and the token is
read.
"""

from __future__ import annotations

from typing import ClassVar

from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Seed, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._skip_thought_words import SkipThoughtWords


@register_model(chapter="10", paper="kiros2015stv")
class SkipThoughtRanking(Matching):
    """A frozen skip-thought encoder, one linear map of each side, cosine, sum of hinges.

    Args:
        vocabulary: the words of the encoder, with those that the expansion added.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word of the encoder (620 in the paper).
        sentence_dim: numbers per sentence vector (2,400 in the paper's uni-skip).
        encoder: the text that the encoder learned from: "stories"; "shuffled", the same sentences in random order;
            "captions", the corpus's own training captions, where the neighbours are captions of one image; or a folder
            that ``SkipThought.save`` wrote. None is "stories" for drawn worlds and "captions" for photographs.
        expansion: whether words that the encoder never read get a vector from word vectors; otherwise they are <unk>.
        encoder_seed: of the encoder's text and training.
        embed_size: numbers per embedding (1,000 in the paper).
        margin: of the hinge (0.2 in the paper).
    """

    text_input = SkipThoughtWords()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=6e-3, epochs=15),
        "paper": Recipe(epochs=15, batch_size=100, drop_at=1.0, options={"embed_size": 1000}),
    }
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        sentence_dim: Dimension,
        encoder: str | None = None,
        expansion: bool = True,
        encoder_seed: Seed = 0,
        embed_size: Dimension = 256,
        margin: Weight = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = GlobalProjection(image_dim, embed_size)
        frozen = SkipThoughtEncoder(len(vocabulary), word_dim, sentence_dim).requires_grad_(False)
        self.text_encoder = SentenceProjection(frozen, sentence_dim, embed_size)
        self.loss_function = SumOfHinges(margin)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The two linear maps; the encoder stays as it is."""
        return {"main": [weight for weight in self.parameters() if weight.requires_grad]}


class SentenceProjection(nn.Module):
    """One linear map from a frozen encoder's sentence vectors, scaled to unit length, to the joint space.

    Args:
        frozen: (ids [n, seq_len], lengths [n]) -> sentence vectors [n, in_dim].
        in_dim: numbers per sentence vector.
        dim: numbers per caption embedding.
    """

    def __init__(self, frozen: nn.Module, in_dim: int, dim: int):
        super().__init__()
        self.frozen = frozen
        self.project = nn.Linear(in_dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Ids int64 [n_captions, seq_len], lengths int64 [n_captions] -> unit vectors [n_captions, dim]."""
        sentences = normalize(self.frozen(ids, lengths), dim=-1)  # [n_captions, in_dim]
        return normalize(self.project(sentences), dim=-1)
