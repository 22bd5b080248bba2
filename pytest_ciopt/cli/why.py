"""`ciopt why`: the whole chain from a changed file to a test, computed now."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from pytest_ciopt.adapters.environment import current_folder
from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.cli.asking import add_base, decided
from pytest_ciopt.cli.collecting import ToldTest, collected
from pytest_ciopt.core.nodeids import defines
from pytest_ciopt.core.selection import NOT_REACHED, Collected, Selection, Verdict
from pytest_ciopt.errors import CioptError
from pytest_ciopt.report import lines
from pytest_ciopt.report.tables import printable


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    add_base(parser)
    parser.add_argument("nodeid", metavar="NODEID", help="a test id or file, as pytest prints it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the answer; exit code 0 whether the test runs or not."""
    folder = current_folder()
    file, _, within = options.nodeid.partition("::")
    if not (folder / file).exists() or (folder / file).is_dir():
        raise CioptError(
            f"there is no file {file} in {folder}", "Give the id as pytest prints it, from here."
        )
    found, _ = decided(options.base, folder)
    top = found.top or folder
    place = place_of(folder / file, top)
    if place is None:
        raise CioptError(f"{file} lies outside the repository {top}")
    print(lines.header(found.selection, found.base, found.mend))
    dropped = found.selection.verdict(place) is Verdict.NONE
    if within and not (dropped and defines((folder / file).read_bytes(), within)):
        for test in _asked(options.nodeid, options.base, folder):
            word = "runs" if test.selected else "is dropped"
            print(printable(f"{test.id} {word}: {test.reason}"))
    else:
        print(printable(f"{options.nodeid} {_verdict(found.selection, place)}"))
    for line in _chain(found.selection, place):
        print(f"  {printable(line)}")
    return 0


def _asked(nodeid: str, base: str | None, folder: Path) -> tuple[ToldTest, ...]:
    tests = collected(folder, base, [nodeid])
    if not tests:
        raise CioptError(f"pytest collects no test {nodeid}", "List ids with `ciopt select --ids`.")
    return tests


def _verdict(selection: Selection, place: str) -> str:
    match selection.verdict(place):
        case Verdict.ALL:
            return "runs"
        case Verdict.SOME:
            return "runs in part: ask for one of its tests, by its id"
        case Verdict.NONE:
            why = selection.why_not(place)
            unreached = "nothing that changed is reached from it"
            return f"is dropped: {unreached if why == NOT_REACHED else why}"
        case Verdict.UNKNOWN:
            return f"runs: {selection.decide(Collected(place, (), function=False)).reason}"


def _chain(selection: Selection, place: str) -> Iterator[str]:
    effects = {file.change.path: file for file in selection.changed}
    for path, how in selection.chain(place) if selection.everything is None else ():
        file = effects.get(path)
        yield f"{path} {file.change.status.value}" if file is not None else f"{path} {how}"
    if selection.everything is not None or not selection.chain(place):
        yield from lines.changed(selection.changed)
