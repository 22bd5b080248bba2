"""Syntax trees: how they are made and walked, and whether two of them mean the same.

All that is needed of an edited module that is no test: its own room, for it imports little.
No IO.
"""

import ast
import warnings
from itertools import zip_longest

from pytest_ciopt.core.edits.words import MAX_SOURCE


def parse(source: bytes) -> ast.Module | None:
    """The tree, or None for what cannot be parsed (syntax, encoding, size, nesting)."""
    if len(source) > MAX_SOURCE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the code that is read: not ours to tell
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def complaints(source: bytes) -> tuple[str, ...] | None:
    """What Python warns of when it compiles a text, sorted; None for what it does not compile, be
    it that a tree can be made of it."""
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            compile(source, "<source>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tuple(sorted(str(one.message) for one in told))


def same(before: ast.AST, after: ast.AST) -> bool:
    """Whether two trees are equal but for positions. Stops at the first difference."""
    waiting: list[tuple[object, object]] = [(before, after)]
    while waiting:
        one, other = waiting.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, ast.AST):
            waiting.extend((getattr(one, f, None), getattr(other, f, None)) for f in one._fields)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            waiting.extend(zip_longest(one, other))
        elif one != other or repr(one) != repr(other):  # 0.0 == -0.0, but they differ
            return False
    return True


def walk(top: ast.AST) -> list[ast.AST]:
    """A node and all below it, those near it first. As `ast.walk`, in a third of the time, for
    which it leaves out what has nothing to tell: contexts and operators."""
    found = [top]
    for node in found:  # which grows
        found.extend(children(node))
    return found


def children(node: ast.AST) -> list[ast.AST]:
    """As `ast.iter_child_nodes`, but for contexts and operators."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if type(value) is list:
            found.extend(one for one in value if isinstance(one, ast.AST))
        elif isinstance(value, ast.AST) and value._fields:
            found.append(value)
    return found


def without_docstring(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> list[ast.stmt]:
    """The statements of a function or class, but for a docstring."""
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())), *others]:
            return others
    return node.body
