"""Batches of xdist's workers: all tests, the heavy ones first, groups and modules together."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.plan.batches import Batch, batches
from pytest_ciopt.core.plan.work import Module


def module(name: str, setup: float, *seconds: float) -> Module:
    return Module(name, setup, [(f"{name}::t{n:03}", s) for n, s in enumerate(seconds)])


def of(*modules: Module, workers: int = 2, groups: dict[str, str] | None = None) -> list[Batch]:
    order = [test for one in modules for test, _ in one.tests]
    return batches(modules, workers, order, groups or {})


def test_small_modules_are_one_batch_each_the_heaviest_first() -> None:
    weights = {"a": 1.0, "b": 4.0, "c": 2.0, "d": 3.0}
    found = of(*(module(name, 1.0, weight / 2, weight / 2) for name, weight in weights.items()))
    assert [batch.name for batch in found] == ["b 0", "d 0", "c 0", "a 0"]
    assert found[0].weight == 5.0


def test_a_large_module_is_cut() -> None:
    found = of(module("a", 0.1, *[1.0] * 16), workers=2)
    assert [len(batch.tests) for batch in found] == [2] * 8
    assert all(batch.weight == pytest.approx(2.1) for batch in found)


def test_a_module_with_a_dear_set_up_is_cut_less_or_not() -> None:
    assert len(of(module("a", 1.0, *[1.0] * 16), workers=2)) == 4
    assert len(of(module("a", 8.0, *[1.0] * 16), workers=2)) == 1


def test_a_test_longer_than_a_batch_is_alone() -> None:
    first, *_ = of(module("a", 0.0, 0.1, 50.0, 0.1), module("b", 0.0, *[1.0] * 8))
    assert first.tests == ["a::t001"]


def test_groups_are_together_across_modules() -> None:
    groups = {"a::t000": "g", "b::t001": "g"}
    found = of(module("a", 1, 1, 1), module("b", 2, 1, 1), groups=groups)
    (group,) = [batch for batch in found if batch.name == "@g 0"]
    assert group.tests == ["a::t000", "b::t001"]
    assert group.weight == 5
    assert sum(len(batch.tests) for batch in found) == 4


def test_a_group_is_never_cut() -> None:
    one = module("a", 0, *[1.0] * 64)
    groups = {test: "g" for test, _ in one.tests}
    assert [len(batch.tests) for batch in of(one, groups=groups)] == [64]


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.lists(st.integers(0, 20), min_size=1, max_size=8)),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 9),
    st.randoms(use_true_random=False),
)
def test_each_test_is_in_one_batch(
    work: list[tuple[int, list[int]]], workers: int, chance: random.Random
) -> None:
    modules = [module(f"m{n}", float(s), *map(float, t)) for n, (s, t) in enumerate(work)]
    order = [test for one in modules for test, _ in one.tests]
    groups = {test: chance.choice("gh") for test in order if chance.random() < 0.3}
    found = batches(modules, workers, order, groups)
    assert sorted(test for batch in found for test in batch.tests) == sorted(order)
    assert len({batch.name for batch in found}) == len(found)
    weights = [batch.weight for batch in found]
    assert weights == sorted(weights, reverse=True)
    for name in set(groups.values()):
        assert sum(any(groups.get(t) == name for t in batch.tests) for batch in found) == 1
