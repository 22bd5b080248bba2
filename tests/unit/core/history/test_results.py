"""Records of one run put together: outcomes by letter, seconds without shared fixtures."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_ciopt.core.history.records import (
    Attempt,
    Environment,
    FixtureCost,
    ModuleCost,
    Phase,
    RunEnd,
    RunStart,
    Subtest,
)
from pytest_ciopt.core.history.results import Kind, Result, outcome_of, result_of, results_of

PASSED, FAILED = Phase("passed", 0.5), Phase("failed", 0.5)
SKIPPED, RERUN = Phase("skipped", 0.5), Phase("rerun", 0.5)
START = RunStart("0192f0a1b2c3-" + "0a" * 10, 1.0, Environment("3.12.1", "cpython", "l"), root="a")
BROKEN = Subtest("s", "failed", 0.1)


@pytest.mark.parametrize(
    ("letter", "attempts"),
    [
        (".", [Attempt("t", PASSED, PASSED, PASSED)]),
        ("F", [Attempt("t", PASSED, FAILED, PASSED)]),
        ("F", [Attempt("t", PASSED, PASSED, PASSED, subtests=(BROKEN,))]),
        ("E", [Attempt("t", FAILED, None, PASSED)]),
        ("E", [Attempt("t", PASSED, PASSED, FAILED)]),
        ("s", [Attempt("t", SKIPPED, None, PASSED)]),
        ("s", [Attempt("t", PASSED, SKIPPED, PASSED)]),
        ("x", [Attempt("t", PASSED, SKIPPED, PASSED, xfail=True)]),
        ("X", [Attempt("t", PASSED, PASSED, PASSED, xfail=True)]),
        ("R", [Attempt("t", PASSED, RERUN), Attempt("t", PASSED, PASSED, PASSED, 2)]),
        ("F", [Attempt("t", PASSED, RERUN), Attempt("t", PASSED, FAILED, PASSED, 2)]),
        ("F", [Attempt("t", PASSED, RERUN)]),  # killed before the next attempt
        ("E", [Attempt("t", PASSED, PASSED, RERUN)]),
    ],
)
def test_outcomes(letter: str, attempts: Sequence[Attempt]) -> None:
    assert outcome_of(attempts) == letter


CLEAN, UNCLOSED = Attempt("t", PASSED, PASSED, PASSED), Attempt("t", PASSED, PASSED, FAILED)
LOST = Attempt("t", PASSED, FAILED, PASSED, failure="no")


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("letter", "tried", "several"),
    [
        (".", 1, [CLEAN, CLEAN]),
        ("F", 1, [CLEAN, LOST]),
        ("E", 1, [LOST, UNCLOSED]),
        (".", 1, [CLEAN, Attempt("t", SKIPPED, None, PASSED)]),
        ("R", 2, [CLEAN, Attempt("t", PASSED, RERUN, PASSED), replace(CLEAN, attempt=2)]),
        ("F", 2, [LOST, Attempt("t", PASSED, RERUN, PASSED), replace(CLEAN, attempt=2)]),
    ],
)
def test_the_same_id_twice_is_no_rerun(
    letter: str, tried: int, several: Sequence[Attempt], backwards: bool
) -> None:
    """As under `--dist=each`: the worst of both counts."""
    found = result_of(several[::-1] if backwards else several)
    assert (found.outcome, found.attempts) == (letter, tried)
    assert found.failure == ("no" if LOST in several else None)


@pytest.mark.parametrize(
    ("cut_off", "letter"),
    [
        (Attempt("t", PASSED), None),
        (Attempt("t", PASSED, subtests=(Subtest("s", "passed", 0.1),)), None),
        (Attempt("t", PASSED, subtests=(BROKEN,)), "F"),
        (Attempt("t", FAILED), "E"),
        (Attempt("t", SKIPPED), "s"),
        (Attempt("t", PASSED, PASSED), "."),  # imported, where nothing tells of a teardown
    ],
)
def test_a_test_that_was_cut_off_has_no_result(cut_off: Attempt, letter: str | None) -> None:
    whole = results_of([START, cut_off])
    assert [one.outcome for one in whole.results.values()] == ([letter] if letter else [])
    assert whole.counts == ({letter: 1} if letter else {})


def test_a_run() -> None:
    end = RunEnd(2.0, 1, 2)
    whole = results_of(
        [
            START,
            ModuleCost("t.py", 0.1, 0.2, "gw0"),
            ModuleCost("t.py", 0.3, 0.4, "gw1"),
            ModuleCost("t.py", 0.9, 0.9, "gw2"),
            FixtureCost("db", "session", "conftest.py", 0.25, 0.5),
            Attempt("t.py::a", Phase("passed", 0.5, 0.25), PASSED, Phase("passed", 0.5, 0.5)),
            Attempt("t.py::b", PASSED, FAILED, PASSED, failure="no"),
            end,
        ]
    )
    assert (whole.start, whole.end) == (START, end)
    assert whole.results == {
        (Kind.TEST, "a/t.py::a"): Result(".", 250_000, 500_000, 0),
        (Kind.TEST, "a/t.py::b"): Result("F", 500_000, 500_000, 500_000, 1, "no"),
        (Kind.MODULE, "a/t.py"): Result(".", 300_000, 400_000, 0, 3),
        (Kind.FIXTURE, "a/conftest.py::db (session)"): Result(".", 250_000, 0, 500_000),
    }
    assert whole.counts == {".": 1, "F": 1}
    assert whole.seconds == pytest.approx(3.0)
