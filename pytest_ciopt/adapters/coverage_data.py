"""Starts, stops and combines coverage.py, as the project configures it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ciopt.errors import CioptError

if TYPE_CHECKING:
    from coverage import Coverage

_PARTS = "CIOPT_COVERAGE_PARTS"
"""Names the folder of a run to the processes that it starts."""

_QUIET = "run:disable_warnings"


class NoCoverage(CioptError):
    """coverage.py is not installed, or cannot be configured."""


def running() -> "Coverage | None":
    """Of `coverage run -m pytest`, or whoever else measures this process."""
    if "coverage" not in sys.modules:
        return None
    from coverage import Coverage

    return Coverage.current()


class Measurement:
    """Measures this process from now on.

    The first one of a run has a folder made, in which all its processes leave what they measure.
    """

    def __init__(self) -> None:
        """Raises: NoCoverage."""
        try:
            from coverage import Coverage, CoverageException
        except ImportError:
            raise NoCoverage(
                "coverage.py is not installed", "Install it: pip install 'pytest-ciopt[cov]'."
            ) from None
        inherited = os.environ.get(_PARTS)
        self._folder = inherited or tempfile.mkdtemp(prefix="ciopt-coverage-")
        self._own = inherited is None
        self._pid = os.getpid()
        os.environ[_PARTS] = self._folder
        try:
            self._target = Path(str(Coverage().get_option("run:data_file"))).absolute()
            # Only files that are called like it are combined with it.
            part = os.path.join(self._folder, self._target.name)
            self._coverage = Coverage(data_file=part, data_suffix=True)
            # The controller of workers runs nothing.
            quiet = self._coverage.get_option(_QUIET)
            known = quiet if isinstance(quiet, list) else []
            self._coverage.set_option(_QUIET, [*known, "no-data-collected"])
        except CoverageException as error:
            self.close()
            raise NoCoverage(f"coverage.py cannot be configured: {error}") from error
        self._coverage.start()
        self._measures = True

    def stop(self) -> None:
        """Keeps what was measured. More than once is fine."""
        if self._measures:
            self._measures = False
            self._coverage.stop()
            self._coverage.save()
            self._coverage.get_data().close(force=True)

    @contextmanager
    def combined(self) -> "Iterator[Coverage]":
        """What all processes have measured, written to the project's data file."""
        from coverage import Coverage

        self.stop()
        whole = Coverage(data_file=str(self._target))
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
        if getattr(self, "_measures", False):
            self.stop()
        if self._own and self._pid == os.getpid():
            os.environ.pop(_PARTS, None)
            shutil.rmtree(self._folder, ignore_errors=True)
