"""What is known after any runs, in any order, and how it is kept."""

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.history.fields import SegmentError
from pytest_ciopt.core.history.records import Attempt, Environment, Phase, Record, RunStart
from pytest_ciopt.core.history.traces import (
    Collected,
    Inputs,
    Source,
    Trace,
    TracedCalls,
    TracedFixture,
    TracedImport,
    TracedSession,
    TracedTest,
    TraceRecord,
    Units,
    digest_of,
)
from pytest_ciopt.core.proof import storing
from pytest_ciopt.core.proof.knowledge import Knowledge, gone
from pytest_ciopt.core.proof.seen import Known, Module
from pytest_ciopt.core.proof.stretches import Firsts
from recorded import process_of

ENVIRONMENT = Environment("3.12.1", "cpython", "linux-x86_64")
PASSED, FAILED = Phase("passed", 0.1), Phase("failed", 0.1)
NAMES = ("f", "g", "test_a", "db")
TEST = "t.py::test_a"


def start(number: int, root: str = "") -> RunStart:
    return RunStart(f"{number:012x}-{'0a' * 10}", 1.79e9 + number, ENVIRONMENT, root=root)


def attempt(test: str = TEST, call: Phase | None = PASSED, **facts: Any) -> Attempt:
    return Attempt(test, PASSED, call, PASSED, **facts)


def run(
    number: int,
    *records: Record | TraceRecord,
    sources: dict[str, str] | None = None,
    root: str = "",
) -> list[Record | TraceRecord]:
    content = {"t.py": "1", "m.py": "1"} if sources is None else sources
    return [
        start(number, root),
        Units("m.py", NAMES[:2]),
        Units("t.py", NAMES[2:]),
        *records,
        TracedSession(Trace(units=(1,))),
        Inputs(content, {"a.json": "2"}, {"data": "3"}, ("click-8",), packages={"": "4"}),
    ]


def known(*runs: Iterable[Record | TraceRecord]) -> Knowledge:
    found = Knowledge()
    for one in runs:
        found.add(one)
    return found


SEEN = (attempt(), TracedTest(TEST, Trace(units=(0, 2), reads=("a.json",))))


def test_what_a_test_ran_and_read() -> None:
    found = known(run(1, *SEEN)).tests[TEST]
    assert not found.bad
    assert found.seen is not None
    assert found.seen.units == {("m.py", "f"), ("t.py", "test_a")}
    assert found.seen.reads == {"a.json"}
    assert found.seen.process.outside == {("m.py", "g")}


def test_ids_count_from_the_top_of_the_repository() -> None:
    assert list(known(run(1, *SEEN, root="pkg")).tests) == [f"pkg/{TEST}"]


def test_fixtures_of_fixtures_belong_to_every_user() -> None:
    lives = [
        TracedFixture(0, "db", Trace(units=(3,), fixtures=(1,))),
        TracedFixture(1, "server", Trace(units=(1,), lists=("data",))),
    ]
    found = known(run(1, attempt(), TracedTest(TEST, Trace(units=(0,), fixtures=(0,))), *lives))
    seen = found.tests[TEST].seen
    assert seen is not None
    assert seen.units == {("m.py", "f"), ("t.py", "db"), ("m.py", "g")}
    assert seen.lists == {"data"}


@pytest.mark.parametrize(
    "records",
    [
        [attempt()],
        [attempt(), TracedTest(TEST, Trace(fixtures=(0,)))],
        [attempt(), TracedTest(TEST, Trace(units=(99,)))],
        [attempt(), TracedTest(TEST, Trace(), worker="gw7")],
        [attempt(call=FAILED), SEEN[1]],
        [replace(attempt(), teardown=None), SEEN[1]],
        [attempt(call=Phase("rerun", 0.1)), attempt(attempt=2), SEEN[1]],
    ],
    ids=["no trace", "unfinished fixture", "no name", "no inputs", "failed", "no end", "flaky"],
)
def test_what_proves_nothing(records: list[Record | TraceRecord]) -> None:
    assert known(run(1, *records)).tests[TEST].seen is None


@pytest.mark.parametrize(
    ("one", "bad"),
    [
        (attempt(call=FAILED), True),
        (replace(attempt(), teardown=None), True),
        (Attempt(TEST, FAILED, None, PASSED), True),
        (Attempt(TEST, Phase("skipped", 0.1), None, PASSED), False),
        (attempt(call=Phase("skipped", 0.1), attempt=1), False),
    ],
)
def test_tests_that_are_owed(one: Attempt, bad: bool) -> None:
    assert known(run(1, one)).tests[TEST].bad is bad


def test_the_later_run_counts() -> None:
    first, then = run(1, *SEEN), run(2, attempt(call=FAILED), SEEN[1])
    for order in ((first, then), (then, first), (then, first, then)):
        found = known(*order)
        assert found.tests[TEST].bad
        assert found.tests[TEST].seen is None
    assert not known(then, run(3, *SEEN)).tests[TEST].bad


