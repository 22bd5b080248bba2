"""Takes what pytest-benchmark measured in a test, in the process that runs it.

It is there only where somebody wants it and pytest-benchmark is loaded. In workers of xdist the
latter measures nothing, so that nothing is taken either.
"""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from pytest_ciopt.adapters.clock import elapsed
from pytest_ciopt.adapters.machine import busy, machine
from pytest_ciopt.core.history.records import Benchmark
from pytest_ciopt.core.history.rounds import clock_of, summed_up
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.options import BENCH

FIXTURE = "benchmark"


def is_benchmark(item: pytest.Item) -> bool:
    """Whether a test uses the fixture."""
    return FIXTURE in getattr(item, "fixturenames", ())


def limit_of(item: pytest.Item) -> str | None:
    """How much slower a benchmark may become, where its marker says so."""
    marker = item.get_closest_marker(BENCH)
    return None if marker is None else str(marker.kwargs.get("fail", *marker.args[:1]))


_Take = Callable[[Benchmark], None]
_NAME = "ciopt-rounds"


def taken_by(config: pytest.Config, take: _Take) -> "Rounds":
    """Hands what this process measures to one more."""
    rounds: Rounds | None = config.pluginmanager.getplugin(_NAME)
    if rounds is None:
        rounds = Rounds()
        config.pluginmanager.register(rounds, _NAME)
    rounds.takers.append(take)
    return rounds


class Rounds(Breakable):
    """Hands on what was measured, when the test has passed."""

    def __init__(self) -> None:
        self.takers: list[_Take] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Where no test is a benchmark, none has to pay for being watched."""
        if not any(map(is_benchmark, session.items)):
            session.config.pluginmanager.unregister(self)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Times the call on both clocks; a test that fails raises past the rest."""
        if not is_benchmark(item):
            return (yield)
        began, ran = elapsed(), busy()
        result = yield
        self._measured(item, elapsed() - began, busy() - ran)
        return result

    @harmless
    def _measured(self, item: pytest.Item, took: float, ran: float) -> None:
        fixture: Any = getattr(item, "funcargs", {}).get(FIXTURE)
        stats: Any = getattr(fixture, "stats", None)
        values = [] if stats is None else list(stats.stats.data)
        if not values or stats.has_error:  # it is disabled, or was not called
            return
        timer = stats.options["timer"]
        name = getattr(timer, "__name__", str(timer))
        share = min(ran / took, 1.0) if took > 0 else None
        clock = clock_of(name)
        found = summed_up(item.nodeid, values, stats.iterations, clock, machine(), share)
        found = found._replace(limit=limit_of(item))
        for take in self.takers:
            take(found)
