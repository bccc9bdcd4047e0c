"""GSMN: words and regions are matched as nodes, and the match vectors pass messages along two graphs.

Liu, Mao, Zhang, Xie, Wang and Zhang, "Graph Structured Network for Image-Text Matching", CVPR 2020,
https://arxiv.org/abs/2004.00277. For words t and regions v of unit length (and with their roles exchanged):

    c_i = sum_r softmax_r(lambda t_i . v_r) v_r                       node level: attention,
    x_i = the cosines of t_i and c_i in blocks of their numbers
    y_i = concat over k = 1 ... 8 of relu( sum_{j in N(i)} W_e(i, j) W_k x_j + b )     structure level: messages
    s   = mean over i of MLP(y_i),                                    S = s(words) + s(regions).

Words have the edges of the dependency tree and one to themselves: W_e(i, j) = softmax_j(lambda t_i . t_j) where j is a
neighbour, each row then scaled to length 1. Regions have all edges; W_e depends on the polar coordinates of box centres
(Gaussian kernels, one W_e per W_k; this form is ours). For words W_e is the same for all k, so that their W_k are
together one matrix.

In the public code nothing is passed between nodes: the tensor of neighbours repeats x_i, so that words get W_k x_i, and
regions c_ik W_k x_i with c_ik a number from the layout alone. ``gsmn_code`` is this variant, with our relu and bias.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Dimension, Fraction, PositiveFloat, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import WordGRU, word_mask
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.graph_matching import (
    LayoutKernels,
    StructureMatch,
    attention,
    block_cosines,
    node_mean,
    word_edges,
)
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._trees import Trees

MOST = 2**22  # numbers that the nodes of a tile of pairs hold


class RegionGraph(NamedTuple):
    """Images: regions [n_images, n_regions, dim] of unit length, and boxes [n_images, n_regions, 4]."""

    regions: Tensor
    boxes: Tensor


class WordGraph(NamedTuple):
    """Captions: words [n_captions, seq_len, dim], bool mask and int64 heads [n_captions, seq_len]."""

    words: Tensor
    mask: Tensor
    heads: LongTensor


class WordNodes(nn.Module):
    """Words of a bidirectional GRU as nodes; <start>, <end> and padding are none."""

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.words = WordGRU(n_words, word_dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor, heads: LongTensor, relations: LongTensor, **_) -> WordGraph:
        """Ids, heads and relations, int64 [n_captions, seq_len], and lengths -> ``WordGraph``."""
        mask = relations > 0
        mask = mask | (~mask.any(1, keepdim=True) & word_mask(ids, lengths))  # a query without a word
        return WordGraph(self.words(ids, lengths).words * mask[..., None], mask, heads)


@register_model(
    chapter="15",
    paper="liu2020gsmn",
    variants={
        "gsmn_dense": {"graph": "complete"},
        "gsmn_code": {"structure": "own"},
        "gsmn_nodes": {"structure": "none"},
    },
)
class GSMN(Matching):
    """Attention both ways, block cosines as nodes, one step of messages along both graphs, an MLP per node.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle", "grid" or "mirrored_grid".
        image_dim: numbers per region.
        parser: of the captions; chosen by the corpus.
        embed_size: numbers per embedding (1024 in the paper).
        word_dim: numbers per word.
        blocks: of an embedding (16 of 64 numbers in the public code).
        kernels: matrices W_k (8 in the paper), of 4 rows each as in the public code.
        graph: of words: "dependencies", the paper's sparse graph; "complete", its dense one; "random", a control:
            random trees in which each word has as many neighbours as in its own.
        structure: "messages"; "own", an MLP per node as in the public code; "none", the mean of the block cosines.
        smooth: lambda (20 for Flickr30K, 10 for COCO).
        margin: of the hinge (0.2 in the paper).
        warmup: fraction of the run in which all hinges count; 0 as published.
    """

    feature_kind = "regions"
    pair_cost = "network"
    text_input = Trees()
    reads_boxes = True
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=4e-3, epochs=4, batch_size=32),
        "paper": Recipe(batch_size=64, options={"embed_size": 1024, "word_dim": 300, "smooth": 20.0, "blocks": 16}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        parser: str = "scenes",
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        blocks: PositiveInt = 8,
        kernels: PositiveInt = 8,
        graph: Literal["dependencies", "complete", "random"] = "dependencies",
        structure: Literal["messages", "own", "none"] = "messages",
        smooth: PositiveFloat = 10.0,
        margin: Weight = 0.2,
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        if embed_size % blocks:
            raise ItmError(f"embed_size is {embed_size} and blocks {blocks}: give blocks that divide embed_size")
        self.project = RegionProjection(image_dim, embed_size)
        self.text_encoder = WordNodes(len(vocabulary), word_dim, embed_size)
        self.blocks, self.graph, self.structure, self.smooth = blocks, graph, structure, smooth
        if structure != "none":
            self.layout = LayoutKernels(kernels)
            self.of_words, self.of_regions = (StructureMatch(blocks, kernels) for _ in range(2))
        self.loss_function = create_loss("max_of_hinges", margin=margin, warmup=warmup)

    def image_encoder(self, features: Tensor, boxes: Tensor, confidence: Tensor) -> RegionGraph:
        """Features [n_images, n_regions, image_dim] and boxes -> ``RegionGraph``."""
        return RegionGraph(self.project(features), boxes)

    def edges(self, image_emb: RegionGraph, caption_emb: WordGraph) -> tuple[Tensor, Tensor]:
        """W_e of words, [n_captions, seq_len, seq_len], and of regions, [n_images, kernels, n_regions, n_regions]."""
        words, mask, heads = caption_emb
        if self.structure == "own":
            factors = self.layout(image_emb.boxes, "kernels").sum(-1)  # c_ik, [n_images, kernels, n_regions]
            return torch.eye(words.shape[1]).to(words).expand(len(words), -1, -1), factors.diag_embed()
        of_words = word_edges(words, mask, None if self.graph == "complete" else heads, self.smooth)
        return of_words, self.layout(image_emb.boxes)

    def similarity(self, image_emb: RegionGraph, caption_emb: WordGraph) -> Tensor:
        """S, [n_images, n_captions], some images at a time."""
        nodes = len(caption_emb.words) * (caption_emb.words.shape[1] + image_emb.regions.shape[1])
        side = max(1, MOST // max(1, nodes * 64))
        parts = zip(*(part.split(side) for part in image_emb), strict=True)
        return torch.cat([self._tile(RegionGraph(*part), caption_emb) for part in parts])

    def _tile(self, image_emb: RegionGraph, caption_emb: WordGraph) -> Tensor:
        regions, (words, mask, _) = image_emb.regions, caption_emb
        to_regions = attention(words, regions, None, self.smooth)
        of_words = block_cosines(words, regions, to_regions, self.blocks)  # [n_images, n_captions, seq_len, blocks]
        to_words = attention(regions, words, mask, self.smooth)
        of_regions = block_cosines(regions, words, to_words, self.blocks).transpose(0, 1)
        if self.structure == "none":
            return node_mean(of_words.mean(-1), mask) + node_mean(of_regions.mean(-1), None)
        word_graph, region_graph = self.edges(image_emb, caption_emb)
        return self.of_words(of_words, word_graph, mask) + self.of_regions(of_regions, region_graph)

    def attention(self, image_emb: RegionGraph, caption_emb: WordGraph) -> Tensor:
        """Weights of each word over regions, [n_images, n_captions, n_regions, seq_len]; 0 where there is no word."""
        alpha = attention(caption_emb.words, image_emb.regions, None, self.smooth)
        return (alpha * caption_emb.mask).transpose(1, 2)
