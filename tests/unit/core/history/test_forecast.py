import pytest

from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.history.forecast import UNKNOWN, Forecaster

HERE, THERE = "cpython-3.12-linux-x86_64", "cpython-3.11-linux-x86_64"


def took(seconds: float) -> Estimate:
    return Estimate(0.0, seconds, 0.0, 0.1, 5)


def test_its_own_results_come_first() -> None:
    known = {HERE: {"t.py::a": took(1)}, THERE: {"t.py::a": took(9)}}
    found = Forecaster(known, HERE).forecast("t.py::a")
    assert (found.estimate, found.origin) == (took(1), "history")


@pytest.mark.parametrize(("shared", "expected"), [(5, 6.0), (4, 3.0)])
def test_results_of_another_environment_are_scaled(shared: int, expected: float) -> None:
    both = [f"t.py::{n}" for n in range(shared)]
    known = {
        HERE: {test: took(2.0) for test in both},
        THERE: {test: took(1.0) for test in both} | {"t.py::a": took(3.0)},
    }
    found = Forecaster(known, HERE).forecast("t.py::a")
    assert found.estimate.seconds == expected
    assert found.origin == f"history of {THERE}"


def test_an_unknown_test() -> None:
    known = {
        HERE: {"t.py::a[1]": took(1), "t.py::a[2]": took(3), "t.py::b": took(8), "u.py::c": took(0)}
    }
    ask = Forecaster(known, HERE, {"new.py::b": "t.py::b"})
    told = {
        test: (ask.forecast(test).estimate.seconds, ask.forecast(test).origin)
        for test in ("t.py::a[3]", "t.py::new", "v.py::d", "new.py::b")
    }
    assert told == {
        "t.py::a[3]": (2.0, "siblings"),
        "t.py::new": (4.0, "module"),
        "v.py::d": (3.0, "suite"),
        "new.py::b": (8.0, "earlier name"),
    }
    assert ask.forecast("t.py::new").estimate.count == 0
    assert ask.forecast("t.py::new").estimate.spread == pytest.approx(((9 + 1 + 16) / 3) ** 0.5)


def test_without_a_history() -> None:
    found = Forecaster({}, HERE).forecast("t.py::a")
    assert (found.estimate, found.origin) == (UNKNOWN, "none")
    assert found.estimate.seconds > 0
