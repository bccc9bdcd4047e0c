"""Which models there are: one file per method, found by its name and read without importing it.

A file of this folder that holds a class under ``@register_model(...)`` is a model, and the file's name is the model's
name. The arguments of the decorator are plain values, so that ``list_models`` can read them from the source: no other
file lists the models, and listing eighty of them imports none.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itm_tutorial.errors import ItmError, unknown

if TYPE_CHECKING:
    from itm_tutorial.models._base import Matching

FOLDER = Path(__file__).parent
DECORATOR = "register_model"
FIELDS = ("chapter", "paper", "variants")


@dataclass(frozen=True)
class Method:
    """One file of models: a published method and its variants.

    Attributes:
        name: of the file, and of the method's main model.
        chapter: where the course builds it, such as "02".
        paper: its key in the course's bibliography, empty where it has none.
        variants: names of other models of the same class -> the options that make them.
    """

    name: str
    chapter: str
    paper: str = ""
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """The names that ``create_model`` takes: the method's own, then its variants'."""
        return (self.name, *self.variants)


_CLASSES: dict[str, type[Matching]] = {}  # name of a file -> the class that it registered, once imported
_AT_RUN_TIME: dict[str, Method] = {}  # methods registered outside this folder, such as in a notebook


def register_model(
    *, chapter: str, paper: str = "", variants: Mapping[str, Mapping[str, Any]] | None = None, name: str | None = None
) -> Callable[[type[Matching]], type[Matching]]:
    """Makes a class known to ``create_model`` and ``list_models`` under the name of its file.

    Args:
        chapter: where the course builds it, such as "02".
        paper: its key in the course's bibliography.
        variants: names of published variants -> the options that make them.
        name: for a class outside ``models/``, such as one written in a notebook.

    Returns:
        A decorator that gives the class back.

    Raises:
        ItmError: a class outside ``models/`` without a name, or a name that another method has.

    Example:
        >>> @register_model(chapter="02", variants={"vse0": {"max_violation": False}})
        ... class VSEPP(Matching): ...
    """

    def register(cls: type[Matching]) -> type[Matching]:
        package, _, file = cls.__module__.rpartition(".")
        if package == __package__:
            method = Method(file, chapter, paper, variants or {})
        elif name is None:
            raise ItmError(f"{cls.__name__} is in no file of models/: give register_model a name=")
        else:
            method = Method(name, chapter, paper, variants or {})
            others = {model for other in _from_files() for model in other.models}
            if taken := sorted(others & set(method.models)):
                raise ItmError(f"register_model: the name {taken[0]!r} is taken: choose another")
            _AT_RUN_TIME[method.name] = method
        cls.method = method
        _CLASSES[method.name] = cls
        return cls

    return register


def list_methods() -> list[Method]:
    """Every method, by chapter and then by name.

    Raises:
        ItmError: a file of models/ does not give ``register_model`` plain values, or two files share a name.
    """
    methods = sorted([*_from_files(), *_AT_RUN_TIME.values()], key=lambda method: (method.chapter, method.name))
    owner: dict[str, str] = {}
    for method in methods:
        for model in method.models:
            if model in owner:
                raise ItmError(f"models/{method.name}.py and models/{owner[model]}.py both name {model!r}: rename one")
            owner[model] = method.name
    return methods


def list_models(chapter: str | None = None) -> list[str]:
    """The names that ``create_model`` takes, by chapter.

    Args:
        chapter: only the models of this one, such as "02".

    Returns:
        The names, each method's own before those of its variants.

    Raises:
        ItmError: no chapter of this name has models.
    """
    methods = list_methods()
    if chapter is not None and chapter not in {method.chapter for method in methods}:
        raise unknown("chapter", chapter, {method.chapter for method in methods})
    return [model for method in methods if chapter in (None, method.chapter) for model in method.models]


def method_of(name: str) -> Method:
    """The method that a model's name belongs to.

    Raises:
        ItmError: no model has this name; the message gives the nearest ones.
    """
    methods = list_methods()
    for method in methods:
        if name in method.models:  # a tuple: a name of another type is in none
            return method
    raise unknown("model", name, [model for method in methods for model in method.models])


def model_class(name: str) -> type[Matching]:
    """The class behind a model's name; only its own file is imported.

    Raises:
        ItmError: no model has this name; the message gives the nearest ones.
    """
    method = method_of(name)
    if method.name not in _CLASSES:
        import_module(f"{__package__}.{method.name}")
    return _CLASSES[method.name]


def _from_files() -> list[Method]:
    files = sorted(file for file in FOLDER.glob("*.py") if not file.name.startswith("_"))
    found = (_read(file, file.stat().st_mtime_ns) for file in files)
    return [method for method in found if method is not None]


@cache
def _read(file: Path, changed: int) -> Method | None:
    """What a file's decorator says, from its source; None where it registers nothing."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ItmError(f"models/{file.name} line {error.lineno}: {error.msg}") from error
    calls = [
        call
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == DECORATOR
    ]
    if not calls:
        return None
    if len(calls) > 1:
        raise ItmError(f"models/{file.name} line {calls[1].lineno}: a second {DECORATOR}; give it a file of its own")
    try:
        given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in calls[0].keywords}
        return Method(file.stem, **given)
    except (ValueError, TypeError) as error:
        where = f"models/{file.name} line {calls[0].lineno}"
        remedy = f"give it {', '.join(FIELDS)} as plain values, chapter at least"
        raise ItmError(f"{where}: {DECORATOR} cannot be read without running the file; {remedy}") from error
