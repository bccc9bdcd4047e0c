"""Feedback on an answer: whether it is still a stub, how its numbers or type differ, and why it raised an error."""

from __future__ import annotations

import builtins
import contextlib
import difflib
import inspect
import operator
import textwrap
from typing import Any

import torch
from torch import Tensor

# Sums of float32 in another order, and an epsilon of 1e-8, differ by less than this, and rounded answers by more.
ABSOLUTE, RELATIVE = 1e-5, 2e-6


def is_stub(answer: Any) -> bool:
    """Whether a function does nothing yet: its body is ``...`` or ``pass``."""

    def stub(): ...

    code = _attribute(answer, "__code__")
    if not inspect.iscode(code):
        return False
    return (code.co_code, code.co_consts) == (stub.__code__.co_code, stub.__code__.co_consts)


def as_numbers(value: Any) -> Tensor | None:
    """A number, tensor, array or list as float64, or None where it is nothing of the kind."""
    try:
        if inspect.isgenerator(value) or inspect.iscoroutine(value) or isinstance(value, str | bytes | bytearray):
            return None
        if not isinstance(value, Tensor):
            if torch.as_tensor(value).is_complex():
                return None
            value = torch.as_tensor(value, dtype=torch.float64)  # a plain float keeps all its digits
        with torch._C.DisableTorchFunctionSubclass():
            if value.is_complex() or value.is_meta:
                return None
            value = value.detach()
            dense = value.dequantize() if value.is_quantized else value
            dense = dense.to_dense() if dense.layout != torch.strided else dense
            return dense.as_subclass(Tensor).to("cpu", torch.float64)
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever an object of the learner raises, down to SystemExit: it is no tensor of numbers
        return None


def alike(a: Any, b: Any, scale: float = 1.0) -> bool:
    """Whether two answers are the same numbers in the same shape, made from inputs as large as ``scale``."""
    a, b = as_numbers(a), as_numbers(b)
    if a is None or b is None or a.shape != b.shape:
        return False
    return torch.allclose(a, b, atol=ABSOLUTE * scale, rtol=RELATIVE, equal_nan=True)


def scale_of(inputs: tuple) -> float:
    """The largest number of the inputs, from 1 to 1,000: what float32 loses in a difference grows with it."""
    tensors = [x[x.isfinite()].abs() for x in inputs if isinstance(x, Tensor) and x.is_floating_point()]
    return min(1000.0, max([1.0, *(float(x.max()) for x in tensors if x.numel())]))


def difference(found: Any, expected: Any, shape: str = "", scale: float = 1.0) -> str:
    """How the numbers of an answer differ from those expected.

    Args:
        found: the answer.
        expected: the correct one.
        shape: what the sizes mean, such as "[n_images, n_captions]".
        scale: how large the inputs are; rounding errors grow with it.

    Returns:
        The end of a sentence that starts with "it gives"; empty where the numbers are the same.
    """
    correct = as_numbers(expected)
    given = _shape_of(found)  # compared first: a tensor that is expanded to millions of entries is not to be copied
    if given is not None and given != list(correct.shape):
        return f"shape {given}, and the right shape is {list(correct.shape)}{shape and ', '}{shape}"
    numbers = as_numbers(found)
    if numbers is None:
        return _no_numbers(found)
    if numbers.shape != correct.shape:
        return f"shape {list(numbers.shape)}, and the right shape is {list(correct.shape)}{shape and ', '}{shape}"
    if numbers.isnan().any():
        return "NaN (which is 0 / 0, or the root or log of a negative number) for numbers that are all finite"
    if numbers.isinf().any():
        return "an infinity (a division by 0, or the log of 0) for numbers that are all finite"
    if alike(numbers, correct, scale):
        return ""
    worst = torch.unravel_index((numbers - correct).abs().argmax(), correct.shape)
    place = f" at {[int(i) for i in worst]}" if correct.ndim else ""
    return f"{_in_digits(numbers[worst].item(), correct[worst].item(), place)}"


def _in_digits(found: float, correct: float, place: str) -> str:
    """Two numbers with as many digits as tell them apart."""
    for digits in (4, 6, 8, 12, 17):
        one, other = f"{found:.{digits}g}", f"{correct:.{digits}g}"
        if one != other:
            break
    close = " (nearly: is something rounded, shifted or clamped?)" if digits > 4 else ""
    return f"{one}{place}, and right is {other}{close}"


def _shape_of(value: Any) -> list[int] | None:
    """The shape of a tensor or array, without reading its numbers; None for anything else."""
    with contextlib.suppress(Exception, SystemExit, GeneratorExit):
        return [int(size) for size in value.shape]
    return None


