"""Visual features, computed once and cached: global, grid or regions, from the mini backbone or torchvision's."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.names import SPLITS
from itm_tutorial.encoders.backbones import (
    BACKBONES,
    GRIDS,
    create_backbone,
    feature_dim,
    normalised,
    shaped,
    weights_file,
)
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.regions import BOXES_BY, grid_boxes, oracle_features, region_features
from itm_tutorial.models import FeatureSpec, features_of
from itm_tutorial.pretraining.backbone import load_mini, mini_folder
from itm_tutorial.pretraining.detector import detector_folder
from itm_tutorial.progress import progress_bar
from itm_tutorial.storage import cache_dir, prepare_folder, read_tensors, write_tensors

CHUNK = {"cpu": 8, "cuda": 128}  # images per batch; a CPU is twice as fast when layers fit its caches

ALSO = {"regions": "-confidence", "oracle": "-confidence"}  # in a cache folder's name: older folders lack this tensor


@dataclass(frozen=True)
class Features:
    """The features of a corpus; those of a split are computed when they are first read.

    ``features.train`` and so on, one attribute per split, are float32 [n_images, dim], or [n_images, n_regions, dim]
    for regions and grid cells. ``features.boxes.train`` holds their boxes: float32 [n_images, n_regions, 4].
    """

    corpus: Corpus
    spec: FeatureSpec
    read: Callable[[Split, FeatureSpec], Tensor] = field(repr=False)
    _kept: dict[str, Tensor] = field(default_factory=dict, repr=False)

    @property
    def boxes(self) -> Features:
        """The box of each region or cell, (x0, y0, x1, y1) in [0, 1] of the image as resized for the backbone."""
        return Features(self.corpus, self.spec, split_boxes)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_") or name not in (*SPLITS, *self.corpus.splits):
            raise AttributeError(f"features have no {name!r}; they have {', '.join(self.corpus.splits)}")
        if name not in self._kept:
            self._kept[name] = self.read(getattr(self.corpus, name), self.spec)
        return self._kept[name]


def features(corpus: Corpus, kind: str = "global", backbone: str | None = None) -> Features:
    """The visual features of a corpus.

    Args:
        corpus: any corpus.
        kind: "global", one vector per image; "grid", one per grid cell; "mirrored" and "mirrored_grid", the same,
            averaged over the image and its mirror image; "regions", one per box of a detector, 12 per image;
            "oracle", one per true box of the drawn world, also 12. See ``FeatureSpec``.
        backbone: a name in ``encoders.backbones.BACKBONES``; by default "mini" for drawn worlds and "mobilenet_v2"
            for photographs.

    Returns:
        The features, computed when they are read and kept in the cache; published features are read as they are.

    Raises:
        ItmError: the kind or backbone is unknown, or weights cannot be had.
    """
    spec = features_of(corpus, kind, backbone)
    feature_dim(spec)  # raises an error for an unknown kind or backbone now
    return Features(corpus, spec, split_features)


def split_features(split: Split, spec: FeatureSpec) -> Tensor:
    """The features of a split, from the cache if the split has a fingerprint.

    Args:
        split: its images are decoded only when the cache does not have them.
        spec: which features.

    Returns:
        float32 [n_images, dim] or [n_images, n_regions, dim]; pixels are uint8 [n_images, 3, H, W], and not cached.

    Raises:
        ItmError: the data set has other published features, or the split has no true boxes for "oracle".
    """
    if split.precomputed is not None or spec.backbone == "precomputed":
        return _published(split, spec)
    if split.fingerprint is None or spec.kind == "pixels":
        return _compute(split, spec)["features"]
    return _kept(split, spec)["features"]


def split_boxes(split: Split, spec: FeatureSpec) -> Tensor:
    """The boxes of the regions or grid cells of a split.

    Args:
        split: of any corpus with images.
        spec: "regions", "oracle", "grid" or "mirrored_grid".

    Returns:
        float32 [n_images, n_regions, 4] (x0, y0, x1, y1), in [0, 1] of the image as resized for the backbone.

    Raises:
        ItmError: the features have no boxes.
    """
    if spec.backbone == "precomputed" or spec.kind not in (*GRIDS, "regions", "oracle"):
        raise ItmError(f"{spec.kind} features ({spec.backbone}) have no boxes: use 'regions', 'oracle' or 'grid'")
    if spec.kind in GRIDS:
        cells = grid_boxes(split_features(split, spec).shape[1])
        return cells.expand(len(split.images), -1, -1)
    return (_compute(split, spec) if split.fingerprint is None else _kept(split, spec))["boxes"]


def split_confidence(split: Split, spec: FeatureSpec) -> Tensor:
    """The detector's confidence in each region of a split.

    Args:
        split: of any corpus with images.
        spec: "regions" or "oracle"; grid cells have confidence 1.

    Returns:
        float32 [n_images, n_regions] in [0, 1].

    Raises:
        ItmError: the features have no boxes.
    """
    if spec.kind not in ("regions", "oracle") or spec.backbone == "precomputed":
        return split_boxes(split, spec)[..., 0] * 0 + 1
    return (_compute(split, spec) if split.fingerprint is None else _kept(split, spec))["confidence"]


def _published(split: Split, spec: FeatureSpec) -> Tensor:
    """The published features of a data set, memory-mapped and not copied."""
    array = split.precomputed
    if array is None or array.shape[-1] != spec.dim:
        what = "images" if array is None else f"features of {array.shape[-1]} numbers"
        raise ItmError(
            f"{split.name}: the model reads {spec.dim} numbers per region from its data set, but this one has {what}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch warns that the memory is read-only; nothing writes to it
        return torch.from_numpy(array)


def _compute(split: Split, spec: FeatureSpec) -> dict[str, Tensor]:
    """The features of a split, and for regions their boxes and confidence."""
    if spec.kind == "regions":
        return region_features(_Fitted(split.images, spec.backbone), spec)._asdict()
    if spec.kind == "oracle":
        return oracle_features(replace(split, images=_Fitted(split.images, spec.backbone)), spec)._asdict()
    return {"features": image_features(split.images, spec)}


def _kept(split: Split, spec: FeatureSpec) -> dict[str, Tensor]:
    """The result of ``_compute`` from the cache; computed now if the cache lacks it."""
    name = f"{spec.kind}-{seen_by(spec)}{ALSO.get(spec.kind, '')}"
    folder = cache_dir() / "features" / split.fingerprint.replace("/", "-") / name

    def build(part) -> None:
        write_tensors(part / "features.safetensors", _compute(split, spec))

    return read_tensors(prepare_folder(folder, build) / "features.safetensors", _holding(split, spec))


def _holding(split: Split, spec: FeatureSpec) -> dict[str, tuple]:
    """What a cached file of these features must hold, as ``read_tensors`` checks it."""
    n, dim = len(split.images), feature_dim(spec)
    if spec.kind == "pixels":
        return {"features": ("torch.uint8", n, 3, None, None)}
    regions = (None,) if spec.kind in (*GRIDS, "regions", "oracle") else ()
    holding = {"features": ("torch.float32", n, *regions, dim)}
    if spec.kind in ("regions", "oracle"):
        holding |= {"boxes": ("torch.float32", n, *regions, 4), "confidence": ("torch.float32", n, *regions)}
    return holding


def seen_by(spec: FeatureSpec) -> str:
    """The name of a backbone and a hash of its weights: the cache's key, since other weights give other features.

    Raises:
        ItmError: the weights can neither be found nor downloaded.
    """
    if spec.kind in ("regions", "oracle"):
        return detector_folder().name if spec.backbone == "mini" else f"{_hashed(spec.backbone)}-{_hashed(BOXES_BY)}"
    if spec.backbone == "mini":
        return mini_folder().name
    if not weights_file(spec.backbone).exists():
        create_backbone(spec.backbone)  # downloads them
    return _hashed(spec.backbone)


class _Fitted(Sequence):
    """Images resized for a backbone, each when it is indexed."""

    def __init__(self, images: Sequence[Tensor], backbone: str):
        self.images, self.backbone = images, backbone

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Tensor:
        return fitted(self.images[i], self.backbone)


def _hashed(name: str) -> str:
    """A network's name and a hash (eight digits) of its file of weights."""
    return f"{name}-{_file_hash(weights_file(name))}"


