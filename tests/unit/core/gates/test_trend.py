"""Changes of series, and shares: published figures, figures by hand, and what holds for all."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.gates.trend import _ranks, _split, changes, wilson

SERIES = st.lists(st.floats(1e-6, 1e3), max_size=60)


def test_ranks() -> None:
    assert _ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]


def test_a_split() -> None:
    """Ranks 1 to 10 in order: after five of them U = 2 * 15 - 55 = -25, and the chance of it
    2 * exp(-6 * 625 / 1100) = 0.0661."""
    place, chance = _split([float(n) for n in range(10)])
    assert (place, chance) == (5, pytest.approx(0.0661, abs=1e-4))


def test_a_change() -> None:
    before, after = [1.0, 1.1, 0.9, 1.0, 1.2] * 2, [2.0, 2.2, 1.9, 2.1, 2.0] * 2
    (found,) = changes(before + after)
    assert (found.place, found.before, found.after) == (10, 1.0, 2.0)
    assert found.share == pytest.approx(1.0)


def test_two_changes() -> None:
    noise = random.Random(7)
    series = [level + noise.random() / 5 for level in (1.0, 2.0, 1.5) for _ in range(20)]
    assert [one.place for one in changes(series)] == [20, 40]


def test_a_small_change_is_none() -> None:
    assert changes([1.0 + n / 1000 for n in range(20)] + [1.05 + n / 1000 for n in range(20)]) == ()


def test_noise_is_no_change() -> None:
    """Of 300 series without a change, about three may have one: the bound is that of 99.9 %."""
    noise = random.Random(1)
    series = [[noise.lognormvariate(0, 0.5) for _ in range(40)] for _ in range(300)]
    assert sum(map(bool, map(changes, series))) <= 9


@given(SERIES, st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(series: list[float], by: float) -> None:
    found = [one.place for one in changes(series)]
    scaled = [value * 2.0 ** round(by) for value in series] if by < 100 else series
    assert [one.place for one in changes(scaled)] == found


@given(st.floats(1e-6, 1e3), st.integers(0, 60))
def test_what_is_constant_does_not_change(value: float, length: int) -> None:
    assert changes([value] * length) == ()


@given(SERIES)
def test_places_rise_within_the_series(series: list[float]) -> None:
    places = [one.place for one in changes(series)]
    assert places == sorted(set(places))
    assert all(0 < place < len(series) for place in places)


@pytest.mark.parametrize(
    ("found", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, 1998, table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson(found: int, trials: int, low: float, high: float) -> None:
    assert wilson(found, trials) == pytest.approx((low, high), abs=1e-4)
