"""An exercise, and the check of an answer on random inputs against a reference."""

from __future__ import annotations

import contextlib
import copy
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from itm_tutorial.chapters import attempts
from itm_tutorial.chapters.adversarial import VARIATIONS, varied
from itm_tutorial.chapters.feedback import (
    alike,
    difference,
    in_words,
    is_stub,
    kind_of,
    same,
    scale_of,
    why_it_stopped,
    wrong_form,
)
from itm_tutorial.chapters.surroundings import Surroundings, printable, recorded

ROUNDS, VARIED_ROUNDS = 8, 4  # of each kind of input that an exercise draws, and of each variation


@dataclass(frozen=True)
class Exercise:
    """A function that the learner writes.

    Attributes:
        name: of the function.
        minutes: how long it may take.
        difficulty: 1 to 3.
        hints: from the smallest to the largest.
        reference: the correct answer, written as a plain loop; its parameters name the inputs.
        own: the package's version, with which the chapter continues.
        inputs: name of a kind of input, as in "wrong for ..." -> a function that draws the arguments.
        mistakes: wrong versions, each with the message that names the mistake.
        shape: what the sizes of the answer mean, such as "[n_images, n_captions]"; empty for one number.
        varied: the parameters that may have any numbers, for which ties, zeros and the other variations are tried;
            None for every floating tensor.
        spared: the variations that the exercise leaves open, such as ties where no rule breaks them.
        remarks: kind of input -> what an answer that is wrong there and matches no typical mistake overlooks.
        conduct: the inputs after the call -> what is wrong with how the answer was computed; empty if nothing is.
        begin: how to begin, printed for an untouched stub; it gives no hint away. By default it names the inputs and
            the shape of the answer.
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
    varied: tuple[str, ...] | None = None
    spared: tuple[str, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)
    conduct: Callable[[tuple], str] | None = None
    begin: str = ""

    @property
    def chapter(self) -> str:
        """Whose exercise it is, such as "00_start_here"; empty for one that is no chapter's."""
        package = getattr(self.own, "__module__", "").removeprefix("itm_tutorial.chapters.").partition(".")[0]
        return package.removeprefix("ch") if package[2:4].isdigit() else ""

    @property
    def parameters(self) -> list[str]:
        """The names of the inputs."""
        return list(inspect.signature(self.reference).parameters)

    @property
    def first_line(self) -> str:
        """How an answer starts, such as ``def cosine_scores(images, captions):``."""
        return f"def {self.name}({', '.join(self.parameters)}):"

    @property
    def kinds(self) -> dict[str, Callable[[torch.Generator], tuple]]:
        """Every kind of input that is tried: those of the exercise, and the same with their numbers varied."""
        drawn = next(iter(self.inputs.values()))(torch.Generator().manual_seed(0))
        places = [
            place
            for place, (name, value) in enumerate(zip(self.parameters, drawn, strict=True))
            if isinstance(value, torch.Tensor)
            and value.is_floating_point()
            and (self.varied is None or name in self.varied)
        ]
        tried = {kind: one for kind, one in VARIATIONS.items() if places and kind not in self.spared}
        draws = tuple(self.inputs.values())
        return {**self.inputs, **{kind: varied(draws, one.change, places) for kind, one in tried.items()}}

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
            The answer if it is correct, else the package's own version, so that the chapter continues.
        """
        verdict = self.verdict(answer)
        print(_filled(verdict))
        right = verdict.startswith("Right")
        if right or verdict.startswith("Not yet"):  # an untouched stub is no attempt
            attempts.remember(self.chapter, self.name, attempts.SOLVED if right else attempts.TRIED)
        return answer if right else self.own

    def verdict(self, answer: Callable, seed: int = 0) -> str:
        """What ``check`` prints: "Right: ...", "Not yet. ..." or how to begin.

        Args:
            answer: the learner's function.
            seed: of the random inputs; ``check`` takes 0, and the hidden tests of a graded lab another.
        """
        with recorded() as printed:
            message = self._refused(answer) or self._compared(answer, seed)
        lines = printed.getvalue().strip().splitlines()
        message += f"\nThe first line that it printed: {textwrap.shorten(lines[0], 200)}" if lines else ""
        return printable(message)

    def _refused(self, answer: Any) -> str:
        """Why an answer cannot be called, or nothing."""
        if answer is ... or answer is None or is_stub(answer):
            return self._unwritten()
        if not callable(answer):
            return f"Not yet. {self.name} is {kind_of(answer)} here, not a function: start with {self.first_line}"
        try:
            taken = inspect.signature(answer)
        except Exception:  # a function written in C may have no signature, an object of the learner's a broken one
            return ""
        try:
            taken.bind(*self.parameters)
        except TypeError:
            called = "but the chapter calls it with other arguments"
            return f"Not yet. {self.name} takes {taken}, {called}: start with {self.first_line}"
        return ""

    def _unwritten(self) -> str:
        *first, last = self.parameters
        inputs = f"{', '.join(first)} and {last}" if first else last
        begin = self.begin or f"Replace the dots by code that takes {inputs} and returns {self.shape or 'a number'}."
        return (
            f"{self.name} is not written yet: the chapter continues with the package's version. {begin} "
            f"For a hint, run exercises.{self.name}.hint()."
        )

    def _compared(self, answer: Callable, seed: int) -> str:
        """Tries the answer on every kind of input, on copies, so that in-place changes do not spoil the comparison."""
        generator = torch.Generator().manual_seed(seed)
        wrong: dict[str, str] = {}  # kind of input -> the first difference
        candidates, careless, notes = self.mistakes, "", []
        for kind, draw in self.kinds.items():
            hopeless = wrong and not candidates  # nothing more is to be learned from the variations
            for _ in range(0 if hopeless and kind not in self.inputs else self._rounds(kind)):
                inputs = draw(generator)
                given, surroundings = copy.deepcopy(inputs), Surroundings()
                try:
                    found = answer(*given)
                except NotImplementedError:
                    return self._unwritten()
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # exit() raises SystemExit: it must not end the notebook
                    return self._stopped(error, answer, inputs, kind)
                finally:
                    changed, note = surroundings.restore()
                if found is ...:
                    return self._unwritten()
                if found is None:
                    return f"Not yet. {self.name} returns nothing: end it with return; print only shows a value."
                expected, scale = self.reference(*copy.deepcopy(inputs)), scale_of(inputs)
                try:
                    candidates = [c for c in candidates if alike(_result_of(c[0], inputs), found, scale)]
                    if differs := difference(found, expected, self.shape, scale):
                        wrong.setdefault(kind, differs)
                    else:
                        careless = careless or self._careless(found, expected, inputs, given, changed)
                except KeyboardInterrupt:
                    raise
                except BaseException:  # an object whose attributes, or a tensor whose functions, raise what they like
                    form = "a plain tensor" if isinstance(expected, torch.Tensor) else "a plain number"
                    return f"Not yet. {self.name} gives {kind_of(found)}, which cannot be read: give {form}."
                notes += [note] if note else []
                if kind in wrong and not candidates:
                    break
        if careless and not wrong:
            return f"Not yet. The numbers are right, but {self.name} {careless}"
        return self._report(wrong, candidates, notes)

    def _rounds(self, kind: str) -> int:
        return ROUNDS if kind in self.inputs else VARIED_ROUNDS

    def _stopped(self, error: BaseException, answer: Callable, inputs: tuple, kind: str) -> str:
        remark = self._remark(kind)
        return (
            f"Not yet. {self.name} stopped with {why_it_stopped(error, answer)} "
            f"It was called with {in_words(self.parameters, inputs)}."
            f"{remark and f' This is the case of {kind}: {remark}'}"
        )

    def _remark(self, kind: str) -> str:
        """What an answer that is wrong for this kind of input probably overlooks."""
        return self.remarks.get(kind) or (VARIATIONS[kind].remark if kind in VARIATIONS else "")

    def _careless(self, found: Any, expected: Any, inputs: tuple, given: tuple, changed: str) -> str:
        """What is wrong although the numbers are right: a changed input or setting, another type, too many calls."""
        triples = zip(self.parameters, inputs, given, strict=True)
        if spoilt := [name for name, before, after in triples if not _unchanged(before, after)]:
            return (
                f"changes {' and '.join(spoilt)} for whoever called it: operators such as /= and methods that end "
                "in _ work in place. Write x = x / y."
            )
        if form := wrong_form(found, expected):
            return f"gives {form}"
        return changed or (self.conduct(given) if self.conduct else "")

    def _report(self, wrong: dict[str, str], candidates: list[tuple[Callable, str]], notes: list[str]) -> str:
        if not wrong:
            note = notes and f" It {notes[0]}; a torch.Generator of its own would leave those of the notebook alone."
            n_inputs = sum(map(self._rounds, self.kinds))
            return f"Right: {self.name} agrees with the reference on {n_inputs} random inputs.{note or ''}"
        right = [kind for kind in self.inputs if kind not in wrong]
        failed = [kind for kind in wrong if kind in self.inputs] or list(wrong)[:2]
        where = f" It is right for {' and '.join(right)}, and wrong for {' and '.join(failed)}." if right else ""
        if candidates:
            return f"Not yet. {candidates[0][1]}{where}"
        kind, differs = next(iter(wrong.items()))
        remark = self._remark(kind)
        stuck = f"Stuck? exercises.{self.name}.hint(1)"
        return f"Not yet. For {kind} {self.name} gives {differs}.{remark and ' '}{remark}{where} {stuck}"


def random_size(g: torch.Generator, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high - 1``, for the shapes of random inputs."""
    return int(torch.randint(low, high, (), generator=g))


def _filled(text: str) -> str:
    """Lines of a width that a notebook shows without breaking words."""
    return "\n".join(textwrap.fill(line, 100, break_on_hyphens=False) for line in text.splitlines())


def _unchanged(before: Any, after: Any) -> bool:
    """Whether an answer left an input as it was; one that cannot even be compared any more was changed."""
    with contextlib.suppress(Exception):
        return same(before, after)
    return False


def _result_of(mistake: Callable, inputs: tuple) -> Any:
    """What a typical mistake gives; None where it cannot take these inputs."""
    try:
        return mistake(*copy.deepcopy(inputs))
    except (RuntimeError, IndexError, ValueError):
        return None
