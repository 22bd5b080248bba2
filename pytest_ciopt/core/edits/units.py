"""Says which definitions two texts of a module disagree on.

The pieces are compared by `ast.dump` of the same interpreter, never across interpreters. No IO;
knows nothing of tests (that is `core/edits/reach.py`).
"""

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pytest_ciopt.core.edits.definitions import Module, module

MAX_SOURCE = 2_000_000
"""Bytes above which a source is not parsed: `ast` needs some hundred times its size in memory."""


@dataclass(frozen=True, slots=True)
class Edit:
    """How two texts of a module differ."""

    before: Module
    after: Module
    names: frozenset[str]
    """Qualified names of definitions added, removed or changed."""
    effects: bool

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not self.names and not self.effects


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


def edit(before: ast.Module, after: ast.Module) -> Edit:
    """The difference of two trees, by definition.

    Where expressions are nested too deep to be compared, code that runs at import changed.
    """
    try:
        old, new = module(before), module(after)
    except RecursionError:
        nothing = Module({}, ())
        return Edit(nothing, nothing, frozenset(), effects=True)
    names = {
        name
        for name in old.definitions.keys() | new.definitions.keys()
        if _content(old, name) != _content(new, name)
    }
    effects = old.effects != new.effects or _reordered(old.order, new.order)
    return Edit(old, new, frozenset(names), effects)


def _reordered(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether what both texts run at import comes in another order."""
    common = set(old) & set(new)
    return [o for o in old if o in common] != [n for n in new if n in common]


def _content(module: Module, name: str) -> tuple[str, str] | None:
    found = module.definitions.get(name)
    return None if found is None else (found.content, found.decorators)
