"""Which names a piece of Python reads and writes: so that a section is not kept without the one it depends on."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Names:
    """The names of the notebook that a cell depends on, and those that it makes or changes.

    Attributes:
        reads: names that must have been there before.
        writes: names that it assigns, imports, defines, or whose object it changes: ``x[0] = 1``, ``x.append(1)``,
            ``fit(x)``.
        imported: names of modules, and of what is imported from them: of this cell and of earlier ones.
    """

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)


def names_of(code: str, modules: Iterable[str] = ()) -> Names:
    """The names of a cell.

    Args:
        code: plain Python. What a function reads counts where the function is defined.
        modules: names that earlier cells imported: calling ``itm.fit`` does not change ``itm``.

    Returns:
        Names read before the cell itself writes them, and names written; builtins are among those read.

    Raises:
        SyntaxError: it is no Python.
    """
    found = Names(imported=set(modules))
    _follow(ast.parse(code).body, found)
    return found


def _follow(statements: Iterable[ast.stmt], found: Names) -> None:
    """Goes through statements in their order."""
    for one in statements:
        if isinstance(one, ast.For | ast.AsyncFor):
            _evaluate(one.iter, found)
            _assign(one.target, found)
            _follow([*one.body, *one.orelse], found)
        elif isinstance(one, ast.With | ast.AsyncWith):
            for item in one.items:
                _evaluate(item.context_expr, found)
                if item.optional_vars is not None:
                    _assign(item.optional_vars, found)
            _follow(one.body, found)
        elif isinstance(one, ast.If | ast.While):
            _evaluate(one.test, found)
            _follow([*one.body, *one.orelse], found)
        elif isinstance(one, ast.Try):
            _follow(one.body, found)
            for handler in one.handlers:
                if handler.type is not None:
                    _evaluate(handler.type, found)
                found.writes |= {handler.name} if handler.name else set()
                _follow(handler.body, found)
            _follow([*one.orelse, *one.finalbody], found)
        else:
            _evaluate(one, found)
            found.writes |= _assigned(one) | set(_changed(one, found.imported))
            if isinstance(one, ast.Import | ast.ImportFrom):
                found.imported |= _assigned(one)


def _evaluate(node: ast.stmt | ast.expr, found: Names) -> None:
    found.reads |= _referenced(symtable.symtable(ast.unparse(node), "cell", "exec"), True) - found.writes
    if isinstance(node, ast.AugAssign):
        found.reads |= {name for name in _bases(node.target) if name not in found.writes}
    found.writes |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}


def _assign(target: ast.expr, found: Names) -> None:
    found.reads |= {name for name in _bases(target, plain=False) if name not in found.writes}
    found.writes |= set(_bases(target))


def _referenced(table: symtable.SymbolTable, top: bool) -> set[str]:
    """The names that a scope and the scopes inside it take from the notebook."""
    here = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
    return here.union(*(_referenced(child, False) for child in table.get_children()))


def _assigned(statement: ast.stmt) -> set[str]:
    table = symtable.symtable(ast.unparse(statement), "cell", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}


def _changed(statement: ast.stmt, modules: set[str]) -> Iterator[str]:
    """The names whose objects a statement changes in place, as far as its text shows."""
    for node in _executed(statement):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
            for target in getattr(node, "targets", None) or [node.target]:
                yield from _bases(target)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fit":
            yield from (name for argument in node.args[:1] for name in _bases(argument))
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value.func
        if isinstance(called, ast.Attribute):  # a method of which only the effect is wanted
            yield from (name for name in _bases(called.value) if name not in modules)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, but for the bodies of functions and classes, which have names of their own."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _executed(child)


def _bases(target: ast.expr, plain: bool = True) -> Iterator[str]:
    """The names below a target such as ``x``, ``x.y[0]`` or ``(x, y)``; plain ones may be left out."""
    if isinstance(target, ast.Name):
        if plain:
            yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for one in target.elts:
            yield from _bases(one, plain)
    elif isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
        yield from _bases(target.value, True)
