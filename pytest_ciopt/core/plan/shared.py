"""Divides modules that share fixtures of package or session scope. Pure.

Each shard that runs any of their modules sets such a fixture up once. Where that is dear, the
modules are kept together: they are packed like the tests of one large module, whose set-up is the
fixture's. Whether that pays is not guessed: divisions with and without are made, and the one is
taken whose slowest shard takes least when all is counted. The two simpler divisions are among them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_ciopt.core.plan.packing import divided, makespan, simply_divided
from pytest_ciopt.core.plan.work import Module, Shard, whole

AS_GOOD = 1.02
"""Of divisions whose slowest shards take about as long, the one counts that takes least in all."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What each shard pays once that runs any of some modules."""

    name: str
    seconds: float
    users: frozenset[str]
    """Paths of modules."""


def divided_sharing(
    modules: Iterable[Module], shards: int, shared: Iterable[Shared]
) -> tuple[list[Shard], float]:
    """The division, and a lower bound; weights of shards include what they share.

    Raises: ValueError without shards. Complexity: that of `divided`, three times.
    """
    known = list(modules)
    paths = {module.path for module in known}
    fixtures = [one for one in shared if one.seconds > 0 and not one.users.isdisjoint(paths)]
    bound = _bound(known, shards, fixtures)
    candidates = [divided(known, shards)]
    if fixtures:
        candidates += simply_divided(known, shards)
    apart = _disjoint(fixtures)
    for kept in {len(apart[:1]): apart[:1], len(apart): apart}.values():
        if kept:
            candidates.append(_kept_together(known, shards, kept, bound))
    for made in candidates:
        _charge(made, fixtures)
    best = min(map(makespan, candidates))
    good = [made for made in candidates if makespan(made) <= best * AS_GOOD]
    return min(good, key=lambda made: sum(one.weight for one in made)), bound


def _bound(known: Sequence[Module], shards: int, fixtures: Sequence[Shared]) -> float:
    """As without them, but that a test also needs the fixtures of its module."""
    needed = dict.fromkeys((module.path for module in known), 0.0)
    for one in fixtures:
        for path in one.users & needed.keys():
            needed[path] += one.seconds
    share = sum(module.weight for module in known) + sum(one.seconds for one in fixtures)
    longest = (max((seconds for _, seconds in m.tests), default=0.0) for m in known)
    alone = (m.setup + needed[m.path] + one for m, one in zip(known, longest, strict=True))
    return max(share / shards, *alone, 0.0)


def _disjoint(fixtures: Sequence[Shared]) -> list[Shared]:
    """The dearest first; a module is kept together with others for one of them only."""
    found: list[Shared] = []
    taken: set[str] = set()
    for one in sorted(fixtures, key=lambda one: (-one.seconds, one.name)):
        if len(one.users) > 1 and taken.isdisjoint(one.users):
            found.append(one)
            taken |= one.users
    return found


def _kept_together(
    known: Sequence[Module], shards: int, fixtures: Sequence[Shared], bound: float
) -> list[Shard]:
    """The modules of a fixture are the tests of one. Those that fit in no shard stay themselves."""
    by_path = {module.path: module for module in known}
    rest = dict(by_path)
    merged: list[Module] = []
    for one in fixtures:
        fit = [by_path[path] for path in sorted(one.users & by_path.keys())]
        fit = [module for module in fit if one.seconds + module.weight <= bound]
        name = f"{one.name}::"
        merged.append(Module(name, one.seconds, [(module.path, module.weight) for module in fit]))
        for module in fit:
            del rest[module.path]
    packed = divided([*rest.values(), *(one for one in merged if one.tests)], shards)
    return [_apart(shard, by_path, {one.path for one in merged}) for shard in packed]


def _apart(shard: Shard, by_path: Mapping[str, Module], merged: set[str]) -> Shard:
    made = Shard()
    for part in shard.parts:
        if part.module.path in merged:
            for path, _ in part.tests:
                made.add(whole(by_path[path]))
        else:
            made.add(part)
    return made


def _charge(made: Iterable[Shard], fixtures: Sequence[Shared]) -> None:
    for shard in made:
        paths = {part.module.path for part in shard.parts}
        shard.weight += sum(one.seconds for one in fixtures if not one.users.isdisjoint(paths))
