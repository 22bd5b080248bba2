"""Files of other tools are read by their content, and trusted in nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.history.failures import first_line
from pytest_ciopt.core.history.others.found import ForeignError
from pytest_ciopt.core.history.others.recognise import read
from pytest_ciopt.core.history.records import Attempt, Benchmark, Phase
from pytest_ciopt.core.history.results import outcome_of
from pytest_ciopt.core.history.rounds import Machine

FILES = (
    "tests/test_a.py",
    "sub/tests/test_b.py",
    "x/test_c.py",
    "y/test_c.py",
    "tests/__init__.py",
)
JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" time="1.2"
  timestamp="2026-03-01T12:00:00.500000+00:00">
 <testcase classname="tests.test_a" name="test_one[1.5-x]" time="0.25"/>
 <testcase classname="tests.test_a.TestX.TestY" name="test_two" time="1,000.5">
  <failure message="assert 1 == 2&#10;more">text</failure></testcase>
 <testcase classname="tests.test_b" name="test_three" time="0.1">
  <skipped type="pytest.skip" message="not now">tests/test_b.py:1: not now</skipped></testcase>
 <testcase classname="tests.test_a" name="test_four" time="0.1">
  <skipped type="pytest.xfail" message="known"/></testcase>
 <testcase classname="tests.test_a" name="test_five" time="0.1">
  <error message="failed on setup with &quot;RuntimeError: no&quot;">text</error></testcase>
 <testcase classname="tests.test_a" name="test_six" time="0.5"/>
 <testcase classname="tests.test_a" name="test_six" time="0.25">
  <error message="failed on teardown with &quot;RuntimeError: no&quot;">text</error></testcase>
 <testcase classname="test_c" name="test_in_two_files" time="0.1"/>
 <testcase classname="elsewhere.test_d" name="test" time="0.1"/>
</testsuite></testsuites>
"""
LOG: list[dict[str, Any]] = [
    {"pytest_version": "9.2.0", "$report_type": "SessionStart"},
    {"nodeid": "t.py", "outcome": "passed", "$report_type": "CollectReport"},
    *(
        {"nodeid": "t.py::a", "when": when, "outcome": "passed", "duration": 0.5, "start": 1.7e9}
        | {"$report_type": "TestReport", "worker_id": "gw0"}
        for when in ("setup", "call", "teardown")
    ),
    {"nodeid": "t.py::b", "when": "setup", "outcome": "passed", "$report_type": "TestReport"},
    {
        "nodeid": "t.py::b",
        "when": "call",
        "outcome": "rerun",
        "longrepr": {"reprcrash": {"message": "assert 0\nmore"}},
        "$report_type": "TestReport",
    },
    {"nodeid": "t.py::b", "when": "call", "outcome": "passed", "$report_type": "TestReport"},
    {"nodeid": "t.py::b", "when": "teardown", "outcome": "passed", "$report_type": "TestReport"},
    {
        "nodeid": "t.py::c",
        "when": "setup",
        "outcome": "skipped",
        "longrepr": ["t.py", 3, "Skipped: not now"],
        "$report_type": "TestReport",
    },
    {"exitstatus": 0, "$report_type": "SessionFinish"},
]
BENCHMARKS = {
    "machine_info": {"cpu": {"brand_raw": "A CPU"}},
    "commit_info": {"id": "c" * 40, "branch": "main"},
    "datetime": "2026-03-01T12:00:00+00:00",
    "benchmarks": [
        {
            "fullname": "t.py::bench",
            "stats": {
                "min": 1e-9,
                "max": 3.0,
                "mean": 2.0,
                "stddev": 0.5,
                "rounds": 5,
                "median": 2.0,
            }
            | {"iterations": 7},
        }
    ],
}


