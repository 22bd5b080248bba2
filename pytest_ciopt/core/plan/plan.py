"""The plan: which shard runs what, fixed once and carried out many times. Pure.

Every test of every project belongs to exactly one shard of a plan, whether the plan names it or
not: a test that is not named goes to the home of its module, and of a module that is not named
either the home is found from its path alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from math import hypot

from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.plan.shared import Shared, divided_sharing
from pytest_ciopt.core.plan.together import Bundles, bundled
from pytest_ciopt.core.plan.work import Module, Shard


@dataclass(frozen=True, slots=True)
class Share:
    """Who runs what of one test module."""

    home: int
    """The shard that runs what is not named."""
    tests: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Ids by shard, sorted."""
    seconds: float = 0.0
    """Expected of the module in one shard; 0 where nobody knows."""
    left: tuple[str, ...] = ()
    """Ids that a selection left out, sorted."""


@dataclass(frozen=True)
class Plan:
    """A division of tests among shards, which are numbered from 1."""

    shards: int
    modules: Mapping[str, Share]
    """By path from the top of the repository."""
    seconds: tuple[float, ...] = ()
    """Expected of each shard; empty where nobody knows."""
    spread: tuple[float, ...] = ()
    """Standard deviations of these, as far as known: as if tests varied by themselves."""
    bound: float = 0.0
    """Seconds below which the slowest shard cannot come."""
    origin: str = ""
    """What it was made from: `history`, `durations` or `sizes`."""
    complete: bool = False
    """Whether it names every test that is to run."""
    commit: str | None = None
    base: str | None = None
    """The commit with which a selection compared, None without one."""
    made: float = 0.0
    """When it was made, seconds of the epoch; 0 where that does not matter."""
    proving: frozenset[str] = frozenset()
    """Runs whose records prove tests that were left out."""
    unread: frozenset[str] = frozenset()
    """Files of which a selection left everything out, so that nobody knows their tests."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Files that were read, by what ids of their tests begin with, where that is another path."""
    times: Mapping[str, int] = field(default_factory=dict)
    """How many tests have an id, where it is not one."""
    uncommitted: Mapping[str, str] | None = None
    """Ids of contents by path, of what a selection saw that the commit does not have; None where
    that is not known, or does not matter."""

    @cached_property
    def _named(self) -> Mapping[str, tuple[str, int]]:
        return {
            test: (path, number)
            for path, share in self.modules.items()
            for number, tests in share.tests.items()
            for test in tests
        }

    @cached_property
    def _left(self) -> frozenset[str]:
        return frozenset(test for share in self.modules.values() for test in share.left)

    def shard_of(self, test: str, path: str | None = None) -> int:
        """The one shard that runs a test, given by its id from the top of the repository.

        `path` is the file in which it was found, where its id may tell another one: whoever reads
        the file must be who runs the test.
        """
        file = module_of(test) if path is None else path
        named, number = self._named.get(test, (None, 0))
        return number if named == file else self.home(file)

    def leaves(self, test: str, path: str) -> bool:
        """Whether a selection left a test of a file out. One that it did not know it did not."""
        return path in self.unread or test in self._left

    def names(self, test: str) -> bool:
        """Whether it says who runs a test."""
        return test in self._named

    def home(self, path: str) -> int:
        """The shard that runs what is not named of a module, or of any other file."""
        share = self.modules.get(path)
        return _by_name(path, self.shards) if share is None else share.home

    def runs_any(self, path: str, number: int) -> bool:
        """Whether a shard may run anything of a file."""
        share = self.modules.get(path)
        if path in self.unread:
            return False
        if share is None:
            return _by_name(path, self.shards) == number
        return share.home == number or number in share.tests

    def named(self, number: int) -> Sequence[str]:
        """The tests that it names for a shard, sorted."""
        return sorted(
            test for share in self.modules.values() for test in share.tests.get(number, ())
        )

    @property
    def imbalance(self) -> float:
        """Seconds of the slowest shard by the lower bound; 1 is perfect, and so is nothing."""
        return max(self.seconds, default=0.0) / self.bound if self.bound else 1.0


