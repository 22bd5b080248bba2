"""Begins to watch what tests depend on, and brings it to the process that writes.

Watching begins before conftest files are imported, for what they run belongs to the record, too.
"""

import argparse
from collections.abc import Callable

import pytest

from pytest_ciopt.adapters.environment import digests
from pytest_ciopt.adapters.tracing.tracer import Tracer, can_trace, tracer_for
from pytest_ciopt.core.history.trace_encoding import encoded_trace, executed_in
from pytest_ciopt.hooks.options import VARIABLES, WATCHED, contexts_are_asked
from pytest_ciopt.hooks.shipping import Shipping, has_workers

_TRACER = pytest.StashKey[Tracer]()
_UNAVAILABLE = "dependencies are recorded on CPython only; results are recorded"
_TAKEN = "dependencies are not recorded: other tools that watch Python left no place"


def watch(config: pytest.Config, known: argparse.Namespace) -> None:
    """Begins, where this Python can do it. More than once does no harm."""
    if _TRACER in config.stash or not can_trace():
        return
    if watched := config.getini(WATCHED):
        config.stash[VARIABLES] = digests(watched)
    # What a test covers is kept of this process alone: whoever starts others has to run again.
    children = not contexts_are_asked(config, known)
    tracer = tracer_for(config.rootpath, children=children)
    if tracer.start():
        config.stash[_TRACER] = tracer
        config.add_cleanup(tracer.stop)


class Traces(Shipping):
    """The way of traces to the one who writes."""

    def __init__(self, config: pytest.Config, write: Callable[[str], None]) -> None:
        def counted(lines: str) -> None:
            self.executed += executed_in(lines)
            write(lines)

        super().__init__(config, counted, "ciopt_traces")
        self.executed = 0
        """Functions that tests executed, those of each test counted for it."""
        self._impossible: str | None = None
        self._last = ""
        """What was known at the end only, of all processes."""

    def start(self) -> None:
        """Cuts stretches, unless this process leaves the tests to others."""
        tracer = self.config.stash.get(_TRACER, None)
        if tracer is None:
            self._impossible = _TAKEN if can_trace() else _UNAVAILABLE
        elif has_workers(self.config):
            tracer.stop()
        else:
            self.cut(tracer, "ciopt-history-dependencies")

    @property
    def told(self) -> str | None:
        """Why dependencies are not, or not all, recorded."""
        if self.problem:
            return f"dependencies are recorded only in part: {self.problem}"
        return self._impossible

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """All fixtures have ended."""
        self.end()

    def finish(self, lines: str) -> None:
        """Keeps them as well: they tell what was loaded."""
        self._last += lines
        super().finish(lines)

    def keep_sources(self) -> None:
        """Writes fingerprints of sources that git does not have. An error of ours is told."""
        from pytest_ciopt.usecases.fingerprint import fingerprints, loaded_in

        try:
            tracer = self.config.stash.get(_TRACER, None)
            git = None if tracer is None else tracer.git  # without it nothing can be selected
            loaded = loaded_in(self._last.encode("ascii"))
            for source in fingerprints(git, loaded) if git is not None and loaded else ():
                super().finish(encoded_trace(source).decode("ascii"))
        except Exception as error:
            self._impossible = f"sources are not recorded: {type(error).__name__}: {error}"
