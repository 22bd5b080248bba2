"""Totals of coverage for people, charts and badges. Pure."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from html import escape

from pytest_ciopt.core.gates.coverage import shown
from pytest_ciopt.core.history.results import RunRow
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.report.history import moment
from pytest_ciopt.report.tables import table, trend

Covered = tuple[RunRow, Totals]
_GRADES = ((90, "brightgreen"), (80, "green"), (70, "yellowgreen"), (60, "yellow"), (50, "orange"))
_HEX = {
    "brightgreen": "#4c1",
    "green": "#97ca00",
    "yellowgreen": "#a4a61d",
    "yellow": "#dfb317",
    "orange": "#fe7d37",
    "red": "#e05d44",
}
_WIDTH, _HEIGHT, _MARGIN = 640, 240, 40
"""Pixels of a chart."""


def lines(runs: Sequence[Covered], blocks: str) -> Iterator[str]:
    """A table of runs, oldest first, and a plot of the span in which they lie."""
    before: Fraction | None = None
    rows = []
    for run, totals in runs:
        change = "" if before is None else f"{float(totals.percent - before):+.2f}"
        before = totals.percent
        commit = (run.start.commit or "unknown")[:10]
        began = moment(run.start.started)
        rows.append((began, commit, shown(totals.percent), change, run.start.branch or ""))
    yield from table(("began", "commit", ">coverage", ">change", "branch"), rows)
    percents = [float(totals.percent) for _, totals in runs]
    low, high = min(percents), max(percents)
    step = (high - low) / len(blocks) or 1.0
    heights = [percent - low + step for percent in percents]
    yield f"{trend(heights, blocks)}  {low:.2f} to {high:.2f} %"


def document(run: RunRow, totals: Totals) -> dict[str, object]:
    """One run for programs."""
    return {
        "run": run.start.run,
        "started": run.start.started,
        "commit": run.start.commit,
        "branch": run.start.branch,
        "environment": run.start.environment.key,
        "percent": float(totals.percent),
        "statements": totals.statements,
        "covered": totals.covered,
        "branches": totals.branches,
        "covered_branches": totals.covered_branches,
    }


def chart(runs: Sequence[Covered]) -> str:
    """The same as SVG, a point a run."""
    percents = [float(totals.percent) for _, totals in runs]
    low, high = min(percents), max(percents)
    across = (_WIDTH - 2 * _MARGIN) / max(len(percents) - 1, 1)
    down = (_HEIGHT - 2 * _MARGIN) / (high - low or 1.0)
    points = [
        (_MARGIN + number * across, _HEIGHT - _MARGIN - (percent - low) * down)
        for number, percent in enumerate(percents)
    ]
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{_named(run, totals)}</title></circle>'
        for (x, y), (run, totals) in zip(points, runs, strict=True)
    )
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        f'<text x="{_MARGIN}" y="{_MARGIN - 16}">coverage, {low:.2f} to {high:.2f} %</text>'
        f'<polyline points="{path}" fill="none" stroke="#36c" stroke-width="2"/>'
        f'<g fill="#36c">{dots}</g></svg>\n'
    )


def _named(run: RunRow, totals: Totals) -> str:
    commit = (run.start.commit or "unknown")[:10]
    return escape(f"{shown(totals.percent)} at {commit}, {moment(run.start.started)} UTC")


def colour(percent: Fraction) -> str:
    """Of a badge, by shields.io's names."""
    return next((name for limit, name in _GRADES if percent >= limit), "red")


def endpoint(totals: Totals) -> dict[str, object]:
    """What shields.io's *endpoint badge* reads. **Source:** shields.io, Endpoint Badge."""
    told = shown(totals.percent)
    return {
        "schemaVersion": 1,
        "label": "coverage",
        "message": told,
        "color": colour(totals.percent),
    }


def badge(totals: Totals) -> str:
    """The same as SVG, in the form that such badges have."""
    told, fill = shown(totals.percent), _HEX[colour(totals.percent)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="124" height="20" role="img" '
        f'aria-label="coverage: {told}"><title>coverage: {told}</title>'
        '<rect width="62" height="20" fill="#555"/>'
        f'<rect x="62" width="62" height="20" fill="{fill}"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,sans-serif" font-size="11">'
        f'<text x="31" y="14">coverage</text><text x="93" y="14">{told}</text></g></svg>\n'
    )
