"""The frozen decision: which files and tests run, and why. Pure.

It is made once, before anything is collected, and is then only asked. Under xdist the controller
makes it and every worker asks its copy, so that all agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from pytest_ciopt.core.change import FileChange
from pytest_ciopt.core.edits.parts import FixtureReach, Reach
from pytest_ciopt.core.globs import first_match
from pytest_ciopt.core.graph.reached import Link, scope_of
from pytest_ciopt.core.naming import ancestors, folder_of
from pytest_ciopt.core.testfiles import CONFTEST

NOT_REACHED = "not reached"
NOT_ASKED = "--ciopt-changed is not given"
"""Why everything runs where no selection is wanted."""
NOT_RECORDED = "no record of this test"
"""Why a test of which others are proved is not."""


class Verdict(Enum):
    """What is known of a file before it is collected."""

    ALL = "all"
    SOME = "some"
    """It must be imported to tell which of its tests."""
    NONE = "none"
    UNKNOWN = "unknown"
    """Nothing is known of it: it runs."""


class ChangedFile(NamedTuple):
    """A changed file and what became of it."""

    change: FileChange
    effect: str
    """E.g. `only comments or formatting`, `module`, `data of tests/`."""
    counts: bool
    """Whether it can alter the outcome of a test."""


class Collected(NamedTuple):
    """What the decision needs to know of a collected test."""

    path: str | None
    """Repository-relative; None outside the repository."""
    names: tuple[str, ...]
    """Qualified names of its function, one per class of its own file that has it."""
    inherited: bool = False
    """Whether its function comes from a class of another file."""
    function: bool = True
    """False for doctests and whatever else is no Python test function."""
    example: bool = False
    """Whether its code stands in a text."""
    fixtures: frozenset[tuple[str, str]] = frozenset()
    """(folder of the conftest that defines it, fixture name), overridden ones left out."""
    fixture_names: frozenset[str] = frozenset()
    """Names of all fixtures that it uses, directly or through others."""
    asks_for_fixtures: bool = False
    """Whether it can ask for fixtures while it runs (it uses `request`)."""
    always: str | None = None
    """Why it has to run whatever changed."""
    id: str | None = None
    """From the top of the repository."""


class Records(NamedTuple):
    """What earlier runs add to a selection. Ids are from the top of the repository."""

    proved: Mapping[str, str] = MappingProxyType({})
    """Tests that the change cannot affect, with the run that shows it."""
    owed: Mapping[str, str] = MappingProxyType({})
    """Tests that run though no import says so, with why."""
    owing: frozenset[str] = frozenset()
    """Files of those tests."""
    idle: Mapping[str, str] = MappingProxyType({})
    """Test files all of whose tests are proved, with the newest of the runs that show it."""
    whole: Mapping[str, str] = MappingProxyType({})
    """Test files of which all that is not proved runs, new tests included, with why. They are among
    those that owe."""
    unproved: Mapping[str, str] = MappingProxyType({})
    """Tests that were recorded and that this does not leave out, with why."""

    def objection(self, test: str) -> str | None:
        """Why a test that imports lead to is not left out; None where there are no records."""
        if test in self.proved:  # an example
            return "others of its file run"
        found = self.unproved.get(test)
        return NOT_RECORDED if found is None and (self.proved or self.unproved) else found


class Decision(NamedTuple):
    """Whether a test runs, and the reason that people are shown."""

    selected: bool
    reason: str


class Selection(NamedTuple):
    """Everything that was decided before collection."""

    everything: str | None = None
    """Why everything runs; then nothing below matters."""
    changed: Sequence[ChangedFile] = ()
    files: Mapping[str, Link] = MappingProxyType({})
    scopes: Mapping[str, Link] = MappingProxyType({})
    doctests: Mapping[str, Link] = MappingProxyType({})
    parts: Mapping[str, Reach] = MappingProxyType({})
    """Changed test modules that nothing else reaches."""
    fixtures: Mapping[str, FixtureReach] = MappingProxyType({})
    """By folder of a conftest: fixtures whose users run."""
    asking: frozenset[str] = frozenset()
    """Files that ask for fixtures by computed names."""
    always: frozenset[str] = frozenset()
    """Files that can hold tests marked `ciopt_always`."""
    always_scopes: frozenset[str] = frozenset()
    """Folders whose conftest can mark tests `ciopt_always`."""
    modules: frozenset[str] = frozenset()
    """Every Python file of the repository that git can tell about."""
    hooked: bool = False
    """Whether a file of the repository implements our hooks: only pytest can ask those."""
    records: Records = Records()

    @property
    def substantial(self) -> bool:
        """Whether anything changed that can alter an outcome."""
        return self.everything is not None or any(file.counts for file in self.changed)

    def verdict(self, path: str) -> Verdict:
        """What runs of a file (repository-relative path)."""
        if self.everything is not None:
            return Verdict.ALL
        if path not in self.modules:
            is_left_out = path in self.records.idle or self._unknown(path) is None
            return Verdict.NONE if is_left_out else Verdict.UNKNOWN
        if path in self.records.idle and not self._may_be_always(path):
            return Verdict.NONE
        found = self._without_records(path)
        return Verdict.SOME if found is Verdict.NONE and path in self.records.owing else found

    def _without_records(self, path: str) -> Verdict:
        if path in self.files or scope_of(path, self.scopes):
            return Verdict.ALL
        above = ancestors(folder_of(path))
        part = path in self.parts or path in self.doctests or path in self.always
        if part or any(f in self.fixtures or f in self.always_scopes for f in above):
            return Verdict.SOME
        return Verdict.NONE

    def _may_be_always(self, path: str) -> bool:
        above = ancestors(folder_of(path))
        return path in self.always or not self.always_scopes.isdisjoint(above)

    def touches(self, path: str) -> bool:
        """Whether the file is among the changed ones, be it without effect."""
        return any(file.change.path == path for file in self.changed)

    def depends(self, globs: Iterable[str]) -> str | None:
        """Why something is reached that depends on these files: paths or globs."""
        wanted = tuple(globs)
        if not wanted:
            return None
        for file in self.changed:
            if first_match(file.change.path, wanted):
                return f"depends on {file.change.path}, says pytest_ciopt_dependencies"
        for path in self.files:
            if first_match(path, wanted):
                return f"depends on {path}, says pytest_ciopt_dependencies"
        return None

    def decide(self, test: Collected) -> Decision:
        """Whether a collected test runs, with the reason that is shown to people."""
        if self.everything is not None:
            return Decision(True, self.everything)
        if test.always is not None:
            return Decision(True, test.always)
        owed = self.records.owed.get(test.id or "")
        if owed is not None:
            return Decision(True, owed)
        reason = self._reason(test) or self.records.whole.get(test.path or "")
        run = self.records.proved.get(test.id or "") if test.function else None
        if test.example:  # one may need those before it: all of a file run, or none
            run = self.records.idle.get(test.path or "")
        if reason is not None and run is not None:
            return Decision(False, proved_by(run))
        if reason is None:
            return Decision(False, NOT_REACHED)
        return Decision(True, self._with_objection(reason, test))

    def _with_objection(self, reason: str, test: Collected) -> str:
        """A reason that imports give, and why no record answers it."""
        path = test.path or ""
        link = self.files.get(path) or scope_of(path, self.scopes)
        if link is None or (link.via is None and self.touches(path)):
            return reason
        objection = self.records.objection(test.id or "")
        return reason if objection is None else f"{reason}; not proved: {objection}"

    @property
    def proved_modules(self) -> Mapping[str, str]:
        """Test files that would run but for records, with the reason why they do not."""
        return {
            path: proved_by(run)
            for path, run in self.records.idle.items()
            if self.verdict(path) is Verdict.NONE
            and self._without_records(path) is not Verdict.NONE
        }

    def why_not(self, path: str) -> str:
        """Why nothing of a file runs, whose verdict is `NONE`."""
        run = self.records.idle.get(path)
        return NOT_REACHED if run is None else proved_by(run)

    def _reason(self, test: Collected) -> str | None:
        path = test.path
        if path is None:
            return "outside the repository: git cannot tell whether it changed"
        if path not in self.modules:
            return self._unknown(path)
        link = self.files.get(path) or scope_of(path, self.scopes)
        if link is not None:
            return self.describe(link)
        return self._part(path, test) or self._fixture(path, test)

    def _unknown(self, path: str) -> str | None:
        if self.touches(path):
            return "changed"
        if path.endswith(".py"):
            return "git does not know the file, and cannot tell whether it changed"
        return "no Python module: what it needs is not known" if self.substantial else None

    def _part(self, path: str, test: Collected) -> str | None:
        part = self.parts.get(path)
        if part is not None and (not test.function or part.has(test.names, test.inherited)):
            return f"changed: {part.whole}" if part.whole else "changed"
        if part is not None and part.fixtures:
            used = part.fixtures & test.fixture_names
            if used:
                return f"uses the fixture {min(used)} of {path}"
            if test.asks_for_fixtures and self._can_ask(path):
                return f"may ask for a fixture of {path}"
        if not test.function and path in self.doctests:
            return self.describe(self.doctests[path])
        return None

    def _fixture(self, path: str, test: Collected) -> str | None:
        for folder in ancestors(folder_of(path)):
            reach = self.fixtures.get(folder)
            if reach is None:
                continue
            used = {name for where, name in test.fixtures if where == folder} & reach.fixtures
            if used:
                return f"uses the fixture {min(used)} of {_join(folder, CONFTEST)}"
            if not test.function:
                return f"may use a fixture of {_join(folder, CONFTEST)}"
            if test.asks_for_fixtures and self._can_ask(path):
                return f"may ask for a fixture of {_join(folder, CONFTEST)}"
        return None

    def _can_ask(self, path: str) -> bool:
        """Whether the file, or one that may serve it, asks for fixtures by computed names."""
        above = {_join(folder, CONFTEST) for folder in ancestors(folder_of(path))}
        return any(
            file == path or file in above or file.rpartition("/")[2] != CONFTEST
            for file in self.asking
        )

    def chain(self, path: str) -> tuple[tuple[str, str], ...]:
        """(file, how) steps from the change to `path`; empty when the file is not reached."""
        link = self.files.get(path) or scope_of(path, self.scopes) or self.doctests.get(path)
        if link is None:
            return ()
        steps: list[tuple[str, str]] = []
        seen: set[str] = set()
        current: str | None = path
        while current is not None and link is not None and current not in seen:
            seen.add(current)
            steps.append((current, link.how))
            current = link.via
            link = self.files.get(current) if current is not None else None
        if current is not None:
            steps.append((current, "changed"))  # of which only a part is reached
        return tuple(reversed(steps))

    def describe(self, link: Link) -> str:
        """A link as a reason: `imports a.b via c.d`, `conftest.py imports a.b`, `changed`."""
        if link.via is None:
            return link.how
        last, seen = link, {link.via}
        while last.via is not None and (following := self.files.get(last.via)) is not None:
            if following.via is None or following.via in seen:
                break
            seen.add(following.via)
            last = following
        if last is link:
            return link.how if link.how != "conftest above it" else f"{link.via} changed"
        if link.how == "conftest above it":
            return f"{link.via} {last.how}"
        via = link.via.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return f"{last.how} via {via}"


def proved_by(run: str) -> str:
    """The reason of a test that a record shows to be unaffected."""
    return f"proved by run {run}"


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
