"""A small detector for bottom-up attention: boxes, kinds, colours and patterns of things, and one vector per box."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.ops import batched_nms, box_iou, roi_align

from itm_tutorial.encoders.backbones import MiniBackbone
from itm_tutorial.errors import ItmError

OVERLAP = 0.5  # intersection over union from which two boxes count as the same thing
STRIDE = 8  # pixels per cell: with the backbone's own 16, a bird or a ball would be in one cell with its neighbour
WINDOW = 4  # samples per side of a box


class Detector(nn.Module):
    """Detects things; the vector from which a thing's kind, colour and pattern are predicted is its region feature.

    Bottom-up attention (Anderson et al., 2018) is a Faster R-CNN with an attribute head beside the class head; the
    input of both heads is the region feature. Here each cell of a fine grid proposes one box by the distances to its
    four sides, without anchors (FCOS, Tian et al., 2019), and boxes are not refined again.

    A region feature describes the content of the box and some of its surroundings, but contains no coordinates.

    Args:
        backbone: the mini backbone; it is trained further with the detector.
        n_kinds, n_colours, n_patterns: numbers of classes, and of values of the two attributes.
        dim: numbers per region.
    """

    def __init__(self, backbone: MiniBackbone, n_kinds: int, n_colours: int, n_patterns: int, dim: int = 256):
        super().__init__()
        self.fine, self.coarse = backbone.layers[:3], backbone.layers[3:]  # up to stride 8, from there to 16
        self.from_fine, self.from_coarse = nn.Conv2d(96, 128, 1), nn.Conv2d(256, 128, 1)
        self.neck, self.proposer = _block(128), _block(128)
        self.objectness, self.sides = nn.Conv2d(128, 1, 1), nn.Conv2d(128, 4, 1)
        self.region = nn.Sequential(nn.Flatten(), nn.Linear(128 * WINDOW**2, dim), nn.ReLU())
        self.kind = nn.Linear(dim, n_kinds + 1)  # the last is "nothing"
        self.colour, self.pattern = nn.Linear(dim, n_colours), nn.Linear(dim, n_patterns)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Proposes one box per cell.

        Args:
            images: [n, 3, H, W], normalised; H and W divisible by 16.

        Returns:
            Maps [n, 128, H / 8, W / 8] to read regions from; boxes [n, n_cells, 4] (x0, y0, x1, y1) in [0, 1];
            objectness logits [n, n_cells].
        """
        fine = self.fine(images)  # [n, 96, H / 8, W / 8]
        coarse = interpolate(self.from_coarse(self.coarse(fine)), scale_factor=2)  # a larger receptive field
        maps = self.neck(self.from_fine(fine) + coarse)
        proposed = self.proposer(maps)
        sides = self.sides(proposed).flatten(2).transpose(1, 2)  # [n, n_cells, 4]
        return maps, boxes_from_sides(sides, maps), self.objectness(proposed).flatten(1)

    def propose(self, images: Tensor, n_regions: int = 12) -> tuple[Tensor, Tensor, Tensor]:
        """Proposes a fixed number of regions per image, best first.

        Args:
            images: [n, 3, H, W], normalised; H and W divisible by 16.
            n_regions: regions per image.

        Returns:
            Maps [n, 128, H / 8, W / 8] to read regions from, boxes [n, n_regions, 4] and scores [n, n_regions], as
            from ``detect``.

        Raises:
            ItmError: ``n_regions`` exceeds the number of cells.
        """
        maps, boxes, logits = self(images)
        scores = logits.sigmoid()
        chosen = best_boxes(boxes, scores, n_regions)  # [n, n_regions]
        return maps, boxes.take_along_dim(chosen[..., None], 1), scores.take_along_dim(chosen, 1)

    def read(self, maps: Tensor, boxes: Tensor) -> Tensor:
        """Computes the region features of given boxes.

        Args:
            maps: [n, 128, h, w], from ``forward``.
            boxes: [n, n_regions, 4] in [0, 1].

        Returns:
            Region features [n, n_regions, dim], the input of the heads for kind, colour and pattern.
        """
        return self.region(read_boxes(maps, boxes, WINDOW)).unflatten(0, boxes.shape[:2])

    def detect(self, images: Tensor, n_regions: int = 12) -> tuple[Tensor, Tensor, Tensor]:
        """Detects a fixed number of regions per image and computes their features, best first.

        Args:
            images: [n, 3, H, W], normalised; H and W divisible by 16.
            n_regions: regions per image. If there are fewer things, the last regions show parts, pairs or nothing.

        Returns:
            Features [n, n_regions, dim], boxes [n, n_regions, 4] (x0, y0, x1, y1) in [0, 1], and scores [n, n_regions]
            in [0, 1]. Boxes that survive non-maximum suppression come first, by score, then the best of the others.

        Raises:
            ItmError: ``n_regions`` exceeds the number of cells.
        """
        maps, boxes, scores = self.propose(images, n_regions)
        return self.read(maps, boxes), boxes, scores


