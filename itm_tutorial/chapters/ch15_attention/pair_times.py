"""The kept times of the chapter's methods: milliseconds of one processor core per pair of an image and a caption.

    python -m itm_tutorial.chapters.ch15_attention.pair_times

measures them again and writes the file. All models have the embedding size of the reality check, and score the first
100 test images of the drawn scenes against their captions. A model's weights do not matter for its time, so they are
random. Use a quiet machine.
"""

from __future__ import annotations

import platform
from pathlib import Path

from itm_tutorial.chapters.ch15_attention.cost_figures import LABELS
from itm_tutorial.chapters.ch15_attention.live import timed_scores
from itm_tutorial.chapters.small_galleries import first_images
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.models import create_model
from itm_tutorial.storage import read_json, write_json

FILE = Path(__file__).with_name("pair_times.json")
MODELS = {name: "got_score" if name == "got" else name for name in LABELS}  # row of the map -> model
SIZE, EMBED_SIZE, N_IMAGES, ROUNDS = "mini", 256, 100, 2


def measure(size: str = SIZE, n_images: int = N_IMAGES, embed_size: int = EMBED_SIZE) -> dict[str, float]:
    """Takes the time of each method.

    Args:
        size: of the corpus of scenes.
        n_images: that are scored, with all of their captions.
        embed_size: numbers per embedding.

    Returns:
        Name of a row of the map -> milliseconds per pair, the fastest of two rounds.
    """
    corpus = load_corpus("scenes", size=size)
    gallery, found = first_images(corpus.test, n_images), {}
    for row, name in MODELS.items():
        model = create_model(name, corpus, embed_size=embed_size, seed=0)
        found[row] = min(timed_scores(model, gallery)[1] for _ in range(ROUNDS))
    return found


def kept_times(file: Path = FILE) -> dict[str, float]:
    """Milliseconds per pair of each row of the map, as they were measured last; empty if they never were."""
    return read_json(file)["milliseconds"] if file.exists() else {}


if __name__ == "__main__":
    found = {name: round(value, 6) for name, value in measure().items()}
    sizes = {"size": SIZE, "embed_size": EMBED_SIZE, "n_images": N_IMAGES}
    write_json(FILE, {"sizes": sizes, "machine": platform.machine(), "milliseconds": found})
    print("\n".join(f"{name:<16}{value:10.4f} ms" for name, value in found.items()))
