"""CITE: a phrase chooses softly among several embeddings of its pair with a region, which one classifier judges.

Plummer, Kordas, Kiapour, Zheng, Piramuthu and Lazebnik, "Conditional Image-Text Embedding Networks", ECCV 2018
(https://arxiv.org/abs/1711.08389). For a phrase p and a region r, both of unit length,

    h = relu(BN(W_0 (p * r))),   s = w . sum_k a_k relu(BN(W_k h)) + b,   a = softmax_k(u)

where u are K numbers that a network makes of the phrase. The model is trained with the true boxes of phrases:

    mean over labelled pairs of log(1 + exp(-y s)) + weight * sum over phrases of |u|_1 / number of phrases

y = +1 for an intersection over union of 0.6 or more, -1 for two regions per positive with less than 0.3, drawn at
random; other pairs have no label. The L1 norm acts on u before the softmax: that of a softmax is always 1. With K = 1
this is the similarity network of Wang et al.

The score of an image and a caption is ours: the mean over phrases of the largest s of a region. Left out: 300 boxes per
image, sentence features of 6,000 numbers (a phrase is the mean of its learned word vectors), the second optimiser.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from itm_tutorial.data.options import Dimension, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.conditional import ConditionalPhrases, PhraseEmbedding, RegionEmbedding
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.conditional import ConditionalNetwork
from itm_tutorial.losses.phrase_labels import box_overlaps, draw_labels, logistic_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._phrase_boxes import PhraseBoxes
from itm_tutorial.models._registry import register_model

POSITIVE, NEGATIVE, PER_POSITIVE = 0.6, 0.3, 2  # intersection over union of labels; negatives per positive


@register_model(chapter="11", paper="plummer2018cite", variants={"cite_k1": {"concepts": 1, "concept_dim": 64}})
class CITE(Matching):
    """Products of phrases and regions, a shared layer, K concept layers that the phrase weighs, one classifier.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions" or "oracle".
        image_dim: numbers per region.
        parser: of the captions; chosen by the corpus.
        embed_size: numbers per phrase and per region (1024 in the paper).
        word_dim: numbers per word.
        hidden: numbers of the shared layer (1024 in the paper).
        concepts: K (4 in the paper).
        concept_dim: numbers per concept layer (256 in the paper).
        choice: "phrase", as published, or "uniform", a control: a_k = 1 / K.
        sparsity: weight of the L1 norm (5e-5 in the paper).
    """

    feature_kind = "regions"
    pair_cost = "network"
    text_input = PhraseBoxes()
    reads_boxes = True
    # the paper: Adam 5e-5 on batches of 6 images with 300 boxes
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=3e-3, epochs=3, batch_size=64)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        parser: str = "scenes",
        embed_size: Dimension = 64,
        word_dim: Dimension = 64,
        hidden: Dimension = 64,
        concepts: Dimension = 4,
        concept_dim: Dimension = 16,
        choice: Literal["phrase", "uniform"] = "phrase",
        sparsity: Weight = 5e-5,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionEmbedding(image_dim, hidden, embed_size)
        self.text_encoder = PhraseEmbedding(len(vocabulary), word_dim, hidden, embed_size, concepts)
        self.judge = ConditionalNetwork(embed_size, hidden, concepts, concept_dim)
        self.choice, self.sparsity = choice, sparsity

    def weights(self, logits: Tensor) -> Tensor:
        """a: logits u [..., K] -> weights of the same shape that sum to 1."""
        return torch.full_like(logits, 1 / logits.shape[-1]) if self.choice == "uniform" else logits.softmax(-1)

    def phrase_scores(self, image_emb: Tensor, caption_emb: ConditionalPhrases) -> Tensor:
        """s of every phrase with every region: [n_images, n_captions, n_regions, n_phrases]; 0 for padding."""
        phrases, logits, mask = caption_emb
        # captions repeat their phrases, and a phrase does not know its caption: each different one is judged once
        rows, which = torch.cat([phrases[mask], self.weights(logits[mask])], 1).unique(dim=0, return_inverse=True)
        judged = self.judge.all_pairs(image_emb.flatten(0, 1), *rows.split([phrases.shape[2], logits.shape[2]], 1))
        scores = judged.new_zeros(*image_emb.shape[:2], *mask.shape)  # [n_images, n_regions, n_captions, n_phrases]
        scores[:, :, mask] = judged[:, which].view(*image_emb.shape[:2], -1)
        return scores.transpose(1, 2)

    def similarity(self, image_emb: Tensor, caption_emb: ConditionalPhrases) -> Tensor:
        """The mean over phrases of the largest s of a region -> [n_images, n_captions]."""
        best = self.phrase_scores(image_emb, caption_emb).amax(2)  # [n_images, n_captions, n_phrases]
        return best.sum(2) / caption_emb.mask.sum(1)

    def loss(self, batch: Batch) -> Tensor:
        """The logistic loss of labelled pairs within the own image, and the L1 norm of u.

        Raises:
            ItmError: the captions are not those of the corpus that the model was made for.
        """
        boxes = batch.captions.per_caption.get("phrase_boxes")
        if boxes is None:
            raise ItmError("cite needs the boxes of the captions: train it on the corpus that create_model was given")
        regions, (phrases, logits, mask) = self.encode_images(batch), self.encode_captions(batch)
        known = mask & (boxes[:, : mask.shape[1]].amax((2, 3)) > 0)  # [n_captions, n_phrases]
        overlaps = box_overlaps(batch.images.boxes[batch.image_of], boxes)  # [n_captions, n_phrases, n_regions]
        labels = draw_labels(overlaps, known, POSITIVE, NEGATIVE, PER_POSITIVE)
        caption, phrase, region = labels.nonzero(as_tuple=True)  # [n_labelled] each
        loss = self.sparsity * logits.abs().sum() / mask.sum()
        if len(caption) < 2:  # batch normalisation needs two
            return loss
        products = phrases[caption, phrase] * regions[batch.image_of[caption], region]
        scores = self.judge(products, self.weights(logits[caption, phrase]))
        return loss + logistic_loss(scores, labels[caption, phrase, region])
