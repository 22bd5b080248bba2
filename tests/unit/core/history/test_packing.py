"""Packs hold what the index keeps of their runs, and are trusted no more than segments."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.packing import Series, packed, unpacked
from pytest_ciopt.core.history.records import Benchmark, Environment, RunEnd, RunStart
from pytest_ciopt.core.history.results import Kind, Outcome, Result, RunResults

START = RunStart("0192f0a1b2c3-" + "0a" * 10, 1.0, Environment("3.12.1", "cpython", "linux"))
MICRO = st.integers(0, 10**14)
RESULT = st.builds(
    Result,
    st.sampled_from([str(one) for one in Outcome]),
    MICRO,
    MICRO,
    MICRO,
    st.integers(1, 99),
    st.none() | st.text(max_size=9),
)
SUBJECT = st.tuples(
    st.sampled_from(Kind), st.text(st.characters(exclude_categories=()), max_size=9)
)


def run(number: int, results: dict[tuple[Kind, str], Result]) -> RunResults:
    start = START._replace(run=f"{number:012x}-{'0a' * 10}")
    end = RunEnd(2.0, 0, len(results)) if number % 2 else None
    fast = Benchmark("b", 5, 1, 0.1, 0.2, 0.2, 0.1, 0.3, "cpu", fingerprint="0a", clock="wall")
    benchmarks = (fast,) * (number % 3)
    return RunResults(start, end, results, {".": number}, 1.5, benchmarks)


@given(st.lists(st.dictionaries(SUBJECT, RESULT, max_size=4), max_size=4))
def test_round_trip(several: list[dict[tuple[Kind, str], Result]]) -> None:
    runs = [run(number, results) for number, results in enumerate(several)]
    kept, series = unpacked(packed(runs))
    assert [(one.start, one.end, one.counts, one.seconds, one.benchmarks) for one in kept] == [
        (one.start, one.end, one.counts, one.seconds, one.benchmarks) for one in runs
    ]
    found: list[dict[tuple[Kind, str], Result]] = [{} for _ in runs]
    for one in series:
        for place, result in zip(one.runs, one.results, strict=True):
            found[place][one.subject] = result
    assert found == several


TWO = [
    run(1, {(Kind.TEST, "a"): Result(".", 1, 2, 3)}),
    run(2, {(Kind.TEST, "a"): Result("F", 4, 5, 6)}),
]
LINES = list(packed(TWO))


def everything(lines: Sequence[bytes]) -> list[Series]:
    return list(unpacked(lines)[1])


def altered(**values: object) -> list[bytes]:
    series = json.loads(LINES[-1]) | values
    return [*LINES[:-1], json.dumps(series).encode() + b"\n"]


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("cut off", []),
        ("no head", LINES[1:]),
        ("later version", [LINES[0].replace(b'"schema":1', b'"schema":2'), *LINES[1:]]),
        ("as many as it says", [LINES[0].replace(b'"runs":2', b'"runs":3'), *LINES[1:]]),
        ("as many as it says", LINES[:2]),
        ("occurs twice", [LINES[0], *LINES[1:3], *LINES[1:3]]),
        ("cut off", [*LINES[:-1], LINES[-1][:-1]]),
        ("no JSON", [*LINES[:-1], b"[" * 100_000 + b"\n"]),
        ("kind, id or outcomes", altered(kind="run time")),
        ("kind, id or outcomes", altered(id=7)),
        ("outcome that is none", altered(outcomes="?F")),
        ("column", altered(outcomes="...")),
        ("out of range", altered(runs=[0, 2])),
        ("out of range", altered(setup=[-1, 0])),
        ("out of range", altered(call=[10**20, 0])),
        ("column", altered(call=[1.5, 0])),
        ("column", altered(call=[True, 0])),
        ("column", altered(teardown=None)),
        ("column", altered(attempts={})),
        ("do not rise", altered(runs=[1, 1])),
        ("failures", altered(failures={"0": 1})),
        ("failures", altered(failures=[])),
    ],
)
def test_what_is_wrong_is_said(said: str, lines: Sequence[bytes]) -> None:
    with pytest.raises(SegmentError, match=said):
        everything(lines)
