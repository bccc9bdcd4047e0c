"""What an option may be: the types of numbers, and the one check of values against the annotations of a constructor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import ConfigDict, Field, PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from itm_tutorial.errors import ItmError, shown

LARGEST = 2**14  # numbers per embedding or layer; a larger network of this course would not fit a computer


def _number(kind: type, allowed: str, **limits: float) -> Any:
    return Annotated[kind, Field(description=allowed, **limits)]


# for annotations of options; a plain int, float, bool or str is checked too, for its type alone
Dimension = _number(int, f"a whole number from 1 to {LARGEST}", ge=1, le=LARGEST)
PositiveInt = _number(int, "a whole number from 1 up", ge=1, le=2**31 - 1)
Count = _number(int, "a whole number from 0 up", ge=0, le=2**31 - 1)
Seed = _number(int, "a whole number that fits 64 bits, such as 0", ge=-(2**63), le=2**63 - 1)
Int64 = _number(int, "a whole number that fits 64 bits", ge=-(2**63), le=2**63 - 1)
Fraction = _number(float, "a number from 0 to 1", ge=0, le=1)
Dropout = _number(float, "a number from 0 up to, but without, 1", ge=0, lt=1)
PositiveFloat = _number(float, "a number from a millionth to a million", ge=1e-6, le=1e6)
Weight = _number(float, "a number from 0 to a million", ge=0, le=1e6)
Rate = _number(float, "a number above 0, such as 0.001", gt=0)
Labels = Annotated[list[str], Field(min_length=1, description="a list of one or more texts")]

_PLAIN = {int: "a whole number", float: "a number", bool: "True or False", str: "a text", NoneType: "None"}
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


def option_types(constructor: Callable, keyword_only: bool = False) -> dict[str, Any]:
    """The options of a constructor or function.

    Args:
        constructor: such as ``cls.__init__``.
        keyword_only: only parameters behind the ``*``.

    Returns:
        Name -> annotation; ``Any`` where it has none, or one that names what is imported for type checkers alone.
    """
    scope = getattr(constructor, "__globals__", {})
    kinds = (Parameter.KEYWORD_ONLY,) if keyword_only else (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    parameters = signature(constructor).parameters.values()
    return {p.name: _resolved(p.annotation, scope) for p in parameters if p.kind in kinds and p.name != "self"}


def _resolved(annotation: Any, scope: dict[str, Any]) -> Any:
    if annotation is Parameter.empty:
        return Any
    try:
        return get_type_hints(SimpleNamespace(__annotations__={"it": annotation}), scope, include_extras=True)["it"]
    except NameError:
        return Any


def check_options(where: str, types: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Checks options against their types; none is converted but NumPy's numbers to Python's.

    Args:
        where: what has the options, for the message: a model, a function.
        types: name of an option -> what it may be, such as ``Dimension`` or ``str | None``.
        values: name of an option -> its value; names without a type are left alone.

    Returns:
        The values.

    Raises:
        ItmError: a value has another type or is out of range; the message says what is allowed.

    Example:
        >>> check_options("fit", {"epochs": PositiveInt}, {"epochs": 3})
        {'epochs': 3}
    """
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
    for name, value in plain.items():
        if types.get(name, Any) is not Any:
            _check(where, name, types[name], value)
    return plain


def _check(where: str, name: str, kind: Any, value: Any) -> None:
    try:
        adapter = _adapter(kind)
    except PydanticUserError:  # a new model's annotation that no value can be checked against
        return
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError as error:
        part = "".join(f"[{key!r}]" for key in error.errors(include_url=False)[0]["loc"] if isinstance(key, int))
        remedy = f"; give {allowed(kind)}"
        raise ItmError(f"{where}: {name} is {shown(value)}{', wrong at ' + part if part else ''}{remedy}") from error
    except RecursionError as error:
        raise ItmError(f"{where}: {name} is nested too deep; give {allowed(kind)}") from error


def _adapter(kind: Any) -> TypeAdapter:
    try:
        return TypeAdapter(kind, config=_STRICT)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":  # a TypedDict and a dataclass may get none from outside
            raise
        return TypeAdapter(kind)


def allowed(kind: Any) -> str:
    """What a type allows, in words: ``Dropout | None`` -> "a number from 0 up to, but without, 1, or None"."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        found = (getattr(one, "description", None) for one in inside[1:])
        return next(filter(None, found), None) or allowed(inside[0])
    if origin in (Union, UnionType):
        return ", or ".join(map(allowed, inside))
    if origin is Literal:
        return " or ".join(map(repr, inside))
    if origin in (list, Sequence):
        return "a list" + (f", each of it {allowed(inside[0])}" if inside else "")
    if origin in (dict, Mapping) or kind is dict or is_typeddict(kind):
        return "a dictionary"
    if isinstance(kind, type) and kind not in _PLAIN:
        return f"a {kind.__name__}"
    return _PLAIN.get(kind) or getattr(kind, "__name__", str(kind))
