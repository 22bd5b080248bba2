"""The rules for benchmarks: figures by hand, and what holds for all."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.gates.benchmarks import (
    Pair,
    Step,
    cleared,
    effect,
    step,
    together,
    unsettled,
)
from pytest_ciopt.core.gates.budgets import Slowdown, slowdown
from pytest_ciopt.errors import ConfigurationError

FIVE = Slowdown(0.05)
SECONDS = st.floats(1e-7, 1e3)
PAIRS = st.lists(st.tuples(SECONDS, SECONDS).map(lambda both: Pair(*both)), min_size=1, max_size=9)
BUDGETS = st.floats(0.001, 2.0).map(Slowdown)


def pairs(*percent: float) -> list[Pair]:
    """Of a base that takes a second."""
    return [Pair(1.0, 1.0 + one / 100) for one in percent]


# --- one duet ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        ((5, 5, 5, 5), Step.SLOWER),
        ((3.1, 3.1, 3.1, 3.1), Step.SLOWER),
        ((2.9, 2.9, 2.9, 2.9), Step.FASTER),  # median below 3 %
        ((0.5, 3.2, 3.2, 3.2), Step.SLOWER),  # three of four above 1 %
        ((0.5, 0.5, 6.5, 6.5), Step.NOISY),  # only two, and a median of 3.5 %
        ((0, 0, 0, 40), Step.FASTER),  # an outlier
        ((-20, 20, -20, 20), Step.NOISY),
        ((-5, -5, -5, -5), Step.FASTER),
    ],
)
def test_a_duet(percent: tuple[float, ...], expected: Step) -> None:
    assert step(pairs(*percent), FIVE) is expected


def test_a_duet_in_seconds() -> None:
    """2 ms more is too much: more than 1.2 ms in the middle, more than 0.4 ms in most."""
    budget = slowdown("2ms", "x")
    assert step([Pair(0.1, 0.1013)] * 4, budget) is Step.SLOWER
    assert step([Pair(0.1, 0.1011)] * 4, budget) is Step.FASTER


def test_no_time_at_all() -> None:
    assert step([Pair(0.0, 1.0), *pairs(5, 5, 5)], FIVE) is Step.UNMEASURABLE
    assert step([], FIVE) is Step.UNMEASURABLE


SLOW, QUICK = (5, 5, 5, 5), (0, 0, 0, 0)
NEAR, APART = (1, 2, 1.5, 2), (-20, 20, -20, 20)
NOISE = (-20, 4, 4, 20)
Percents = tuple[float, ...]


@pytest.mark.parametrize(
    ("percents", "expected", "more"),
    [
        ((SLOW,), Step.SLOWER, True),  # not yet
        ((QUICK,), Step.FASTER, False),
        ((APART,), Step.NOISY, True),
        ((SLOW, SLOW), Step.SLOWER, False),
        ((SLOW, QUICK), Step.NOISY, True),  # they contradict each other
        (((3.1, 3.1, 3.2, 3.4), NEAR), Step.FASTER, False),
        (((6, 6, 6, 6), (2.9, 2.9, 2.9, 2.9)), Step.NOISY, True),  # 4.5 % together
        ((APART, SLOW), Step.NOISY, True),
        ((QUICK, SLOW, SLOW), Step.NOISY, True),  # the interval reaches zero
        ((APART, SLOW, SLOW), Step.NOISY, True),
        ((APART, APART, APART), Step.NOISY, False),  # 0 % in the middle: nothing looks slower
        ((NOISE, SLOW, NOISE, NOISE, NOISE, SLOW), Step.NOISY, True),
        ((NOISE, SLOW, NOISE, NOISE, NOISE, SLOW, NOISE, NOISE), Step.NOISY, False),  # the most
        ((SLOW, QUICK, QUICK), Step.FASTER, False),
    ],
)
def test_several_duets(percents: tuple[Percents, ...], expected: Step, more: bool) -> None:
    duets = [pairs(*one) for one in percents]
    assert together(duets, FIVE) is expected
    assert unsettled(duets, FIVE) is more


def test_noise_that_more_duets_see_through() -> None:
    """Of some duets half of the processes of the base had a slow moment."""
    noisy, clear = [Pair(1.3, 1.05), Pair(1.0, 1.05)] * 2, pairs(5, 5, 5, 5)
    duets = [noisy, clear, noisy]
    assert together(duets, FIVE) is Step.NOISY
    assert unsettled(duets, FIVE)
    assert together([*duets, clear], FIVE) is Step.SLOWER


def test_an_interval_from_below_zero() -> None:
    """Two of eight pairs are faster: the median may be."""
    duets = [pairs(-1, 6, 7, 8), pairs(-1, 6, 7, 8)]
    assert {step(one, FIVE) for one in duets} == {Step.SLOWER}
    assert together(duets, FIVE) is Step.NOISY


def test_an_effect_that_noise_hides() -> None:
    """Figures of equal code from a busy machine, see docs/explanation/measurements.md: 3.2 % in the
    middle, of which nothing below 5.7 % could have been seen."""
    measured = (5.2, 1.3, 13.9, -1.8), (18, 7.2, 4.7, -5.9), (1.8, 15, 1.5, -5)
    duets = [pairs(*one) for one in measured]
    assert [step(one, FIVE) for one in duets].count(Step.SLOWER) == 2
    assert effect([pair for one in duets for pair in one], FIVE).low > 0
    assert together(duets, FIVE) is Step.NOISY


def test_quick_moments_that_are_equal() -> None:
    """Figures of equal code again: 9.7 % in the middle, but 1.2 % between the quickest
    processes."""
    base = (1.05, 1.0, 1.04, 1.03), (1.02, 1.1, 1.06, 1.0)
    head = (1.08, 1.11, 1.1, 1.14), (1.012, 1.2, 1.18, 1.74)
    duets = [list(map(Pair, *both)) for both in zip(base, head, strict=True)]
    assert [step(one, FIVE) for one in duets] == [Step.SLOWER] * 2
    assert together(duets, FIVE) is Step.NOISY


@given(st.lists(PAIRS, min_size=1, max_size=3), BUDGETS)
def test_slower_is_what_is_slower_together(found: list[list[Pair]], budget: Slowdown) -> None:
    if len(found) > 1 and together(found, budget) is Step.SLOWER:
        assert step([pair for one in found for pair in one], budget) is Step.SLOWER
        assert effect([pair for one in found for pair in one], budget).low > 0
        assert sum(step(one, budget) is Step.SLOWER for one in found) > 1


@given(PAIRS, BUDGETS, st.floats(1e-3, 1e3))
def test_the_unit_of_time_does_not_matter(found: list[Pair], budget: Slowdown, by: float) -> None:
    near = [one for one in found if one.base > 0]
    scaled = [Pair(one.base * by, one.head * by) for one in near]
    assert effect(scaled, budget).median == pytest.approx(effect(near, budget).median, 1e-9, 1e-6)


@given(PAIRS, BUDGETS, st.randoms(use_true_random=False))
def test_the_order_of_pairs_does_not_matter(
    found: list[Pair], budget: Slowdown, by: Random
) -> None:
    mixed = list(found)
    by.shuffle(mixed)
    assert step(mixed, budget) is step(found, budget)
    assert effect(mixed, budget) == effect(found, budget)


@given(PAIRS, BUDGETS)
def test_not_both_are_slower(found: list[Pair], budget: Slowdown) -> None:
    swapped = [Pair(one.head, one.base) for one in found]
    assert {step(found, budget), step(swapped, budget)} != {Step.SLOWER}


@given(st.lists(SECONDS, min_size=1, max_size=9), BUDGETS)
def test_what_is_equal_never_fails(seconds: list[float], budget: Slowdown) -> None:
    assert step([Pair(one, one) for one in seconds], budget) is Step.FASTER


@given(PAIRS, BUDGETS, st.floats(1.0, 10.0))
def test_a_slower_head_is_no_less_slow(found: list[Pair], budget: Slowdown, by: float) -> None:
    slower = [Pair(one.base, one.head * by) for one in found]
    assert step(found, budget) is not Step.SLOWER or step(slower, budget) is Step.SLOWER


# --- what could be seen --------------------------------------------------------------------------


def test_an_effect_of_four() -> None:
    """Differences 1, 1, 1, 2, 2, 3 percent, the third of them 1: a spread of 1.14. The median of
    four has 1.14 * sqrt(pi / 8) = 0.71440, of which 0.8416 is 0.60124, above a cut of 3."""
    found = effect(pairs(4, 1, 3, 2), FIVE)
    assert (found.median, found.low, found.high) == pytest.approx((0.025, 0.01, 0.04))
    assert found.confidence == 0.875
    assert found.smallest == pytest.approx(0.0360124, abs=1e-6)


def test_an_effect_of_eight() -> None:
    """The second of either side: 1 - 2 * (1 + 8) / 256."""
    found = effect(pairs(8, 1, 2, 3, 4, 5, 6, 7), FIVE)
    assert (found.low, found.high) == pytest.approx((0.02, 0.07))
    assert found.confidence == pytest.approx(0.9296875)


@given(PAIRS, BUDGETS)
def test_the_interval_holds_the_median(found: list[Pair], budget: Slowdown) -> None:
    one = effect(found, budget)
    assert one.low <= one.median <= one.high
    assert one.smallest >= 0.6 * budget.amount


# --- the history ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "past", "expected"),
    [
        (1.0, [1.0, 1.0, 1.0], True),
        (1.024, [1.0, 1.0, 1.0], True),  # half of the budget
        (1.026, [1.0, 1.0, 1.0], False),
        (1.0, [1.0, 1.0], False),  # that is no history
        # MAD 1 %, so 3 * 1.4826 = 4.45 % may hide: above 0.55 % it is a suspect.
        (1.005, [0.99, 1.0, 1.01], True),
        (1.006, [0.99, 1.0, 1.01], False),
        (1.0, [0.9, 1.0, 1.1], False),  # everything can hide
        (0.5, [0.98, 1.0, 1.02], True),
    ],
)
def test_the_history(now: float, past: list[float], expected: bool) -> None:
    assert cleared(now, past, FIVE) is expected


@given(st.lists(SECONDS, min_size=3, max_size=9), BUDGETS)
def test_the_history_clears_no_slowdown_of_the_budget(past: list[float], budget: Slowdown) -> None:
    middle = sorted(past)[len(past) // 2]
    assert not cleared(middle * (1 + budget.amount), past, budget)


# --- budgets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount", "relative", "shown"),
    [
        ("5%", 0.05, True, "5.0 %"),
        (" 2.5 % ", 0.025, True, "2.5 %"),
        ("2ms", 0.002, False, "2 ms"),
        ("300 us", 0.0003, False, "300 us"),
        ("50ns", 5e-8, False, "50 ns"),
        ("1.5s", 1.5, False, "1.5 s"),
    ],
)
def test_budgets(text: str, amount: float, relative: bool, shown: str) -> None:
    found = slowdown(text, "x")
    assert (found.amount, found.relative) == (pytest.approx(amount), relative)
    assert str(found) == shown


@pytest.mark.parametrize("text", ["", "5", "fast", "-5%", "0%", "5 min", "min:5%"])
def test_no_budgets(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--ciopt-bench-fail is"):
        slowdown(text, "--ciopt-bench-fail")
