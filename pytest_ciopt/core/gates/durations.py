"""Which tests are slow, and whether budgets of time hold. Pure.

One run is noise. A test is slow when its history says so; a budget fails when the history and this
run both say so, and nothing is told of what has too few results.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.globs import first_match
from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.errors import ConfigurationError

ENOUGH = 3
"""Results, this run's included, from which a test is judged."""
_MOST_KNOWN = 0.8
"""Share of the time of several tests that has to be of such."""
_NAMED = 5
"""Tests in a line."""
_EACH = "each "
_ARROW = "->"
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|)")
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "min": 60.0}
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that tests may take."""

    seconds: float
    glob: str | None = None
    """Of paths of their files; None for all."""
    each: bool = False
    """Each of them, and not all together."""

    @property
    def gate(self) -> str:
        """What its gate is called."""
        of = self.glob or "all tests"
        return f"duration of {'each test of ' if self.each else ''}{of}"


@dataclass(frozen=True, slots=True)
class Slowness:
    """From when on a test is slow."""

    seconds: float | None = None
    share: float | None = None
    """Or, where this is given, percent of the tests that are faster."""


def budgets(lines: Iterable[str]) -> tuple[Budget, ...]:
    """Reads lines `10 min`, `GLOB -> 60 s` and `each GLOB -> 500 ms`.

    Raises: ConfigurationError.
    """
    found = []
    for line in filter(None, (line.strip() for line in lines)):
        if line.startswith("#"):
            continue
        glob, arrow, amount = line.rpartition(_ARROW)
        each = glob.startswith(_EACH)
        pattern = glob.removeprefix(_EACH).strip()
        seconds = _seconds(amount)
        if seconds is None or (arrow and not pattern):
            raise ConfigurationError(
                f"ciopt_duration_budget has the line {line!r}",
                "Write `10 min`, `GLOB -> 60 s` or `each GLOB -> 500 ms`.",
            )
        found.append(Budget(seconds, pattern or None, each))
    return tuple(found)


def slowness(text: str) -> Slowness:
    """Reads `2 s`, `500 ms` or `95 %`. Raises: ConfigurationError."""
    share = _SHARE.fullmatch(text.strip())
    if share is not None and float(share[1]) <= _WHOLE:
        return Slowness(share=float(share[1]))
    seconds = _seconds(text)
    if seconds is None:
        raise ConfigurationError(
            f"ciopt_slow_threshold is {text!r}", "Write `2 s`, `500 ms`, or `95 %` of the tests."
        )
    return Slowness(seconds)


def _seconds(text: str) -> float | None:
    amount = _AMOUNT.fullmatch(text.strip())
    return None if amount is None else float(amount[1]) * _UNITS[amount[2]]


def limit(slow: Slowness, expected: Mapping[str, Estimate]) -> float:
    """Seconds above which a test is slow; without a history no share can be told."""
    if slow.share is None:
        return slow.seconds or 0.0
    ranked = sorted(one.seconds for one in expected.values())
    if not ranked:
        return float("inf")
    return ranked[min(int(len(ranked) * slow.share / _WHOLE), len(ranked) - 1)]


def judged(
    asked: Iterable[Budget],
    expected: Mapping[str, Estimate],
    took: Mapping[str, float],
    partial: str | None,
) -> list[Verdict]:
    """`expected` is what the history says, `took` the seconds in this run, by test; `partial` says
    why not all tests ran, None where they did."""
    return [_judged(budget, expected, took, partial) for budget in asked]


def _judged(
    budget: Budget, expected: Mapping[str, Estimate], took: Mapping[str, float], partial: str | None
) -> Verdict:
    own = {test: seconds for test, seconds in took.items() if _is_of(budget, test)}
    known = {t: expected[t].seconds for t in own if t in expected and _is_enough(expected[t])}
    if budget.each:
        return _each(budget, known, own)
    if partial is not None:
        return Verdict(budget.gate, Ruling.UNKNOWN, partial, limit=budget.seconds)
    return _together(budget, known, own)


def _is_of(budget: Budget, test: str) -> bool:
    return budget.glob is None or first_match(module_of(test), (budget.glob,)) is not None


def _is_enough(estimate: Estimate) -> bool:
    return estimate.count + 1 >= ENOUGH


def _each(budget: Budget, known: Mapping[str, float], took: Mapping[str, float]) -> Verdict:
    long = {test: seconds for test, seconds in took.items() if seconds > budget.seconds}
    sure = {
        test: min(known[test], long[test]) for test in long if known.get(test, 0.0) > budget.seconds
    }
    unsure = sorted(long.keys() - known.keys())
    allowed = f"{_shown(budget.seconds)} allowed"
    if sure:
        return Verdict(
            budget.gate,
            Ruling.FAIL,
            f"{_named(sure)}, {allowed}",
            "Make them faster, or raise the budget.",
            value=max(sure.values()),
            limit=budget.seconds,
        )
    if unsure:
        told = {test: long[test] for test in unsure}
        why = f"{_named(told)}, {allowed}, and fewer than {ENOUGH} results"
        return Verdict(budget.gate, Ruling.UNKNOWN, why, limit=budget.seconds)
    why = f"none takes longer, {allowed}"
    return Verdict(budget.gate, Ruling.PASS, why, limit=budget.seconds)


def _together(budget: Budget, known: Mapping[str, float], took: Mapping[str, float]) -> Verdict:
    now = sum(took.values())
    usual = sum(known.get(test, seconds) for test, seconds in took.items())
    why = f"{_shown(now)} now, {_shown(usual)} usually, {_shown(budget.seconds)} allowed"
    ruling, mend = Ruling.PASS, ""
    if now > budget.seconds and usual > budget.seconds:
        longest = dict(sorted(took.items(), key=lambda pair: -pair[1])[:_NAMED])
        ruling, mend = Ruling.FAIL, f"The longest: {_named(longest)}."
        if sum(took[test] for test in known) < now * _MOST_KNOWN:
            ruling, mend = Ruling.UNKNOWN, ""
            why += f", but most tests have fewer than {ENOUGH} results"
    return Verdict(budget.gate, ruling, why, mend, value=usual, limit=budget.seconds)


def _named(tests: Mapping[str, float]) -> str:
    ranked = sorted(tests.items(), key=lambda pair: (-pair[1], pair[0]))
    named = ", ".join(f"{test} {_shown(seconds)}" for test, seconds in ranked[:_NAMED])
    more = len(ranked) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _shown(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds < 10 else f"{seconds:,.0f} s"
