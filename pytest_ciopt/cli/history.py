"""`ciopt history`: shows, merges and prunes what runs have left."""

import argparse
from pathlib import Path

from pytest_ciopt.cli import exporting, keeping, showing
from pytest_ciopt.cli.verbs import positive, verbs
from pytest_ciopt.core.history.results import Kind

_UNITS = {"k": 10**3, "M": 10**6, "G": 10**9}
_PERIODS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of the family."""
    verb = verbs(parser)
    show = verb("show", "show the runs, one run, or one test", showing.show)
    show.add_argument("what", nargs="?", help="id of a run, or its beginning; or a test id")
    show.add_argument("-n", type=positive, default=20, dest="limit", help="runs (default: 20)")
    slow = verb("slowest", "show what takes longest", showing.slowest)
    slow.add_argument("-n", type=positive, default=20, dest="limit", help="lines (default: 20)")
    slow.add_argument("--of", choices=[k.value for k in Kind], default="test", help="default: test")
    fail = verb("failures", "show tests that failed lately, the latest first", showing.failures)
    fail.add_argument("-n", type=positive, default=200, dest="limit", help="failures to look at")
    merge = verb("merge", "take over the runs of other histories", keeping.merge)
    merge.add_argument("paths", nargs="+", type=Path, help="folders with segments, or files")
    merge.add_argument(
        "--untrusted", action="store_true", help="take results only: nothing that proves a test"
    )
    foreign = verb("import", "take over results of other tools, a run a file", keeping.take_over)
    foreign.add_argument(
        "paths",
        nargs="+",
        type=Path,
        help="JUnit XML, .test_durations, report logs, JSON of pytest-benchmark",
    )
    told = "copy the segments to a folder, or write all results as a table"
    export = verb("export", told, exporting.export)
    export.add_argument("target", type=Path, help="a folder; with --format a file, or -")
    export.add_argument("--format", choices=("segments", "csv", "jsonl"), default="segments")
    prune = verb("prune", "remove runs beyond a limit", keeping.prune)
    prune.add_argument("--older-than", type=_period, metavar="AGE", help="e.g. 90d, 12w, 36h")
    prune.add_argument("--keep", type=positive, metavar="N", help="runs that stay at most")
    prune.add_argument("--max-size", type=_size, metavar="SIZE", help="e.g. 200M, of all segments")
    prune.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    told = "pack older runs, without workers, subtests and reasons"
    compact = verb("compact", told, keeping.compact)
    compact.add_argument(
        "--keep", type=positive, default=50, metavar="N", help="runs that stay whole (default: 50)"
    )
    verb("check", "set damaged segments aside and make the index anew", keeping.check)


def _period(text: str) -> float:
    return _scaled(text, _PERIODS, "a number with h, d or w")


def _size(text: str) -> int:
    return int(_scaled(text, _UNITS, "a number with k, M or G"))


def _scaled(text: str, units: dict[str, int], form: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isascii() or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}")
    return int(number) * units[unit]
