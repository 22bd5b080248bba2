"""Whom a changed module can affect, by name: functions that must not have run, and whole closures.

A changed function body concerns whoever ran it. What importing binds (constants, classes, decorated
functions, new and removed names) concerns every function that mentions the name, and every binding
that is made from it, in all modules that can import the changed one. Code that runs at import
concerns everybody who imports it. **Source:** of 90 tests that 24 real commits of two libraries
broke, these rules selected the same as "whoever can import a changed module" did, among a third of
the tests. Whenever names cannot tell, the answer is the closure.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from pytest_ciopt.core.edits.decorators import is_plain_base
from pytest_ciopt.core.edits.definitions import Definition, Kind, Module
from pytest_ciopt.core.edits.reach import is_called_by_convention
from pytest_ciopt.core.history.traces import BODY
from pytest_ciopt.core.naming import module_path
from pytest_ciopt.core.proof.prints import EXPORTS, Difference

Unit = tuple[str, str]
"""Path and qualified name."""


MOST = 150
"""Names and functions that are followed from one change. With more, most of what can see the
changed module is reached anyway, and following takes longer than running."""


class Sources(Protocol):
    """The texts of the working tree."""

    def cut(self, path: str) -> Module | None:
        """The definitions of a file as it is now; None when it cannot be parsed."""

    def mentions(self, path: str, word: str) -> bool:
        """Whether the word stands anywhere in a file. Quick, for every file is asked."""

    def around(self, path: str, word: str) -> Module | None:
        """As `cut`, but of what does not mention the word a part may be left out."""

    def users(self, path: str) -> frozenset[str]:
        """Files that can see what a file defines, itself included: they import it, or pytest
        brings the two together."""

    def is_collected(self, path: str) -> bool:
        """Whether pytest loads the file itself: a test module or a conftest."""

    def is_own(self, top: str) -> bool:
        """Whether a top-level name may be a module of the repository; "" always is."""

    def imports_new(self, path: str, definition: Definition) -> bool:
        """Whether an import may load a module that was not loaded when the record was made."""


@dataclass(slots=True)
class Impact:
    """Whom a change of one module can affect."""

    units: set[Unit] = field(default_factory=set)
    """Whoever ran one of these."""
    closures: dict[str, str] = field(default_factory=dict)
    """Whoever can see one of these files, and why."""


class Spread:
    """Follows names from one changed module. What it has found out is in `impact`."""

    def __init__(
        self,
        sources: Sources,
        ran_outside: Callable[[Unit], bool],
        ran_together: Callable[[Unit, Unit], bool],
        *,
        by_name: bool = True,
    ) -> None:
        """`ran_outside` tells which units ran while modules were imported or tests collected;
        `ran_together` whether a test that ran the first unit ran the second, too. Without `by_name`
        whatever names would tell concerns the closure."""
        self._by_name = by_name
        self._sources = sources
        self._ran_outside, self._ran_together = ran_outside, ran_together
        self._bound: set[Unit] = set()
        self._climbed: set[Unit] = set()
        self._handed: set[str] = set()
        self._waiting: list[Unit] = []
        self.impact = Impact()

    def add(self, path: str, difference: Difference) -> Impact:
        """Follows everything in which two texts of a module differ."""
        if difference.effects:
            self._all(path, "code that runs at import changed")
        if difference.effects or difference.bindings:
            self.impact.units.add((path, BODY))
        for name in sorted(difference.units):
            self._body(path, name)
        if difference.lost:
            self._all(path, f"{min(difference.lost)} is gone, and who knew of it cannot be told")
        cut = self._sources.cut(path)
        for name in sorted(difference.bindings):
            definition = None if cut is None else cut.definitions.get(name)
            self._rebound(path, name, definition)
        self._follow(path)
        return self.impact

    def _follow(self, path: str) -> None:
        """Follows names until nothing new is found, or so many that the closure tells as much."""
        while self._waiting:
            if len(self._bound) + len(self._climbed) > MOST:
                self._all(path, "what it defines is named too widely to be followed")
                self._waiting.clear()
                return
            self._mentioned(*self._waiting.pop())

    def add_read(self, readers: Iterable[Unit], handed: Iterable[Unit]) -> Impact:
        """Follows something that units read: they may keep it, or have had others keep it."""
        self.impact.units.update(handed)
        for unit in sorted(readers):
            cut = self._sources.cut(unit[0])
            definition = None if cut is None else cut.definitions.get(unit[1])
            if definition is not None and definition.once:
                self._bind(*unit)
            self._climb(unit)
            self._follow(unit[0])
        return self.impact

    def _all(self, path: str, why: str) -> None:
        self.impact.closures.setdefault(path, why)

    def _body(self, path: str, name: str) -> None:
        """A function does something else when it is called."""
        unit = (path, name)
        self.impact.units.add(unit)
        cut = self._sources.cut(path)
        definition = None if cut is None else cut.definitions.get(name)
        if self._ran_outside(unit) or (definition is not None and definition.once):
            self._bind(path, name)
        self._climb(unit)

    def _climb(self, origin: Unit) -> None:
        """What calls a function that does something else may keep the result, for others who never
        call it."""
        waiting = [origin]
        while waiting:
            unit = waiting.pop()
            if unit in self._climbed:
                continue
            if len(self._climbed) > MOST:  # `_follow` sees it, too
                self._all(origin[0], "what it defines is named too widely to be followed")
                return
            self._climbed.add(unit)
            for user, definition in self._mentioning(unit[0], _called(unit[1])):
                caller = (user, definition.name)
                if definition.kind is Kind.BINDING and definition.foreign:
                    self._bind(*caller)  # it was handed over, to be called by somebody
                elif definition.kind is Kind.FUNCTION and self._ran_together(unit, caller):
                    waiting.append(caller)
                    if definition.once:
                        self._bind(*caller)

    def _rebound(self, path: str, name: str, definition: Definition | None) -> None:
        """Importing binds something else to a name, or no longer binds it."""
        if definition is not None:
            if definition.kind is Kind.IMPORT and self._sources.imports_new(path, definition):
                self._all(path, f"{name} is imported from a module that was not loaded before")
            if definition.foreign or _is_registered(definition):
                self._all(path, f"who learns of {name} cannot be told")
        self._bind(path, name)

    def _bind(self, path: str, name: str) -> None:
        unit = (path, name)
        if unit in self._bound:
            return
        self._bound.add(unit)
        self.impact.units.add(unit)
        if not self._by_name:
            self._all(path, f"{name} changed (ciopt_safety)")
            return
        scope = name.rpartition(".")[0]
        if not scope:  # what a class holds concerns whoever names the class
            self._waiting.append(unit)
        cut = self._sources.cut(path)
        if cut is None:
            self._all(path, "it cannot be parsed")
            return
        definition = cut.definitions.get(name)
        if scope:
            self._bind(path, scope)
        elif _is_special(name) or (
            self._sources.is_collected(path) and _by_convention(name, definition)
        ):
            self._all(path, f"{name} is called by convention")
        elif self._sources.is_collected(path):  # it may take the place of a fixture of that name
            self.impact.units.update((user, name) for user in self._sources.users(path))
        if definition is None or definition.kind is Kind.CLASS:
            for inside in cut.definitions:
                if inside.startswith(f"{name}."):
                    self.impact.units.add((path, inside))
                    self._climb((path, inside))

    def _mentioned(self, path: str, name: str) -> None:
        """Whoever mentions a changed binding."""
        simple = _simple(name)
        for user, definition in self._mentioning(path, simple):
            self._affect(user, definition, simple in definition.head)
        self._handed_on(path)
        for user in self._users(path, simple):
            cut = self._sources.around(user, simple)
            own = cut is not None and user != path and self._has_its_own(cut, simple)
            if cut is not None and simple in (cut.effect_loose if own else cut.effect_mentions):
                self._all(user, f"code that runs at import uses {simple}")

    def _handed_on(self, path: str) -> None:
        """Whoever takes the module as a whole may look up any of its names by computation."""
        name = module_path(path).rpartition("/")[2]
        if not name or path in self._handed:
            return
        self._handed.add(path)
        for user in self._users(path, name):
            near = self._sources.around(user, name) if user != path else None
            if near is None:
                continue
            for word in (name, *(d.simple for d in near.definitions.values() if name in d.renames)):
                self._handed_on_as(word, user)

    def _handed_on_as(self, word: str, user: str) -> None:
        cut = self._sources.around(user, word)
        if cut is None:
            return
        if word in cut.effect_values:
            self._all(user, f"code that runs at import uses {word} as a whole")
        for definition in cut.definitions.values():
            if definition.kind is not Kind.IMPORT and word in definition.values:
                self._affect(user, definition, word in definition.head)

    def _affect(self, user: str, definition: Definition, at_import: bool) -> None:
        """Something that a definition uses changed; `at_import`, what decides what it is."""
        unit = (user, definition.name)
        if definition.kind is not Kind.FUNCTION:
            self._bind(*unit)
            return
        self.impact.units.add(unit)
        self._climb(unit)
        if at_import or definition.once or self._ran_outside(unit):
            self._bind(*unit)

    def _mentioning(self, path: str, simple: str) -> Iterator[tuple[str, Definition]]:
        for user in self._users(path, simple):
            cut = self._sources.around(user, simple)
            if cut is None:
                self._all(user, "it cannot be parsed")
                continue
            own = user != path and self._has_its_own(cut, simple)
            for definition in cut.definitions.values():
                if definition.name == EXPORTS:  # whoever imports with a star mentions the name
                    continue
                mentioned = definition.loose if own else definition.mentions
                if simple in definition.asks and self._may_be_filled(user, definition):
                    mentioned |= definition.asks
                if simple in mentioned or simple in definition.renames:
                    yield user, definition

    def _may_be_filled(self, path: str, definition: Definition) -> bool:
        """Whether pytest may look at the names of parameters: of tests, fixtures and hooks, also
        where others collect them, or when something is done with the function."""
        if self._sources.is_collected(path) or definition.foreign:
            return True
        name = f"{path}:{definition.name}".lower().replace("pytest", "")
        return (
            "test" in name
            or definition.simple.startswith("pytest_")
            or self._sources.mentions(path, "fixture")
        )

    def _has_its_own(self, cut: Module, simple: str) -> bool:
        """Whether a plain name means something else in a module than what the changed one binds."""
        definition = cut.definitions.get(simple)
        if definition is None:
            return False
        return definition.kind is not Kind.IMPORT or not any(
            map(self._sources.is_own, definition.origins)
        )

    def _users(self, path: str, simple: str) -> Iterable[str]:
        users = sorted(self._sources.users(path))
        return (user for user in users if self._sources.mentions(user, simple))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name != "__doc__"


def _called(name: str) -> str:
    """What a caller of a function writes: for `C.__init__` the name of the class."""
    scope, _, simple = name.rpartition(".")
    return _simple(scope) if scope and _is_special(simple) else simple


def _simple(name: str) -> str:
    return name.rpartition(".")[2]


def _by_convention(name: str, definition: Definition | None) -> bool:
    return is_called_by_convention(name) or (definition is not None and definition.autouse)


def _is_registered(definition: Definition) -> bool:
    """Whether a base or metaclass may keep account of a class."""
    return any(not is_plain_base(base) for base in definition.bases)
