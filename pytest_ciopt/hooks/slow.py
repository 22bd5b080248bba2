"""Reports, skips or runs alone the tests that are slow by their history, or marked so."""

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_ciopt.adapters.history.index import UNREADABLE
from pytest_ciopt.core.gates.durations import Slowness, limit, slowness
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.errors import CioptError
from pytest_ciopt.hooks.lasting import Took, expected_here
from pytest_ciopt.hooks.request import where_of
from pytest_ciopt.report import slow as told

_NAME = "ciopt-slow"
_KEY = "ciopt_slow"
"""In `workerinput`: all workers leave out the same."""
_MARKER = "slow"
_USUAL = "1 s"


def start(config: pytest.Config) -> None:
    """Registers what chooses, and, where all tests are reported, what tells.

    Raises: pytest.UsageError for a threshold that is none.
    """
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    if workerinput is not None:
        config.pluginmanager.register(Slow(config, workerinput[_KEY]), _NAME)
        return
    try:
        threshold = slowness(config.getini("ciopt_slow_threshold") or _USUAL)
    except CioptError as error:
        raise pytest.UsageError(str(error)) from error
    report = Report(config, threshold)
    config.pluginmanager.register(Slow(config, report.slow), _NAME)
    config.pluginmanager.register(report, f"{_NAME}-report")
    config.pluginmanager.register(report.took, f"{_NAME}-took")
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(Controller(report.slow), f"{_NAME}-controller")


class Slow:
    """Chooses among the tests, in each process that runs some."""

    def __init__(self, config: pytest.Config, slow: Mapping[str, float]) -> None:
        """`slow` are seconds of tests by id."""
        self._mode: str = config.option.ciopt_slow
        self._slow = slow
        self._root = where_of(config).root

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Skipped tests are reported as skipped; what is not slow under `only` is deselected."""
        why = {item: self._why(item) for item in items}
        if self._mode == "skip":
            for item, reason in why.items():
                if reason is not None:
                    item.add_marker(pytest.mark.skip(reason=f"{reason} (--ciopt-slow=skip)"))
        elif self._mode == "only":
            others = [item for item in items if why[item] is None]
            items[:] = [item for item in items if why[item] is not None]
            if others:
                config.hook.pytest_deselected(items=others)

    def _why(self, item: pytest.Item) -> str | None:
        """Why a test is slow; None if it is not."""
        seconds = self._slow.get(repository_id(self._root, item.nodeid))
        if seconds is not None:
            return f"it takes {told.shown(seconds)}"
        return "it is marked slow" if item.get_closest_marker(_MARKER) is not None else None


class Controller:
    """Tells the workers."""

    def __init__(self, slow: Mapping[str, float]) -> None:
        self._slow = dict(slow)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Before a worker starts."""
        node.workerinput[_KEY] = self._slow


class Report:
    """What is slow, and what has become so."""

    def __init__(self, config: pytest.Config, threshold: Slowness) -> None:
        self.took = Took(config)
        self._told: str | None = None
        try:
            expected = expected_here(config)
        except UNREADABLE as error:
            expected = {}
            self._told = f"the history cannot be read: {error}"
        self._limit = limit(threshold, expected)
        self._known = expected.keys()
        self.slow = {
            test: one.seconds for test, one in expected.items() if one.seconds > self._limit
        }

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A few lines."""
        config = terminalreporter.config
        if config.option.collectonly or config.getoption("no_summary", False):
            return
        terminalreporter.write_sep("=", "slow tests (ciopt)")
        if self._told is not None:
            terminalreporter.write_line(self._told)
        took = self.took.seconds()
        for line in told.summary(took, self.slow, self._known, self._limit):
            terminalreporter.write_line(line)
