"""The second text query of a ``SearchIndex`` over 5,000 images beside the first, which encodes them.

In one run, with random weights and made-up features: "vsepp" at its paper's size (2,048 numbers per image, embeddings
of 1,024), "vsepp" as the course trains it (512 and 256), and "scan" as the course trains it, on 12 regions of 256
numbers, where a query costs attention over all regions of all images.

    python benchmarks/search_index.py
"""

import statistics
import time
from random import Random

import torch

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.models import FeatureSpec, build_model

WORDS = [f"word{number}" for number in range(2_000)]
CASES = {  # what is printed -> model, shape of the features of an image, options
    "vsepp at its paper's size": ("vsepp", (2_048,), {"embed_size": 1_024, "word_dim": 300}),
    "vsepp as the course trains it": ("vsepp", (512,), {}),
    "scan as the course trains it": ("scan", (12, 256), {}),
}


def made_up_split(n_images: int, shape: tuple[int, ...]) -> itm.Split:
    """A split of random features [n_images, *shape] and one caption of 10 random words per image."""
    rng, generator = Random(0), torch.Generator().manual_seed(0)
    captions = [" ".join(rng.choices(WORDS, k=10)) for _ in range(n_images)]
    features = torch.randn(n_images, *shape, generator=generator).numpy()
    return itm.Split("test", [None] * n_images, captions, torch.arange(n_images), precomputed=features)


def measure(case: str, n_images: int = 5_000, n_queries: int = 9) -> dict[str, float]:
    """Times the queries of one index.

    Args:
        case: a name in ``CASES``.
        n_images: in the split.
        n_queries: after the first; their median counts.

    Returns:
        Seconds of the "first" and of a "later" query, and how many hits differ from those of ``itm.search`` ("wrong").
    """
    name, shape, options = CASES[case]
    spec = FeatureSpec("regions" if len(shape) == 2 else "global", "precomputed", shape[-1])
    torch.manual_seed(0)
    model = build_model(name, Vocabulary(WORDS), spec, **options)
    split = made_up_split(n_images, shape)
    itm.SearchIndex(model, made_up_split(8, shape)).search(WORDS[0], k=1)  # torch's own first call is not counted
    index, seconds, hits = itm.SearchIndex(model, split), [], []
    for query in split.captions[: n_queries + 1]:
        start = time.perf_counter()
        hits.append(index.search(query, k=8))
        seconds.append(time.perf_counter() - start)
    wrong = hits[-1] != itm.search(model, split, split.captions[n_queries], k=8)
    return {"first": seconds[0], "later": statistics.median(seconds[1:]), "wrong": float(wrong)}


def main() -> None:
    print(f"{torch.get_num_threads()} threads")
    for case in CASES:
        times = measure(case)
        ratio = times["later"] / times["first"]
        same = "other hits than itm.search" if times["wrong"] else "the hits of itm.search"
        print(f"{case}: first query {1e3 * times['first']:.0f} ms, later ones {1e3 * times['later']:.1f} ms", end="")
        print(f", {ratio:.3f} of the first; {same}")


if __name__ == "__main__":
    main()
