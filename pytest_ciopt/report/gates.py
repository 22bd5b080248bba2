"""What people and services read of gates. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from pytest_ciopt.core.gates.coverage import shown
from pytest_ciopt.core.gates.verdict import Ruling, Verdict, placed, ranges
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.report.tables import printable

_MOST_GAPS = 20
_MOST_ANNOTATIONS = 10
"""GitHub shows no more of one kind in a step, and nobody reads more."""
_WORDS = {Ruling.PASS: "pass", Ruling.FAIL: "FAIL", Ruling.UNKNOWN: "cannot tell"}


def lines(verdict: Verdict) -> Iterator[str]:
    """The verdict, where something is missing, and what to do."""
    yield printable(f"{verdict.gate}: {_WORDS[verdict.ruling]}: {verdict.why}")
    if verdict.ruling is Ruling.PASS:
        return
    for gap in verdict.gaps[:_MOST_GAPS]:
        yield printable(f"  not covered: {placed(gap)}")
    if len(verdict.gaps) > _MOST_GAPS:
        yield f"  and in {len(verdict.gaps) - _MOST_GAPS:,} more files"
    if verdict.mend:
        yield printable(f"  {verdict.mend}")


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


def annotations(verdicts: Iterable[Verdict], environ: Mapping[str, str]) -> Iterator[str]:
    """What the CI service that runs us reads, so that it marks the lines of failed verdicts in the
    change; nothing elsewhere."""
    marked = next((form for name, form in _SERVICES.items() if _is_true(environ.get(name))), None)
    if marked is None:
        return
    yield from map(marked, islice(_spots(verdicts), _MOST_ANNOTATIONS))


def _spots(verdicts: Iterable[Verdict]) -> "Iterator[_Spot]":
    return (
        _Spot(verdict.gate, gap.path, first, last)
        for verdict in verdicts
        if verdict.ruling is Ruling.FAIL
        for gap in verdict.gaps
        for first, last in ranges(gap.lines)
    )


def code_quality(verdicts: Iterable[Verdict]) -> str:
    """What GitLab shows beside a merge request, as JSON: all lines of failed verdicts.

    **Source:** GitLab, Code Quality, *Import Code Quality results from a CI/CD job*, 2026.
    """
    return json.dumps([_issue(spot) for spot in _spots(verdicts)], indent=2) + "\n"


def _issue(spot: "_Spot") -> dict[str, object]:
    text = "\0".join((spot.gate, spot.path, str(spot.first), str(spot.last)))
    return {
        "description": f"{spot.gate}: not covered",
        "check_name": f"pytest-ciopt: {spot.gate}",
        "fingerprint": sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
        "severity": "minor",
        "location": {"path": spot.path, "lines": {"begin": spot.first, "end": spot.last}},
    }


class _Spot(NamedTuple):
    gate: str
    path: str
    first: int
    last: int


def _is_true(value: str | None) -> bool:
    return (value or "").lower() == "true"


def _github(spot: _Spot) -> str:
    """**Source:** GitHub, Workflow commands, *Setting a warning message*."""
    place = f"file={_property(spot.path)},line={spot.first},endLine={spot.last}"
    return f"::warning {place},title={_property(spot.gate)}::not covered"


def _azure(spot: _Spot) -> str:
    """**Source:** Azure Pipelines, Logging commands, *LogIssue*. It knows one line an issue."""
    place = f"sourcepath={_azure_property(spot.path)};linenumber={spot.first}"
    lines = "" if spot.first == spot.last else f" up to line {spot.last}"
    return f"##vso[task.logissue type=warning;{place}]{spot.gate}: not covered{lines}"


_SERVICES = {"GITHUB_ACTIONS": _github, "TF_BUILD": _azure}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _azure_property(text: str) -> str:
    return _data(text).replace("%25", "%AZP25").replace(";", "%3B").replace("]", "%5D")
