"""The JSON lines of pytest-reportlog (`--report-log`)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ciopt.core.history.encoding import shortened
from pytest_ciopt.core.history.failures import first_line
from pytest_ciopt.core.history.others.found import ForeignError, Found, moment, seconds, text
from pytest_ciopt.core.history.records import Attempt, Phase, Subtest

KIND = "$report_type"
_PHASES = ("setup", "call", "teardown")
_OUTCOMES = ("passed", "failed", "skipped", "rerun")
_SUBTESTS = ("SubTestReport", "SubtestReport")


def read(lines: Iterable[Mapping[str, Any]]) -> Found:
    """Raises: ForeignError."""
    found = Found("report-log")
    open_ones: dict[tuple[str, str | None], _Open] = {}
    counts: dict[str, int] = {}
    for line in lines:
        began = moment(line.get("start"))
        if began:  # subtests of unittest say 0
            found.started = began if found.started is None else min(found.started, began)
        if line.get(KIND) not in ("TestReport", *_SUBTESTS):
            continue
        key = (_test(line), text(line.get("worker_id")))
        if key in open_ones and open_ones[key].ends_before(line):
            found.records.append(open_ones.pop(key).attempt(key, counts))
        one = open_ones.setdefault(key, _Open())
        one.add(line)
        if line.get(KIND) == "TestReport" and line.get("when") == "teardown":
            found.records.append(open_ones.pop(key).attempt(key, counts))
    found.records.extend(one.attempt(key, counts) for key, one in open_ones.items())
    return found


def _test(line: Mapping[str, Any]) -> str:
    test = text(line.get("nodeid"))
    if test is None:
        raise ForeignError("a report without a node id")
    return test


class _Open:
    """An attempt whose last report has not been read."""

    def __init__(self) -> None:
        self._phases: dict[str, Phase] = {}
        self._subtests: list[Subtest] = []
        self._xfail = False
        self._reason: str | None = None
        self._failure: str | None = None

    def ends_before(self, line: Mapping[str, Any]) -> bool:
        """Whether a rerun begins; the teardown before it may be reported or not."""
        again = any(phase.outcome == "rerun" for phase in self._phases.values())
        return again and line.get("when") != "teardown"

    def add(self, line: Mapping[str, Any]) -> None:
        outcome, when = line.get("outcome"), line.get("when")
        if outcome not in _OUTCOMES or when not in _PHASES:
            raise ForeignError("a report without outcome or phase")
        took = seconds(line.get("duration", 0.0))
        if line[KIND] in _SUBTESTS:
            context = line.get("context") or line.get("_subtest.context") or {}
            self._subtests.append(Subtest(shortened(str(context)), outcome, took))
            if outcome == "failed" and self._failure is None:
                self._failure = shortened(_crash(line.get("longrepr")))
            return
        self._phases[when] = Phase(outcome, took)
        expected = line.get("wasxfail")
        if expected is not None:
            self._xfail, self._reason = True, shortened(str(expected).removeprefix("reason: "))
        elif outcome == "skipped":
            self._reason = shortened(_skip(line.get("longrepr")))
        elif outcome != "passed" and self._failure is None:
            self._failure = shortened(_crash(line.get("longrepr")))

    def attempt(self, key: tuple[str, str | None], counts: dict[str, int]) -> Attempt:
        test, worker = key
        number = counts[test] = counts.get(test, 0) + 1
        return Attempt(
            test,
            self._phases.get("setup", Phase("passed", 0.0)),
            self._phases.get("call"),
            self._phases.get("teardown"),
            number,
            worker,
            self._xfail,
            self._reason or None,
            self._failure or None,
            tuple(self._subtests),
        )


def _skip(longrepr: object) -> str:
    match longrepr:
        case [_, _, str(reason)]:
            return reason.removeprefix("Skipped: ")
    return text(longrepr) or ""


def _crash(longrepr: object) -> str:
    match longrepr:
        case {"reprcrash": {"message": str(message)}}:
            return message
        case str(said):
            return first_line(said)  # as of a run that we record ourselves
    return ""
