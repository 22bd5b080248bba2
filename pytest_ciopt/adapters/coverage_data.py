"""Starts, stops and combines coverage.py, as the project configures it."""

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ciopt.errors import CioptError

if TYPE_CHECKING:
    from types import ModuleType

    from coverage import Coverage

CORE, TRACER = "COVERAGE_CORE", "ctrace"
"""The variable that names coverage.py's core, and the one that tells of a line as often as it is
asked to."""
_PARTS = "CIOPT_COVERAGE_PARTS"
"""Names the folder of a run to its workers: the process id of the run, and the folder."""

_SQLITE = b"SQLite format 3\0"
_QUIET = "run:disable_warnings"


class NoCoverage(CioptError):
    """coverage.py is not installed, or cannot be configured."""


def has_tracer() -> bool:
    """Whether coverage.py is installed with its core in C; it is not imported to see that."""
    found = find_spec("coverage")
    folders = () if found is None else found.submodule_search_locations or ()
    names = (f"tracer{suffix}" for suffix in EXTENSION_SUFFIXES)
    return any(os.path.exists(os.path.join(*both)) for both in product(folders, names))


def running() -> "Coverage | None":
    """Of `coverage run -m pytest`, or whoever else measures this process for its own sake.

    Where a measured test starts a process, that is measured for the test's.
    """
    if sys.modules.get("coverage") is None:
        return None
    from coverage import Coverage, process_startup

    found = Coverage.current()
    return None if found is getattr(process_startup, "coverage", None) else found


@contextmanager
def combined(files: Iterable[Path]) -> "Iterator[Coverage]":
    """What several data files hold, written to the project's in the end; they stay.

    Raises: NoCoverage.
    """
    coverage = _imported()
    files = list(files)
    for file in files:  # coverage.py would leave out one that it cannot read
        _check(file)
    with tempfile.TemporaryDirectory(prefix="ciopt-coverage-") as temporary:
        target = project_data()
        whole = coverage.Coverage(data_file=os.path.join(temporary, target.name))
        try:
            whole.combine(list(map(str, files)), strict=True, keep=True)
            whole.save()
            yield whole
        except coverage.CoverageException as error:
            raise NoCoverage(f"coverage.py says: {error}") from error
        finally:
            whole.get_data().close(force=True)
        shutil.copyfile(os.path.join(temporary, target.name), target)


def data_files(paths: Iterable[Path]) -> list[Path]:
    """Those that are named, and those in folders and below."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += (one for one in inside if _is_data(one))
    return found


def _is_data(path: Path) -> bool:
    if "coverage" not in path.name or not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(_SQLITE)) == _SQLITE


def _check(file: Path) -> None:
    """Raises: NoCoverage for a damaged file."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            (found,) = opened.execute("PRAGMA quick_check").fetchone()
            opened.execute("SELECT version FROM coverage_schema").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise NoCoverage(f"{file} is no data file of coverage.py, or damaged: {found}")


def _imported() -> "ModuleType":
    try:
        import coverage
    except ImportError:
        raise NoCoverage(
            "coverage.py is not installed", "Install it: pip install 'pytest-ciopt[cov]'."
        ) from None
    return coverage


def project_data() -> Path:
    """The data file of the project. Raises: NoCoverage."""
    coverage = _imported()
    try:
        return Path(str(coverage.Coverage().get_option("run:data_file"))).absolute()
    except coverage.CoverageException as error:
        raise NoCoverage(f"coverage.py cannot be configured: {error}") from error


def is_part() -> bool:
    """Whether the process that started this one has a measurement, and so is one of its workers.

    A test may start pytest as well: that is none.
    """
    return (os.environ.get(_PARTS) or "").partition(":")[0] == str(os.getppid())


class Measurement:
    """Measures this process from now on.

    The first one of a run has a folder made, in which all its processes leave what they measure.
    """

    def __init__(self, *, partial: bool = False) -> None:
        """`partial` says that not all need be imported. Raises: NoCoverage."""
        self.target = project_data()
        """The data file of the project."""
        from coverage import Coverage

        self._before = os.environ.get(_PARTS)
        self._pid = os.getpid()
        self._own = not is_part()
        inherited = (self._before or "").partition(":")[2]
        self._folder = tempfile.mkdtemp(prefix="ciopt-coverage-") if self._own else inherited
        if self._own:
            os.environ[_PARTS] = f"{self._pid}:{self._folder}"
        # Only files that are called like it are combined with it.
        part = os.path.join(self._folder, self.target.name)
        self.coverage = Coverage(data_file=part, data_suffix=True)
        """Measures."""
        # The controller of workers runs nothing.
        expected = ["no-data-collected", *(["module-not-imported"] if partial else [])]
        quiet = self.coverage.get_option(_QUIET)
        known = quiet if isinstance(quiet, list) else []
        self.coverage.set_option(_QUIET, [*known, *expected])
        self.coverage.start()
        self._measures = True

    def stop(self) -> None:
        """Keeps what was measured. More than once is fine."""
        if self._measures:
            self._measures = False
            self.coverage.stop()
            self.coverage.save()
            self.coverage.get_data().close(force=True)

    @contextmanager
    def combined(self) -> "Iterator[Coverage]":
        """What all processes have measured, written to the project's data file."""
        from coverage import Coverage

        self.stop()
        whole = Coverage(data_file=str(self.target))
        try:
            whole.erase()
            if any(Path(self._folder).iterdir()):
                whole.combine([self._folder])
                whole.save()
            yield whole
        finally:  # an open database is a warning, and that may be an error
            whole.get_data().close(force=True)

    def close(self) -> None:
        """Forgets the folder, if it is ours."""
        self.stop()
        if self._own and self._pid == os.getpid():
            os.environ.pop(_PARTS, None)
            if self._before is not None:
                os.environ[_PARTS] = self._before
            shutil.rmtree(self._folder, ignore_errors=True)
