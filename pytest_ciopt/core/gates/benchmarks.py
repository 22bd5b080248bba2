"""Whether a benchmark has become slower, and what could have been seen. Pure.

Three steps, each of which only lets pass what it can. The *history* clears benchmarks that a
slowdown of the budget cannot hide in. The others run a *duet*: pairs of fresh processes, one of the
base and one of the head, which alternate, so that a slow minute of the machine slows both down.
What is slower in a duet, or too noisy to tell, is measured again, and fails only where two duets
and all pairs together say so: chance has to strike twice.

What is compared is the least of all rounds of a process: noise only ever adds to what code takes.
**Source:** Chen and Revels, Robust Benchmarking in Noisy Environments, 2016.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import comb, pi, sqrt
from statistics import median, median_low
from typing import NamedTuple

from pytest_ciopt.core.gates.budgets import Slowdown

PAIRS = 4
"""Of a duet."""
MOST = 8
"""Duets of a benchmark."""
USUAL = 3
"""Duets after which only those go on that look slower: some code takes 10 % more or less in each
process, and only some thirty pairs tell 5 % of it. **Source:** docs/explanation/measurements.md."""
_PROMISING = 0.4
"""Share of the budget that the median of the pairs has to exceed for that."""
CUT = 0.6
"""Share of the budget that the median of the pairs has to exceed. A cut at the whole budget would
miss half of the slowdowns that are as large as it. **Source:** docs/explanation/measurements.md."""
_EACH = 0.2
"""Share of the budget that most pairs have to exceed, each for itself."""
_MOST, _MOST_OF_MANY = 0.75, 0.65
"""Share of the pairs that has to; the latter of more than two duets, where chance has less say."""
ENOUGH = 3
"""Runs from which a history is one."""
_CLEAR = 0.5
"""Share of the budget up to which the history clears at most."""
_DOUBT = 3.0
"""Standard deviations of one run that may hide a part of a slowdown."""
_MAD = 1.4826
"""Makes the median absolute deviation of a normal distribution its standard deviation. **Source:**
Hampel, The Influence Curve and its Role in Robust Estimation, 1974."""
_APART = 1.14
"""Makes the median difference of any two of four normal values their standard deviation; of two in
the middle the lower one, which a single outlier does not move. **Source:** Shamos, Geometry and
Statistics, 1976; the factor is that of 40,000 simulated samples, for samples of eight it is
1.03."""
_POWER = 0.8416
"""Standard deviations above a limit of which 80 % of normal values exceed it."""
_CONFIDENT = 0.85
"""How often an interval covers the truth, at least: of four pairs no more can be had."""


class Pair(NamedTuple):
    """Least seconds of an iteration in two processes that ran one after the other."""

    base: float
    head: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What a duet says, in the unit of the budget."""

    median: float
    low: float
    high: float
    confidence: float
    """How often an interval as that from `low` to `high` covers the true median, in [0, 1]."""
    smallest: float
    """A slowdown that pairs as noisy as these show in four of five duets; nothing below it could
    have been seen with any certainty."""
    pairs: int


class Step(StrEnum):
    """How far a benchmark has come."""

    FASTER = "not slower"
    SLOWER = "slower"
    NOISY = "too noisy"
    UNMEASURABLE = "takes no time that the clock can tell"


def cleared(now: float, past: Sequence[float], budget: Slowdown) -> bool:
    """Whether earlier runs of the base's code show that `now` is no slowdown of the budget.

    They do if it exceeds their median by less than the budget minus what noise hides, and by no
    more than half of the budget. A rule that suspects only what exceeds the noise (3 MAD) would
    lose three of ten slowdowns of the budget's size before any duet.
    """
    known = [seconds for seconds in past if seconds > 0.0]
    if len(known) < ENOUGH:
        return False
    middle = median(known)
    spread = _MAD * median(abs(seconds - middle) for seconds in known)
    hidden = _DOUBT * (spread / middle if budget.relative else spread)
    return budget.of(middle, now) <= min(_CLEAR * budget.amount, budget.amount - hidden)


