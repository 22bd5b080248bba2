"""What people and programs read of a history."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.history.results import BAD, Result, RunResults, RunRow, counted
from pytest_ciopt.report.lines import count
from pytest_ciopt.report.tables import duration, table, trend

_WORDS = {
    ".": "passed",
    "F": "failed",
    "E": "error",
    "s": "skipped",
    "x": "xfailed",
    "X": "xpassed",
    "R": "passed on rerun",
}


def moment(epoch: float) -> str:
    """UTC, to the minute."""
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M}"


def outcomes(counts: Mapping[str, int]) -> str:
    """E.g. `3 failed, 120 passed`."""
    order = sorted(counts, key=lambda letter: (letter not in BAD, -counts[letter], letter))
    return ", ".join(f"{counts[letter]:,} {_WORDS[letter]}" for letter in order) or "no tests"


def runs(rows: Sequence[RunRow]) -> Iterator[str]:
    """A line a run."""
    heads = ("run", "began (UTC)", "branch", "commit", "environment", ">tests take", "outcome")
    yield from table(heads, [_run(row) for row in rows])


def _run(row: RunRow) -> Sequence[str]:
    start = row.start
    commit = f"{(start.commit or '')[:9]}{'*' if start.dirty else ''}"
    text = outcomes(row.outcomes) + _ending(row)
    key = start.environment.key if start.source is None else start.source
    return (
        *(start.run[:17], moment(start.started), start.branch or "", commit),
        *(key, duration(row.seconds), text),
    )


def _ending(row: RunRow) -> str:
    """What the outcomes of the tests do not explain: errors while collecting, failed thresholds."""
    if row.end is None:
        return " (not recorded to its end)"
    code = row.end.exit_status
    explained = code == 0 or (code == 1 and not BAD.isdisjoint(row.outcomes))
    return "" if explained else f" (exit code {code})"


def run_document(row: RunRow) -> dict[str, object]:
    """One run for programs."""
    start, end = row.start, row.end
    return {
        "run": start.run,
        "started": start.started,
        "finished": None if end is None else end.finished,
        "exit": None if end is None else end.exit_status,
        "commit": start.commit,
        "branch": start.branch,
        "dirty": start.dirty,
        "environment": start.environment.key,
        "source": start.source,
        "options": list(start.options),
        "workers": start.workers,
        "base": start.base,
        "everything": start.everything,
        "dropped": 0 if end is None else end.dropped,
        "unread": 0 if end is None else end.unread,
        "seconds": round(row.seconds, 6),
        "outcomes": {_WORDS[letter]: number for letter, number in sorted(row.outcomes.items())},
    }


def one_run(row: RunRow, whole: RunResults) -> Iterator[str]:
    """The facts of a run, and its failures."""
    start, end = row.start, row.end
    yield f"run          {start.run}"
    yield f"began        {moment(start.started)} UTC" + (
        f", {_took(end.finished - start.started)}, exit code {end.exit_status}"
        if end is not None
        else ", not recorded to its end"
    )
    state = ", with uncommitted changes" if start.dirty else ""
    yield f"commit       {start.commit or 'unknown'}{state} ({start.branch or 'no branch'})"
    yield f"environment  {start.environment.key}, {start.workers or 'no'} xdist workers"
    yield f"options      {' '.join(start.options) or 'none that are known'}"
    if start.base is not None:
        dropped = (
            "" if end is None else f"; {end.dropped:,} tests and {end.unread:,} modules left out"
        )
        yield f"selection    since {start.base[:12]}{dropped}"
    if start.everything is not None:
        yield f"selection    all tests: {start.everything}"
    yield f"outcome      {outcomes(row.outcomes)}; the tests take {duration(row.seconds)}"
    bad = [(s[1], r) for s, r in whole.results.items() if counted(s, r) and r.outcome in BAD]
    for test, result in sorted(bad, key=lambda pair: pair[0]):
        yield f"{_WORDS[result.outcome]:<8} {test}: {result.failure or ''}"


def _took(seconds: float) -> str:
    if seconds < 0:
        return "what it took cannot be told, for the clock was set back"
    return f"took {duration(seconds)}"


def result_document(result: Result) -> dict[str, object]:
    """One result for programs; seconds."""
    return {
        "outcome": _WORDS[result.outcome],
        "setup": result.setup / 1e6,
        "call": result.call / 1e6,
        "teardown": result.teardown / 1e6,
        "attempts": result.attempts,
        "failure": result.failure,
    }


def estimate_document(estimate: Estimate) -> dict[str, object]:
    """An estimate for programs; seconds."""
    return {
        "seconds": estimate.seconds,
        "setup": estimate.setup,
        "call": estimate.call,
        "teardown": estimate.teardown,
        "spread": estimate.spread,
        "results": estimate.count,
    }


def one_test(
    test: str,
    former: Iterable[str],
    results: Sequence[tuple[RunRow, Result]],
    estimates: Mapping[str, Estimate],
    blocks: str,
) -> Iterator[str]:
    """Outcomes and durations of a test, oldest first, and what it will take."""
    yield test
    yield from (f"formerly   {name}" for name in former)
    seconds = [(r.setup + r.call + r.teardown) / 1e6 for _, r in results]
    yield f"outcomes   {''.join(str(result.outcome) for _, result in results)}"
    yield f"durations  {trend(seconds, blocks)}  up to {duration(max(seconds, default=0.0))}"
    for name, estimate in sorted(estimates.items()):
        yield (
            f"expected   {duration(estimate.seconds)} +- {duration(estimate.spread)} "
            f"({count(estimate.count, 'result')}, {name})"
        )
    last = next((r.failure for _, r in reversed(results) if r.failure), None)
    if last is not None:
        yield f"last fails {last}"


def slowest(found: Sequence[tuple[str, str, Estimate]]) -> Iterator[str]:
    """(id, environment, estimate), a line each."""
    heads = (">expected", ">set-up", ">call", ">teardown", ">+-", ">results", "environment", "id")
    rows = [
        (
            *map(duration, (e.seconds, e.setup, e.call, e.teardown, e.spread)),
            *(str(e.count), name, test),
        )
        for test, name, e in found
    ]
    yield from table(heads, rows)


def failures(found: Iterable[tuple[str, str, Result]]) -> Iterator[str]:
    """(test, run, result) newest first: a line a test, how often and how last."""
    told: dict[str, list[tuple[str, Result]]] = {}
    for test, run, result in found:
        told.setdefault(test, []).append((run, result))
    rows = [
        (
            str(len(several)),
            several[0][0][:17],
            _WORDS[several[0][1].outcome],
            f"{test}  {several[0][1].failure or ''}",
        )
        for test, several in told.items()
    ]
    yield from table((">times", "last in", "outcome", "test, and why"), rows)
