"""Bottom-up attention in miniature: where things are, what they are and what they look like, and a vector of each."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.ops import batched_nms, box_iou, roi_align

from itm_tutorial.encoders.backbones import MiniBackbone
from itm_tutorial.errors import ItmError

OVERLAP = 0.5  # intersection over union above which two boxes are taken for one thing
STRIDE = 8  # pixels a cell: at the backbone's own 16, a bird or a ball would share its cell with its neighbour
WINDOW = 4  # samples a side that are read from a box


class Detector(nn.Module):
    """Finds things in an image and describes each by the vector from which its kind, colour and pattern are predicted.

    Bottom-up attention (Anderson et al., 2018) is a Faster R-CNN whose class head has an attribute head beside it; the
    vector that both read is the region feature. Here the proposals come from one look at each cell of a fine grid, with
    distances to the four sides of the box in place of anchors (FCOS, Tian et al., 2019), and are not refined again.

    A region feature holds what stands in the box and some of its surroundings, but no coordinates.

    Args:
        backbone: the mini backbone; it is trained on with the detector.
        n_kinds, n_colours, n_patterns: how many classes, and values of the two attributes, there are to tell.
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
        """Looks once: a box is proposed at every cell.

        Args:
            images: [n, 3, H, W], normalised; H and W divisible by 16.

        Returns:
            Maps [n, 128, H / 8, W / 8] to read regions from; boxes [n, n_cells, 4] (x0, y0, x1, y1) in [0, 1]; logits
            [n, n_cells] of there being a thing.
        """
        fine = self.fine(images)  # [n, 96, H / 8, W / 8]
        coarse = interpolate(self.from_coarse(self.coarse(fine)), scale_factor=2)  # what it is, from further around
        maps = self.neck(self.from_fine(fine) + coarse)
        proposed = self.proposer(maps)
        sides = self.sides(proposed).flatten(2).transpose(1, 2)  # [n, n_cells, 4]
        return maps, boxes_from_sides(sides, maps), self.objectness(proposed).flatten(1)

    def propose(self, images: Tensor, n_regions: int = 12) -> tuple[Tensor, Tensor, Tensor]:
        """Finds always the same number of regions, best first.

        Args:
            images: [n, 3, H, W], normalised; H and W divisible by 16.
            n_regions: how many an image.

        Returns:
            Maps [n, 128, H / 8, W / 8] to read regions from, boxes [n, n_regions, 4] and scores [n, n_regions], as
            ``detect`` gives them.

        Raises:
            ItmError: more regions are asked for than the image has cells.
        """
        maps, boxes, logits = self(images)
        scores = logits.sigmoid()
        chosen = best_boxes(boxes, scores, n_regions)  # [n, n_regions]
        return maps, boxes.take_along_dim(chosen[..., None], 1), scores.take_along_dim(chosen, 1)

    def read(self, maps: Tensor, boxes: Tensor) -> Tensor:
        """Describes what stands in given boxes.

        Args:
            maps: [n, 128, h, w], from ``forward``.
            boxes: [n, n_regions, 4] in [0, 1].

        Returns:
            Region features [n, n_regions, dim], which the heads for kind, colour and pattern take as they are.
        """
        return self.region(read_boxes(maps, boxes, WINDOW)).unflatten(0, boxes.shape[:2])

    def detect(self, images: Tensor, n_regions: int = 12) -> tuple[Tensor, Tensor, Tensor]:
        """Finds and describes always the same number of regions, best first.

        Args:
            images: [n, 3, H, W], normalised; H and W divisible by 16.
            n_regions: how many an image. Where fewer things are there, the last regions hold parts, pairs or nothing.

        Returns:
            Features [n, n_regions, dim], boxes [n, n_regions, 4] (x0, y0, x1, y1) in [0, 1], and scores [n, n_regions]
            in [0, 1]. Boxes that survive non-maximum suppression stand first, by score, then the best of the others.

        Raises:
            ItmError: more regions are asked for than the image has cells.
        """
        maps, boxes, scores = self.propose(images, n_regions)
        return self.read(maps, boxes), boxes, scores


def cell_centres(maps: Tensor) -> Tensor:
    """The middles (x, y) in [0, 1] of the cells of maps [n, dim, h, w], row by row: [h * w, 2]."""
    h, w = maps.shape[2:]
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    centres = torch.stack([(x + 0.5) / w, (y + 0.5) / h], -1)  # [h, w, 2]
    return centres.flatten(0, 1).to(maps.device)


def boxes_from_sides(sides: Tensor, maps: Tensor) -> Tensor:
    """How far each side of a box is from its cell's middle, as the logarithm of cells -> the box.

    Args:
        sides: [n, h * w, 4]: left, top, right, bottom.
        maps: [n, dim, h, w]; only its size counts.

    Returns:
        [n, h * w, 4] (x0, y0, x1, y1) in [0, 1], cut off at the edge of the image; every area is positive.
    """
    h, w = maps.shape[2:]
    # an eighth of a cell to all of a row: a box can neither vanish nor overflow, whatever the weights
    away = sides.clamp(-2.1, 3.5).exp() / sides.new_tensor([w, h, w, h])
    centres = cell_centres(maps)  # [h * w, 2]
    return torch.cat([centres - away[..., :2], centres + away[..., 2:]], -1).clamp(0, 1)


def best_boxes(boxes: Tensor, scores: Tensor, n_regions: int) -> Tensor:
    """Chooses the best boxes of every image that are not the same thing twice, then the best of the others.

    Args:
        boxes: [n, n_boxes, 4].
        scores: [n, n_boxes], in [0, 1].
        n_regions: how many to choose an image.

    Returns:
        int64 [n, n_regions]: places in the second dimension of ``boxes``.

    Raises:
        ItmError: there are fewer boxes than that.
    """
    n, n_boxes = scores.shape
    if n_regions > n_boxes:
        raise ItmError(f"{n_regions} regions are asked of {n_boxes} boxes: ask for fewer, or give larger images")
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
    across = box_iou(a.flatten(0, 1), b.flatten(0, 1)).view(shape)  # between images too, which nobody wants
    return across.diagonal(dim1=0, dim2=2).permute(2, 0, 1)


def _block(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
