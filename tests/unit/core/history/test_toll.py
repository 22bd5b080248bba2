"""What recording dependencies adds, by what tests take without it."""

import pytest

from pytest_ciopt.core.history.toll import MOST, Suite


@pytest.mark.parametrize(
    ("tests", "seconds", "is_small"),
    [
        (1_000, 100.0, True),  # a tenth of a second each
        (1_000, 10.0, False),
        (10, 1.0, False),  # so few that the start of the recording counts
        (10, 60.0, True),
        (3, 0.0, False),
        (0, 0.0, False),
    ],
)
def test_it_is_small_where_tests_take_long(tests: int, seconds: float, *, is_small: bool) -> None:
    assert (Suite(tests, seconds).toll <= MOST) == is_small


def test_it_is_a_share_of_the_seconds() -> None:
    assert Suite(350, 10.0).toll == pytest.approx(0.1)


def test_what_tests_execute_counts() -> None:
    few, many = Suite(1_000, 50.0, executes=10), Suite(1_000, 50.0, executes=300)
    assert few.toll < Suite(1_000, 50.0).toll < MOST < many.toll
