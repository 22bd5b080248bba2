"""Measures coverage with coverage.py where pytest-cov does not.

It begins before conftests are imported, in workers of xdist as well. Each process keeps its own
data in a folder of the run; in the end they are put together into the project's data file.
"""

import pytest

from pytest_ciopt.adapters.coverage_data import Measurement, NoCoverage, is_part, running
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.hooks.options import selection_is_asked

MEASURING = pytest.StashKey[Measurement]()
"""On the configuration; absent where pytest-cov measures, or nobody."""


def start(config: pytest.Config) -> None:
    """Begins, unless pytest-cov or `coverage run` measures.

    Raises: pytest.UsageError without coverage.py.
    """
    known = config.known_args_namespace
    # It may have begun already, and then it has put its option away.
    by_pytest_cov = getattr(known, "cov_source", None) or config.pluginmanager.hasplugin("_cov")
    if by_pytest_cov or getattr(known, "collectonly", False) or running() is not None:
        return
    if variable("PYTEST_XDIST_WORKER") is not None and not is_part():
        return  # whoever started the worker does not measure by us
    try:
        measurement = Measurement(partial=selection_is_asked(known))
    except NoCoverage as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[MEASURING] = measurement
    config.add_cleanup(measurement.close)
