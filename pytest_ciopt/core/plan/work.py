"""What is to be divided: test modules with their tests, and what each costs. Pure.

A shard that runs any test of a module pays for the module as well: its import, its collection, and
the fixtures that its tests share. Times are seconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Module:
    """A test module. Its tests are sorted by id, whatever order they were given in."""

    path: str
    """From the top of the repository."""
    setup: float = 0.0
    """What each shard pays that runs any of its tests."""
    tests: Sequence[tuple[str, float]] = ()
    """(id, seconds)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tests", tuple(sorted(self.tests)))

    @cached_property
    def seconds(self) -> float:
        """Of all its tests, without the set-up."""
        return sum(seconds for _, seconds in self.tests)

    @property
    def weight(self) -> float:
        """What a shard pays that runs all of it."""
        return self.setup + self.seconds


@dataclass(frozen=True, slots=True)
class Part:
    """What one shard runs of a module."""

    module: Module
    tests: Sequence[tuple[str, float]]

    @property
    def weight(self) -> float:
        """Set-up included."""
        return self.module.setup + sum(seconds for _, seconds in self.tests)


@dataclass(slots=True)
class Shard:
    """What one of several runs."""

    parts: list[Part] = field(default_factory=list)
    weight: float = 0.0

    def add(self, part: Part) -> None:
        """At most one part of each module."""
        self.parts.append(part)
        self.weight += part.weight


def whole(module: Module) -> Part:
    """All of a module."""
    return Part(module, module.tests)


def lower_bound(modules: Iterable[Module], shards: int) -> float:
    """No division takes less: neither than an equal share of everything, each set-up paid once,
    nor than any test with the set-up of its module."""
    known = list(modules)
    share = sum(module.weight for module in known) / shards
    single = (module.setup + seconds for module in known for _, seconds in module.tests)
    return max(share, *single, *(module.setup for module in known), 0.0)
