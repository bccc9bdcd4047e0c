"""Visual features, computed once and cached: global, grid or regions, from the mini backbone or torchvision's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.names import SPLITS
from itm_tutorial.encoders.backbones import GRIDS, create_backbone, feature_dim, normalised, shaped
from itm_tutorial.encoders.fitting import fitted
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.regions import grid_boxes, oracle_chunks, region_chunks
from itm_tutorial.extraction.streaming import decoded_chunks, in_memory, on_disk
from itm_tutorial.extraction.versions import kept_folder
from itm_tutorial.models import FeatureSpec, features_of, provides
from itm_tutorial.pretraining.backbone import load_mini
from itm_tutorial.storage import prepare_folder, read_tensors

CHUNK = {"cpu": 8, "cuda": 128}  # images per batch; a CPU is twice as fast when layers fit its caches
FILE = "features.safetensors"  # in a cache folder


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
        float32 [n_images, dim] or [n_images, n_regions, dim]; pixels are uint8 [n_images, 3, H, W]. What comes from
        the cache is memory-mapped.

    Raises:
        ItmError: the data set has other published features, the split has no true boxes for "oracle", the backbone's
            weights cannot be had, or an image cannot be decoded.
    """
    if split.precomputed is not None or spec.backbone == "precomputed":
        return _published(split, spec)
    if spec.kind == "pixels" and _as_drawn(split.images, spec):
        return split.images
    return _all(split, spec)["features"]


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
    return _all(split, spec)["boxes"]


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
    return _all(split, spec)["confidence"]


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


def _all(split: Split, spec: FeatureSpec) -> dict[str, Tensor]:
    """The features of a split, and for regions their boxes and confidence; from the cache, which is filled if need be.

    Chunks go to the disk as they are computed, so that memory does not grow with the number of images.
    """
    if split.fingerprint is None:
        with free_cores():
            return in_memory(_chunks(split, spec), len(split.images))

    def build(part) -> None:
        with free_cores():
            on_disk(_chunks(split, spec), len(split.images), part / FILE)

    return read_tensors(prepare_folder(kept_folder(split.fingerprint, spec), build) / FILE, _holding(split, spec))


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


def _chunks(split: Split, spec: FeatureSpec) -> Iterator[dict[str, Tensor]]:
    """The same, chunk by chunk."""
    if provides(spec, "extract"):  # a model's own network, see ``NetworkFeatures``
        return _network_chunks(_Fitted(split.images, spec), spec)
    if spec.kind == "regions":
        return region_chunks(_Fitted(split.images, spec), spec)
    if spec.kind == "oracle":
        return oracle_chunks(replace(split, images=_Fitted(split.images, spec)), spec)
    if spec.kind == "pixels":
        return _pixel_chunks(split.images, spec)
    return _feature_chunks(split.images, spec)


class _Fitted(Sequence):
    """Images resized for the backbone of a ``FeatureSpec``, each when it is indexed."""

    def __init__(self, images: Sequence[Tensor], spec: FeatureSpec):
        self.images, self.spec = images, spec
        self.threads = getattr(images, "threads", False)  # whether several threads may index the images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Tensor:
        if provides(self.spec, "fitted"):
            return self.spec.fitted(self.images[i])
        return fitted(self.images[i], self.spec.backbone, self.spec.fit)


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
    if spec.kind == "pixels" and _as_drawn(images, spec):
        return images
    alone = Split("query", images, [], torch.empty(0, dtype=torch.int64))
    return _all(alone, spec)["features"]


def _as_drawn(images: Sequence[Tensor], spec: FeatureSpec) -> bool:
    """Whether the images are pixels as they are: memory-mapped, at the size at which the world was drawn."""
    return isinstance(images, Tensor) and spec.backbone == "mini"


def _pixel_chunks(images: Sequence[Tensor], spec: FeatureSpec) -> Iterator[dict[str, Tensor]]:
    """Pixels at the size of a backbone; the mini backbone takes images as they are, which must be of one size."""
    if spec.backbone != "mini":
        images = _Fitted(images, spec)
    elif sizes := {tuple(image.shape) for image in images} - {tuple(images[0].shape)}:
        raise ItmError(
            f"the images are {list(images[0].shape)} and {list(sizes.pop())}: the mini backbone reads the pixels of "
            'drawn worlds, of one size; for photographs create the model with backbone="mobilenet_v2"'
        )
    for pixels in decoded_chunks(images, CHUNK["cpu"], "reading pixels"):
        yield {"features": pixels}


def _network_chunks(images: Sequence[Tensor], spec: FeatureSpec) -> Iterator[dict[str, Tensor]]:
    """Features of a model's own network, which goes to a GPU for this and then back to where it was."""
    home = next(spec.network.parameters()).device
    device = "cuda" if home.type == "cuda" or (torch.cuda.is_available() and spec.kind != "pixels") else home.type
    try:
        spec.network.to(device)
        for pixels in decoded_chunks(images, CHUNK.get(device, CHUNK["cpu"]), "extracting features"):
            yield {"features": spec.extract(pixels)}
    finally:
        spec.network.to(home)


@torch.no_grad()  # as a decorator, torch turns gradients on again wherever the generator waits
def _feature_chunks(images: Sequence[Tensor], spec: FeatureSpec) -> Iterator[dict[str, Tensor]]:
    """Global and grid features."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    backbone = load_mini() if spec.backbone == "mini" else create_backbone(spec.backbone).eval()
    backbone = backbone.to(device, memory_format=torch.channels_last)  # twice as fast on a CPU
    for pixels in decoded_chunks(_Fitted(images, spec), CHUNK[device], "extracting features"):
        batch = normalised(pixels.to(device), spec.backbone)
        grids = [backbone(batch.contiguous(memory_format=torch.channels_last))]  # [chunk, dim, h, w]
        if spec.kind.startswith("mirrored"):
            mirrored = batch.flip(-1).contiguous(memory_format=torch.channels_last)
            grids.append(backbone(mirrored).flip(-1))  # mirrored back, so that its cells match those of the first
        seen = sum(shaped(grid, spec.kind, backbone) for grid in grids) / len(grids)
        yield {"features": seen.float().cpu().contiguous()}
