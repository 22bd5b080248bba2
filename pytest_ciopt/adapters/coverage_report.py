"""What coverage.py makes of its data, through its JSON report: its public, documented form.

coverage.py is imported nowhere else, and only when coverage is asked for.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Protocol

from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.core.gates.coverage import FileCoverage
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.errors import CioptError


class Reporting(Protocol):
    """As much of `coverage.Coverage` as is needed of it."""

    def json_report(
        self, *, outfile: str | None, pretty_print: bool | None, show_contexts: bool | None
    ) -> float:
        """Writes the report; returns the total."""


class NoReport(CioptError):
    """coverage.py has measured nothing, or cannot tell what."""


def measured(coverage: Reporting, top: Path) -> dict[str, FileCoverage]:
    """By path from the top of the repository, or whole path outside of it.

    Raises: NoReport.
    """
    from coverage import CoverageException

    folder = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="ciopt-coverage-") as temporary:
        file = os.path.join(temporary, "coverage.json")
        try:
            coverage.json_report(outfile=file, pretty_print=False, show_contexts=False)
        except CoverageException as error:
            raise NoReport(f"coverage.py says: {error}") from error
        with open(file, "rb") as stream:
            document = json.load(stream)
    found = {}
    for name, told in document["files"].items():
        path = folder / name
        found[place_of(str(path), top) or path.as_posix()] = _file(told)
    return found


def _file(told: dict[str, dict[str, int] | list[int]]) -> FileCoverage:
    summary, executed, missing = told["summary"], told["executed_lines"], told["missing_lines"]
    assert isinstance(summary, dict)
    assert isinstance(executed, list)
    assert isinstance(missing, list)
    totals = Totals(
        summary["num_statements"],
        summary["covered_lines"],
        summary.get("num_branches", 0),
        summary.get("covered_branches", 0),
    )
    return FileCoverage(totals, frozenset((*executed, *missing)), frozenset(missing))
