"""What each test of a run to come will probably take, whether it is known or not.

A test is estimated, in this order, by its own results in the same environment; by its own results
in another environment, scaled by how the tests that both know compare; by what it was called before
(see `carrying`); by its siblings, the same function with other parameters; by its module; by all
tests. For the last three the mean counts, not the median: a shard is as long as the sum of its
tests, and most suites have a few that take much longer than the others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.nodeids import module_of

NOTHING = Estimate(0.0, 0.0, 0.0, 0.0, 0)
UNKNOWN = Estimate(0.0, 0.1, 0.0, 0.0, 0)
"""Of a test in a history that knows none: not free. It only weighs tests against each other."""
_COMPARABLE = 5
"""Tests that two environments must share before their speeds are compared."""
Estimates = Mapping[str, Estimate]
"""By test id."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """An estimate, and where it comes from."""

    estimate: Estimate
    origin: str
    """`history`, `history of …`, `earlier name`, `siblings`, `module`, `suite`, `none`."""


class Forecaster:
    """Estimates tests one by one; what several of them share is computed once."""

    def __init__(
        self,
        known: Mapping[str, Estimates],
        environment: str,
        earlier: Mapping[str, str] | None = None,
    ) -> None:
        """`known` is by environment; `earlier` are former ids by present ones."""
        self._here = known.get(environment, {})
        self._earlier = earlier or {}
        others = ((name, known[name]) for name in sorted(known) if name != environment)
        # The richest first, for it decides what it knows.
        ranked = sorted(others, key=lambda pair: -len(pair[1]))
        self._others = [(name, there, _ratio(self._here, there)) for name, there in ranked]
        self._groups: dict[str, dict[str, Estimate]] = {}

    def forecast(self, test: str) -> Forecast:
        """Never fails: a test that nobody knows is expected to take what the others take."""
        found = self._own(test)
        if found is None and test in self._earlier:
            found = self._own(self._earlier[test])
            found = None if found is None else replace(found, origin="earlier name")
        if found is not None:
            return found
        for origin, key in (("siblings", function_of), ("module", module_of), ("suite", _suite)):
            group = self._group(origin, key).get(key(test))
            if group is not None:
                return Forecast(replace(group, count=0), origin)
        return Forecast(UNKNOWN, "none")

    def _own(self, test: str) -> Forecast | None:
        if test in self._here:
            return Forecast(self._here[test], "history")
        for name, there, ratio in self._others:
            if test in there:
                return Forecast(there[test].scaled(ratio), f"history of {name}")
        return None

    def _group(self, origin: str, key: Callable[[str], str]) -> Mapping[str, Estimate]:
        if origin not in self._groups:
            members: dict[str, list[Estimate]] = {}
            for test in dict.fromkeys((*self._here, *(t for _, o, _ in self._others for t in o))):
                own = self._own(test)
                if own is not None:
                    members.setdefault(key(test), []).append(own.estimate)
            self._groups[origin] = {name: _mean(several) for name, several in members.items()}
        return self._groups[origin]


def function_of(test: str) -> str:
    """The id without its parameters."""
    return test.partition("[")[0]


def _suite(_test: str) -> str:
    return ""


def _mean(several: Sequence[Estimate]) -> Estimate:
    number = len(several)
    mean = sum(one.seconds for one in several) / number
    variance = sum((one.seconds - mean) ** 2 for one in several) / number
    return Estimate(
        sum(one.setup for one in several) / number,
        sum(one.call for one in several) / number,
        sum(one.teardown for one in several) / number,
        variance**0.5,
        number,
    )


def _ratio(here: Estimates, there: Estimates) -> float:
    """How many times as long tests take here: the median over those that both know."""
    pairs = _shared(here, there)
    ratios = [one.seconds / other.seconds for one, other in pairs]
    return median(ratios) if len(ratios) >= _COMPARABLE else 1.0


def _shared(here: Estimates, there: Estimates) -> Iterable[tuple[Estimate, Estimate]]:
    both = ((here[test], there[test]) for test in here if test in there)
    return [(one, other) for one, other in both if one.seconds > 0 and other.seconds > 0]
