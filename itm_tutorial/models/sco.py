"""SCO: predict which concepts a picture holds, join them with its global context by a gate, and learn to write.

After the abstract of Huang, Wu and Wang, "Learning Semantic Concepts and Order for Image and Sentence Matching", CVPR
2018 (https://arxiv.org/abs/1712.02036): concepts (objects, properties, actions) are predicted by a multi-label network
over regions, a gated fusion unit joins them with the global context, and matching is learned together with generating
the sentence, so that the order of its words is the supervision of order. The paper's equations were not readable to us,
so all forms below are ours. With regions x_r of unit length, and concepts c mined from the training captions:

    p_c = 1 - prod over r of (1 - sigmoid(w_c . x_r + b_c))            noisy-or: some region shows c
    p = l2(W_p p),     g = l2(W_g mean_r x_r),     gate = sigmoid(U_p p + U_g g + b)        one number per dimension
    v = gate * p + (1 - gate) * g,     t = l2(last state of an LSTM),     S = cos(v, t)
    loss = hinge(S) + concept_weight * cross-entropy of p_c + write_weight * mean of -log P(caption | v)

The target of p_c is whether the caption of the step names c: over an epoch, the fraction of the image's captions that
do. Order is learned through the writing loss alone; p_c never reads a caption. Left out: pretraining of the concept
network, and the later version of the paper, which replaces the gate by a recurrent network over regions.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pack_padded_sequence

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import Dimension, Fraction, Labels, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.concept_fusion import ConceptImage, concept_loss
from itm_tutorial.encoders.concepts import concept_numbers, mine_concepts, named_concepts
from itm_tutorial.encoders.decoder import CaptionDecoder
from itm_tutorial.encoders.text import word_embedding
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.ranking import MaxOfHinges
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._writer import Writer

READ = 5_000  # training captions from which concepts are mined, evenly spaced over the split
MOST = 256  # concepts


class LastLSTM(nn.Module):
    """An LSTM over learned word vectors; its state after the last word is the caption embedding."""

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.lstm = nn.LSTM(word_dim, dim, batch_first=True)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Ids int64 [n_captions, seq_len] and lengths [n_captions] -> unit vectors [n_captions, dim]."""
        packed = pack_padded_sequence(self.words(ids), lengths.cpu(), batch_first=True, enforce_sorted=False)
        return normalize(self.lstm(packed)[1][0][0], dim=-1)


@register_model(
    chapter="14",
    paper="huang2018sco",
    variants={
        "sco_gate": {"write_weight": 0.0},
        "sco_sum": {"write_weight": 0.0, "fusion": "sum"},
        "sco_context": {"write_weight": 0.0, "concept_weight": 0.0, "fusion": "context"},
        "sco_concepts": {"write_weight": 0.0, "fusion": "concepts"},
    },
)
class SCO(Writer, Matching):
    """Predicted concepts and the mean region, joined by a gate; cosine with an LSTM; a decoder that writes from it.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        concepts: the words that are predicted; mined from the training captions by default.
        embed_size: numbers per embedding.
        word_dim: numbers per word.
        hidden_size: numbers per state of the LSTM that writes.
        fusion: "gate"; "sum", two linear maps in place of the gate, which need as many parameters; "context" or
            "concepts", one of the two alone.
        concept_weight: of the cross-entropy of concepts, a mean over captions where the hinge is a sum over pairs.
        write_weight: of the writing loss; 0 leaves the decoder out.
        targets: "own"; "shuffled", a control: the concepts of another image's caption in the batch.
        margin: of the hinge against the hardest negative.
        warmup: fraction of the run in which all hinges count.
    """

    feature_kind = "regions"
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=2e-3, epochs=8, batch_size=64)}

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """The concepts that the training captions name most often."""
        from itm_tutorial.data.parsing import parse_captions, parser_for

        captions = corpus.train.captions[:: max(1, len(corpus.train.captions) // READ)]
        return {"concepts": mine_concepts(parse_captions(captions, parser_for(corpus)), MOST)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        concepts: Labels,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        hidden_size: Dimension = 128,
        fusion: Literal["gate", "sum", "context", "concepts"] = "gate",
        concept_weight: Weight = 100.0,
        write_weight: Weight = 1.0,
        targets: Literal["own", "shuffled"] = "own",
        margin: Weight = 0.2,
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.concepts, self.targets = list(concepts), targets
        self.concept_weight, self.write_weight = concept_weight, write_weight
        self.register_buffer("concept_of", concept_numbers(self.concepts, vocabulary), persistent=False)
        self.image_encoder = ConceptImage(image_dim, len(self.concepts), embed_size, fusion)
        self.text_encoder = LastLSTM(len(vocabulary), word_dim, embed_size)
        self.loss_function = MaxOfHinges(margin, warmup=warmup)
        if write_weight:  # made after the encoders, whose first weights are then those of a model that only matches
            self.first_input = nn.Linear(embed_size, word_dim)
            self.decoder = CaptionDecoder(len(vocabulary), word_dim, hidden_size)

    similarity = staticmethod(cosine)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted losses that are used."""
        features = batch.images.to(self.device, self.dtype)
        features = features if self.pixel_backbone is None else self.pixel_backbone(features)
        absent, _, vectors = self.image_encoder.predict(features)
        images, captions = normalize(vectors, dim=-1), self.encode_captions(batch)
        parts = {"match": self.loss_function(self.similarity(images, captions), batch.positives)}
        ids, lengths, own = batch.captions.ids, batch.captions.lengths, batch.image_of.to(self.device)
        if self.concept_weight:
            named = named_concepts(ids.to(self.device), self.concept_of, len(self.concepts))
            named = named.roll(1, 0) if self.targets == "shuffled" else named
            parts["concepts"] = self.concept_weight * concept_loss(absent[own], named.to(absent.dtype))
        if self.write_weight:
            log_p = self.decoder(self.decoder_input(images)[own], ids.to(self.device), lengths)
            parts["write"] = -self.write_weight * log_p.mean()
        return parts

    def decoder_input(self, image_emb: Tensor) -> Tensor:
        """Image embeddings [n, dim] -> the decoder's first input [n, word_dim]."""
        # numbers of about 1, as words have: the image is read once, and must last for a caption
        return self.first_input(image_emb * image_emb.shape[1] ** 0.5)

    def next_tokens(self, image_emb: Tensor, prefixes: LongTensor) -> Tensor:
        """Image embeddings [n, dim] and prefixes [n, t] -> log p of the next token; see ``Writer``."""
        if not self.write_weight:
            raise ItmError("this model cannot write captions: make it with a write_weight above 0")
        return self.decoder.next(self.decoder_input(image_emb), prefixes)
