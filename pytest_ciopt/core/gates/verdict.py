"""What a gate says of a run. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Ruling(StrEnum):
    """Only `FAIL` makes a run fail."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines of a file that a gate misses something in."""

    path: str
    """From the top of the repository."""
    lines: tuple[int, ...]
    """Sorted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A ruling and its reason."""

    gate: str
    """Which rule, e.g. `coverage`, `coverage of shop/**`, `patch coverage`."""
    ruling: Ruling
    why: str
    """One line, with the figures."""
    mend: str = ""
    """What to do; empty where nothing need be done."""
    gaps: tuple[Gap, ...] = ()
    value: float | None = None
    """What was measured, None where it cannot be told. For people and charts; what decides is
    exact."""
    limit: float | None = None
    """What was asked for."""


def ranges(lines: tuple[int, ...]) -> list[tuple[int, int]]:
    """First and last of each run of successive lines."""
    found: list[tuple[int, int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1] = found[-1][0], line
        else:
            found.append((line, line))
    return found


def placed(gap: Gap) -> str:
    """For people and editors: `shop/cart.py:3-5,9`."""
    spans = (str(a) if a == b else f"{a}-{b}" for a, b in ranges(gap.lines))
    return f"{gap.path}:{','.join(spans)}"
