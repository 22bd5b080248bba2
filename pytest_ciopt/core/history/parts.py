"""The parts of a record that a project can leave out (`ciopt_record_omit`)."""

from collections.abc import Collection
from dataclasses import replace

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
    Subtest,
    Uncollected,
)

PARTS = (
    *("benchmarks", "commit", "coverage", "environment", "failures", "fixtures", "modules"),
    *("options", "reasons", "selection", "shards", "subtests", "verdicts", "workers"),
)
"""Beside these there are ids, outcomes, seconds and moments, without which there is no history."""


_WHOLE = {Benchmark: "benchmarks", FixtureCost: "fixtures", ModuleCost: "modules"}
"""Parts of which no line is left."""


def without(record: Record, omitted: Collection[str]) -> Record | None:
    """What is left of a record; None if nothing is."""
    if _WHOLE.get(type(record)) in omitted:
        return None
    for part in omitted:
        record = _without(record, part)
    return record


def _without(record: Record, part: str) -> Record:
    match record, part:
        case RunStart(), "commit":
            known = record._replace(repository=None, commit=None, tree=None, branch=None)
            return known._replace(dirty=False, base=None, job=None)
        case RunStart(), "environment":
            return record._replace(environment=Environment("", "", ""), variables=None, job=None)
        case Benchmark(), "environment":
            return record._replace(machine=None, fingerprint=None)
        case RunStart(), "options":
            return record._replace(options=(), job=None)
        case RunStart(), "selection":
            return record._replace(base=None, everything=None, job=None)
        case RunStart(), "shards":
            return record._replace(shard=None, plan=None)
        case RunEnd(), "selection":
            return record._replace(dropped=0, unread=0, job=None)
        case RunEnd(), "commit" | "environment" | "options":
            return record._replace(job=None)
        case RunEnd(), "coverage":
            return record._replace(coverage=None)
        case RunEnd(), "verdicts":
            return record._replace(verdicts=())
        case Attempt(), "selection":
            return replace(record, selected=None)
        case Attempt(), "reasons":
            return replace(record, reason=None)
        case Uncollected(outcome="failed"), "failures":
            return record._replace(why=None)
        case Uncollected(outcome="skipped"), "reasons":
            return record._replace(why=None)
        case Attempt(), "failures":
            return replace(record, failure=None)
        case Attempt(), "subtests":
            return replace(record, subtests=(), call=_with(record.subtests, record.call))
        case RunStart(), "workers":
            return record._replace(workers=0)
        case Attempt(), "workers":
            return replace(record, worker=None)
        case ((ModuleCost() | FixtureCost()), "workers"):
            return record._replace(worker=None)
    return record


def _with(subtests: Collection[Subtest], call: Phase | None) -> Phase | None:
    """The call of a test, which fails with its subtests though pytest may not say so."""
    if call is not None and any(one.outcome == "failed" for one in subtests):
        return call._replace(outcome="failed")
    return call
