"""Visual features, computed once and kept: global, grid or regions, from the mini backbone or torchvision's."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from itm_tutorial.data.corpus import SPLITS, Corpus, Split
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

CHUNK = {"cpu": 8, "cuda": 128}  # images seen at a time; a CPU is twice as fast when layers fit its caches

ALSO = {"regions": "-confidence", "oracle": "-confidence"}  # in a folder's name: what it holds beside older ones


@dataclass(frozen=True)
class Features:
    """The features of a corpus; a split's are computed when they are first asked for.

    ``features.train`` and so on, a name a split, are float32 [n_images, dim], or [n_images, n_regions, dim] for regions
    and the cells of a grid. ``features.boxes.train`` says where these are: float32 [n_images, n_regions, 4].
    """

    corpus: Corpus
    spec: FeatureSpec
    read: Callable[[Split, FeatureSpec], Tensor] = field(repr=False)
    _kept: dict[str, Tensor] = field(default_factory=dict, repr=False)

    @property
    def boxes(self) -> Features:
        """Where each region or cell is, (x0, y0, x1, y1) in [0, 1] of the picture as the backbone sees it."""
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
        kind: "global", one vector an image; "grid", one a cell; "mirrored" and "mirrored_grid", the means of these and
            of the mirror image's; "regions", one a box that a detector found, 12 an image; "oracle", one a box that
            the drawn world knows, 12 too. See ``FeatureSpec``.
        backbone: a name in ``encoders.backbones.BACKBONES``; by default "mini" for drawn worlds and "mobilenet_v2"
            for photographs.

    Returns:
        The features, computed when asked for and kept in the cache; those that a data set brings are read as they are.

    Raises:
        ItmError: unknown kind or backbone, or weights that cannot be had.
    """
    spec = features_of(corpus, kind, backbone)
    feature_dim(spec)  # refuses an unknown kind or backbone now
    return Features(corpus, spec, split_features)


def split_features(split: Split, spec: FeatureSpec) -> Tensor:
    """The features of a split: from the cache where the split has a fingerprint.

    Args:
        split: its images are decoded only when the cache does not have them.
        spec: which features.

    Returns:
        float32 [n_images, dim] or [n_images, n_regions, dim]; pixels are uint8 [n_images, 3, H, W], and not kept again.

    Raises:
        ItmError: the data set brings other features than these, or the split has no true boxes for "oracle".
    """
    if split.precomputed is not None or spec.backbone == "precomputed":
        return _brought(split, spec)
    if split.fingerprint is None or spec.kind == "pixels":
        return _compute(split, spec)["features"]
    return _kept(split, spec)["features"]


def split_boxes(split: Split, spec: FeatureSpec) -> Tensor:
    """Where the regions of a split are.

    Args:
        split: of any corpus with pictures.
        spec: "regions", "oracle", "grid" or "mirrored_grid".

    Returns:
        float32 [n_images, n_regions, 4] (x0, y0, x1, y1), in [0, 1] of the picture as the backbone sees it.

    Raises:
        ItmError: the features have no boxes.
    """
    if spec.backbone == "precomputed" or spec.kind not in (*GRIDS, "regions", "oracle"):
        raise ItmError(f"{spec.kind} features ({spec.backbone}) come without boxes: take 'regions', 'oracle' or 'grid'")
    if spec.kind in GRIDS:
        cells = grid_boxes(split_features(split, spec).shape[1])
        return cells.expand(len(split.images), -1, -1)
    return (_compute(split, spec) if split.fingerprint is None else _kept(split, spec))["boxes"]


def split_confidence(split: Split, spec: FeatureSpec) -> Tensor:
    """How sure the detector was of each region of a split.

    Args:
        split: of any corpus with pictures.
        spec: "regions" or "oracle"; the cells of a grid are all there, and have confidence 1.

    Returns:
        float32 [n_images, n_regions] in [0, 1].

    Raises:
        ItmError: the features have no boxes.
    """
    if spec.kind not in ("regions", "oracle") or spec.backbone == "precomputed":
        return split_boxes(split, spec)[..., 0] * 0 + 1
    return (_compute(split, spec) if split.fingerprint is None else _kept(split, spec))["confidence"]


