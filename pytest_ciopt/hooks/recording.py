"""Records what pytest reports of each test, in the process that hears of all tests.

Under xdist that is the controller: workers attach what only they can measure (see `costs.py`) to
the reports that they send.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.history.writer import Writer
from pytest_ciopt.core.history.encoding import shortened
from pytest_ciopt.core.history.failures import Folders, first_line
from pytest_ciopt.core.history.records import Attempt, Gated, Phase, RunEnd, Subtest, Uncollected
from pytest_ciopt.core.nodeids import without_group
from pytest_ciopt.hooks.costs import COSTS, Costs, Sent, sent_with
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.report.outcome import Outcome

_CRASHED = "???"
"""`when` of the report that xdist makes of a test whose worker died."""
_RERUN: str = "rerun"
"""Outcome that pytest-rerunfailures gives."""
_SKIPPED = "Skipped: "
_NOT_REPORTED = Phase("passed", 0.0)
"""A set-up that was done before its process died, and that nobody told of."""
_QUOTES = "'\""
_PHASES = 3
"""Reports of a test of which all is reported."""
_Key = tuple[str, str | None]
"""Node id and worker: under `--dist=each` several workers run a test."""


class Recording(Breakable):
    """Turns reports into records, one line a test, written when its last phase is reported."""

    def __init__(
        self, writer: Writer, costs: Costs, folders: Folders, *, grouped: bool = False
    ) -> None:
        """`costs` are those of this process, in which the tests run unless it has workers.

        `folders` are left out of what is told of failures. `grouped` says that xdist writes the
        group of a test behind its id.
        """
        self.writer = writer
        self._folders = folders
        self._grouped = grouped
        self._costs = costs
        self._open: dict[_Key, list[pytest.TestReport]] = {}
        self._reruns: dict[_Key, int] = {}
        """Attempts, as far as another is to follow."""
        self._written = 0
        self._unmeasured: str | None = None

    @pytest.hookimpl(trylast=True)  # pytest's own plugins still alter the report
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test, or a subtest. As `harmless`, which would cost a call each time."""
        if self.problem is None:
            try:
                self._costs.carry(report)
                self._add(report)
            except Exception as error:
                self.problem = f"{type(error).__name__}: {error}"

    def _add(self, report: pytest.TestReport) -> None:
        when: str | None = report.when
        crashed = when == _CRASHED
        worker = _crashed_worker(report) if crashed else getattr(report, "worker_id", None)
        key = report.nodeid, worker
        reports = self._open.get(key)
        if reports is None:
            self._open[key] = [report]
        elif when == "setup":  # a rerun begins, and nobody need have told of a teardown before it
            self._finish(key)
            self._open[key] = [report]
        else:
            reports.append(report)
        if hasattr(report, COSTS):
            self._take(sent_with(report), worker)
        if when == "teardown" or crashed:
            self._finish(key)

    def _take(self, sent: Sent, worker: str | None) -> None:
        """Writes at once what came with a report."""
        self._unmeasured = sent.problem or self._unmeasured
        for cost in sent.costs(worker):
            self.writer.write(cost)

    @harmless
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Only what is not collected: xdist sends nothing else."""
        if report.failed or report.skipped:
            told = _failure if report.failed else _skip_reason
            why = self._folders.kept(told(report.longrepr)) or None
            self.writer.write(Uncollected(report.nodeid, report.outcome, why))

    def _finish(self, key: _Key) -> None:
        nodeid, worker = key
        number = 1 + self._earlier(key) if self._reruns else 1
        name = without_group(nodeid) if self._grouped else nodeid
        reports = self._open.pop(key)
        self._written += 1
        if number == 1 and _have_passed(reports):
            setup, call, teardown = reports
            self.writer.passed(name, setup.duration, call.duration, teardown.duration, worker)
            return
        attempt = Attempt(name, _NOT_REPORTED, attempt=number, worker=worker)
        for report in reports:
            _fill(attempt, report, self._folders)
            if report.outcome == _RERUN:  # by another worker, where one has died
                self._reruns[(nodeid, None) if report.when == _CRASHED else key] = number
        self.writer.write(attempt)

    def _earlier(self, key: _Key) -> int:
        """Attempts that this one follows: the same id may be run twice without being rerun."""
        nodeid, _ = key
        return self._reruns.pop(key, 0) or self._reruns.pop((nodeid, None), 0)

    @property
    def told(self) -> str | None:
        """Why the recording is not complete, None when it is."""
        why = self.problem or self.writer.problem or self._unmeasured
        return None if why is None else f"this run is recorded only in part: {why}"

    @harmless
    def finish(
        self,
        exit_status: int,
        outcome: Outcome,
        gated: Gated,
        job: str | None,
        executed: int,
    ) -> None:
        """Writes what came of tests that were cut off, if anything did, and closes the segment."""
        for key, reports in list(self._open.items()):
            if not all(map(_tells_nothing, reports)):
                self._finish(key)
        dropped = len(outcome.tests) - outcome.selected
        unread = len(outcome.dropped_modules)
        counts = (exit_status, self._written, dropped, unread)
        self.writer.finish(RunEnd(now(), *counts, *gated, job, executed))


def _tells_nothing(report: pytest.TestReport) -> bool:
    """Whether nothing came of a test that was not over, as far as this report knows."""
    outcome = report.outcome
    return outcome == "passed" or (outcome == "skipped" and hasattr(report, "context"))


def _have_passed(reports: Sequence[pytest.TestReport]) -> bool:
    """Whether nothing but their seconds is to be told of three phases, as of most tests."""
    for report in reports:
        told = vars(report)  # one look-up in place of one an attribute: all tests wait for it
        if report.outcome != "passed" or COSTS in told or "wasxfail" in told or "context" in told:
            return False
    if len(reports) != _PHASES:
        return False
    setup, call, teardown = reports
    return setup.when == "setup" and call.when == "call" and teardown.when == "teardown"


def _crashed_worker(report: pytest.TestReport) -> str | None:
    """None for the process that pytest-forked had made for a test."""
    node: Any = getattr(report, "node", None)
    return None if node is None else node.gateway.id


def _fill(attempt: Attempt, report: pytest.TestReport, folders: Folders) -> None:
    """Adds what a report tells of one phase, or of a subtest."""
    if hasattr(report, "context"):
        attempt.subtests += (_subtest(report),)
        if report.outcome == "failed":  # the report of the test itself may tell no more of it
            _explain(attempt, report, folders)
        return
    when: str | None = report.when
    if when == _CRASHED:
        when = _missing(attempt)
    shared = 0.0
    if hasattr(report, COSTS):
        sent = sent_with(report)
        shared, attempt.selected = sent.shared, sent.selected or attempt.selected
    phase = Phase(report.outcome, report.duration, shared)
    if when == "setup":
        attempt.setup = phase
    elif when == "call":
        attempt.call = phase
    else:
        attempt.teardown = phase
    if phase.outcome != "passed" or hasattr(report, "wasxfail"):
        _explain(attempt, report, folders)


def _explain(attempt: Attempt, report: pytest.TestReport, folders: Folders) -> None:
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        attempt.xfail = True
        attempt.reason = folders.kept(str(expected).removeprefix("reason: ")) or None
    elif report.outcome == "skipped":
        attempt.reason = folders.kept(_skip_reason(report.longrepr)) or None
    elif report.outcome != "passed" and attempt.failure is None:
        attempt.failure = folders.kept(_failure(report.longrepr)) or None


def _missing(attempt: Attempt) -> str:
    """The first phase that was not reported."""
    if attempt.setup is _NOT_REPORTED:
        return "setup"
    return "call" if attempt.call is None else "teardown"


def _subtest(report: pytest.TestReport) -> Subtest:
    context: Any = report.context
    # Values are texts already; xdist has quoted them once more.
    arguments = [f"{name}={str(value).strip(_QUOTES)}" for name, value in context.kwargs.items()]
    message = [] if context.msg is None else [f"[{context.msg}]"]
    described = " ".join([*message, *([f"({', '.join(arguments)})"] if arguments else [])])
    return Subtest(shortened(described), report.outcome, report.duration)


def _skip_reason(longrepr: object) -> str:
    match longrepr:
        case (_, _, str(reason)):
            return reason.removeprefix(_SKIPPED)
    return str(longrepr or "")


def _failure(longrepr: object) -> str:
    crash = getattr(longrepr, "reprcrash", None)
    return first_line(str(longrepr or "")) if crash is None else str(crash.message)
