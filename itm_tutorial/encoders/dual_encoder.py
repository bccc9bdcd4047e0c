"""CLIP and SigLIP networks of the ``transformers`` library: one vector per image from pixels, one per text from tokens.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021,
https://arxiv.org/abs/2103.00020; Zhai et al., "Sigmoid Loss for Language Image Pre-Training", ICCV 2023,
https://arxiv.org/abs/2303.15343. The library is imported when a network is first made.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

import torch
from pydantic import ConfigDict, Field, with_config
from torch import LongTensor, Tensor, nn
from typing_extensions import TypedDict

from itm_tutorial.encoders.text import word_mask
from itm_tutorial.errors import ItmError

AT_ONCE = 64  # images that pass through the network at a time
Size = Annotated[int, Field(ge=1, le=2**14)]
Epsilon = Annotated[float, Field(gt=0, lt=1)]
Colour = Annotated[list[float], Field(min_length=3, max_length=3)]
Token = Annotated[int, Field(ge=0, le=5_000_000)]


@with_config(ConfigDict(extra="ignore", strict=True))
class Tower(TypedDict):
    """One of the two encoders, as ``config.json`` describes it; what is absent is as in the library."""

    hidden_size: NotRequired[Size]
    intermediate_size: NotRequired[Annotated[int, Field(ge=1, le=2**17)]]
    num_hidden_layers: NotRequired[Annotated[int, Field(ge=1, le=200)]]
    num_attention_heads: NotRequired[Size]
    hidden_act: NotRequired[Literal["gelu", "quick_gelu", "gelu_pytorch_tanh", "relu", "silu", "gelu_new"]]
    layer_norm_eps: NotRequired[Epsilon]
    projection_dim: NotRequired[Size]


@with_config(ConfigDict(extra="ignore", strict=True))
class TextTower(Tower):
    """The text encoder."""

    vocab_size: NotRequired[Annotated[int, Field(ge=1, le=5_000_000)]]
    max_position_embeddings: NotRequired[Size]
    pad_token_id: NotRequired[Token | None]
    bos_token_id: NotRequired[Token | None]
    eos_token_id: NotRequired[Token | None]
    projection_size: NotRequired[Size | None]


@with_config(ConfigDict(extra="ignore", strict=True))
class ImageTower(Tower):
    """The image encoder."""

    image_size: NotRequired[Size]
    patch_size: NotRequired[Size]


@with_config(ConfigDict(extra="ignore", strict=True))
class NetworkConfig(TypedDict):
    """The sizes of a network; ``model_type`` says whose it is."""

    model_type: Literal["clip", "siglip"]
    text_config: TextTower
    vision_config: ImageTower
    projection_dim: NotRequired[Size]


@with_config(ConfigDict(extra="forbid", strict=True))
class ImageInput(TypedDict):
    """How an image becomes the network's input: resized, perhaps cut out in the centre, and normalised.

    ``resized`` is the shorter side where ``crop`` is above 0, which is the side of the square that is cut out; with a
    ``crop`` of 0, the image is stretched to a square of ``resized`` pixels.
    """

    resized: Size
    crop: Annotated[int, Field(ge=0, le=2**14)]
    interpolation: Literal["bilinear", "bicubic"]
    mean: Colour
    std: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]


class DualEncoderNetwork(nn.Module):
    """The library's ``CLIPModel`` or ``SiglipModel``; it is built from its sizes alone, with random weights.

    Args:
        config: the sizes.
        images: how an image becomes its input.

    Raises:
        ItmError: transformers is not installed, or the sizes do not fit together.
    """

    def __init__(self, config: NetworkConfig, images: ImageInput):
        super().__init__()
        self.network, self.kind, self.images = make_network(config), config["model_type"], images
        side = self.network.config.vision_config.image_size
        if (images["crop"] or images["resized"]) != side:
            raise ItmError(
                f"network: its images are {side} pixels wide, but its preprocessing gives "
                f"{images['crop'] or images['resized']}; take both files from one place"
            )

    @property
    def dim(self) -> int:
        """Numbers per embedding."""
        if self.kind == "clip":
            return self.network.config.projection_dim
        return self.network.config.vision_config.hidden_size

    @property
    def max_tokens(self) -> int:
        """The most tokens of a text, with the special ones."""
        return self.network.config.text_config.max_position_embeddings

    @property
    def side(self) -> int:
        """The width and height of its images in pixels."""
        return self.network.config.vision_config.image_size

    @property
    def fit(self) -> str:
        """How an image becomes a square: "crop", its centre is cut out, or "stretch"."""
        return "crop" if self.images["crop"] else "stretch"

    def fitted(self, image: Tensor) -> Tensor:
        """Resizes an image as the network was trained with: uint8 [3, H, W] -> uint8 [3, side, side].

        An image of exactly this size is left as it is.
        """
        from torchvision.transforms.v2 import functional as transforms

        resized, crop = self.images["resized"], self.images["crop"]
        height, width = image.shape[-2:]
        if crop:
            short = min(height, width)
            size = [resized * height // short, resized * width // short]
        else:
            size = [resized, resized]
        if size != [height, width]:
            mode = transforms.InterpolationMode(self.images["interpolation"])
            image = transforms.resize(image, size, interpolation=mode, antialias=True)
        if not crop:
            return image
        missing = [max(0, crop - side) for side in size]
        if any(missing):  # black at the edges, as the library does
            borders = [missing[1] // 2, missing[0] // 2, (missing[1] + 1) // 2, (missing[0] + 1) // 2]
            image = transforms.pad(image, borders, fill=0)
        top, left = (int((side - crop) / 2) for side in image.shape[-2:])
        return image[..., top : top + crop, left : left + crop]

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels from 0 to 255, [n, 3, H, W], in the type of the weights; another size is resized to the network's."""
        dtype = next(self.parameters()).dtype
        if tuple(pixels.shape[-2:]) != (self.side, self.side):
            size = (self.side, self.side)
            pixels = nn.functional.interpolate(pixels.float(), size, mode="bicubic", antialias=True).clamp(0, 255)
        mean, std = (torch.tensor(self.images[name], device=pixels.device).view(3, 1, 1) for name in ("mean", "std"))
        return ((pixels.float() / 255 - mean) / std).to(dtype)

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Images -> embeddings.

        Args:
            pixels: [n_images, 3, H, W], of any dtype, from 0 to 255.

        Returns:
            [n_images, dim], not normalised.
        """
        return torch.cat([self._encode_images(some) for some in pixels.split(AT_ONCE)])

    def _encode_images(self, pixels: Tensor) -> Tensor:
        pooled = self.network.vision_model(pixel_values=self.normalised(pixels)).pooler_output
        return self.network.visual_projection(pooled) if self.kind == "clip" else pooled

    def encode_patches(self, pixels: Tensor) -> Tensor:
        """Images -> one vector per patch, in the space of the embeddings.

        CLIP projects the vector of the whole image there; its patches go the same way (the last normalisation, then
        the projection). SigLIP's image embedding is attention over all patches; here each patch is pooled alone.

        Args:
            pixels: [n_images, 3, H, W], from 0 to 255.

        Returns:
            [n_images, n_patches, dim], row by row, not normalised.
        """
        vision = self.network.vision_model
        states = vision(pixel_values=self.normalised(pixels)).last_hidden_state  # [n, n_tokens, hidden]
        if self.kind == "clip":  # the first token stands for the whole image
            return self.network.visual_projection(vision.post_layernorm(states[:, 1:]))
        alone = states.flatten(0, 1)[:, None]  # [n * n_patches, 1, hidden]
        return vision.head(alone).view(*states.shape[:2], -1)

    def encode_captions(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Texts -> embeddings.

        Args:
            ids: int64 [n_captions, seq_len], with the special tokens.
            lengths: int64 [n_captions].

        Returns:
            [n_captions, dim], not normalised.
        """
        text = self.network.text_model
        if self.kind == "clip":  # causal: what follows the last token does not change its state
            states = text(input_ids=ids).last_hidden_state  # [n, seq_len, hidden]
            last = lengths.to(ids.device) - 1
            return self.network.text_projection(states[torch.arange(len(ids), device=ids.device), last])
        padding = self.network.config.text_config.pad_token_id or 0
        full = ids.new_full((len(ids), self.max_tokens), padding)  # SigLIP reads padding too: always the same length
        full[:, : ids.shape[1]] = torch.where(word_mask(ids, lengths), ids, padding)
        return text(input_ids=full).pooler_output

    def logits(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Unit vectors [n_images, dim], [n_captions, dim] -> the network's own logits [n_images, n_captions]."""
        scores = image_emb @ caption_emb.T * self.network.logit_scale.exp()
        return scores + self.network.logit_bias if self.kind == "siglip" else scores


def make_network(config: NetworkConfig) -> nn.Module:
    """A ``CLIPModel`` or ``SiglipModel`` with random weights.

    Raises:
        ItmError: transformers is not installed, or the sizes do not fit together.
    """
    try:
        from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel
        from transformers.utils import logging
    except ImportError as error:
        raise ItmError("a dual encoder needs the package transformers: pip install transformers") from error
    made = {"clip": (CLIPConfig, CLIPModel), "siglip": (SiglipConfig, SiglipModel)}
    sizes, network = made[config["model_type"]]
    arguments: dict[str, Any] = {name: value for name, value in config.items() if name != "model_type"}
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # it warns of token numbers in configurations that it does not use
    try:
        return network(sizes(**arguments))
    except Exception as error:  # of the library's checks, or of torch
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ItmError(
            f"network: these sizes make no {config['model_type']} ({reason}); give those of its config.json"
        ) from error
    finally:
        logging.set_verbosity(level)
