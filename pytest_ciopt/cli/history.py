"""`ciopt history`: shows, merges and prunes what runs have left."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.environment import current_folder, variable
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.facts import head
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.results import BAD, Kind, RunRow
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import history as report
from pytest_ciopt.report.lines import count
from pytest_ciopt.report.tables import BLOCKS, PLAIN_BLOCKS
from pytest_ciopt.usecases import keeping
from pytest_ciopt.usecases.importing import import_files

_T = TypeVar("_T")
_UNITS = {"k": 10**3, "M": 10**6, "G": 10**9}
_PERIODS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of the family."""
    commands = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(
        name: str, text: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        made.add_argument("--json", action="store_true", help="print JSON instead of text")
        made.set_defaults(run=run)
        return made

    show = verb("show", "show the runs, one run, or one test", _show)
    show.add_argument("what", nargs="?", help="id of a run, or its beginning; or a test id")
    show.add_argument("-n", type=_positive, default=20, dest="limit", help="runs (default: 20)")
    slow = verb("slowest", "show what takes longest", _slowest)
    slow.add_argument("-n", type=_positive, default=20, dest="limit", help="lines (default: 20)")
    slow.add_argument("--of", choices=[k.value for k in Kind], default="test", help="default: test")
    fail = verb("failures", "show tests that failed lately, the latest first", _failures)
    fail.add_argument("-n", type=_positive, default=200, dest="limit", help="failures to look at")
    merge = verb("merge", "take over the runs of other histories", _merge)
    merge.add_argument("paths", nargs="+", type=Path, help="folders with segments, or files")
    foreign = verb("import", "take over results of other tools, a run a file", _import)
    foreign.add_argument(
        "paths",
        nargs="+",
        type=Path,
        help="JUnit XML, .test_durations, report logs, JSON of pytest-benchmark",
    )
    export = verb(
        "export", "copy the segments to a folder, or write all results as a table", _export
    )
    export.add_argument("target", type=Path, help="a folder; with --format a file, or -")
    export.add_argument("--format", choices=("segments", "csv", "jsonl"), default="segments")
    prune = verb("prune", "remove runs beyond a limit", _prune)
    prune.add_argument("--older-than", type=_period, metavar="AGE", help="e.g. 90d, 12w, 36h")
    prune.add_argument("--keep", type=_positive, metavar="N", help="runs that stay at most")
    prune.add_argument("--max-size", type=_size, metavar="SIZE", help="e.g. 200M, of all segments")
    prune.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    compact = verb("compact", "pack older runs, without workers, subtests and reasons", _compact)
    compact.add_argument(
        "--keep", type=_positive, default=50, metavar="N", help="runs that stay whole (default: 50)"
    )
    verb("check", "set damaged segments aside and make the index anew", _check)


# --- where ----------------------------------------------------------------------------------------


def _place() -> tuple[StateDir, str | None]:
    """The history of the current folder, and the id of the repository."""
    folder = current_folder()
    try:
        git: Git | None = Git(folder)
    except GitError:
        git = None
    top = folder if git is None else git.top
    config = pytest_config.find(folder, top)
    named = variable("CIOPT_DIR") or config.text("ciopt_dir")
    state = StateDir((config.rootdir if git is None else top) / (named or ".ciopt"))
    return state, head(git, state).repository if state.path.exists() else None


def _top() -> Path:
    try:
        return Git(current_folder()).top
    except GitError:
        return current_folder()


def _asked(state: StateDir, question: Callable[[Index], _T]) -> _T:
    answer, told = ask(state, now(), question)
    _warn(told)
    return answer


def _warn(told: Iterable[str]) -> None:
    for line in told:
        print(f"ciopt: {line}", file=sys.stderr)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2))


# --- show -----------------------------------------------------------------------------------------


def _show(options: argparse.Namespace) -> int:
    state, _ = _place()
    if options.what is None:
        rows = _asked(state, lambda index: index.runs(options.limit))
        if options.json:
            _print_json([report.run_document(row) for row in rows])
        else:
            _print(report.runs(rows) if rows else [_EMPTY])
        return 0
    matching = _asked(state, lambda index: index.runs_like(options.what)) if options.what else []
    if len(matching) > 1:
        raise CioptError(
            f"{count(len(matching), 'run')} begin with {options.what!r}",
            "Give more of the id: `ciopt history show` lists the runs.",
        )
    if matching:
        return _show_run(state, matching[0], options.json)
    return _show_test(state, options.what, options.json)


_EMPTY = "no runs are recorded yet: `pytest --ciopt-record=results` records one"


def _show_run(state: StateDir, row: RunRow, as_json: bool) -> int:
    whole = keeping.run_results(state, row)
    if as_json:
        tests = {
            name: report.result_document(result)
            for (kind, name), result in sorted(whole.results.items())
            if kind is Kind.TEST
        }
        uncollected = {
            name: result.failure
            for (kind, name), result in sorted(whole.results.items())
            if kind is Kind.MODULE and result.outcome in BAD
        }
        document = report.run_document(row)
        _print_json(document | {"tests": tests, "uncollected": uncollected})
    else:
        _print(report.one_run(row, whole))
    return 0


