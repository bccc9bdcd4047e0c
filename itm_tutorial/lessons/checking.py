"""What an exercise is, and how an answer to it is checked: on random inputs, against a reference, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

ROUNDS = 5


@dataclass(frozen=True)
class Exercise:
    """A function that the learner writes.

    Attributes:
        name: of the function.
        minutes: it may take.
        difficulty: 1 to 3.
        hints: from the gentlest to the plainest.
        reference: the right answer, written as a plain loop.
        own: the package's version, with which the chapter goes on.
        inputs: draws arguments from a random generator.
        mistakes: wrong versions, each with the words that name what went wrong.
    """

    name: str
    minutes: int
    difficulty: int
    hints: tuple[str, ...]
    reference: Callable
    own: Callable
    inputs: Callable[[torch.Generator], tuple]
    mistakes: tuple[tuple[Callable, str], ...]

    def hint(self, number: int = 1) -> None:
        """Prints a hint; a larger number says more."""
        number = min(max(1, number), len(self.hints))
        print(f"Hint {number} of {len(self.hints)}: {self.hints[number - 1]}")

    def check(self, answer: Callable) -> Callable:
        """Checks an answer and says what is wrong with it.

        Args:
            answer: the learner's function.

        Returns:
            The answer where it is right, else the package's own version, so that the chapter goes on.
        """
        verdict = self.verdict(answer)
        print(verdict)
        return answer if verdict.startswith("Right") else self.own

    def verdict(self, answer: Callable) -> str:
        """What ``check`` prints."""
        wrong = dict.fromkeys(message for _, message in self.mistakes)
        generator = torch.Generator().manual_seed(0)
        first_difference = ""
        for _ in range(ROUNDS):
            inputs = self.inputs(generator)
            expected = self.reference(*inputs)
            try:
                found = answer(*inputs)
            except NotImplementedError:
                found = ...
            except Exception as error:
                return (
                    f"{self.name} stopped with {type(error).__name__}: {error}. Print the shapes of what you combine."
                )
            if found is ... or found is None:
                return f"{self.name} is not written yet: the chapter goes on with the package's own. {self.hints[0]}"
            if alike(found, expected):
                continue
            first_difference = first_difference or f"for one input it gives {_short(found)}, and not {_short(expected)}"
            wrong = {m: None for mistake, m in self.mistakes if m in wrong and alike(_result(mistake, inputs), found)}
        if not first_difference:
            return f"Right: {self.name} agrees with the reference on {ROUNDS} random inputs."
        return f"Not yet. {next(iter(wrong), f'{self.name}: {first_difference}.')}"


def _result(mistake: Callable, inputs: tuple) -> Any:
    return mistake(*inputs)


def alike(a: Any, b: Any) -> bool:
    """Whether two answers are the same numbers in the same shape."""
    try:
        a, b = (torch.as_tensor(x, dtype=torch.float64) for x in (a, b))
    except (TypeError, ValueError, RuntimeError):  # no numbers: an answer of the wrong sort is merely not alike
        return False
    return a.shape == b.shape and torch.allclose(a, b, atol=1e-5, rtol=1e-5)


def _short(value: Any) -> str:
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return f"a {type(value).__name__}, which is no tensor of numbers"
    return f"shape {list(tensor.shape)}" if tensor.numel() > 6 else str(tensor.tolist())
