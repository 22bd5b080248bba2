"""`ciopt coverage`: combines what several jobs covered, and shows totals over time."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pytest_ciopt.adapters.coverage_data import combined, data_files, project_data
from pytest_ciopt.adapters.coverage_report import Reporting, Reports, holding, measured, write
from pytest_ciopt.adapters.paths import write_text
from pytest_ciopt.cli.place import Place, place, print_json, print_lines
from pytest_ciopt.cli.verbs import positive, verbs
from pytest_ciopt.core.gates import coverage as totals
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import coverage as report
from pytest_ciopt.report.lines import count
from pytest_ciopt.report.tables import BLOCKS, PLAIN_BLOCKS
from pytest_ciopt.usecases.rebuilding import in_segments, of_newest


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of the family."""
    verb = verbs(parser)
    told = "put together what several jobs covered, and write reports"
    put = verb("combine", told, combine, json=False)
    put.add_argument(
        "paths",
        nargs="*",
        type=Path,
        help="data files of coverage.py and segments, or folders with them (default: the newest "
        "run in the history that kept what its tests cover)",
    )
    for name, what in (("xml", "Cobertura XML"), ("lcov", "LCOV"), ("json", "coverage.py's JSON")):
        put.add_argument(f"--{name}", metavar="FILE", help=f"write {what} as well")
    put.add_argument("--html", metavar="FOLDER", help="write HTML as well")
    told = "show the totals of whole runs over time"
    over = verb("trend", told, trend)
    over.add_argument("-n", type=positive, default=20, dest="limit", help="runs (default: 20)")
    over.add_argument("--branch", help="only runs of this branch")
    over.add_argument("--svg", type=Path, metavar="FILE", help="draw them as well")
    drawn = verb("badge", "draw the newest total of a whole run", badge, json=False)
    drawn.add_argument("--branch", help="only runs of this branch")
    drawn.add_argument("--svg", type=Path, metavar="FILE", help="an image")
    drawn.add_argument("--endpoint", type=Path, metavar="FILE", help="JSON for shields.io")


# --- combine -------------------------------------------------------------------------------------


def combine(options: argparse.Namespace) -> int:
    """Writes `.coverage`, and reports."""
    here = place()
    with ExitStack() as open_until_told:
        if options.paths:
            told, whole = open_until_told.enter_context(_of_paths(options.paths, here))
        else:
            told, whole = open_until_told.enter_context(_of_newest(here))
        percent = totals.shown(totals.total(measured(whole, here.top)).percent)
        write(whole, Reports(options.xml, options.html, options.lcov, options.json))
    print_lines([f"{percent}, {told[0]}", *told[1:]])
    return 0


Found = tuple[list[str], Reporting]
"""Lines that say from what it was put together, and what it is."""


@contextmanager
def _of_paths(paths: list[Path], here: Place) -> Iterator[Found]:
    for path in paths:
        if not path.exists():
            raise CioptError(f"{path} does not exist", "Nothing is combined.")
    files, stored = data_files(paths), in_segments(paths)
    if not files and not stored:
        raise CioptError(
            "no data file of coverage.py is there, nor a segment that tells what was covered",
            "The name of a data file has to have `coverage` in it.",
        )
    told = f"combined from {count(len(files), 'data file')} and {count(len(stored), 'segment')}"
    with ExitStack() as parts:
        for one in stored:
            part = holding(one.covered, here.top, {}, branches=one.branches)
            files.append(Path(parts.enter_context(part).get_data().data_filename()))
        yield [told], parts.enter_context(combined(files))


@contextmanager
def _of_newest(here: Place) -> Iterator[Found]:
    if here.git is None:
        raise CioptError("this is no git repository", "Name data files.")
    target = project_data()
    found, branches = of_newest(here.git, here.state)
    told = [f"reconstructed from {found.stored:,} stored and {found.ran:,} run tests"]
    told += [f"It may not be exact: {doubt}." for doubt in found.doubts]
    with holding(found.covered, here.top, {}, target, branches=branches) as whole:
        yield told, whole


# --- over time -----------------------------------------------------------------------------------


def trend(options: argparse.Namespace) -> int:
    """A table and a plot."""
    runs = _runs(options.branch)[-options.limit :]
    if options.svg is not None:
        write_text(options.svg, report.chart(runs))
    if options.json:
        print_json([report.document(run, total) for run, total in runs])
    else:
        plain = "utf" not in (sys.stdout.encoding or "").lower()
        print_lines(report.lines(runs, PLAIN_BLOCKS if plain else BLOCKS))
    return 0


def badge(options: argparse.Namespace) -> int:
    """Files, or the JSON where none is named."""
    run, total = _runs(options.branch)[-1]
    if options.svg is not None:
        write_text(options.svg, report.badge(total))
    if options.endpoint is not None:
        write_text(options.endpoint, json.dumps(report.endpoint(total)) + "\n")
    if options.svg is None and options.endpoint is None:
        print_json(report.endpoint(total))
    else:
        print_lines([f"{totals.shown(total.percent)} at {(run.start.commit or 'unknown')[:10]}"])
    return 0


def _runs(branch: str | None) -> list[report.Covered]:
    """Oldest first; of what was committed. Raises: CioptError where there are none."""
    rows = place().ask(lambda index: index.runs())
    found = [
        (row, row.end.coverage)
        for row in reversed(rows)
        if row.end is not None and row.end.coverage is not None
        if branch is None or row.start.branch == branch
        if not row.start.dirty
    ]
    if not found:
        of = "" if branch is None else f" of {branch}"
        raise CioptError(
            f"no whole run{of} in the history has measured coverage",
            "Run pytest with --ciopt-cov on what is committed.",
        )
    return found