def _brought(split: Split, spec: FeatureSpec) -> Tensor:
    """The features that a data set brings, where they lie: memory-mapped, and never copied whole."""
    array = split.precomputed
    if array is None or array.shape[-1] != spec.dim:
        what = "pictures" if array is None else f"features of {array.shape[-1]} numbers"
        raise ItmError(
            f"{split.name}: the model reads {spec.dim} numbers per region from its data set; here are {what}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch warns of memory that cannot be written; nobody writes
        return torch.from_numpy(array)


def _compute(split: Split, spec: FeatureSpec) -> dict[str, Tensor]:
    """The features of a split; of regions the boxes and the confidence too."""
    if spec.kind == "regions":
        return region_features(_Fitted(split.images, spec.backbone), spec)._asdict()
    if spec.kind == "oracle":
        return oracle_features(replace(split, images=_Fitted(split.images, spec.backbone)), spec)._asdict()
    return {"features": image_features(split.images, spec)}


def _kept(split: Split, spec: FeatureSpec) -> dict[str, Tensor]:
    """What ``_compute`` gives, from the cache; computed now if it is not there yet."""
    folder = (
        cache_dir()
        / "features"
        / split.fingerprint.replace("/", "-")
        / f"{spec.kind}-{seen_by(spec)}{ALSO.get(spec.kind, '')}"
    )

    def build(part) -> None:
        write_tensors(part / "features.safetensors", _compute(split, spec))

    return read_tensors(prepare_folder(folder, build) / "features.safetensors")


def seen_by(spec: FeatureSpec) -> str:
    """A backbone's name with eight digits of its weights: features seen through others are others.

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
    """Images as a backbone sees them, each brought to its size when it is asked for."""

    def __init__(self, images: Sequence[Tensor], backbone: str):
        self.images, self.backbone = images, backbone

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Tensor:
        return fitted(self.images[i], self.backbone)


def _hashed(name: str) -> str:
    """A network's name with eight digits of its weights' file."""
    return f"{name}-{_file_hash(weights_file(name))}"


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
        float32 [n_images, dim] or [n_images, n_regions, dim]; pixels uint8 [n_images, 3, H, W], of one size.

    Raises:
        ItmError: features that only a split can have, "oracle" and those that a data set brings.
    """
    if spec.backbone == "precomputed":
        raise ItmError("the model reads features that its data set brings: a picture of its own cannot be asked for")
    if spec.kind == "oracle":
        raise ItmError("the model reads true boxes, and of a new picture nobody knows them: take 'regions' or 'grid'")
    if spec.kind == "regions":
        return region_features(_Fitted(images, spec.backbone), spec).features
    if spec.kind == "pixels" and isinstance(images, Tensor) and spec.backbone == "mini":
        return images  # memory-mapped, and at whatever size the world was drawn
    if spec.kind == "pixels":
        return torch.stack([_as_seen(images[i], spec.backbone) for i in range(len(images))])
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
            grids.append(backbone(mirrored).flip(-1))  # turned back: its cells lie on those of the first
        seen = sum(shaped(grid, spec.kind, backbone) for grid in grids) / len(grids)
        found.append(seen.float().cpu().contiguous())
    return torch.cat(found)


def _as_seen(image: Tensor, backbone: str) -> Tensor:
    return image if backbone == "mini" else fitted(image, backbone)


def fitted(image: Tensor, backbone: str) -> Tensor:
    """Brings an image to the backbone's size.

    For torchvision's backbones the shorter side is resized and the middle square cut out, as for their weights. The
    mini backbone sees all of a picture: one that is no square, such as a person's, is stretched to one.

    Args:
        image: uint8 [3, H, W]; one that has the backbone's size already is taken as it is.
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
