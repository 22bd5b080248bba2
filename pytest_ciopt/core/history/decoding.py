"""Reads the lines of a segment, and trusts none of them.

Whatever is not of the documented form is a `SegmentError` that says what is wrong. Kinds and keys
that this version does not know are skipped, so that later versions can add some.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from pytest_ciopt.core.history.covered import CoveredRecord
from pytest_ciopt.core.history.covered_decoding import COVERED_READERS
from pytest_ciopt.core.history.encoding import RUN_ID, SCHEMA
from pytest_ciopt.core.history.fields import LARGE, OUTCOMES, Fields, SegmentError, duration, one_of
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Environment,
    FixtureCost,
    Judged,
    ModuleCost,
    Record,
    RunEnd,
    RunStart,
    Subtest,
    Uncollected,
)
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.history.trace_decoding import TRACE_READERS
from pytest_ciopt.core.history.traces import TraceRecord

__all__ = ["MAX_LINE", "SegmentError", "decoded", "plain_object"]

MAX_LINE = 4_000_000
"""Bytes of the longest line that is read; far more than any test needs."""
_RULINGS = frozenset(("pass", "fail", "cannot tell"))
_PARTS_OF_A_TOTAL = ("statements", "covered", "branches", "covered branches")
_SCOPES = frozenset(("class", "module", "package", "session"))


def decoded(line: bytes) -> Record | TraceRecord | CoveredRecord | None:
    """The record of a line; None for a kind that this version does not know.

    Raises: SegmentError.
    """
    fields = Fields(plain_object(line))
    read = _READERS.get(fields.text("kind"))
    return read(fields) if read is not None else None


def plain_object(line: bytes) -> dict[str, object]:
    """The JSON object of a line: no key twice, no NaN. Raises: SegmentError."""
    if len(line) > MAX_LINE:
        raise SegmentError(f"a line of {len(line):,} bytes")
    try:
        plain = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_number)
    except SegmentError:
        raise
    except (ValueError, RecursionError) as error:
        raise SegmentError("a line that is no JSON") from error
    if not isinstance(plain, dict):
        raise SegmentError("a line that is no object")
    return plain


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SegmentError("a key that occurs twice")
    return found


def _no_number(text: str) -> float:
    raise SegmentError(f"{text} for a number")


def _read_start(fields: Fields) -> RunStart:
    schema = fields.count("schema")
    if schema > SCHEMA:
        raise SegmentError(f"schema {schema}: a later version of pytest-ciopt wrote it")
    if RUN_ID.fullmatch(fields.text("run")) is None:
        raise SegmentError("run is no run id")
    environment = fields.inner("environment")
    return RunStart(
        run=fields.text("run"),
        started=fields.moment("started"),
        environment=Environment(
            environment.text("python"),
            environment.text("implementation"),
            environment.text("platform"),
            environment.maybe("distributions"),
        ),
        repository=fields.object_id("repository"),
        commit=fields.object_id("commit"),
        tree=fields.object_id("tree"),
        branch=fields.maybe("branch"),
        dirty=fields.flag("dirty"),
        root=fields.text("root"),
        options=fields.texts("options"),
        shard=fields.maybe("shard"),
        plan=fields.maybe("plan"),
        workers=fields.count("workers"),
        base=fields.object_id("base"),
        everything=fields.maybe("everything"),
        variables=fields.texts_by_name("variables") or None,
        source=fields.maybe("source"),
        job=fields.maybe("job"),
    )


def _read_attempt(fields: Fields) -> Attempt:
    setup = fields.phase("setup")
    if setup is None:
        raise SegmentError("a test without set-up")
    return Attempt(
        id=fields.text("id"),
        setup=setup,
        call=fields.phase("call"),
        teardown=fields.phase("teardown"),
        attempt=fields.count("attempt", 1),
        worker=fields.maybe("worker"),
        xfail=fields.flag("xfail"),
        reason=fields.maybe("reason"),
        failure=fields.maybe("failure"),
        subtests=tuple(map(_read_subtest, fields.items("subtests"))),
        selected=fields.maybe("selected"),
    )


def _read_subtest(value: object) -> Subtest:
    match value:
        case [str(description), str(outcome), took]:
            known = one_of(outcome, OUTCOMES, "outcome of a subtest")
            return Subtest(description, known, duration(took, "a subtest"))
    raise SegmentError("a subtest that is none")


def _read_module(fields: Fields) -> ModuleCost:
    return ModuleCost(
        path=fields.text("path"),
        imported=fields.seconds("import"),
        collected=fields.seconds("collect"),
        worker=fields.maybe("worker"),
    )


def _read_uncollected(fields: Fields) -> Uncollected:
    outcome = fields.one_of("outcome", OUTCOMES)
    return Uncollected(fields.text("id"), outcome, fields.maybe("why"))


def _read_fixture(fields: Fields) -> FixtureCost:
    return FixtureCost(
        name=fields.text("name"),
        scope=fields.one_of("scope", _SCOPES),
        place=fields.text("place"),
        setup=fields.seconds("setup"),
        teardown=fields.seconds("teardown"),
        worker=fields.maybe("worker"),
    )


def _read_end(fields: Fields) -> RunEnd:
    return RunEnd(
        finished=fields.moment("finished"),
        exit_status=fields.count("exit"),
        attempts=fields.count("attempts"),
        dropped=fields.count("dropped", 0),
        unread=fields.count("unread", 0),
        coverage=_read_totals(fields.items("coverage")),
        verdicts=tuple(map(_read_judged, fields.items("verdicts"))),
        job=fields.maybe("job"),
        executed=fields.count("executed", 0),
    )


def _read_totals(values: list[object]) -> Totals | None:
    if not values:
        return None
    whole = [one for one in values if isinstance(one, int) and not isinstance(one, bool)]
    if len(values) == len(whole) == len(_PARTS_OF_A_TOTAL):
        statements, covered, branches, covered_branches = whole
        if 0 <= covered <= statements < LARGE and 0 <= covered_branches <= branches < LARGE:
            return Totals(statements, covered, branches, covered_branches)
    raise SegmentError("coverage that is none")


def _read_judged(value: object) -> Judged:
    match value:
        case [str(gate), str(ruling), str(why)]:
            return Judged(gate, one_of(ruling, _RULINGS, "ruling"), why)
    raise SegmentError("a verdict that is none")


def _read_benchmark(fields: Fields) -> Benchmark:
    return Benchmark(
        id=fields.text("id"),
        rounds=fields.count("rounds"),
        iterations=fields.count("iterations"),
        minimum=fields.seconds("min"),
        median=fields.seconds("median"),
        mean=fields.seconds("mean"),
        deviation=fields.seconds("deviation"),
        maximum=fields.seconds("max"),
        machine=fields.maybe("machine"),
        p95=fields.maybe_seconds("p95"),
        p99=fields.maybe_seconds("p99"),
        fingerprint=fields.maybe("fingerprint"),
        clock=fields.maybe("clock"),
        busy=fields.maybe_seconds("busy"),
        values=tuple(duration(value, "values") for value in fields.items("values")),
        limit=fields.maybe("limit"),
    )


_READERS: Mapping[str, Callable[[Fields], Record | TraceRecord | CoveredRecord]] = {
    **TRACE_READERS,
    **COVERED_READERS,
    "run": _read_start,
    "test": _read_attempt,
    "module": _read_module,
    "uncollected": _read_uncollected,
    "fixture": _read_fixture,
    "benchmark": _read_benchmark,
    "end": _read_end,
}
