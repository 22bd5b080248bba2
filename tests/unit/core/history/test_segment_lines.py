import json
import math
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.history import encoding
from pytest_ciopt.core.history.covered import (
    CoveredContents,
    CoveredFixture,
    CoveredRecord,
    CoveredRun,
    CoveredSession,
    CoveredSet,
    CoveredTest,
)
from pytest_ciopt.core.history.decoding import MAX_LINE, SegmentError, decoded
from pytest_ciopt.core.history.encoding import (
    MAX_SUBTESTS,
    MAX_TEXT,
    SCHEMA,
    encoded,
    seconds,
    shortened,
)
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Environment,
    FixtureCost,
    Judged,
    ModuleCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
    Subtest,
    Uncollected,
)
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.history.trace_encoding import TRACED
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
from strategies import COVERED, MAYBE, PHASE, RECORDS, TEXT, TRACES

ENVIRONMENT = Environment("3.12.1", "cpython", "linux-x86_64")
START = RunStart("0192f0a1b2c3-" + "0a" * 10, 1.79e9, ENVIRONMENT)
PASSED = Phase("passed", 0.25)
SUB = Subtest("s", "passed", 0.1)
TRACE = Trace((3, 4, 9), ("a.json",), ("",), (0, 7), "starts a process")
SCHEMA_OF_LINES = jsonschema.Draft202012Validator(
    json.loads((Path(encoding.__file__).parent / "segment.schema.json").read_text())
)


