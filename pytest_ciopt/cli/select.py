"""`ciopt select`: the affected test files, or tests, one per line, without running anything."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_ciopt.adapters.environment import current_folder
from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.adapters.sources import python_files
from pytest_ciopt.cli.asking import add_base, decided
from pytest_ciopt.core.selection import Verdict
from pytest_ciopt.core.testfiles import test_modules
from pytest_ciopt.report import lines


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    add_base(parser)
    parser.add_argument("--ids", action="store_true", help="collect, and print test ids instead")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints paths relative to the current folder, or ids as pytest prints them.

    What concerns people goes to stderr.
    """
    folder = current_folder()
    if options.ids:
        from pytest_ciopt.cli.collecting import collected  # not for a list of files

        told = collected(folder, options.base, [])
        found = [test.id for test in told if test.selected]
    else:
        found = _files(options.base, folder)
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 0


def _files(base: str | None, folder: Path) -> list[str]:
    """Test files at or below `folder` of which something is selected."""
    found, tests = decided(base, folder, reasons=False)
    selection, top = found.selection, found.top or folder
    print(lines.header(selection, found.base, found.mend), file=sys.stderr)
    here = place_of(folder, top)
    prefix = "" if here in (".", None) else f"{here}/"
    if selection.hooked or (found.collects and selection.changed):  # only pytest can ask those
        from pytest_ciopt.cli.collecting import collected

        paths = {test.path for test in collected(folder, base, []) if test.selected}
    else:
        known = found.files or python_files(top)
        asked = known if tests.doctest_modules else [*test_modules(known, tests), *_texts(known)]
        asked = [*asked, *found.hidden()]
        sure = {} if selection.records.idle else selection.files  # sooner told than a verdict
        paths = {
            path for path in asked if path in sure or selection.verdict(path) is not Verdict.NONE
        }
    return sorted(path[len(prefix) :] for path in paths if path and path.startswith(prefix))


def _texts(paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if not path.endswith(".py"))
