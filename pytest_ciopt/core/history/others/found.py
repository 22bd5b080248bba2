"""What a file of another tool told."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ciopt.core.history.encoding import LONGEST
from pytest_ciopt.core.history.records import Attempt, Benchmark


class ForeignError(ValueError):
    """The file is none of the forms that we know, or is damaged."""


@dataclass(slots=True)
class Found:
    """Results, and what the file says of their run."""

    source: str
    """`junit`, `durations`, `report-log` or `pytest-benchmark`."""
    records: list[Attempt | Benchmark] = field(default_factory=list)
    started: float | None = None
    """Seconds of the epoch."""
    skipped: int = 0
    """Entries that could not be matched with a file of the repository."""
    commit: str | None = None
    branch: str | None = None
    root: str = ""
    """pytest's rootdir, from the top of the repository: node ids are relative to it."""


def seconds(value: object) -> float:
    """A duration, as a number or as text. Raises: ForeignError."""
    if isinstance(value, str):
        try:
            value = float(value.replace(",", ""))
        except ValueError:
            raise ForeignError("a duration that is none") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LONGEST:
        raise ForeignError("a duration that is none")
    return float(value)


def moment(value: object) -> float | None:
    """Seconds of the epoch, None for anything else."""
    if isinstance(value, int | float) and math.isfinite(value) and 0 <= value < 1e11:
        return float(value)
    return None


def mapping(value: object) -> Mapping[str, Any]:
    """An object of JSON. Raises: ForeignError."""
    if not isinstance(value, dict):
        raise ForeignError("something that is no object")
    return value


def text(value: object) -> str | None:
    """Text, None for anything else."""
    return value if isinstance(value, str) else None