def _show_test(state: StateDir, test: str, as_json: bool) -> int:
    results = _asked(state, lambda index: index.results(Kind.TEST, test))
    if not results:
        raise CioptError(
            f"the history knows no run and no test {test!r}",
            "Runs go by their id, tests by their id as seen from the top of the repository.",
        )
    known = _asked(state, lambda index: index.estimates(Kind.TEST))
    estimates = {name: of[test] for name, of in known.items() if test in of}
    if as_json:
        told = [{"run": r.start.run, **report.result_document(result)} for r, result in results]
        expected = {name: report.estimate_document(one) for name, one in estimates.items()}
        _print_json({"test": test, "results": told, "expected": expected})
        return 0
    plain = "utf" not in (sys.stdout.encoding or "").lower()
    _print(report.one_test(test, results, estimates, PLAIN_BLOCKS if plain else BLOCKS))
    return 0


def _slowest(options: argparse.Namespace) -> int:
    state, _ = _place()
    known = _asked(state, lambda index: index.estimates(Kind(options.of)))
    found = [(test, name, one) for name, of in known.items() for test, one in of.items()]
    found.sort(key=lambda triple: (-triple[2].seconds, triple[0], triple[1]))
    found = found[: options.limit]
    if options.json:
        _print_json(
            [
                {"id": test, "environment": name, **report.estimate_document(one)}
                for test, name, one in found
            ]
        )
    else:
        _print(report.slowest(found) if found else [_EMPTY])
    return 0


def _failures(options: argparse.Namespace) -> int:
    state, _ = _place()
    found = _asked(state, lambda index: list(index.failures(options.limit)))
    if options.json:
        _print_json(
            [{"test": test, "run": run, **report.result_document(r)} for test, run, r in found]
        )
    else:
        _print(report.failures(found) if found else ["no failures are recorded"])
    return 0


# --- keep -----------------------------------------------------------------------------------------


def _merge(options: argparse.Namespace) -> int:
    state, repository = _place()
    _exist(options.paths)
    kept = keeping.merge(state, options.paths, repository, now())
    _tell(
        options,
        kept,
        f"{count(kept.done, 'run')} merged, {kept.left:,} known already, "
        f"{count(kept.refused, 'file')} refused",
    )
    return 1 if kept.refused else 0


def _import(options: argparse.Namespace) -> int:
    state, _ = _place()
    _exist(options.paths)
    kept = import_files(state, _top(), options.paths, now())
    _tell(
        options,
        kept,
        f"{count(kept.done, 'run')} imported, {kept.left:,} known already, "
        f"{count(kept.refused, 'file')} refused",
    )
    return 1 if kept.refused else 0


def _exist(paths: Iterable[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise CioptError(f"{path} does not exist", "Nothing was changed.")


def _prune(options: argparse.Namespace) -> int:
    limits = keeping.Limits(options.older_than, options.keep, options.max_size)
    if limits == keeping.Limits():
        raise CioptError(
            "ciopt history prune needs a limit", "Give --older-than, --keep or --max-size."
        )
    state, _ = _place()
    kept = keeping.prune(state, limits, now(), options.dry_run)
    verb = "would be removed" if options.dry_run else "removed"
    _tell(options, kept, f"{count(kept.done, 'run')} {verb}, {kept.left:,} stay")
    return 0


def _compact(options: argparse.Namespace) -> int:
    state, _ = _place()
    kept = keeping.compact(state, options.keep, now())
    _tell(options, kept, f"{count(kept.done, 'run')} packed, {kept.left:,} stay as they are")
    return 0


def _check(options: argparse.Namespace) -> int:
    state, _ = _place()
    kept = keeping.check(state, now())
    _tell(
        options,
        kept,
        f"{count(kept.left, 'run')} can be read, {count(kept.refused, 'damaged file')} set aside",
    )
    return 1 if kept.refused else 0


def _tell(options: argparse.Namespace, kept: keeping.Kept, text: str) -> None:
    _warn(kept.told)
    if options.json:
        _print_json({"done": kept.done, "left": kept.left, "refused": kept.refused})
    else:
        print(text)


def _export(options: argparse.Namespace) -> int:
    state, _ = _place()
    if options.format == "segments":
        kept = keeping.export(state, options.target, now())
        _tell(options, kept, f"{count(kept.done, 'run')} copied to {options.target}")
        return 0
    rows = _asked(state, lambda index: index.runs())[::-1]
    to_stdout = str(options.target) == "-"
    text = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}
    with (
        nullcontext(sys.stdout) if to_stdout else open(options.target, "w", **text)  # type: ignore[call-overload]
    ) as stream:
        lines = _results(state, rows)
        if options.format == "csv":
            writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
        else:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
    if not to_stdout:
        print(f"{count(len(rows), 'run')} written to {options.target}")
    return 0


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


# --- values ---------------------------------------------------------------------------------------


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _period(text: str) -> float:
    return _scaled(text, _PERIODS, "a number with h, d or w")


def _size(text: str) -> int:
    return int(_scaled(text, _UNITS, "a number with k, M or G"))


def _scaled(text: str, units: dict[str, int], form: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isascii() or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}")
    return int(number) * units[unit]
