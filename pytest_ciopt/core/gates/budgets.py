"""How much slower a benchmark may become. Pure."""

import re
from dataclasses import dataclass

from pytest_ciopt.errors import ConfigurationError

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|ns|us|µs|ms|s)")
_UNITS = {"%": 0.01, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Slowdown:
    """What is too much."""

    amount: float
    """A fraction of what the base takes, or seconds of one iteration."""
    relative: bool = True

    def of(self, base: float, head: float) -> float:
        """How much slower `head` seconds are than `base` ones, which are more than none: in the
        unit of the amount, negative where it is faster."""
        return head / base - 1.0 if self.relative else head - base

    def shown(self, amount: float) -> str:
        """For people, with its sign: `+4.8 %`, `-120 us`."""
        if self.relative:
            return f"{amount * 100:+.1f} %"
        return f"{'-' if amount < 0 else '+'}{_scaled(abs(amount))}"

    def __str__(self) -> str:
        return self.shown(self.amount).removeprefix("+")


def slowdown(text: str, source: str) -> Slowdown:
    """Reads `5%`, `2ms`, `300 us`; `source` says where it stands.

    Raises: ConfigurationError.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        what = f"{source} is {text!r}"
        raise ConfigurationError(what, "Write how much slower is too much: 5%, 2ms or 300us.")
    return Slowdown(float(found[1]) * _UNITS[found[2]], found[2] == "%")


def _scaled(seconds: float) -> str:
    for unit in ("s", "ms", "us"):
        if seconds >= _UNITS[unit]:
            return f"{seconds / _UNITS[unit]:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
