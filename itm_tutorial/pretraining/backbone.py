"""Pretrains the mini backbone: it learns kind, colour and pattern from images of single drawn objects."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import itm_tutorial.encoders.backbones as backbones
from itm_tutorial.data.loading import source_hash
from itm_tutorial.encoders.backbones import MiniBackbone, normalised, pool
from itm_tutorial.encoders.kept_weights import load_kept
from itm_tutorial.storage import cache_dir, prepare_folder, write_json, write_tensors
from itm_tutorial.worlds import scenes, streams
from itm_tutorial.worlds.scenes.drawing import draw_scene
from itm_tutorial.worlds.scenes.kinds import KINDS, LIGHTS, PLACES
from itm_tutorial.worlds.scenes.layout import sample_scene
from itm_tutorial.worlds.scenes.palette import COLOURS
from itm_tutorial.worlds.scenes.scene import Scene, Spot, Thing

SIDE = 64  # pixels: half a scene, so that objects are as large as they are in one
PATTERNS = ("plain", "striped", "spotted")
N_TRAIN, N_HELD_OUT, N_SCENES, EPOCHS, BATCH = 10_000, 1_000, 640, 6, 64


def draw_objects(n: int, rng: Random) -> tuple[Tensor, Tensor]:
    """Draws single objects at the scale that they have in scenes.

    Args:
        n: number of images.
        rng: the source of all random choices.

    Returns:
        uint8 [n, 3, 64, 64] and int64 [n, 3]: kind, colour, pattern.
    """
    kinds, colours = list(KINDS.values()), list(COLOURS)
    images, labels = [], []
    for _ in range(n):
        kind = rng.choice(kinds)
        colour = rng.choice(kind.colours)
        pattern = rng.choice(PATTERNS) if kind.patterns else "plain"
        height = min(0.95, 0.95 / kind.aspect, 2 * kind.height * rng.uniform(0.6, 1.3))
        half = height * kind.aspect / 2
        spot = Spot(rng.uniform(half, 1 - half), rng.uniform(max(height, 0.5), 1.0), height, rng.random() < 0.5)
        scene = Scene(rng.choice(PLACES), rng.choice(LIGHTS), (Thing(kind.name, colour, "medium", pattern, (spot,)),))
        images.append(draw_scene(scene, SIDE, rng))
        labels.append((kinds.index(kind), colours.index(colour), PATTERNS.index(pattern)))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.tensor(labels)


def mosaics(images: Tensor, labels: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Puts four images of single objects together, so that the backbone learns to keep neighbouring objects apart.

    Args:
        images: [n, 3, 64, 64].
        labels: int64 [n, 3].
        order: int64 [n]; n divisible by four.

    Returns:
        [n / 4, 3, 128, 128] and float [n / 4, n_kinds * n_colours]: 1 for each pair of kind and colour in the mosaic.
    """
    four = images[order].view(-1, 2, 2, *images.shape[1:])
    mosaic = four.permute(0, 3, 1, 4, 2, 5).reshape(len(four), 3, 2 * SIDE, 2 * SIDE)
    pair = labels[order, 0] * len(COLOURS) + labels[order, 1]
    present = torch.zeros(len(four), len(KINDS) * len(COLOURS), device=images.device)
    return mosaic, present.scatter_(1, pair.view(-1, 4), 1.0)


class Heads(nn.Module):
    """The classifiers for kind, colour and pattern of one object, and for the pairs of kind and colour of a mosaic."""

    def __init__(self, dim: int):
        super().__init__()
        self.kind, self.colour = nn.Linear(2 * dim, len(KINDS)), nn.Linear(2 * dim, len(COLOURS))
        self.pattern = nn.Linear(2 * dim, len(PATTERNS))
        self.coloured_kind = nn.Linear(2 * dim, len(KINDS) * len(COLOURS))


