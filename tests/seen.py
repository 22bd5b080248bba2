"""What a segment says of the dependencies of tests, in a form that tests can compare."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ciopt.adapters.history.reader import all_records, inventory
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import Record
from pytest_ciopt.core.history.traces import (
    Inputs,
    Trace,
    TracedFixture,
    TracedImport,
    TracedSession,
    TracedTest,
    TraceRecord,
    Units,
)


@dataclass
class Seen:
    """Of a test, with everything that the fixtures did that it uses, and those that they use."""

    units: set[str] = field(default_factory=set)
    """`path:name`, or `path:` for the body of a module."""
    reads: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)


@dataclass
class Segment:
    """All that one run told of dependencies."""

    tests: dict[str, Seen] = field(default_factory=dict)
    """By the last part of the id."""
    own: dict[str, Seen] = field(default_factory=dict)
    """The same without what fixtures of wider scope did."""
    imports: dict[str, Seen] = field(default_factory=dict)
    session: Seen = field(default_factory=Seen)
    sources: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    distributions: set[str] = field(default_factory=set)


def newest(repository: Path) -> Segment:
    """What the last run left. Fails when a test names a life of which nothing is known."""
    runs = inventory(StateDir(repository / ".ciopt"), time.time()).runs
    return segment_of(list(all_records(list(runs.values())[-1])))


def segment_of(records: Iterable[Record | TraceRecord]) -> Segment:
    found = Segment()
    names: dict[str | None, list[str]] = {}
    lives: dict[tuple[str | None, int], Trace] = {}
    for record in records:
        if isinstance(record, TracedFixture):
            lives[record.worker, record.number] = record.trace
    for record in records:
        match record:
            case Units():
                known = names.setdefault(record.worker, [])
                known.extend(f"{record.path}:{name}" for name in record.names)
            case TracedTest():
                name = record.id.rpartition("::")[2]
                numbers, waiting = set[int](), set(record.trace.fixtures)
                seen = found.tests.setdefault(name, Seen())
                _unite(seen, record.trace, names, record.worker)
                _unite(found.own.setdefault(name, Seen()), record.trace, names, record.worker)
                while waiting:
                    number = waiting.pop()
                    numbers.add(number)
                    life = lives[record.worker, number]
                    _unite(seen, life, _all_names(records), record.worker)
                    waiting |= set(life.fixtures) - numbers
            case TracedImport():
                seen = found.imports.setdefault(record.path, Seen())
                _unite(seen, record.trace, names, record.worker)
            case TracedSession():
                _unite(found.session, record.trace, names, record.worker)
            case Inputs():
                found.sources |= record.sources
                found.data |= record.data
                found.folders |= record.folders
                found.distributions |= set(record.distributions)
    return found


def _all_names(records: Iterable[Record | TraceRecord]) -> dict[str | None, list[str]]:
    names: dict[str | None, list[str]] = {}
    for record in records:
        if isinstance(record, Units):
            named = (f"{record.path}:{name}" for name in record.names)
            names.setdefault(record.worker, []).extend(named)
    return names


def _unite(
    seen: Seen, trace: Trace, names: dict[str | None, list[str]], worker: str | None
) -> None:
    known = names.get(worker, [])
    seen.units |= {known[number] for number in trace.units}
    seen.reads |= set(trace.reads)
    seen.lists |= set(trace.lists)
    if trace.unseen is not None:
        seen.unseen.add(trace.unseen)
