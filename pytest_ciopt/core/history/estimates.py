"""What something will probably take next time, from what it took in recent runs.

The estimate of a phase is the median of its last `RECENT` results: one slow run, on a busy machine
for example, does not move it, and a lasting change does after a few runs. The spread is the scaled
median of the absolute differences between any two sums of phases, an estimate of the standard
deviation that single outliers do not move either, and that holds better for few results than the
median absolute deviation. `benchmarks/estimates.py` compares both with others on real histories.

**Source:** Shamos, Geometry and Statistics: Problems at the Interface, 1976; Bickel and Lehmann,
Descriptive Statistics for Nonparametric Models IV: Spread, 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from pytest_ciopt.core.history.results import GOOD, Outcome, Result

RECENT = 10
"""Results that count. **Source:** `benchmarks/estimates.py`."""
_NORMAL = 1.0483
"""Makes the median difference of two values of a normal distribution its standard deviation."""
_MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected seconds."""

    setup: float
    """Without fixtures that several tests share; of a module its import."""
    call: float
    """Of a module the rest of its collection."""
    teardown: float
    spread: float
    """Standard deviation of the whole; 0, for it is not known, from a single result."""
    count: int
    """Results that it is made from."""

    @property
    def seconds(self) -> float:
        """All phases together."""
        return self.setup + self.call + self.teardown

    def scaled(self, factor: float) -> "Estimate":
        """The same on a machine that takes `factor` times as long."""
        return Estimate(
            self.setup * factor,
            self.call * factor,
            self.teardown * factor,
            self.spread * factor,
            self.count,
        )


def estimated(results: Sequence[Result]) -> Estimate:
    """The estimate from results of one environment, oldest first; at least one."""
    recent = [(r.setup, r.call, r.teardown) for r in telling(results)[-RECENT:]]
    if len(recent) == 1:  # of very many tests, which are estimated one by one
        ((setup, call, teardown),) = recent
        return Estimate(setup / _MICRO, call / _MICRO, teardown / _MICRO, 0.0, 1)
    setup, call, teardown = (median(column) / _MICRO for column in zip(*recent, strict=True))
    return Estimate(setup, call, teardown, _spread([sum(one) for one in recent]), len(recent))


def telling(results: Sequence[Result]) -> Sequence[Result]:
    """The results that tell what the next run takes.

    A test that was skipped last will be skipped again. One that failed will be mended, so that it
    takes what it took when it ran to its end, if it ever did.
    """
    if results[-1].outcome == Outcome.SKIPPED:
        return [one for one in results if one.outcome == Outcome.SKIPPED]
    whole = [one for one in results if one.outcome in GOOD]
    return whole or [one for one in results if one.outcome != Outcome.SKIPPED]


def _spread(sums: Sequence[int]) -> float:
    return _NORMAL * median(abs(one - other) for one, other in combinations(sums, 2)) / _MICRO
