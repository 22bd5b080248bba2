"""Annotations of functions that importing a module does not evaluate: texts for whoever asks. Pure.

Those of local variables are never evaluated. **Source:** PEP 526 (variables), PEP 563
(`from __future__ import annotations`), PEP 649 (every module from Python 3.14 on).
"""

import ast
import sys
from collections.abc import Iterator, Set
from copy import copy
from typing import NamedTuple, TypeGuard, TypeVar

from pytest_ciopt.core.edits.stores import Function
from pytest_ciopt.core.edits.trees import walk

_Node = TypeVar("_Node", bound=ast.AST)
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
"""What statements call the lists of statements in them, or of what holds some."""
_ANNOTATING = (ast.stmt, ast.excepthandler, ast.match_case, ast.arguments, ast.arg)
"""Nodes that may have annotations, or hold others that may."""


class Unevaluated(NamedTuple):
    """Annotations of a function, and in it."""

    of_function: tuple[tuple[str, ast.expr], ...] = ()
    """Names of parameters, or "return", and the annotations. Those of functions inside of it are
    not among them: whoever calls it may be given one of these."""
    of_variables: tuple[tuple[str, ast.expr], ...] = ()
    """What is annotated, and the annotations."""

    @property
    def nodes(self) -> frozenset[ast.expr]:
        """All of them."""
        return frozenset(node for _, node in (*self.of_function, *self.of_variables))

    @property
    def types(self) -> frozenset[ast.expr]:
        """Those that are types alone, and nothing in which values are put for others to find, such
        as `Annotated[Store, Depends(opened)]`."""
        return frozenset(node for node in self.nodes if not _holds_values(node))


def are_lazy(tree: ast.Module) -> bool:
    """Whether the annotations of functions in a module are not evaluated when these are defined."""
    return sys.version_info >= (3, 14) or any(map(is_future, tree.body))


def is_future(statement: ast.stmt) -> bool:
    """Whether it makes the annotations of a module texts."""
    return (
        isinstance(statement, ast.ImportFrom)
        and statement.module == "__future__"
        and any(alias.name == "annotations" for alias in statement.names)
    )


def unevaluated(function: Function, *, lazy: bool) -> Unevaluated:
    """Where they are not `lazy`, those that are constants: evaluating one does nothing."""
    of_function = (one for one in _named(function) if lazy or isinstance(one[1], ast.Constant))
    of_variables: list[tuple[str, ast.expr]] = []
    waiting: list[tuple[ast.AST, bool]] = [(function, True)]
    while waiting:
        node, is_local = waiting.pop()
        if isinstance(node, Function | ast.ClassDef):
            is_local = isinstance(node, Function)
        elif isinstance(node, ast.AnnAssign) and is_local:
            of_variables.append((ast.dump(node.target), node.annotation))
        waiting.extend((one, is_local) for name in _BLOCKS for one in getattr(node, name, ()))
    return Unevaluated(tuple(of_function), tuple(of_variables))


def _holds_values(annotation: ast.expr) -> bool:
    for node in walk(annotation):
        match node:
            case ast.Call() | ast.Lambda() | ast.Name(id="Annotated"):
                return True
            case ast.Attribute(attr="Annotated"):
                return True
            case ast.Constant(value=str(text)) if "(" in text or "Annotated" in text:
                return True
    return False


def annotations(function: Function) -> Iterator[ast.expr]:
    """Those of parameters and of what is returned, evaluated or not."""
    return (annotation for _, annotation in _named(function))


def _named(node: Function) -> Iterator[tuple[str, ast.expr]]:
    arguments = node.args
    several = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    for argument in (*several, arguments.vararg, arguments.kwarg):
        if argument is not None and argument.annotation is not None:
            yield argument.arg, argument.annotation
    if node.returns is not None:
        yield "return", node.returns


def without(node: _Node, annotations: Set[ast.AST]) -> _Node:
    """The same without some annotations. What has none of them is shared."""
    if not annotations:
        return node
    changed: dict[str, object] = {}
    for name in node._fields:
        value = getattr(node, name, None)
        if type(value) is list:
            several = [without(one, annotations) if _may_have(one) else one for one in value]
            if any(new is not old for new, old in zip(several, value, strict=True)):
                changed[name] = several
        elif isinstance(value, ast.AST) and value in annotations:
            changed[name] = None
        elif _may_have(value) and (single := without(value, annotations)) is not value:
            changed[name] = single
    if not changed:
        return node
    made = copy(node)
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def _may_have(node: object) -> TypeGuard[ast.AST]:
    return isinstance(node, _ANNOTATING)
