"""Feedback on an answer: whether it is still a stub, how its numbers or its type differ, why it stopped."""

from __future__ import annotations

import builtins
import difflib
from typing import Any

import torch
from torch import Tensor


def is_stub(answer: Any) -> bool:
    """Whether a function does nothing yet: its body is ``...`` or ``pass``."""

    def stub(): ...

    code = getattr(answer, "__code__", None)
    return code is not None and (code.co_code, code.co_consts) == (stub.__code__.co_code, stub.__code__.co_consts)


def as_numbers(value: Any) -> Tensor | None:
    """A number, tensor, array or list as float64, or None where it is nothing of the kind."""
    try:
        return torch.as_tensor(value, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None


def alike(a: Any, b: Any) -> bool:
    """Whether two answers are the same numbers in the same shape."""
    a, b = as_numbers(a), as_numbers(b)
    if a is None or b is None or a.shape != b.shape:
        return False
    return torch.allclose(a, b, atol=1e-5, rtol=1e-5, equal_nan=True)


def difference(found: Any, expected: Any, shape: str = "") -> str:
    """How the numbers of an answer differ from those expected.

    Args:
        found: the answer.
        expected: the correct one.
        shape: what the sizes mean, such as "[n_images, n_captions]".

    Returns:
        The end of a sentence that starts with "it gives"; empty where the numbers are the same.
    """
    numbers, correct = as_numbers(found), as_numbers(expected)
    if numbers is None:
        return f"{kind_of(found)}, which is no tensor of numbers"
    if numbers.shape != correct.shape:
        return f"shape {list(numbers.shape)}, and the right shape is {list(correct.shape)}{shape and ', '}{shape}"
    if numbers.isnan().any():
        return "NaN (which is 0 / 0, or the root or log of a negative number) for numbers that are all finite"
    if numbers.isinf().any():
        return "an infinity (a division by 0, or the log of 0) for numbers that are all finite"
    if alike(numbers, correct):
        return ""
    worst = torch.unravel_index((numbers - correct).abs().argmax(), correct.shape)
    place = f" at {[int(i) for i in worst]}" if correct.ndim else ""
    return f"{numbers[worst].item():.4g}{place}, and right is {correct[worst].item():.4g}"


def wrong_form(found: Any, expected: Any) -> str:
    """What is wrong with the type of an answer whose numbers are right, after "it gives"; empty if nothing is."""
    if not isinstance(expected, Tensor):
        if isinstance(found, int | float) and not isinstance(found, bool):
            return ""
        remedy = "end with .item()" if isinstance(found, Tensor) else "make it one with float(...)"
        return f"{kind_of(found)}, and the chapter goes on with a plain number: {remedy}."
    if not isinstance(found, Tensor):
        return f"{kind_of(found)}, and the chapter goes on with a tensor: torch.as_tensor(...) makes one."
    if found.requires_grad:
        return "a tensor that carries a gradient, where none came in: leave out requires_grad and nn.Parameter."
    if found.dtype != expected.dtype:
        name = str(found.dtype).removeprefix("torch.")
        return f"{name} numbers, and the chapter goes on with {expected.dtype}: end with .to({expected.dtype})."
    return ""


def kind_of(value: Any) -> str:
    """The type of a value in words: "a list", "a numpy array"."""
    name = {"ndarray": "numpy array", "str": "text"}.get(type(value).__name__, type(value).__name__)
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def same(a: Any, b: Any) -> bool:
    """Whether an input is unchanged; NaN counts as equal to NaN."""
    if not isinstance(a, Tensor):
        return a == b
    return torch.equal(a, b) or (a.shape == b.shape and bool(((a == b) | (a.isnan() & b.isnan())).all()))


def in_words(names: list[str], inputs: tuple) -> str:
    """Inputs by name: tensors by their shapes, the rest by their values."""
    shown = (list(value.shape) if isinstance(value, Tensor) else value for value in inputs)
    return ", ".join(f"{name} {value}" for name, value in zip(names, shown, strict=True))


def near_name(error: Exception, answer: Any) -> str:
    """For an unknown name, the nearest known one as a sentence; else an empty text."""
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        code = getattr(answer, "__code__", None)
        known = {*getattr(answer, "__globals__", ()), *(code.co_varnames if code else ()), *dir(builtins)}
    elif isinstance(error, AttributeError) and error.obj is not None:
        known = set(dir(error.obj))
    else:
        return ""
    near = difflib.get_close_matches(error.name or "", sorted(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""
