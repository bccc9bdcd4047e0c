"""What all models share: the batch that they get, and the four parts in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import Tokens, Vocabulary
from itm_tutorial.errors import unknown
from itm_tutorial.models._registry import Method
from itm_tutorial.models._text_input import LearnedWords

PAIR_COSTS = ("product", "network")  # what the score of one image and one caption costs: see ``Matching.pair_cost``


@dataclass(frozen=True)
class FeatureSpec:
    """Which visual features a model reads.

    Attributes:
        kind: "global" [dim], "grid" [n_cells, dim], "mirrored" and "mirrored_grid" (averaged over an image and its
            mirror image, flipped back), "regions" [n_regions, dim], "oracle" (regions at the true boxes of a drawn
            world), or "pixels" [3, H, W], an image.
        backbone: a name in ``encoders.backbones.BACKBONES``, or "precomputed" if the data set comes with features.
        dim: numbers per feature, if the data set comes with features; else the backbone decides.
        fit: how images get the backbone's size: "pad" keeps all of a tall image, such as a person; see
            ``encoders.fitting``. By default the central square of a photograph is used.
    """

    kind: str = "global"
    backbone: str = "mini"
    dim: int = 0
    fit: str = ""


@dataclass(frozen=True)
class Images:
    """Features of images and where their regions are, for a model that ``reads_boxes``.

    Attributes:
        features: [n_images, n_regions, dim].
        boxes: float32 [n_images, n_regions, 4] (x0, y0, x1, y1) in [0, 1] of the picture.
        confidence: float32 [n_images, n_regions] in [0, 1], the detector's.
    """

    features: Tensor
    boxes: Tensor
    confidence: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows) -> Images:
        return Images(self.features[rows], self.boxes[rows], self.confidence[rows])

    def to(self, device) -> Images:
        return Images(self.features.to(device), self.boxes.to(device), self.confidence.to(device))


@dataclass(frozen=True)
class Batch:
    """Distinct images, captions, and which caption belongs to which image.

    Attributes:
        images: features [n_images, ...], as the model's ``FeatureSpec`` says; ``Images`` for a model that reads boxes.
        captions: padded word ids and lengths of n_captions captions.
        image_of: int64 [n_captions]; the row of ``images`` that each caption describes.
        identity: int64 [n_images] or None.
    """

    images: Tensor | Images
    captions: Tokens
    image_of: LongTensor
    identity: LongTensor | None = None

    def to(self, device) -> Batch:
        moved = {"images": self.images.to(device), "captions": self.captions.to(device)}
        moved["image_of"] = self.image_of.to(device)
        moved["identity"] = None if self.identity is None else self.identity.to(device)
        return replace(self, **moved)

    @property
    def positives(self) -> Tensor:
        """bool [n_images, n_captions]: True where the caption describes the image, or another of the same identity."""
        if self.identity is None:
            return torch.arange(len(self.images), device=self.image_of.device)[:, None] == self.image_of[None, :]
        return self.identity[:, None] == self.identity[self.image_of][None, :]


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; ``fit`` follows it unless an argument says otherwise.

    Attributes:
        epochs: passes over the training captions.
        batch_size: captions per step.
        learning_rate: of Adam.
        drop_at: the fraction of the run after which the rate falls to a tenth; 1 keeps it.
        clip: largest norm of all gradients together.
        weight_decay: of Adam.
        sampler: a name in ``training.samplers.SAMPLERS``.
        features: another kind of visual features than the model's own; see ``FeatureSpec``.
        options: of the model, such as larger embeddings.
    """

    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 2e-4
    drop_at: float = 0.5
    clip: float = 2.0
    weight_decay: float = 0.0
    sampler: str = "captions"
    features: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EpochState:
    """What ``on_epoch`` of a model or of a loss gets before each epoch.

    Attributes:
        model: the model in training.
        train: the training split on its device: ``images`` [n_images, ...], ``captions`` (``Tokens``), ``image_of``
            int64 [n_captions] on the CPU, ``identity`` int64 [n_images] or None.
        epoch: from 0.
        epochs: of the whole run.
        generator: random numbers of this epoch, on the CPU; they touch no other random numbers of the run.
    """

    model: Matching
    train: Any
    epoch: int
    epochs: int
    generator: torch.Generator