@given(RECORDS | TRACES | COVERED)
def test_round_trip(record: Record | TraceRecord | CoveredRecord) -> None:
    line = encoded(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert decoded(line) == record


@given(RECORDS | TRACES | COVERED)
def test_lines_are_as_the_schema_says(record: Record | TraceRecord | CoveredRecord) -> None:
    assert list(SCHEMA_OF_LINES.iter_errors(json.loads(encoded(record)))) == []


def test_the_schema_knows_every_key() -> None:
    """Else a key could be written, and read, that no page tells of."""
    known = {
        variant["properties"]["kind"]["const"]: set(variant["properties"])
        for variant in SCHEMA_OF_LINES.schema["oneOf"]
    }
    full = (
        START._replace(
            repository="a" * 40,
            commit="b" * 64,
            tree="c" * 40,
            branch="d",
            shard="1/2",
            plan="p",
            base="e" * 40,
            everything="f",
            variables={"A": "0a"},
            source="junit",
        ),
        Attempt("a", PASSED, PASSED, PASSED, 2, "gw0", True, "r", "f", (SUB,), "changed"),
        ModuleCost("a", 0.1, 0.1, "gw0"),
        Uncollected("a", "failed", "why"),
        FixtureCost("a", "class", "b", 0.1, 0.1, "gw0"),
        Benchmark(
            "a", 5, 1, 0.1, 0.1, 0.1, 0.1, 0.1, "cpu", 0.1, 0.1, "0a", "wall", 0.9, (0.1,), "9%"
        ),
        RunEnd(1.0, 0, 1, 2, 3, Totals(2, 1, 2, 1), (Judged("coverage", "pass", "w"),), "0a", 7),
        CoveredSet("a.py", (1, 2), 3, "gw0"),
        CoveredTest("a", (1, 2), (0,), "gw0"),
        CoveredFixture(3, (1, 2), (0,), "gw0"),
        CoveredSession((1, 2), "gw0"),
        CoveredContents({"a.py": "1"}, "gw0"),
        CoveredRun(True, False, (1, 2), "0f", "0e", ("a",), ("why",), "gw0"),
        Units("a.py", ("f",), "gw0"),
        TracedTest("a", TRACE, "gw0"),
        TracedFixture(3, "a", TRACE, "gw0"),
        TracedImport("a.py", TRACE, "gw0"),
        TracedCalls(3, (1, 2), (0,), True, "gw0"),
        TracedRead("a.json", (1, 2), (2,), "gw0"),
        TracedSession(TRACE, "gw0"),
        Collected("a.py", "0f", "gw0"),
        Inputs({"a.py": "1"}, {"b": "2"}, {"": "3"}, ("c-1",), "gw0", {"": "4"}),
        Source("1", {"f": ("2", "3")}, "4"),
    )
    lines = [json.loads(encoded(record)) for record in full]
    assert {line["kind"]: set(line) for line in lines} == known


@given(RECORDS | TRACES | COVERED)
def test_lines_of_traces_and_no_others_are_known_by_their_beginning(
    record: Record | TraceRecord,
) -> None:
    assert encoded(record).startswith(TRACED) == isinstance(record, TraceRecord)


def test_units_are_written_in_small_steps() -> None:
    line = encoded(TracedTest("a", Trace(units=(70_001, 70_002, 70_005))))
    assert json.loads(line)["units"] == [70_001, 1, 3]


PASSING = st.builds(Phase, st.just("passed"), st.floats(), st.just(0.0))


@given(st.builds(Attempt, TEXT, PASSING, PASSING, PASSING, worker=MAYBE))
def test_the_short_way_writes_what_the_long_one_does(attempt: Attempt) -> None:
    assert encoding._passed(attempt) is not None
    plain = {key: v for key, v in encoding._attempt(attempt).items() if v is not None}
    assert json.loads(encoded(attempt)) == plain
    assert decoded(encoded(attempt)) == decoded(json.dumps(plain).encode())


@given(st.builds(Attempt, TEXT, PHASE, st.none() | PHASE, st.none() | PHASE, worker=MAYBE))
def test_phases_that_did_not_pass_or_paid_for_others_go_the_long_way(attempt: Attempt) -> None:
    plain = {key: v for key, v in encoding._attempt(attempt).items() if v is not None}
    assert json.loads(encoded(attempt)) == plain


def read_or_refused(line: bytes) -> bool:
    """Any error but the documented one comes through, and fails the test."""
    try:
        record = decoded(line)
    except SegmentError as refusal:
        return bool(str(refusal))
    if record is None:
        return True
    written = encoded(record)  # seconds are rounded by it
    again = decoded(written)
    return again is not None and encoded(again) == written


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    assert read_or_refused(line)


@given(RECORDS | TRACES, st.data())
def test_any_value_in_any_place_is_read_or_refused(
    record: Record | TraceRecord, data: st.DataObject
) -> None:
    plain = json.loads(encoded(record))
    name = data.draw(st.sampled_from(sorted(plain)))
    values = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
    plain[name] = data.draw(values | st.lists(values, max_size=3) | st.dictionaries(TEXT, values))
    assert read_or_refused(json.dumps(plain).encode())


def hostile() -> Iterator[tuple[str, bytes]]:
    test = json.loads(encoded(Attempt("a::b", PASSED)))
    start = json.loads(encoded(START))
    yield "no JSON", b"{"
    yield "no JSON", b"\xff\xfe{}"
    yield "no JSON", b'{"kind":' * 100_000
    yield "no JSON", b"[" * 1_000_000
    yield "no JSON", b'{"kind":"end","exit":' + b"9" * 5_000 + b"}"
    yield "no object", b"[]"
    yield "no object", b"7"
    yield "kind is no text", b"{}"
    yield "kind is no text", b'{"kind":{}}'
    yield "occurs twice", b'{"kind":"end","kind":"test"}'
    yield "NaN", b'{"kind":"end","finished":NaN}'
    yield "Infinity", b'{"kind":"end","finished":-Infinity}'
    yield "bytes", b" " * (MAX_LINE + 1)
    yield "id is no text", json.dumps(test | {"id": 7}).encode()
    yield "without set-up", json.dumps(test | {"setup": None}).encode()
    for phase in ("passed", [], ["passed"], ["passed", 1, 2, 3], {"passed": 1}, [1, "passed"]):
        yield "setup is no phase", json.dumps(test | {"setup": phase}).encode()
    for took in (-1, 1e300, True, "1", None):
        yield "setup is no duration", json.dumps(test | {"setup": ["passed", took]}).encode()
    yield "setup is none of", json.dumps(test | {"setup": ["maybe", 1]}).encode()
    yield "xfail", json.dumps(test | {"xfail": "no"}).encode()
    yield "attempt", json.dumps(test | {"attempt": 1.5}).encode()
    yield "subtest", json.dumps(test | {"subtests": [["a", "passed"]]}).encode()
    yield "subtests is no list", json.dumps(test | {"subtests": {}}).encode()
    for run in ("", "../../etc/passwd", "a" * 33, START.run + "\n", START.run.upper()):
        yield "run", json.dumps(start | {"run": run}).encode()
    yield f"schema {SCHEMA + 1}", json.dumps(start | {"schema": SCHEMA + 1}).encode()
    yield "schema", json.dumps(start | {"schema": True}).encode()
    yield "started", json.dumps(start | {"started": -1}).encode()
    yield "options", json.dumps(start | {"options": ["--a", 1]}).encode()
    yield "environment is no object", json.dumps(start | {"environment": []}).encode()
    for name in ("repository", "commit", "tree", "base"):
        for value in ("--output=file", "HEAD", "a" * 39, "A" * 40, "a" * 40 + "\n"):
            yield f"{name} is no id of git's", json.dumps(start | {name: value}).encode()
    yield "workers", json.dumps(start | {"workers": -1}).encode()
    traced = json.loads(encoded(TracedTest("a::b", TRACE)))
    for units in ([-1], [3, 0], [3, -1], [1 << 53], [1, 1 << 53]):
        yield "units does not rise", json.dumps(traced | {"units": units}).encode()
    for units in ([True], [1.5], ["1"], [None]):
        yield "units holds more", json.dumps(traced | {"units": units}).encode()
    yield "fixtures is no list", json.dumps(traced | {"fixtures": 3}).encode()
    yield "reads holds more", json.dumps(traced | {"reads": [1]}).encode()
    yield "sources is no object", b'{"kind":"inputs","sources":[]}'
    yield "data holds more", b'{"kind":"inputs","sources":{},"data":{"a":1}}'
    for definition in ("a", ["a"], ["a", 1], ["a", "b", "c"]):
        source = {"kind": "source", "id": "a", "definitions": {"f": definition}, "effects": ""}
        yield "a definition without", json.dumps(source).encode()


@pytest.mark.parametrize(("said", "line"), tuple(hostile()))
def test_what_is_wrong_is_said(said: str, line: bytes) -> None:
    with pytest.raises(SegmentError, match=said):
        decoded(line)


def test_unknown_kinds_and_keys_are_left_to_later_versions() -> None:
    assert decoded(b'{"kind":"profile","samples":[1]}\n') is None
    known = json.loads(encoded(Attempt("a::b", PASSED)))
    assert decoded(json.dumps(known | {"heat": 7}).encode()) == Attempt("a::b", PASSED)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, 1e300])
def test_a_broken_clock_takes_no_time(value: float) -> None:
    assert seconds(value) == 0.0
    assert decoded(encoded(Attempt("a", Phase("passed", value)))) == Attempt(
        "a", Phase("passed", 0.0)
    )


def test_of_a_text_the_first_line_is_kept() -> None:
    assert shortened("\n  AssertionError: 1\n  more") == "AssertionError: 1"
    assert len(shortened("x" * 10_000)) == MAX_TEXT


def test_of_very_many_subtests_those_that_failed_are_kept() -> None:
    passed = tuple(Subtest(f"s{n}", "passed", 0.1) for n in range(3 * MAX_SUBTESTS))
    failed = Subtest("f", "failed", 0.2)
    kept = decoded(encoded(Attempt("a", PASSED, subtests=(*passed, failed))))
    assert isinstance(kept, Attempt)
    assert len(kept.subtests) == MAX_SUBTESTS
    assert kept.subtests[0] == failed
