"""Judges benchmarks: by the history, by a duet with the base, or not at all, and then says why."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.duet.child import NotMeasured
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.benchmarks import measured_runs
from pytest_ciopt.adapters.history.facts import head, surroundings
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.base import Base, NoBase
from pytest_ciopt.core.gates.benchmarks import Step, cleared
from pytest_ciopt.core.gates.budgets import Slowdown
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.records import Benchmark
from pytest_ciopt.core.history.rounds import WALL
from pytest_ciopt.usecases.duet import Measure, Raced, Tell, raced

GATE = "benchmarks"
_BEHIND = 500
"""Commits before the base whose runs count as its history."""
_RECENT = 30
"""Runs of those that count."""
_NAMED = 5
"""Tests in a line."""
Key = tuple[str, str | None, str | None]
"""Node id, fingerprint of the machine, clock: what may be compared."""
Open = Callable[[str], AbstractContextManager[Measure]]
"""Opens a duet with a commit, for as long as it is wanted; raises GitError and OSError."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where benchmarks were measured."""

    git: Git | None
    state: StateDir
    root: str
    """pytest's rootdir, from the top."""
    base: Base | NoBase | None


def judged(
    budgets: Mapping[str, Slowdown],
    measured: Mapping[str, Benchmark],
    ground: Ground,
    opened: Open,
    tell: Tell,
) -> list[Verdict]:
    """A verdict on all that are fine, and one on each that is not; `budgets` by node id, and in
    `measured` what this run says of the same tests."""
    past = _past(ground)
    fine = {
        test
        for test, one in measured.items()
        if cleared(one.minimum, past.get((test, one.fingerprint, one.clock), ()), budgets[test])
    }
    suspects = {test: budgets[test] for test in sorted(budgets.keys() - fine)}
    if not suspects:
        return [_together(len(budgets), len(fine), {}, "")]
    against = _against(ground)
    if isinstance(against, Verdict):
        return [*_cleared_only(budgets, fine), against]
    wall = {test: one.minimum for test, one in measured.items() if one.clock == WALL}
    tell(f"{_count(suspects)} measured against {against[:10]}")
    try:
        with opened(against) as measure:
            found = raced(measure, suspects, wall, tell)
    except (NotMeasured, GitError) as error:
        return [*_cleared_only(budgets, fine), _unknown(suspects, error.what, error.mend)]
    except OSError as error:
        why = f"no process can be started: {error.strerror or error}"
        return [*_cleared_only(budgets, fine), _unknown(suspects, why)]
    good = {test: one for test, one in found.items() if one.step is Step.FASTER or one.is_new}
    bad = sorted(found.keys() - good.keys())
    verdicts = [_alone(test, found[test], budgets[test]) for test in bad]
    if fine or good:
        verdicts.insert(0, _together(len(budgets), len(fine), good, against))
    return verdicts


# --- the history ---------------------------------------------------------------------------------


def _past(ground: Ground) -> dict[Key, list[float]]:
    """Least seconds in recent runs of the base and of what it stands on.

    Those of the change itself do not count: a slowdown would become the usual soon.
    """
    found: dict[Key, list[float]] = {}
    commits = _commits(ground)
    environment = surroundings().key
    usable = 0
    for start, benchmarks in measured_runs(ground.state, now()) if commits else ():
        same = start.environment.key == environment and start.root == ground.root
        if not same or start.dirty or start.commit not in commits or start.source is not None:
            continue
        for one in benchmarks:
            found.setdefault((one.id, one.fingerprint, one.clock), []).append(one.minimum)
        usable += 1
        if usable == _RECENT:
            break
    return found


def _commits(ground: Ground) -> frozenset[str]:
    if ground.git is None:
        return frozenset()
    newest = ground.base.commit if isinstance(ground.base, Base) else "HEAD~1"
    try:
        said = ground.git.line("rev-list", f"--max-count={_BEHIND}", "--first-parent", newest)
    except GitError:
        return frozenset()
    return frozenset(said.split())


def _against(ground: Ground) -> str | Verdict:
    """The commit to measure against, or what is said where that makes no sense."""
    if ground.git is None:
        return Verdict(GATE, Ruling.UNKNOWN, "this is no git repository")
    if not isinstance(ground.base, Base):
        why, mend = ("no base", "") if ground.base is None else ground.base
        return Verdict(GATE, Ruling.UNKNOWN, why, mend)
    try:
        here = head(ground.git, ground.state)
    except GitError as error:
        return Verdict(GATE, Ruling.UNKNOWN, error.what)
    if here.commit == ground.base.commit and not here.dirty:
        return Verdict(GATE, Ruling.PASS, "this is the base itself, and nothing differs from it")
    return ground.base.commit


# --- what is said --------------------------------------------------------------------------------


def _together(number: int, fine: int, good: Mapping[str, Raced], base: str) -> Verdict:
    """On those that are no slower."""
    new = sorted(test for test, one in good.items() if one.is_new)
    parts = [f"{fine:,} by the history"] if fine else []
    if len(good) > len(new):
        parts.append(f"{len(good) - len(new):,} measured against {base[:10]}")
    why = f"{fine + len(good) - len(new):,} of {number:,} are no slower"
    why += f" ({', '.join(parts)})" if parts else ""
    if new:
        why += f"; new: {named(new)}"
    return Verdict(GATE, Ruling.PASS, why)


def _cleared_only(budgets: Mapping[str, Slowdown], fine: set[str]) -> Iterator[Verdict]:
    if fine:
        yield _together(len(budgets), len(fine), {}, "")


def _unknown(suspects: Mapping[str, Slowdown], why: str, mend: str = "") -> Verdict:
    return Verdict(GATE, Ruling.UNKNOWN, f"{named(list(suspects))}: {why}", mend)


def _alone(test: str, one: Raced, budget: Slowdown) -> Verdict:
    """On one that is slower, or of which nothing can be told."""
    gate = f"benchmark {test}"
    if one.effect is None or one.step is None:
        why = one.why or str(one.step)
        return Verdict(gate, Ruling.UNKNOWN, why, limit=budget.amount)
    why = f"{told(one, budget)}, {budget} allowed"
    value, limit = one.effect.median, budget.amount
    if one.step is Step.SLOWER:
        mend = "Make it faster, or allow more with @pytest.mark.ciopt_bench(fail=...)."
        return Verdict(gate, Ruling.FAIL, why, mend, value=value, limit=limit)
    mend = "Measure on a quieter machine, or let the benchmark take longer."
    return Verdict(gate, Ruling.UNKNOWN, f"too noisy: {why}", mend, value=value, limit=limit)


def told(one: Raced, budget: Slowdown) -> str:
    """The figures: effect, interval, what could have been seen."""
    if one.effect is None:
        return one.why
    low, high = budget.shown(one.effect.low), budget.shown(one.effect.high)
    return (
        f"{budget.shown(one.effect.median)} ({low} to {high} in {one.effect.confidence:.0%}, "
        f"{one.effect.pairs} pairs, {one.clock} clock; seen from "
        f"{budget.shown(one.effect.smallest)} on)"
    )


def named(tests: Sequence[str]) -> str:
    """Some of them, and how many more."""
    more = len(tests) - _NAMED
    first = ", ".join(tests[:_NAMED])
    return f"{first} and {more:,} more" if more > 0 else first


def _count(tests: Mapping[str, Slowdown]) -> str:
    return f"{len(tests):,} benchmark{' is' if len(tests) == 1 else 's are'}"
