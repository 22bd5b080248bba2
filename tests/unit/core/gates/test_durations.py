"""Budgets of time fail when the history and this run both say so."""

import pytest

from pytest_ciopt.core.gates.durations import Budget, Slowness, budgets, judged, limit, slowness
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.errors import ConfigurationError
from pytest_ciopt.report.slow import summary


def known(count: int = 5, **seconds: float) -> dict[str, Estimate]:
    return {f"t/a.py::{n}": Estimate(0.0, s, 0.0, 0.0, count) for n, s in seconds.items()}


def took(**seconds: float) -> dict[str, float]:
    return {f"t/a.py::{n}": s for n, s in seconds.items()}


def judge(line: str, before: dict[str, Estimate], now: dict[str, float]) -> Verdict:
    (verdict,) = judged(budgets([line]), before, now, None)
    return verdict


def test_lines() -> None:
    said = ["10 min", "# x", "", "t/ -> 60 s", "each t/*.py -> 500 ms", "each a->b -> 2"]
    assert budgets(said) == (
        Budget(600.0),
        Budget(60.0, "t/"),
        Budget(0.5, "t/*.py", each=True),
        Budget(2.0, "a->b", each=True),
    )
    assert [one.gate for one in budgets(said)][:3] == [
        "duration of all tests",
        "duration of t/",
        "duration of each test of t/*.py",
    ]


@pytest.mark.parametrize("line", ["fast", "-> 3 s", "t/ ->", "3 h", "-1 s", "each -> 3 s"])
def test_lines_that_mean_nothing(line: str) -> None:
    with pytest.raises(ConfigurationError, match="ciopt_duration_budget"):
        budgets([line])


@pytest.mark.parametrize(
    ("before", "now", "ruling"),
    [
        (2.0, 2.0, Ruling.FAIL),
        (2.0, 0.5, Ruling.PASS),
        (0.5, 2.0, Ruling.PASS),
        (0.5, 0.5, Ruling.PASS),
    ],
)
@pytest.mark.parametrize("line", ["each t/ -> 1 s", "t/ -> 1 s", "1 s"])
def test_one_run_is_noise(line: str, before: float, now: float, ruling: Ruling) -> None:
    assert judge(line, known(x=before), took(x=now)).ruling is ruling


@pytest.mark.parametrize("line", ["each t/ -> 1 s", "t/ -> 1 s"])
def test_too_few_results(line: str) -> None:
    assert judge(line, known(count=1, x=2.0), took(x=2.0)).ruling is Ruling.UNKNOWN
    assert judge(line, known(count=2, x=2.0), took(x=2.0)).ruling is Ruling.FAIL
    assert judge(line, {}, took(x=2.0)).ruling is Ruling.UNKNOWN
    assert judge(line, {}, took(x=0.5)).ruling is Ruling.PASS


def test_the_worst_are_named() -> None:
    many = {f"n{n}": 2.0 + n for n in range(7)}
    verdict = judge("each t/ -> 1 s", known(**many), took(**many, quick=0.1))
    assert verdict.why == (
        "t/a.py::n6 8.00 s, t/a.py::n5 7.00 s, t/a.py::n4 6.00 s, t/a.py::n3 5.00 s, "
        "t/a.py::n2 4.00 s and 2 more, 1.00 s allowed"
    )
    assert verdict.value == 8.0
    whole = judge("t/ -> 30 s", known(**many), took(**many, quick=0.1))
    assert whole.why == "35 s now, 35 s usually, 30 s allowed"
    assert whole.mend.startswith("The longest: t/a.py::n6 8.00 s, ")


def test_other_files_do_not_count() -> None:
    assert judge("other/ -> 1 s", known(x=9.0), took(x=9.0)).ruling is Ruling.PASS


def test_some_tests_are_no_suite_but_each_is_itself() -> None:
    asked = budgets(["1 s", "each t/ -> 1 s"])
    whole, each = judged(asked, known(x=2.0), took(x=2.0), "the run was cut short")
    assert (whole.ruling, whole.why) == (Ruling.UNKNOWN, "the run was cut short")
    assert each.ruling is Ruling.FAIL


def test_from_when_on_a_test_is_slow() -> None:
    assert slowness("500 ms") == Slowness(0.5)
    assert slowness("95%") == Slowness(share=95.0)
    tests = known(**{f"n{n:03}": n / 10 for n in range(100)})
    assert limit(slowness("2 s"), tests) == 2.0
    assert sum(one.seconds > limit(slowness("95 %"), tests) for one in tests.values()) == 4
    assert limit(slowness("100 %"), tests) == 9.9
    assert limit(slowness("95 %"), {}) == float("inf")


@pytest.mark.parametrize("text", ["", "slow", "101 %", "-1"])
def test_thresholds_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="ciopt_slow_threshold"):
        slowness(text)


def test_what_people_read_of_slow_tests() -> None:
    now = took(a=2.0, b=3.0, c=0.1, d=4.0)
    assert list(summary(now, {"t/a.py::a": 2.0}, known(a=2.0, b=0.1), 1.0)) == [
        "1 of 4 tests are slow (over 1.00 s), 2 of 9 s",
        "  new: t/a.py::d 4.00 s",
        "  slower than ever: t/a.py::b 3.00 s",
    ]
    many = took(**{f"n{n}": 2.0 for n in range(12)})
    found = list(summary(many, {}, (), 1.0))
    assert found[0] == "the history knows none of the tests yet"
    assert found[-1] == "  and 2 more"
    assert len(found) == 12
