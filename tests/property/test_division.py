"""The division of modules among shards, against what any division has to be and two simple ones.

Seconds are eighths, so that sums are exact in whatever order they are made; one test takes others.
"""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ciopt.core.plan.packing import divided, makespan
from pytest_ciopt.core.plan.work import Module, lower_bound
from thoroughness import examples

Modules = Sequence[Module]

EIGHTHS = st.integers(0, 80).map(lambda n: n / 8) | st.sampled_from((0.0, 1.0, 1.0, 2.0, 500.0))
ANY_SECONDS = st.just(0.0) | st.floats(1e-6, 1e5)
SHARDS = st.integers(1, 8)


def modules_of(seconds: st.SearchStrategy[float], fewest: int = 0) -> st.SearchStrategy[Modules]:
    """Up to eight modules, some without tests, some with the same times."""
    times = st.lists(seconds, max_size=8) | st.builds(lambda n, one: [one] * n, SHARDS, seconds)
    costs = st.lists(st.tuples(seconds, times), min_size=fewest, max_size=8)
    return costs.map(lambda found: [named(n, *one) for n, one in enumerate(found)])


def named(number: int, setup: float, times: Sequence[float]) -> Module:
    path = f"test_{number}.py"
    return Module(path, setup, [(f"{path}::test_{n}", one) for n, one in enumerate(times)])


MODULES = modules_of(EIGHTHS)


@settings(max_examples=examples(500))
@given(MODULES | modules_of(ANY_SECONDS), SHARDS)
def test_everything_is_in_one_place(modules: Modules, shards: int) -> None:
    found = divided(modules, shards)
    assert len(found) == shards
    parts = [part for shard in found for part in shard.parts]
    places = Counter((part.module, test) for part in parts for test in part.tests)
    assert places == Counter((module, test) for module in modules for test in module.tests)
    for shard in found:
        paths = [part.module.path for part in shard.parts]
        assert len(paths) == len(set(paths))
    number = Counter(part.module for part in parts)
    assert number.keys() == set(modules)
    assert all(number[module] == 1 for module in modules if not module.tests)


@settings(max_examples=examples(200))
@given(MODULES | modules_of(ANY_SECONDS), SHARDS)
def test_a_shard_weighs_what_it_runs(modules: Modules, shards: int) -> None:
    found = divided(modules, shards)
    for shard in found:
        seconds = [one for part in shard.parts for _, one in part.tests]
        setups = [part.module.setup for part in shard.parts]
        assert shard.weight == pytest.approx(sum(seconds + setups))
        assert all(part.tests or not part.module.tests for part in shard.parts)
        assert all(list(part.tests) == sorted(part.tests) for part in shard.parts)
    assert makespan(found) >= lower_bound(modules, shards) * (1 - 1e-9)


@settings(max_examples=examples(200))
@given(st.data(), MODULES | modules_of(ANY_SECONDS), SHARDS)
def test_the_order_does_not_matter(data: st.DataObject, modules: Modules, shards: int) -> None:
    turned = [
        Module(module.path, module.setup, data.draw(st.permutations(module.tests)))
        for module in data.draw(st.permutations(modules))
    ]
    assert divided(turned, shards) == divided(modules, shards)


@settings(max_examples=examples(500))
@given(MODULES, SHARDS)
def test_simpler_divisions_are_never_better(modules: Modules, shards: int) -> None:
    slowest = makespan(divided(modules, shards))
    assert slowest <= longest_first_by_module(modules, shards)
    assert slowest <= longest_first_by_test(modules, shards)


def longest_first_by_module(modules: Modules, shards: int) -> float:
    """Seconds of the slowest shard."""
    taken = [0.0] * shards
    for weight in sorted((module.weight for module in modules), reverse=True):
        taken[taken.index(min(taken))] += weight
    return max(taken)


def longest_first_by_test(modules: Modules, shards: int) -> float:
    """The same, equal tests by name; modules without tests come last."""
    taken, loaded = [0.0] * shards, [set[str]() for _ in range(shards)]
    tests = [(-one, name, module) for module in modules for name, one in module.tests]
    for negative, _, module in sorted(tests, key=lambda test: test[:2]):
        number = taken.index(min(taken))
        taken[number] -= negative
        if module.path not in loaded[number]:
            loaded[number].add(module.path)
            taken[number] += module.setup
    for setup in sorted((module.setup for module in modules if not module.tests), reverse=True):
        taken[taken.index(min(taken))] += setup
    return max(taken)


@given(MODULES, SHARDS, st.integers(1, 8))
def test_more_shards_do_not_raise_the_bound(modules: Modules, shards: int, more: int) -> None:
    assert lower_bound(modules, shards + more) <= lower_bound(modules, shards)


@given(st.data(), modules_of(EIGHTHS, fewest=1), SHARDS, EIGHTHS)
def test_one_more_test_does_not_lower_the_bound(
    data: st.DataObject, modules: Modules, shards: int, seconds: float
) -> None:
    number = data.draw(st.integers(0, len(modules) - 1))
    old = modules[number]
    new = Module(old.path, old.setup, [*old.tests, (f"{old.path}::test_new", seconds)])
    changed = [*modules[:number], new, *modules[number + 1 :]]
    assert lower_bound(changed, shards) >= lower_bound(modules, shards)


@settings(max_examples=examples(300))
@given(st.data(), MODULES, st.integers(1, 4))
def test_no_division_is_below_the_bound(data: st.DataObject, modules: Modules, shards: int) -> None:
    taken = [0.0] * shards
    numbers = st.integers(0, shards - 1)
    for module in modules:
        places = [data.draw(numbers) for _ in module.tests] or [data.draw(numbers)]
        for number in set(places):
            taken[number] += module.setup
        for number, (_, seconds) in zip(places, module.tests, strict=False):
            taken[number] += seconds
    assert max(taken) >= lower_bound(modules, shards)
