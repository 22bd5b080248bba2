"""Takes fewer workers for `-n auto` where little is to be run: each costs seconds to start."""

from collections.abc import Generator

import pytest

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.index import UNREADABLE, ask
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.results import Kind
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.selection import Verdict
from pytest_ciopt.core.testfiles import test_modules
from pytest_ciopt.hooks.run import Run
from pytest_ciopt.report.shards import duration

WORTH = 3.0
"""Seconds of tests for which a worker is worth its start, and its own collection of everything."""
_TYPED = "PYTEST_XDIST_AUTO_NUM_WORKERS"


class AutoWorkers:
    """Asked only when the number of workers is `auto` or `logical`, and before the session."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told: str | None = None

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_xdist_auto_num_workers(self) -> Generator[None, int, int]:
        """At most what the machine has."""
        usual = yield
        seconds = self._expected()
        if seconds is None:
            return usual
        worth = int(seconds / WORTH)
        number = min(usual, worth if worth > 1 else 0)
        if number < usual:
            told = f"{number} of {usual} workers: {duration(seconds)} of tests are expected"
            self._told = f"ciopt: {told}"
        return number

    def _expected(self) -> float | None:
        """Seconds, None where all tests run, somebody has said how many, or nobody knows."""
        if self._run.selection.everything is not None or variable(_TYPED) is not None:
            return None
        try:
            return _selected(self._run)
        except Exception:  # of ours: xdist decides
            return None

    def pytest_report_header(self) -> str | None:
        """Says why there are fewer."""
        return self._told


def _selected(run: Run) -> float | None:
    """Of all tests in files of which something runs, but for those that are proved."""
    state = StateDir(run.top / (run.settings.state_dir or ".ciopt"))
    try:
        known, _ = ask(state, now(), lambda index: index.estimates(Kind.TEST))
    except UNREADABLE:
        return None
    seconds: dict[str, float] = {}
    for test, estimate in known.get(surroundings().key, {}).items():
        path = module_of(test)
        counts = test not in run.selection.records.proved
        seconds[path] = seconds.get(path, 0.0) + (estimate.seconds if counts else 0.0)
    files = test_modules(run.selection.modules, run.tests)
    asked = [path for path in files if run.selection.verdict(path) is not Verdict.NONE]
    # A file that was never run may take any time.
    return sum(seconds[path] for path in asked) if seconds.keys() >= set(asked) else None
