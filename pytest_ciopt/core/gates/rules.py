"""Reads what is asked of coverage. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from pytest_ciopt.errors import ConfigurationError

_EACH = "each "
_ARROW = "->"
_MOST = 100


@dataclass(frozen=True, slots=True)
class Group:
    """What is asked of some files."""

    glob: str
    """Of paths from the top of the repository."""
    percent: Decimal
    each: bool = False
    """Of every one of them, and not of all together."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is asked of a whole run."""

    total: Decimal | None = None
    groups: tuple[Group, ...] = ()


def thresholds(lines: Iterable[str], name: str) -> Thresholds:
    """Reads lines `85`, `GLOB -> 90` and `each GLOB -> 80`; `name` is the option's.

    Raises: ConfigurationError.
    """
    total: Decimal | None = None
    groups: list[Group] = []
    for line in filter(None, (line.strip() for line in lines)):
        if line.startswith("#"):
            continue
        glob, arrow, number = line.partition(_ARROW)
        if not arrow:
            total = percent(line, name)
            continue
        each = glob.startswith(_EACH)
        pattern = glob.removeprefix(_EACH).strip()
        if not pattern:
            raise ConfigurationError(
                f"{name} has the line {line!r}", "Write `85`, `GLOB -> 90` or `each GLOB -> 80`."
            )
        groups.append(Group(pattern, percent(number, name), each))
    return Thresholds(total, tuple(groups))


def percent(text: str, name: str) -> Decimal:
    """A number from 0 to 100, with or without a percent sign. Raises: ConfigurationError."""
    try:
        number = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        number = Decimal(-1)
    if not (number.is_finite() and 0 <= number <= _MOST):
        raise ConfigurationError(
            f"{name} is {text.strip()!r}", "Write a percentage from 0 to 100, for example 85."
        )
    return number
