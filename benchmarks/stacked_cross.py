"""Stacked cross attention beside a loop over captions that makes every attended vector: scoring, a step, its memory.

The loop does what the field's public code does, one caption at a time against all images. In one run: both directions,
36 regions, dim 1024, captions of 8 to 20 words, float32. Scoring takes a part of 1,000 images x 5,000 captions.

    python benchmarks/stacked_cross.py
"""

import subprocess
import sys
import time
from random import Random

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import cosine_similarity, leaky_relu, normalize

from itm_tutorial.interaction.stacked_cross import stacked_cross_attention
from itm_tutorial.losses.ranking import MaxOfHinges

SMOOTH = {"t2i": 9.0, "i2t": 4.0}
N_REGIONS, SHORTEST, LONGEST = 36, 8, 20

ALONE = """
import runpy, sys
from pathlib import Path

def held(what):
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1])  # KiB

parts = runpy.run_path(sys.argv[1])
score, direction, n, dim = parts[sys.argv[2]], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
embeddings = parts["example"](n, n, dim)
before = held("VmRSS")
parts["step"](score, *embeddings, direction)
print(held("VmHWM") - before)
"""


def example(n_images: int, n_captions: int, dim: int) -> tuple[Tensor, Tensor, LongTensor]:
    """Random unit embeddings: regions [n_images, 36, dim], words [n_captions, 20, dim], lengths [n_captions]."""
    torch.manual_seed(0)
    rng = Random(0)
    regions = normalize(torch.randn(n_images, N_REGIONS, dim), dim=2)
    words = normalize(torch.randn(n_captions, LONGEST, dim), dim=2)
    return regions, words, torch.tensor([rng.randint(SHORTEST, LONGEST) for _ in range(n_captions)])


def looped(regions: Tensor, words: Tensor, lengths: LongTensor, direction: str) -> Tensor:
    """The same scores, a caption at a time."""
    columns = []
    for caption, n in zip(words, lengths.tolist(), strict=True):
        words_of_caption = caption[:n].expand(len(regions), -1, -1)  # [n_images, n_words, dim]
        queries, keys = (words_of_caption, regions) if direction == "t2i" else (regions, words_of_caption)
        ahead = leaky_relu(keys @ queries.mT, 0.1)  # [n_images, n_keys, n_queries]
        ahead = ahead / (ahead.norm(dim=2, keepdim=True) + 1e-8)
        alpha = (SMOOTH[direction] * ahead.mT.contiguous()).softmax(2)  # [n_images, n_queries, n_keys]
        attended = alpha @ keys  # [n_images, n_queries, dim]
        columns.append(cosine_similarity(queries, attended, dim=2).mean(1))
    return torch.stack(columns, 1)


def ours(regions: Tensor, words: Tensor, lengths: LongTensor, direction: str) -> Tensor:
    """The course's."""
    return stacked_cross_attention(regions, words, lengths, direction, SMOOTH[direction])


def product(regions: Tensor, words: Tensor, lengths: LongTensor, direction: str) -> Tensor:
    """The one product that nobody can do without: every region with every word."""
    there = torch.arange(words.shape[1])[None] < lengths[:, None]
    words_of_caption = words[there]  # [all words, dim]
    for some in regions.split(50):
        some.flatten(0, 1) @ words_of_caption.T
    return words_of_caption


def step(score, regions: Tensor, words: Tensor, lengths: LongTensor, direction: str) -> None:
    """Scores, the largest hinge, and the gradient of every code."""
    embeddings = regions.requires_grad_(), words.requires_grad_()
    loss = MaxOfHinges()(score(*embeddings, lengths, direction), torch.eye(len(regions), dtype=torch.bool))
    torch.autograd.grad(loss, embeddings)


def seconds(what, *arguments, rounds: int = 2) -> float:
    """The fastest of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        what(*arguments)
        best = min(best, time.perf_counter() - start)
    return best


def measure_scoring(direction: str, n_images: int = 500, n_captions: int = 200, dim: int = 1024) -> dict[str, float]:
    """Seconds of the loop, of ours and of the bare product, and the largest difference of a score."""
    embeddings = example(n_images, n_captions, dim)
    with torch.inference_mode():
        summary = {score.__name__: seconds(score, *embeddings, direction) for score in (looped, ours, product)}
        return {
            **summary,
            "difference": (looped(*embeddings, direction) - ours(*embeddings, direction)).abs().max().item(),
        }


def measure_step(direction: str, n: int = 128, dim: int = 1024) -> dict[str, float]:
    """Seconds of a training step's scores, loss and gradients, with the loop and with ours."""
    embeddings = example(n, n, dim)
    return {score.__name__: seconds(step, score, *embeddings, direction) for score in (looped, ours)}


def measure_memory(score: str, direction: str, n: int = 128, dim: int = 1024) -> float:
    """MiB that such a step takes beyond its embeddings, in a process of its own. Linux only."""
    words = [__file__, score, direction, str(n), str(dim)]
    summary = subprocess.run([sys.executable, "-c", ALONE, *words], capture_output=True, text=True, check=True).stdout
    return int(summary) / 2**10


def main() -> None:
    print(f"{torch.get_num_threads()} threads")
    for way in SMOOTH:
        summary = measure_scoring(way)
        fast, bare = summary["looped"] / summary["ours"], summary["ours"] / summary["product"]
        print(
            f"{way}: scoring {fast:.1f} times the loop's speed, {bare:.1f} times the time of the bare product", end=""
        )
        print(f" ({summary['ours']:.2f} s); scores differ by {summary['difference']:.0e} at most")
        summary = measure_step(way)
        kept = {name: measure_memory(name, way) for name in ("looped", "ours")}
        fast, small = summary["looped"] / summary["ours"], kept["looped"] / kept["ours"]
        print(f"{way}: a step of 128 pairs {fast:.1f} times the loop's speed ({summary['ours']:.2f} s)", end="")
        print(f", in {kept['ours']:.0f} MiB where the loop takes {kept['looped']:.0f} ({small:.1f} times)")


if __name__ == "__main__":
    main()
