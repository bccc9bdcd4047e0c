"""InfoGround: the attention of words on regions that says most about which image a caption belongs to.

Gupta, Vahdat, Chechik, Yang, Kautz and Hoiem, "Contrastive Learning for Weakly Supervised Phrase Grounding", ECCV 2020
(https://arxiv.org/abs/2006.09920). A word w attends to the regions r of an image by keys and reads their values:

    alpha_rw = softmax_r( k(w).k(r) / sqrt(d) ),   phi(w, image) = f(w) . sum_r alpha_rw f(r)
    L_img = - mean_captions mean_w log( exp phi(w, own image) / sum_images exp phi(w, image) )
    L_neg = - mean_captions log( exp phi(n, own image) / sum_n' exp phi(n', own image) )

where n' is the noun n or one of its substitutes, each of which is read in the changed sentence and attends for itself.

Left out: BERT (words are learned, with the mean of their caption or a GRU as context); two-layer networks with batch
normalisation for k and f (here one linear layer after layer normalisation, so that no word depends on its batch); and
the authors' choice of the checkpoint by true boxes (``fit`` goes by the recall of validation captions). Substitutes
come from a table of categories in place of a language model; "an" before a substitute is not corrected.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Dimension, PositiveInt, Weight
from itm_tutorial.data.parsing import PARTS_OF_SPEECH
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.text import create_word_encoder
from itm_tutorial.interaction.keys_values import Keyed, KeysAndValues, attention, score_all, score_own
from itm_tutorial.losses.word_info_nce import image_info_nce, noun_info_nce
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._changed_nouns import ChangedNouns, known_nouns, substitutes
from itm_tutorial.models._registry import register_model

CONTENT = [1 + PARTS_OF_SPEECH.index(tag) for tag in ("NOUN", "PROPN", "ADJ")]  # words that the loss reads


class AttendingWords(NamedTuple):
    """Keys and values of words, [n_captions, seq_len, dim] each; and those that count, bool [n_captions, seq_len]."""

    keys: Tensor
    values: Tensor
    counted: Tensor

    def at(self, rows: Tensor | tuple[Tensor, ...]) -> Keyed:
        """Keys and values of some words."""
        return Keyed(self.keys[rows], self.values[rows])


class AttendingWordEncoder(nn.Module):
    """Word states of a GRU or a bag of words, as keys and values."""

    def __init__(self, sentence: str, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.states = create_word_encoder(sentence, n_words, word_dim, dim, unit=False)
        self.heads = KeysAndValues(dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor, parts_of_speech: LongTensor, **_: Tensor) -> AttendingWords:
        """Ids and parts of speech, int64 [n_captions, seq_len] each, and lengths -> keys, values, counted words."""
        content = torch.isin(parts_of_speech, torch.tensor(CONTENT, device=ids.device))
        counted = torch.where(content.any(1, keepdim=True), content, parts_of_speech > 0)
        return AttendingWords(*self.heads(self.states(ids, lengths).words), counted)


@register_model(chapter="11", paper="gupta2020infoground")
class InfoGround(Matching):
    """Words that attend to regions by keys and read values, images that compete for each word, and changed nouns.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        parser: of the captions; chosen by the corpus.
        embed_size: numbers per key and value (384 in the paper).
        word_dim: numbers per word.
        sentence: what a word knows of its caption: "bow", the mean of its words, or "gru", their order too.
        negatives: what replaces a noun: "plausible", "random", "synonym" (a test that it should hurt) or "none".
        n_negatives: substitutes that a step draws for the one noun of a caption (25 in the paper).
        noun_weight: of L_neg (1 in the paper).
    """

    feature_kind = "regions"
    pair_cost = "network"
    text_input = ChangedNouns()
    # the paper: Adam 1e-5, batch 50, 10 epochs, on frozen BERT
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=2e-3, epochs=4, batch_size=64)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        parser: str = "scenes",
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        sentence: Literal["gru", "bow"] = "bow",
        negatives: Literal["plausible", "random", "synonym", "none"] = "plausible",
        n_negatives: PositiveInt = 5,
        noun_weight: Weight = 1.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = KeysAndValues(image_dim, embed_size)
        self.text_encoder = AttendingWordEncoder(sentence, len(vocabulary), word_dim, embed_size)
        self.known = known_nouns(vocabulary.words)
        self.negatives, self.n_negatives = negatives, n_negatives
        self.noun_weight = noun_weight if negatives != "none" and self.known else 0.0
        self.register_buffer("substitutes", substitutes(self.known, negatives), persistent=False)
        ids = [vocabulary.index[noun.word] for noun in self.known]
        self.register_buffer("noun_ids", torch.tensor(ids, dtype=torch.int64), persistent=False)

    def similarity(self, image_emb: Keyed, caption_emb: AttendingWords) -> Tensor:
        """phi(w, image), mean over the counted words of each caption -> [n_images, n_captions]."""
        counted = caption_emb.counted
        phi = score_all(image_emb, caption_emb.at(counted))  # [n_images, n_counted]
        total = phi.new_zeros(len(phi), len(counted)).index_add(1, counted.nonzero()[:, 0], phi)
        return total / counted.sum(1)

    def attention(self, image_emb: Keyed, caption_emb: AttendingWords) -> Tensor:
        """alpha of every word, [n_images, n_captions, n_regions, seq_len]."""
        return attention(image_emb.keys[:, None], caption_emb.keys)

    def loss(self, batch: Batch) -> Tensor:
        """L_img + noun_weight * L_neg."""
        images, words = self.encode_images(batch), self.encode_captions(batch)
        phi = score_all(images, words.at(words.counted))  # [n_images, n_counted]
        loss = image_info_nce(phi, words.counted.nonzero()[:, 0], batch.image_of)
        return loss + self.noun_weight * self.noun_loss(images, words, batch) if self.noun_weight else loss

    def noun_loss(self, images: Keyed, words: AttendingWords, batch: Batch) -> Tensor:
        """L_neg: one noun of each caption, drawn at random, against its substitutes on the caption's own image."""
        tokens, nouns = batch.captions, batch.captions.per_word["nouns"]  # [n_captions, seq_len]
        place = (torch.rand(nouns.shape, device=nouns.device) * (nouns > 0)).argmax(1)  # [n_captions]
        at = torch.arange(len(nouns), device=nouns.device), place
        allowed = self.substitutes[nouns[at] - 1] & (nouns[at] > 0)[:, None]  # [n_captions, n_nouns]
        if self.negatives != "synonym":
            allowed = allowed & ~tokens.per_caption["true_nouns"]
        drawn = (torch.rand(allowed.shape, device=nouns.device) * allowed).topk(min(self.n_negatives, len(self.known)))
        row, column = drawn.values.nonzero(as_tuple=True)  # [n_changed] each
        true = score_own(images, words.at(at), batch.image_of)
        changed = true.new_zeros(drawn.values.shape)
        if len(row):
            ids = tokens.ids[row].scatter(1, place[row, None], self.noun_ids[drawn.indices[row, column], None])
            read = self.text_encoder(ids, tokens.lengths[row.cpu()], tokens.per_word["parts_of_speech"][row])
            phi = score_own(
                images, read.at((torch.arange(len(row), device=row.device), place[row])), batch.image_of[row]
            )
            changed = changed.index_put((row, column), phi.to(changed.dtype))
        return noun_info_nce(true, changed, drawn.values > 0)
