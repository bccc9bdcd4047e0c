"""Scoring by log P: the shared recurrence of m-RNN and the shared prefixes of NIC, compared with a run per pair.

One run scores all images of the drawn scenes' validation split against all of its captions (500 x 2,500 at size
"mini"), with m-RNN and with NIC at the course's sizes and random weights, and measures the peak of the memory in a
process of its own. The loop beside it gives every pair a recurrence of its own, all captions of an image at once; it is
timed on some images, and its time for all follows from that. m-RNN's recurrence is timed without layers and softmaxes,
too: once for all images, and once per image.

    python benchmarks/writers.py
"""

import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.models import FeatureSpec, Matching, build_model

MODELS = ("m_rnn", "nic")
CHUNK = 512  # captions at a time, as ``score`` takes them
IMAGE_DIM = 256

ALONE = """
import runpy, sys
from pathlib import Path

def held(what):
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1])  # KiB

parts = runpy.run_path(sys.argv[1])
model, features, captions = parts["example"](*sys.argv[2:])
before = held("VmRSS")
parts["ours"](model, features, captions)
print(held("VmHWM") - before)
"""


def example(name: str, size: str) -> tuple[Matching, Tensor, list[str]]:
    """A model with random weights, random features [n_images, IMAGE_DIM], and the captions of a validation split."""
    corpus = itm.load_corpus("scenes", size=size)
    torch.manual_seed(0)
    spec = FeatureSpec("global", "precomputed", IMAGE_DIM)
    model = build_model(name, Vocabulary.from_captions(corpus.train.captions), spec).eval()
    return model, torch.randn(len(corpus.val.images), IMAGE_DIM), corpus.val.captions


def chunks(captions: list[str]) -> list[list[str]]:
    """The captions, some at a time."""
    return [captions[first : first + CHUNK] for first in range(0, len(captions), CHUNK)]


@torch.inference_mode()
def ours(model: Matching, features: Tensor, captions: list[str]) -> Tensor:
    """All scores [n_images, n_captions] by the course's implementation."""
    image_emb = model.encode_images(features)
    return torch.cat([model.similarity(image_emb, model.encode_captions(some)) for some in chunks(captions)], 1)


@torch.inference_mode()
def looped(model: Matching, features: Tensor, captions: list[str]) -> Tensor:
    """All scores [n_images, n_captions], where every pair has a recurrence of its own."""
    rows = []
    for image in model.encode_images(features).split(1):
        for some in chunks(captions):
            caption_emb = model.encode_captions(some)  # m-RNN: the recurrence, once more for this image
            rows.append(model.pair_similarity(image.expand(len(some), -1), caption_emb))
    return torch.cat(rows).view(len(features), len(captions))


@torch.inference_mode()
def recurrence(model: Matching, captions: list[str]) -> None:
    """What the images share: the recurrence over the words of all captions."""
    for some in chunks(captions):
        model.encode_captions(some)


def measure(name: str, size: str = "mini", part: int = 10) -> dict[str, float]:
    """Times both ways to score all pairs.

    Args:
        name: of the model.
        size: of the drawn scenes.
        part: images on which the loop is timed.

    Returns:
        n_images and n_captions; seconds of ``ours`` and, for all images, of ``looped``; for m-RNN also ``recurrence``,
        once for all images, and ``recurrences``, once per image; and the largest ``difference`` of two scores,
        divided by the score.
    """
    model, features, captions = example(name, size)
    some, times = features[:part], len(features) / part
    ours(model, some, captions)  # warms up
    found = {"n_images": len(features), "n_captions": len(captions)}
    found["ours"], scores = timed(lambda: ours(model, features, captions))
    seconds, own = timed(lambda: looped(model, some, captions))
    found |= {"looped": times * seconds, "difference": (scores[:part] / own - 1).abs().max().item()}
    if name == "m_rnn":
        found["recurrence"], _ = timed(lambda: recurrence(model, captions))
        found["recurrences"] = times * timed(lambda: [recurrence(model, captions) for _ in some])[0]
    return found


def timed(work: Callable) -> tuple[float, object]:
    """Seconds that some work takes, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def measure_memory(name: str, size: str = "mini") -> float:
    """The MiB that scoring all pairs needs beyond model, features and captions; Linux only."""
    arguments = [sys.executable, "-c", ALONE, __file__, name, size]
    run = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return int(run.stdout) / 2**10


def main() -> None:
    for name in MODELS:
        found = measure(name)
        memory, times = measure_memory(name), found["looped"] / found["ours"]
        print(
            f"{name}, {found['n_images']} x {found['n_captions']:,} pairs on {torch.get_num_threads()} threads: "
            f"{found['ours']:.0f} s and {memory:.0f} MiB; a recurrence per pair {found['looped']:.0f} s ({times:.1f} "
            f"times); scores differ by at most {found['difference']:.0e} of their size"
        )
        if "recurrence" in found:
            once, each = found["recurrence"], found["recurrences"]
            print(
                f"  recurrence: {once:.2f} s once for all images, {each:.0f} s once per image ({each / once:.0f} times)"
            )


if __name__ == "__main__":
    main()
