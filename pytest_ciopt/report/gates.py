"""What people and services read of gates. Pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from pytest_ciopt.core.gates.coverage import shown
from pytest_ciopt.core.gates.verdict import Ruling, Verdict, placed, ranges
from pytest_ciopt.core.history.totals import Totals

_MOST_GAPS = 20
_MOST_ANNOTATIONS = 10
"""GitHub shows no more of one kind in a step."""
_WORDS = {Ruling.PASS: "pass", Ruling.FAIL: "FAIL", Ruling.UNKNOWN: "cannot tell"}


def lines(verdict: Verdict) -> Iterator[str]:
    """The verdict, where something is missing, and what to do."""
    yield f"{verdict.gate}: {_WORDS[verdict.ruling]}: {verdict.why}"
    if verdict.ruling is Ruling.PASS:
        return
    for gap in verdict.gaps[:_MOST_GAPS]:
        yield f"  not covered: {placed(gap)}"
    if len(verdict.gaps) > _MOST_GAPS:
        yield f"  and in {len(verdict.gaps) - _MOST_GAPS:,} more files"
    if verdict.mend:
        yield f"  {verdict.mend}"


def reconstructed(stored: int, ran: int, total: Totals) -> str:
    """A total, and from how many tests it was put together."""
    return f"{shown(total.percent)}, reconstructed from {stored:,} stored and {ran:,} run tests"


def beside(total: Decimal | None, other: float | None) -> Iterator[str]:
    """What to know where pytest-cov has a limit of its own, `other`."""
    if not other:
        return
    if total is None or float(total) != other:
        yield (f"note: --cov-fail-under={other:g} of pytest-cov counts as well, as it rounds")
    else:
        yield "note: --cov-fail-under of pytest-cov asks the same, but rounds: leave it out"


def annotations(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Commands of GitHub Actions that mark the lines of failed verdicts in the change.

    **Source:** GitHub, Workflow commands, *Setting a warning message*.
    """
    spots = (
        (verdict, gap.path, first, last)
        for verdict in verdicts
        if verdict.ruling is Ruling.FAIL
        for gap in verdict.gaps
        for first, last in ranges(gap.lines)
    )
    for number, (verdict, path, first, last) in enumerate(spots):
        if number == _MOST_ANNOTATIONS:
            return
        place = f"file={_property(path)},line={first},endLine={last}"
        yield f"::warning {place},title={_property(verdict.gate)}::{_data('not covered')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
