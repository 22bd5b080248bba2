"""Begins to watch what tests depend on, and brings it to the process that writes.

Watching begins before conftest files are imported, for what they run belongs to the record, too.
"""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_ciopt.adapters.tracing.tracer import Tracer, can_trace, tracer_for
from pytest_ciopt.core.history.trace_encoding import encoded_trace
from pytest_ciopt.hooks.dependencies import Deliver, Dependencies

_TRACER = pytest.StashKey[Tracer]()
_KEY = "ciopt_traces"
"""Attribute of a test report, and key in `workeroutput`."""
_PROBLEM = "ciopt_traces_problem"
_UNAVAILABLE = "dependencies are recorded on CPython only; results are recorded"
_TAKEN = "dependencies are not recorded: other tools that watch Python left no place"


def watch(config: pytest.Config) -> None:
    """Begins, where this Python can do it. More than once does no harm."""
    if _TRACER in config.stash or not can_trace():
        return
    tracer = tracer_for(config.rootpath)
    if tracer.start():
        config.stash[_TRACER] = tracer
        config.add_cleanup(tracer.stop)


class Traces:
    """The way of traces to the one who writes."""

    def __init__(self, config: pytest.Config, write: Callable[[str], None]) -> None:
        self._config = config
        self._write = write
        self._problem: str | None = None
        self._dependencies: Dependencies | None = None
        self._last = ""
        """What was known at the end only, of all processes."""

    def start(self) -> None:
        """Cuts stretches, unless this process leaves the tests to others."""
        config = self._config
        tracer = config.stash.get(_TRACER, None)
        if tracer is None:
            self._problem = _TAKEN if can_trace() else _UNAVAILABLE
        elif _has_workers(config):
            tracer.stop()
        else:
            told: dict[str, str] | None = getattr(config, "workerinput", None)
            deliver: Deliver = _attached
            if told is None:
                deliver = self._written
            else:
                tracer.worker = told["workerid"]
            grouped = bool(getattr(config.option, "loadgroup", False))
            self._dependencies = Dependencies(tracer, deliver, grouped=grouped)
            config.pluginmanager.register(self._dependencies, "ciopt-history-dependencies")

    def _written(self, report: pytest.TestReport, lines: str) -> None:
        self._write(lines)

    @property
    def told(self) -> str | None:
        """Why dependencies are not, or not all, recorded."""
        return self._problem

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes what a worker has sent off the report: other plugins write its attributes."""
        if not hasattr(self._config, "workerinput"):
            lines: str | None = report.__dict__.pop(_KEY, None)
            if lines is not None:
                self._write(lines)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What a worker knew at its end."""
        output: dict[str, str] = getattr(node, "workeroutput", {})
        self._problem = output.get(_PROBLEM) or self._problem
        self._finish(output.get(_KEY, ""))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """All fixtures have ended. A worker sends what is left, others write it."""
        if self._dependencies is None:
            return
        lines = self._dependencies.rest()
        problem = self._dependencies.problem
        if problem is not None:
            problem = f"dependencies are recorded only in part: {problem}"
        output: dict[str, object] | None = getattr(self._config, "workeroutput", None)
        if output is None:
            self._problem = problem
            self._finish(lines)
        else:
            output[_KEY] = lines
            output[_PROBLEM] = problem or ""

    def _finish(self, lines: str) -> None:
        self._last += lines
        self._write(lines)

    def keep_sources(self) -> None:
        """Writes fingerprints of sources that git does not have. An error of ours is told."""
        from pytest_ciopt.usecases.fingerprint import fingerprints, loaded_in

        try:
            loaded = loaded_in(self._last.encode("ascii"))
            for source in fingerprints(self._config.rootpath, loaded) if loaded else ():
                self._write(encoded_trace(source).decode("ascii"))
        except Exception as error:
            self._problem = f"sources are not recorded: {type(error).__name__}: {error}"


def _has_workers(config: pytest.Config) -> bool:
    return getattr(config.option, "dist", "no") != "no" and bool(getattr(config.option, "tx", None))


def _attached(report: pytest.TestReport, lines: str) -> None:
    setattr(report, _KEY, lines)
