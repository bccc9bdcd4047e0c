"""Every exercise of every chapter: spoilt versions of its solution are refused, and odd answers end in words."""

import copy
import random
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from itm_tutorial import chapters
from itm_tutorial.chapters.adversarial import VARIATIONS
from itm_tutorial.chapters.exercise import Exercise
from itm_tutorial.chapters.feedback import as_numbers, scale_of

LESSONS = sorted(file.parent.name for file in Path(chapters.__file__).parent.glob("*/exercises.py"))
EXERCISES = [one for lesson in LESSONS for one in import_module(f"itm_tutorial.chapters.{lesson}.exercises").EXERCISES]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


def like(value, change):
    """Applies a change to the numbers of an answer, and gives the result the answer's own form."""
    if isinstance(value, torch.Tensor):
        return change(value.double()).to(value.dtype)
    return type(value)(change(torch.tensor(float(value), dtype=torch.float64)))


def constant():
    first = []

    def of(value):
        first.append(value)
        return copy.deepcopy(first[0]) if not isinstance(value, torch.Tensor) else torch.full_like(value, 0.5)

    return of


# What is done to the solution's answer. Each refuses to stay unnoticed wherever it changes the numbers.
MUTANTS = {
    "rounded to one decimal": lambda: lambda value: like(value, lambda x: x.round(decimals=1)),
    "rounded to a whole number": lambda: lambda value: like(value, torch.round),
    "shifted by 0.01": lambda: lambda value: like(value, lambda x: x + 0.01),
    "one percent more": lambda: lambda value: like(value, lambda x: x * 1.01),
    "clamped at 0": lambda: lambda value: like(value, lambda x: x.clamp(min=0)),
    "clamped at 1": lambda: lambda value: like(value, lambda x: x.clamp(max=1)),
    "the sign turned": lambda: lambda value: like(value, lambda x: -x),
    "without a sign": lambda: lambda value: like(value, torch.abs),
    "transposed": lambda: lambda value: value.T.contiguous() if getattr(value, "ndim", 0) == 2 else value,
    "in reversed order": lambda: lambda value: value.flip(0) if getattr(value, "ndim", 0) else value,
    "sorted": lambda: lambda value: value.sort(0).values if getattr(value, "ndim", 0) else value,
    "the first row only": lambda: lambda value: value[:1].expand_as(value) if getattr(value, "ndim", 0) else value,
    "a constant": constant,
}


def changes(exercise, mutant):
    """Whether a mutant changes the numbers of the solution on fresh inputs by more than rounding does."""
    generator, spoil = torch.Generator().manual_seed(5), mutant()
    for draw in exercise.kinds.values():
        for _ in range(2):
            inputs = draw(generator)
            right = as_numbers(exercise.own(*copy.deepcopy(inputs)))
            spoilt = as_numbers(spoil(exercise.own(*copy.deepcopy(inputs))))
            if right.shape != spoilt.shape:
                return True
            if ((right - spoilt).abs() > 1e-3 * scale_of(inputs) + 1e-4 * right.abs()).any():
                return True
    return False


@every_exercise
def test_an_unwritten_answer_says_how_to_begin(exercise, exercise_checks):
    exercise_checks.stubs(exercise)


@every_exercise
def test_hints_and_solution(exercise, exercise_checks):
    exercise_checks.hints_and_solution(exercise)


@every_exercise
def test_a_spoilt_solution_is_refused_wherever_it_differs(exercise):
    refused = 0
    for name, mutant in MUTANTS.items():
        spoil = mutant()
        verdict = exercise.verdict(lambda *inputs, spoil=spoil: spoil(exercise.own(*inputs)))
        if changes(exercise, mutant):
            assert verdict.startswith("Not yet."), f"{name}: {verdict}"
            refused += 1
    assert refused >= 2


@every_exercise
def test_a_solution_that_changes_its_inputs_is_refused(exercise):
    def changed_afterwards(*inputs):
        found = exercise.own(*inputs)
        for value in inputs:
            if isinstance(value, torch.Tensor):
                value.copy_(value.flip(0) if value.dtype == torch.bool else value + 1)
        return found

    first = next(iter(exercise.inputs.values()))(torch.Generator().manual_seed(0))
    verdict = exercise.verdict(changed_afterwards)
    if any(isinstance(value, torch.Tensor) for value in first):
        assert verdict.startswith("Not yet. The numbers are right, but") and "for whoever called it" in verdict
    else:
        assert verdict.startswith("Right")


def raises(error):
    def answer():
        raise error

    return answer


