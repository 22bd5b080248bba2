"""All that the history knows of what tests depend on: the newest word on each test. Pure.

Of runs on one interpreter, for on another one a test may take other ways.

Runs can be added in any order and more than once, always with the same result: of two words on a
test that of the later run counts, and what the earlier one saw is kept for files that did not
change in between, since a test may run less when others have run before it.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from pytest_ciopt.core.history.fields import SegmentError
from pytest_ciopt.core.history.records import Record
from pytest_ciopt.core.history.traces import Source, TraceRecord
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.proof.gathered import Gathered
from pytest_ciopt.core.proof.seen import Known, Module, Ran, Seen, both

_RUNS = 20
"""How many of the newest runs of a module's tests are gone through for those that are gone."""


@dataclass(slots=True)
class Knowledge:
    """What is known of all tests, by id from the top of the repository."""

    tests: dict[str, Known] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    """Fingerprints of texts by content id."""
    modules: dict[str, Module] = field(default_factory=dict)
    """By path from the top of the repository."""
    ran: Ran = field(default_factory=Ran)

    def add(self, records: Iterable[Record | TraceRecord]) -> None:
        """Takes in one run, whose first record is its `RunStart`.

        Raises: SegmentError for a number that no unit has; nothing is taken in then.
        """
        gathered = Gathered()
        for record in records:
            gathered.take(record)
        try:
            ran, tests = gathered.ran(), gathered.tests()
        except IndexError:
            raise SegmentError("a trace names a unit that has no name") from None
        self.sources.update(gathered.sources)
        self.ran.update(ran)
        for test, known in tests.items():
            self._put(test, known)
        for path, found in gathered.modules().items():
            before = self.modules.get(path)
            if before is None or before.run <= found.run:
                self.modules[path] = found

    def _put(self, test: str, known: Known) -> None:
        before = self.tests.get(test)
        if before is None:
            self.tests[test] = known
            return
        failed = max(known.failed, before.failed)
        seen = _united(known.seen, before.seen)
        if seen is not None and seen.process.run <= failed:
            seen = None
        self.tests[test] = Known(max(known.run, before.run), failed, seen)


def another(known: Knowledge, variables: Mapping[str, str]) -> str | None:
    """Why what is known does not hold in the present environment, whose variables these are; None
    where it does. What was recorded before anybody watched the same ones vouches for nothing."""
    seen = {test: one.seen.process for test, one in known.tests.items() if one.seen is not None}
    if not seen:
        return "no test was recorded with the variables that ciopt_environment names"
    fine = {test for test, process in seen.items() if process.variables == variables}
    gone = _gone(known, fine)
    others = {seen[test].run: seen[test] for test in seen.keys() - fine - gone}
    for run, process in sorted(others.items(), reverse=True):
        differing = {name for name, _ in (process.variables or {}).items() ^ variables.items()}
        if "" in differing:
            return f"run {run[:17]} did not watch what ciopt_environment names"
        first, more = min(differing), len(differing) - 1
        named = f"{first} and {more:,} more" if more else first
        return f"{named} was another when tests were recorded (ciopt_environment)"
    return None


def _gone(known: Knowledge, fine: Set[str]) -> set[str]:
    """Tests of modules all of whose tests are fine, as the modules were last collected: another
    value of a variable may have other tests."""
    by_file: dict[str, tuple[list[str], list[str]]] = {}
    for test in known.tests:
        by_file.setdefault(module_of(test), ([], []))[test in fine].append(test)
    found = set[str]()
    for path, (rest, own) in by_file.items():
        module = known.modules.get(path)
        if module is not None and module.held(own):
            found.update(rest)
    return found


def gone(known: Knowledge) -> set[str]:
    """Tests that were no longer there when their module was last collected: it had just those that
    ran later than they."""
    by_file: dict[str, list[str]] = {}
    for test in known.tests:
        by_file.setdefault(module_of(test), []).append(test)
    found = set[str]()
    for path, tests in by_file.items():
        module = known.modules.get(path)
        runs = sorted({known.tests[test].run for test in tests}, reverse=True)
        for run in runs[:_RUNS]:
            later = [test for test in tests if known.tests[test].run >= run]
            if module is not None and module.held(later):
                found.update(set(tests).difference(later))
                break
    return found


def _united(one: Seen | None, other: Seen | None) -> Seen | None:
    """What the older record saw still counts in files that were the same."""
    if one is None or other is None:
        return one or other
    newer, older = (one, other) if one.process.run >= other.process.run else (other, one)
    before, after = older.process.inputs.sources, newer.process.inputs.sources
    kept = {unit for unit in older.units - newer.units if before.get(unit[0]) == after.get(unit[0])}
    elsewhere = both(newer.elsewhere, older.elsewhere)
    if not kept and elsewhere == newer.elsewhere:
        return newer
    return newer._replace(units=newer.units | kept, elsewhere=elsewhere)
