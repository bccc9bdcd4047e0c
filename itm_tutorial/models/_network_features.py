"""Features that come from a model's own frozen network instead of a backbone of the course."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from itm_tutorial.encoders.dual_encoder import DualEncoderNetwork
from itm_tutorial.models._base import FeatureSpec


class NetworkFeatures(FeatureSpec):
    """A ``FeatureSpec`` that carries its network; ``extraction`` asks it for ``version``, ``fitted`` and ``extract``.

    Args:
        kind: "global", one embedding per image; "pixels", the images at the network's size.
        backbone: the name of the weights, for messages and for the cache.
        dim: numbers per embedding.
        fit: as for ``FeatureSpec``; the network fits images in its own way.
    """

    def __init__(self, kind: str = "global", backbone: str = "", dim: int = 0, fit: str = ""):
        super().__init__(kind, backbone, dim, fit)
        object.__setattr__(self, "network", None)

    @classmethod
    def of(cls, network: DualEncoderNetwork, name: str, kind: str) -> NetworkFeatures:
        """The features of a network.

        Args:
            network: it is not copied.
            name: of its weights.
            kind: "global" or "pixels".
        """
        made = cls(kind, name, network.dim if kind == "global" else 3)
        object.__setattr__(made, "network", network)
        return made

    def fitted(self, image: Tensor) -> Tensor:
        """An image at the size of the network: uint8 [3, H, W] -> uint8 [3, side, side]."""
        return self.network.fitted(image)

    @torch.no_grad()
    def extract(self, pixels: Tensor) -> Tensor:
        """The features of fitted images: uint8 [n, 3, side, side] -> float32 [n, dim]; pixels stay as they are."""
        if self.kind == "pixels":
            return pixels
        device = next(self.network.parameters()).device
        return self.network.encode_images(pixels.to(device)).float().cpu()

    def version(self) -> str:
        """Eight digits that differ where the features would: of the weights and of how images are fitted."""
        digest = hashlib.sha256(repr(sorted(self.network.images.items())).encode())
        if self.kind != "pixels":
            for name, value in self.network.state_dict().items():
                if "text" not in name and not name.endswith(("logit_scale", "logit_bias")):
                    digest.update(f"{name} {value.dtype}".encode())
                    digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy())
        return digest.hexdigest()[:8]
