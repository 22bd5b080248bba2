"""Says which definitions two texts of a module disagree on.

The pieces are compared by `ast.dump` of the same interpreter, never across interpreters. No IO;
knows nothing of tests (that is `core/edits/reach.py`).
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ciopt.core.edits.cutting import module
from pytest_ciopt.core.edits.definitions import Module


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


def _content(module: Module, name: str) -> tuple[str, ...] | None:
    found = module.definitions.get(name)
    if found is None:
        return None
    described = found.annotated, found.noted, found.documented
    return (found.content, found.decorators, *described)