class Matching(nn.Module):
    """Image encoder, text encoder, interaction, loss: a method's file defines these four.

    A subclass sets, in ``__init__``, ``image_encoder`` (features -> image embeddings), ``text_encoder`` (ids, lengths
    and what else its ``text_input`` makes of a caption -> caption embeddings) and ``loss_function`` (scores, positives
    -> scalar), and defines ``similarity``. ``@register_model`` makes it known by the name of its file.

    ``pair_cost`` says what the score of one pair costs, once both sides are encoded. "product": one dot product or
    distance between one vector per image and one per caption, so that whole galleries are scored at once. "network":
    attention or another network for every pair; ``score`` splits such work into tiles and says how long it will
    take, and ``rerank`` avoids most of it. The size of a tile assumes one float32 number per pair, region and token: a
    model that needs more memory must split the tile inside ``similarity``.

    ``pair_similarity`` is optional: embeddings of n images and of n captions -> the scores of image 0 with caption 0,
    image 1 with caption 1 and so on, [n]. Where a model has it, ``rerank`` scores many pairs in one call.
    """

    method: ClassVar[Method]  # set by ``register_model``
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe()}  # "drawn" at least; "flickr8k", "paper"
    pair_cost: ClassVar[str] = "product"
    pair_similarity: Callable[..., Tensor] | None = None
    feature_kind: ClassVar[str] = "global"  # see ``FeatureSpec``
    text_input: ClassVar[LearnedWords] = LearnedWords()  # how it reads text
    reads_boxes: ClassVar[bool] = False  # whether its image encoder gets boxes and confidence too, as ``Images``
    starts: ClassVar[dict[str, str]] = {}  # model to go on from -> the classmethod that does it

    def __init_subclass__(cls, **settings: Any):
        super().__init_subclass__(**settings)
        if cls.pair_cost not in PAIR_COSTS:
            raise unknown(f"pair_cost of {cls.__name__}", cls.pair_cost, PAIR_COSTS)

    @staticmethod
    def options_from(corpus: Corpus) -> dict[str, Any]:
        """Options that follow from a corpus, such as its labels."""
        return {}

    def __init__(self, vocabulary: Vocabulary, features: FeatureSpec):
        super().__init__()
        self.vocabulary = vocabulary
        self.features = features
        self.recipe = self.recipes["drawn"]
        self.pixel_backbone: nn.Module | None = (
            None  # the backbone, where it is trained with the rest: see ``finetuning``
        )

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of its weights, and so of the features that it reads."""
        return next((weight.dtype for weight in self.parameters() if weight.is_floating_point()), torch.float32)

    def tokenize(self, captions: list[str]) -> Tokens:
        """Turns captions into padded word ids and what else the model's ``text_input`` makes of them."""
        return self.text_input.encode(self, captions)

    def encode_images(self, images: Tensor | Images | Batch):
        """Features [n_images, ...] (or a batch that holds them) -> image embeddings, first dimension n_images."""
        if isinstance(images, Batch):
            images = images.images
        if isinstance(images, Images):
            images = images.to(self.device)
            return self.image_encoder(images.features.to(self.dtype), images.boxes, images.confidence)
        images = images.to(self.device, self.dtype)
        return self.image_encoder(images if self.pixel_backbone is None else self.pixel_backbone(images))

    def encode_captions(self, captions: list[str] | Tokens | Batch):
        """Captions (text, word ids, or a batch that holds them) -> caption embeddings, first dimension n_captions."""
        if isinstance(captions, Batch):
            captions = captions.captions
        tokens = captions if isinstance(captions, Tokens) else self.tokenize(captions)
        tokens = tokens.to(self.device)
        return self.text_encoder(tokens.ids, tokens.lengths, **tokens.per_word, **tokens.per_caption)

    def similarity(self, image_emb, caption_emb) -> Tensor:
        """Embeddings of both sides -> [n_images, n_captions]; larger is more alike."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> Tensor | dict[str, Tensor]:
        """A batch -> what ``fit`` minimises: a scalar, or named parts."""
        scores = self.similarity(self.encode_images(batch), self.encode_captions(batch))  # [n_images, n_captions]
        return self.loss_function(scores, batch.positives)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameter groups with their own optimiser; a part of the loss with the same name trains only that group."""
        return {"main": list(self.parameters())}
