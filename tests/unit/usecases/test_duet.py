"""A duet, as its figures have it: who is measured how often, on which clock, and what comes of
it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benched import FakeTrees
from pytest_ciopt.core.gates.answers import Tree
from pytest_ciopt.core.gates.benchmarks import Step
from pytest_ciopt.core.gates.budgets import Slowdown
from pytest_ciopt.usecases.duet import Raced, raced

FIVE = Slowdown(0.05)


def race(fake: FakeTrees, *tests: str, **wall: float) -> dict[str, Raced]:
    return raced(fake, dict.fromkeys(tests, FIVE), dict.fromkeys(tests, 0.0) | wall, str)


def test_what_is_equal_is_measured_once() -> None:
    fake = FakeTrees({"a": 1.0})
    assert race(fake, "a")["a"].step is Step.FASTER
    order = "".join(tree.value[0] for tree, _ in fake.asked)
    assert order == "bhhbbhhb"
    seeds = [wanted.seed for _, wanted in fake.asked]
    assert seeds == [1, 1, 2, 2, 3, 3, 4, 4]


def test_what_is_slower_is_measured_twice() -> None:
    fake = FakeTrees({"a": 1.06, "b": 1.0}, {"a": 1.0, "b": 1.0})
    found = race(fake, "a", "b")
    assert (found["a"].step, len(found["a"].duets)) == (Step.SLOWER, 2)
    assert (found["b"].step, len(found["b"].duets)) == (Step.FASTER, 1)
    assert found["a"].effect is not None
    assert found["a"].effect.pairs == 8
    assert found["a"].effect.median == pytest.approx(0.06)
    asked = Counter(wanted.tests for _, wanted in fake.asked)
    assert asked == {frozenset("ab"): 8, frozenset("a"): 8}
    assert len({wanted.seed for _, wanted in fake.asked}) == 8


@pytest.mark.parametrize(("slower", "duets"), [(1.0, 8), (0.8, 3)])
def test_what_is_too_noisy_is_measured_again(slower: float, duets: int) -> None:
    """As long as it looks slower: every other process takes 30 % longer."""
    fake = FakeTrees({"a": slower}, {"a": 1.0})
    fake.noise = 0.3
    found = race(fake, "a")["a"]
    assert (found.step, len(found.duets), len(fake.asked)) == (Step.NOISY, duets, 8 * duets)
    assert len({wanted.seed for _, wanted in fake.asked}) == 4 * duets


@pytest.mark.parametrize(("wall", "clock"), [(1.2, "cpu"), (1.3, "wall")])
def test_what_waits_is_measured_on_the_wall_clock(wall: float, clock: str) -> None:
    """One takes 1.0 of both seconds, the other may wait; that is measured again."""
    fake = FakeTrees({"a": 1.0, "b": 1.0}, wall=wall)
    found = race(fake, "a", "b", b=wall)
    assert (found["a"].clock, found["b"].clock) == ("cpu", clock)
    walls = {wanted.tests for _, wanted in fake.asked if wanted.clock == "wall"}
    assert walls == ({frozenset("b")} if clock == "wall" else set())


def test_what_waited_once_need_not_wait() -> None:
    """The machine was busy in the session before."""
    fake = FakeTrees({"a": 1.0})
    assert race(fake, "a", a=9.0)["a"].clock == "cpu"
    assert (fake.asked[0][0], fake.asked[0][1].clock) == (Tree.HEAD, "wall")


@pytest.mark.parametrize(("wall", "clock"), [(1.2, "cpu"), (1.3, "wall")])
def test_what_is_not_known_to_wait_is_measured(wall: float, clock: str) -> None:
    fake = FakeTrees({"a": 1.0}, wall=wall)
    assert raced(fake, {"a": FIVE}, {}, str)["a"].clock == clock


def test_what_waits_for_the_processor_only() -> None:
    """The machine is so busy that each of its rounds is interrupted."""
    fake = FakeTrees({"a": 1.0, "b": 1.0}, wall=2.0)
    fake.computing = frozenset("a")
    found = raced(fake, {"a": FIVE, "b": FIVE}, {}, str)
    assert (found["a"].clock, found["b"].clock) == ("cpu", "wall")


def test_what_the_base_does_not_have() -> None:
    fake = FakeTrees({"a": 1.0, "b": 1.0}, {"a": 1.0})
    found = race(fake, "a", "b")
    assert found["b"].is_new
    assert found["a"].step is Step.FASTER
    assert fake.asked[-1][1].tests == frozenset("a")  # it is not run on


@pytest.mark.parametrize(
    ("head", "base", "why"),
    [
        ({"a": "no module"}, {"a": 1.0}, "measured alone, no module"),
        ({"a": 1.0}, {"a": "no module"}, "in the base no module"),
        ({}, {"a": 1.0}, "measured alone, it tells nothing"),
    ],
)
def test_what_fails(head: dict[str, float | str], base: dict[str, float | str], why: str) -> None:
    found = race(FakeTrees(head, base), "a")["a"]
    assert (found.step, found.why, found.is_new) == (None, why, False)


def test_what_takes_no_time() -> None:
    found = race(FakeTrees({"a": 0.0}), "a")["a"]
    assert (found.step, found.effect) == (Step.UNMEASURABLE, None)


@given(st.dictionaries(st.text(max_size=3), st.floats(1e-9, 1e3), min_size=1, max_size=5))
def test_each_has_an_outcome(seconds: dict[str, float]) -> None:
    found = race(FakeTrees(dict(seconds)), *seconds)
    assert {test: one.step for test, one in found.items()} == dict.fromkeys(seconds, Step.FASTER)
