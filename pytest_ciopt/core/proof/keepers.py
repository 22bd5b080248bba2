"""Which functions keep what others compute, so that a later test runs less. Pure.

How a function is written tells that it may keep something; what was recorded tells whether objects
outlive tests, and whether a function that somebody may call once was left out at all.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.edits.library import is_library
from pytest_ciopt.core.edits.once import Keeping, Looks
from pytest_ciopt.core.proof.evidence import MAKERS, Evidence, unit_of
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import Sources, called_as, simple_name
from pytest_ciopt.core.testfiles import CONFTEST


class Keepers:
    """Asked for one function at a time."""

    def __init__(self, sources: Sources, evidence: Evidence) -> None:
        self._sources, self._evidence = sources, evidence
        self._definitions: dict[Unit, Definition | None] = {}
        self._outliving: dict[Unit, bool] = {}
        self._filled: dict[tuple[Unit, Unit], frozenset[Unit]] = {}
        self._known_writers: dict[Unit, Mapping[str, list[tuple[Unit, bool]]]] = {}
        self._written: dict[Unit, frozenset[tuple[str, bool]]] = {}

    def definition(self, unit: Unit) -> Definition | None:
        """A function as it is now."""
        if unit not in self._definitions:
            cut = self._sources.around(unit[0], simple_name(unit[1]))
            self._definitions[unit] = None if cut is None else cut.definitions.get(unit[1])
        return self._definitions[unit]

    def keeps(self, unit: Unit, called: Unit | None) -> Iterator[Keeping]:
        """What a function keeps of what it calls, as far as it may reach another test."""
        definition = self.definition(unit)
        if definition is None or (self.is_test(unit) and not definition.fixture):
            return
        for keeping in definition.uses.keeps:
            if called is None or keeping.may_spare(called_as(called[1]), definition.mentions):
                if keeping.of_self and not self._outlives_tests(unit[0], definition.scope):
                    continue
                if keeping.wrapped and not self._may_be_wrapped(unit, keeping.wrapped):
                    continue
                if not self._is_of_python(unit[0], keeping):
                    yield keeping

    def filled(self, unit: Unit, called: Unit) -> Iterable[Unit]:
        """What a function looks at to find out whether it has to call another one, which keeps
        something there, by itself or by what it calls: paths and names."""
        key = (unit, called)
        if key not in self._filled:
            self._filled[key] = frozenset(self._filled_by(unit, called))
        return self._filled[key]

    def _filled_by(self, unit: Unit, called: Unit) -> Iterator[Unit]:
        definition = self.definition(unit)
        if definition is None or (self.is_test(unit) and not definition.fixture):
            return
        if not self._evidence.stretches.without(unit, called):
            return
        name = called_as(called[1])
        is_named = name in definition.mentions
        looks = definition.uses.looks(name if is_named else None)
        looks = replace(looks, names=frozenset(self._variables(unit[0], looks.names)))
        if not is_named:  # by a variable, as dispatchers call anything
            looks = replace(looks, others=frozenset())
        for helper in self._evidence.called_by(unit) if looks else ():
            if helper == called or called_as(helper[1]) in looks.called:
                for below, name in self._written_below(helper, looks, unit, definition):
                    if is_named or below == helper:
                        yield below[0], name
                own = self.definition(helper)
                if own is not None and helper != unit and own.uses.fills_arguments:
                    yield from ((unit[0], name) for name in looks.names & definition.uses.handed)

    def _written_below(
        self, helper: Unit, looks: Looks, unit: Unit, definition: Definition
    ) -> Iterator[tuple[Unit, str]]:
        """Who writes what is looked at, of a function and what it calls."""
        parts = {name for _, name in looks.parts}
        of_objects = {name for root, name in looks.parts if not self._is_module(unit[0], root)}
        by_name = self._writers(helper)
        for name in (parts | looks.names | looks.own | looks.others) & by_name.keys():
            for below, is_own in by_name[name]:
                scope = below[1].rpartition(".")[0]
                if below == unit:
                    continue
                if not is_own:
                    is_it = (
                        name in parts
                        or name in looks.own
                        or (name in looks.others and below == helper)
                        or (name in looks.names and self._is_same(below[0], unit, name))
                    )
                else:
                    of_class = scope == definition.scope or self._has_bases(unit, definition)
                    is_it = (
                        name in of_objects or (name in looks.own and of_class)
                    ) and self._outlives_tests(below[0], scope)
                if is_it:
                    yield below, name

    def _writers(self, helper: Unit) -> Mapping[str, list[tuple[Unit, bool]]]:
        """By name who writes to it, of a function and what it calls, and whether that is an
        attribute of his own object. What tests write to their own is their business."""
        if helper not in self._known_writers:
            found: dict[str, list[tuple[Unit, bool]]] = {}
            for below in self._evidence.called_below(helper):
                for name, is_own in self._written_by(below):
                    found.setdefault(name, []).append((below, is_own))
            self._known_writers[helper] = found
        return self._known_writers[helper]

    def _written_by(self, unit: Unit) -> frozenset[tuple[str, bool]]:
        if unit not in self._written:
            own = self.definition(unit)
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
            known = self._bound(path, name)
            if known is not None and (
                known.kind is Kind.BINDING or (known.kind is Kind.IMPORT and not is_library(known))
            ):
                yield name

    def _is_same(self, path: str, unit: Unit, name: str) -> bool:
        """Whether a global name is the same in two modules, of which one may import it."""
        if path == unit[0]:
            return True
        known = self._bound(unit[0], name)
        return known is not None and bool(known.imported) and not known.is_module

    def _has_bases(self, unit: Unit, definition: Definition) -> bool:
        """Whether the class of a method inherits from others."""
        around = self._bound(unit[0], definition.scope) if definition.scope else None
        return around is not None and around.has_bases

    def is_test(self, unit: Unit) -> bool:
        """Whether a function is a test by its name, be it in a class from which those of test
        modules inherit: what one test leaves behind for another one is no business of ours."""
        path, name = unit
        simple = simple_name(name)
        if not simple.startswith("test") or path.endswith(CONFTEST):
            return False
        return self._sources.is_collected(path) or (
            "." in name and self._evidence.is_inherited_test(simple)
        )

    def is_fixture(self, unit: Unit) -> bool:
        """Whether a function makes a fixture, whatever its name."""
        definition = self.definition(unit)
        return definition is not None and definition.fixture

    def _may_be_wrapped(self, unit: Unit, decorators: Iterable[str]) -> bool:
        """Whether decorators may keep what a function returns. The code of our own ones tells; else
        who called the function must have gone without it in some test, or it ran at import, where
        nobody sees which other module went without it."""
        if all(self._is_ours(unit[0], one) for one in decorators):
            return False
        return self._evidence.ran_outside(unit) or self.was_spared(unit)

    def was_spared(self, unit: Unit) -> bool:
        """Whether in some test a caller that names a function went without it."""
        called = called_as(unit[1])
        for caller in sorted(self._evidence.spared(unit)):
            definition = self.definition(caller)
            if definition is None or called in definition.mentions:
                return True
        return False

    def _is_of_python(self, path: str, keeping: Keeping) -> bool:
        """Whether something is left in a module of Python itself, such as `sys.path`, or is not
        kept at all but handed to a function of a module."""
        if keeping.name in keeping.roots and self._is_module(path, keeping.name):
            return True
        found = [self._bound(path, root) for root in keeping.roots]
        return bool(found) and all(one is not None and is_library(one) for one in found)

    def _is_module(self, path: str, name: str) -> bool:
        definition = self._bound(path, name)
        return definition is not None and definition.is_module

    def _bound(self, path: str, name: str) -> Definition | None:
        cut = self._sources.around(path, name) if name else None
        return None if cut is None else cut.definitions.get(name)

    def _is_ours(self, path: str, name: str) -> bool:
        """Whether a name is defined in the repository."""
        cut = self._sources.cut(path)
        definition = None if cut is None else cut.definitions.get(name)
        if definition is None:
            return False
        return not definition.imported or any(map(self._sources.is_own, definition.origins))

    def _outlives_tests(self, path: str, scope: str) -> bool:
        """Whether objects of a class may be kept from one test to another."""
        key = (path, scope)
        if key not in self._outliving:
            self._outliving[key] = False  # as long as nothing else is known
            self._outliving[key] = self._evidence.outlives_tests(path, scope) or any(
                self._is_made_to_be_kept((path, f"{scope}.{maker}")) for maker in MAKERS
            )
        return self._outliving[key]

    def _is_made_to_be_kept(self, maker: Unit) -> bool:
        waiting, seen = [maker], {maker}
        while waiting:
            node = waiting.pop()
            for caller in self._evidence.callers(node):
                if any(self.keeps(unit_of(caller), unit_of(node))):
                    return True
                if caller not in seen:
                    seen.add(caller)
                    waiting.append(caller)
        return False
