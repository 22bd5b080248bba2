"""Who learns of a definition while its module is imported: a base, a metaclass or a decorator may
keep account of it. Pure.

What code of the repository ran for it then is recorded, and what that writes to can be read. Where
other code may have been told, nobody knows.
"""

import builtins

from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.edits.library import (
    is_library,
    is_made_by_library,
    keeps_no_account_by_origin,
    keeps_nothing,
    keeps_nothing_by_origin,
    root_of,
)
from pytest_ciopt.core.edits.once import COMPUTED
from pytest_ciopt.core.history.traces import BODY
from pytest_ciopt.core.proof.evidence import MAKERS, Evidence
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import Sources
from pytest_ciopt.core.stdlib import STDLIB

_CONTAINERS = frozenset(
    name
    for kind in (dict, list, set, str, bytes, tuple)
    for name in dir(kind)
    if not name.startswith("_")
)


class Registry:
    """Finds out what was written to while something was defined."""

    def __init__(self, sources: Sources, evidence: Evidence) -> None:
        self._sources, self._evidence = sources, evidence
        self._known: dict[tuple[str, str, str], bool] = {}

    def written(self, path: str, name: str, definition: Definition) -> frozenset[Unit] | None:
        """Paths and names of what was written to; None where other code took part."""
        if self.is_told_to_others(path, definition):
            return None
        places = self._sources.places(path)
        lines = () if places is None else [n for n, names in places.lines.items() if name in names]
        if not lines:  # it was not there, or nobody knows where
            whole = self._sources.cut(path)
            alone = whole is not None and is_made_by_library(definition, whole.definitions)
            return frozenset() if alone else None
        if definition.scope and places is not None:  # there a descriptor is told its name
            lines += [n for n, names in places.lines.items() if definition.scope in names]
        below = self._evidence.below(path, lines)
        simple = {unit[1].rpartition(".")[2] for unit in below}
        found = set[Unit]()
        for unit in below - {unit for unit in below if unit[1] == BODY}:  # of lambdas
            cut = self._sources.cut(unit[0])
            called = None if cut is None else cut.definitions.get(unit[1])
            if called is None or COMPUTED in called.uses.stores:
                return None
            if not all(self._is_told_to_us(unit[0], one, simple) for one in called.uses.gives):
                return None
            made_here = any((unit[0], f"{called.scope}.{maker}") in below for maker in MAKERS)
            stores = (
                called.uses.stores if made_here else called.uses.stores | called.uses.own_stores
            )
            found.update((unit[0], stored) for stored in stores if stored)
        return frozenset(found)

    def is_told_to_others(self, path: str, definition: Definition) -> bool:
        """Whether installed code takes part in making it, and may keep it."""
        return not self._are_known(path, definition)

    def _is_told_to_us(self, path: str, called: str, below: set[str]) -> bool:
        """Whether something is given to code of the repository, or to nobody who keeps it."""
        last = called.rpartition(".")[2]
        if called == ".":  # a value itself, a class mostly
            return True
        if called.startswith("."):  # its methods have run, or are installed
            return last in below or last in _CONTAINERS or self._are_ours(last)
        return self.is_known(path, called)

    def is_known(self, path: str, dotted: str, scope: str = "") -> bool:
        """Whether code of the repository, or harmless code, lies behind a name, in the body of a
        class `scope` or outside of classes."""
        key = (path, scope, dotted)
        if key not in self._known:
            self._known[key] = True  # as long as nothing else is known
            self._known[key] = self._is_known(*key)
        return self._known[key]

    def _is_known(self, path: str, scope: str, dotted: str) -> bool:
        cut = self._sources.cut(path)
        definitions = {} if cut is None else cut.definitions
        root, definition = root_of(dotted, scope, definitions)
        if definition is None:
            return hasattr(builtins, root)
        if definition.imported and not self._imports_known(dotted, definition):
            return False
        if "." in dotted and definition.kind is Kind.FUNCTION:  # one asks what a decorator made
            makers = (root_of(one, definition.scope, definitions)[1] for one in definition.makers)
            return not any(one is not None and is_library(one) for one in makers)
        return definition.kind is Kind.IMPORT or self._is_ours(path, definition)

    def _imports_known(self, dotted: str, definition: Definition) -> bool:
        if definition.origins <= STDLIB:
            return keeps_nothing(dotted, definition)
        if keeps_nothing_by_origin(definition):
            return True
        own = all(map(self._sources.is_own, definition.origins))
        return own and self._are_ours(dotted.rpartition(".")[2])

    def _is_ours(self, path: str, definition: Definition) -> bool:
        """Whether nothing in what makes an object is installed code."""
        return definition.kind is Kind.FUNCTION or self._are_known(path, definition)

    def _are_known(self, path: str, definition: Definition) -> bool:
        """Whether all that takes part in making it is."""
        cut, scope = self._sources.cut(path), definition.scope
        inside = {} if cut is None else cut.definitions
        quiet = {one for one in definition.bases if keeps_no_account_by_origin(one, scope, inside)}
        return all(self.is_known(path, one, scope) for one in definition.makers - quiet)

    def _are_ours(self, name: str) -> bool:
        """Whether all definitions of a name are, wherever they stand; there must be one."""
        found = [
            self._is_ours(path, definition)
            for path in self._sources.defining(name)
            if (cut := self._sources.cut(path)) is not None
            for definition in cut.definitions.values()
            if definition.simple == name and definition.kind is not Kind.IMPORT
        ]
        return bool(found) and all(found)
