"""Judges what several jobs have recorded as one run would have been judged."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_ciopt.adapters.history import reader
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.index import UNREADABLE
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.gates import durations
from pytest_ciopt.core.gates.budgets import Slowdown, slowdown
from pytest_ciopt.core.gates.durations import Budget
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Judged,
    Phase,
    Record,
    RunEnd,
    RunStart,
)
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.errors import CioptError, reason
from pytest_ciopt.usecases import benching
from pytest_ciopt.usecases.benching import GATE, Ground, Open, named
from pytest_ciopt.usecases.duet import Tell
from pytest_ciopt.usecases.expecting import expected
from pytest_ciopt.usecases.verifying import segments_in

_OF_ONE = "benchmark "
"""How the gate of a single benchmark begins."""
Counts = Callable[[RunStart], bool]
"""Whether a run is one of those that are judged."""


@dataclass(slots=True)
class Job:
    """What one of them has recorded."""

    start: RunStart
    took: dict[str, float] = field(default_factory=dict)
    """Seconds of each test, without fixtures that several share, by id from the top of the
    repository."""
    benchmarks: dict[str, Benchmark] = field(default_factory=dict)
    """By node id."""
    verdicts: tuple[Judged, ...] = ()
    """On benchmarks."""

    def take(self, record: Record) -> None:
        """Adds a record."""
        match record:
            case Attempt():
                test = repository_id(self.start.root, record.id)
                phases = record.setup, record.call, record.teardown
                self.took[test] = self.took.get(test, 0.0) + sum(map(_own, phases))
            case Benchmark():
                self.benchmarks[record.id] = record
            case RunEnd():
                of_one = (GATE, _OF_ONE)
                self.verdicts = tuple(one for one in record.verdicts if one.gate.startswith(of_one))


def _own(phase: Phase | None) -> float:
    return 0.0 if phase is None else max(phase.seconds - phase.shared, 0.0)


def jobs(paths: Iterable[Path], counts: Counts) -> list[Job]:
    """Of segments, and of all in folders, as far as they count, the oldest first. Of several runs
    of a shard the newest does. Raises: CioptError for one that cannot be read."""
    found: dict[tuple[str, ...], Job] = {}
    for path in segments_in(paths):
        try:
            records = reader.records(path)
            start = next(records)
            if not isinstance(start, RunStart) or not counts(start):
                continue
            key: tuple[str, ...] = (start.run,)
            if start.shard is not None:
                key = (start.environment.key, start.root, start.plan or "", start.shard)
            if key in found and found[key].start.run >= start.run:
                continue
            job = found[key] = Job(start)
            for record in records:
                job.take(record)
        except (SegmentError, OSError) as error:
            raise CioptError(
                f"{path} cannot be read: {reason(error)}", "Without it nothing is told."
            ) from None
    return sorted(found.values(), key=lambda job: job.start.run)


# --- durations -----------------------------------------------------------------------------------


def lasting(
    budgets: tuple[Budget, ...], done: Sequence[Job], state: StateDir, partial: str | None
) -> list[Verdict]:
    """Verdicts on how long tests took; `partial` says why not all of them ran."""
    if not budgets or not done:
        return []
    try:
        known = expected(state)
    except UNREADABLE as error:
        why = f"the history cannot be read: {error}"
        return [Verdict(budget.gate, Ruling.UNKNOWN, why) for budget in budgets]
    found = []
    of_environments = {job.start.environment.key: dict[str, float]() for job in done}
    for job in done:  # of a test that ran in several the newest counts
        of_environments[job.start.environment.key] |= job.took
    for environment, took in sorted(of_environments.items()):
        of = f" ({environment})" if len(of_environments) > 1 else ""
        told = durations.judged(budgets, known.get(environment, {}), took, partial)
        found += [replace(one, why=f"{one.why}{of}") for one in told]
    return found


# --- benchmarks ----------------------------------------------------------------------------------


def benchmarks(
    budget: Slowdown,
    done: Iterable[Job],
    ground: Ground,
    opened: Open,
    tell: Tell,
    *,
    anew: bool,
) -> list[Verdict]:
    """Verdicts on benchmarks: those of the jobs, where they could tell; the others are judged here,
    by the history of the machines that measured them, and by a duet on this one. With `anew` so is
    what passed, perhaps by another limit."""
    verdicts: list[Verdict] = []
    left: dict[str, Benchmark] = {}
    for job in done:
        told, untold = _told(job, anew=anew)
        verdicts += told
        elsewhere = _elsewhere(job, ground)
        if untold and elsewhere is not None:
            verdicts.append(Verdict(GATE, Ruling.UNKNOWN, f"{named(sorted(untold))}: {elsewhere}"))
        else:
            left |= untold
    if not left:
        return verdicts
    try:
        limits = {
            test: slowdown(one.limit, f"ciopt_bench of {test}") if one.limit else budget
            for test, one in left.items()
        }
    except CioptError as error:
        return [*verdicts, Verdict(GATE, Ruling.UNKNOWN, str(error))]
    return verdicts + benching.judged(limits, left, ground, opened, tell)


def _elsewhere(job: Job, ground: Ground) -> str | None:
    """Why what a job measured cannot be measured again here."""
    here, there = surroundings().key, job.start.environment.key
    if here != there:
        return f"measured on {there}, and this is {here}"
    if job.start.root != ground.root:
        return f"measured with the rootdir {job.start.root or '.'}: run `ciopt check` in it"
    return None


def _told(job: Job, *, anew: bool) -> tuple[list[Verdict], dict[str, Benchmark]]:
    """What a job said, and what it measured and could not tell of."""
    gate_of = {test: f"{_OF_ONE}{test}" for test in job.benchmarks}
    rulings = {one.gate: Ruling(one.ruling) for one in job.verdicts}
    failed = {gate for gate, ruling in rulings.items() if ruling is Ruling.FAIL}
    unknown = {gate for gate, ruling in rulings.items() if ruling is Ruling.UNKNOWN}
    # The gate of all tells of several at once: which it could not tell of is not known.
    every = anew or GATE in unknown or not rulings
    left = {
        test: one
        for test, one in job.benchmarks.items()
        if gate_of[test] not in failed and (every or gate_of[test] in unknown)
    }
    again = {gate_of[test] for test in left} | ({GATE} if every and left else set())
    of = "" if job.start.shard is None else f" (shard {job.start.shard})"
    told = [
        Verdict(one.gate, Ruling(one.ruling), f"{one.why}{of}")
        for one in job.verdicts
        if one.gate not in again
    ]
    return told, left
