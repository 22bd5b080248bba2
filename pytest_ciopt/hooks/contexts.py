"""Keeps what each test covers, where somebody measures coverage in the process that runs it."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from pytest_ciopt.adapters import contexts
from pytest_ciopt.adapters.contexts import Measuring
from pytest_ciopt.adapters.coverage_data import running
from pytest_ciopt.hooks.measuring import MEASURING
from pytest_ciopt.hooks.request import where_of
from pytest_ciopt.hooks.shipping import Shipping, has_workers

NAME = "ciopt-contexts"
_THEIRS = "cov_context"
"""The option of pytest-cov that wants contexts in the data."""


class Contexts(Shipping):
    """The way of what tests cover to the one who writes."""

    def __init__(self, config: pytest.Config, write: Callable[[str], None]) -> None:
        super().__init__(config, write, "ciopt_contexts")
        self._contexts: contexts.Contexts | None = None

    @pytest.hookimpl(trylast=True)  # workers of pytest-cov begin to measure now
    def pytest_sessionstart(self) -> None:
        """Watches, unless this process leaves the tests to others."""
        coverage = None if has_workers(self.config) else self._coverage()
        if coverage is None:
            return
        whole = bool(getattr(self.config.option, _THEIRS, None))
        self._contexts = contexts.Contexts(coverage, where_of(self.config).top, whole=whole)
        if self._contexts.start():
            self.cut(self._contexts, f"{NAME}-stretches")
            if whole:
                self.config.pluginmanager.register(Naming(self._contexts), f"{NAME}-naming")
            self.config.add_cleanup(self._contexts.stop)
        elif hasattr(self.config, "workeroutput"):
            self.config.workeroutput[f"{self.key}_problem"] = self._contexts.problem
        else:
            self.problem = self._contexts.problem

    def _coverage(self) -> Measuring | None:
        own = self.config.stash.get(MEASURING, None)
        if own is not None:
            return own.coverage
        plugin: Any = self.config.pluginmanager.getplugin("_cov")
        found: Measuring | None = getattr(getattr(plugin, "cov_controller", None), "cov", None)
        return running() if found is None else found

    @pytest.hookimpl(wrapper=True, trylast=True)  # pytest-cov stops around it
    def pytest_runtestloop(self) -> Generator[None, Any, Any]:
        """All fixtures have ended; the measurement has not."""
        try:
            return (yield)
        finally:
            self.end()

    def add(self, lines: str) -> None:
        """Writes what is known of the whole run only."""
        self.finish(lines)


class Naming:
    """Keeps the contexts that pytest-cov was asked for, by the names that it gives them."""

    def __init__(self, measured: contexts.Contexts) -> None:
        self._contexts = measured

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """The set-up of a test begins."""
        self._contexts.context = f"{item.nodeid}|setup"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """The test itself begins."""
        self._contexts.context = f"{item.nodeid}|run"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """The teardown begins."""
        self._contexts.context = f"{item.nodeid}|teardown"
