"""What an exercise is, and how an answer to it is checked on random inputs against a reference."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from itm_tutorial.chapters.feedback import alike, difference, in_words, is_stub, kind_of, near_name, same, wrong_form

ROUNDS = 8  # of each kind of input


@dataclass(frozen=True)
class Exercise:
    """A function that the learner writes.

    Attributes:
        name: of the function.
        minutes: it may take.
        difficulty: 1 to 3.
        hints: from the gentlest to the plainest.
        reference: the correct answer, written as a plain loop; its parameters name the inputs.
        own: the package's version, with which the chapter goes on.
        inputs: name of a kind of input, as in "wrong for ..." -> a function that draws the arguments.
        mistakes: wrong versions, each with the message that names the mistake.
        shape: what the sizes of the answer mean, such as "[n_images, n_captions]"; empty for one number.
    """

    name: str
    minutes: int
    difficulty: int
    hints: tuple[str, ...]
    reference: Callable
    own: Callable
    inputs: Mapping[str, Callable[[torch.Generator], tuple]]
    mistakes: tuple[tuple[Callable, str], ...]
    shape: str = ""

    @property
    def parameters(self) -> list[str]:
        """The names of the inputs."""
        return list(inspect.signature(self.reference).parameters)

    @property
    def first_line(self) -> str:
        """How an answer starts, such as ``def cosine_scores(images, captions):``."""
        return f"def {self.name}({', '.join(self.parameters)}):"

    def hint(self, number: int = 1) -> None:
        """Prints a hint; a larger number says more."""
        number = min(max(1, number), len(self.hints))
        print(_filled(f"Hint {number} of {len(self.hints)}: {self.hints[number - 1]}"))

    def solution(self) -> None:
        """Prints the package's own version."""
        print(inspect.getsource(self.own).replace(self.own.__name__, self.name).rstrip())

    def check(self, answer: Callable) -> Callable:
        """Checks an answer and says what is wrong with it.

        Args:
            answer: the learner's function.

        Returns:
            The answer if it is correct, else the package's own version, so that the chapter goes on.
        """
        verdict = self.verdict(answer)
        print(_filled(verdict))
        return answer if verdict.startswith("Right") else self.own

    def verdict(self, answer: Callable) -> str:
        """What ``check`` prints: "Right: ...", "Not yet. ..." or how to begin."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            message = self._refused(answer) or self._compared(answer)
        lines = printed.getvalue().strip().splitlines()
        return message + (f"\nThe first line that it printed: {textwrap.shorten(lines[0], 200)}" if lines else "")

    def _refused(self, answer: Any) -> str:
        """Why an answer cannot be called, or nothing."""
        if answer is ... or answer is None or is_stub(answer):
            return self._unwritten()
        if not callable(answer):
            return f"Not yet. {self.name} is {kind_of(answer)} here, and no function: start with {self.first_line}"
        try:
            taken = inspect.signature(answer)
        except (TypeError, ValueError):  # a function written in C may have no signature
            return ""
        try:
            taken.bind(*self.parameters)
        except TypeError:
            return (
                f"Not yet. {self.name} takes {taken}, and the chapter calls it otherwise: start with {self.first_line}"
            )
        return ""

    def _unwritten(self) -> str:
        return (
            f"{self.name} is not written yet: the chapter goes on with the package's own. {self.hints[0]} "
            f"More: exercises.{self.name}.hint(2)"
        )

    def _compared(self, answer: Callable) -> str:
        """Tries the answer on every kind of input, on copies, so that in-place changes do not spoil the comparison."""
        generator = torch.Generator().manual_seed(0)
        wrong: dict[str, str] = {}  # kind of input -> the first difference
        candidates = self.mistakes
        for kind, draw in self.inputs.items():
            for _ in range(ROUNDS):
                inputs = draw(generator)
                given = copy.deepcopy(inputs)
                try:
                    found = answer(*given)
                except NotImplementedError:
                    return self._unwritten()
                except Exception as error:
                    return self._stopped(error, answer, inputs)
                if found is ...:
                    return self._unwritten()
                if found is None:
                    return f"Not yet. {self.name} gives nothing back: end it with return; print only shows a value."
                expected = self.reference(*copy.deepcopy(inputs))
                candidates = [c for c in candidates if alike(_result_of(c[0], inputs), found)]
                if differs := difference(found, expected, self.shape):
                    wrong.setdefault(kind, differs)
                elif message := self._careless(found, expected, inputs, given):
                    return f"Not yet. The numbers are right, but {self.name} {message}"
        return self._report(wrong, candidates)

    def _stopped(self, error: Exception, answer: Callable, inputs: tuple) -> str:
        return (
            f"Not yet. {self.name} stopped with {type(error).__name__}: {error}.{near_name(error, answer)} "
            f"It was called with {in_words(self.parameters, inputs)}."
        )

    def _careless(self, found: Any, expected: Any, inputs: tuple, given: tuple) -> str:
        """What is wrong although the numbers are right: an input was changed, or the result has another type."""
        triples = zip(self.parameters, inputs, given, strict=True)
        if changed := [name for name, before, after in triples if not same(before, after)]:
            return (
                f"changes {' and '.join(changed)} for whoever called it: operators such as /= and methods that end "
                "in _ work in place. Write x = x / y."
            )
        form = wrong_form(found, expected)
        return form and f"gives {form}"

    def _report(self, wrong: dict[str, str], candidates: list[tuple[Callable, str]]) -> str:
        if not wrong:
            return f"Right: {self.name} agrees with the reference on {ROUNDS * len(self.inputs)} random inputs."
        right = [kind for kind in self.inputs if kind not in wrong]
        where = f" It is right for {' and '.join(right)}, and wrong for {' and '.join(wrong)}." if right else ""
        if candidates:
            return f"Not yet. {candidates[0][1]}{where}"
        kind, differs = next(iter(wrong.items()))
        stuck = f"Stuck? exercises.{self.name}.hint(1)"
        return f"Not yet. For {kind} {self.name} gives {differs}.{where} {stuck}"


def random_size(g: torch.Generator, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high - 1``, for the shapes of random inputs."""
    return int(torch.randint(low, high, (), generator=g))


def _filled(text: str) -> str:
    """Lines of a width that a notebook shows without breaking words."""
    return "\n".join(textwrap.fill(line, 100) for line in text.splitlines())


def _result_of(mistake: Callable, inputs: tuple) -> Any:
    """What a typical mistake gives; None where it cannot take these inputs."""
    try:
        return mistake(*copy.deepcopy(inputs))
    except (RuntimeError, IndexError, ValueError):
        return None
