"""Divides test modules among shards so that the slowest one takes as little as possible. Pure.

Each shard pays the set-up of every module that it has a part of, so modules are kept whole where
they fit. The smallest capacity is searched into which everything goes: whole modules, the heaviest
first, into the fullest shard that has room. What not even an empty shard has room for is split at
once, its heaviest tests first, among the shards with most room; what fits nowhere any more is split
in the end. Two simpler divisions are made as well, longest processing time first by module and by
test, and the best of the three is taken: so none of them is ever better. Tests that take more than
an equal share of the rest get shards of their own, so that those of the others are even among
themselves.

**Source:** the search for the capacity is MULTIFIT (Coffman, Garey and Johnson, An Application of
Bin-Packing to Multiprocessor Scheduling, SIAM J. Comput. 7, 1978), with best fit instead of first
fit, and with items that can be split at the price of one more set-up. Longest processing time
first takes at most 4/3 of the optimum where nothing has a set-up (Graham, Bounds on Multiprocessing
Timing Anomalies, SIAM J. Appl. Math. 17, 1969), and so this does. With set-ups no bound is claimed;
`benchmarks/shards.py` measures the distance from the lower bound.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from pytest_ciopt.core.plan.work import Module, Part, Shard, lower_bound, whole

ALGORITHM = "multifit-2"
"""Two plans of the same version from the same input are equal."""
_STEPS = 24
"""Halvings of the range in which the capacity lies."""
_CLOSE = 1e-3
"""Share of the capacity to which it is found."""
_ROUNDING = 1e-9
"""Sums of the same numbers in another order may differ by less."""


def divided(modules: Iterable[Module], shards: int) -> list[Shard]:
    """`shards` of them, some perhaps empty; every test in exactly one.

    Deterministic, and the order of `modules` does not matter. Raises: ValueError without shards.
    Complexity: O(t log t + s m log n) for t tests, m modules, n shards and s steps of the search.
    """
    if shards < 1:
        raise ValueError("at least one shard is needed")
    known = list(modules)
    best = _divided(known, shards)
    alone, rest = _without_giants(known, shards)
    if alone:
        others = [*alone, *_divided(rest, shards - len(alone))]
        _are_parts_of(known, others)
        if makespan(others) <= makespan(best) * (1 + _ROUNDING):
            return others
    return best


def _without_giants(known: Sequence[Module], shards: int) -> tuple[list[Shard], list[Module]]:
    """Tests that take more than an equal share of all the others, each in a shard of its own, and
    what is left. The slowest shard is decided by them; if the others were filled up to it, any of
    them could become the slowest one where the times are not quite what was expected."""
    tests = ((m.setup + seconds, name, m) for m in known for name, seconds in m.tests)
    total = sum(module.weight for module in known)
    left = {module.path: len(module.tests) for module in known}
    alone: list[Shard] = []
    gone: set[str] = set()
    for weight, name, module in heapq.nsmallest(shards, tests, key=lambda one: (-one[0], one[1])):
        if len(alone) == shards - 1 or weight <= total / (shards - len(alone)):
            break
        left[module.path] -= 1
        total -= weight if left[module.path] == 0 else weight - module.setup
        gone.add(name)
        alone.append(Shard())
        alone[-1].add(Part(module, [test for test in module.tests if test[0] == name]))
    rest = [
        Module(m.path, m.setup, [test for test in m.tests if test[0] not in gone])
        for m in known
        if left[m.path] or not m.tests
    ]
    return alone, rest


def _are_parts_of(known: Iterable[Module], shards: Iterable[Shard]) -> None:
    """Parts of what was left of a module are parts of the module."""
    whole_one = {module.path: module for module in known}
    for shard in shards:
        shard.parts = [Part(whole_one[part.module.path], part.tests) for part in shard.parts]


def simply_divided(modules: Iterable[Module], shards: int) -> list[list[Shard]]:
    """The two simpler divisions: by module, and by test."""
    known = _heaviest_first(modules)
    return [_by_module(known, shards), _by_test(known, shards)]


def _heaviest_first(modules: Iterable[Module]) -> list[Module]:
    return sorted(modules, key=lambda module: (-module.weight, module.path))


def _divided(modules: Iterable[Module], shards: int) -> list[Shard]:
    """The best of the three ways."""
    known = _heaviest_first(modules)
    candidates = simply_divided(known, shards)
    packed = _searched(known, shards, min(map(makespan, candidates)))
    if packed is not None:
        candidates.insert(0, packed)
    return min(candidates, key=makespan)


def makespan(shards: Sequence[Shard]) -> float:
    """Seconds of the slowest shard."""
    return max(shard.weight for shard in shards)


def _by_module(known: Sequence[Module], shards: int) -> list[Shard]:
    """Each whole module, the heaviest first, to the shard that has least."""
    made = [Shard() for _ in range(shards)]
    least = [(0.0, number) for number in range(shards)]
    for module in known:
        _, number = heapq.heappop(least)
        made[number].add(whole(module))
        heapq.heappush(least, (made[number].weight, number))
    return made


def _by_test(known: Sequence[Module], shards: int) -> list[Shard]:
    """Each test, the longest first, to the shard that has least, whatever module it is of."""
    tests = [(-seconds, name, place) for place, m in enumerate(known) for name, seconds in m.tests]
    parts: list[dict[int, list[tuple[str, float]]]] = [{} for _ in range(shards)]
    least = [(0.0, number) for number in range(shards)]
    for negative, name, place in sorted(tests):
        weight, number = heapq.heappop(least)
        part = parts[number].setdefault(place, [])
        setup = 0.0 if part else known[place].setup
        part.append((name, -negative))
        heapq.heappush(least, (weight + setup - negative, number))
    made = [Shard() for _ in range(shards)]
    for shard, of_shard in zip(made, parts, strict=True):
        for place, tests_of in sorted(of_shard.items()):
            shard.add(Part(known[place], sorted(tests_of)))
    _spread_empty(made, [module for module in known if not module.tests])
    return made


def _spread_empty(made: Sequence[Shard], modules: Iterable[Module]) -> None:
    """Modules of which no test is known are kept whole."""
    for module in modules:
        min(made, key=lambda shard: shard.weight).add(whole(module))


def _searched(known: Sequence[Module], shards: int, best: float) -> list[Shard] | None:
    """The division of the smallest capacity that is found, `best` at most."""
    low, high = lower_bound(known, shards), best
    found, capacity = None, low  # mostly the bound itself can be reached
    for _ in range(_STEPS):
        packed = _packed(known, shards, capacity * (1 + _ROUNDING))
        if packed is None:
            low = capacity
        else:
            found, high = packed, makespan(packed)
        if high - low <= _CLOSE * low:
            break
        capacity = (low + high) / 2
    # What is as even, and keeps more together, is better still.
    return _packed(known, shards, best * (1 + _ROUNDING)) if found is None else found


def _packed(known: Sequence[Module], shards: int, capacity: float) -> list[Shard] | None:
    """A division in which no shard takes more than `capacity`, if this way finds one."""
    made = [Shard() for _ in range(shards)]
    rooms = [(capacity, number) for number in range(shards)]
    left = []
    for module in known:
        place = bisect_left(rooms, (module.weight, -1))
        if place == len(rooms):
            if module.weight <= capacity:
                left.append(module)
            elif not _split(module, made, rooms):
                return None
            continue
        room, number = rooms.pop(place)
        made[number].add(whole(module))
        insort(rooms, (room - module.weight, number))
    return made if all(_split(module, made, rooms) for module in left) else None


def _split(module: Module, made: Sequence[Shard], rooms: list[tuple[float, int]]) -> bool:
    """Puts the parts of a module where most room is; whether all of it found a place."""
    rest = sorted(module.tests, key=lambda test: (-test[1], test[0]))
    taken: list[tuple[float, int]] = []
    if not rest:
        return False
    while rest and rooms and rooms[-1][0] > module.setup:
        room, number = rooms.pop()
        room -= module.setup
        part, left = [], []
        for test in rest:
            if test[1] <= room:
                part.append(test)
                room -= test[1]
            else:
                left.append(test)
        if not part:
            taken.append((room + module.setup, number))
            break
        made[number].add(Part(module, sorted(part)))
        taken.append((room, number))
        rest = left
    for one in taken:
        insort(rooms, one)
    return not rest
