"""Tests that belong together, and so to one shard. Pure.

A group within a module counts as one long test. Where a group has tests of several modules, these
modules count as one that cannot be split: that keeps more together than is asked, and is rare.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pytest_ciopt.core.plan.shared import Shared
from pytest_ciopt.core.plan.work import Module


@dataclass(frozen=True, slots=True)
class Bundles:
    """Work in which what belongs together cannot be torn apart."""

    modules: list[Module]
    tests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The tests behind one that stands for several, by its id."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The module that one is part of, by path."""

    def shared(self, one: Shared) -> Shared:
        """The same, of modules as they are here: of several that are one, the one."""
        users = {self.parts.get(path, path) for path in one.users}
        return replace(one, users=frozenset(users))

    def ids(self, test: str) -> tuple[str, ...]:
        """The tests that one stands for."""
        return self.tests.get(test, (test,))


def bundled(modules: Iterable[Module], groups: Mapping[str, str]) -> Bundles:
    """`groups` are names of groups by test. Complexity: linear."""
    known = {module.path: module for module in modules}
    if not groups:
        return Bundles(list(known.values()))
    members: dict[str, set[str]] = {}
    for module in known.values():
        for test, _ in module.tests:
            if test in groups:
                members.setdefault(groups[test], set()).add(module.path)
    made, tests, done = [], dict[str, tuple[str, ...]](), set[str]()
    parts: dict[str, str] = {}
    for path, module in known.items():
        if path in done:
            continue
        block = _connected(path, members.values())
        done |= block
        if len(block) > 1:
            made.append(_as_one([known[one] for one in sorted(block)], tests))
            parts.update(dict.fromkeys(block, made[-1].path))
        else:
            made.append(_with_groups(module, groups, tests))
    return Bundles(made, tests, parts)


def _connected(path: str, members: Iterable[set[str]]) -> set[str]:
    """The modules that share groups with one, directly or through others."""
    found, several = {path}, [one for one in members if len(one) > 1]
    while fresh := [one for one in several if one & found and not one <= found]:
        found = found.union(*fresh)
    return found


def _as_one(block: list[Module], tests: dict[str, tuple[str, ...]]) -> Module:
    ids = tuple(test for module in block for test, _ in module.tests)
    tests[ids[0]] = ids
    seconds = sum(module.seconds for module in block)
    return Module(block[0].path, sum(module.setup for module in block), [(ids[0], seconds)])


def _with_groups(
    module: Module, groups: Mapping[str, str], tests: dict[str, tuple[str, ...]]
) -> Module:
    kept: list[tuple[str, float]] = []
    together: dict[str, list[tuple[str, float]]] = {}
    for test, seconds in module.tests:
        if test in groups:
            together.setdefault(groups[test], []).append((test, seconds))
        else:
            kept.append((test, seconds))
    for several in together.values():
        ids = tuple(test for test, _ in several)
        tests[ids[0]] = ids
        kept.append((ids[0], sum(seconds for _, seconds in several)))
    return Module(module.path, module.setup, kept) if together else module
