"""The code that a claim's results depend on: all imports of its models, corpora, measures and the training loop.

The closure is read from the import statements, those within functions included. Registries name what they make by
string or by discovery, so that a new model is in no closure but its own. ``data/loading.py``, which imports every
world, counts only with what loads the claim's corpora. Comments, docstrings, annotations and layout do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.data.names import PUBLISHED
from itm_tutorial.errors import ItmError

PACKAGE = Path(__file__).parents[1]
LOADING = "data.loading"
CANNOT_MOVE_A_NUMBER = ("", "errors", "progress")  # the table of public names, what messages say, bars
UNREAD = ("ctx", "kind", "type_comment", "type_params", "annotation", "returns")  # fields of the syntax tree


def digest(claim: Claim, package: Path = PACKAGE) -> str:
    """Sixteen digits that change with the declaration of a claim's arms and with the code in its closure.

    Args:
        claim: its effects do not count: they are computed from the figures.
        package: where the sources are.

    Returns:
        A hexadecimal number.
    """
    found = hashlib.sha256(_trained_by(claim).encode())
    for module, code in sorted(sources(claim, package).items()):
        found.update(f"\n{module} {code}".encode())
    return found.hexdigest()[:16]


def sources(claim: Claim, package: Path = PACKAGE) -> dict[str, str]:
    """The closure of a claim.

    Args:
        claim: the declaration.
        package: where the sources are.

    Returns:
        Name of a module below the package -> a digest of its code.
    """
    found: dict[str, str] = {}
    todo = sorted(_roots(claim))
    while todo:
        module = todo.pop()
        file = _file(package, module)
        if module in found or module in CANNOT_MOVE_A_NUMBER or file is None:
            continue
        code = _read(file.read_text(encoding="utf-8"), tuple(claim.corpora) if module == LOADING else ())
        found[module] = code.digest
        todo += [_defined_in(package, *imported) for imported in code.imports]
    return found


def _roots(claim: Claim) -> set[str]:
    """The modules, below the package, of the loop, of the models, and of every function that the claim names."""
    from itm_tutorial.chapters.runner import create_model, figures_of_seed, fit, load_corpus, score
    from itm_tutorial.models import model_class

    named = [figures_of_seed, create_model, fit, load_corpus, score]
    named += [model_class(arm.model) for arm in claim.arms if isinstance(arm, Arm)]
    modules = {f"itm_tutorial.data.readers.{PUBLISHED[name]}" for name in claim.corpora if name in PUBLISHED}
    modules |= {one.__module__ for one in [*named, *_functions([claim.arms, claim.measures])]}
    return {module.removeprefix("itm_tutorial.") for module in modules if module.startswith("itm_tutorial.")}


def _functions(value: Any) -> Iterator[Callable]:
    """Every function and class in a declaration."""
    if is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, one.name) for one in fields(value)]
    if isinstance(value, partial):
        value = [value.func, value.args, value.keywords]
    if callable(value):
        yield value
    elif isinstance(value, Mapping | tuple | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _functions(one)


def _trained_by(claim: Claim) -> str:
    """The part of a declaration that the figures depend on, as text that is the same in every process."""
    return _plain([claim.corpus, claim.configuration, claim.measures, claim.arms])


def _plain(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        value = {"": type(value).__name__, **{one.name: getattr(value, one.name) for one in fields(value)}}
    if isinstance(value, partial):
        value = [value.func, value.args, value.keywords]
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{_plain(key)}: {_plain(one)}" for key, one in value.items())) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if callable(value):
        name = getattr(value, "__qualname__", "<lambda>")
        if "<" in name:
            raise ItmError(f"a claim names the function {value!r}: define it with a name in the chapter's measures.py")
        return f"{value.__module__}.{name}"
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    raise ItmError(f"a claim holds {value!r}: declare it with plain data and functions")


def _file(package: Path, module: str) -> Path | None:
    place = package.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def _defined_in(package: Path, module: str, name: str) -> str:
    """The module that ``from module import name`` is about: a submodule, or where a package has the name from."""
    inside = f"{module}.{name}".strip(".")
    if _file(package, inside):
        return inside
    file = _file(package, module)
    if file is not None and file.name == "__init__.py":
        tree = _parsed(file.read_text(encoding="utf-8"))
        for statement in tree.body:
            for bound, (other, original) in _imports_of(statement):
                if bound == name:
                    return _defined_in(package, other, original)
        if place := _late(tree, name):
            return _defined_in(package, f"{module}.{place}".strip("."), name)
    return module


def _late(tree: ast.Module, name: str) -> str:
    """Where a package has a name from that it loads when it is first used: a table of names and submodules."""
    for table in (getattr(statement, "value", None) for statement in tree.body):
        if isinstance(table, ast.Dict):
            for key, value in zip(table.keys, table.values, strict=True):
                if _is_text(key) and key.value == name and _is_text(value):
                    return value.value
    return ""


class _Code:
    """A file as far as figures can depend on it.

    Attributes:
        imports: (module below the package, name imported from it), for every import statement.
        digest: of the code without comments, docstrings and annotations.
    """

    def __init__(self, tree: ast.AST):
        self.imports = [imported for node in _nodes(tree) for _, imported in _imports_of(node)]
        self.digest = hashlib.sha256(_dump(tree).encode()).hexdigest()[:16]


_parsed = cache(ast.parse)


@cache
def _read(text: str, corpora: tuple[str, ...]) -> _Code:
    return _Code(_loading_of(_parsed(text), corpora) if corpora else _parsed(text))


def _imports_of(node: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    """What an import statement binds: name here -> (module below the package, name there)."""
    if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("itm_tutorial."):
        for alias in node.names:
            yield alias.asname or alias.name, ((node.module or "").partition(".")[2], alias.name)
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.startswith("itm_tutorial."):
                yield alias.asname or alias.name, (alias.name.partition(".")[2], "")


def _children(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The fields of a node that the code's work depends on."""
    for name, value in ast.iter_fields(node):
        if name in UNREAD or value is None or value == []:
            continue
        if name == "body" and isinstance(value, list):
            first = value[0]
            if isinstance(first, ast.Expr) and _is_text(first.value):  # a docstring
                value = value[1:]
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                value = []
        yield name, value


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """As ``ast.walk``, without what does not count."""
    yield node
    for _, value in _children(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _nodes(child)


def _dump(node: Any) -> str:
    """As ``ast.dump``, without what does not count, and alike in every version of Python."""
    if isinstance(node, ast.AST):
        return f"{type(node).__name__}({', '.join(f'{name}={_dump(value)}' for name, value in _children(node))})"
    return f"[{', '.join(map(_dump, node))}]" if isinstance(node, list) else repr(node)


def _loading_of(tree: ast.Module, corpora: tuple[str, ...]) -> ast.Module:
    """The statements of ``data/loading.py`` that ``load_corpus`` needs for some corpora.

    Of its table from names to loaders only the entries of these corpora are kept, and of its imports only those that
    the kept functions use.
    """
    bound: dict[str, ast.stmt] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:  # a statement each, so that one can be kept without the others
                names = {**vars(statement), "names": [alias]}
                bound[alias.asname or alias.name.partition(".")[0]] = type(statement)(**names)
        bound |= dict.fromkeys(_bindings(statement), statement)
    kept: dict[str, ast.stmt] = {}
    todo = ["load_corpus"]
    while todo:
        name = todo.pop()
        if name in bound and name not in kept:
            kept[name] = _entries(bound[name], corpora)
            todo += [node.id for node in _nodes(kept[name]) if isinstance(node, ast.Name)]
    return ast.Module([kept[name] for name in sorted(kept)], []) if kept else tree


def _bindings(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return [node.id for target in targets if target is not None for node in ast.walk(target) if hasattr(node, "id")]


def _entries(statement: ast.stmt, corpora: tuple[str, ...]) -> ast.stmt:
    """A table with an entry for every corpus asked for, cut down to these; anything else as it is."""
    table = getattr(statement, "value", None)
    if not isinstance(table, ast.Dict):
        return statement
    entries = {key.value: entry for key, entry in zip(table.keys, table.values, strict=True) if _is_text(key)}
    if not set(corpora) <= set(entries):
        return statement
    return ast.Expr(ast.Dict([ast.Constant(name) for name in corpora], [entries[name] for name in corpora]))


def _is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
