from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_ciopt.core.plan.packing import divided, makespan
from pytest_ciopt.core.plan.work import Module, Shard, lower_bound, whole


def module(path: str, *seconds: float, setup: float = 0.0) -> Module:
    return Module(path, setup, [(f"{path}::test_{n}", one) for n, one in enumerate(seconds)])


def shards_of(path: str, shards: Sequence[Shard]) -> list[int]:
    """Numbers of those that have a part of the module."""
    return [n for n, shard in enumerate(shards) for part in shard.parts if part.module.path == path]


def every_test_once(shards: Sequence[Shard], modules: Sequence[Module]) -> bool:
    found = Counter(name for shard in shards for part in shard.parts for name, _ in part.tests)
    return found == Counter(name for one in modules for name, _ in one.tests)


def test_makespan() -> None:
    assert makespan([Shard(weight=1.0), Shard(weight=3.0), Shard()]) == 3.0


@pytest.mark.parametrize("shards", [0, -1])
def test_without_shards(shards: int) -> None:
    with pytest.raises(ValueError, match="at least one shard"):
        divided([module("a.py", 1.0)], shards)


@pytest.mark.parametrize("shards", [1, 3])
def test_nothing_to_divide(shards: int) -> None:
    assert divided([], shards) == [Shard() for _ in range(shards)]


def test_one_shard_has_everything() -> None:
    modules = [module("a.py", 1.0, 2.0, setup=0.5), module("b.py", setup=3.0), module("c.py", 0.0)]
    (only,) = divided(modules, 1)
    assert sorted(part.module.path for part in only.parts) == ["a.py", "b.py", "c.py"]
    assert all(part == whole(part.module) for part in only.parts)
    assert only.weight == 6.5


def test_more_shards_than_tests() -> None:
    modules = [module("a.py", 1.0, 2.0), module("b.py", 4.0)]
    found = divided(modules, 8)
    assert len(found) == 8
    assert every_test_once(found, modules)
    assert sum(not shard.parts for shard in found) >= 5
    assert all(bool(shard.parts) == bool(shard.weight) for shard in found)
    assert makespan(found) == 4.0


@pytest.mark.parametrize("shards", [1, 2, 5, 40])
def test_no_time_at_all(shards: int) -> None:
    modules = [module(f"{name}.py", 0.0, 0.0, 0.0) for name in "abcd"] + [module("e.py")]
    found = divided(modules, shards)
    assert len(found) == shards
    assert every_test_once(found, modules)
    assert all(len(shards_of(one.path, found)) == 1 for one in modules)
    assert makespan(found) == 0.0


def test_a_module_without_known_tests_is_kept_whole() -> None:
    modules = [module("a.py", 2.0, 2.0), module("unknown.py", setup=4.0)]
    found = divided(modules, 2)
    assert len(shards_of("unknown.py", found)) == 1
    assert makespan(found) == 4.0


@pytest.mark.parametrize("shards", [2, 3])
def test_a_module_without_known_tests_that_fits_nowhere(shards: int) -> None:
    """The capacity is as large as it needs."""
    unknown = module("unknown.py", setup=10.0)
    modules = [module("a.py", 1.0, 1.0, 1.0, setup=1.0), unknown, module("b.py", 2.0)]
    found = divided(modules, shards)
    (alone,) = (found[number] for number in shards_of("unknown.py", found))
    assert alone.parts == [whole(unknown)]
    assert every_test_once(found, modules)
    assert makespan(found) == 10.0


def test_unknown_modules_that_no_equal_share_has_room_for() -> None:
    """Two of three have to be together: the bound, 4.5, cannot be reached."""
    modules = [module(f"{name}.py", setup=3.0) for name in "abc"]
    found = divided(modules, 2)
    assert [shards_of(one.path, found) for one in modules].count([]) == 0
    assert sum(len(shard.parts) for shard in found) == 3
    assert sorted(shard.weight for shard in found) == [3.0, 6.0]


def test_a_module_larger_than_the_bound_is_split() -> None:
    large = module("large.py", *[1.0] * 12, setup=0.5)
    modules = [large, module("small.py", 1.0, 1.0, setup=0.5)]
    found = divided(modules, 3)
    assert every_test_once(found, modules)
    parts = [part for shard in found for part in shard.parts if part.module == large]
    assert len(parts) > 1
    assert sum(part.weight for part in parts) == 12.0 + 0.5 * len(parts)
    assert sum(shard.weight for shard in found) == 15.0 + 0.5 * (len(parts) - 1)
    assert makespan(found) < large.weight
    assert len(shards_of("small.py", found)) == 1


