"""How often a rule says what it should, of measurements whose truth is known. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_ciopt.core.gates.trend import wilson


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of benchmarks that are slower by the same share."""

    percent: int
    trials: int = 0
    failed: int = 0
    unknown: int = 0
    """Of which the rule said that it cannot tell."""

    def plus(self, *, failed: bool, unknown: bool) -> "Tally":
        """With one more."""
        return Tally(self.percent, self.trials + 1, self.failed + failed, self.unknown + unknown)

    @property
    def share(self) -> float:
        """How many failed, in [0, 1]; 0 without trials."""
        return self.failed / self.trials if self.trials else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, of 95 %."""
        return wilson(self.failed, self.trials)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.1%} ({low:.1%} to {high:.1%}; {self.failed:,} of {self.trials:,})"


def tallied(outcomes: Iterable[tuple[int, bool, bool]]) -> tuple[Tally, ...]:
    """A tally for each percent, rising; an outcome is (percent, failed, unknown)."""
    found: dict[int, Tally] = {}
    for percent, failed, unknown in outcomes:
        one = found.get(percent, Tally(percent))
        found[percent] = one.plus(failed=failed, unknown=unknown)
    return tuple(found[percent] for percent in sorted(found))
