"""Gives each test a limit of pytest-timeout that comes from its own history.

A test that hangs is then stopped after a minute or a few times what it ever took, and not after the
hour that the slowest one of the suite may need. Tests that nobody knows have no limit of ours.
"""

import math
from typing import TYPE_CHECKING

import pytest

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.adapters.history.index import UNREADABLE, Index, ask
from pytest_ciopt.core.history.limits import Slowest, limit
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.request import where_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARKER = "timeout"
_PLUGINS = ("timeout", "pytest_timeout")
"""What pytest-timeout is called: as an entry point, and with `-p`."""
_NAME = "ciopt-timeout"


def start(config: pytest.Config) -> None:
    """Registers what sets the limits. Raises: pytest.UsageError."""
    said = config.getoption("ciopt_timeout") or variable("CIOPT_TIMEOUT")
    factor = _factor(str(said or config.getini("ciopt_timeout")))
    if not any(map(config.pluginmanager.hasplugin, _PLUGINS)):
        raise pytest.UsageError("--ciopt-timeout needs pytest-timeout. Install it.")
    config.pluginmanager.register(Timeouts(config, factor), _NAME)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 1 < factor < math.inf:
        raise pytest.UsageError(
            f"--ciopt-timeout is {text!r}. Write how many times its slowest run a test may take, "
            "for example 10."
        )
    return factor


class Timeouts(Breakable):
    """Sets limits where tests are collected, in xdist workers, too."""

    def __init__(self, config: pytest.Config, factor: float) -> None:
        self._factor = factor
        self._told: str | None = None
        self._set = 0
        self._collected = 0
        where = where_of(config)
        self._root, self._state = where.root, where.state

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Marks the tests that are known; a marker of their own stays."""
        self._mark(config, items)

    @harmless
    def _mark(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        self._collected = len(items)
        known = self._known()
        of_all: float | None = getattr(config, "_env_timeout", None)
        for item in items:
            taken = known.get(repository_id(self._root, item.nodeid))
            if taken is None or item.get_closest_marker(_MARKER) is not None:
                continue
            seconds = limit(taken, self._factor)
            if not of_all or seconds < of_all:
                item.add_marker(pytest.mark.timeout(seconds))
                self._set += 1

    def _known(self) -> "Mapping[str, Slowest]":
        try:
            found, _ = ask(self._state, now(), Index.slowest)
        except UNREADABLE as error:
            self._told = f"no test has a limit: the history cannot be read: {error}"
            return {}
        return found

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Only what went wrong, or that nothing was known."""
        told = self._told
        if self.problem is not None:
            told = f"not all tests have a limit: {self.problem}"
        if told is None and self._collected and not self._set:
            told = "no test has a limit of --ciopt-timeout: the history knows none of them"
        if told is not None:
            terminalreporter.write_line(f"ciopt: {told}")
