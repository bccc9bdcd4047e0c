"""Visual features, computed once and kept: global and grid, from the mini backbone or torchvision's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from itm_tutorial.data.corpus import SPLITS, Corpus, Split
from itm_tutorial.encoders.backbones import BACKBONES, create_backbone, feature_dim, weights_file
from itm_tutorial.models.base import FeatureSpec
from itm_tutorial.pretraining import load_mini, mini_folder, normalised
from itm_tutorial.progress import progress_bar
from itm_tutorial.storage import cache_dir, prepare_folder, read_tensors, write_tensors

CHUNK = {"cpu": 8, "cuda": 128}  # images seen at a time; a CPU is twice as fast when layers fit its caches


@dataclass(frozen=True)
class Features:
    """The features of a corpus; a split's are computed when they are first asked for.

    ``features.train`` and so on, a name a split, are float32 [n_images, dim], or [n_images, n_cells, dim] for a grid.
    """

    corpus: Corpus
    spec: FeatureSpec
    _kept: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_") or name not in (*SPLITS, *self.corpus.splits):
            raise AttributeError(f"features have no {name!r}; they have {', '.join(self.corpus.splits)}")
        if name not in self._kept:
            self._kept[name] = split_features(getattr(self.corpus, name), self.spec)
        return self._kept[name]


def features(corpus: Corpus, kind: str = "global", backbone: str | None = None) -> Features:
    """The visual features of a corpus.

    Args:
        corpus: any corpus.
        kind: "global", one vector an image, or "grid", one a cell.
        backbone: a name in ``encoders.backbones.BACKBONES``; by default "mini" for drawn worlds and "mobilenet_v2"
            for photographs.

    Returns:
        The features, computed when asked for and kept in the cache.

    Raises:
        ItmError: unknown kind or backbone, or weights that cannot be had.
    """
    spec = FeatureSpec(kind, backbone or ("mini" if corpus.drawn else "mobilenet_v2"))
    feature_dim(spec)  # refuses an unknown kind or backbone now
    return Features(corpus, spec)


def split_features(split: Split, spec: FeatureSpec) -> Tensor:
    """The features of a split: from the cache where the split has a fingerprint.

    Args:
        split: its images are decoded only when the cache does not have them.
        spec: which features.

    Returns:
        float32 [n_images, dim] or [n_images, n_cells, dim]; pixels are uint8 [n_images, 3, H, W], and not kept again.
    """
    if split.fingerprint is None or spec.kind == "pixels":
        return image_features(split.images, spec)
    folder = cache_dir() / "features" / split.fingerprint.replace("/", "-") / f"{spec.kind}-{seen_by(spec.backbone)}"

    def build(part) -> None:
        write_tensors(part / "features.safetensors", {"features": image_features(split.images, spec)})

    return read_tensors(prepare_folder(folder, build) / "features.safetensors")["features"]


def seen_by(backbone: str) -> str:
    """A backbone's name with eight digits of its weights: features seen through others are others.

    Raises:
        ItmError: the weights can neither be found nor downloaded.
    """
    if backbone == "mini":
        return mini_folder().name
    if not weights_file(backbone).exists():
        create_backbone(backbone)  # downloads them
    return f"{backbone}-{_file_hash(weights_file(backbone))}"


@cache
def _file_hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:8]


@torch.no_grad()
def image_features(images: Sequence[Tensor], spec: FeatureSpec) -> Tensor:
    """Computes features of any images.

    Args:
        images: uint8 [3, H, W] each, of any size.
        spec: which features.

    Returns:
        float32 [n_images, dim] or [n_images, n_cells, dim]; pixels uint8 [n_images, 3, H, W], of one size.
    """
    if spec.kind == "pixels":
        return images if isinstance(images, Tensor) else torch.stack([images[i] for i in range(len(images))])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    backbone = load_mini() if spec.backbone == "mini" else create_backbone(spec.backbone).eval()
    backbone = backbone.to(device, memory_format=torch.channels_last)  # twice as fast on a CPU
    found = []
    for first in progress_bar(range(0, len(images), CHUNK[device]), "looking at images"):
        some = [fitted(images[i], spec.backbone) for i in range(first, min(first + CHUNK[device], len(images)))]
        batch = normalised(torch.stack(some).to(device), spec.backbone)
        grid = backbone(batch.contiguous(memory_format=torch.channels_last))  # [chunk, dim, h, w]
        found.append(_shaped(grid, spec.kind, backbone).float().cpu().contiguous())
    return torch.cat(found)


def _shaped(grid: Tensor, kind: str, backbone: nn.Module) -> Tensor:
    if kind == "grid":
        return grid.flatten(2).transpose(1, 2)  # [n, h * w, dim]
    return backbone.pooled(grid) if hasattr(backbone, "pooled") else grid.mean((2, 3))  # [n, dim]


def fitted(image: Tensor, backbone: str) -> Tensor:
    """Brings an image to the backbone's size: the shorter side first, then the middle square, as for its weights.

    An image that has the backbone's size already is taken as it is.

    Args:
        image: uint8 [3, H, W].
        backbone: a name in ``BACKBONES``.

    Returns:
        uint8 [3, size, size].
    """
    from torchvision.transforms.functional import center_crop, resize

    about = BACKBONES[backbone]
    if tuple(image.shape[1:]) == (about.image_size, about.image_size):
        return image
    return center_crop(resize(image, about.resized, antialias=True), about.image_size)
