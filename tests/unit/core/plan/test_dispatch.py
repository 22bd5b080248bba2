"""Workers get batches: each test runs once, nobody waits for nothing, long work goes first."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.plan.batches import Batch
from pytest_ciopt.core.plan.dispatch import HELD, Dispatch


def single(**weights: float) -> list[Batch]:
    return [Batch(name, [name], weight) for name, weight in weights.items()]


def test_the_heaviest_is_first_and_the_lightest_is_known_ahead() -> None:
    dispatch = Dispatch[str](single(a=1, b=9, c=5, d=2, e=8))
    for worker in ("one", "two"):
        dispatch.join(worker)
    assert dispatch.more("one") == ["b", "a"]
    assert dispatch.more("two") == ["e", "c"], "it will be idle first"
    assert dispatch.more("two") == []
    assert not dispatch.is_empty
    dispatch.ended("one", "b")
    assert dispatch.more("one") == ["d"]
    assert dispatch.is_empty
    assert dispatch.left() == {"one": 2, "two": 2}


def test_tests_that_take_no_time_are_given_several_at_once() -> None:
    """A worker would wait for an answer after each of them. But what seems quick may not be."""
    tests = {f"t{n:03}": 0.01 for n in range(80)}
    dispatch = Dispatch[str](single(**tests))
    dispatch.join("one")
    assert len(dispatch.more("one")) == 5
    dispatch = Dispatch[str](single(**dict.fromkeys(tests, 0.0)))
    for worker in ("one", "two"):
        dispatch.join(worker)
    assert len(dispatch.more("one")) == 5
    assert len(dispatch.more("two")) == 5


def test_a_test_that_is_to_run_again() -> None:
    dispatch = Dispatch[str](single(a=1, b=2))
    dispatch.join("one")
    dispatch.more("one")
    assert dispatch.leave("one") == "b"
    dispatch.again("b")
    dispatch.join("two")
    assert sorted(dispatch.more("two")) == ["a", "b"]


def test_a_worker_that_died() -> None:
    dispatch = Dispatch[str]([Batch("m", ["a", "b", "c"], 3.0), Batch("n", ["d"], 9.0)])
    dispatch.join("one")
    assert dispatch.more("one") == ["d", "a", "b", "c"]
    dispatch.ended("one", "d")
    assert dispatch.leave("one") == "a"
    dispatch.join("two")
    assert dispatch.more("two") == ["b", "c"]
    with pytest.raises(KeyError):
        dispatch.leave("one")


def test_a_worker_that_ends_with_nothing_left_died_in_nothing() -> None:
    dispatch = Dispatch[str](single(a=1))
    dispatch.join("one")
    dispatch.more("one")
    dispatch.ended("one", "a")
    assert dispatch.leave("one") is None


def test_what_nobody_can_run_is_told() -> None:
    dispatch = Dispatch[str](single(a=1, b=2))
    assert sorted(dispatch.forget()) == ["a", "b"]
    assert dispatch.is_empty


def test_who_is_idle_gets_half_of_what_the_busiest_has_not_begun() -> None:
    batches = [Batch("m", [f"m{n}" for n in range(10)], 10.0), Batch("n", ["n"], 1.0)]
    dispatch = Dispatch[str](batches, takes_back=True)
    for worker in ("one", "two"):
        dispatch.join(worker)
    assert len(dispatch.more("one")) == 10
    assert dispatch.more("two") == ["n"]
    assert dispatch.ask("two") == ("one", ["m6", "m7", "m8", "m9"])
    assert dispatch.is_waiting
    assert dispatch.ask("two") is None, "one is asked at a time"
    dispatch.given_back("one", ["m6", "m7", "m8", "m9"])
    assert dispatch.more("two") == ["m6", "m7", "m8", "m9"]
    assert dispatch.left() == {"one": 6, "two": 5}
    assert dispatch.ask("two") is None


def test_nothing_is_asked_back_where_times_are_known() -> None:
    dispatch = Dispatch[str]([Batch("m", [f"m{n}" for n in range(10)], 10.0)])
    for worker in ("one", "two"):
        dispatch.join(worker)
    dispatch.more("one")
    assert dispatch.ask("two") is None


def test_what_belongs_together_is_asked_back_whole_or_not() -> None:
    group = Batch("g", ["g0", "g1", "g2"], 3.0, whole=True)
    dispatch = Dispatch[str]([group, Batch("m", ["m0", "m1", "m2"], 9.0)], takes_back=True)
    for worker in ("one", "two"):
        dispatch.join(worker)
    assert dispatch.more("one") == ["m0", "m1", "m2"]
    assert dispatch.more("two") == ["g0", "g1", "g2"]
    for test in ("m0", "m1", "m2"):
        dispatch.ended("one", test)
    assert dispatch.ask("one") is None, "the group has begun"


def test_an_answer_that_gives_nothing_and_one_that_comes_too_late() -> None:
    dispatch = Dispatch[str]([Batch("m", [f"m{n}" for n in range(9)], 9.0)], takes_back=True)
    for worker in ("one", "two"):
        dispatch.join(worker)
    dispatch.more("one")
    assert dispatch.ask("two") is not None
    dispatch.given_back("one", [])
    assert dispatch.ask("two") is not None
    assert dispatch.leave("one") == "m0"
    dispatch.given_back("one", ["m8"])
    assert sorted(dispatch.more("two")) == [f"m{n}" for n in range(1, 9)]


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.integers(1, 5), st.booleans()),
        max_size=20,
    ),
    st.integers(1, 5),
    st.floats(0, 0.3),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_all_run_once_whoever_dies(
    work: list[tuple[float, int, bool]],
    workers: int,
    deadly: float,
    takes_back: bool,
    chance: random.Random,
) -> None:
    """Workers as xdist's: one begins a test if it knows of another, or that there is none, and
    gives back all that it is asked for, or nothing."""
    batches = [
        Batch(f"b{n}", [f"b{n}::{t}" for t in range(tests)], weight, whole)
        for n, (weight, tests, whole) in enumerate(work)
    ]
    dispatch = Dispatch[int](batches, takes_back=takes_back)
    known: dict[int, list[str]] = {}
    told_of_end: set[int] = set()
    ran: list[str] = []
    answered_nothing: list[int] = []

    def give(worker: int) -> None:
        if worker not in told_of_end:
            known[worker] += dispatch.more(worker)
        level()

    def level() -> None:
        for idle, left in dispatch.left().items():
            if dispatch.is_waiting:
                return
            if left >= HELD or idle in told_of_end:
                continue
            asked = dispatch.ask(idle)
            if asked is None:
                told_of_end.add(idle)
                continue
            victim, tests = asked
            has_all = chance.random() < 0.7 and set(tests) <= set(known[victim][HELD:])
            if has_all:
                known[victim] = [test for test in known[victim] if test not in tests]
            dispatch.given_back(victim, tests if has_all else [])
            if has_all:
                for other in list(known):
                    give(other)
            else:
                answered_nothing.append(victim)
            if len(answered_nothing) > 50:  # the test ends; a worker would have gone on meanwhile
                told_of_end.update(known)
                return

    def start(worker: int) -> None:
        dispatch.join(worker)
        known[worker] = []
        give(worker)

    for worker in range(workers):
        start(worker)
    latest = workers
    while True:
        able = [w for w, tests in known.items() if len(tests) > 1 or (tests and w in told_of_end)]
        if not able:
            break
        worker = chance.choice(able)
        test = known[worker].pop(0)
        ran.append(test)
        if chance.random() < deadly:
            del known[worker]
            assert dispatch.leave(worker) == test
            for other in list(known):
                give(other)
            start(latest)
            latest += 1
        else:
            dispatch.ended(worker, test)
            give(worker)
    assert sorted(ran) == sorted(test for batch in batches for test in batch.tests)
    assert told_of_end >= set(known)
