"""`ciopt history export`."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.cli.keeping import tell
from pytest_ciopt.cli.place import place, warn
from pytest_ciopt.core.history.results import Kind, RunRow
from pytest_ciopt.report import history as report
from pytest_ciopt.report.lines import count
from pytest_ciopt.usecases import keeping


def export(options: argparse.Namespace) -> int:
    """All segments, or all results as a table."""
    state = place().state
    if options.format == "segments":
        kept = keeping.export(state, options.target, now())
        tell(options, kept, f"{count(kept.done, 'run')} copied to {options.target}")
        return 0
    (rows, told) = ask(state, now(), Index.runs)
    write = _write_csv if options.format == "csv" else _write_lines
    if str(options.target) == "-":
        warn(told)
        write(sys.stdout, _results(state, rows[::-1]))
        return 0
    with open(options.target, "w", encoding="utf-8", newline="") as stream:
        write(stream, _results(state, rows[::-1]))
    kept = keeping.Kept(len(rows), told=told)
    tell(options, kept, f"{count(kept.done, 'run')} written to {options.target}")
    return 0


def _write_csv(stream: TextIO, results: Iterable[Mapping[str, object]]) -> None:
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for result in results:
        writer.writerow({key: _encodable(value) for key, value in result.items()})


def _encodable(value: object) -> object:
    """Ids may hold lone surrogates."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _write_lines(stream: TextIO, results: Iterable[Mapping[str, object]]) -> None:
    stream.writelines(json.dumps(result) + "\n" for result in results)


_COLUMNS = (
    *("run", "started", "commit", "branch", "environment", "test"),
    *("outcome", "setup", "call", "teardown", "attempts", "failure"),
)


def _results(state: StateDir, rows: Iterable[RunRow]) -> Iterator[dict[str, object]]:
    """A line a test and run, oldest first."""
    for row in rows:
        start = row.start
        about = {
            "run": start.run,
            "started": start.started,
            "commit": start.commit,
            "branch": start.branch,
            "environment": start.environment.key,
        }
        for (kind, test), result in keeping.run_results(state, row).results.items():
            if kind is Kind.TEST:
                yield {**about, "test": test, **report.result_document(result)}
