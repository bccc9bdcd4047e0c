"""TIMAM: three losses on one pair of encoders; the third is adversarial, against a modality discriminator.

Sarafianos, Xu and Kakadiaris, "Adversarial Representation Learning for Text-to-Image Matching", ICCV 2019. After its
abstract and figure 1: embeddings of one identity are matched in distribution, a discriminator tries to
distinguish text embeddings from image embeddings, and words come from BERT. The identification loss and all
weights are choices of this course.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import Dimension, Fraction, Int64, PositiveFloat, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.bert import BertWords
from itm_tutorial.encoders.lstm import MaxLSTM, WordLSTM
from itm_tutorial.encoders.stripes import image_projection
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.adversarial import ModalityDiscriminator, discriminator_loss, fooling_loss
from itm_tutorial.losses.identity import IdentityNumbers, NormSoftmax
from itm_tutorial.losses.projection import cmpm
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._bert_pieces import BertOptions, BertPieces
from itm_tutorial.models._registry import register_model
from itm_tutorial.models.cmpl import check_some_loss, train_identities


@register_model(chapter="04", paper="sarafianos2019timam")
class TIMAM(Matching):
    """A linear map of the image, BERT's words read by a bidirectional LSTM, and three losses that can be left out.

    Args:
        vocabulary: the words of the training captions, or those of BERT.
        features: "grid", read in horizontal stripes, or "global" and other kinds, whose mean over regions is read.
        image_dim: numbers per feature.
        identities: those of the training split, one row of the classifier per identity; without any, no such loss.
        bert: the BERT whose words are read, as for ``load_bert``; None learns word vectors instead.
        bert_config: of that BERT.
        embed_size: numbers per embedding.
        word_dim: numbers per learned word.
        identification, matching, adversary: which losses are used: ``NormSoftmax``, CMPM, the adversarial loss.
        identification_weight, matching_weight, adversary_weight: of the losses that move the encoders.
        scale: of the cosines of ``NormSoftmax``.
        smoothing: of the discriminator's targets.
    """

    feature_kind = "grid"
    text_input = BertPieces()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-2, epochs=10, batch_size=64),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        identities: Sequence[Int64] = (),
        bert: str | None = None,
        bert_config: BertOptions | None = None,
        embed_size: Dimension = 128,
        word_dim: Dimension = 64,
        identification: bool = True,
        matching: bool = True,
        adversary: bool = True,
        identification_weight: Weight = 1.0,
        matching_weight: Weight = 1.0,
        adversary_weight: Weight = 0.1,
        scale: PositiveFloat = 16.0,
        smoothing: Fraction = 0.0,
    ):
        super().__init__(vocabulary, features)
        identification = identification and len(identities) > 0
        check_some_loss(
            identification, matching
        )  # with the adversarial loss alone, a constant embedding would be optimal
        self.weights = {"identification": identification_weight, "matching": matching_weight}
        self.weights["fooling"], self.smoothing, self.matching = adversary_weight, smoothing, matching
        self.image_encoder = image_projection(features.kind, image_dim, embed_size)
        if bert is None:
            self.text_encoder = WordLSTM(len(vocabulary), word_dim, embed_size)
        else:
            self.text_encoder = BertLSTM(bert_config, embed_size)
        self.numbers = IdentityNumbers(identities) if identification else None
        self.identification = NormSoftmax(len(identities), embed_size, scale) if identification else None
        self.discriminator = ModalityDiscriminator(embed_size) if adversary else None

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """The identities of the training split."""
        return train_identities(corpus)

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Embeddings of any length -> cosines [n_images, n_captions]; only the loss depends on the length."""
        return cosine(normalize(image_emb, dim=-1), normalize(caption_emb, dim=-1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted losses that are used; "adversary" is the discriminator's own and trains nothing else."""
        images, captions = self.encode_images(batch), self.encode_captions(batch)  # [n_images, dim], [n_captions, dim]
        parts = {}
        if self.matching:
            parts["matching"] = cmpm(images, captions, batch.positives)
        if self.identification is not None:
            labels = self.numbers(batch.identity)  # [n_images]
            parts["identification"] = self.identification(images, captions, labels, labels[batch.image_of])
        if self.discriminator is not None:
            embeddings = [
                normalize(side, dim=-1) for side in (images, captions)
            ]  # the length would reveal the modality
            parts["fooling"] = fooling_loss(*map(self.discriminator, embeddings))
        parts = {name: self.weights[name] * part for name, part in parts.items()}
        if self.discriminator is not None:
            judged = [self.discriminator(side.detach()) for side in embeddings]
            parts["adversary"] = discriminator_loss(*judged, self.smoothing)
        return parts

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The encoders and the classifier; separately the discriminator, which has a loss of its own."""
        adversary = [] if self.discriminator is None else list(self.discriminator.parameters())
        own = set(adversary)
        main = [weight for weight in self.parameters() if weight.requires_grad and weight not in own]  # not BERT's
        return {"main": main, "adversary": adversary} if adversary else {"main": main}


class BertLSTM(nn.Module):
    """The words of a frozen BERT, and a ``MaxLSTM`` over them.

    Args:
        config: of the BERT.
        dim: numbers per caption embedding.
    """

    def __init__(self, config: dict[str, Any], dim: int):
        super().__init__()
        self.words = BertWords(config)
        self.lstm = MaxLSTM(self.words.dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Ids int64 [n_captions, seq_len], lengths int64 [n_captions] -> embeddings [n_captions, dim], any length."""
        return self.lstm(self.words(ids, lengths), lengths)
