"""What recording dependencies adds to a run of tests, told from what they take without it."""

from typing import NamedTuple

_START = 0.3
"""Seconds for the start and the end of the recording."""
_TEST = 0.0005
"""Seconds for a test."""
_UNIT = 0.000025
"""Seconds for a function that a test executes, what it opens and lists included.
**Source:** the three are about what was measured of Sphinx (7.5 ms a test) and less than of pylint,
whose tests execute 100 to 300 functions each, and two to five times of what `benchmarks/tracing.py`
showed of smaller suites (0.5 ms a test, 60 functions)."""
USUAL = 60.0
"""Functions that a test executes, as long as nothing is known of that."""
MOST = 0.10
"""Share of a run up to which nobody need be asked."""


class Suite(NamedTuple):
    """All tests that a history knows."""

    tests: int
    seconds: float
    executes: float = USUAL
    """Functions of the repository that a test executes, on average."""

    @property
    def toll(self) -> float:
        """The share of these seconds that recording would add, infinite where there are none."""
        each = _TEST + _UNIT * self.executes
        return (_START + each * self.tests) / self.seconds if self.seconds else float("inf")