def test_two_modules_are_split_over_three_shards() -> None:
    """The shard with the rest of the first takes some of the second. Ten is the least: 4 parts."""
    modules = [module("a.py", *[1.0] * 9, setup=3.0), module("b.py", *[1.0] * 9, setup=3.0)]
    found = divided(modules, 3)
    assert every_test_once(found, modules)
    assert sorted(len(shard.parts) for shard in found) == [1, 1, 2]
    assert [shard.weight for shard in found] == [10.0, 10.0, 10.0]


def test_the_longest_tests_of_a_split_module_come_first() -> None:
    """By id, the short ones would take the room of the long ones."""
    first = module("a.py", 1.0, 1.0, 4.0, 4.0, setup=3.0)
    second = module("b.py", 1.0, 1.0, 3.0, 5.0, setup=3.0)
    found = divided([first, second], 4)
    assert [shard.weight for shard in found] == [8.0] * 4


def test_what_no_shard_has_room_for_is_split_at_once() -> None:
    """Were it the last, the others would have left it places of the wrong sizes."""
    large = module("b.py", 3.0, 3.0, 3.0)
    modules = [module("a.py", 1.0, 1.0), large, module("c.py", 1.0, setup=2.0)]
    found = divided(modules, 2)
    assert len(shards_of("b.py", found)) == 2
    assert [shard.weight for shard in found] == [7.0, 7.0]


def test_a_split_that_costs_more_than_it_saves_is_not_made() -> None:
    modules = [module("a.py", 1.0, 1.0, setup=9.0), module("b.py", 1.0, 1.0, setup=9.0)]
    found = divided(modules, 4)
    assert makespan(found) <= 11.0
    assert len(shards_of("a.py", found)) + len(shards_of("b.py", found)) <= 4
    assert sorted(shard.weight for shard in divided(modules, 2)) == [11.0, 11.0]


def test_modules_are_kept_whole_where_they_fit() -> None:
    """Longest first by test would pay nearly every set-up in each shard."""
    modules = [module(f"test_{n:02}.py", 0.5, 0.5, 1.0, setup=2.0) for n in range(12)]
    found = divided(modules, 4)
    assert all(part == whole(part.module) for shard in found for part in shard.parts)
    assert [shard.weight for shard in found] == [12.0] * 4


def test_better_than_the_longest_first() -> None:
    """Which takes 11: 5 + 3 + 3, whether by module or by test."""
    weights = (5, 5, 4, 4, 3, 3, 3)
    modules = [module(f"{n}.py", weight - 1.0, setup=1.0) for n, weight in enumerate(weights)]
    found = divided(modules, 3)
    assert every_test_once(found, modules)
    assert makespan(found) == lower_bound(modules, 3) == 9.0


def test_a_giant_test_has_a_shard_for_itself() -> None:
    giant = Module("giant.py", 1.0, [("giant.py::it", 50.0), ("giant.py::other", 5.0)])
    modules = [giant, *(module(f"small_{n}.py", 2.0, 2.0, setup=0.5) for n in range(8))]
    found = divided(modules, 4)
    assert every_test_once(found, modules)
    assert makespan(found) == lower_bound(modules, 4) == 51.0
    (its,) = (s for s in found if ("giant.py::it", 50.0) in (t for p in s.parts for t in p.tests))
    assert [[name for name, _ in part.tests] for part in its.parts] == [["giant.py::it"]]


def test_one_giant_test_alone() -> None:
    found = divided([module("giant.py", 50.0, setup=1.0)], 3)
    assert sorted(shard.weight for shard in found) == [0.0, 0.0, 51.0]


@pytest.mark.parametrize("shards", [2, 3, 7])
@pytest.mark.parametrize("setup", [0.0, 1.0, 8.0])
def test_equal_weights_are_deterministic(shards: int, setup: float) -> None:
    modules = [module(f"{name}.py", 1.0, 1.0, 1.0, setup=setup) for name in "abcde"]
    turned = [Module(one.path, one.setup, one.tests[::-1]) for one in modules[::-1]]
    assert divided(modules, shards) == divided(turned, shards) == divided(iter(modules), shards)
