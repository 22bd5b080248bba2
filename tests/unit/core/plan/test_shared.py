"""What modules share is paid once in each shard that runs any of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.plan.packing import simply_divided
from pytest_ciopt.core.plan.plan import HISTORY, planned
from pytest_ciopt.core.plan.shared import AS_GOOD, Shared, divided_sharing
from pytest_ciopt.core.plan.work import Module, Shard, lower_bound


def module(name: str, *seconds: float, setup: float = 0.0) -> Module:
    return Module(name, setup, [(f"{name}::{n}", one) for n, one in enumerate(seconds)])


def shared(name: str, seconds: float, users: str) -> Shared:
    return Shared(name, seconds, frozenset(users))


def paths(made: list[Shard]) -> list[str]:
    return sorted("".join(sorted({part.module.path for part in one.parts})) for one in made)


def cost_of(one: Shard, known: list[Shared]) -> float:
    here = {part.module.path for part in one.parts}
    used = sum(fixture.seconds for fixture in known if fixture.users & here)
    return used + sum(part.weight for part in one.parts)


def test_users_of_a_dear_fixture_are_kept_together() -> None:
    modules = [module(name, 1.0) for name in "abcdefgh"]
    made, bound = divided_sharing(modules, 2, [shared("database", 4.0, "aceg")])
    assert paths(made) == ["aceg", "bdfh"]
    assert sorted(one.weight for one in made) == [4.0, 8.0]
    assert bound == 6.0


def test_a_cheap_fixture_is_set_up_in_several_shards() -> None:
    modules = [module(name, 3.0) for name in "ab"] + [module(name, 1.0) for name in "cd"]
    made, _ = divided_sharing(modules, 2, [shared("log", 0.1, "ab")])
    assert [one.weight for one in made] == [4.1, 4.1]


def test_users_that_do_not_fit_in_one_shard_are_in_few() -> None:
    modules = [module(f"{n:02}", 1.0) for n in range(24)]
    users = frozenset(f"{n:02}" for n in range(0, 24, 2))
    made, _ = divided_sharing(modules, 6, [Shared("database", 2.0, users)])
    using = [one for one in made if any(part.module.path in users for part in one.parts)]
    assert len(using) <= 4
    assert max(one.weight for one in made) <= 6.0


def test_a_large_user_is_still_split() -> None:
    modules = [module("a", *[1.0] * 20), module("b", 1.0), module("c", 1.0)]
    made, _ = divided_sharing(modules, 2, [shared("database", 1.0, "ab")])
    assert max(one.weight for one in made) <= 13.0


def test_two_fixtures_that_overlap_are_both_paid() -> None:
    modules = [module(name, 1.0) for name in "abc"]
    fixtures = [shared("one", 2.0, "ab"), shared("other", 1.0, "bc"), shared("unused", 9.0, "xyz")]
    made, bound = divided_sharing(modules, 1, fixtures)
    assert made[0].weight == bound == 6.0
    _, bound = divided_sharing(modules, 3, fixtures)
    assert bound == 4.0, "b needs both"


def test_in_a_plan_with_groups() -> None:
    modules = [module(name, 1.0) for name in "acd"] + [module("b", 8.0)]
    groups = {"a::0": "g", "c::0": "g"}
    plan = planned(
        modules, 2, origin=HISTORY, groups=groups, shared=[shared("database", 5.0, "cd")], start=1.0
    )
    assert plan.shard_of("a::0") == plan.shard_of("c::0")
    assert sorted(plan.seconds) == [9.0, 9.0]
    assert plan.shard_of("d::0") == plan.shard_of("a::0")


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.lists(st.integers(0, 9), max_size=4)),
        min_size=1,
        max_size=9,
    ),
    st.lists(st.tuples(st.integers(0, 9), st.sets(st.integers(0, 9))), max_size=4),
    st.integers(1, 4),
)
def test_always_a_partition_and_never_below_the_bound(
    work: list[tuple[int, list[int]]], fixtures: list[tuple[int, set[int]]], shards: int
) -> None:
    modules = [module(str(n), *tests, setup=setup) for n, (setup, tests) in enumerate(work)]
    known = [
        Shared(f"f{n}", seconds, frozenset(map(str, users)))
        for n, (seconds, users) in enumerate(fixtures)
    ]
    made, bound = divided_sharing(modules, shards, known)
    assert len(made) == shards
    found = sorted(name for one in made for part in one.parts for name, _ in part.tests)
    assert found == sorted(name for one in modules for name, _ in one.tests)
    assert {part.module.path for one in made for part in one.parts} == {m.path for m in modules}
    assert bound >= lower_bound(modules, shards)
    for one in made:
        assert one.weight == pytest.approx(cost_of(one, known))
    slowest = max(one.weight for one in made)
    assert slowest >= bound - 1e-9
    for simple in simply_divided(modules, shards):
        assert slowest <= max(cost_of(one, known) for one in simple) * AS_GOOD + 1e-9
    again, _ = divided_sharing(modules[::-1], shards, known[::-1])
    assert paths(again) == paths(made)
