"""Which modules a source loads when it is imported itself. Pure."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from pytest_ciopt.core.edits.trees import parse

_IMPORT = re.compile(
    rb"^(?:import|from)[ \t.][^\n(\\]*(?:\([^)]*\)|(?:\\\r?\n[^\n\\]*)+)?[^\n]*", re.MULTILINE
)
"""One that is not indented."""


class Import(NamedTuple):
    """One name of one import."""

    level: int
    """Dots before the module."""
    module: str
    """"" for a module that is imported as a whole by `import`."""
    name: str
    """What is imported; `*` for all."""


def loads(tree: ast.Module) -> frozenset[Import]:
    """What runs outside of functions, but for what only type checkers read."""
    return frozenset(_within(tree.body))


def may_load(source: bytes) -> frozenset[Import]:
    """The same, from the text and much sooner: indented imports are left out, and what only looks
    like one in a long string is taken for one."""
    found = (parse(match[0]) for match in _IMPORT.finditer(source))
    return frozenset(one for tree in found if tree is not None for one in loads(tree))


def _within(body: list[ast.stmt]) -> Iterator[Import]:
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (Import(0, "", alias.name) for alias in names)
            case ast.ImportFrom(names=names, module=module, level=level):
                yield from (Import(level, module or "", alias.name) for alias in names)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                pass
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from _within(statement.orelse)
            case ast.Match(cases=cases):
                for case in cases:
                    yield from _within(case.body)
            case _:
                for part in ("body", "orelse", "finalbody"):
                    inner = getattr(statement, part, [])
                    yield from _within(inner if isinstance(inner, list) else [])
                for handler in getattr(statement, "handlers", ()):
                    yield from _within(handler.body)