def _no_numbers(found: Any) -> str:
    """Why an answer can't be read as numbers, after "it gives"."""
    if inspect.isgenerator(found):
        found.close()
        return "a generator, which is no tensor of numbers: yield hands out values one by one, so end with return"
    if inspect.iscoroutine(found):
        found.close()
        return "a coroutine, which is no tensor of numbers: leave out async"
    if isinstance(found, Tensor):
        with contextlib.suppress(Exception):
            if found.is_complex():
                return "complex numbers, and every number here is real: end with .real"
            if found.is_meta:
                return "a tensor on the device meta, which has a shape and no numbers: leave out device="
        return f"{kind_of(found)} whose numbers cannot be read: make it with torch.tensor, torch.stack or the like"
    if isinstance(found, complex):
        return "a complex number, and every number here is real: end with .real"
    return f"{kind_of(found)}, which is no tensor of numbers"


def wrong_form(found: Any, expected: Any) -> str:
    """What is wrong with the type of an answer whose numbers are right, after "it gives"; empty if nothing is."""
    if not isinstance(expected, Tensor):
        if _is_plain(found, expected):
            return ""
        remedy = "end with .item()" if isinstance(found, Tensor) else "make it one with float(...)"
        return f"{kind_of(found)}, but the chapter needs a plain number: {remedy}."
    if not isinstance(found, Tensor):
        return f"{kind_of(found)}, but the chapter needs a tensor: torch.as_tensor(...) makes one."
    if found.layout != torch.strided or found.is_quantized:
        remedy = ".dequantize()" if found.is_quantized else ".to_dense()"
        kind = "quantized" if found.is_quantized else "sparse"
        return f"a {kind} tensor, but the chapter needs a dense one: end with {remedy}."
    if found.requires_grad:
        return "a tensor that carries a gradient, where none came in: leave out requires_grad and nn.Parameter."
    if type(found) is not Tensor:
        return f"{kind_of(found)}, but the chapter needs a plain tensor: end with .as_subclass(torch.Tensor)."
    if found.dtype != expected.dtype:
        name = str(found.dtype).removeprefix("torch.")
        return f"{name} numbers, but the chapter needs {expected.dtype}: end with .to({expected.dtype})."
    if found.device != expected.device:
        return f"a tensor on {found.device}, but the chapter needs {expected.device}: end with .cpu()."
    return ""


def _is_plain(found: Any, expected: float) -> bool:
    """Whether a value is a plain number; where a whole one is expected, any that Python counts with will do."""
    if isinstance(found, bool):
        return False
    if isinstance(found, int | float):
        return True
    if isinstance(expected, int):
        with contextlib.suppress(TypeError):
            return operator.index(found) == expected and "bool" not in str(_attribute(found, "dtype"))
    return False


def kind_of(value: Any) -> str:
    """The type of a value in words: "a list", "a numpy array"."""
    known = {"ndarray": "numpy array", "str": "text"}
    name = known.get(type(value).__name__, type(value).__name__) or "nameless object"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def same(a: Any, b: Any) -> bool:
    """Whether an input is unchanged; NaN counts as equal to NaN."""
    if not isinstance(a, Tensor):
        return a == b
    if a.shape != b.shape or a.dtype != b.dtype or a.layout != b.layout or a.device != b.device:
        return False
    return torch.equal(a, b) or bool(((a == b) | (a.isnan() & b.isnan())).all())


def in_words(names: list[str], inputs: tuple) -> str:
    """Inputs by name: tensors by their shapes, the rest by their values."""
    shown = (list(value.shape) if isinstance(value, Tensor) else value for value in inputs)
    return ", ".join(f"{name} {value}" for name, value in zip(names, shown, strict=True))


def why_it_stopped(error: BaseException, answer: Any) -> str:
    """What an answer raised, in words, after its name and "stopped with"."""
    name = type(error).__name__
    if isinstance(error, SystemExit):
        return f"{name}: exit(), quit() and sys.exit() end Python, so end a function with return."
    if isinstance(error, RecursionError):
        return f"{name}: it calls itself without end. Give it a case in which it returns at once."
    try:
        text = textwrap.shorten(str(error), 300) or "no message"
    except BaseException:  # the message of an exception class that the learner wrote
        text = "a message that cannot be read"
    return f"{name}: {text}.{near_name(error, answer)}"


def near_name(error: BaseException, answer: Any) -> str:
    """For an unknown name, the nearest known one as a sentence; else an empty text."""
    try:
        if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
            code = _attribute(answer, "__code__")
            local = code.co_varnames if inspect.iscode(code) else ()
            known = {*(_attribute(answer, "__globals__") or ()), *local, *dir(builtins)}
        elif isinstance(error, AttributeError) and error.obj is not None:
            known = set(dir(error.obj))
        else:
            return ""
        near = difflib.get_close_matches(error.name or "", sorted(known), n=1, cutoff=0.6)
    except Exception:  # names of the learner's own objects may be anything, and a suggestion is not worth a traceback
        return ""
    return f" Did you mean {near[0]}?" if near else ""


def _attribute(value: Any, name: str) -> Any:
    """An attribute, or None where there is none or reading it fails."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None