def log(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_junit() -> None:
    found = read(JUNIT.encode(), FILES)
    assert (found.source, found.started, found.skipped) == ("junit", 1772366400.5, 2)
    attempts = [one for one in found.records if isinstance(one, Attempt)]
    assert {one.id: outcome_of([one]) for one in attempts} == {
        "tests/test_a.py::test_one[1.5-x]": ".",
        "tests/test_a.py::TestX::TestY::test_two": "F",
        "sub/tests/test_b.py::test_three": "s",
        "tests/test_a.py::test_four": "x",
        "tests/test_a.py::test_five": "E",
        "tests/test_a.py::test_six": "E",
    }
    one, two, three, four, five, six = attempts
    assert one.call == Phase("passed", 0.25)
    assert (two.call, two.failure) == (Phase("failed", 1000.5), "assert 1 == 2")
    assert (three.setup, three.reason) == (Phase("skipped", 0.1), "not now")
    assert (four.xfail, four.reason) == (True, "known")
    assert five.failure == 'failed on setup with "RuntimeError: no"'
    assert six.call == Phase("passed", 0.75)


def test_durations_of_pytest_split() -> None:
    found = read(b'{\n "t.py::a[\\ud800]": 0.25,\n "t.py::b": 2}', FILES)
    assert found.source == "durations"
    assert [(one.id, one.call) for one in found.records if isinstance(one, Attempt)] == [
        ("t.py::a[\ud800]", Phase("passed", 0.25)),
        ("t.py::b", Phase("passed", 2.0)),
    ]


def test_what_is_no_test_has_no_duration() -> None:
    found = read(b'{"version": "3", "t.py::a": 0.25, "::b": 1, "t.py::": 1}', FILES)
    assert [one.id for one in found.records] == ["t.py::a"]
    assert found.skipped == 3
    assert read(b"{}", FILES).records == []


@pytest.mark.parametrize(
    ("test", "roots", "root"),
    [
        ("tests/test_b.py::test", ["", "sub"], "sub"),
        ("sub/tests/test_b.py::test", ["sub", ""], ""),
        ("test_c.py::test", ["y", "x", ""], "y"),  # both have it: the first one
        ("test_gone.py::test", ["sub", ""], "sub"),
    ],
)
def test_ids_are_relative_to_the_folder_that_has_their_files(
    test: str, roots: list[str], root: str
) -> None:
    log_line = LOG[2] | {"nodeid": test}
    (one,) = BENCHMARKS["benchmarks"]
    benchmarks = BENCHMARKS | {"benchmarks": [one | {"fullname": test}]}
    for content in (log([{test: 1}]), log([log_line]), log([benchmarks])):
        found = read(content, FILES, roots)
        assert (found.root, [one.id for one in found.records]) == (root, [test])


def test_a_dotted_name_that_fits_two_files() -> None:
    case = b'<testsuite><testcase classname="test_c" name="test"/></testsuite>'
    found = read(case, FILES, ["y", ""])
    assert (found.root, [one.id for one in found.records]) == ("", ["y/test_c.py::test"])


def test_a_report_log_that_tells_of_the_teardown_before_a_rerun() -> None:
    teardown = {"nodeid": "t.py::b", "when": "teardown", "outcome": "passed"}
    subtest = {"nodeid": "t.py::b", "when": "call", "outcome": "failed", "start": 0}
    lines = [
        *LOG[:7],
        {**teardown, "$report_type": "TestReport"},
        {**subtest, "longrepr": "a\nE 1 == 2\n", "$report_type": "SubTestReport"},
        *LOG[7:],
    ]
    found = read(log(lines), FILES)
    told = [(one.id, one.attempt) for one in found.records if isinstance(one, Attempt)]
    assert told == [("t.py::a", 1), ("t.py::b", 1), ("t.py::b", 2), ("t.py::c", 1)]
    assert found.started == 1.7e9
    second = found.records[2]
    assert isinstance(second, Attempt)
    assert second.failure == "1 == 2"


@pytest.mark.parametrize(
    "said",
    [
        "the case failed\n  no further details",
        "    def it():\n>       go()\nE   ValueError: first\nE   second\n\nt.py:2: ValueError",
        'Traceback (most recent call last):\n  File "t.py", line 1\nValueError: first',
    ],
)
def test_a_report_log_tells_of_a_failure_as_a_recording_does(said: str) -> None:
    report = {"nodeid": "t.py::a", "when": "call", "outcome": "failed", "longrepr": said}
    found = read(log([LOG[0], report | {"$report_type": "TestReport"}]), FILES)
    (attempt,) = found.records
    assert isinstance(attempt, Attempt)
    assert attempt.failure == first_line(said)


@pytest.mark.parametrize("cut", [0, 5])
def test_a_report_log(cut: int) -> None:
    content = log(LOG)
    found = read(content[: len(content) - cut], FILES)
    assert (found.source, found.started) == ("report-log", 1.7e9)
    attempts = [one for one in found.records if isinstance(one, Attempt)]
    half = Phase("passed", 0.5)
    assert attempts[0] == Attempt("t.py::a", half, half, half, worker="gw0")
    assert [(one.id, one.attempt) for one in attempts[1:]] == [
        ("t.py::b", 1),
        ("t.py::b", 2),
        ("t.py::c", 1),
    ]
    assert attempts[1].failure == "assert 0"
    assert outcome_of(attempts[1:3]) == "R"
    assert (outcome_of(attempts[3:]), attempts[3].reason) == ("s", "not now")


def test_benchmarks() -> None:
    found = read(json.dumps(BENCHMARKS, indent=1).encode(), FILES)
    assert (found.started, found.commit, found.branch) == (1772366400.0, "c" * 40, "main")
    (record,) = found.records
    assert record == Benchmark("t.py::bench", 5, 7, 1e-9, 2.0, 2.0, 0.5, 3.0, "A CPU")


def test_a_benchmark_with_its_rounds() -> None:
    """Of the same machine as one that was recorded."""
    told = {"system": "Linux", "machine": "x86_64", "cpu": {"brand_raw": "A CPU", "count": 2}}
    (one,) = BENCHMARKS["benchmarks"]
    more = {"options": {"timer": "process_time"}, "stats": one["stats"] | {"data": [3.0, 1.0]}}
    whole = BENCHMARKS | {"machine_info": told, "benchmarks": [one | more]}
    (record,) = read(json.dumps(whole).encode(), FILES).records
    assert isinstance(record, Benchmark)
    assert (record.clock, record.values, record.p95) == ("cpu", (1.0, 3.0), 3.0)
    assert record.fingerprint == Machine("A CPU", 2, "linux-x86_64").fingerprint


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("none of these", b""),
        ("none of these", b"a,b\n"),
        ("none of these", b"[1]"),
        ("no XML", b"<testsuite>"),
        ("no test report", b"<html/>"),
        ("document type", b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>'),
        ("no JSON", b'{"a": ' * 100_000),
        ("duration", b'{"a.py::a": -1}'),
        ("duration", b'{"a.py::a": NaN}'),
        ("duration", b'{"a.py::a": 1e300}'),
        ("duration", b'{"a.py::a": true}'),
        ("none of its keys is the id of a test", b'{"version": 3, "count": 5}'),
        ("duration", JUNIT.replace("0.25", "soon").encode()),
        ("no JSON", log(LOG[:3]) + b"{\n" + log(LOG[3:])),
        ("node id", log([{"$report_type": "TestReport", "outcome": "passed"}])),
        ("outcome", log([LOG[0], LOG[2] | {"outcome": "maybe"}])),
        ("outcome", log([LOG[0], LOG[2] | {"when": ["call"]}])),
        ("duration", log([LOG[0], LOG[2] | {"duration": None}])),
        ("no object", b'{"benchmarks": [7]}'),
        ("without a name", b'{"benchmarks": [{"stats": {}}]}'),
        ("rounds", b'{"benchmarks": [{"fullname": "a", "stats": {"rounds": 1.5}}]}'),
    ],
)
def test_what_is_wrong_is_said(said: str, content: bytes) -> None:
    with pytest.raises(ForeignError, match=said):
        read(content, FILES)