@torch.inference_mode(False)  # it may be called first from code that runs without gradients
@torch.enable_grad()
def train_mini(seed: int = 0) -> tuple[MiniBackbone, dict[str, float]]:
    """Trains the mini backbone from random weights.

    Args:
        seed: of images and weights.

    Returns:
        The backbone, in evaluation mode, and its metrics: accuracies on new objects, seconds.
    """
    start = time.perf_counter()
    images, labels = draw_objects(N_TRAIN, Random(f"objects/{seed}/train"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = MiniBackbone().to(memory_format=torch.channels_last)
        heads = Heads(256)
        parameters = [*backbone.parameters(), *heads.parameters()]
        steps = EPOCHS * (N_TRAIN // BATCH)
        optimizer = torch.optim.AdamW(parameters, 3e-3, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
        for _ in range(EPOCHS):
            for rows in torch.randperm(N_TRAIN)[: N_TRAIN // BATCH * BATCH].split(BATCH):
                loss = _objective(backbone, heads, images[rows], labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    backbone.eval()
    _standardise(backbone, seed)
    metrics = _held_out(backbone, heads, seed)
    return backbone, {**metrics, "seconds": round(time.perf_counter() - start, 1), "seed": seed}


def _objective(backbone: nn.Module, heads: Heads, images: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropies of each object from its quarter of a mosaic, and of pairs of kind and colour from the mosaic."""
    mosaic, present = mosaics(images, labels, torch.arange(len(images)))
    grid = backbone(normalised(mosaic, "mini").contiguous(memory_format=torch.channels_last))  # [n / 4, 256, 8, 8]
    quarters = grid.unflatten(3, (2, 4)).unflatten(2, (2, 4)).permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
    single = pool(quarters)  # [n, 512], in the order of images
    loss = cross_entropy(heads.kind(single), labels[:, 0]) + cross_entropy(heads.colour(single), labels[:, 1])
    loss = loss + 0.5 * cross_entropy(heads.pattern(single), labels[:, 2])
    chosen = heads.coloured_kind(pool(grid)).log_softmax(1)  # [n / 4, n_kinds * n_colours]
    return loss - (chosen * present).sum(1).mean() / 4


@torch.no_grad()
def _standardise(backbone: MiniBackbone, seed: int) -> None:
    """Measures the mean and variance of each number of the global feature, on scenes that are in no corpus."""
    rng = Random(f"scenes/{seed}/standard")
    pictures = torch.from_numpy(np.stack([draw_scene(sample_scene(rng), 2 * SIDE, rng) for _ in range(N_SCENES)]))
    backbone.standard.train()
    for some in pictures.permute(0, 3, 1, 2).split(BATCH):
        backbone.pooled(backbone(normalised(some, "mini")))
    backbone.standard.eval()


@torch.no_grad()
def _held_out(backbone: nn.Module, heads: Heads, seed: int) -> dict[str, float]:
    images, labels = draw_objects(N_HELD_OUT, Random(f"objects/{seed}/held out"))
    features = torch.cat([pool(backbone(normalised(some, "mini"))) for some in images.split(250)])
    classifiers = {"kind": heads.kind, "colour": heads.colour, "pattern": heads.pattern}
    return {
        name: round((head(features).argmax(1) == labels[:, i]).float().mean().item(), 3)
        for i, (name, head) in enumerate(classifiers.items())
    }


def mini_folder(seed: int = 0) -> Path:
    """The cache folder of the trained backbone; its name changes with the source of worlds, network or training."""
    key = source_hash(scenes, streams, backbones, sys.modules[__name__])
    return cache_dir() / "backbones" / f"mini-seed{seed}-{key}"


def load_mini(seed: int = 0) -> MiniBackbone:
    """Loads the trained mini backbone from the cache, or trains it now (under a minute on two cores)."""

    def build(part: Path) -> None:
        backbone, metrics = train_mini(seed)
        write_tensors(part / "weights.safetensors", backbone.state_dict())
        write_json(part / "figures.json", metrics)

    folder = prepare_folder(mini_folder(seed), build)
    backbone = MiniBackbone()
    load_kept(backbone, folder / "weights.safetensors")
    return backbone.eval()
