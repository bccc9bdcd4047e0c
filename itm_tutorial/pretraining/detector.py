"""Pretrains the detector: it learns to find the things of a scene and to classify kind, colour and pattern."""

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
from itm_tutorial.encoders.kept_weights import load_kept
from itm_tutorial.pretraining.backbone import PATTERNS, load_mini, mini_folder
from itm_tutorial.storage import cache_dir, prepare_folder, write_json, write_tensors
from itm_tutorial.worlds.scenes.drawing import draw_scene
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.layout import sample_scene
from itm_tutorial.worlds.scenes.palette import COLOURS
from itm_tutorial.worlds.scenes.scene import Scene, boxes

SIDE = 128  # pixels of a scene, as in a corpus
N_TRAIN, N_HELD_OUT, EPOCHS, BATCH = 3_000, 500, 2, 32
VEILED = 0.05  # fraction of images in which something covers part of a thing, as by default in a corpus
N_PROPOSALS = 12  # per image: boxes of the detector itself that it learns to classify, besides the true ones
REACH = 1.5  # cells: the largest distance between the centre of a thing and a cell that predicts it


def draw_labelled(n: int, rng: Random) -> tuple[Tensor, Tensor, Tensor]:
    """Draws scenes that are in no corpus, with the boxes and labels of all things.

    Args:
        n: number of scenes.
        rng: the source of all random choices.

    Returns:
        uint8 [n, 3, 128, 128]; boxes [n, n_most, 4] in [0, 1], padded with zeros; int64 [n, n_most, 3]: kind, colour,
        pattern, padded with -1.
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
    """Makes an untrained detector for all kinds, colours and patterns of scenes."""
    return Detector(backbone, len(KINDS), len(COLOURS), len(PATTERNS))


@torch.inference_mode(False)  # it may be called first from code that runs without gradients
@torch.enable_grad()
def train_detector(seed: int = 0) -> tuple[Detector, dict[str, float]]:
    """Trains a detector that starts with the mini backbone's weights.

    Args:
        seed: of images, new weights and order.

    Returns:
        The detector, in evaluation mode, and its metrics on new scenes: recall of the true boxes at an overlap of
        0.5 within 12 regions, accuracy of kind and colour on the true boxes, seconds.
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
    metrics = _held_out(detector.eval(), seed)
    return detector, {**metrics, "seconds": round(time.perf_counter() - start, 1), "seed": seed}


def objective(detector: Detector, images: Tensor, true: Tensor, labels: Tensor) -> Tensor:
    """The training loss: objectness, boxes, and the classification of regions.

    Args:
        detector: in training mode.
        images: uint8 [n, 3, 128, 128].
        true: [n, n_most, 4], the true boxes.
        labels: int64 [n, n_most, 3], their kinds, colours and patterns.

    Returns:
        A scalar.
    """
    maps, proposed, logits = detector(_normalised(images))
    owner = assign_cells(cell_centres(maps), true, maps.shape[-1])  # [n, n_cells]
    positive = owner >= 0
    objectness = sigmoid_focal_loss(logits, positive.float(), reduction="sum") / positive.sum()
    own = true.take_along_dim(owner.clamp(min=0)[..., None], 1)  # [n, n_cells, 4]
    box_loss = generalized_box_iou_loss(proposed[positive], own[positive], reduction="mean")
    with torch.no_grad():
        chosen = best_boxes(proposed, logits.sigmoid(), N_PROPOSALS)  # [n, 12]
        regions = torch.cat([true, proposed.take_along_dim(chosen[..., None], 1)], 1)  # [n, n_most + 12, 4]
    return objectness + box_loss + _classification(detector, maps, regions, true, labels)


def assign_cells(centres: Tensor, true: Tensor, n_across: int) -> Tensor:
    """Assigns to each cell the thing that it predicts: one whose centre is near; of several, the smallest.

    Args:
        centres: [n_cells, 2], the centres of the cells.
        true: [n, n_most, 4]; boxes of zeros are padding.
        n_across: cells per row.

    Returns:
        int64 [n, n_cells]: an index into the second dimension of ``true``, or -1.
    """
    middle = (true[..., :2] + true[..., 2:]) / 2
    half = (true[..., 2:] - true[..., :2]) / 2  # [n, n_most, 2]
    # the box of a small thing may contain no cell's centre: the nearest cell is assigned to it all the same
    reach = half.clamp(0.5 / n_across, REACH / n_across)
    near = ((centres - middle[:, :, None]).abs() <= reach[:, :, None]).all(-1)  # [n, n_most, n_cells]
    area = half.prod(-1, keepdim=True)  # [n, n_most, 1]
    smallest, owner = area.where(near & (area > 0), torch.inf).min(1)
    return owner.where(smallest < torch.inf, -1)


def _classification(detector: Detector, maps: Tensor, regions: Tensor, true: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropies of regions: those that match a true box have its labels, the others are "nothing"."""
    overlap, match = overlaps(regions, true).nan_to_num(-1).max(2)  # [n, n_regions]; -1 for padding
    targets = labels.take_along_dim(match[..., None], 1)  # [n, n_regions, 3]
    kind, colour, pattern = targets.where((overlap >= OVERLAP)[..., None], -1).flatten(0, 1).unbind(1)
    region = detector.read(maps, regions).flatten(0, 1)
    real = (regions[..., 2] > regions[..., 0]).flatten()  # not padding
    nothing = detector.kind.out_features - 1
    loss = cross_entropy(detector.kind(region)[real], kind.where(kind >= 0, nothing)[real])
    loss = loss + cross_entropy(detector.colour(region), colour, ignore_index=-1)
    return loss + 0.5 * cross_entropy(detector.pattern(region), pattern, ignore_index=-1)


def _normalised(images: Tensor) -> Tensor:
    return normalised(images, "mini").contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _held_out(detector: Detector, seed: int) -> dict[str, float]:
    images, true, labels = draw_labelled(N_HELD_OUT, Random(f"regions/{seed}/held out"))
    real = labels[..., 0] >= 0  # [n, n_most]
    covered, predicted = [], []
    for some, own in zip(images.split(BATCH), true.split(BATCH), strict=True):
        maps, found, _ = detector.propose(_normalised(some), N_PROPOSALS)
        covered.append(overlaps(own, found).amax(2) >= OVERLAP)
        region = detector.read(maps, own)  # [n, n_most, 256]
        predicted.append(torch.stack([detector.kind(region).argmax(-1), detector.colour(region).argmax(-1)], -1))
    accuracy = (torch.cat(predicted) == labels[..., :2])[real].float().mean(0)
    recall = torch.cat(covered)[real].float().mean()
    return {name: round(v.item(), 3) for name, v in zip(("recall", "kind", "colour"), (recall, *accuracy), strict=True)}


def detector_folder(seed: int = 0) -> Path:
    """The cache folder of the trained detector; its name changes with the source of backbone, network or training."""
    key = source_hash(detectors, sys.modules[__name__])
    return cache_dir() / "detectors" / f"{mini_folder().name}-regions-seed{seed}-{key}"


def load_detector(seed: int = 0) -> Detector:
    """Loads the trained detector from the cache, or trains it now (about a minute on two cores, after the backbone)."""

    def build(part: Path) -> None:
        detector, metrics = train_detector(seed)
        write_tensors(part / "weights.safetensors", detector.state_dict())
        write_json(part / "figures.json", metrics)

    folder = prepare_folder(detector_folder(seed), build)
    detector = new_detector(MiniBackbone())
    load_kept(detector, folder / "weights.safetensors")
    return detector.eval()
