"""Measures coverage with coverage.py where pytest-cov does not.

It begins before conftests are imported, in workers of xdist as well. Each process keeps its own
data in a folder of the run; in the end they are put together into the project's data file.
"""

import argparse

import pytest

from pytest_ciopt.adapters.coverage_data import (
    CORE,
    TRACER,
    Measurement,
    NoCoverage,
    has_tracer,
    is_part,
    running,
)
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.hooks.options import coverage_is_asked, selection_is_asked

MEASURING = pytest.StashKey[Measurement]()
"""On the configuration; absent where pytest-cov measures, or nobody."""


def see_every_line(config: pytest.Config, known: argparse.Namespace) -> None:
    """Lets coverage.py, whoever starts it, use a core that tells of a line in each test, and not
    only in the first one; unless the environment names another."""
    measured = coverage_is_asked(known) or getattr(known, "cov_source", None)
    if measured and variable(CORE) is None and has_tracer():
        keep = pytest.MonkeyPatch()
        keep.setenv(CORE, TRACER)
        config.add_cleanup(keep.undo)


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