class Unreadable(torch.Tensor):
    """A tensor that refuses whatever is done with it."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise ValueError("no")


class Evil:
    """An object whose every attribute ends Python."""

    def __getattribute__(self, name):
        raise SystemExit(name)


class Mumbling(Exception):
    def __str__(self):
        raise ValueError("no message")


def endless():
    return endless()


def nested():
    found = []
    found.append(found)
    return found


def closes_its_output():
    import sys

    print("heard")
    sys.stdout.close()
    return 0.123


# Whatever a function gives back or raises ends in words: what it does -> words of the verdict.
ODD = {
    "exit": (lambda: exit(), "exit(), quit() and sys.exit() end Python"),
    "a base exception": (raises(GeneratorExit()), "stopped with GeneratorExit"),
    "no end": (endless, "calls itself without end"),
    "an error without words": (raises(Mumbling()), "a message that cannot be read"),
    "a long error": (raises(ValueError("a " * 9999)), "[...]"),
    "an escape sequence": (raises(ValueError("\x1b[31mred\udc80")), "\\x1b[31mred\\udc80"),
    "a generator": (lambda: (x for x in ()), "so end with return"),
    "a meta tensor": (lambda: torch.zeros((), device="meta"), "Not yet."),
    "a complex number": (lambda: 1j, "Not yet."),
    "complex numbers": (lambda: torch.zeros((), dtype=torch.complex64), "Not yet."),
    "a sparse tensor": (lambda: torch.eye(3).to_sparse(), "Not yet."),
    "a compressed tensor": (lambda: torch.eye(3).to_sparse_csr(), "Not yet."),
    "a quantized tensor": (lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8), "Not yet."),
    "a nested tensor": (lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]), "Not yet."),
    "a subclass": (lambda: torch.zeros(3).as_subclass(Unreadable), "Not yet."),
    "an object": (lambda: Evil(), "Not yet."),
    "a nameless class": (lambda: type("", (), {})(), "a nameless object"),
    "a list in itself": (nested, "Not yet."),
    "a ragged list": (lambda: [[1.0], [1.0, 2.0]], "Not yet."),
    "an array of objects": (lambda: np.array([None, "a"], dtype=object), "Not yet."),
    "a large whole number": (lambda: 10**400, "Not yet."),
    "bytes": (lambda: b"12", "Not yet."),
    "millions of entries": (lambda: torch.zeros(1).expand(10**12), "shape [1000000000000]"),
    "NaN": (lambda: float("nan"), "Not yet."),
    "an infinity": (lambda: float("inf"), "Not yet."),
    "a function": (lambda: exit, "Not yet."),
    "a closed output": (closes_its_output, "The first line that it printed: heard"),
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("exercise", (EXERCISES[0], EXERCISES[2]), ids=lambda exercise: exercise.name)
def test_an_odd_answer_ends_in_words(exercise, what):
    odd, words = ODD[what]
    verdict = exercise.verdict(lambda *inputs: odd())
    assert verdict.startswith("Not yet.") and words in verdict, verdict


@every_exercise
def test_the_solution_in_an_odd_form_ends_in_words(exercise):
    forms = {
        "sparse": lambda x: x.to_sparse(),
        "meta": lambda x: x.to("meta"),
        "complex": lambda x: x.to(torch.complex64),
        "array": lambda x: x.numpy(),
        "list": lambda x: x.tolist(),
        "parameter": lambda x: torch.nn.Parameter(x.float()),
        "subclass": lambda x: x.as_subclass(type("Scores", (torch.Tensor,), {})),
    }
    for form in forms.values():

        def answer(*inputs, form=form):
            return form(torch.as_tensor(exercise.own(*inputs)))

        verdict = exercise.verdict(answer)
        assert verdict.startswith(("Not yet.", "Right")), verdict
        if exercise.shape:
            assert verdict.startswith("Not yet."), verdict


def test_a_keyboard_interrupt_is_let_through():
    with pytest.raises(KeyboardInterrupt):
        EXERCISES[0].verdict(lambda *inputs: raises(KeyboardInterrupt())())


@pytest.mark.parametrize("exercise", EXERCISES[::6], ids=lambda exercise: exercise.name)
def test_an_answer_that_draws_random_numbers_may_be_right_and_draws_none_for_others(exercise):
    def drawing(*inputs):
        torch.manual_seed(3)
        torch.rand(2), np.random.rand(), random.random()
        return exercise.own(*inputs)

    torch.manual_seed(11)
    before = (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate())
    verdict = exercise.verdict(drawing)
    after = (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate())
    assert verdict.startswith("Right") and "global random numbers; a torch.Generator of its own" in verdict
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: torch.set_default_dtype(torch.float64), "changes torch's default dtype for the whole notebook"),
        (lambda: torch.set_grad_enabled(False), "switches gradients on or off for the whole notebook"),
    ],
)
def test_an_answer_that_changes_a_setting_is_told_and_the_setting_put_back(change, words):
    exercise = EXERCISES[0]

    def answer(*inputs):
        found = exercise.own(*inputs)
        change()
        return found

    verdict = exercise.verdict(answer)
    assert verdict.startswith("Not yet. The numbers are right, but") and words in verdict
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()


def test_an_answer_that_changes_the_folder_is_told_and_the_folder_put_back(tmp_path, monkeypatch):
    import os

    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside").mkdir()

    def answer(*inputs):
        os.chdir(tmp_path / "inside")
        return EXERCISES[0].own(*inputs)

    assert "changes the folder that the notebook works in" in EXERCISES[0].verdict(answer)
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("exercise", EXERCISES[::6], ids=lambda exercise: exercise.name)
def test_every_verdict_is_the_same_each_time(exercise):
    answer = exercise.mistakes[0][0]
    assert exercise.verdict(answer) == exercise.verdict(answer)


def test_a_new_exercise_is_tried_on_every_variation():
    def best(scores):
        return scores.amax(1)

    new = Exercise(
        name="best",
        minutes=5,
        difficulty=1,
        hints=("a", "b", "c"),
        reference=lambda scores: torch.tensor([max(row) for row in scores.tolist()]),
        own=best,
        inputs={"random scores": lambda g: (torch.rand(3, 4, generator=g),)},
        mistakes=(),
        shape="[n]",
    )
    assert set(new.kinds) == {"random scores", *VARIATIONS}
    assert new.verdict(best).startswith("Right")
    filled = new.verdict(lambda scores: torch.cat([scores, torch.zeros(3, 1)], 1).amax(1))
    assert "numbers that are all negative" in filled and "Fill with minus infinity" in filled
    assert "near zero" in new.verdict(lambda scores: scores.amax(1).where(scores.amax(1).abs() > 1e-3, 0.0))


@every_exercise
def test_variations_that_are_spared_or_named_exist(exercise):
    assert set(exercise.spared) <= set(VARIATIONS)
    assert set(exercise.varied or ()) <= set(exercise.parameters)
    assert set(exercise.remarks) <= set(exercise.kinds)
