"""Measures benchmarks of two trees against each other until each is told from the other, or cannot
be.

Nothing here knows how a tree is measured: tests put in figures of their own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from pytest_ciopt.adapters.duet.child import NotMeasured, Wanted
from pytest_ciopt.core.gates.answers import Answer, Tree
from pytest_ciopt.core.gates.benchmarks import (
    MOST,
    PAIRS,
    Effect,
    Pair,
    Step,
    effect,
    together,
    unsettled,
)
from pytest_ciopt.core.gates.budgets import Slowdown
from pytest_ciopt.core.history.rounds import CPU, WAITS, WALL

NEW = "it is not in the base"
Tell = Callable[[str], None]


class Measure(Protocol):
    """Runs benchmarks of one tree in a fresh process."""

    def look(self, tests: frozenset[str] | None) -> Answer:
        """The first of all runs: of the head, on the CPU clock. Raises: NotMeasured, OSError."""

    def __call__(self, tree: Tree, wanted: Wanted) -> Answer:
        """Raises: NotMeasured, OSError."""


@dataclass(frozen=True, slots=True)
class Raced:
    """What became of a benchmark."""

    step: Step | None
    """None where nothing could be compared."""
    why: str = ""
    """Then, why."""
    effect: Effect | None = None
    clock: str = CPU
    duets: tuple[tuple[Pair, ...], ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the base does not have it."""
        return self.why == NEW


def raced(
    measure: Measure,
    budgets: Mapping[str, Slowdown],
    wall: Mapping[str, float],
    tell: Tell,
    first: Answer | None = None,
) -> dict[str, Raced]:
    """What becomes of each benchmark; `budgets` by node id.

    `wall` has the least seconds of an iteration on the wall clock, as far as they are known, and
    `first` what a first look has found, if there was one.
    Raises: NotMeasured, OSError.
    """
    waiting = _waiting(measure, first or measure.look(frozenset(budgets)), wall)
    found: dict[str, Raced] = {}
    for clock, group in ((CPU, budgets.keys() - waiting), (WALL, waiting)):
        if group:
            own = {test: budgets[test] for test in sorted(group)}
            found |= _on(clock, measure, own, tell)
    return found


def _waiting(measure: Measure, first: Answer, wall: Mapping[str, float]) -> set[str]:
    """Benchmarks that do something beside computing, so that the CPU clock would hide it.

    The least seconds on both clocks are compared. What seems to wait is measured again: on a busy
    machine a benchmark may wait for the processor in each of its rounds, which is not its doing.
    """
    cpu = {test: one.minimum for test, one in first.benchmarks.items() if one.clock == CPU}
    doubtful = {test for test in cpu if test not in wall or _waits(cpu[test], wall[test])}
    if not doubtful:
        return set()
    again = measure(Tree.HEAD, Wanted(frozenset(doubtful), WALL))
    seen = doubtful & again.benchmarks.keys() - again.computing
    return {test for test in seen if _waits(cpu[test], again.benchmarks[test].minimum)}


def _waits(cpu: float, wall: float) -> bool:
    return cpu < WAITS * wall


def _on(
    clock: str, measure: Measure, budgets: Mapping[str, Slowdown], tell: Tell
) -> dict[str, Raced]:
    duets: dict[str, list[list[Pair]]] = {test: [] for test in budgets}
    found: dict[str, Raced] = {}
    left = frozenset(budgets)
    for number in range(MOST):
        one = _duet(clock, measure, left, number * PAIRS, tell)
        for test, pairs in one.pairs.items():
            duets[test].append(pairs)
            found[test] = _raced(duets[test], budgets[test], clock)
        found |= {test: Raced(None, why, clock=clock) for test, why in one.troubles.items()}
        left = frozenset(test for test in one.pairs if unsettled(duets[test], budgets[test]))
        if not left:
            break
    return found


def _raced(duets: list[list[Pair]], budget: Slowdown, clock: str) -> Raced:
    said = together(duets, budget)
    pairs = [pair for duet in duets for pair in duet]
    known = None if said is Step.UNMEASURABLE else effect(pairs, budget)
    return Raced(said, "", known, clock, tuple(tuple(duet) for duet in duets))


@dataclass(frozen=True, slots=True)
class _Duet:
    pairs: dict[str, list[Pair]]
    troubles: dict[str, str]


def _duet(clock: str, measure: Measure, tests: frozenset[str], seed: int, tell: Tell) -> _Duet:
    """Base, head, head, base, and so on: what drifts slowly hits both alike.

    Both of a pair hash texts alike, other pairs otherwise: the layout of dicts and sets, which
    alters what code takes by some percent, is no difference between the trees.
    """
    left, found = set(tests), _Duet({test: [] for test in sorted(tests)}, {})
    for number in range(PAIRS):
        if not left:
            break
        tell(f"pair {number + 1} of {PAIRS}: {len(left):,} on the {clock} clock")
        order = (Tree.BASE, Tree.HEAD) if number % 2 == 0 else (Tree.HEAD, Tree.BASE)
        wanted = Wanted(frozenset(left), clock, seed + number + 1)
        answers = {tree: measure(tree, wanted) for tree in order}
        for test, why in _troubles(answers, left):
            left.remove(test)
            del found.pairs[test]
            found.troubles[test] = why
        for test in left:
            base, head = (answers[tree].benchmarks[test].minimum for tree in Tree)
            found.pairs[test].append(Pair(base, head))
    return found


def _troubles(answers: Mapping[Tree, Answer], tests: set[str]) -> Iterator[tuple[str, str]]:
    """What one of the trees could not measure, and why."""
    base, head = answers[Tree.BASE], answers[Tree.HEAD]
    for test in sorted(tests):
        if test not in head.benchmarks:
            yield test, f"measured alone, {head.trouble(test) or 'it tells nothing'}"
        elif test not in base.benchmarks:
            trouble = base.trouble(test)
            if trouble is None and test not in base.collected:
                yield test, NEW
            else:
                yield test, f"in the base {trouble or 'it tells nothing'}"


__all__ = ["NEW", "Measure", "NotMeasured", "Raced", "Tell", "raced"]
