"""A published CLIP or SigLIP as a model of the course: frozen, with a linear map on each side, or trained as a whole.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021,
https://arxiv.org/abs/2103.00020; Zhai et al., "Sigmoid Loss for Language Image Pre-Training", ICCV 2023,
https://arxiv.org/abs/2303.15343. With unit vectors v of images and t of texts, S(i, c) = exp(s) v_i . t_c + b; CLIP has
no bias b. Left out: everything about pre-training; the weights come from a folder.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import torch
from pydantic import ConfigDict, with_config
from torch import Tensor, nn
from torch.nn.functional import normalize
from typing_extensions import TypedDict

from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.dual_encoder import DualEncoderNetwork, ImageInput, NetworkConfig
from itm_tutorial.errors import ItmError
from itm_tutorial.losses.contrastive import InfoNCE
from itm_tutorial.losses.pairwise_sigmoid import sigmoid_terms
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._network_features import NetworkFeatures
from itm_tutorial.models._network_text import TINY, NetworkText
from itm_tutorial.models._registry import register_model

LARGEST_SCALE = math.log(100)  # of CLIP's s, which is also kept from falling below 0
TOWER = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
TINY_IMAGES: ImageInput = {
    "resized": 32,
    "crop": 0,
    "interpolation": "bicubic",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
}


@with_config(ConfigDict(extra="forbid", strict=True))
class NetworkOptions(TypedDict):
    """What it takes to build a network: its sizes, its preprocessing, and how texts are written for its tokenizer."""

    config: NetworkConfig
    images: ImageInput
    text: Literal["as it is", "lower case", "without punctuation"]


def tiny_network(n_words: int) -> NetworkOptions:
    """A CLIP with random weights that is small enough for tests; nothing is downloaded for it."""
    text = {**TOWER, "vocab_size": n_words, "max_position_embeddings": 64}
    vision = {**TOWER, "image_size": 32, "patch_size": 8}
    config = {"model_type": "clip", "text_config": text, "vision_config": vision, "projection_dim": 512}
    return {"config": config, "images": TINY_IMAGES, "text": "as it is"}


@register_model(chapter="21", paper="radford2021clip")
class DualEncoder(Matching):
    """Two published encoders, a linear map on each side that starts as the identity, and the network's own logits.

    Before any training, the scores are those of the published network (zero-shot). ``fit`` trains the two maps and the
    scale on frozen embeddings, which are computed once and cached; ``itm.unfreeze`` then gives a model whose encoders
    are trained too.

    Args:
        vocabulary: of the network's tokenizer.
        features: ignored; the network extracts its own.
        image_dim: ignored.
        weights: a folder with config.json, preprocessor_config.json, tokenizer.json and model.safetensors; a name at
            Hugging Face that was fetched before; or "tiny", a small CLIP with random weights.
        train: what ``fit`` trains: "probe", the linear maps, the scale and the bias; "full", the encoders as well.
        network: sizes and preprocessing; it follows from the weights.
    """

    feature_kind = "pixels"
    text_input = NetworkText()
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=1e-3, epochs=10)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        weights: str = TINY,
        train: Literal["probe", "full"] = "probe",
        network: NetworkOptions | None = None,
    ):
        super().__init__(vocabulary, features)
        if features.backbone == "precomputed":
            raise ItmError("dual_encoder reads images, but the corpus comes with features: take one with photographs")
        made = network or tiny_network(len(vocabulary))
        self.weights, self.trained, self.text = weights, train, made["text"]
        self.network = DualEncoderNetwork(made["config"], made["images"]).requires_grad_(train == "full")
        for name, weight in self.network.named_parameters():
            if "logit" in name:  # the scale and SigLIP's bias
                weight.requires_grad_(True)
        self.image_map, self.text_map = (nn.Linear(self.network.dim, self.network.dim, bias=False) for _ in range(2))
        for linear in (self.image_map, self.text_map):
            nn.init.eye_(linear.weight)
        self.softmax_loss = InfoNCE(temperature=1.0)

    @property
    def features(self) -> NetworkFeatures:
        """What the image encoder reads: the network's embeddings, or images at its size where it is trained."""
        kind = "pixels" if self.trained == "full" else "global"
        return NetworkFeatures.of(self.network, self.weights, kind)

    @features.setter
    def features(self, spec: FeatureSpec) -> None:
        """Whatever a corpus would choose, the network extracts its own features."""

    def train(self, mode: bool = True) -> DualEncoder:
        """Sets the mode; a frozen network stays in evaluation mode."""
        super().train(mode)
        self.network.train(mode and self.trained == "full")
        return self

    def image_encoder(self, images: Tensor) -> Tensor:
        """Embeddings [n_images, dim], or pixels [n_images, 3, H, W] where they are trained -> unit vectors."""
        emb = self.network.encode_images(images) if self.trained == "full" else images
        return normalize(self.image_map(emb), dim=-1)

    def text_encoder(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Ids [n_captions, seq_len], lengths [n_captions] -> unit vectors [n_captions, dim]."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.trained == "full"):
            emb = self.network.encode_captions(ids, lengths)
        return normalize(self.text_map(emb), dim=-1)

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Unit vectors [n_images, dim], [n_captions, dim] -> the network's logits [n_images, n_captions]."""
        return self.network.logits(image_emb, caption_emb)

    def loss(self, batch: Batch) -> Tensor:
        """CLIP: half the sum of the cross-entropies by rows and by columns; SigLIP: sigmoid loss per caption."""
        if self.network.kind == "clip":  # the parameter itself is clamped, as after the step before
            with torch.no_grad():
                self.network.network.logit_scale.clamp_(0, LARGEST_SCALE)
        return super().loss(batch)

    def loss_function(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Logits and mask [n_images, n_captions] -> a scalar."""
        if self.network.kind == "clip":
            return 0.5 * self.softmax_loss(scores, positives)
        return sigmoid_terms(scores, positives) / scores.shape[1]

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The weights that are trained."""
        return {"main": [weight for weight in self.parameters() if weight.requires_grad]}

    def unfrozen(self) -> dict[str, Any]:
        """The options of the model that ``itm.unfreeze`` makes: the same weights, all of them trained."""
        if self.trained == "full":
            raise ItmError("dual_encoder trains its encoders already: there is nothing to unfreeze")
        return {**self.options, "train": "full"}

    @torch.no_grad()
    def patch_scores(self, images: Tensor, captions: list[str]) -> Tensor:
        """The cosine of every patch of images with captions: a rough map of where a caption fits an image.

        The networks were trained on whole images, not on patches, so such a map may point to the wrong place.

        Args:
            images: uint8 [n_images, 3, H, W].
            captions: n_captions texts.

        Returns:
            float32 [n_images, n_captions, rows, columns].
        """
        fitted = torch.stack([self.network.fitted(image) for image in images]).to(self.device)
        patches = normalize(self.image_map(self.network.encode_patches(fitted)), dim=-1)  # [n, n_patches, dim]
        scores = torch.einsum("npd,cd->ncp", patches, self.encode_captions(captions))
        side = math.isqrt(patches.shape[1])
        return scores.view(*scores.shape[:2], side, side).float().cpu()
