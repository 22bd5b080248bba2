"""What recording dependencies adds to a run of tests, told from what they take without it."""

from typing import NamedTuple

_START = 0.3
"""Seconds for the start and the end of the recording."""
_EACH = 0.001
"""Seconds for a test.
**Source:** both are twice of what `benchmarks/tracing.py` showed of suites whose tests take 5 to 90
milliseconds each: what a test executes matters, too, and is not known before it is recorded."""
MOST = 0.05
"""Share of a run up to which nobody need be asked."""


class Suite(NamedTuple):
    """All tests that a history knows."""

    tests: int
    seconds: float

    @property
    def toll(self) -> float:
        """The share of these seconds that recording would add, infinite where there are none."""
        return (_START + _EACH * self.tests) / self.seconds if self.seconds else float("inf")
