"""Which functions keep what others compute, so that a later test runs less. Pure.

How a function is written tells that it may keep something; what was recorded tells whether objects
outlive tests, and whether a function that somebody may call once was left out at all.
"""

from collections.abc import Iterable, Iterator

from pytest_ciopt.core.edits.definitions import Definition
from pytest_ciopt.core.edits.library import is_library
from pytest_ciopt.core.edits.once import Keeping
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
                if keeping.of_self and not self.outlives_tests(unit[0], definition.scope):
                    continue
                if keeping.wrapped and not self._may_be_wrapped(unit, keeping.wrapped):
                    continue
                if not self._is_of_python(unit[0], keeping):
                    yield keeping

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
        if keeping.name in keeping.roots and self.is_module(path, keeping.name):
            return True
        found = [self.bound(path, root) for root in keeping.roots]
        return bool(found) and all(one is not None and is_library(one) for one in found)

    def is_module(self, path: str, name: str) -> bool:
        """Whether a name is that of a module in a file."""
        definition = self.bound(path, name)
        return definition is not None and definition.is_module

    def bound(self, path: str, name: str) -> Definition | None:
        """What a name means in a file."""
        cut = self._sources.around(path, name) if name else None
        return None if cut is None else cut.definitions.get(name)

    def _is_ours(self, path: str, name: str) -> bool:
        """Whether a name is defined in the repository."""
        cut = self._sources.cut(path)
        definition = None if cut is None else cut.definitions.get(name)
        if definition is None:
            return False
        return not definition.imported or any(map(self._sources.is_own, definition.origins))

    def outlives_tests(self, path: str, scope: str) -> bool:
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
