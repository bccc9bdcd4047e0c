"""Stacked cross attention compared with a loop over captions that computes all attended vectors: time and memory.

The loop works like the public code, one caption at a time against all images. One run measures scoring, a training
step and its memory in both directions, with 36 regions, dim 1024, captions of 8 to 20 words, and float32. Scoring is
measured on a part of 1,000 images x 5,000 captions.

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
    """The scores by a loop, one caption at a time."""
    columns = []
    for caption, n in zip(words, lengths.tolist(), strict=True):
        tokens = caption[:n].expand(len(regions), -1, -1)  # [n_images, n_words, dim]
        queries, keys = (tokens, regions) if direction == "t2i" else (regions, tokens)
        ahead = leaky_relu(keys @ queries.mT, 0.1)  # [n_images, n_keys, n_queries]
        ahead = ahead / (ahead.norm(dim=2, keepdim=True) + 1e-8)
        alpha = (SMOOTH[direction] * ahead.mT.contiguous()).softmax(2)  # [n_images, n_queries, n_keys]
        attended = alpha @ keys  # [n_images, n_queries, dim]
        columns.append(cosine_similarity(queries, attended, dim=2).mean(1))
    return torch.stack(columns, 1)


def ours(regions: Tensor, words: Tensor, lengths: LongTensor, direction: str) -> Tensor:
    """The scores by the course's implementation."""
    return stacked_cross_attention(regions, words, lengths, direction, SMOOTH[direction])


def product(regions: Tensor, words: Tensor, lengths: LongTensor, direction: str) -> Tensor:
    """The product of every region with every word, which every implementation needs."""
    mask = torch.arange(words.shape[1])[None] < lengths[:, None]
    all_words = words[mask]  # [all words, dim]
    for some in regions.split(50):
        some.flatten(0, 1) @ all_words.T
    return all_words


def step(score, regions: Tensor, words: Tensor, lengths: LongTensor, direction: str) -> None:
    """Scores, the loss with the hardest negatives, and the gradients of all embeddings."""
    embeddings = regions.requires_grad_(), words.requires_grad_()
    loss = MaxOfHinges()(score(*embeddings, lengths, direction), torch.eye(len(regions), dtype=torch.bool))
    torch.autograd.grad(loss, embeddings)


def seconds(what, *arguments, rounds: int = 2) -> float:
    """The seconds of the fastest round."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        what(*arguments)
        best = min(best, time.perf_counter() - start)
    return best


def measure_scoring(direction: str, n_images: int = 500, n_captions: int = 200, dim: int = 1024) -> dict[str, float]:
    """The seconds of the loop, of ours and of the bare product, and the largest difference of scores."""
    embeddings = example(n_images, n_captions, dim)
    with torch.inference_mode():
        found = {score.__name__: seconds(score, *embeddings, direction) for score in (looped, ours, product)}
        difference = looped(*embeddings, direction) - ours(*embeddings, direction)
        return {**found, "difference": difference.abs().max().item()}


def measure_step(direction: str, n: int = 128, dim: int = 1024) -> dict[str, float]:
    """The seconds for scores, loss and gradients of a training step, with the loop and with ours."""
    embeddings = example(n, n, dim)
    return {score.__name__: seconds(step, score, *embeddings, direction) for score in (looped, ours)}


def measure_memory(score: str, direction: str, n: int = 128, dim: int = 1024) -> float:
    """The MiB that such a step needs in addition to its embeddings, in a separate process. Linux only."""
    arguments = [__file__, score, direction, str(n), str(dim)]
    run = subprocess.run([sys.executable, "-c", ALONE, *arguments], capture_output=True, text=True, check=True)
    return int(run.stdout) / 2**10


def main() -> None:
    print(f"{torch.get_num_threads()} threads")
    for way in SMOOTH:
        scoring, stepping = measure_scoring(way), measure_step(way)
        fast, bare = scoring["looped"] / scoring["ours"], scoring["ours"] / scoring["product"]
        print(
            f"{way}: scoring {fast:.1f} times as fast as the loop, {bare:.1f} times the time of the bare product",
            end="",
        )
        print(f" ({scoring['ours']:.2f} s); scores differ by {scoring['difference']:.0e} at most")
        memory = {name: measure_memory(name, way) for name in ("looped", "ours")}
        fast, small = stepping["looped"] / stepping["ours"], memory["looped"] / memory["ours"]
        print(f"{way}: a step of 128 pairs {fast:.1f} times as fast as the loop ({stepping['ours']:.2f} s)", end="")
        print(f", with {memory['ours']:.0f} MiB; the loop needs {memory['looped']:.0f} MiB ({small:.1f} times)")


if __name__ == "__main__":
    main()