def step(pairs: Sequence[Pair], budget: Slowdown) -> Step:
    """What one duet says."""
    if not pairs or any(pair.base <= 0.0 for pair in pairs):
        return Step.UNMEASURABLE
    effects = [budget.of(*pair) for pair in pairs]
    if _exceed(effects, budget):
        return Step.SLOWER
    return Step.NOISY if _smallest(effects, budget) > budget.amount else Step.FASTER


def together(duets: Sequence[Sequence[Pair]], budget: Slowdown) -> Step:
    """What several duets say, at least one.

    Slower is what two of them call so, and all pairs together: these have to exceed the cut as
    well, their interval has to lie above zero, and noise must not hide what they say. So have the
    quickest processes of both trees to differ by more than the cut: one quiet moment each is enough
    for that, while a neighbour on the same core slows whole pairs down. Where not all agree,
    nothing can be told.
    """
    steps = [step(pairs, budget) for pairs in duets]
    if len(steps) == 1 or Step.UNMEASURABLE in steps:
        return max(steps, key=lambda one: one is Step.UNMEASURABLE)
    pairs = [pair for duet in duets for pair in duet]
    effects = [budget.of(*pair) for pair in pairs]
    several, exceed = steps.count(Step.SLOWER) > 1, _exceed(effects, budget)
    whole = effect(pairs, budget)
    visible = whole.smallest <= max(budget.amount, whole.median)
    floor = budget.of(min(pair.base for pair in pairs), min(pair.head for pair in pairs))
    sure = visible and whole.low > 0.0 and floor > CUT * budget.amount
    if several and exceed and sure:
        return Step.SLOWER
    if several or exceed or whole.smallest > budget.amount:
        return Step.NOISY
    return Step.FASTER


def unsettled(duets: Sequence[Sequence[Pair]], budget: Slowdown) -> bool:
    """Whether one more duet could tell more: slower needs two of them, noise needs more pairs, as
    long as there may be something to tell."""
    said = together(duets, budget)
    if said is Step.UNMEASURABLE or len(duets) == MOST:
        return False
    if len(duets) >= USUAL:
        pairs = (pair for duet in duets for pair in duet)
        slower = median(budget.of(*pair) for pair in pairs) > _PROMISING * budget.amount
        return said is Step.NOISY and slower
    return said is Step.NOISY or (len(duets) == 1 and said is Step.SLOWER)


def _exceed(effects: Sequence[float], budget: Slowdown) -> bool:
    """In the middle the cut, and most of them for themselves a part of it."""
    exceeding = sum(one > _EACH * budget.amount for one in effects)
    most = _MOST if len(effects) <= 2 * PAIRS else _MOST_OF_MANY
    return median(effects) > CUT * budget.amount and exceeding >= most * len(effects)


def effect(pairs: Sequence[Pair], budget: Slowdown) -> Effect:
    """Of at least one pair, all of whose bases take more than no time.

    The interval is that of the sign test: it asks nothing of the distribution. **Source:**
    Thompson, On Confidence Ranges for the Median, Annals of Mathematical Statistics 7, 1936.
    """
    effects = sorted(budget.of(*pair) for pair in pairs)
    number = len(effects)
    outer = 0
    while outer + 1 < (number + 1) // 2 and _covers(number, outer + 1) >= _CONFIDENT:
        outer += 1
    return Effect(
        median(effects),
        effects[outer],
        effects[-1 - outer],
        _covers(number, outer),
        _smallest(effects, budget),
        number,
    )


def _covers(number: int, outer: int) -> float:
    """How often the median lies between the values that leave `outer` ones on either side."""
    return 1.0 - 2.0 * sum(comb(number, k) for k in range(outer + 1)) / 2.0**number


def _smallest(effects: Sequence[float], budget: Slowdown) -> float:
    """The cut, and by how much the truth has to exceed it for the median to do so in 80 %.

    The median of n normal values has the variance pi/2 * s^2 / n. **Source:** Kenney and Keeping,
    Mathematics of Statistics, 1962. The other conditions ask a little more.
    """
    apart = [abs(one - other) for one, other in combinations(effects, 2)]
    spread = _APART * median_low(apart) if apart else 0.0
    return CUT * budget.amount + _POWER * spread * sqrt(pi / 2 / len(effects))
