"""Begins to watch what tests depend on: where that was asked for, or adds little to the run."""

import argparse
from typing import Any

import pytest

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.environment import taken, variable
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.writer import FOLDER
from pytest_ciopt.core.history.toll import MOST, Suite
from pytest_ciopt.hooks.options import (
    DEPS,
    HISTORY,
    IF_CHEAP,
    MENDED,
    RESULTS,
    SETTLED,
    WHY,
    benchmarks_are_judged,
    ends_early,
    recording,
    runs_tests,
)
from pytest_ciopt.hooks.request import where_of

_HANDED = "CIOPT_WORKER_RECORDS"
"""Variable by which a worker of xdist learns it: conftest files are loaded before it is sent any
input. What it starts does not have it."""


def start(config: pytest.Config, known: argparse.Namespace) -> None:
    """Before conftest files are loaded, and in a run that does not load any."""
    if recording(config, known) == IF_CHEAP:
        settle(config, known)
    if recording(config, known) == DEPS and not ends_early(config):
        from pytest_ciopt.hooks.tracing import watch

        watch(config, known)


def settle(config: pytest.Config, known: argparse.Namespace) -> None:
    """Decides once a run, and leaves it on the configuration. Never raises."""
    if SETTLED in config.stash:
        return
    if variable("PYTEST_XDIST_WORKER") is not None:
        config.stash[SETTLED] = taken(_HANDED) or RESULTS
        return
    try:
        settled, why = _settled(config, known)
    except Exception as error:  # of ours, or a history that cannot be read: less is recorded
        settled, why = RESULTS, f"what tests take is not known: {type(error).__name__}: {error}"
    config.stash[SETTLED], config.stash[WHY] = settled, why
    if settled == DEPS:
        config.pluginmanager.register(_Handing(), f"{HISTORY}-handing")


def _settled(config: pytest.Config, known: argparse.Namespace) -> tuple[str, str]:
    """What is recorded, and why. Raises: OSError, sqlite3.Error."""
    if not runs_tests(known) or ends_early(config):
        return RESULTS, "no test runs"
    if benchmarks_are_judged(config, known):
        return RESULTS, "benchmarks are judged, and nothing is to run beside them"
    suite = _suite(config)
    if suite is None:
        return RESULTS, "no earlier run tells what the tests take"
    from pytest_ciopt.adapters.tracing.monitor import is_available

    if not is_available():
        return RESULTS, "this Python is slow to watch, other than CPython 3.12 and later"
    takes = f"{suite.tests:,} tests take {suite.seconds:.1f} s"
    if suite.toll <= MOST:
        return DEPS, f"{takes}, of which they add about {suite.toll:.1%}"
    return RESULTS, f"{takes}, and they would add more than {MOST:.0%}"


def _suite(config: pytest.Config) -> Suite | None:
    """As known of this environment, else of the one of which most is known."""
    state = where_of(config).state
    if not (state.path / FOLDER).is_dir():
        return None
    from pytest_ciopt.adapters.history.index import ask  # not where there is nothing to ask

    suites, told = ask(state, now(), lambda index: index.suites())
    config.stash.setdefault(MENDED, []).extend(told)
    return suites.get(surroundings().key) or max(suites.values(), default=None)


class _Handing:
    """Tells workers of xdist, each before it loads a conftest file."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        """Before the first of them is started."""
        for spec in specs:
            spec.env[_HANDED] = DEPS
