"""`ciopt history show`, `slowest` and `failures`."""

import argparse
import sys

from pytest_ciopt.adapters.history.index import Index
from pytest_ciopt.cli.place import EMPTY, Place, place, print_json, print_lines
from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.history.results import BAD, Kind, RunRow
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import history as report
from pytest_ciopt.report.lines import count
from pytest_ciopt.report.tables import BLOCKS, PLAIN_BLOCKS
from pytest_ciopt.usecases import expecting, keeping

_THINGS = {
    Kind.TEST: "tests",
    Kind.MODULE: "imports of test modules",
    Kind.FIXTURE: "fixtures that several tests share",
}


def show(options: argparse.Namespace) -> int:
    """All runs, one run, or one test."""
    where = place()
    if options.what is None:
        rows = where.ask(lambda index: index.runs(options.limit))
        if options.json:
            print_json([report.run_document(row) for row in rows])
        else:
            print_lines(report.runs(rows) if rows else [EMPTY])
        return 0
    matching = where.ask(lambda index: index.runs_like(options.what)) if options.what else []
    if len(matching) > 1:
        raise CioptError(
            f"{count(len(matching), 'run')} begin with {options.what!r}",
            "Give more of the id: `ciopt history show` lists the runs.",
        )
    if matching:
        return _show_run(where, matching[0], options.json)
    return _show_test(where, options.what, options.json)


def _show_run(where: Place, row: RunRow, as_json: bool) -> int:
    whole = keeping.run_results(where.state, row)
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
        print_json(document | {"tests": tests, "uncollected": uncollected})
    else:
        print_lines(report.one_run(row, whole))
    return 0


def _show_test(where: Place, test: str, as_json: bool) -> int:
    def question(index: Index) -> expecting.Known:
        return expecting.known(index, expecting.moved(index, where.top, where.git), test)

    known = where.ask(question)
    if not known.results:
        raise CioptError(
            f"the history knows no run and no test {test!r}",
            "Runs go by their id, tests by their id as seen from the top of the repository.",
        )
    if as_json:
        told = [{"run": r.start.run, **report.result_document(one)} for r, one in known.results]
        expected = {name: report.estimate_document(one) for name, one in known.expected.items()}
        document = {"test": test, "former": known.former, "results": told, "expected": expected}
        print_json(document)
        return 0
    plain = "utf" not in (sys.stdout.encoding or "").lower()
    blocks = PLAIN_BLOCKS if plain else BLOCKS
    print_lines(report.one_test(test, known.former, known.results, known.expected, blocks))
    return 0


def slowest(options: argparse.Namespace) -> int:
    """What takes longest, of what is there: a line each."""
    where, kind = place(), Kind(options.of)

    def question(index: Index) -> tuple[list[tuple[str, str, Estimate]], int, bool]:
        moved = expecting.moved(index, where.top, where.git)
        known = index.estimates(kind)
        gone = {test for of in known.values() for test in of if moved.is_gone(test)}
        present = {name: expecting.as_now_named(of, moved) for name, of in known.items()}
        found: dict[str, tuple[str, Estimate]] = {}
        for name in expecting.by_recency(index):  # each of the newest environment that knows it
            for test, one in present.get(name, {}).items():
                found.setdefault(test, (name, one))
        return [(test, *of) for test, of in found.items()], len(gone), bool(index.runs(1))

    found, gone, ran = where.ask(question)
    found.sort(key=lambda triple: (-triple[2].seconds, triple[0], triple[1]))
    if options.json:
        print_json(
            [
                {"id": test, "environment": name, **report.estimate_document(one)}
                for test, name, one in found[: options.limit]
            ]
        )
        return 0
    nothing = f"the recorded runs tell of no {_THINGS[kind]}" if ran else EMPTY
    print_lines(report.slowest(found[: options.limit]) if found or gone else [nothing])
    if gone:
        print(f"left out: {count(gone, kind.value)} of files that are not in this tree")
    return 0


def failures(options: argparse.Namespace) -> int:
    """Tests that failed lately."""
    found = place().ask(lambda index: list(index.failures(options.limit)))
    if options.json:
        print_json(
            [{"test": test, "run": run, **report.result_document(r)} for test, run, r in found]
        )
    else:
        print_lines(report.failures(found) if found else ["no failures are recorded"])
    return 0
