"""The code that a claim's results depend on: what its models, corpora, measures and the training loop need.

The closure is read from the sources, definition by definition: a function, class or table counts together with every
name that it uses, in its own file or imported. A new function beside it, or a change in one that no arm reaches,
therefore voids nothing. Registries name what they make by string or by discovery, so that a new model is in no closure
but its own; the table of worlds in ``data/loading.py`` counts only with the claim's corpora. A branch behind
``if provides(x, "hook"):`` counts only where a class of the closure has a method of this name. Comments, docstrings,
annotations and layout do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.data.names import PUBLISHED
from itm_tutorial.errors import ItmError

PACKAGE = Path(__file__).parents[1]
LOADING = "data.loading"
# the table of public names, what messages say, bars, the question for an optional method
CANNOT_MOVE_A_NUMBER = ("", "errors", "progress", "models._hooks")
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
    """The closure of a claim, by file.

    Args:
        claim: the declaration.
        package: where the sources are.

    Returns:
        Name of a module below the package -> a digest of those of its statements that count.
    """
    return {module: code.digest(names) for module, (code, names) in _closure(claim, package).items()}


def definitions(claim: Claim, package: Path = PACKAGE) -> dict[str, set[str]]:
    """The closure of a claim, by name.

    Args:
        claim: the declaration.
        package: where the sources are.

    Returns:
        Name of a module below the package -> the functions, classes and other names of its top level that count.
    """
    found = _closure(claim, package)
    return {
        module: {name for one in code.needed(names) for name in one.binds} for module, (code, names) in found.items()
    }


def _closure(claim: Claim, package: Path) -> dict[str, tuple[_Code, set[str]]]:
    """Module -> its code, and the names by which others need it; "" stands for the whole file."""
    provided: frozenset[str] = frozenset()
    while True:  # a hook that is provided brings its branch, which may bring a class that provides another one
        found = _closure_with(claim, package, provided)
        hooks = {hook for code, _ in found.values() for hook in code.hooks}
        methods = {method for code, names in found.values() for one in code.needed(names) for method in one.methods}
        if hooks & methods <= provided:
            return found
        provided |= hooks & methods


def _closure_with(claim: Claim, package: Path, provided: frozenset[str]) -> dict[str, tuple[_Code, set[str]]]:
    """The same, without the branches behind hooks that are not among those provided."""
    found: dict[str, tuple[_Code, set[str]]] = {}
    todo = sorted(_roots(claim))
    while todo:
        module, name = _defined_in(package, *todo.pop())
        file = _file(package, module)
        if module in CANNOT_MOVE_A_NUMBER or file is None:
            continue
        corpora = tuple(claim.corpora) if module == LOADING else ()
        code, names = found.setdefault(module, (_read(file.read_text(encoding="utf-8"), corpora, provided), set()))
        if name not in names:
            names.add(name)
            todo += [imported for one in code.needed({name}) for imported in one.imports]
    return found


def _roots(claim: Claim) -> set[tuple[str, str]]:
    """Module below the package and name of the loop, of models, samplers, and every function that the claim names."""
    from itm_tutorial.chapters.runner import create_model, figures_of_seed, fit, load_corpus, score
    from itm_tutorial.models import model_class

    arms = [arm for arm in claim.arms if isinstance(arm, Arm)]
    named = [Claim, figures_of_seed, create_model, fit, load_corpus, score, *_functions([claim.arms, claim.measures])]
    named += [*(model_class(arm.model) for arm in arms), *_samplers(arms)]
    found = {(one.__module__, one.__qualname__.partition(".")[0]) for one in named}
    found |= {(f"itm_tutorial.data.readers.{PUBLISHED[name]}", "") for name in claim.corpora if name in PUBLISHED}
    return {
        (module.removeprefix("itm_tutorial."), name) for module, name in found if module.startswith("itm_tutorial.")
    }


def _samplers(arms: Sequence[Arm]) -> Iterator[Callable]:
    """The samplers that arms name, themselves or in a recipe."""
    from itm_tutorial.models import recipe_of
    from itm_tutorial.training.samplers import SAMPLERS

    for arm in arms:
        sampler = (arm.fit or {}).get("sampler", recipe_of(arm.model, "drawn").sampler)
        if sampler in SAMPLERS:
            yield SAMPLERS[sampler]


def _functions(value: Any) -> Iterator[Callable]:
    """Every function and class in a declaration."""
    if is_dataclass(value) and not isinstance(value, type):
        yield type(value)
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


def _defined_in(package: Path, module: str, name: str) -> tuple[str, str]:
    """What ``from module import name`` is about: a name and the module that defines it, or a submodule and ""."""
    inside = f"{module}.{name}".strip(".")
    if _file(package, inside):
        return (inside, "") if name else (module, "")
    file = _file(package, module)
    if name and file is not None and file.name == "__init__.py":
        tree = _parsed(file.read_text(encoding="utf-8"))
        for statement in tree.body:
            for bound, (other, original) in _imports_of(statement):
                if bound == name:
                    return _defined_in(package, other, original)
        if place := _late(tree, name):
            return _defined_in(package, f"{module}.{place}".strip("."), name)
    return module, name


def _late(tree: ast.Module, name: str) -> str:
    """Where a package has a name from that it loads when it is first used: a table of names and submodules."""
    for table in (getattr(statement, "value", None) for statement in tree.body):
        if isinstance(table, ast.Dict):
            for key, value in zip(table.keys, table.values, strict=True):
                if _is_text(key) and key.value == name and _is_text(value):
                    return value.value
    return ""


class _Statement:
    """A statement of a file's top level.

    Attributes:
        binds: the names that it defines, or whose value it may change; none for one that counts in any case.
        uses: the names that occur in it.
        imports: (module below the package, name imported from it), for every import statement in it.
        methods: the names of the methods of its classes.
        text: of the code without comments, docstrings and annotations.
    """

    def __init__(self, node: ast.stmt):
        nodes = list(_nodes(node))
        self.binds = set(_bindings(node))
        self.uses = {one.id for one in nodes if isinstance(one, ast.Name)}
        self.imports = [imported for one in nodes for _, imported in _imports_of(one)]
        classes = (one for one in nodes if isinstance(one, ast.ClassDef))
        self.methods = {method.name for one in classes for method in one.body if isinstance(method, ast.FunctionDef)}
        self.text = _dump(node)


class _Code:
    """A file as far as figures can depend on it.

    Attributes:
        hooks: the names of methods that the file asks for with ``provides``.
    """

    def __init__(self, tree: ast.Module, hooks: set[str]):
        self.hooks = hooks
        self.statements = [_Statement(one) for node in _body(tree) for one in _split(node)]
        self._binding = defaultdict(set)  # name -> numbers of the statements that bind it
        for number, one in enumerate(self.statements):
            for name in one.binds:
                self._binding[name].add(number)
        self._behind = {}  # name -> numbers of the statements behind it

    def needed(self, names: set[str]) -> list[_Statement]:
        """The statements behind some names of the file, in their order; all of them for a name that none binds."""
        kept = set().union(*map(self._statements_behind, names))
        return [self.statements[number] for number in sorted(kept)]

    def digest(self, names: set[str]) -> str:
        """Sixteen digits that change with what stands behind some names of the file."""
        text = "\n".join(one.text for one in self.needed(names))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _statements_behind(self, name: str) -> set[int]:
        if name not in self._binding:
            return set(range(len(self.statements)))
        if name not in self._behind:
            kept = {number for number, one in enumerate(self.statements) if not one.binds} | self._binding[name]
            todo = list(kept)
            while todo:
                new = set().union(*(self._binding.get(used, ()) for used in self.statements[todo.pop()].uses)) - kept
                kept |= new
                todo += new
            self._behind[name] = kept
        return self._behind[name]


_parsed = cache(ast.parse)


@cache
def _read(text: str, corpora: tuple[str, ...], provided: frozenset[str]) -> _Code:
    tree = _parsed(text)
    hooks = {_hook(node) for node in ast.walk(tree)} - {""}
    if not hooks <= provided:
        tree = _WithoutBranches(provided).visit(deepcopy(tree))
    return _Code(ast.Module([_entries(statement, corpora) for statement in tree.body], []) if corpora else tree, hooks)


def _hook(node: ast.AST) -> str:
    """The method that ``if provides(x, "name"):`` asks for; "" for any other node."""
    test = getattr(node, "test", None)
    asks = isinstance(node, ast.If) and isinstance(test, ast.Call) and getattr(test.func, "id", "") == "provides"
    return test.args[1].value if asks and len(test.args) == 2 and _is_text(test.args[1]) else ""


class _WithoutBranches(ast.NodeTransformer):
    """Replaces an ``if`` that asks for a hook which nothing provides by its ``else``."""

    def __init__(self, provided: frozenset[str]):
        self.provided = provided

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:  # noqa: N802
        self.generic_visit(node)
        return node.orelse if _hook(node) and _hook(node) not in self.provided else node


def _body(node: ast.Module) -> list[ast.stmt]:
    return next((value for name, value in _children(node) if name == "body"), [])


def _split(node: ast.stmt) -> list[ast.stmt]:
    """An import of several names as a statement for each, so that one can count without the others."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return [node]
    return [type(node)(**{**vars(node), "names": [alias]}) for alias in node.names]


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


def _bindings(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of the top level defines or may change, such as a table that gets an entry."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        for target in getattr(statement, "targets", None) or [statement.target]:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _entries(statement: ast.stmt, corpora: tuple[str, ...]) -> ast.stmt:
    """A table with an entry for every corpus asked for, cut down to these; anything else as it is."""
    table = getattr(statement, "value", None)
    if not isinstance(table, ast.Dict):
        return statement
    entries = {key.value: entry for key, entry in zip(table.keys, table.values, strict=True) if _is_text(key)}
    if not set(corpora) <= set(entries):
        return statement
    cut = ast.Dict([ast.Constant(name) for name in corpora], [entries[name] for name in corpora])
    return type(statement)(**{**vars(statement), "value": cut})


def _is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