def test_a_run_without_traces_takes_no_proof_away() -> None:
    first, untraced = run(1, *SEEN), run(2, attempt())
    for order in ((first, untraced), (untraced, first)):
        seen = known(*order).tests[TEST].seen
        assert seen is not None
        assert seen.process.run == start(1).run


def test_what_was_seen_before_a_failure_proves_nothing() -> None:
    first, bad, untraced = run(1, *SEEN), run(2, attempt(call=FAILED)), run(3, attempt())
    for order in ((first, bad, untraced), (untraced, bad, first)):
        found = known(*order).tests[TEST]
        assert not found.bad
        assert found.seen is None
    assert known(first, bad, run(4, *SEEN)).tests[TEST].seen is not None


def test_what_an_earlier_run_saw_counts_while_the_file_is_the_same() -> None:
    less = (attempt(), TracedTest(TEST, Trace(units=(2,))))
    same = known(run(1, *SEEN), run(2, *less)).tests[TEST].seen
    assert same is not None
    assert same.units == {("m.py", "f"), ("t.py", "test_a")}
    assert same.process.run == start(2).run
    other = run(2, *less, sources={"t.py": "1", "m.py": "2"})
    changed = known(run(1, *SEEN), other).tests[TEST].seen
    assert changed is not None
    assert changed.units == {("t.py", "test_a")}


def test_collections_and_sources() -> None:
    source = Source("1", {"f": ("a", "")}, "f")
    found = known(run(1, Collected("t.py", "d1"), source), run(2, Collected("t.py", "d2")))
    assert found.modules["t.py"].digest == "d2"
    assert found.modules["t.py"].content_id == "1"
    assert found.sources == {"1": source}


def test_calls_of_all_processes_and_runs_are_united() -> None:
    """Numbers are those of a process."""
    there: list[TraceRecord] = [
        Units("x.py", ("x", "y"), "gw0"),
        TracedCalls(0, (1,), worker="gw0"),
    ]
    found = known(
        run(1, TracedCalls(0, (2,), (1,)), *there), run(2, TracedCalls(0, (3,)), TracedCalls(1, ()))
    ).ran
    assert found.callers == {
        ("m.py", "f"): {("t.py", "test_a"), ("t.py", "db")},
        ("x.py", "x"): {("x.py", "y")},
    }
    assert found.importers == {("m.py", "f"): {("m.py", "g")}}


def test_calls_of_a_test_that_failed_count() -> None:
    assert known(run(1, attempt(call=FAILED), TracedCalls(0, (2,)))).ran.callers


def test_what_fixtures_of_wider_scope_ran_is_shared() -> None:
    lives = [TracedFixture(n, "db", Trace(units=(n,))) for n in (1, 3)]
    found = known(run(1, *SEEN, *lives), run(2, TracedFixture(0, "db", Trace(units=(0,)))))
    assert found.ran.shared == {("m.py", "f"), ("m.py", "g"), ("t.py", "db")}


@pytest.mark.parametrize(
    "record",
    [
        TracedCalls(99, (0,)),
        TracedCalls(0, (99,)),
        TracedCalls(0, (), (99,)),
        TracedCalls(0, (1,), worker="gw7"),
        TracedFixture(0, "db", Trace(units=(99,))),
        TracedFixture(0, "db", Trace(units=(0,)), worker="gw7"),
        TracedSession(Trace(units=(99,)), worker=None),
    ],
)
def test_a_number_without_a_name(record: TraceRecord) -> None:
    """The run is left out, and nothing else is."""
    found = known(run(1, *SEEN))
    before = storing.plain(found)
    with pytest.raises(SegmentError):
        found.add([*run(2, *SEEN), record])
    assert storing.plain(found) == before


def test_what_ran_when_something_else_did_for_the_first_time() -> None:
    """What a caller got then it may have kept for later tests."""
    f, g, a, db = (("m.py", "f"), ("m.py", "g"), ("t.py", "test_a"), ("t.py", "db"))
    later = [attempt("t.py::test_b"), TracedTest("t.py::test_b", Trace(units=(0, 1)))]
    life = TracedFixture(0, "db", Trace(units=(1, 3)))
    firsts = Firsts(process_of(known(run(1, *SEEN, *later, life))))
    assert firsts.units == {f, g, a, db}
    assert {one for one in firsts.units if firsts.began(one, a)} == {f, a}
    assert {one for one in firsts.units if firsts.began(one, f)} == {f, a, g}
    assert {one for one in firsts.units if firsts.began(one, g)} == {g, db}  # db in a fixture
    assert firsts.of_reads({"a.json"}).units == {f, a}
    assert firsts.of_reads({"data/"}).units == set()
    assert firsts.of_reads({"a.json"}).began(f, db)


