"""How long a test may take, by what it has taken. Pure."""

from dataclasses import dataclass

FLOOR = 60.0
"""Seconds that every test has: machines stop for a while, and a cold cache costs much the first
time."""


@dataclass(frozen=True, slots=True)
class Slowest:
    """The longest that a test is known to have taken, in seconds."""

    own: float
    """Without fixtures that several tests share."""
    shared: float
    """All such fixtures together: whichever test comes first pays for them."""


def limit(taken: Slowest, factor: float) -> float:
    """Seconds after which a test hangs: `factor` times its slowest run, and at least `FLOOR`."""
    return round(max(FLOOR, factor * (taken.own + taken.shared)), 1)
