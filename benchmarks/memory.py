"""Peak memory of ``evaluate_embeddings`` at 25,000 captions and at 250,000 (5,000 images, dim 64).

Each number of captions runs in a separate process; the result is its peak minus the memory used just before the
evaluation. Linux only: other systems do not report the peak of a single process.

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
    """The MiB that an evaluation needs in addition to its embeddings, measured in a separate process."""
    arguments = [str(number) for number in (n_images, n_captions, dim)]
    run = subprocess.run([sys.executable, "-c", ALONE, *arguments], capture_output=True, text=True, check=True)
    return int(run.stdout) / 2**10


def main() -> None:
    n_images, dim = 5_000, 64
    for n_captions in (25_000, 250_000):
        matrix = 4 * n_images * n_captions / 2**20
        peak = measure(n_images, n_captions, dim)
        print(f"{n_captions:>7,} captions: {peak:.0f} MiB; the whole matrix would need {matrix:,.0f} MiB")


if __name__ == "__main__":
    main()
