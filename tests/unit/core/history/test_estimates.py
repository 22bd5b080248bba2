import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.history.estimates import RECENT, Estimate, estimated
from pytest_ciopt.core.history.results import Result


def passed(seconds: float, outcome: str = ".") -> Result:
    return Result(outcome, 0, round(seconds * 1e6), 0)


def test_of_one_result() -> None:
    assert estimated([Result(".", 1, 2_000_000, 3)]) == Estimate(1e-6, 2.0, 3e-6, 0.0, 1)


def test_one_slow_run_moves_nothing_and_a_lasting_change_does() -> None:
    steady = [passed(1.0)] * RECENT
    assert estimated([*steady[1:], passed(50.0)]).seconds == 1.0
    assert estimated([*steady, *[passed(2.0)] * (RECENT // 2 + 1)]).seconds == 2.0


def test_only_recent_results_count() -> None:
    found = estimated([passed(9.0)] * 40 + [passed(1.0)] * RECENT)
    assert (found.seconds, found.count) == (1.0, RECENT)


def test_the_spread_of_a_normal_distribution_is_its_deviation() -> None:
    quantiles = (
        -1.6449,
        -1.0364,
        -0.6745,
        -0.3853,
        -0.1257,
        0.1257,
        0.3853,
        0.6745,
        1.0364,
        1.6449,
    )
    found = estimated([passed(10 + 2 * z) for z in quantiles])
    assert found.seconds == pytest.approx(10)
    assert found.spread == pytest.approx(2, rel=0.25)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("..F", 1.0),  # of the passed ones
        ("FF", 7.0),  # it never passed
        ("..s", 0.25),  # it will be skipped again
        ("s.", 1.0),
        ("sF", 7.0),
        (".R", 1.0),
        ("xx", 1.0),
        ("E", 7.0),
    ],
)
def test_results_that_tell(outcomes: str, expected: float) -> None:
    seconds = {"F": 7.0, "E": 7.0, "s": 0.25}
    found = estimated([passed(seconds.get(one, 1.0), one) for one in outcomes])
    assert found.seconds == expected


@given(st.lists(st.builds(passed, st.floats(0, 1e6), st.sampled_from(".FEsxXR")), min_size=1))
def test_an_estimate_lies_between_the_results(results: list[Result]) -> None:
    found = estimated(results)
    seconds = [one.call / 1e6 for one in results]
    assert min(seconds) <= found.seconds <= max(seconds)
    assert 0 <= found.spread <= 1.0483 * (max(seconds) - min(seconds)) + 1e-9
    assert 1 <= found.count <= RECENT


def test_on_another_machine() -> None:
    assert Estimate(1.0, 2.0, 3.0, 4.0, 5).scaled(2) == Estimate(2.0, 4.0, 6.0, 8.0, 5)
