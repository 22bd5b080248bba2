"""Whether the shards of a plan together ran what was planned, each test once. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ciopt.core.history.records import RunStart
from pytest_ciopt.core.nodeids import module_of, placed_id
from pytest_ciopt.core.plan.document import digest
from pytest_ciopt.core.plan.environments import Surroundings, surroundings
from pytest_ciopt.core.plan.plan import Plan

_CLOCKS = 60.0
"""Seconds by which the clocks of machines may differ."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one recorded run says of a shard."""

    start: RunStart
    ended: bool
    """Whether the run came to its end."""
    tests: Mapping[str, int]
    """How often each came to a final outcome, reruns not counted, by id from the top of the
    repository."""
    broken: frozenset[str] = frozenset()
    """Modules that could not be collected, and tests that began and did not end."""
    passed: bool = False
    """Whether it ended with exit code 0."""


@dataclass(slots=True)
class Findings:
    """What is wrong; all empty when everything is proved."""

    foreign: list[str] = field(default_factory=list)
    """Runs that do not count, each with why. By themselves they are nothing wrong."""
    absent: list[int] = field(default_factory=list)
    """Shards that left no run."""
    cut: list[int] = field(default_factory=list)
    """Shards whose run was not recorded to its end."""
    missing: list[str] = field(default_factory=list)
    """Planned tests that did not run."""
    doubled: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Tests that ran in several shards, or several times in one."""
    unplanned: list[str] = field(default_factory=list)
    """Tests that ran and are in no plan."""
    broken: list[str] = field(default_factory=list)
    """What could not be collected, or began and did not end."""

    @property
    def unsteady(self) -> list[str]:
        """Tests, without parameters, of which other ids ran than were planned: what they are called
        differs from one collection to the next."""
        planned, ran = (
            {one.partition("[")[0] for one in ids} for ids in (self.missing, self.unplanned)
        )
        return sorted(planned & ran)

    @property
    def proved(self) -> bool:
        """Whether planned is what ran, each once."""
        return not any(
            (
                self.absent,
                self.cut,
                self.missing,
                self.doubled,
                self.unplanned,
                self.broken,
            )
        )


def proofs(
    plan: Plan, runs: Iterable[Ran], *, by_key: bool = False
) -> dict[Surroundings, Findings]:
    """Of each environment that has a shard of the plan: it has to run everything. What other work
    has left there is named, as far as it has the same Python. `by_key`: see `surroundings`."""
    found: dict[Surroundings, list[Ran]] = {}
    others: list[Ran] = []
    known = digest(plan)
    for ran in runs:
        if ran.start.plan == known and _number(plan, ran.start) is not None:
            found.setdefault(surroundings(ran.start, by_key=by_key), []).append(ran)
        else:
            others.append(ran)
    return {
        one: proof(plan, [*several, *(o for o in others if o.start.environment.key == one.key)])
        for one, several in found.items()
    }


def proof(plan: Plan, runs: Iterable[Ran]) -> Findings:
    """Compares, within one environment.

    Of several runs of a shard one counts, for it was run again: the newest that passed, since that
    is why people believe the shard; else the newest that ended. Not simply the newest, for clocks
    of machines differ, and a run again may seem to have been the first.
    """
    found, newest = Findings(), dict[int, Ran]()
    known = digest(plan)
    for ran in sorted(runs, key=lambda ran: (ran.passed, ran.ended, ran.start.run)):
        if ran.start.started < plan.made - _CLOCKS and ran.start.plan != known:
            continue  # of earlier work
        number = _number(plan, ran.start)
        why = _foreign(plan, known, ran.start, number)
        if why is not None:
            found.foreign.append(f"run {ran.start.run}: {why}")
        elif number is not None:
            newest[number] = ran
    found.foreign.sort()
    found.absent = [n for n in range(1, plan.shards + 1) if n not in newest]
    found.cut = sorted(number for number, ran in newest.items() if not ran.ended)
    found.broken = sorted(frozenset[str]().union(*(ran.broken for ran in newest.values())))
    where: dict[str, list[int]] = {}
    for number, ran in sorted(newest.items()):
        for test, count in ran.tests.items():
            where.setdefault(_read_from(plan, test), []).extend([number] * count)
    wanted = {test for number in range(1, plan.shards + 1) for test in plan.named(number)}
    times = {test: plan.times.get(test, 1) for test in wanted}
    found.missing = sorted(test for test in wanted if len(where.get(test, ())) < times[test])
    found.doubled = {
        test: numbers
        for test, numbers in sorted(where.items())
        if len(numbers) > times.get(test, 1)
    }
    found.unplanned = sorted(where.keys() - wanted)
    return found


def _read_from(plan: Plan, test: str) -> str:
    """The id as the plan has it, by the file that was read."""
    path = plan.aliases.get(module_of(test))
    return test if path is None else placed_id(path, test)


def _number(plan: Plan, start: RunStart) -> int | None:
    number, _, shards = (start.shard or "").partition("/")
    return int(number) if number.isdecimal() and shards == str(plan.shards) else None


def _foreign(plan: Plan, known: str, start: RunStart, number: int | None) -> str | None:
    if start.shard is None:
        return "it is of no shard"
    shard = f"it is shard {start.shard}"
    if number is None or not 1 <= number <= plan.shards:
        return f"{shard}, and the plan has {plan.shards:,}"
    if start.plan != known:
        return f"{shard} of another plan"
    if plan.commit is not None and start.commit is not None and start.commit != plan.commit:
        return f"{shard} of commit {start.commit[:12]}, the plan is of {plan.commit[:12]}"
    return None if start.base is None else f"{shard}, and left tests out by a selection of its own"
