"""Align2Ground: the regions that the phrases of a caption choose must, by themselves, be recognised as its image.

After the abstract of Datta, Sikka, Roy, Ahuja, Parikh and Divakaran, "Align2Ground: Weakly Supervised Phrase Grounding
Guided by Image-Caption Alignment", ICCV 2019 (https://arxiv.org/abs/1903.11649). A first step matches each phrase to a
region; a second step makes an image embedding from the matched regions alone and ranks it against the caption. The
paper's equations were not readable to us, so the forms below are ours:

    r*(p) = argmax_r cos(v_r, p)                          the region that a phrase chooses
    z = mean_p ( v_r*(p) + MLP(v_r*(p)) )                 the image as the caption sees it, in no order
    S = cos(z, t)                                         t is the embedding of the caption

Both S and the local score L = sum_p max_r cos(v_r, p) are trained by a hinge. With L alone, a few strong phrases can
carry the image, and the others need not be grounded. Gradients pass through v_r*, not through the argmax.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from itm_tutorial.data.options import Dimension, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.phrases import PhraseEncoder, Phrases
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._parsed_words import ParsedWords
from itm_tutorial.models._registry import register_model

MOST = 2**22  # numbers per pair, region and phrase that are computed at a time
EPS = 1e-8  # smallest length of a pooled vector


@register_model(chapter="11", paper="datta2019align2ground", variants={"align2ground_local": {"score": "local"}})
class Align2Ground(Matching):
    """Phrases choose regions, an order-free MLP pools the chosen ones, and the cosine with the caption is the score.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        parser: of the captions; chosen by the corpus.
        embed_size: numbers per embedding.
        word_dim: numbers per word.
        sentence: "gru", or "bow": a bag of words.
        score: "matched", as above; "local", the sum over phrases of the best region alone, in the manner of DVSA; or
            "random", a control: as "matched", but each phrase is given a region drawn at random in training, and the
            mean of all regions in evaluation.
        local_weight: of the hinge on the local score beside that on S.
        margin: of both hinges.
        loss: of both scores, a name in ``losses.LOSSES``.
        warmup: fraction of the run in which all hinges count.
    """

    feature_kind = "regions"
    pair_cost = "network"
    text_input = ParsedWords()
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=6e-3, epochs=5, batch_size=32)}

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
        score: Literal["matched", "local", "random"] = "matched",
        local_weight: Weight = 1.0,
        margin: Weight = 0.2,
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionProjection(image_dim, embed_size)
        self.text_encoder = PhraseEncoder(sentence, len(vocabulary), word_dim, embed_size)
        self.pool = nn.Sequential(nn.Linear(embed_size, embed_size), nn.ReLU(), nn.Linear(embed_size, embed_size))
        self.score, self.local_weight = score, local_weight
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)

    def phrase_scores(self, image_emb: Tensor, caption_emb: Phrases) -> Tensor:
        """cos(v_r, p): regions [n_images, n_regions, dim] -> [n_images, n_captions, n_regions, n_phrases]."""
        return image_emb[:, None] @ caption_emb.phrases.mT

    def similarity(self, image_emb: Tensor, caption_emb: Phrases) -> Tensor:
        """S, or L of a model with ``score="local"`` -> [n_images, n_captions]."""
        return self.both_scores(image_emb, caption_emb)[int(self.score == "local")]

    def both_scores(self, image_emb: Tensor, caption_emb: Phrases) -> tuple[Tensor, Tensor]:
        """S and L, [n_images, n_captions] each."""
        per_image = image_emb.shape[1] * max(1, caption_emb.mask.numel())
        tiles = [self._tile(some, caption_emb) for some in image_emb.split(max(1, MOST // per_image))]
        return tuple(torch.cat(parts) for parts in zip(*tiles, strict=True))

    def _tile(self, regions: Tensor, captions: Phrases) -> tuple[Tensor, Tensor]:
        cosines = self.phrase_scores(regions, captions)  # [n_images, n_captions, n_regions, n_phrases]
        best = cosines.max(2)  # values and indices [n_images, n_captions, n_phrases]
        local = (best.values * captions.mask).sum(2)
        if self.score == "local":
            return local, local
        chosen = best.indices
        if self.score == "random":
            chosen = torch.randint(regions.shape[1], chosen.shape, device=chosen.device)
        counts = local.new_zeros(cosines.shape[:3]).scatter_add(2, chosen, captions.mask.to(local).expand(chosen.shape))
        if self.score == "random" and not self.training:
            counts = torch.ones_like(counts)
        # z = sum_r weight_r m_r needs no vector per pair: z.t = sum_r weight_r (m_r.t), |z|^2 = weight' (m m') weight
        pooled = regions + self.pool(regions)  # m, [n_images, n_regions, dim]
        weight = counts / counts.sum(2, keepdim=True)  # [n_images, n_captions, n_regions]
        product = (weight * (captions.caption @ pooled.mT)).sum(2)
        squared = (weight * (weight @ (pooled @ pooled.mT))).sum(2)
        return product / squared.clamp(min=EPS**2).sqrt(), local

    def loss(self, batch: Batch) -> Tensor:
        """The hinge on S and the weighted hinge on L; of a model with ``score="local"`` that on L alone."""
        whole, local = self.both_scores(self.encode_images(batch), self.encode_captions(batch))
        of_local = self.loss_function(local, batch.positives)
        if self.score == "local":
            return of_local
        return self.loss_function(whole, batch.positives) + self.local_weight * of_local
