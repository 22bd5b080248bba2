"""Functions inside of a function: what Python calls them, and what each executes itself. Pure."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from pytest_ciopt.core.edits.stores import Function
from pytest_ciopt.core.edits.trees import children

_LOCALS = ".<locals>"
"""Follows the name of a function in the qualified names of those inside of it."""


class Inner(NamedTuple):
    """A function, or one inside of it."""

    name: str
    """What follows the qualified name of the outermost one: `.<locals>.g`, "" for itself."""
    code: tuple[ast.AST, ...]
    """All nodes that it executes itself."""
    is_suspended: bool
    """Whether a call of it executes nothing yet: a generator, a coroutine."""


def inner(function: Function) -> Iterator[Inner]:
    """A function, and all functions, lambdas and generator expressions inside of it."""
    waiting: list[tuple[ast.AST, str]] = [(function, "")]
    while waiting:
        node, name = waiting.pop()
        code: list[ast.AST] = []
        entering = [(one, f"{name}{_LOCALS}") for one in _executed(node)]
        while entering:
            one, scope = entering.pop()
            inside = _scope_of(one)
            code.append(one)
            if inside is None:
                entering.extend((child, scope) for child in children(one))
                continue
            own = _executed(one)
            outside = [child for child in children(one) if child not in own]
            entering.extend((child, scope) for child in outside)
            if isinstance(one, ast.ClassDef):
                entering.extend((child, f"{scope}.{inside}") for child in own)
            else:
                waiting.append((one, f"{scope}.{inside}"))
        yield Inner(name, tuple(code), _is_suspended(node, code))


def _scope_of(node: ast.AST) -> str | None:
    """The name of what has variables of its own, but for comprehensions, which may have none."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Lambda():
            return "<lambda>"
        case ast.GeneratorExp():
            return "<genexpr>"
    return None


def _executed(node: ast.AST) -> list[ast.AST]:
    """Children that are not executed where a function or class stands."""
    match node:
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body) | ast.ClassDef(body=body):
            return [*body]
        case ast.Lambda(body=value):
            return [value]
        case ast.GeneratorExp(elt=element, generators=generators):
            return [element, *generators]
    return []


def _is_suspended(function: ast.AST, code: list[ast.AST]) -> bool:
    if isinstance(function, ast.AsyncFunctionDef | ast.GeneratorExp):
        return True
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in code)
