"""GOT: words move onto regions as a plan of optimal transport, and pairs of words onto pairs of regions.

Chen, Gan, Cheng, Li, Carin and Liu, "Graph Optimal Transport for Cross-Domain Alignment", ICML 2020
(https://arxiv.org/abs/2006.14744). With the cosines s_rw of regions and words, edges C_x = [cos(v_r, v_r') - tau]+ and
C_y = [cos(h_w, h_w') - tau]+, and one plan T that both distances share (``interaction.transport``),

    WD = <T, 1 - s>,    GW = <L(C_x, C_y, T), T>,    D = lambda WD + (1 - lambda) GW,
    loss = hinge on the scores of SCAN + alpha * mean of D over the matched pairs.

T comes from a proximal method (IPOT) and not from Sinkhorn's. All regions have equal masses, and so have all
words, but not padding and the marks of start and end. So each word, "the" too, must go to some region. Ours: -D as a
score, the weight alpha and the numbers of steps, since no code for retrieval is public.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from itm_tutorial.data.options import Dimension, Fraction, PositiveFloat, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import Words, create_word_encoder
from itm_tutorial.interaction.stacked_cross import stacked_cross_attention
from itm_tutorial.interaction.transport import Transport, graph_transport, masses, words_with_mass
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

TILE = 2**19  # similarities of words and regions per tile


@register_model(
    chapter="15",
    paper="chen2020got",
    variants={"got_nodes": {"nodes": 1.0}, "got_edges": {"nodes": 0.0}, "got_score": {"score": "transport"}},
)
class GOT(Matching):
    """SCAN's encoders and score, and the transport distance of each matched pair as a second term of the loss.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding.
        word_dim: numbers per word.
        score: "attention", SCAN's score from words to regions, as published; "transport", -D, without attention.
        attends: what ``attention`` gives: "plan" or SCAN's "attention".
        weight: alpha, of the transport distance; 0 leaves SCAN.
        nodes: lambda, the weight of nodes against edges (0.8 was best in the paper); 1 ignores the edges.
        threshold: tau, the cosine below which two nodes have no edge (0.1 in the paper).
        beta, steps: of IPOT, as in ``proximal_plan``.
        rounds: how often the cost of edges is computed from the last plan.
        uniform: a control: a plan of equal masses in place of the best one.
        smooth: inverse temperature of SCAN's attention.
        margin: of the hinge.
        sentence: "gru" or "bow".
        loss: of the scores, a name in ``losses.LOSSES``.
        warmup: fraction of the run in which all hinges count.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=6e-3, epochs=5, batch_size=32),
        "paper": Recipe(options={"embed_size": 1024, "word_dim": 300, "warmup": 0.0}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        score: Literal["attention", "transport"] = "attention",
        attends: Literal["plan", "attention"] = "plan",
        weight: Weight = 0.5,
        nodes: Fraction = 0.8,
        threshold: Fraction = 0.1,
        beta: PositiveFloat = 0.5,
        steps: PositiveInt = 20,
        rounds: PositiveInt = 3,
        uniform: bool = False,
        smooth: Weight = 9.0,
        margin: Weight = 0.2,
        sentence: Literal["gru", "bow"] = "gru",
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionProjection(image_dim, embed_size)
        self.text_encoder = create_word_encoder(sentence, len(vocabulary), word_dim, embed_size)
        self.by, self.attends, self.weight, self.smooth = score, attends, weight, smooth
        self.nodes, self.threshold = nodes, threshold
        self.search = {"beta": beta, "steps": steps, "rounds": rounds, "uniform": uniform}
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)

    def transport(self, regions: Tensor, words: Tensor, mask: Tensor) -> Transport:
        """The plan and both distances of pairs; the first dimensions broadcast.

        Args:
            regions: [..., n_regions, dim].
            words: [..., seq_len, dim].
            mask: bool [..., seq_len], True for words that have mass.
        """
        with torch.autocast(regions.device.type, enabled=False):
            wide = torch.promote_types(regions.dtype, torch.float32)
            regions, words = regions.to(wide), words.to(wide) * mask[..., None]
            region_edges, word_edges = ((x @ x.mT - self.threshold).clamp(min=0) for x in (regions, words))
            cost = 1 - regions @ words.mT
            return graph_transport(cost, region_edges, word_edges, mask, nodes=self.nodes, **self.search)

    def distance(self, moved: Transport) -> Tensor:
        """D, [...]."""
        return self.nodes * moved.nodes + (1 - self.nodes) * moved.edges

    def similarity(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """Regions [n_images, n_regions, dim] and words -> scores [n_images, n_captions]."""
        if self.by == "attention":
            return stacked_cross_attention(image_emb, *caption_emb, "t2i", self.smooth)
        return -torch.cat([torch.cat(list(map(self.distance, r)), 1) for r in self._tiles(image_emb, caption_emb)])

    def _tiles(self, image_emb: Tensor, caption_emb: Words) -> list[list[Transport]]:
        """Every image with every caption, in tiles of bounded memory: rows of tiles."""
        words, mask = caption_emb.words, words_with_mass(*caption_emb)
        side = max(1, int((TILE / max(1, image_emb.shape[1] * words.shape[1])) ** 0.5))
        columns = list(zip(words.split(side), mask.split(side), strict=True))
        rows = [some[:, None] for some in image_emb.split(side)]
        return [[self.transport(some, each[None], real[None]) for each, real in columns] for some in rows]

    def attention(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """The plan, one per word over regions, or SCAN's: [n_images, n_captions, n_regions, seq_len]."""
        if self.attends == "attention":
            return stacked_cross_attention(image_emb, *caption_emb, "t2i", self.smooth, return_attention=True).attention
        plan = torch.cat([torch.cat([part.plan for part in row], 1) for row in self._tiles(image_emb, caption_emb)])
        _, q = masses(plan, words_with_mass(*caption_emb))  # [n_captions, seq_len]
        return plan / q[:, None].clamp(min=1e-12)

    def loss(self, batch: Batch) -> Tensor:
        """The hinge on the scores and, with SCAN's score, the weighted transport distance of the matched pairs."""
        image_emb, caption_emb = self.encode_images(batch), self.encode_captions(batch)
        ranking = self.loss_function(self.similarity(image_emb, caption_emb), batch.positives)
        if self.by == "transport" or not self.weight:
            return ranking
        own = self.transport(image_emb[batch.image_of], caption_emb.words, words_with_mass(*caption_emb))
        return ranking + self.weight * self.distance(own).mean()
