"""Records as lines of a segment: one JSON object a line, the first one a `RunStart`.

The form is documented in `docs/reference/segments.md` and `segment.schema.json`. A form that older
versions must not read has a higher `SCHEMA`; they skip keys and kinds that they do not know.
"""

import json
import re

from pytest_ciopt.core.history.covered import CoveredRecord
from pytest_ciopt.core.history.covered_encoding import encoded_covered
from pytest_ciopt.core.history.line import line
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Environment,
    FixtureCost,
    ModuleCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
    Uncollected,
)
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.history.trace_encoding import encoded_trace
from pytest_ciopt.core.history.traces import TraceRecord

SCHEMA = 1
BENCHMARK = b'{"kind":"benchmark"'
"""How a line begins that tells of a benchmark."""
MAX_TEXT = 500
"""Characters that are kept of a reason, a failure or the description of a subtest."""
MAX_SUBTESTS = 1_000
"""Subtests that are kept of one attempt, those that did not pass first."""
LONGEST = 1e9
"""Seconds, some thirty years: a duration above is damage."""
RUN_ID = re.compile(r"[0-9a-f]{12}-[0-9a-f]{20}")
"""Milliseconds of the epoch, then chance. It names files, so nothing else may pass."""
OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""Of a commit or a tree. git is asked about it, so nothing else may pass either."""


def encoded(record: Record | TraceRecord | CoveredRecord) -> bytes:
    """The line of a record, its newline included; ASCII only."""
    match record:
        case Attempt():
            if (took := _passed(record)) is not None:
                return encoded_passed(record.id, *took, record.worker)
            plain = _attempt(record)
        case RunStart():
            plain = _start(record)
        case ModuleCost():
            plain = _module(record)
        case Uncollected():
            named = {"kind": "uncollected", "id": record.id}
            plain = {**named, "outcome": record.outcome, "why": record.why}
        case FixtureCost():
            plain = _fixture(record)
        case Benchmark():
            plain = _benchmark(record)
        case RunEnd():
            plain = _end(record)
        case _ if isinstance(record, CoveredRecord):
            return encoded_covered(record)
        case _:
            return encoded_trace(record)
    return line(plain)


def _module(cost: ModuleCost) -> dict[str, object]:
    return {
        "kind": "module",
        "path": cost.path,
        "import": seconds(cost.imported),
        "collect": seconds(cost.collected),
        "worker": cost.worker,
    }


def _fixture(cost: FixtureCost) -> dict[str, object]:
    return {
        "kind": "fixture",
        "name": cost.name,
        "scope": cost.scope,
        "place": cost.place,
        "setup": seconds(cost.setup),
        "teardown": seconds(cost.teardown),
        "worker": cost.worker,
    }


def _end(end: RunEnd) -> dict[str, object]:
    return {
        "kind": "end",
        "finished": end.finished,
        "exit": end.exit_status,
        "attempts": end.attempts,
        "dropped": end.dropped or None,
        "unread": end.unread or None,
        "coverage": _counts(end.coverage),
        "verdicts": [list(map(shortened, one)) for one in end.verdicts] or None,
        "job": end.job,
        "executed": end.executed or None,
    }


def _counts(totals: Totals | None) -> list[int] | None:
    if totals is None:
        return None
    return [totals.statements, totals.covered, totals.branches, totals.covered_branches]


_NOTHING = (None, None, None)
_QUOTED = json.encoder.encode_basestring_ascii
_PASSED = (
    '{"kind":"test","id":%s'
    ',"setup":["passed",%.6f],"call":["passed",%.6f],"teardown":["passed",%.6f]%s}\n'
)
"""The line of a test that has passed; the worker is the last part. Quicker than an f-string, which
makes a text of each number first."""


def seconds(value: float) -> float:
    """A duration to the microsecond; clocks that went back or broke give 0."""
    return round(value, 6) if 0.0 <= value < LONGEST else 0.0


def shortened(text: str) -> str:
    """The first line, cut where it is too long."""
    line = text.strip().partition("\n")[0].rstrip()
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"


def _environment(environment: Environment) -> dict[str, str]:
    plain = {
        "python": environment.python,
        "implementation": environment.implementation,
        "platform": environment.platform,
    }
    if environment.distributions is not None:
        plain["distributions"] = environment.distributions
    return plain


def _start(start: RunStart) -> dict[str, object]:
    return {
        "kind": "run",
        "schema": SCHEMA,
        "run": start.run,
        "started": start.started,
        "environment": _environment(start.environment),
        "repository": start.repository,
        "commit": start.commit,
        "tree": start.tree,
        "branch": start.branch,
        "dirty": start.dirty,
        "root": start.root,
        "options": list(start.options),
        "shard": start.shard,
        "plan": start.plan,
        "workers": start.workers,
        "base": start.base,
        "everything": start.everything,
        "variables": None if start.variables is None else dict(start.variables),
        "source": start.source,
        "job": start.job,
    }


def _passed(attempt: Attempt) -> tuple[float, float, float] | None:
    """Seconds of the phases where nothing else is to be told of them, as of most tests."""
    told = attempt.reason, attempt.failure, attempt.selected
    if told != _NOTHING or attempt.subtests or attempt.xfail or attempt.attempt > 1:
        return None
    took = []
    for phase in (attempt.setup, attempt.call, attempt.teardown):
        if phase is None or phase.outcome != "passed" or phase.shared:
            return None
        took.append(phase.seconds)
    setup, call, teardown = took
    return setup, call, teardown


def encoded_passed(
    nodeid: str, setup: float, call: float, teardown: float, worker: str | None
) -> bytes:
    """The line of an `Attempt` of which nothing else is to be told than these seconds.

    As `encoded`, in a fraction of the time: each test of each run waits for it.
    """
    if not (0.0 <= setup < LONGEST and 0.0 <= call < LONGEST and 0.0 <= teardown < LONGEST):
        setup, call, teardown = seconds(setup), seconds(call), seconds(teardown)
    by = "" if worker is None else f',"worker":{_QUOTED(worker)}'
    return (_PASSED % (_QUOTED(nodeid), setup, call, teardown, by)).encode("ascii")


def _attempt(attempt: Attempt) -> dict[str, object]:
    subtests = sorted(attempt.subtests, key=lambda s: s.outcome == "passed")
    if len(subtests) <= MAX_SUBTESTS:
        subtests = list(attempt.subtests)
    return {
        "kind": "test",
        "id": attempt.id,
        "setup": _phase(attempt.setup),
        "call": _phase(attempt.call),
        "teardown": _phase(attempt.teardown),
        "attempt": attempt.attempt if attempt.attempt > 1 else None,
        "worker": attempt.worker,
        "xfail": attempt.xfail or None,
        "reason": attempt.reason,
        "failure": attempt.failure,
        "subtests": [
            [shortened(s.description), s.outcome, seconds(s.seconds)]
            for s in subtests[:MAX_SUBTESTS]
        ]
        or None,
        "selected": attempt.selected,
    }


def _phase(phase: Phase | None) -> list[object] | None:
    if phase is None:
        return None
    took = seconds(phase.seconds)
    shared = min(took, seconds(phase.shared))
    return [phase.outcome, took, shared] if shared else [phase.outcome, took]


def _benchmark(benchmark: Benchmark) -> dict[str, object]:
    return {
        "kind": "benchmark",
        "id": benchmark.id,
        "rounds": benchmark.rounds,
        "iterations": benchmark.iterations,
        # Not rounded: a round may take less than a microsecond.
        "min": benchmark.minimum,
        "median": benchmark.median,
        "mean": benchmark.mean,
        "deviation": benchmark.deviation,
        "max": benchmark.maximum,
        "machine": benchmark.machine,
        "p95": benchmark.p95,
        "p99": benchmark.p99,
        "fingerprint": benchmark.fingerprint,
        "clock": benchmark.clock,
        "busy": benchmark.busy,
        "values": list(benchmark.values) or None,
        "limit": benchmark.limit,
    }
