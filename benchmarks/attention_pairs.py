"""Models with a network per pair: all pairs of a batch in one call, compared with one call per pair.

Every model has random weights, the course's sizes, ten random regions per image and captions of drawn scenes. One run
scores 64 images against 64 captions in one call, and again with a loop in which every pair is scored by itself; both
start from the same embeddings. It then scores 200 images against 1,000 captions, as ``score`` does it, in a process of
its own, and measures the peak of its memory. Use a quiet machine and one thread.

    python benchmarks/attention_pairs.py imram camp adapt scan
"""

import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.models import FeatureSpec, Images, Matching, build_model

MODELS = ("scan", "imram", "imram_k2", "camp", "camp_scalar", "adapt")  # where no names are given
N_REGIONS, IMAGE_DIM = 10, 256
BATCH, CHUNK = 64, 512  # images and captions of a batch; and at a time where all are scored

ALONE = """
import runpy, sys
from pathlib import Path

def held(what):
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1])  # KiB

parts = runpy.run_path(sys.argv[1])
model, images, captions = parts["example"](sys.argv[2], *map(int, sys.argv[3:]))
before = held("VmRSS")
seconds, _ = parts["timed"](lambda: parts["score_all"](model, images, captions))
print(held("VmHWM") - before, seconds)
"""


def example(name: str, n_images: int, n_captions: int) -> tuple[Matching, Tensor | Images, list[str]]:
    """A model with random weights, random regions with boxes where it reads them, and captions of drawn scenes."""
    corpus = itm.load_corpus("scenes", size="tiny")
    captions = (corpus.train.captions * (n_captions // len(corpus.train.captions) + 1))[:n_captions]
    torch.manual_seed(0)
    spec = FeatureSpec("regions", "precomputed", IMAGE_DIM)
    model = build_model(name, Vocabulary.from_captions(corpus.train.captions), spec).eval()
    features = torch.randn(n_images, N_REGIONS, IMAGE_DIM)
    if not model.reads_boxes:
        return model, features, captions
    corners = torch.rand(n_images, N_REGIONS, 2, 2).sort(2).values  # [.., 2 corners, x and y]
    return model, Images(features, corners.flatten(2), torch.rand(n_images, N_REGIONS)), captions


@torch.inference_mode()
def score_all(model: Matching, images: Tensor | Images, captions: list[str]) -> Tensor:
    """All scores [n_images, n_captions], ``CHUNK`` images and captions at a time."""
    rows = [model.encode_images(images[first : first + CHUNK]) for first in range(0, len(images), CHUNK)]
    columns = []
    for first in range(0, len(captions), CHUNK):
        caption_emb = model.encode_captions(captions[first : first + CHUNK])
        columns.append(torch.cat([model.similarity(row, caption_emb) for row in rows]))
    return torch.cat(columns, 1)


@torch.inference_mode()
def looped(model: Matching, image_emb, caption_emb, n: int) -> Tensor:
    """The scores [n, n] of encoded images and captions, every pair by itself."""
    images = [pick(image_emb, slice(row, row + 1)) for row in range(n)]
    captions = [pick(caption_emb, slice(row, row + 1)) for row in range(n)]
    return torch.cat([torch.cat([model.similarity(image, one) for one in captions], 1) for image in images])


@torch.inference_mode()
def measure(name: str, n: int = BATCH) -> dict[str, float]:
    """Times both ways to score a batch.

    Args:
        name: of a registered model.
        n: images, and captions.

    Returns:
        seconds of ``ours`` (one call; the fastest of three) and of ``looped``; and the largest ``difference`` of two
        scores, divided by the largest size of a score.
    """
    model, images, captions = example(name, n, n)
    image_emb, caption_emb = model.encode_images(images), model.encode_captions(captions)
    rounds = [timed(lambda: model.similarity(image_emb, caption_emb)) for _ in range(4)][1:]  # the first warms up
    scores = rounds[0][1]
    seconds, own = timed(lambda: looped(model, image_emb, caption_emb, n))
    difference = (scores - own).abs().max() / own.abs().max()
    return {"ours": min(time for time, _ in rounds), "looped": seconds, "difference": difference.item()}


def timed(work: Callable) -> tuple[float, Tensor]:
    """Seconds of the processor that some work takes, and its result; other programs count less than by the clock."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def measure_gallery(name: str, n_images: int = 200, n_captions: int = 1000) -> dict[str, float]:
    """MiB that scoring a gallery needs beyond model, features and captions, and microseconds per pair; Linux only."""
    arguments = [sys.executable, "-c", ALONE, __file__, name, str(n_images), str(n_captions)]
    run = subprocess.run(arguments, capture_output=True, text=True, check=True)
    memory, seconds = run.stdout.split()
    return {"memory": int(memory) / 2**10, "microseconds": 1e6 * float(seconds) / (n_images * n_captions)}


def main() -> None:
    torch.set_num_threads(1)
    for name in sys.argv[1:] or MODELS:
        found, gallery = measure(name), measure_gallery(name)
        print(
            f"{name}: {BATCH} x {BATCH} pairs in {1000 * found['ours']:.0f} ms, one by one {found['looped']:.2f} s "
            f"({found['looped'] / found['ours']:.1f} times); scores differ by at most {found['difference']:.0e} of the "
            f"largest; 200 x 1,000 pairs: {gallery['microseconds']:.1f} microseconds per pair, "
            f"{gallery['memory']:.0f} MiB"
        )


if __name__ == "__main__":
    main()
