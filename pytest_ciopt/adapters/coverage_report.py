"""What coverage.py makes of its data, through its JSON report: its public, documented form.

coverage.py is imported nowhere else, and only when coverage is asked for.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.core.coverage.stored import Elements
from pytest_ciopt.core.gates.coverage import FileCoverage
from pytest_ciopt.core.history.covered import Element
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.errors import CioptError

if TYPE_CHECKING:
    from coverage import Coverage, CoverageData


class Reporting(Protocol):
    """As much of `coverage.Coverage` as is needed of it."""

    def json_report(
        self, *, outfile: str | None, pretty_print: bool | None, show_contexts: bool | None
    ) -> float:
        """Writes the report; returns the total."""

    def get_data(self) -> "CoverageData":
        """What was measured."""

    def get_option(self, option_name: str) -> object:
        """A value of the configuration."""

    def xml_report(self, *, outfile: str | None) -> float:
        """Writes Cobertura XML."""

    def html_report(self, *, directory: str | None) -> float:
        """Writes HTML."""

    def lcov_report(self, *, outfile: str | None) -> float:
        """Writes LCOV."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Where reports go; None for none."""

    xml: str | None = None
    html: str | None = None
    """A folder."""
    lcov: str | None = None
    json: str | None = None


def write(coverage: Reporting, reports: Reports) -> None:
    """Writes reports in the forms of coverage.py. Raises: NoReport."""
    from coverage import CoverageException

    try:
        if reports.xml is not None:
            coverage.xml_report(outfile=reports.xml)
        if reports.html is not None:
            coverage.html_report(directory=reports.html)
        if reports.lcov is not None:
            coverage.lcov_report(outfile=reports.lcov)
        if reports.json is not None:
            coverage.json_report(outfile=reports.json, pretty_print=False, show_contexts=False)
    except CoverageException as error:
        raise NoReport(f"coverage.py says: {error}") from error


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


def elements_of(coverage: Reporting, top: Path) -> tuple[Elements, bool]:
    """What was covered by path from the top, and whether branches were measured. Of files that were
    to be measured and that nobody imported, nothing."""
    data = coverage.get_data()
    branches, folder = bool(data.has_arcs()), Path.cwd()
    found: dict[str, frozenset[Element]] = {}
    for name in data.measured_files():
        path = folder / name
        own = (data.arcs(name) if branches else data.lines(name)) or ()
        place = place_of(str(path), top) or path.as_posix()
        found[place] = found.get(place, frozenset()) | frozenset(own)
    return found, branches


@contextmanager
def holding(
    covered: Elements,
    top: Path,
    tracers: Mapping[str, str],
    target: Path | None = None,
    *,
    branches: bool,
) -> "Iterator[Coverage]":
    """A measurement, as the project configures it, of what is said to be covered. `tracers` are
    those of coverage.py's plugins, by path. In the end it is written to `target`.

    Raises: NoReport.
    """
    from coverage import Coverage, CoverageData, CoverageException

    by_file = {str(top / path): elements for path, elements in covered.items()}
    with tempfile.TemporaryDirectory(prefix="ciopt-coverage-") as temporary:
        part = os.path.join(temporary, "coverage.part")
        data = CoverageData(basename=part)
        add = data.add_arcs if branches else data.add_lines
        add(by_file)  # type: ignore[arg-type]
        data.touch_files(by_file)
        data.add_file_tracers({str(top / path): name for path, name in tracers.items()})
        data.write()
        data.close(force=True)
        whole = Coverage(data_file=os.path.join(temporary, "coverage"))
        try:
            whole.combine([part])  # which names files as the project wants them
            whole.save()
            yield whole
        except CoverageException as error:
            raise NoReport(f"coverage.py says: {error}") from error
        finally:
            whole.get_data().close(force=True)
        if target is not None:
            shutil.copyfile(os.path.join(temporary, "coverage"), target)


def tracers_of(coverage: Reporting, top: Path) -> dict[str, str]:
    """Plugins of coverage.py by the path of each file that is no Python."""
    data, folder = coverage.get_data(), Path.cwd()
    found = {}
    for name in data.measured_files():
        if tracer := data.file_tracer(name):
            path = folder / name
            found[place_of(str(path), top) or path.as_posix()] = tracer
    return found


_SETTINGS = ("branch", "concurrency", "include", "omit", "plugins", "relative_files", "source")


def settings_id(coverage: Reporting) -> str:
    """Fingerprint of what a measurement was configured to see."""
    said = [repr(coverage.get_option(f"run:{name}")) for name in (*_SETTINGS, "source_pkgs")]
    return blake2b("\0".join(said).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
