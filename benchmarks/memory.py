"""Peak memory of ``evaluate_embeddings`` at 25,000 captions and at 250,000 (5,000 images, dim 64).

Each number of captions has a process of its own; the result is its peak less what it held just before the evaluation.
Linux only: elsewhere no process can ask for a peak that is its own alone.

    python benchmarks/memory.py
"""

import subprocess
import sys

ALONE = """
import sys
from pathlib import Path

import torch
from itm_tutorial.evaluation.retrieval_metrics import evaluate_embeddings

def held(what):
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1])  # KiB

n_images, n_captions, dim = map(int, sys.argv[1:])
generator = torch.Generator().manual_seed(0)
images, captions = (torch.empty(n, dim).normal_(generator=generator) for n in (n_images, n_captions))
image_of = torch.arange(n_captions).remainder_(n_images)
before = held("VmRSS")
evaluate_embeddings(images, captions, image_of)
print(held("VmHWM") - before)
"""


def measure(n_images: int, n_captions: int, dim: int) -> float:
    """The MiB that an evaluation takes beyond its embeddings, in a process of its own."""
    words = [str(number) for number in (n_images, n_captions, dim)]
    summary = subprocess.run([sys.executable, "-c", ALONE, *words], capture_output=True, text=True, check=True).stdout
    return int(summary) / 2**10


def main() -> None:
    n_images, dim = 5_000, 64
    for n_captions in (25_000, 250_000):
        matrix = 4 * n_images * n_captions / 2**20
        peak = measure(n_images, n_captions, dim)
        print(f"{n_captions:>7,} captions: {peak:.0f} MiB, where the whole matrix takes {matrix:,.0f} MiB")


if __name__ == "__main__":
    main()
