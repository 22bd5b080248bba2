"""Reads the lines of traces, and trusts none of them; see `decoding.py` for all others."""

from collections.abc import Callable, Mapping

from pytest_ciopt.core.history.fields import Fields, SegmentError
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


def _trace(fields: Fields) -> Trace:
    return Trace(
        units=fields.numbers("units"),
        reads=fields.texts("reads"),
        lists=fields.texts("lists"),
        fixtures=fields.numbers("fixtures"),
        unseen=fields.maybe("unseen"),
    )


def _read_units(fields: Fields) -> Units:
    return Units(fields.text("path"), fields.texts("names"), fields.maybe("worker"))


def _read_test(fields: Fields) -> TracedTest:
    return TracedTest(
        fields.text("id"), _trace(fields), fields.maybe("worker"), fields.maybe("what")
    )


def _read_fixture(fields: Fields) -> TracedFixture:
    return TracedFixture(
        fields.count("number"), fields.text("name"), _trace(fields), fields.maybe("worker")
    )


def _read_import(fields: Fields) -> TracedImport:
    return TracedImport(fields.text("path"), _trace(fields), fields.maybe("worker"))


def _read_calls(fields: Fields) -> TracedCalls:
    in_tests, at_import = fields.numbers("tests"), fields.numbers("imports")
    unit, more = fields.count("unit"), fields.flag("more")
    return TracedCalls(unit, in_tests, at_import, more, fields.maybe("worker"))


def _read_read(fields: Fields) -> TracedRead:
    units, handed = fields.numbers("units"), fields.numbers("handed")
    return TracedRead(fields.text("path"), units, handed, fields.maybe("worker"))


def _read_session(fields: Fields) -> TracedSession:
    return TracedSession(_trace(fields), fields.maybe("worker"))


def _read_collected(fields: Fields) -> Collected:
    return Collected(fields.text("path"), fields.text("digest"), fields.maybe("worker"))


def _read_inputs(fields: Fields) -> Inputs:
    return Inputs(
        sources=fields.texts_by_name("sources"),
        data=fields.texts_by_name("data"),
        folders=fields.texts_by_name("folders"),
        packages=fields.texts_by_name("packages"),
        distributions=fields.texts("distributions"),
        worker=fields.maybe("worker"),
    )


def _read_source(fields: Fields) -> Source:
    definitions = {
        name: _fingerprints(value) for name, value in fields.by_name("definitions").items()
    }
    return Source(fields.text("id"), definitions, fields.text("effects"))


def _fingerprints(value: object) -> tuple[str, str]:
    match value:
        case [str(executed), str(bound)]:
            return executed, bound
    raise SegmentError("a definition without two fingerprints")


TRACE_READERS: Mapping[str, Callable[[Fields], TraceRecord]] = {
    "units": _read_units,
    "traced": _read_test,
    "traced-fixture": _read_fixture,
    "traced-import": _read_import,
    "traced-calls": _read_calls,
    "traced-read": _read_read,
    "traced-session": _read_session,
    "collected": _read_collected,
    "inputs": _read_inputs,
    "source": _read_source,
}
