"""CVSE: images and captions also speak in concepts, and concepts that occur together share a graph.

Wang, Zhang, Ji, Pang and Ma, "Consensus-Aware Visual-Semantic Embedding for Image-Text Matching", ECCV 2020
(https://arxiv.org/abs/2007.08883). Concepts are the commonest words of the training captions, z_i their vectors after
a graph convolution over co-occurrence (``encoders.consensus``). With an image v and a caption t,

    a^v = softmax_i(lambda v W z_i),     a^t = alpha softmax(lambda L^t) + (1 - alpha) softmax_i(lambda t W z_i),
    v^C = sum_i a^v_i z_i,     v^F = beta v + (1 - beta) v^C       (t alike),
    loss = 3 hinge(v^F, t^F) + 5 hinge(v, t) + hinge(v^C, t^C) + 2 KL(a^t || a^v),
    S = 0.95 cos(v^F, t^F) + 0.05 cos(v^C, t^C),

where L^t marks the concepts that the caption itself names. The authors' code adds, in training, the concepts of the
image's other captions and, at test, those of neighbouring test captions, which a query must not know; both are left
out. Ours: learned word vectors in place of GloVe, the mean image feature, alpha, beta, lambda, and counting per
caption.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.options import Dimension, Fraction, Labels, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.consensus import Consensus, Spelled, concept_words, mine_graph
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import create_text_encoder
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

READ = 5_000  # training captions that are parsed to choose concepts, evenly spaced; co-occurrence counts all
MOST = 100  # concepts (300 in the paper)
FUSED, CONSENSUS = 0.95, 0.05  # of the score
WEIGHTS = {"fused": 3.0, "instance": 5.0, "consensus": 1.0}  # of the hinges


@register_model(chapter="15", paper="wang2020cvse", variants={"cvse_instance": {"graph": "none"}})
class CVSE(Matching):
    """One vector per side, fused with a mean of concept vectors from a graph of co-occurrence.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        concepts: the words of the graph; the commonest of the training captions by default.
        edges: of the graph, i * n_concepts + j for each edge from i to j; from the training captions by default.
        embed_size: numbers per embedding.
        word_dim: numbers per word.
        graph: "captions", as above; the controls "permuted", the same graph with its nodes exchanged at random, and
            "unlinked", without edges; "none": neither concepts nor graph, the instance alone.
        sharpness: lambda, the inverse temperature of concepts.
        label_weight: alpha, of the concepts that a caption names.
        instance_weight: beta.
        kl_weight: of KL(a^t || a^v).
        sentence: "gru" or "bow".
        margin: of the hinges.
        loss: of the scores, a name in ``losses.LOSSES``.
        warmup: fraction of the run in which all hinges count.
    """

    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=3e-3, epochs=8)}

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """Concepts and edges, of the training captions alone."""
        from itm_tutorial.data.parsing import parse_captions, parser_for

        captions = corpus.train.captions
        parses = parse_captions(captions[:: max(1, len(captions) // READ)], parser_for(corpus))
        concepts, edges = mine_graph(captions, concept_words(parses, MOST))
        return {"concepts": concepts, "edges": edges}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        concepts: Labels,
        edges: list[int],
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        graph: Literal["captions", "permuted", "unlinked", "none"] = "captions",
        sharpness: Weight = 10.0,
        label_weight: Fraction = 0.5,
        instance_weight: Fraction = 0.75,
        kl_weight: Weight = 2.0,
        sentence: Literal["gru", "bow"] = "gru",
        margin: Weight = 0.2,
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.visual = GlobalProjection(image_dim, embed_size)
        self.textual = create_text_encoder(sentence, len(vocabulary), word_dim, embed_size)
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)
        self.kl_weight, self.concepts = kl_weight, None
        if graph != "none":
            how = {"sharpness": sharpness, "label_weight": label_weight, "instance_weight": instance_weight}
            self.concepts = Consensus(concepts, edges, vocabulary, graph, word_dim, embed_size, **how)

    def spell_images(self, images: Tensor) -> Spelled:
        """Features [n_images, ...] -> ``Spelled``."""
        return self.concepts.spell(self.visual(images), self.textual.words)

    def spell_captions(self, ids: LongTensor, lengths: LongTensor) -> Spelled:
        """Word ids [n_captions, seq_len] and lengths -> ``Spelled``."""
        return self.concepts.spell(self.textual(ids, lengths), self.textual.words, ids)

    def image_encoder(self, images: Tensor) -> Tensor:
        """Features [n_images, ...] -> one unit vector per image, whose dot products are S."""
        return self.visual(images) if self.concepts is None else joined(self.spell_images(images))

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] and lengths -> one unit vector per caption."""
        return self.textual(ids, lengths) if self.concepts is None else joined(self.spell_captions(ids, lengths))

    similarity = staticmethod(cosine)

    def loss(self, batch: Batch) -> Tensor | dict[str, Tensor]:
        """The three weighted hinges and the divergence of the concepts of each caption and its image."""
        if self.concepts is None:
            return WEIGHTS["instance"] * super().loss(batch)
        features = batch.images.to(self.device, self.dtype)
        features = features if self.pixel_backbone is None else self.pixel_backbone(features)
        images = self.spell_images(features)
        captions = self.spell_captions(batch.captions.ids.to(self.device), batch.captions.lengths)
        sides = {name: (getattr(images, name), getattr(captions, name)) for name in WEIGHTS}
        parts = {n: WEIGHTS[n] * self.loss_function(cosine(*both), batch.positives) for n, both in sides.items()}
        # log a^v and log a^t; a weight may round to zero
        of_image, of_caption = (
            side.weights.to(torch.promote_types(side.weights.dtype, torch.float32)).clamp(min=1e-8).log()
            for side in (images, captions)
        )
        of_image = of_image[batch.image_of]
        return parts | {"kl": self.kl_weight * (of_caption.exp() * (of_caption - of_image)).sum(1).mean()}


def joined(side: Spelled) -> Tensor:
    """[n, 2 dim]: fused and consensus vectors, scaled so that dot products are the weighted sum of both cosines."""
    return torch.cat([FUSED**0.5 * side.fused, CONSENSUS**0.5 * side.consensus], 1)
