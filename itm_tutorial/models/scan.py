"""SCAN: each word of a caption attends to the regions of an image, and the score is the mean over words.

Lee, Chen, Hua, Hu and He, "Stacked Cross Attention for Image-Text Matching", ECCV 2018. Its regions are those of BUTD
(Anderson et al., "Bottom-Up and Top-Down Attention", CVPR 2018): see ``encoders.detector``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from torch import Tensor

from itm_tutorial.data.options import Count, Dimension, Dropout, Fraction, PositiveFloat, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import Words, create_word_encoder
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.stacked_cross import check_options, stacked_cross_attention
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._factory import build_model
from itm_tutorial.models._registry import register_model

SMOOTH = {"t2i": 9.0, "i2t": 4.0}  # lambda_1 of the authors' code
# for ``from_vsepp``, which is ours: a global feature -> the grid whose mean it is; and the options
GRID_OF = {"global": "grid", "mirrored": "mirrored_grid"}
NO_MEAN = ("mini", "precomputed")  # backbones whose global feature is not the mean of a grid
LENGTHS = {"sentence": "bow", "no_imgnorm": True, "no_txtnorm": True, "pooling": "length", "smooth": 4.0, "warmup": 0.0}
SHARED = ("embed_size", "word_dim", "margin", "loss", "k", "mask_same_image", "dropout")


@register_model(
    chapter="03",
    paper="lee2018scan",
    variants={"scan_i2t": {"direction": "i2t"}, "scan_both": {"direction": "both"}},
)
class SCAN(Matching):
    """One embedding per region, one per word from a bidirectional GRU, stacked cross attention, the largest hinge.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle", "grid" or "mirrored_grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding (1024 in the paper).
        word_dim: numbers per word (300 in the paper).
        direction: "t2i", "i2t", or "both": the mean of the two, which the paper's ensembles take over two models.
        smooth: lambda_1; None takes 9 for "t2i" and 4 for "i2t".
        pooling: "mean", "lse", "sum" or "max"; or "length", ours: see ``stacked_cross_attention``.
        lse: lambda_2, used by "lse" alone.
        rectifier: "leaky" as in the authors' code, "plain" as in the paper.
        margin: of the hinge (0.2 in the paper).
        no_imgnorm: do not normalise regions, as the authors' option; their features are not normalised either.
        no_txtnorm: do not normalise words, as the authors' option.
        sentence: "gru" as published, or "bow".
        loss: another loss in place of the largest hinge.
        warmup: fraction of the run in which all hinges count; 0 as published.
        k: negatives of "top_k_hinges".
        mask_same_image: whether to leave other captions of the same image out of the negatives; False as in the
            authors' code.
        dropout: the fraction of a feature's numbers that training hides.
        sample: regions of an image that a training step draws; 0 takes all.
    """

    feature_kind = "regions"
    pair_cost = "network"
    starts: ClassVar[dict[str, str]] = {"vsepp": "from_vsepp"}
    # the paper: 2e-4, batch 128, 30 epochs; in two minutes, small batches learn more (chosen on validation pictures)
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=6e-3, epochs=5, batch_size=32),
        "flickr8k": Recipe(epochs=3, options={"sample": 16}),  # started from a vsepp with the same recipe
        "paper": Recipe(
            options={"embed_size": 1024, "word_dim": 300, "warmup": 0.0, "mask_same_image": False},
        ),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        direction: str = "t2i",
        smooth: Weight | None = None,
        pooling: str = "mean",
        lse: PositiveFloat = 6.0,
        rectifier: str = "leaky",
        margin: Weight = 0.2,
        no_imgnorm: bool = False,
        no_txtnorm: bool = False,
        sentence: Literal["gru", "bow"] = "gru",
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
        k: PositiveInt = 3,
        mask_same_image: bool = True,
        dropout: Dropout = 0.0,
        sample: Count = 0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionProjection(image_dim, embed_size, dropout, unit=not no_imgnorm, sample=sample)
        self.text_encoder = create_word_encoder(sentence, len(vocabulary), word_dim, embed_size, not no_txtnorm)
        ways = tuple(SMOOTH) if direction == "both" else (direction,)
        self.smooth = {way: SMOOTH.get(way) if smooth is None else smooth for way in ways}
        self.rest = {"pooling": pooling, "lse": lse, "rectifier": rectifier}
        check_options(direction=ways[0], pooling=pooling, rectifier=rectifier)
        ours = {"margin": margin, "warmup": warmup, "k": k, "mask_same_image": mask_same_image}
        self.loss_function = create_loss(loss, **ours)

    def similarity(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """Regions [n_images, n_regions, dim] and words -> scores [n_images, n_captions]."""
        scores = [
            stacked_cross_attention(image_emb, *caption_emb, way, smooth, **self.rest)
            for way, smooth in self.smooth.items()
        ]
        return sum(scores) / len(scores)

    def attention(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """Attention weights, in the first of the model's directions.

        Args:
            image_emb: [n_images, n_regions, dim].
            caption_emb: of n_captions captions.

        Returns:
            Weights [n_images, n_captions, n_regions, seq_len].
        """
        way, smooth = next(iter(self.smooth.items()))
        return stacked_cross_attention(
            image_emb, *caption_emb, way, smooth, **self.rest, return_attention=True
        ).attention

    @classmethod
    def from_vsepp(cls, model: Matching, **options: Any) -> Matching:
        """Starts from a trained VSE++ with a bag of words; this is the course's addition, not the paper's.

        The image projection is applied to each grid cell. The caption projection is split in two halves: one for the
        word itself, one for the mean of its caption. With ``smooth=0``, uniform attention, the scores are those of
        the first model.

        Args:
            model: "vsepp" with ``sentence="bow"``, trained by ``fit``; it is left as it is.
            options: of "scan", such as ``smooth`` or ``sample``; those that both have are the first model's.

        Returns:
            SCAN on the regions whose mean the first model reads, to be trained half as long.

        Raises:
            ItmError: another model or text encoder, features that are not a mean of regions, an unknown option.
        """
        given = model.options
        if model.name != "vsepp" or given.get("sentence") != "bow" or given.get("no_imgnorm"):
            raise ItmError(f"attention cannot start from {model.name} {given}: train vsepp with sentence='bow' first")
        first = model.features
        spec = replace(first, kind=GRID_OF.get(first.kind, first.kind))
        if first.kind == "pixels" or (first.kind in GRID_OF and first.backbone in NO_MEAN):
            raise ItmError(
                f"{first.kind} features of {first.backbone} are not a mean of regions: train vsepp on 'grid'"
            )
        if fixed := sorted({"embed_size", "word_dim", "sentence"} & options.keys()):
            raise ItmError(f"{', '.join(fixed)}: must be as in the first model; leave it out")
        shared = {name: given[name] for name in SHARED if given.get(name) is not None}
        shared.setdefault("loss", "max_of_hinges" if given.get("max_violation", True) else "sum_of_hinges")
        scan = build_model("scan", model.vocabulary, spec, **{**LENGTHS, **shared, **options})
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        half = weights.pop("text_encoder.project.weight") / 2
        weights |= {f"text_encoder.{part}.weight": half.clone() for part in ("project", "context")}
        weights["text_encoder.context.bias"] = weights.pop("text_encoder.project.bias")
        scan.load_state_dict(weights)
        scan.recipe = replace(model.recipe, epochs=max(1, round(model.recipe.epochs / 2)))
        return scan.to(model.device)
