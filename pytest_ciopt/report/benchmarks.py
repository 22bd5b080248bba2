"""Benchmarks over time, for people and programs. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from pytest_ciopt.core.gates.trend import Change, changes
from pytest_ciopt.core.history.records import Benchmark, RunStart
from pytest_ciopt.report.history import moment
from pytest_ciopt.report.tables import duration, table, trend

Point = tuple[RunStart, Benchmark]
Series = Mapping[str, Sequence[Point]]
"""By id from the top of the repository: what comparable runs measured, oldest first."""
_WATCHED = ("p95", "p99")
"""What the rule of the gate does not look at: it varies too much between two runs."""


def lines(series: Series, limit: int, blocks: str) -> Iterator[str]:
    """A line a benchmark, and then what has changed for good."""
    rows = []
    for test, points in sorted(series.items()):
        _, last = points[-1]
        least = [one.minimum for _, one in points]
        plot = trend(least[-limit:], blocks)
        rows.append((plot, str(len(points)), *_figures(last), test))
    heads = ("least", ">runs", ">least", ">median", ">p95", ">p99", "benchmark")
    yield from table(heads, rows)
    for test, points in sorted(series.items()):
        yield from alerts(test, points)


def one(test: str, points: Sequence[Point], limit: int) -> Iterator[str]:
    """A line a run, and then what has changed for good."""
    yield test
    rows = [
        (moment(start.started), (start.commit or "")[:10], *_figures(found), start.branch or "")
        for start, found in points[-limit:]
    ]
    heads = ("began (UTC)", "commit", ">least", ">median", ">p95", ">p99", "branch")
    yield from table(heads, rows)
    yield from alerts(test, points)


def alerts(test: str, points: Sequence[Point]) -> Iterator[str]:
    """Changes of percentiles, which fail nothing."""
    for name, change, start in found_in(points):
        commit = (start.commit or "an unknown commit")[:10]
        yield (
            f"{test}: {name} {duration(change.before)} -> {duration(change.after)} "
            f"({change.share:+.0%}) since {commit}, {moment(start.started)}"
        )


def found_in(points: Sequence[Point]) -> Iterator[tuple[str, Change, RunStart]]:
    """What changed, and the first run after it."""
    for name in _WATCHED:
        told = [(start, getattr(found, name)) for start, found in points]
        known = [(start, value) for start, value in told if value is not None]
        for change in changes([value for _, value in known]):
            yield name, change, known[change.place][0]


def document(test: str, points: Sequence[Point]) -> dict[str, object]:
    """For programs."""
    return {
        "benchmark": test,
        "runs": [
            {
                "run": start.run,
                "started": start.started,
                "commit": start.commit,
                "branch": start.branch,
                "min": found.minimum,
                "median": found.median,
                "p95": found.p95,
                "p99": found.p99,
            }
            for start, found in points
        ],
        "changes": [
            {"of": name, "run": start.run, "before": change.before, "after": change.after}
            for name, change, start in found_in(points)
        ],
    }


def _figures(found: Benchmark) -> tuple[str, ...]:
    values = (found.minimum, found.median, found.p95, found.p99)
    return tuple("" if value is None else small(value) for value in values)


def small(seconds: float) -> str:
    """As `tables.duration`, and nanoseconds below a microsecond."""
    return f"{seconds * 1e9:.3g} ns" if seconds < 1e-6 else duration(seconds)
