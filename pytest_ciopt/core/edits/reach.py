"""Which tests of one file an edit of that same file can reach, by name.

Inside a test module or a conftest the import graph says nothing more, but names do: a helper is
reached by whoever mentions its name, a fixture by whoever asks for it, and what pytest calls by
convention (`setup_module`, autouse fixtures, hooks) by everything in its scope. A definition that
mentions a reached name is reached itself, until nothing changes. Whenever names cannot tell, the
answer is the whole file. No IO; trees come in as `core/edits/units.py` cuts them.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.edits.parts import FixtureReach, Reach
from pytest_ciopt.core.edits.units import Edit

_CALLED_BY_CONVENTION = re.compile(
    r"(?!__doc__)__\w+__|_?(?:async)?_?(?:set_?up|tear_?down)\w*|_(?:pre|post)_\w+"
    r"|pytest\w*|load_tests|collect_ignore\w*|runTest",
    re.IGNORECASE,
)
"""Names that pytest, unittest and their extensions look up without anybody mentioning them."""
_INERT = sys.stdlib_module_names - {"__future__"}
"""Modules that are taken to change nothing when they are imported."""
_LOOKS_UP_NAMES = frozenset(
    (
        *("globals", "locals", "vars", "eval", "exec", "getattr", "dir", "getfixturevalue"),
        *("__dict__", "__subclasses__", "__init_subclass__", "modules", "getmembers"),
        *("attrgetter", "methodcaller", "import_module", "lazy_fixture"),
        "__name__",  # handed to somebody who looks into the module of that name
    )
)


def in_test_module(
    edit: Edit, is_test: Callable[[str], bool], onlooker: str | None = None
) -> Reach:
    """What an edit of a test module reaches in it. `is_test` knows the names of test functions.

    `onlooker` says who can look into the module without naming what it looks for, None for nobody.
    """
    known = frozenset(edit.after.definitions)
    if edit.effects:
        return Reach(whole="code that runs at import changed")
    foreign = _foreign_imports(edit)
    if foreign:
        return Reach(whole=f"its import of {foreign} changed")
    reached = _spread(edit, is_test)
    if reached.whole is None and reached.helpers:
        if _looks_up_names(edit):
            why = "names are looked up by computation"
            return Reach(whole=f"{min(reached.helpers)} changed and {why}")
        if onlooker is not None and not reached.only_fixtures():
            return Reach(whole=f"{min(reached.helpers)} changed and {onlooker} looks into modules")
    return Reach(
        whole=reached.whole,
        names=frozenset(reached.names),
        known=known,
        helpers=bool(reached.helpers),
        fixtures=reached.fixtures(),
    )


def in_conftest(edit: Edit) -> FixtureReach:
    """What an edit of a conftest reaches below it: the users of fixtures, or everything."""
    if edit.effects:
        return FixtureReach(whole="code that runs at import changed")
    for name in sorted(edit.names):
        old, new = edit.before.definitions.get(name), edit.after.definitions.get(name)
        if old is None or new is None or old.decorators != new.decorators:
            return FixtureReach(whole=f"{name} was added, removed or redeclared")
    reached = _spread(edit, lambda name: False)
    fixtures: set[str] = set()
    if reached.whole is None and _looks_up_names(edit) and not _only_fixtures(edit):
        return FixtureReach(whole="names are looked up by computation")
    for name in sorted(reached.names - {"__doc__"}):
        definition = edit.after.definitions[name]
        plain = definition.kind in (Kind.FUNCTION, Kind.CLASS) and not definition.has_bases
        if not plain or (not definition.scope and _by_convention(definition)):
            return FixtureReach(whole=f"{name} is reached")
        if definition.fixture:
            if definition.fixture_name is None:
                return FixtureReach(whole=f"the fixture {name} has a computed name")
            fixtures.add(definition.fixture_name)
    return FixtureReach(whole=reached.whole, fixtures=frozenset(fixtures))


@dataclass(slots=True)
class _Spread:
    """What an edit reaches so far."""

    edit: Edit
    is_test: Callable[[str], bool]
    whole: str | None = None
    names: set[str] = field(default_factory=set)
    """Qualified."""
    simple: set[str] = field(default_factory=set)
    """Names whose mention reaches."""
    helpers: set[str] = field(default_factory=set)
    """Reached definitions that are no tests."""

    def definitions(self, name: str) -> list[Definition]:
        texts = (self.edit.before, self.edit.after)
        return [text.definitions[name] for text in texts if name in text.definitions]

    def add(self, definition: Definition) -> None:
        """Adds a definition, and its scope where something calls it without its name."""
        self.names.add(definition.name)
        self.simple.add(definition.simple)
        if definition.fixture:
            self.simple.add(definition.fixture_name or definition.simple)
        if self.is_a_test(definition):
            if definition.foreign and self._redeclared(definition.name):
                self.whole = self.whole or f"who learns of {definition.name} cannot be told"
            return
        self.helpers.add(definition.name)
        unclear = definition.fixture and definition.fixture_name is None
        scope = definition.scope
        tests_inside = definition.kind is Kind.CLASS and self._holds_tests(definition.name)
        if unclear or (self._is_foreign(definition) and not tests_inside):
            self.whole = self.whole or f"who uses {definition.name} cannot be told"
        elif not scope:
            if _by_convention(definition):
                self.whole = self.whole or f"{definition.name} is reached"
        elif not self._stays_inside(definition):
            for around in self.definitions(scope):
                if around.name not in self.names:
                    self.add(around)

    def fixtures(self) -> frozenset[str]:
        """Names by which reached fixtures are asked for."""
        reached = (d for name in self.names for d in self.definitions(name) if d.fixture)
        return frozenset(d.fixture_name or d.simple for d in reached)

    def only_fixtures(self) -> bool:
        """Whether all helpers are fixtures, which nobody looks up in a module."""
        return all(d.fixture for name in self.helpers for d in self.definitions(name))

    def _redeclared(self, name: str) -> bool:
        """Whether a definition was added or removed, or its decorators changed."""
        found = self.definitions(name)
        return len(found) < 2 or found[0].decorators != found[1].decorators

    def _is_foreign(self, definition: Definition) -> bool:
        """Whether code of other files may learn of a definition that never mentions it."""
        waiting, seen = [definition], {definition.name}
        while waiting:
            current = waiting.pop()
            if current.foreign:
                return True
            for base in current.bases:
                local = self.definitions(base)
                if not local or any(one.kind is not Kind.CLASS for one in local):
                    return True
                waiting.extend(one for one in local if one.name not in seen)
                seen.add(base)
        return False

    def is_a_test(self, definition: Definition) -> bool:
        """Whether pytest takes it for a test function."""
        plain = definition.kind is Kind.FUNCTION and not definition.fixture
        return plain and self.is_test(definition.simple)

    def _stays_inside(self, definition: Definition) -> bool:
        """Whether only those reach a method or fixture who mention it: in classes of tests."""
        if definition.kind is not Kind.FUNCTION or _by_convention(definition):
            return False
        if definition.decorators and not definition.fixture:
            return False
        if any(around.has_bases for around in self.definitions(definition.scope)):
            return False
        return self._holds_tests(definition.scope)

    def _holds_tests(self, scope: str) -> bool:
        prefix = scope + "."
        return any(
            self.is_a_test(other)
            for name, other in self.edit.after.definitions.items()
            if name.startswith(prefix)
        )


def _spread(edit: Edit, is_test: Callable[[str], bool]) -> _Spread:
    """Closes the edited names over mentions, in both texts."""
    found = _Spread(edit, is_test)
    definitions = [*edit.before.definitions.values(), *edit.after.definitions.values()]
    waiting = [d for d in definitions if d.name in edit.names]
    while waiting:
        for definition in waiting:
            found.add(definition)
        waiting = [
            d
            for d in definitions
            if d.name not in found.names
            and (
                not (d.mentions | d.named.asks).isdisjoint(found.simple)
                or d.scope in found.names
                or (found.helpers and d.foreign and found.is_a_test(d))  # its decorator may look
            )
        ]
    for text in (edit.before, edit.after):
        hit = text.effects_named.every & found.simple
        if hit and found.whole is None:
            found.whole = f"code that runs at import uses {min(hit)}"
    return found


def _only_fixtures(edit: Edit) -> bool:
    return all(edit.after.definitions[name].fixture for name in edit.names)


def _by_convention(definition: Definition) -> bool:
    return definition.autouse or is_called_by_convention(definition.simple)


def is_called_by_convention(name: str) -> bool:
    """Whether pytest, unittest or an extension looks a name up without anybody mentioning it."""
    return _CALLED_BY_CONVENTION.fullmatch(name) is not None


def _looks_up_names(edit: Edit) -> bool:
    mentioned = edit.after.effects_named.every.union(
        *(d.mentions | d.named.asks for d in edit.after.definitions.values())
    )
    return not mentioned.isdisjoint(_LOOKS_UP_NAMES)


def _foreign_imports(edit: Edit) -> str | None:
    """An added, removed or changed import that may do more than bind a name.

    Importing from the standard library is taken to change nothing else.
    """
    for name in sorted(edit.names):
        for text in (edit.before, edit.after):
            definition = text.definitions.get(name)
            if definition is not None and definition.origins - _INERT:
                return name
    return None