@pytest.mark.parametrize(
    ("by_first", "by_second", "outer", "began"),
    [
        ((), (0,), (), {"db", "g"}),  # f had run when it was set up
        ((0,), (0,), (), {"db", "f", "g"}),
        ((), (), (), {"db", "f", "g"}),  # nobody knows when
        ((), (1,), (0,), {"db", "g"}),  # for another one
        ((1,), (0,), (0,), {"db", "f", "g"}),
    ],
)
def test_what_had_run_when_a_fixture_was_set_up(
    by_first: tuple[int, ...],
    by_second: tuple[int, ...],
    outer: tuple[int, ...],
    began: set[str],
) -> None:
    """It had kept by then what it keeps."""
    records = [
        attempt("t.py::test_a"),
        attempt("t.py::test_b"),
        TracedTest("t.py::test_a", Trace(units=(0, 2), fixtures=by_first)),
        TracedTest("t.py::test_b", Trace(units=(1,), fixtures=by_second)),
        TracedFixture(0, "db", Trace(units=(0, 1, 3), reads=("a.json",))),
        TracedFixture(1, "app", Trace(fixtures=outer)),
    ]
    knowledge = known(run(1, *records))
    for one in (knowledge, storing.knowledge_of(storing.plain(knowledge))):
        firsts = Firsts(process_of(one))
        assert {u[1] for u in firsts.units if firsts.began(u, ("t.py", "db"))} == began
        assert {u[1] for u in firsts.of_reads({"a.json"}).units} == began


NUMBERS = st.sets(st.integers(0, len(NAMES) - 1), max_size=4).map(sorted).map(tuple)
TRACES = st.builds(
    Trace,
    NUMBERS,
    st.lists(st.sampled_from(["a.json", "b"]), unique=True).map(sorted).map(tuple),
    st.lists(st.sampled_from(["", "data"]), unique=True).map(sorted).map(tuple),
    st.sampled_from([(), (0,)]),
    st.none() | st.just("starts a process"),
)
TESTS = st.sampled_from([TEST, "t.py::test_b", "t.py::\ud800"])
INSIDE = st.lists(
    st.one_of(
        st.builds(attempt, TESTS, st.sampled_from([PASSED, FAILED])),
        st.builds(TracedTest, TESTS, TRACES, worker=st.none()),
        st.builds(TracedFixture, st.just(0), st.just("db"), TRACES, worker=st.none()),
        st.builds(
            TracedImport,
            st.just("m.py"),
            TRACES.map(lambda t: t._replace(units=())),
            worker=st.none(),
        ),
        st.builds(TracedCalls, st.integers(0, len(NAMES) - 1), NUMBERS, NUMBERS, worker=st.none()),
        st.builds(Collected, st.just("t.py"), st.text(max_size=3), worker=st.none()),
        st.builds(Source, st.text(max_size=3), st.just({"f": ("a", "b")}), st.just("f !0")),
    ),
    max_size=8,
)
RUNS = st.lists(
    st.tuples(INSIDE, st.sampled_from(["1", "2"])).map(
        lambda both: lambda number: run(number, *both[0], sources={"t.py": "1", "m.py": both[1]})
    ),
    max_size=4,
)


@given(RUNS)
def test_what_is_kept_is_what_is_known(runs: list[object]) -> None:
    found = known(*(make(number) for number, make in enumerate(runs)))  # type: ignore[operator]
    text = json.dumps(storing.plain(found))
    assert storing.knowledge_of(json.loads(text)) == found
    assert json.dumps(storing.plain(storing.knowledge_of(json.loads(text)))) == text


@given(RUNS, st.randoms(use_true_random=False))
def test_later_runs_count_in_any_order(runs: list[object], chance: random.Random) -> None:
    made = [make(number) for number, make in enumerate(runs)]  # type: ignore[operator]
    straight = known(*made)
    chance.shuffle(made)
    shuffled = known(*made, *made)
    assert {test: (one.run, one.bad) for test, one in shuffled.tests.items()} == {
        test: (one.run, one.bad) for test, one in straight.tests.items()
    }
    assert shuffled.modules == straight.modules
    assert shuffled.ran == straight.ran


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ("a b", {"t.py::old"}),
        ("a b old", set()),
        ("a", {"t.py::b", "t.py::old"}),
        ("a b new", set()),
    ],
)
def test_tests_that_are_no_longer_there(held: str, expected: set[str]) -> None:
    """A module has a digest of those that it held when it was last collected."""
    runs = {"t.py::a": "3", "t.py::b": "2", "t.py::old": "1", "u.py::c": "1"}
    tests = {test: Known(run, "", None) for test, run in runs.items()}
    digest = digest_of(f"t.py::{name}" for name in held.split())
    assert gone(Knowledge(tests, modules={"t.py": Module("3", "", digest, None)})) == expected
