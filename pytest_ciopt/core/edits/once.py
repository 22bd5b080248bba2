"""Whether a function may compute a value once and keep it, so that later callers run less. Pure.

What such a function runs on the first call, nobody else is seen to run: a cached function, and one
that fills an attribute, a dictionary or a global only where that is empty. **Source:** five real
failures that recorders of executed functions miss were all of this kind.
"""

import ast
import re
from collections.abc import Iterator

from pytest_ciopt.core.edits.decorators import is_fixture, is_harmless

_KEEPING = re.compile(r"cache|memo|once|lazy|singleton", re.IGNORECASE)
"""In the name of a decorator."""
_FILLING = frozenset(("setdefault", "setattr", "__setattr__", "update", "put", "set"))
_CHOOSES = (ast.If, ast.IfExp, ast.Try, ast.BoolOp, ast.While, ast.Match)


def keeps_values(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """True unless it plainly keeps nothing between calls."""
    if any(map(_may_keep, node.decorator_list)):
        return True
    inside = list(ast.walk(node))
    if not any(isinstance(one, _CHOOSES) for one in inside):
        return False
    if any(isinstance(one, ast.Global | ast.Nonlocal) for one in inside):
        return True
    local = {one.id for one in inside if isinstance(one, ast.Name) and _is_stored(one)}
    arguments = {one.arg for one in inside if isinstance(one, ast.arg)}
    stored = {name for one in inside for name in _stored(one, local)}
    stored.update(name for one in inside for name in _told(one, local | arguments))
    return not stored.isdisjoint(_looked_at(inside))


def _may_keep(decorator: ast.expr) -> bool:
    """Whether what it makes of a function may call that once: it says so, or nobody knows it."""
    if is_fixture(decorator):
        return False
    return not is_harmless(decorator) or _KEEPING.search(ast.unparse(decorator)) is not None


def _told(node: ast.AST, inner: set[str]) -> Iterator[str]:
    """Names of objects of others whose method is called for its effect: `DONE.add(x)`."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=base))) if _outlives(base, inner):
            yield _name(base)


def _is_stored(node: ast.Name | ast.Attribute | ast.Subscript) -> bool:
    return isinstance(node.ctx, ast.Store)


def _stored(node: ast.AST, local: set[str]) -> Iterator[str]:
    """Names of what outlives the call and is written to."""
    match node:
        case ast.Attribute(attr=name, value=base) if _is_stored(node) and _outlives(base, local):
            yield name
        case ast.Subscript(value=base) if _is_stored(node) and _outlives(base, local):
            yield _name(base)
        case ast.Call(func=ast.Attribute(attr=method, value=base)) if method in _FILLING:
            if _outlives(base, local):
                yield _name(base)
                yield from _texts(node)
        case ast.Call(func=ast.Name(id="setattr")):
            yield from _texts(node)


def _outlives(base: ast.expr, local: set[str]) -> bool:
    """Whether a value is none that the function has just made."""
    while isinstance(base, ast.Attribute | ast.Subscript):
        base = base.value
    return not (isinstance(base, ast.Name) and base.id in local)


def _name(base: ast.expr) -> str:
    match base:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner):
            return _name(inner)
    return ""


def _texts(call: ast.Call) -> Iterator[str]:
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


def _looked_at(inside: list[ast.AST]) -> set[str]:
    """Names that are read, as names, attributes or in texts."""
    found: set[str] = set()
    for node in inside:
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                found.add(name)
            case ast.Constant(value=str(name)):
                found.add(name)
    return found