def cell_centres(maps: Tensor) -> Tensor:
    """The centres (x, y) in [0, 1] of the cells of maps [n, dim, h, w], row by row: [h * w, 2]."""
    h, w = maps.shape[2:]
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    centres = torch.stack([(x + 0.5) / w, (y + 0.5) / h], -1)  # [h, w, 2]
    return centres.flatten(0, 1).to(maps.device)


def boxes_from_sides(sides: Tensor, maps: Tensor) -> Tensor:
    """Computes boxes from the distances of their sides to the centres of the cells.

    Args:
        sides: [n, h * w, 4]: logarithms of the distances in cells: left, top, right, bottom.
        maps: [n, dim, h, w]; only its size counts.

    Returns:
        [n, h * w, 4] (x0, y0, x1, y1) in [0, 1], clipped at the edge of the image; every area is positive.
    """
    h, w = maps.shape[2:]
    # from an eighth of a cell to a whole row: a box can neither vanish nor overflow, whatever the weights
    distances = sides.clamp(-2.1, 3.5).exp() / sides.new_tensor([w, h, w, h])
    centres = cell_centres(maps)  # [h * w, 2]
    return torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], -1).clamp(0, 1)


def best_boxes(boxes: Tensor, scores: Tensor, n_regions: int) -> Tensor:
    """Chooses the best boxes of each image by non-maximum suppression, then the best of the suppressed ones.

    Args:
        boxes: [n, n_boxes, 4].
        scores: [n, n_boxes], in [0, 1].
        n_regions: boxes to choose per image.

    Returns:
        int64 [n, n_regions]: indices into the second dimension of ``boxes``.

    Raises:
        ItmError: there are fewer boxes than ``n_regions``.
    """
    n, n_boxes = scores.shape
    if n_regions > n_boxes:
        raise ItmError(f"{n_regions} regions of {n_boxes} boxes: give a smaller n_regions, or larger images")
    image = torch.arange(n, device=boxes.device).repeat_interleave(n_boxes)
    survivors = batched_nms(boxes.flatten(0, 1), scores.flatten(), image, OVERLAP)
    rank = scores.flatten().index_add(0, survivors, scores.new_ones(len(survivors)))  # survivors above all others
    return rank.view(n, n_boxes).argsort(dim=1, descending=True, stable=True)[:, :n_regions]


def read_boxes(maps: Tensor, boxes: Tensor, window: int) -> Tensor:
    """Maps [n, dim, h, w] and boxes [n, n_regions, 4] in [0, 1] -> [n * n_regions, dim, window, window]."""
    h, w = maps.shape[2:]
    return roi_align(maps, list(boxes * boxes.new_tensor([w, h, w, h])), window, aligned=True)


def overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union within each image: boxes [n, n_a, 4] and [n, n_b, 4] -> [n, n_a, n_b]."""
    shape = (len(a), a.shape[1], len(b), b.shape[1])
    across = box_iou(a.flatten(0, 1), b.flatten(0, 1)).view(
        shape
    )  # also between different images; only the diagonal is used
    return across.diagonal(dim1=0, dim2=2).permute(2, 0, 1)


def _block(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
