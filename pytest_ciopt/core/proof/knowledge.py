"""All that the history knows of what tests depend on: the newest word on each test. Pure.

Of runs on one interpreter, for on another one a test may take other ways.

Runs can be added in any order and more than once, always with the same result: of two words on a
test that of the later run counts, and what the earlier one saw is kept for files that did not
change in between, since a test may run less when others have run before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pytest_ciopt.core.history.fields import SegmentError
from pytest_ciopt.core.history.records import Record
from pytest_ciopt.core.history.traces import Source, TraceRecord
from pytest_ciopt.core.proof.gathered import Gathered
from pytest_ciopt.core.proof.seen import Known, Module, Ran, Seen


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


def _united(one: Seen | None, other: Seen | None) -> Seen | None:
    """What the older record saw still counts in files that were the same."""
    if one is None or other is None:
        return one or other
    newer, older = (one, other) if one.process.run >= other.process.run else (other, one)
    before, after = older.process.inputs.sources, newer.process.inputs.sources
    kept = {unit for unit in older.units - newer.units if before.get(unit[0]) == after.get(unit[0])}
    if not kept:
        return newer
    return Seen(newer.process, newer.units | kept, newer.reads, newer.lists, newer.unseen)
