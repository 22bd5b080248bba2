"""Measures what tests share: imports and collection of modules, fixtures of wider scope.

It runs in the process that runs the tests. The figures travel with the next test report, so that
a worker that dies takes only those with it that it had not sent.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import pytest

from pytest_ciopt.adapters.clock import elapsed
from pytest_ciopt.core.history.records import FixtureCost, ModuleCost
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.options import REASON, SELECTION

COSTS = "ciopt_costs"
"""Of a test report; plain lists, for xdist ships nothing else."""


class Costs(Breakable):
    """Collects figures, in seconds, until a report can carry them."""

    def __init__(self) -> None:
        self._pending: list[list[object]] = []
        self._imports: dict[str, float] = {}
        self._within = 0.0
        """Set-ups of wider fixtures inside the one that is being set up."""
        self._shared = 0.0
        """Spent on wider fixtures in the present phase of a test."""
        self._narrow: set[pytest.FixtureDef[Any]] = set()
        """Definitions known to be of a test's own scope: to ask them takes longer than all the rest
        that is done for their fixtures."""
        self._reasons: dict[str, str] = {}

    # --- modules ---------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Times test modules, the import apart from the rest."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        self._time_import(collector)
        began = elapsed()
        report = yield
        self._collected(collector.nodeid, elapsed() - began)
        return report

    @harmless
    def _time_import(self, module: pytest.Module) -> None:
        """pytest has no hook around the import, only the method that does it."""
        load: Callable[[], object] = module._getobj

        def timed() -> object:
            began = elapsed()
            try:
                return load()
            finally:
                self._imports[module.nodeid] = elapsed() - began

        module._getobj = timed  # type: ignore[method-assign]

    @harmless
    def _collected(self, nodeid: str, took: float) -> None:
        imported = self._imports.pop(nodeid, 0.0)
        self._pending.append(["module", nodeid, imported, took - imported])

    # --- fixtures --------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Times fixtures that several tests share, without those that they ask for."""
        if fixturedef in self._narrow:
            return (yield)
        if fixturedef.scope == "function":
            self._narrow.add(fixturedef)
            return (yield)
        life = _Life()
        # Finalizers run in reverse: this one behind those of the fixture itself. Not the hook that
        # pytest has for it, which each fixture of each test would call.
        fixturedef.addfinalizer(lambda: self._torn_down(fixturedef, life))
        outer, self._within = self._within, 0.0
        began = elapsed()
        try:
            return (yield)
        finally:
            self._set_up(fixturedef, life, elapsed() - began, outer)

    @harmless
    def _set_up(
        self, fixturedef: pytest.FixtureDef[Any], life: "_Life", took: float, outer: float
    ) -> None:
        life.setup = max(0.0, took - self._within)
        self._within = outer + took
        self._shared += life.setup
        fixturedef.addfinalizer(life.ends)  # before those of the fixture itself

    @harmless
    def _torn_down(self, fixturedef: pytest.FixtureDef[Any], life: "_Life") -> None:
        teardown = elapsed() - life.ending if life.ending is not None else 0.0
        self._shared += teardown
        name, scope, place = fixturedef.argname, fixturedef.scope, fixturedef.baseid or ""
        self._pending.append(["fixture", name, scope, place, life.setup, teardown])

    # --- the way to the one who writes -----------------------------------------------------------

    @harmless
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Notes why a selection keeps the tests that it keeps."""
        if not session.config.pluginmanager.hasplugin(SELECTION):
            return
        told = ((item.nodeid, item.stash.get(REASON, None)) for item in session.items)
        self._reasons = {nodeid: reason for nodeid, reason in told if reason is not None}

    def carry(self, report: pytest.TestReport) -> None:
        """Hands what has gathered to the report: to most reports nothing."""
        if self._pending or self._shared or self._reasons:
            self._hand_over(report)
        if self.problem is not None:
            setattr(report, COSTS, [["problem", self.problem]])

    @harmless
    def _hand_over(self, report: pytest.TestReport) -> None:
        carried, self._pending = self._pending, []
        if self._shared:
            carried.append(["shared", self._shared])
            self._shared = 0.0
        if report.when == "setup" and (reason := self._reasons.get(report.nodeid)) is not None:
            carried.append(["selected", reason])
        if carried:
            setattr(report, COSTS, carried)


class _Life:
    """Of a fixture, from its set-up to its teardown."""

    def __init__(self) -> None:
        self.setup = 0.0
        """Seconds."""
        self.ending: float | None = None
        """When the teardown began."""

    def ends(self) -> None:
        """The teardown begins."""
        self.ending = elapsed()


class Sending:
    """In a worker of xdist, where the one who writes is another process."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs

    @pytest.hookimpl(tryfirst=True)  # before xdist sends the report
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Lets the report carry what has been measured."""
        self._costs.carry(report)


def sent_with(report: pytest.TestReport) -> "Sent":
    """What a report carries that has the attribute `COSTS`; most reports have none."""
    return Sent(getattr(report, COSTS))


class Sent:
    """What came with a report from the process that ran the test."""

    def __init__(self, carried: Sequence[list[Any]]) -> None:
        self._carried = carried
        self.shared = 0.0
        """Seconds that fixtures of wider scope took of the phase."""
        self.selected: str | None = None
        """Why a selection chose the test."""
        self.problem: str | None = None
        """Why the process measures no more, None when it does."""
        for kind, *values in self._carried:
            if kind in ("shared", "selected", "problem"):
                setattr(self, kind, values[0])

    def costs(self, worker: str | None) -> Iterator[ModuleCost | FixtureCost]:
        """What has been measured of modules and fixtures."""
        for kind, *values in self._carried:
            if kind == "module":
                path, imported, collected = values
                yield ModuleCost(path, imported, collected, worker)
            elif kind == "fixture":
                name, scope, place, setup, teardown = values
                yield FixtureCost(name, scope, place, setup, teardown, worker)
