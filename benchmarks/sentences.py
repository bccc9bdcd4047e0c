"""Captions per second of text encoders, compared with the GRU of VSE++ in the same run, at the size of the papers.

python benchmarks/sentences.py
"""

import time
from collections.abc import Callable
from random import Random

import torch
from torch import nn

from itm_tutorial.data.text import Tokens, Vocabulary
from itm_tutorial.models import FeatureSpec, build_model
from itm_tutorial.models._characters import Characters

FIRST = "GRU"
PAPER = {"embed_size": 1024, "word_dim": 300}
HOPS = {**PAPER, "attention_units": 300, "gru_units": 1024, "conv_maps": 100}
ENCODERS = {  # name -> model and options
    FIRST: ("vsepp", PAPER),
    "SEAM-E, 30 hops": ("seam", {**HOPS, "hops": 30}),
    "SEAM-C, 10 hops": ("seam_c", HOPS),
    "SEAM-G, 30 hops": ("seam_g", {**HOPS, "hops": 30}),
    "CHAIN-VSE": ("chain_vse", {"embed_size": 1024, "stem_maps": 64, "maps": 256, "towers": 4}),
}
SMALL = {"embed_size": 8, "word_dim": 8}
ROUNDS = 3  # the encoders are timed in turn; the fastest round of each counts


def random_captions(n: int, n_words: int) -> list[str]:
    """n captions of 8 to 16 random words of 2 to 8 letters; the words are drawn from ``n_words``."""
    rng = Random(0)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 8))) for _ in range(n_words)]
    return [" ".join(rng.choices(words, k=rng.randint(8, 16))) for _ in range(n)]


def measure(n: int = 128, n_words: int = 2_000, train: bool = False, small: bool = False) -> dict[str, float]:
    """Times the text encoders on the same captions.

    Args:
        n: captions in the batch.
        n_words: different words.
        train: also the gradients of the weights.
        small: toy sizes, for a test.

    Returns:
        Name of an encoder -> captions per second.
    """
    captions = random_captions(n, n_words)
    words = Vocabulary.from_captions(captions)
    steps = {}
    for name, (model, options) in ENCODERS.items():
        torch.manual_seed(0)
        vocabulary = Characters() if model == "chain_vse" else words
        if small:
            options = {key: min(value, SMALL.get(key, 4)) for key, value in options.items()}
        built = build_model(model, vocabulary, FeatureSpec(), **options).train(train)
        steps[name] = step_of(built, built.tokenize(captions), train)
    best = dict.fromkeys(steps, float("inf"))
    for number in range(ROUNDS + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number:  # the first round warms up
                best[name] = min(best[name], time.perf_counter() - start)
    return {name: n / seconds for name, seconds in best.items()}


def step_of(model: nn.Module, tokens: Tokens, train: bool) -> Callable[[], None]:
    """Encodes captions, and finds the gradients too where ``train`` is set."""

    def step() -> None:
        with torch.set_grad_enabled(train):
            embeddings = model.encode_captions(tokens)
            if train:
                model.zero_grad()
                embeddings.square().sum().backward()

    return step


def main() -> None:
    for train in (False, True):
        speeds = measure(train=train)
        lines = [f"{name} {speed:.0f} ({speed / speeds[FIRST]:.2f} of {FIRST})" for name, speed in speeds.items()]
        doing = "with gradients" if train else "encoding"
        print(f"captions per second, {doing}, on {torch.get_num_threads()} threads: {', '.join(lines)}")


if __name__ == "__main__":
    main()
