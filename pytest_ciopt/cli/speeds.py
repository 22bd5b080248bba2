"""`ciopt bench trend`."""

import argparse
import sys

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.history.benchmarks import measured_runs
from pytest_ciopt.cli.place import place, print_json, print_lines
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import benchmarks as report
from pytest_ciopt.report.tables import BLOCKS, PLAIN_BLOCKS


def trend(options: argparse.Namespace) -> int:
    """A line a benchmark, or, where a name fits only one, a line a run."""
    series = _series(options.name or "")
    if not series:
        of = f" {options.name!r}" if options.name else ""
        raise CioptError(
            f"the history knows no benchmark{of}",
            "Run pytest with --ciopt-record=results beside pytest-benchmark.",
        )
    if options.json:
        print_json([report.document(test, points) for test, points in sorted(series.items())])
        return 0
    plain = "utf" not in (sys.stdout.encoding or "").lower()
    if options.name and len(series) == 1:
        ((test, points),) = series.items()
        print_lines(report.one(test, points, options.limit))
    else:
        print_lines(report.lines(series, options.limit, PLAIN_BLOCKS if plain else BLOCKS))
    return 0


def _series(name: str) -> dict[str, list[report.Point]]:
    """Of each benchmark what the newest run can be compared with: by machine and clock."""
    found: dict[str, list[report.Point]] = {}
    for start, benchmarks in measured_runs(place().state, now()):
        for one in benchmarks:
            test = repository_id(start.root, one.id)
            if name not in test:
                continue
            points = found.setdefault(test, [])
            newest = points[0][1] if points else one
            if (one.fingerprint, one.clock) == (newest.fingerprint, newest.clock):
                points.append((start, one))
    exact = {test: points for test, points in found.items() if test == name}
    return {test: points[::-1] for test, points in (exact or found).items()}