def read_or_refused(content: bytes) -> bool:
    """Any error but the documented one comes through, and fails the test."""
    try:
        found = read(content, FILES)
    except ForeignError as refusal:
        return bool(str(refusal))
    return all(isinstance(one, Attempt | Benchmark) for one in found.records)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.binary(max_size=80), st.sampled_from([b"", b"<", b"{", b'{"$report_type":', b"<testsuite>"])
)
def test_any_bytes_are_read_or_refused(content: bytes, start: bytes) -> None:
    assert read_or_refused(start + content)


@given(st.integers(0, len(LOG) - 1), VALUES, st.data())
def test_any_value_in_any_place_of_a_log(place: int, value: object, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from([*LOG[place], "longrepr", "wasxfail", "context"]))
    assert read_or_refused(log([*LOG[:place], LOG[place] | {key: value}, *LOG[place + 1 :]]))


@given(VALUES, st.data())
def test_any_value_in_any_place_of_benchmarks(value: object, data: st.DataObject) -> None:
    whole = json.loads(json.dumps(BENCHMARKS))
    one = whole["benchmarks"][0]
    target = data.draw(st.sampled_from([whole, whole["machine_info"], one, one["stats"]]))
    target[data.draw(st.sampled_from(sorted(target)))] = value
    assert read_or_refused(json.dumps(whole).encode())
