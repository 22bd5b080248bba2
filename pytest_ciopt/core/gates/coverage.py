"""What tests covered, and whether that is enough. Pure.

All comparisons are exact: 84.996 % are not 85 %. Percentages are rounded down where they are shown,
so that none looks like the limit that it misses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from pytest_ciopt.core.gates.rules import Group, Thresholds
from pytest_ciopt.core.gates.verdict import Gap, Ruling, Verdict
from pytest_ciopt.core.globs import first_match
from pytest_ciopt.core.history.totals import Totals

LEFT_OUT = "only the tests ran that the change can affect"
"""Why coverage is not that of a whole run."""
PATCH = "patch coverage"
DROP = "coverage against the base"
_SHOWN = 100
"""Parts of a percent that are shown."""


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """What was measured of one file."""

    totals: Totals
    statements: frozenset[int]
    """First lines of statements that count."""
    missing: frozenset[int]
    """Those that did not run."""


Measured = Mapping[str, FileCoverage]
"""By path from the top of the repository."""


@dataclass(frozen=True, slots=True)
class Before:
    """What an earlier run covered."""

    totals: Totals
    commit: str
    behind: int = 0
    """Commits between it and the base."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Statements that a change touches."""

    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """First lines of the changed statements, by path."""
    unmeasured: tuple[str, ...] = ()
    """Changed Python files that coverage.py did not measure, sorted."""
    unknown: str | None = None
    """Why they are not known."""


def name_of(group: Group) -> str:
    """What its gate is called."""
    return f"coverage of {'each ' if group.each else ''}{group.glob}"


def total(measured: Measured) -> Totals:
    """Of all files."""
    return sum((file.totals for file in measured.values()), Totals())


def shown(percent: Fraction) -> str:
    """Rounded down to two digits behind the point: `84.99 %`."""
    hundredths = percent * _SHOWN // 1
    return f"{hundredths // _SHOWN}.{hundredths % _SHOWN:02} %"


def judged(measured: Measured, thresholds: Thresholds) -> list[Verdict]:
    """The total, each group, each file of which something is asked."""
    verdicts = []
    if thresholds.total is not None:
        verdicts.append(_compared("coverage", total(measured), thresholds.total, measured))
    for group in thresholds.groups:
        files = {path: file for path, file in measured.items() if first_match(path, (group.glob,))}
        if group.each:
            verdicts.append(_each(group, files))
        elif files:
            verdicts.append(_compared(name_of(group), total(files), group.percent, files))
        else:
            verdicts.append(_nothing_matches(group))
    return verdicts


def patch(measured: Measured, changed: Changed, limit: Decimal) -> Verdict:
    """Whether enough of the changed statements ran; branches do not count here."""
    gate = PATCH
    if changed.unknown is not None:
        return Verdict(gate, Ruling.UNKNOWN, changed.unknown, limit=float(limit))
    gaps: list[Gap] = []
    statements = missing = 0
    for path, lines in sorted(changed.lines.items()):
        if path not in measured:
            continue
        own = lines & measured[path].statements
        lost = own & measured[path].missing
        statements, missing = statements + len(own), missing + len(lost)
        if lost:
            gaps.append(Gap(path, tuple(sorted(lost))))
    if not statements and changed.unmeasured:
        named = ", ".join(changed.unmeasured[:3])
        why = f"no changed file is measured: {named}"
        mend = "See `source` and `omit` of coverage.py, and from where the project is imported."
        return Verdict(gate, Ruling.UNKNOWN, why, mend, limit=float(limit))
    if not statements:
        return Verdict(gate, Ruling.PASS, "no changed line counts", limit=float(limit))
    percent = Totals(statements, statements - missing).percent
    why = f"{shown(percent)} of {statements:,} changed lines, {limit:f} % required"
    return _verdict(gate, percent, limit, why, tuple(gaps), "Test the lines above.")


def drop(now: Totals, before: Before | None, allowed: Decimal) -> Verdict:
    """Whether the total fell by more than is allowed, in percentage points."""
    gate = DROP
    if before is None:
        why = "no whole run of the base, nor of a commit before it, is in the history"
        mend = "Record the runs of the default branch, with coverage, and restore the history here."
        return Verdict(gate, Ruling.UNKNOWN, why, mend)
    if bool(now.branches) != bool(before.totals.branches):
        why = "branches were measured in only one of the two runs"
        return Verdict(gate, Ruling.UNKNOWN, why, "The next run of the default branch mends it.")
    percent, limit = now.percent, before.totals.percent - Fraction(allowed)
    of = before.commit[:10]
    if before.behind:
        of += f", {before.behind:,} before the base"
    why = f"{shown(percent)} now, {shown(before.totals.percent)} at {of}"
    if allowed:
        why += f", {allowed:f} less allowed"
    mend = "Test what is new, or what lost its tests."
    return _verdict(gate, percent, limit, why, (), mend)


def _compared(gate: str, found: Totals, limit: Decimal, files: Measured) -> Verdict:
    why = f"{shown(found.percent)}, {limit:f} % required"
    worst = sorted(files.items(), key=lambda item: (-len(item[1].missing), item[0]))
    lacking = ", ".join(
        f"{path} ({len(file.missing):,})" for path, file in worst[:3] if file.missing
    )
    mend = f"Most lines are missing in {lacking}." if lacking else ""
    return _verdict(gate, found.percent, limit, why, (), mend)


def _each(group: Group, files: Measured) -> Verdict:
    if not files:
        return _nothing_matches(group)
    limit = Fraction(group.percent)
    below = {path: file for path, file in files.items() if file.totals.percent < limit}
    lowest = min(file.totals.percent for file in files.values())
    why = f"{shown(lowest)} at least, {group.percent:f} % required"
    if below:
        named = ", ".join(
            f"{path} {shown(file.totals.percent)}" for path, file in sorted(below.items())
        )
        why = f"below {group.percent:f} %: {named}"
    gaps = _gaps(below.items())
    return _verdict(name_of(group), lowest, group.percent, why, gaps, "Test the lines above.")


def _gaps(files: Iterable[tuple[str, FileCoverage]]) -> tuple[Gap, ...]:
    return tuple(
        Gap(path, tuple(sorted(file.missing))) for path, file in sorted(files) if file.missing
    )


def _nothing_matches(group: Group) -> Verdict:
    why = "no measured file matches"
    mend = "Mend the glob in ciopt_cov_fail_under, or what coverage.py measures."
    return Verdict(name_of(group), Ruling.UNKNOWN, why, mend, limit=float(group.percent))


def _verdict(
    gate: str,
    percent: Fraction,
    limit: Decimal | Fraction,
    why: str,
    gaps: tuple[Gap, ...],
    mend: str,
) -> Verdict:
    value = round(float(percent), 4)
    if percent < Fraction(limit):
        return Verdict(gate, Ruling.FAIL, why, mend, gaps, value, float(limit))
    return Verdict(gate, Ruling.PASS, why, gaps=gaps, value=value, limit=float(limit))
