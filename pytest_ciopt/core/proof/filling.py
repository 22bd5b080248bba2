"""Who has others keep a value where he finds that it is missing. Pure.

`if key not in TABLE: fill(key)` keeps nothing itself: the helper does, whether or not it is there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.edits.library import is_library
from pytest_ciopt.core.edits.looks import Looks
from pytest_ciopt.core.edits.uses import Uses
from pytest_ciopt.core.proof.evidence import MAKERS, Evidence
from pytest_ciopt.core.proof.keepers import Keepers
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import Sources, called_as, is_special, simple_name


class Filling:
    """Asked for a function and one that it calls."""

    def __init__(self, sources: Sources, evidence: Evidence, keepers: Keepers) -> None:
        self._sources, self._evidence, self._keepers = sources, evidence, keepers
        self._known: dict[tuple[Unit, Unit], list[Unit]] = {}
        self._known_writers: dict[Unit, Mapping[str, list[tuple[Unit, bool]]]] = {}
        self._written: dict[Unit, frozenset[tuple[str, bool]]] = {}

    def by(self, unit: Unit, called: Unit) -> Iterable[Unit]:
        """What a function looks at to find out whether it has to call another one, which keeps
        something there, by itself or by what it calls: paths and names, sorted."""
        key = (unit, called)
        if key not in self._known:
            self._known[key] = sorted(set(self._found(unit, called)))
        return self._known[key]

    def _found(self, unit: Unit, called: Unit) -> Iterator[Unit]:
        definition = self._keepers.definition(unit)
        if definition is None or (self._keepers.is_test(unit) and not definition.fixture):
            return
        if not self._evidence.stretches.without(unit, called):
            return
        name = called_as(called[1])
        is_named = name in definition.mentions
        looks = definition.uses.looks(name if is_named else None)
        if not (looks or looks.called):
            return
        asked = [*self._asked(unit, called, looks.asked)]
        looks = replace(looks, names=frozenset(self._variables(unit[0], looks.names)))
        if not is_named:  # by a variable, as dispatchers call anything
            looks = replace(looks, others=frozenset())
        looking = [(unit, definition, looks), *asked]
        for helper in self._evidence.called_by(unit):
            if helper != called and called_as(helper[1]) not in looks.called:
                continue
            near = {helper, *self._evidence.called_by(helper)}
            for who, what, at in looking:
                for below, name in self._written_below(helper, at, unit, who, what):
                    # What others look at is much, so who writes there has to be near.
                    if below == helper or (is_named and (who == unit or below in near)):
                        yield below[0], name
            own = self._keepers.definition(helper)
            if own is not None and helper != unit and own.uses.fills_arguments:
                given = {name for call, name in looks.given if call == called_as(helper[1])}
                yield from ((unit[0], name) for name in looks.names & given)

    def _asked(
        self, unit: Unit, called: Unit, names: frozenset[str]
    ) -> Iterator[tuple[Unit, Definition, Looks]]:
        """Functions that a function asks whether it has to call another one, by their names or by
        operators, and what those look at."""
        for other in self._evidence.called_by(unit):
            simple = simple_name(other[1])
            by_name = simple if is_special(simple) else called_as(other[1])
            if other in (unit, called) or by_name not in names:
                continue
            definition = self._keepers.definition(other)
            if definition is not None:
                seen = definition.uses.looked_up
                variables = frozenset(self._variables(other[0], seen))
                yield (
                    other,
                    definition,
                    Looks(names=variables, own=seen if "." in other[1] else frozenset()),
                )

    def _written_below(
        self, helper: Unit, looks: Looks, unit: Unit, looker: Unit, definition: Definition
    ) -> Iterator[tuple[Unit, str]]:
        """Who writes what is looked at, of a function and what it calls. `looker`: the function
        that looks, or one that it asks."""
        parts = {name for _, name in looks.parts}
        of_objects = {
            name for root, name in looks.parts if not self._keepers.is_module(looker[0], root)
        }
        by_name = self._writers(helper)
        for name in (parts | looks.names | looks.own | looks.others) & by_name.keys():
            for below, is_own in by_name[name]:
                scope = below[1].rpartition(".")[0]
                if below in (unit, looker):
                    continue
                if not is_own:
                    own = self._keepers.definition(below)
                    uses = Uses() if own is None else own.uses
                    is_look = name in parts or (looker == unit and name in looks.own)
                    is_part = name not in uses.variables_written - uses.attributes_written
                    is_it = (
                        (name in looks.others and below == helper and is_part)
                        or (is_look and name in uses.attributes_written)
                        or (
                            name in looks.names
                            and name in uses.variables_written | uses.attributes_written
                            and self._is_same(below[0], looker, name)
                        )
                    )
                else:
                    of_class = scope == definition.scope or self._has_bases(looker, definition)
                    is_it = (
                        name in of_objects
                        or (name in looks.own and of_class)
                        or (name in looks.others and below == helper)
                    ) and self._keepers.outlives_tests(below[0], scope)
                if is_it:
                    yield below, name

    def _writers(self, helper: Unit) -> Mapping[str, list[tuple[Unit, bool]]]:
        """By name who writes to it, of a function and what it calls, and whether that is an
        attribute of his own object. What tests write to their own is their business."""
        if helper not in self._known_writers:
            found: dict[str, list[tuple[Unit, bool]]] = {}
            of_known = set(self._evidence.called_below(helper, besides=MAKERS))
            for below in self._evidence.called_below(helper):
                if self._keepers.is_test(below) and not self._keepers.is_fixture(below):
                    continue
                for name, is_own in self._written_by(below):
                    if below in of_known or not is_own:  # else to what was made just now
                        found.setdefault(name, []).append((below, is_own))
            self._known_writers[helper] = found
        return self._known_writers[helper]

    def _written_by(self, unit: Unit) -> frozenset[tuple[str, bool]]:
        if unit not in self._written:
            own = self._keepers.definition(unit)
            found = set[tuple[str, bool]]()
            if own is not None:
                found.update((name, False) for name in own.uses.writes)
                if not self._sources.is_collected(unit[0]):
                    found.update((name, True) for name in own.uses.own_writes)
            self._written[unit] = frozenset(found)
        return self._written[unit]

    def _variables(self, path: str, names: Iterable[str]) -> Iterator[str]:
        """Those of some names that are variables of the module, or may be imported ones."""
        for name in names:
            known = self._keepers.bound(path, name)
            if known is not None and (
                known.kind is Kind.BINDING
                or (known.kind is Kind.IMPORT and not self._is_a_module(path, known))
            ):
                yield name

    def _is_a_module(self, path: str, known: Definition) -> bool:
        """Whether an import binds a module, or what comes from a library, be it that another module
        of the project imports that (`from .compat import sqlite3`)."""
        if known.is_module or is_library(known):
            return True
        found = [
            self._keepers.bound(file, name)
            for level, module, name in known.imported
            for file in self._sources.imported(path, level, module)
        ]
        return bool(found) and all(one is not None and one.is_module for one in found)

    def _is_same(self, path: str, unit: Unit, name: str) -> bool:
        """Whether a global name is the same in two modules, of which one may import it."""
        if path == unit[0]:
            return True
        known = self._keepers.bound(unit[0], name)
        return known is not None and bool(known.imported) and not known.is_module

    def _has_bases(self, unit: Unit, definition: Definition) -> bool:
        """Whether the class of a method inherits from others."""
        around = self._keepers.bound(unit[0], definition.scope) if definition.scope else None
        return around is not None and around.has_bases
