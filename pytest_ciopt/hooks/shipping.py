"""Brings lines from the process that runs a test to the one that writes the history.

Under xdist they come with the reports of tests, and, what is known at the end only, with what a
worker says when it is done.
"""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_ciopt.hooks.dependencies import Dependencies
from pytest_ciopt.hooks.lives import Cutter


class Shipping:
    """The way of lines to the one who writes."""

    def __init__(self, config: pytest.Config, write: Callable[[str], None], key: str) -> None:
        """`key` names what is brought: an attribute of test reports, and key in `workeroutput`."""
        self.config = config
        self.problem: str | None = None
        """What went wrong in the processes that ran tests."""
        self._write = write
        self.key, self._problem_key = key, f"{key}_problem"
        self._dependencies: Dependencies | None = None

    def cut(self, cutter: Cutter, name: str) -> None:
        """From now on the stretches of this process are told to `cutter`; `name` is a plugin's."""
        told: dict[str, str] | None = getattr(self.config, "workerinput", None)
        if told is not None:
            cutter.worker = told["workerid"]
        deliver = self._written if told is None else self._attached
        grouped = bool(getattr(self.config.option, "loadgroup", False))
        self._dependencies = Dependencies(cutter, deliver, grouped=grouped)
        self.config.pluginmanager.register(self._dependencies, name)

    def _written(self, report: pytest.TestReport, lines: str) -> None:
        self._write(lines)

    def _attached(self, report: pytest.TestReport, lines: str) -> None:
        setattr(report, self.key, lines)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes what a worker has sent off the report: other plugins write its attributes."""
        if not hasattr(self.config, "workerinput"):
            lines: str | None = report.__dict__.pop(self.key, None)
            if lines is not None:
                self._write(lines)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What a worker knew at its end."""
        output: dict[str, str] = getattr(node, "workeroutput", {})
        self.problem = output.get(self._problem_key) or self.problem
        self.finish(output.get(self.key, ""))

    def end(self) -> None:
        """All fixtures have ended. A worker sends what is left, others write it."""
        if self._dependencies is None:
            return
        lines = self._dependencies.rest()
        problem = self._dependencies.problem
        output: dict[str, object] | None = getattr(self.config, "workeroutput", None)
        if output is None:
            self.problem = problem
            self.finish(lines)
        else:
            output[self.key] = lines
            output[self._problem_key] = problem or ""

    def finish(self, lines: str) -> None:
        """Writes the last lines of a process."""
        self._write(lines)


def has_workers(config: pytest.Config) -> bool:
    """Whether this process leaves the tests to others."""
    return getattr(config.option, "dist", "no") != "no" and bool(getattr(config.option, "tx", None))
