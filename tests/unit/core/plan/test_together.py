"""Tests that belong together count as one."""

import pytest

from pytest_ciopt.core.plan.plan import HISTORY, Plan, planned
from pytest_ciopt.core.plan.together import bundled
from pytest_ciopt.core.plan.work import Module


def module(name: str, setup: float = 1.0, **tests: float) -> Module:
    return Module(f"{name}.py", setup, [(f"{name}.py::{test}", s) for test, s in tests.items()])


def test_without_groups_nothing_changes() -> None:
    modules = [module("a", x=1, y=2), module("b", x=3)]
    assert bundled(modules, {}).modules == modules
    assert bundled(modules, {}).ids("a.py::x") == ("a.py::x",)


def test_a_group_in_a_module_is_one_test() -> None:
    groups = {"a.py::x": "g", "a.py::y": "g", "a.py::z": "h", "other.py::x": "g"}
    found = bundled([module("a", x=1, y=2, z=4, free=8)], groups)
    (one,) = found.modules
    assert (one.path, one.setup) == ("a.py", 1.0)
    assert dict(one.tests) == {"a.py::x": 3, "a.py::z": 4, "a.py::free": 8}
    assert found.ids("a.py::x") == ("a.py::x", "a.py::y")
    assert found.ids("a.py::z") == ("a.py::z",)


def test_modules_that_share_groups_are_one() -> None:
    groups = {"a.py::x": "g", "b.py::x": "g", "b.py::y": "h", "c.py::x": "h"}
    modules = [module(name, x=1, y=2) for name in "abcd"]
    found = bundled(modules, groups)
    block, alone = found.modules
    assert (block.setup, block.seconds) == (3, 9)
    (test,) = [test for test, _ in block.tests]
    assert len(found.ids(test)) == 6
    assert alone == modules[3]


def of(plan: Plan, *tests: str) -> set[int]:
    return {plan.shard_of(test) for test in tests}


@pytest.mark.parametrize("shards", [2, 3, 7])
def test_a_plan_keeps_them_in_one_shard(shards: int) -> None:
    groups = {"a.py::x": "g", "a.py::y": "g", "b.py::x": "h", "c.py::x": "h"}
    modules = [module(name, x=5, y=5, z=5) for name in "abc"]
    plan = planned(modules, shards, origin=HISTORY, groups=groups)
    assert len(of(plan, "a.py::x", "a.py::y")) == 1
    assert len(of(plan, "b.py::x", "c.py::x")) == 1
    named = [test for number in range(1, shards + 1) for test in plan.named(number)]
    assert sorted(named) == sorted(test for m in modules for test, _ in m.tests)
    assert all(share.home in share.tests for share in plan.modules.values())
