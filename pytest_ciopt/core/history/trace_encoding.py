"""Traces as lines of a segment; see `encoding.py` for the lines of everything else.

A process writes them itself and sends them as they are, so that a line is made only once.
"""

from collections.abc import Mapping

from pytest_ciopt.core.history.line import line, steps
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

TRACED = tuple(
    b'{"kind":"' + kind for kind in (b"traced", b"units", b"collected", b"inputs", b"source")
)
"""How lines of traces begin: who does not ask for them need not read further."""
_OF_A_TEST, _NUMBERS = '{"kind":"traced","id"', '"units":['


def encoded_trace(record: TraceRecord) -> bytes:
    """The line of a record, its newline included; ASCII only."""
    return line(_plain(record))


def executed_in(lines: str) -> int:
    """How many functions tests executed of which these lines tell, those of each counted for it."""
    found = 0
    for text in lines.splitlines():
        if text.startswith(_OF_A_TEST):
            numbers = text.partition(_NUMBERS)[2].partition("]")[0]
            found += numbers.count(",") + 1 if numbers else 0
    return found


def _plain(record: TraceRecord) -> Mapping[str, object]:
    match record:
        case TracedTest():
            test = {"kind": "traced", "id": record.id, "what": record.what}
            return {**test, **_trace(record.trace), **_worker(record)}
        case Units():
            names = list(record.names)
            return {"kind": "units", "path": record.path, "names": names, **_worker(record)}
        case TracedFixture():
            life = {"kind": "traced-fixture", "number": record.number, "name": record.name}
            return {**life, **_trace(record.trace), **_worker(record)}
        case TracedImport():
            path = {"kind": "traced-import", "path": record.path}
            return {**path, **_trace(record.trace), **_worker(record)}
        case TracedCalls():
            by = {"tests": steps(record.in_tests) or None, "imports": steps(record.at_import)}
            called = {"kind": "traced-calls", "unit": record.unit}
            more = {"imports": by["imports"] or None, "more": record.more or None}
            return {**called, **by, **more, **_worker(record)}
        case TracedRead():
            by = {"units": steps(record.units), "handed": steps(record.handed) or None}
            return {"kind": "traced-read", "path": record.path, **by, **_worker(record)}
        case TracedSession():
            return {"kind": "traced-session", **_trace(record.trace), **_worker(record)}
        case Collected():
            found = {"kind": "collected", "path": record.path, "digest": record.digest}
            return {**found, **_worker(record)}
        case Inputs():
            return {
                "kind": "inputs",
                "sources": dict(record.sources),
                "data": dict(record.data) or None,
                "folders": dict(record.folders) or None,
                "packages": dict(record.packages) or None,
                "distributions": list(record.distributions) or None,
                **_worker(record),
            }
        case Source():
            definitions = {name: list(both) for name, both in record.definitions.items()}
            known = {"kind": "source", "id": record.id, "definitions": definitions}
            return {**known, "effects": record.effects}


def _trace(trace: Trace) -> Mapping[str, object]:
    return {
        "units": steps(trace.units) or None,
        "reads": list(trace.reads) or None,
        "lists": list(trace.lists) or None,
        "fixtures": steps(trace.fixtures) or None,
        "unseen": trace.unseen,
    }


def _worker(
    record: Units
    | TracedTest
    | TracedFixture
    | TracedImport
    | TracedCalls
    | TracedRead
    | TracedSession
    | Collected
    | Inputs,
) -> Mapping[str, object]:
    return {} if record.worker is None else {"worker": record.worker}
