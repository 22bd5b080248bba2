import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.history import encoding
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
    ModuleCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
    Subtest,
    Uncollected,
)
from strategies import MAYBE, PHASE, RECORDS, TEXT

ENVIRONMENT = Environment("3.12.1", "cpython", "linux-x86_64")
START = RunStart("0192f0a1b2c3-" + "0a" * 10, 1.79e9, ENVIRONMENT)
PASSED = Phase("passed", 0.25)
SUB = Subtest("s", "passed", 0.1)
SCHEMA_OF_LINES = jsonschema.Draft202012Validator(
    json.loads((Path(encoding.__file__).parent / "segment.schema.json").read_text())
)


@given(RECORDS)
def test_round_trip(record: Record) -> None:
    line = encoded(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert decoded(line) == record


@given(RECORDS)
def test_lines_are_as_the_schema_says(record: Record) -> None:
    assert list(SCHEMA_OF_LINES.iter_errors(json.loads(encoded(record)))) == []


def test_the_schema_knows_every_key() -> None:
    """Else a key could be written, and read, that no page tells of."""
    known = {
        variant["properties"]["kind"]["const"]: set(variant["properties"])
        for variant in SCHEMA_OF_LINES.schema["oneOf"]
    }
    full = (
        replace(
            START,
            repository="a" * 40,
            commit="b" * 64,
            tree="c" * 40,
            branch="d",
            shard="1/2",
            base="e" * 40,
            everything="f",
            source="junit",
        ),
        Attempt("a", PASSED, PASSED, PASSED, 2, "gw0", True, "r", "f", (SUB,), "changed"),
        ModuleCost("a", 0.1, 0.1, "gw0"),
        Uncollected("a", "failed", "why"),
        FixtureCost("a", "class", "b", 0.1, 0.1, "gw0"),
        Benchmark("a", 5, 1, 0.1, 0.1, 0.1, 0.1, 0.1, "cpu"),
        RunEnd(1.0, 0, 1, 2, 3),
    )
    lines = [json.loads(encoded(record)) for record in full]
    assert {line["kind"]: set(line) for line in lines} == known


@given(st.builds(Attempt, TEXT, PHASE, st.none() | PHASE, st.none() | PHASE, worker=MAYBE))
def test_the_short_way_writes_what_the_long_one_does(attempt: Attempt) -> None:
    assert encoding._is_simple(attempt)
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


@given(RECORDS, st.data())
def test_any_value_in_any_place_is_read_or_refused(record: Attempt, data: st.DataObject) -> None:
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
