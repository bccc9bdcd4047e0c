"""Region features: the features of the boxes that a detector found, or of a drawn world's true boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from itm_tutorial.data.corpus import Split
from itm_tutorial.encoders.backbones import BACKBONES, create_backbone, normalised
from itm_tutorial.encoders.detector import OVERLAP, Detector, best_boxes, overlaps, read_boxes
from itm_tutorial.encoders.kept_weights import load_published
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.streaming import decoded_chunks, in_memory
from itm_tutorial.models import FeatureSpec
from itm_tutorial.pretraining.detector import load_detector

CHUNK = {"cpu": 8, "cuda": 128}  # images per batch; a CPU is twice as fast when layers fit its caches
N_REGIONS, N_PHOTO_REGIONS = 12, 36  # per drawn scene; per photograph, as in bottom-up attention
BOXES_BY = "fasterrcnn_mobilenet_v3_large_320_fpn"  # torchvision's smallest detector


class Regions(NamedTuple):
    """The regions of images, best first.

    Attributes:
        features: float32 [n_images, n_regions, dim]; they contain no coordinates.
        boxes: float32 [n_images, n_regions, 4] (x0, y0, x1, y1) in [0, 1].
        confidence: float32 [n_images, n_regions] in [0, 1], of the detector; 1 for a true box.
    """

    features: Tensor
    boxes: Tensor
    confidence: Tensor


class PhotoDetector(nn.Module):
    """A detector for photographs: boxes from torchvision's Faster R-CNN, features from the chosen backbone.

    Unlike in bottom-up attention, its features were not trained to recognise attributes; its weights are free to use.

    Args:
        backbone: a name in ``BACKBONES``.

    Raises:
        ItmError: the weights can neither be found nor downloaded.
    """

    def __init__(self, backbone: str):
        super().__init__()
        self.backbone, self.finder = create_backbone(backbone), create_box_detector()

    def propose(self, images: Tensor, n_regions: int = N_PHOTO_REGIONS) -> tuple[Tensor, Tensor, Tensor]:
        """Finds a fixed number of regions per image, best first.

        Args:
            images: [n, 3, H, W], normalised.
            n_regions: regions per image.

        Returns:
            The backbone's grid [n, dim, h, w]; boxes [n, n_regions, 4] in [0, 1]; scores [n, n_regions] in [0, 1].
            If the detector finds fewer, cells of a grid with score 0 fill the rest.
        """
        height, width = images.shape[2:]
        found = self.finder(list(images))
        boxes = pad_sequence([one["boxes"] for one in found], batch_first=True)  # [n, n_found, 4], in pixels
        scores = pad_sequence([one["scores"] for one in found], batch_first=True, padding_value=-2.0)  # [n, n_found]
        squares = grid_boxes(_square_above(n_regions)).to(boxes).expand(len(boxes), -1, 4)  # [n, n_squares, 4]
        boxes = torch.cat([boxes / boxes.new_tensor([width, height, width, height]), squares], 1)
        scores = torch.cat([scores, scores.new_zeros(squares.shape[:2])], 1)
        chosen = best_boxes(boxes, scores, n_regions)
        return self.backbone(images), boxes.take_along_dim(chosen[..., None], 1), scores.take_along_dim(chosen, 1)

    def read(self, maps: Tensor, boxes: Tensor) -> Tensor:
        """Averages a grid [n, dim, h, w] over boxes [n, n_regions, 4] -> features [n, n_regions, dim]."""
        return read_boxes(maps, boxes, window=3).mean((2, 3)).unflatten(0, boxes.shape[:2])


def create_box_detector() -> nn.Module:
    """Loads torchvision's Faster R-CNN, which finds the boxes of photographs; images are normalised for the backbone.

    Raises:
        ItmError: its weights can neither be found nor downloaded, or the file holds something else.
    """
    from torchvision.models import detection

    # images are normalised for the backbone already, exactly as this detector would normalise them
    network = getattr(detection, BOXES_BY)(
        weights=None, weights_backbone=None, image_mean=[0.0, 0.0, 0.0], image_std=[1.0, 1.0, 1.0]
    )
    grid = 'features="grid", on the command line --option features=grid'
    load_published(network, BOXES_BY, f"or take grid features, which need no detector: {grid}")
    return network


def region_features(images: Sequence[Tensor], spec: FeatureSpec) -> Regions:
    """Detects the regions of images and extracts their features, as in bottom-up attention (Anderson et al., 2018).

    Args:
        images: uint8 [3, size, size] each, resized for the backbone of ``spec``.
        spec: its backbone decides: "mini" uses the detector of drawn scenes, 12 regions; the others use
            ``PhotoDetector``, 36 regions.

    Returns:
        Features, boxes and confidence, best first.

    Raises:
        ItmError: an image has another size, or the weights cannot be had.
    """
    with free_cores():
        return Regions(**in_memory(region_chunks(images, spec), len(images)))


def region_chunks(images: Sequence[Tensor], spec: FeatureSpec) -> Iterator[dict[str, Tensor]]:
    """The fields of ``region_features``, chunk by chunk."""
    return _extract(images, None, spec)


def oracle_features(split: Split, spec: FeatureSpec) -> Regions:
    """Extracts the features of the true boxes of drawn scenes, as if the detector had found everything.

    Args:
        split: of a drawn world, with images resized for the backbone of ``spec``.
        spec: as for ``region_features``.

    Returns:
        Features, boxes and confidence. An image's true boxes come first, in their order, so that region j is box j of
        ``split.boxes`` (those beyond n_regions are left out). The detector's best boxes that match no true box come
        next, and those that match one come last.

    Raises:
        ItmError: the split has no boxes, an image has another size, or the weights cannot be had.
    """
    with free_cores():
        return Regions(**in_memory(oracle_chunks(split, spec), len(split.images)))


def oracle_chunks(split: Split, spec: FeatureSpec) -> Iterator[dict[str, Tensor]]:
    """The fields of ``oracle_features``, chunk by chunk.

    Raises:
        ItmError: the split has no boxes.
    """
    if split.boxes is None:
        raise ItmError(
            f'{split.name}: kind="oracle" reads true boxes, and photographs have none; use kind="regions" or "grid"'
        )
    return _extract(split.images, split.boxes, spec)


@torch.no_grad()  # as a decorator, torch turns gradients on again wherever the generator waits
def _extract(images: Sequence[Tensor], true: list[Tensor] | None, spec: FeatureSpec) -> Iterator[dict[str, Tensor]]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    detector = _detector(spec.backbone).to(device, memory_format=torch.channels_last)
    done = 0
    for pixels in decoded_chunks(_Checked(images, spec.backbone), CHUNK[device], "extracting regions"):
        seen = normalised(pixels.to(device), spec.backbone)
        maps, found, scores = detector.propose(seen.contiguous(memory_format=torch.channels_last))
        if true is not None:
            own = [boxes.to(device) for boxes in true[done : done + len(pixels)]]
            found, scores = true_first(own, found, scores)
        features = detector.read(maps, found)
        yield Regions(*(part.float().cpu() for part in (features, found, scores)))._asdict()
        done += len(pixels)


def _detector(backbone: str) -> Detector | PhotoDetector:
    return load_detector() if backbone == "mini" else PhotoDetector(backbone).eval()


class _Checked(Sequence):
    """Images that must have the size of a backbone."""

    def __init__(self, images: Sequence[Tensor], backbone: str):
        self.images, self.backbone, self.size = images, backbone, BACKBONES[backbone].image_size
        self.threads = getattr(images, "threads", False)  # whether several threads may index the images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Tensor:
        image, size = self.images[i], self.size
        if tuple(image.shape) != (3, size, size):
            raise ItmError(
                f"image {i} is {list(image.shape)} for {self.backbone}: resize it to [3, {size}, {size}] first"
            )
        return image


def true_first(true: list[Tensor], found: Tensor, confidence: Tensor) -> tuple[Tensor, Tensor]:
    """Puts true boxes before detected ones, and detected ones that match a true box last.

    Args:
        true: per image, [n_true, 4].
        found: [n, n_regions, 4], best first.
        confidence: [n, n_regions], of the detected boxes.

    Returns:
        Boxes [n, n_regions, 4]: at most n_regions true boxes in their order, then detected ones in their order; and
        their confidence [n, n_regions], 1 for true boxes.
    """
    padded = pad_sequence(true, batch_first=True)  # [n, n_most, 4]
    real = pad_sequence([one.new_ones(len(one)) for one in true], batch_first=True) > 0  # [n, n_most]
    again = (overlaps(found, padded) >= OVERLAP).any(2)  # [n, n_regions]; a padded box overlaps nothing
    turn = torch.cat([torch.where(real, 0, 3), torch.where(again, 2, 1)], 1)  # [n, n_most + n_regions]
    order = turn.argsort(dim=1, stable=True)[:, : found.shape[1]]
    boxes = torch.cat([padded, found], 1).take_along_dim(order[..., None], 1)
    return boxes, torch.cat([real.to(confidence), confidence], 1).take_along_dim(order, 1)


def grid_boxes(n_cells: int) -> Tensor:
    """The boxes of the cells of a grid, in the order of grid features: row by row from the top left.

    Args:
        n_cells: a square number.

    Returns:
        float32 [n_cells, 4] (x0, y0, x1, y1) in [0, 1].

    Raises:
        ItmError: ``n_cells`` is not a square number.
    """
    side = isqrt(max(0, n_cells))
    if side < 1 or side**2 != n_cells:
        raise ItmError(f"grid_boxes: {n_cells} cells make no square grid; give a square number, such as 49 or 64")
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    corner = torch.stack([x, y], -1).flatten(0, 1)  # [n_cells, 2]
    return torch.cat([corner, corner + 1], 1) / side


def _square_above(n: int) -> int:
    """The smallest square number that is not below n."""
    return (isqrt(n - 1) + 1) ** 2
