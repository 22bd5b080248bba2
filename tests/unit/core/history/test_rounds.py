"""What is kept of rounds: figures by hand, and what holds for all."""

from itertools import pairwise
from statistics import median, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.history.rounds import MOST, Machine, clock_of, kept, percentile, summed_up

MACHINE = Machine("A CPU", 2, "linux-x86_64")
ROUNDS = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=400)


def test_figures() -> None:
    """2, 4, 4, 4, 5, 5, 7, 9: mean 5, and deviations whose squares add up to 32."""
    found = summed_up("a", [9, 4, 2, 4, 5, 7, 4, 5], 3, "cpu", MACHINE, 0.98765)
    assert (found.minimum, found.median, found.mean, found.maximum) == (2, 4.5, 5, 9)
    assert found.deviation == pytest.approx((32 / 7) ** 0.5)
    assert (found.rounds, found.iterations, found.clock, found.busy) == (8, 3, "cpu", 0.9877)
    assert (found.p95, found.p99) == (9, 9)
    assert found.values == (2, 4, 4, 4, 5, 5, 7, 9)
    assert (found.machine, found.fingerprint) == ("A CPU", MACHINE.fingerprint)


def test_one_round() -> None:
    found = summed_up("a", [2.0], 1, "wall", Machine("", 0, "-"), None)
    assert (found.minimum, found.deviation, found.p95, found.values) == (2.0, 0.0, 2.0, (2.0,))
    assert (found.machine, found.busy) == (None, None)


def test_percentiles() -> None:
    """Of 1 to 200 the 190th and the 198th."""
    ranked = list(range(1, 201))
    assert [percentile(ranked, percent) for percent in (0, 50, 95, 99, 100)] == [
        *(1, 100, 190, 198, 200)
    ]


def test_of_many_rounds_some_are_kept() -> None:
    found = kept(list(range(1, 1000)))
    assert (len(found), found[0], found[-1]) == (MOST, 1, 999)
    assert {b - a for a, b in pairwise(found)} == {10, 11}


@given(ROUNDS)
def test_what_is_kept_is_of_the_rounds(values: list[float]) -> None:
    found = summed_up("a", values, 1, "wall", MACHINE, None)
    assert len(found.values) == min(len(values), MOST)
    assert list(found.values) == sorted(found.values)
    assert set(found.values) <= {float(f"{value:.6g}") for value in values}
    assert found.minimum <= found.median <= found.p95 <= found.p99 <= found.maximum
    assert found.median == median(values)
    if len(values) > 1:
        assert found.deviation == pytest.approx(stdev(values), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("timer", "clock"),
    [("perf_counter", "wall"), ("time.process_time", "cpu"), ("thread_time_ns", "cpu")],
)
def test_clocks(timer: str, clock: str) -> None:
    assert clock_of(timer) == clock


@pytest.mark.parametrize(
    "other",
    [
        Machine("B CPU", 2, "linux-x86_64"),
        Machine("A CPU", 4, "linux-x86_64"),
        Machine("A CPU", 2, "darwin-arm64"),
    ],
)
def test_fingerprints(other: Machine) -> None:
    assert other.fingerprint != MACHINE.fingerprint
    assert len(other.fingerprint) == 12
