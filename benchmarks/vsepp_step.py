"""A training step of VSE++ at the paper's size, compared with the matrix products and the GRU that it needs.

python benchmarks/vsepp_step.py
"""

import time
from random import Random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from itm_tutorial.data.text import Tokens, Vocabulary
from itm_tutorial.models import Batch, FeatureSpec, build_model
from itm_tutorial.training.loop import _step

ROUNDS = 3  # the two are timed in turn; the fastest round of each counts


def random_captions(n: int, n_words: int) -> Tokens:
    """Word ids of n captions of 8 to 20 words, <start> and <end> included."""
    rng = Random(0)
    lengths = [rng.randint(8, 20) for _ in range(n)]
    ids = torch.zeros(n, max(lengths), dtype=torch.int64)
    for row, length in zip(ids, lengths, strict=True):
        row[:length] = torch.tensor([rng.randrange(4, n_words) for _ in range(length)])
    return Tokens(ids, torch.tensor(lengths))


def measure(
    n: int = 128, n_words: int = 8_481, image_dim: int = 4_096, dim: int = 1_024, word_dim: int = 300, steps: int = 6
) -> tuple[float, float]:
    """Times a step of ``fit`` and its bare products, forward and backward.

    Args:
        n: pairs in the batch.
        n_words, image_dim, dim, word_dim: sizes; by default those of the paper on Flickr30k.
        steps: per round.

    Returns:
        Seconds per step: of the whole step (losses, norms, clipping, Adam), and of the bare one (two products, the GRU,
        the score matrix, and all their gradients).
    """
    torch.manual_seed(0)
    vocabulary = Vocabulary(f"word{i}" for i in range(n_words - 4))
    options = {"embed_size": dim, "word_dim": word_dim}
    model = build_model("vsepp", vocabulary, FeatureSpec(), **options).train()
    model.image_encoder.project = nn.Linear(image_dim, dim)
    optimizers = {"main": torch.optim.Adam(model.parameters(), 2e-4)}
    batch = Batch(torch.randn(n, image_dim), random_captions(n, n_words), torch.arange(n))
    words, gru, project = (
        nn.Embedding(n_words, word_dim),
        nn.GRU(word_dim, dim, batch_first=True),
        nn.Linear(image_dim, dim),
    )

    def full() -> None:
        _step(model, optimizers, model.loss(batch), "benchmark")

    def bare() -> None:
        lengths = batch.captions.lengths
        packed = pack_padded_sequence(words(batch.captions.ids), lengths, batch_first=True, enforce_sorted=False)
        scores = project(batch.images) @ gru(packed)[1][0].T
        torch.autograd.grad(scores.sum(), [*words.parameters(), *gru.parameters(), *project.parameters()])

    best = {full: float("inf"), bare: float("inf")}
    full(), bare()
    for _ in range(ROUNDS):
        for what in best:
            start = time.perf_counter()
            for _ in range(steps):
                what()
            best[what] = min(best[what], (time.perf_counter() - start) / steps)
    return best[full], best[bare]


def main() -> None:
    full, bare = measure()
    times = f"{full:.2f} s per step, {bare:.2f} s for its bare products: {full / bare:.2f} times"
    print(f"{times}, on {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
