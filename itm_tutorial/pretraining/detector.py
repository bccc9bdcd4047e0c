"""Teaches the detector to find the things of a scene and to tell kind, colour and pattern of what it found."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

import itm_tutorial.encoders.detector as detectors
from itm_tutorial.data.loading import source_hash
from itm_tutorial.encoders.backbones import MiniBackbone, normalised
from itm_tutorial.encoders.detector import OVERLAP, Detector, best_boxes, cell_centres, overlaps
from itm_tutorial.pretraining.backbone import PATTERNS, load_mini, mini_folder
from itm_tutorial.storage import cache_dir, prepare_folder, read_tensors, write_json, write_tensors
from itm_tutorial.worlds.scenes.drawing import draw_scene
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.layout import sample_scene
from itm_tutorial.worlds.scenes.palette import COLOURS
from itm_tutorial.worlds.scenes.scene import Scene, boxes

SIDE = 128  # pixels of a scene, as in a corpus
N_TRAIN, N_HELD_OUT, EPOCHS, BATCH = 3_000, 500, 2, 32
VEILED = 0.05  # fraction of the pictures in which something covers part of a thing, as a corpus has it by default
N_PROPOSALS = 12  # of the detector's own boxes an image, which it learns to name beside the true ones
REACH = 1.5  # cells: how far from the middle of a thing a cell may stand that answers for it


def draw_labelled(n: int, rng: Random) -> tuple[Tensor, Tensor, Tensor]:
    """Draws scenes that are in no corpus, and says where everything in them is.

    Args:
        n: how many.
        rng: chooses everything.

    Returns:
        uint8 [n, 3, 128, 128]; boxes [n, n_most, 4] in [0, 1], zeros where there is no further thing; int64
        [n, n_most, 3]: kind, colour, pattern, -1 where there is no further thing.
    """
    images, where, what = [], [], []
    for _ in range(n):
        scene = sample_scene(rng)
        images.append(draw_scene(scene, SIDE, rng, veil=rng if rng.random() < VEILED else None))
        where.append(torch.tensor(boxes(scene)))
        what.append(torch.tensor(_labels(scene)))
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return pixels, pad_sequence(where, batch_first=True), pad_sequence(what, batch_first=True, padding_value=-1)


def _labels(scene: Scene) -> list[tuple[int, int, int]]:
    """Kind, colour and pattern of every individual, in the order of its boxes."""
    kinds, colours = list(KINDS), list(COLOURS)
    return [
        (kinds.index(thing.kind), colours.index(thing.colour), PATTERNS.index(thing.pattern))
        for thing in scene.things
        for _ in thing.spots
    ]


def new_detector(backbone: MiniBackbone) -> Detector:
    """An untrained detector for everything that scenes may hold."""
    return Detector(backbone, len(KINDS), len(COLOURS), len(PATTERNS))


@torch.inference_mode(False)  # features are computed without gradients, and ask for this on their first use
@torch.enable_grad()
def train_detector(seed: int = 0) -> tuple[Detector, dict[str, float]]:
    """Trains a detector, from the mini backbone's weights on.

    Args:
        seed: of pictures, new weights and order.

    Returns:
        The detector, in evaluation mode, and its figures on scenes it never saw: recall of the true boxes at an overlap
        of 0.5 within 12 regions, accuracy of kind and colour on the true boxes, seconds.
    """
    backbone = load_mini()
    start = time.perf_counter()
    images, true, labels = draw_labelled(N_TRAIN, Random(f"regions/{seed}/train"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        detector = new_detector(backbone).to(memory_format=torch.channels_last).train()
        steps = EPOCHS * (N_TRAIN // BATCH)
        optimizer = torch.optim.AdamW(detector.parameters(), 2e-3, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
        for _ in range(EPOCHS):
            for rows in torch.randperm(N_TRAIN)[: N_TRAIN // BATCH * BATCH].split(BATCH):
                loss = objective(detector, images[rows], true[rows], labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    figures = _held_out(detector.eval(), seed)
    return detector, {**figures, "seconds": round(time.perf_counter() - start, 1), "seed": seed}


def objective(detector: Detector, images: Tensor, true: Tensor, labels: Tensor) -> Tensor:
    """What training makes smaller: things missed, boxes beside their things, and wrong names.

    Args:
        detector: in training mode.
        images: uint8 [n, 3, 128, 128].
        true: [n, n_most, 4], the true boxes.
        labels: int64 [n, n_most, 3], what is in them.

    Returns:
        A scalar.
    """
    maps, proposed, logits = detector(_seen(images))
    owner = answering(cell_centres(maps), true, maps.shape[-1])  # [n, n_cells]
    found = owner >= 0
    missed = sigmoid_focal_loss(logits, found.float(), reduction="sum") / found.sum()
    own = true.take_along_dim(owner.clamp(min=0)[..., None], 1)  # [n, n_cells, 4]
    beside = generalized_box_iou_loss(proposed[found], own[found], reduction="mean")
    with torch.no_grad():
        chosen = best_boxes(proposed, logits.sigmoid(), N_PROPOSALS)  # [n, 12]
        regions = torch.cat([true, proposed.take_along_dim(chosen[..., None], 1)], 1)  # [n, n_most + 12, 4]
    return missed + beside + _naming(detector, maps, regions, true, labels)


def answering(centres: Tensor, true: Tensor, n_across: int) -> Tensor:
    """Which thing each cell answers for: one whose box it stands in, near the middle; of several, the smallest.

    Args:
        centres: [n_cells, 2], the middles of the cells.
        true: [n, n_most, 4]; boxes of zeros are nobody's.
        n_across: cells in a row.

    Returns:
        int64 [n, n_cells]: a place in the second dimension of ``true``, or -1.
    """
    middle = (true[..., :2] + true[..., 2:]) / 2
    half = (true[..., 2:] - true[..., :2]) / 2  # [n, n_most, 2]
    # a small thing may have no cell's middle in its box: the nearest one answers all the same
    reach = half.clamp(0.5 / n_across, REACH / n_across)
    near = ((centres - middle[:, :, None]).abs() <= reach[:, :, None]).all(-1)  # [n, n_most, n_cells]
    area = half.prod(-1, keepdim=True)  # [n, n_most, 1]
    smallest, owner = area.where(near & (area > 0), torch.inf).min(1)
    return owner.where(smallest < torch.inf, -1)


def _naming(detector: Detector, maps: Tensor, regions: Tensor, true: Tensor, labels: Tensor) -> Tensor:
    """Names what is in the regions: those with half of a true box have its names, the others hold nothing."""
    shared, whose = overlaps(regions, true).nan_to_num(-1).max(2)  # [n, n_regions]; no box at all has no overlap
    names = labels.take_along_dim(whose[..., None], 1)  # [n, n_regions, 3]
    kind, colour, pattern = names.where((shared >= OVERLAP)[..., None], -1).flatten(0, 1).unbind(1)
    region = detector.read(maps, regions).flatten(0, 1)
    real = (regions[..., 2] > regions[..., 0]).flatten()  # not padding
    nothing = detector.kind.out_features - 1
    loss = cross_entropy(detector.kind(region)[real], kind.where(kind >= 0, nothing)[real])
    loss = loss + cross_entropy(detector.colour(region), colour, ignore_index=-1)
    return loss + 0.5 * cross_entropy(detector.pattern(region), pattern, ignore_index=-1)


def _seen(images: Tensor) -> Tensor:
    return normalised(images, "mini").contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _held_out(detector: Detector, seed: int) -> dict[str, float]:
    images, true, labels = draw_labelled(N_HELD_OUT, Random(f"regions/{seed}/held out"))
    real = labels[..., 0] >= 0  # [n, n_most]
    covered, named = [], []
    for some, own in zip(images.split(BATCH), true.split(BATCH), strict=True):
        maps, found, _ = detector.propose(_seen(some), N_PROPOSALS)
        covered.append(overlaps(own, found).amax(2) >= OVERLAP)
        region = detector.read(maps, own)  # [n, n_most, 256]
        named.append(torch.stack([detector.kind(region).argmax(-1), detector.colour(region).argmax(-1)], -1))
    right = (torch.cat(named) == labels[..., :2])[real].float().mean(0)
    recall = torch.cat(covered)[real].float().mean()
    return {name: round(v.item(), 3) for name, v in zip(("recall", "kind", "colour"), (recall, *right), strict=True)}


def detector_folder(seed: int = 0) -> Path:
    """Where the trained detector is kept; a change in the backbone, in the network or here trains it anew."""
    key = source_hash(detectors, sys.modules[__name__])
    return cache_dir() / "detectors" / f"{mini_folder().name}-regions-seed{seed}-{key}"


def load_detector(seed: int = 0) -> Detector:
    """The trained detector, from the cache or trained now (about a minute on two cores, beside the backbone's own)."""

    def build(part: Path) -> None:
        detector, figures = train_detector(seed)
        write_tensors(part / "weights.safetensors", detector.state_dict())
        write_json(part / "figures.json", figures)

    folder = prepare_folder(detector_folder(seed), build)
    detector = new_detector(MiniBackbone())
    detector.load_state_dict(read_tensors(folder / "weights.safetensors"))
    return detector.eval()