@cache
def _file_hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:8]


@torch.no_grad()
def image_features(images: Sequence[Tensor], spec: FeatureSpec) -> Tensor:
    """Extracts the features of any images.

    Args:
        images: uint8 [3, H, W] each, of any size.
        spec: which features.

    Returns:
        float32 [n_images, dim] or [n_images, n_regions, dim]; pixels uint8 [n_images, 3, H, W], of one size.

    Raises:
        ItmError: only a split can have these features: "oracle" and published ones.
    """
    if spec.backbone == "precomputed":
        raise ItmError("the model reads the published features of its data set, so it cannot encode a new image")
    if spec.kind == "oracle":
        raise ItmError("the model reads true boxes, which are unknown for a new image: use 'regions' or 'grid'")
    if spec.kind == "regions":
        return region_features(_Fitted(images, spec.backbone), spec).features
    if spec.kind == "pixels" and isinstance(images, Tensor) and spec.backbone == "mini":
        return images  # memory-mapped, at the size at which the world was drawn
    if spec.kind == "pixels":
        return torch.stack([_resized(images[i], spec.backbone) for i in range(len(images))])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    backbone = load_mini() if spec.backbone == "mini" else create_backbone(spec.backbone).eval()
    backbone = backbone.to(device, memory_format=torch.channels_last)  # twice as fast on a CPU
    found = []
    for first in progress_bar(range(0, len(images), CHUNK[device]), "extracting features"):
        some = [fitted(images[i], spec.backbone) for i in range(first, min(first + CHUNK[device], len(images)))]
        batch = normalised(torch.stack(some).to(device), spec.backbone)
        grids = [backbone(batch.contiguous(memory_format=torch.channels_last))]  # [chunk, dim, h, w]
        if spec.kind.startswith("mirrored"):
            mirrored = batch.flip(-1).contiguous(memory_format=torch.channels_last)
            grids.append(backbone(mirrored).flip(-1))  # mirrored back, so that its cells match those of the first
        seen = sum(shaped(grid, spec.kind, backbone) for grid in grids) / len(grids)
        found.append(seen.float().cpu().contiguous())
    return torch.cat(found)


def _resized(image: Tensor, backbone: str) -> Tensor:
    return image if backbone == "mini" else fitted(image, backbone)


def fitted(image: Tensor, backbone: str) -> Tensor:
    """Resizes an image for a backbone.

    For torchvision's backbones the shorter side is resized and the central square cut out, as when their weights were
    trained. The mini backbone sees the whole image; one that is not square, such as a person's, is stretched.

    Args:
        image: uint8 [3, H, W]; an image that has the backbone's size already is returned unchanged.
        backbone: a name in ``BACKBONES``.

    Returns:
        uint8 [3, size, size].
    """
    from torchvision.transforms.functional import center_crop, resize

    about = BACKBONES[backbone]
    square = [about.image_size, about.image_size]
    if list(image.shape[1:]) == square:
        return image
    if backbone == "mini":
        return resize(image, square, antialias=True)
    return center_crop(resize(image, about.resized, antialias=True), about.image_size)
