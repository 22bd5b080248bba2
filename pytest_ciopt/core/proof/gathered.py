"""Puts the records of one run together. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from pytest_ciopt.core.history.records import Attempt, Record, RunStart
from pytest_ciopt.core.history.results import BAD, Outcome, last_of, outcome_of
from pytest_ciopt.core.history.traces import (
    CHILD,
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
from pytest_ciopt.core.proof.seen import (
    Known,
    Life,
    Module,
    Opening,
    Process,
    Ran,
    Seen,
    Unit,
    both,
    read_in,
)

SOUND = frozenset((Outcome.PASSED, Outcome.SKIPPED, Outcome.XFAILED, Outcome.XPASSED))
"""Outcomes that can be counted on; not that of a test which had to be rerun."""


class Gathered:
    """The records of one run, put together. Of numbers that no unit has `IndexError` tells."""

    def __init__(self) -> None:
        self._start: RunStart | None = None
        self._attempts: dict[str, list[Attempt]] = {}
        self._units: dict[str | None, list[Unit]] = {}
        self._traced: list[TracedTest] = []
        self._lives: dict[tuple[str | None, int], Trace] = {}
        self._children: dict[tuple[str | None, int], Trace] = {}
        """Lives that are processes which a test started."""
        self._imports: dict[str | None, dict[str, Trace]] = {}
        self._sessions: dict[str | None, Trace] = {}
        self._inputs: dict[str | None, Inputs] = {}
        self._collected: list[Collected] = []
        self._readers: dict[str | None, list[TracedRead]] = {}
        self._calls: dict[str | None, list[TracedCalls]] = {}
        self.sources: dict[str, Source] = {}

    def take(self, record: Record | TraceRecord) -> None:
        """Takes in one of them, in any order but for names before numbers."""
        match record:
            case Attempt():
                self._attempts.setdefault(record.id, []).append(record)
            case TracedTest():
                self._traced.append(record)
            case Units():
                units = self._units.setdefault(record.worker, [])
                units.extend((record.path, name) for name in record.names)
            case TracedFixture():
                lives = self._children if record.name == CHILD else self._lives
                lives[record.worker, record.number] = record.trace
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
        """What is known of each test, by id from the top of the repository."""
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
            cut_off = any(one.teardown is None for one in last_of(attempts))
            bad = outcome in BAD or cut_off
            sound = outcome in SOUND and not bad
            test = repository_id(start.root, nodeid)
            failed = start.run if bad else ""
            found[test] = Known(start.run, failed, seen.get(nodeid) if sound else None)
        return found

    def modules(self) -> dict[str, Module]:
        """What was collected of test modules, by path."""
        start, found = self._start, dict[str, Module]()
        if start is None:
            return found
        for one in self._collected:
            path = repository_id(start.root, one.path)
            inputs = self._inputs.get(one.worker)
            content_id = None
            if inputs is not None:
                content_id = inputs.sources.get(path) or inputs.data.get(path)
            found[path] = Module(start.run, start.root, one.digest, content_id)
        return found

    def _process(self, start: RunStart, worker: str | None) -> Process:
        session = self._sessions.get(worker, Trace(unseen="its end was not recorded"))
        openings, lives = self._in_order(worker)
        return Process(
            run=start.run,
            inputs=self._inputs[worker]._replace(worker=None),
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
            openings=openings,
            lives=lives,
            variables=start.variables,
            job=start.job,
        )

    def _opening(self, worker: str | None, trace: Trace) -> Opening:
        return frozenset(self._named(worker, trace.units)), read_in(trace)

    def _in_order(self, worker: str | None) -> tuple[tuple[Opening, ...], tuple[Life, ...]]:
        """Tests that were the first to run something, and lives: those were set up for the first
        test that uses them."""
        openings: list[Opening] = []
        seen, named = set[int](), len(self._units.get(worker, ()))
        before: dict[tuple[str | None, int], int] = {}
        for traced in self._traced:
            if traced.worker != worker:
                continue
            for number in self._used(worker, traced.trace.fixtures):
                before.setdefault((worker, number), len(openings))
            units = traced.trace.units
            if max(units, default=0) < named and not seen.issuperset(units):
                seen.update(units)
                openings.append(self._opening(worker, traced.trace))
        lives = (
            Life(*self._opening(worker, trace), before.get(key, 0))
            for key, trace in sorted(self._lives.items(), key=lambda life: life[0][1])
            if key[0] == worker and trace.units
        )
        return tuple(openings), tuple(lives)

    def _used(self, worker: str | None, fixtures: Iterable[int]) -> Iterator[int]:
        """Numbers of lives, and of those that they use."""
        numbers, seen = list(fixtures), set[int]()
        for number in numbers:  # which grows
            if number not in seen:
                seen.add(number)
                yield number
                if (worker, number) in self._lives:
                    numbers.extend(self._lives[worker, number].fixtures)

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
        traces, children = [traced.trace], list[Trace]()
        if not self._add_lives(traced.worker, traces, children):
            return None
        try:
            units, elsewhere = (
                frozenset(
                    unit for trace in some for unit in self._named(traced.worker, trace.units)
                )
                for some in (traces, children)
            )
        except IndexError:  # a number without a name: not ours to guess
            return None
        every = (*traces, *children)
        return Seen(
            process,
            units,
            frozenset(path for trace in every for path in trace.reads),
            frozenset(path for trace in every for path in trace.lists),
            next((trace.unseen for trace in every if trace.unseen is not None), None),
            elsewhere if children else None,
            traced.what,
        )

    def _add_lives(self, worker: str | None, traces: list[Trace], children: list[Trace]) -> bool:
        """Adds lives that a test uses, and processes; False if one has not ended."""
        (trace,) = traces
        for number in self._used(worker, trace.fixtures):
            key = (worker, number)
            if key in self._children:
                children.append(self._children[key])
            elif key in self._lives:
                traces.append(self._lives[key])
            else:
                return False
        return True


def _added(one: Inputs, other: Inputs) -> Inputs:
    """Inputs of one process come in parts."""
    return Inputs(
        {**one.sources, **other.sources},
        {**one.data, **other.data},
        {**one.folders, **other.folders},
        one.distributions or other.distributions,
        packages={**one.packages, **other.packages},
    )


def _reads(trace: Trace) -> Trace:
    """A trace without what ran."""
    return trace._replace(units=(), fixtures=())


def _joined(one: Seen, other: Seen) -> Seen:
    """Several attempts at a test in one process."""
    if one is other:
        return one
    return other._replace(
        units=one.units | other.units,
        reads=one.reads | other.reads,
        lists=one.lists | other.lists,
        unseen=one.unseen or other.unseen,
        elsewhere=both(one.elsewhere, other.elsewhere),
    )
