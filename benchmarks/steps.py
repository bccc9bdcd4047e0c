"""Training steps per second of each model, compared with the first: random features, 128 captions per batch.

python benchmarks/steps.py
"""

import inspect
import time
from random import Random

import torch

from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.backbones import feature_dim
from itm_tutorial.models import Batch, FeatureSpec, build_model, list_models, model_class
from itm_tutorial.models._text_input import LearnedWords


def models() -> list[str]:
    """The models that train on any captions: without labels, fixed word vectors, pixels or mined concepts."""
    classes = {name: model_class(name) for name in list_models()}
    return [
        name
        for name, cls in classes.items()
        if cls.feature_kind == "global" and type(cls.text_input) is LearnedWords and not needs_options(cls)
    ]


def needs_options(cls: type) -> bool:
    """Whether a model has an option without a default, which its corpus must give."""
    options = inspect.signature(cls.__init__).parameters.values()
    return any(one.kind is one.KEYWORD_ONLY and one.default is one.empty for one in options)


def make_batch(n: int, vocabulary: Vocabulary, words: list[str], dim: int) -> Batch:
    """Random features, and captions of 5 to 15 random words, one per image."""
    rng = Random(0)
    captions = [" ".join(rng.choices(words, k=rng.randint(5, 15))) for _ in range(n)]
    return Batch(torch.randn(n, dim), vocabulary.encode(captions), torch.arange(n))


def measure(name: str, n: int, steps: int, **options) -> float:
    """Trains a model on one random batch.

    Args:
        name: of the model.
        n: captions, and images, in the batch.
        steps: number of timed steps, after three others.
        options: of the model.

    Returns:
        Steps per second, each with loss, gradients and Adam.
    """
    words = [f"word{number}" for number in range(600)]
    vocabulary, spec = Vocabulary.from_captions([" ".join(words)], 1), FeatureSpec()
    torch.manual_seed(0)
    model = build_model(name, vocabulary, spec, **options).train()
    optimizer, batch = torch.optim.Adam(model.parameters()), make_batch(n, vocabulary, words, feature_dim(spec))

    def step() -> None:
        parts = model.loss(batch)
        loss = sum(parts.values()) if isinstance(parts, dict) else parts
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for _ in range(3):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return steps / (time.perf_counter() - start)


def main() -> None:
    speeds = {name: measure(name, 128, 40) for name in models()}
    first, its_speed = next(iter(speeds.items()))
    lines = [
        f"{name} {speed:.1f} steps per second ({speed / its_speed:.2f} of {first})" for name, speed in speeds.items()
    ]
    print(f"{', '.join(lines)}, on {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
