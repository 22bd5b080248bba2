"""All that the history knows of what tests depend on: the newest word on each test. Pure.

Runs can be added in any order and more than once, always with the same result: of two words on a
test that of the later run counts, and what the earlier one saw is kept for files that did not
change in between, since a test may run less when others have run before it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from pytest_ciopt.core.history.fields import SegmentError
from pytest_ciopt.core.history.records import Attempt, Environment, Record, RunStart
from pytest_ciopt.core.history.results import Outcome, outcome_of
from pytest_ciopt.core.history.traces import (
    Collected,
    Inputs,
    Source,
    Trace,
    TracedCalls,
    TracedFixture,
    TracedImport,
    TracedRead,
    TracedSession,
    TracedTest,
    TraceRecord,
    Units,
)
from pytest_ciopt.core.nodeids import repository_id

Unit = tuple[str, str]
"""Path and qualified name."""
SOUND = frozenset((Outcome.PASSED, Outcome.SKIPPED, Outcome.XFAILED, Outcome.XPASSED))
"""Outcomes that can be counted on; not that of a test which had to be rerun."""


Opening = tuple[frozenset[Unit], frozenset[str]]
"""What ran in a test or a life, and what was read: files, and folders with a slash."""


def python_of(environment: Environment) -> str:
    """The interpreter on which proofs hold, e.g. `cpython-3.12.1-linux-x86_64`."""
    return f"{environment.implementation}-{environment.python}-{environment.platform}"


@dataclass(frozen=True, slots=True)
class Process:
    """What all tests share that ran in one process of a run."""

    run: str
    python: str
    inputs: Inputs
    outside: frozenset[Unit]
    """Units that ran outside of tests and fixtures."""
    session: Trace
    """What was read outside of tests, by no module's body. Without units."""
    imports: Mapping[str, Trace]
    """What the bodies of modules read, by path. Without units."""
    readers: Mapping[str, tuple[frozenset[Unit], frozenset[Unit]]] = field(default_factory=dict)
    """By file, or folder with a slash: units that read it, and those that had others read it."""
    openings: tuple[Opening, ...] = ()
    """Those tests, in order, that were the first to run something."""
    lives: tuple[Opening, ...] = ()
    """Fixtures of wider scope."""

    def first_with(self, unit: Unit) -> frozenset[Unit]:
        """What ran for the first time in a test, or in a fixture of wider scope, in which a unit
        ran as well: what that gave, it may have kept for tests that came later."""
        return self._first(lambda units, reads: unit in units)

    def first_with_read(self, read: str) -> frozenset[Unit]:
        """The same of a file that was read, or a folder with a slash that was listed."""
        outside = any(read in _read(one) for one in (self.session, *self.imports.values()))
        found = self._first(lambda units, reads: read in reads)
        return found | self.outside if outside else found

    def _first(self, matches: Callable[[Set[Unit], Set[str]], bool]) -> frozenset[Unit]:
        found, seen = set[Unit](), set[Unit]()
        for units, reads in self.openings:
            if matches(units, reads):
                found |= units - seen
            seen |= units
        return frozenset(
            found.union(*(units for units, reads in self.lives if matches(units, reads)))
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What one test depended on when it last ran and could be counted on."""

    process: Process
    units: frozenset[Unit]
    """All that ran for it, fixtures of wider scope included."""
    reads: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    unseen: str | None = None
    """Why more may have run than was seen."""


@dataclass(frozen=True, slots=True)
class Known:
    """The newest words on one test."""

    run: str
    """The newest run that has it."""
    failed: str
    """The newest run in which it failed or did not finish, "" for none."""
    seen: Seen | None
    """The newest account of what it depends on; None where none is newer than a failure."""

    @property
    def bad(self) -> bool:
        """Whether it is owed another run."""
        return self.run == self.failed


@dataclass(frozen=True, slots=True)
class Module:
    """The tests that were found in a test module when it was last collected."""

    run: str
    root: str
    """pytest's rootdir, to which node ids are relative."""
    digest: str
    """Of their node ids, see `traces.digest_of`."""
    content_id: str | None
    """Of the module, None when that is not known."""


@dataclass(slots=True)
class Ran:
    """What ran where, in all processes of all runs."""

    callers: dict[Unit, set[Unit]] = field(default_factory=dict)
    """Who called a unit in tests and fixtures."""
    importers: dict[Unit, set[Unit]] = field(default_factory=dict)
    """Who called it while the body of a module ran, or outside of tests and fixtures."""
    shared: set[Unit] = field(default_factory=set)
    """What fixtures of wider scope ran."""
    often: set[Unit] = field(default_factory=set)
    """What was called so often that not all callers are known."""

    def update(self, other: "Ran") -> None:
        """Takes in what another one knows."""
        for known, fresh in (
            (self.callers, other.callers),
            (self.importers, other.importers),
        ):
            for unit, callers in fresh.items():
                known.setdefault(unit, set()).update(callers)
        self.shared |= other.shared
        self.often |= other.often


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
        gathered = _Run()
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
    if older.process.python != newer.process.python:
        return newer
    before, after = older.process.inputs.sources, newer.process.inputs.sources
    kept = {unit for unit in older.units - newer.units if before.get(unit[0]) == after.get(unit[0])}
    if not kept:
        return newer
    return Seen(newer.process, newer.units | kept, newer.reads, newer.lists, newer.unseen)


class _Run:
    """The records of one run, put together."""

    def __init__(self) -> None:
        self._start: RunStart | None = None
        self._attempts: dict[str, list[Attempt]] = {}
        self._units: dict[str | None, list[Unit]] = {}
        self._traced: list[TracedTest] = []
        self._lives: dict[tuple[str | None, int], Trace] = {}
        self._imports: dict[str | None, dict[str, Trace]] = {}
        self._sessions: dict[str | None, Trace] = {}
        self._inputs: dict[str | None, Inputs] = {}
        self._collected: list[Collected] = []
        self._readers: dict[str | None, list[TracedRead]] = {}
        self._calls: dict[str | None, list[TracedCalls]] = {}
        self.sources: dict[str, Source] = {}

    def take(self, record: Record | TraceRecord) -> None:
        match record:
            case Attempt():
                self._attempts.setdefault(record.id, []).append(record)
            case TracedTest():
                self._traced.append(record)
            case Units():
                units = self._units.setdefault(record.worker, [])
                units.extend((record.path, name) for name in record.names)
            case TracedFixture():
                self._lives[record.worker, record.number] = record.trace
            case TracedImport():
                self._imports.setdefault(record.worker, {})[record.path] = record.trace
            case TracedCalls():
                self._calls.setdefault(record.worker, []).append(record)
            case TracedRead():
                self._readers.setdefault(record.worker, []).append(record)
            case TracedSession():
                self._sessions[record.worker] = record.trace
            case Collected():
                self._collected.append(record)
            case Inputs():
                known = self._inputs.get(record.worker)
                self._inputs[record.worker] = record if known is None else _added(known, record)
            case Source():
                self.sources[record.id] = record
            case RunStart():
                self._start = record

    def tests(self) -> dict[str, Known]:
        start = self._start
        if start is None:
            return {}
        processes = {worker: self._process(start, worker) for worker in self._inputs}
        seen: dict[str, Seen | None] = {}
        for traced in self._traced:
            one = self._seen(traced, processes)
            known = seen.get(traced.id, one)
            seen[traced.id] = None if one is None or known is None else _joined(known, one)
        found = {}
        for nodeid, attempts in self._attempts.items():
            outcome = outcome_of(attempts)
            bad = outcome in (Outcome.FAILED, Outcome.ERROR) or attempts[-1].teardown is None
            sound = outcome in SOUND and not bad
            test = repository_id(start.root, nodeid)
            failed = start.run if bad else ""
            found[test] = Known(start.run, failed, seen.get(nodeid) if sound else None)
        return found

    def modules(self) -> dict[str, Module]:
        start, found = self._start, dict[str, Module]()
        if start is None:
            return found
        for one in self._collected:
            path = repository_id(start.root, one.path)
            inputs = self._inputs.get(one.worker)
            content_id = None if inputs is None else inputs.sources.get(path)
            found[path] = Module(start.run, start.root, one.digest, content_id)
        return found

    def _process(self, start: RunStart, worker: str | None) -> Process:
        session = self._sessions.get(worker, Trace(unseen="its end was not recorded"))
        return Process(
            run=start.run,
            python=python_of(start.environment),
            inputs=replace(self._inputs[worker], worker=None),
            outside=frozenset(self._named(worker, session.units)),
            session=_reads(session),
            readers={
                one.path: (
                    frozenset(self._named(worker, one.units)),
                    frozenset(self._named(worker, one.handed)),
                )
                for one in self._readers.get(worker, [])
            },
            imports={path: _reads(one) for path, one in self._imports.get(worker, {}).items()},
            openings=tuple(self._openings(worker)),
            lives=tuple(
                self._opening(worker, trace)
                for (own, _), trace in sorted(self._lives.items(), key=lambda life: life[0][1])
                if own == worker and trace.units
            ),
        )

    def _opening(self, worker: str | None, trace: Trace) -> Opening:
        return frozenset(self._named(worker, trace.units)), _read(trace)

    def _openings(self, worker: str | None) -> Iterator[Opening]:
        seen, named = set[int](), len(self._units.get(worker, ()))
        for traced in self._traced:
            if traced.worker != worker or max(traced.trace.units, default=0) >= named:
                continue
            if not seen.issuperset(traced.trace.units):
                seen.update(traced.trace.units)
                yield self._opening(worker, traced.trace)

    def ran(self) -> Ran:
        """What ran where in all processes of the run."""
        found = Ran()
        for worker, calls in self._calls.items():
            for one in calls:
                (unit,) = self._named(worker, (one.unit,))
                for known, callers in (
                    (found.callers, one.in_tests),
                    (found.importers, one.at_import),
                ):
                    if callers:
                        known.setdefault(unit, set()).update(self._named(worker, callers))
                if one.more:
                    found.often.add(unit)
        for (worker, _), trace in self._lives.items():
            found.shared.update(self._named(worker, trace.units))
        return found

    def _named(self, worker: str | None, numbers: Iterable[int]) -> Iterable[Unit]:
        known = self._units.get(worker, [])
        return (known[number] for number in numbers)

    def _seen(self, traced: TracedTest, processes: Mapping[str | None, Process]) -> Seen | None:
        process = processes.get(traced.worker)
        if process is None:
            return None
        traces = self._with_fixtures(traced)
        if traces is None:
            return None
        try:
            units = {unit for trace in traces for unit in self._named(traced.worker, trace.units)}
        except IndexError:  # a number without a name: not ours to guess
            return None
        return Seen(
            process,
            frozenset(units),
            frozenset(path for trace in traces for path in trace.reads),
            frozenset(path for trace in traces for path in trace.lists),
            next((trace.unseen for trace in traces if trace.unseen is not None), None),
        )

    def _with_fixtures(self, traced: TracedTest) -> list[Trace] | None:
        """The trace of a test and of all lives that it uses; None when one has not ended."""
        found, seen = [traced.trace], set[int]()
        for trace in found:  # which grows
            for number in trace.fixtures:
                if number not in seen:
                    seen.add(number)
                    life = self._lives.get((traced.worker, number))
                    if life is None:
                        return None
                    found.append(life)
        return found


def _added(one: Inputs, other: Inputs) -> Inputs:
    """Inputs of one process come in parts."""
    return Inputs(
        {**one.sources, **other.sources},
        {**one.data, **other.data},
        {**one.folders, **other.folders},
        one.distributions or other.distributions,
        packages={**one.packages, **other.packages},
    )


def _read(trace: Trace) -> frozenset[str]:
    """Files, and folders with a slash."""
    return frozenset((*trace.reads, *(f"{folder}/" for folder in trace.lists)))


def _reads(trace: Trace) -> Trace:
    """A trace without what ran."""
    return replace(trace, units=(), fixtures=())


def _joined(one: Seen, other: Seen) -> Seen:
    """Several attempts at a test in one process."""
    if one is other:
        return one
    return Seen(
        other.process,
        one.units | other.units,
        one.reads | other.reads,
        one.lists | other.lists,
        one.unseen or other.unseen,
    )