def _by_name(path: str, shards: int) -> int:
    """The same on every machine."""
    digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest) % shards + 1


def planned(
    modules: Iterable[Module],
    shards: int,
    *,
    origin: str,
    start: float = 0.0,
    shared: Iterable[Shared] = (),
    groups: Mapping[str, str] | None = None,
    spreads: Mapping[str, float] | None = None,
    complete: bool = False,
    commit: str | None = None,
) -> Plan:
    """The plan of a division. `start` are seconds that each shard takes whatever it runs, `shared`
    what it takes for some modules; `groups` are names by test: those of one name get to one shard;
    `spreads` are standard deviations of the seconds of tests.

    Where it is made from sizes no seconds are expected.
    """
    work = [_with_least(module) for module in modules]
    bundles = bundled(work, groups or {})
    made, bound = divided_sharing(bundles.modules, shards, map(bundles.shared, shared))
    in_seconds = origin != SIZES
    weights = {module.path: round(module.weight, 3) for module in work} if in_seconds else {}
    return Plan(
        shards,
        dict(sorted(_shares(made, bundles, weights).items())),
        tuple(round(start + shard.weight, 3) for shard in made) if in_seconds else (),
        tuple(round(_spread(shard, bundles, spreads), 3) for shard in made) if spreads else (),
        round(start + bound, 3) if in_seconds else 0.0,
        origin,
        complete,
        commit,
    )


HISTORY, DURATIONS, SIZES = "history", "durations", "sizes"
"""What a plan is made from: recorded runs, a file in the repository, or sizes of test files."""


_LEAST = 0.001
"""Seconds that any test counts for: else one shard could get all those that take no time."""


def _with_least(module: Module) -> Module:
    tests = [(name, max(seconds, _LEAST)) for name, seconds in module.tests]
    return Module(module.path, module.setup, tests)


def _spread(shard: Shard, bundles: Bundles, spreads: Mapping[str, float]) -> float:
    """Variances add up."""
    names = (name for part in shard.parts for name, _ in part.tests)
    return hypot(*(spreads.get(test, 0.0) for name in names for test in bundles.ids(name)))


def _shares(
    made: Sequence[Shard], bundles: Bundles, weights: Mapping[str, float]
) -> dict[str, Share]:
    """The heaviest part of a module is at home."""
    homes: dict[str, tuple[float, int]] = {}
    tests: dict[str, dict[int, tuple[str, ...]]] = {}
    for number, shard in enumerate(made, 1):
        for part in shard.parts:
            found: dict[str, list[str]] = {} if part.tests else {part.module.path: []}
            for name, _ in part.tests:
                for test in bundles.ids(name):
                    found.setdefault(module_of(test), []).append(test)
            for path, ids in found.items():
                if path not in homes or part.weight > homes[path][0]:
                    homes[path] = (part.weight, number)
                if ids:
                    tests.setdefault(path, {})[number] = tuple(sorted(ids))
    return {
        path: Share(home, tests.get(path, {}), weights.get(path, 0.0))
        for path, (_, home) in homes.items()
    }


def of_selection(
    plan: Plan,
    base: str,
    left: Iterable[tuple[str, str]],
    unread: Iterable[str],
    proving: Iterable[str] = (),
    uncommitted: Mapping[str, str] | None = None,
) -> Plan:
    """The same plan, which knows what a selection left out: tests with their files, and files."""
    modules = dict(plan.modules)
    of_file: dict[str, list[str]] = {}
    for path, test in left:
        of_file.setdefault(path, []).append(test)
    for path, tests in of_file.items():
        share = modules.get(path, Share(plan.home(path)))
        modules[path] = replace(share, left=tuple(sorted(tests)))
    known = dict(sorted(modules.items()))
    return replace(
        plan,
        base=base,
        modules=known,
        unread=frozenset(unread),
        proving=frozenset(proving),
        uncommitted=uncommitted,
    )
