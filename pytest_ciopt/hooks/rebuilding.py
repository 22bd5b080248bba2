"""Keeps at the end of a run what it covered in all, and adds what the tests cover that a selection
left out."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import pytest

from pytest_ciopt.adapters.contexts import last_lines
from pytest_ciopt.adapters.coverage_report import (
    Reporting,
    elements_of,
    holding,
    measured,
    settings_id,
    tracers_of,
)
from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.core.base import Base
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.history.covered import CoveredRun
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.hooks.contexts import Contexts
from pytest_ciopt.hooks.measuring import MEASURING
from pytest_ciopt.hooks.options import ARGUMENTS, SELECTION
from pytest_ciopt.hooks.request import Where, where_of
from pytest_ciopt.hooks.run import Run
from pytest_ciopt.report.gates import reconstructed
from pytest_ciopt.report.outcome import Outcome
from pytest_ciopt.usecases import rebuilding
from pytest_ciopt.usecases.rebuilding import Collected, NotStored, rebuild


@dataclass(frozen=True, slots=True)
class PutTogether:
    """The coverage of a whole run, of which only a part ran."""

    measured: Measured
    doubts: tuple[str, ...]
    """Why it may not be exact."""
    told: str
    """From what it was put together, with its total."""


class Rebuilding:
    """At the end of a run whose tests were watched one by one."""

    def __init__(self, config: pytest.Config, contexts: Contexts) -> None:
        self._config, self._contexts = config, contexts
        self._scope = scope_of(config)

    @property
    def problem(self) -> str | None:
        """Why what each test covers is not known."""
        return self._contexts.problem

    def keep(self, live: Reporting, *, whole: bool) -> None:
        """Of a run or a shard; `whole` where nothing was left out by a selection."""
        if self.problem is None:
            where = where_of(self._config)
            covered, branches = elements_of(live, where.top)
            last = CoveredRun(branches, whole, (), self._scope, settings_id(live))
            self._contexts.add(last_lines(covered, last, where.top))

    def put_together(self, live: Reporting) -> PutTogether:
        """Of a run whose selection left tests out. Raises: NotStored, GitError, NoReport."""
        selection: Any = self._config.pluginmanager.getplugin(SELECTION)
        run: Run = selection.run
        where, base = where_of(self._config), run.decided.base
        if where.git is None or not isinstance(base, Base):
            raise NotStored("there is no base")
        covered, branches = elements_of(live, where.top)
        tests = _tests(run, where)
        settings = settings_id(live)
        now = rebuilding.Ran(covered, branches, self._scope, settings)
        found, branches = rebuild(now, tests, base.commit, where.git, where.state)
        if self.problem is None:
            gone = tuple(sorted(found.gone))
            last = CoveredRun(branches, False, (), self._scope, settings, gone, found.doubts)
            self._contexts.add(last_lines(covered, last, where.top))
        own = self._config.stash.get(MEASURING, None)
        target = None if own is None else own.target
        tracers = tracers_of(live, where.top)
        with holding(found.covered, where.top, tracers, target, branches=branches) as whole:
            files = measured(whole, where.top)
        told = reconstructed(found.stored, found.ran, coverage.total(files))
        return PutTogether(files, found.doubts, told)


_SCOPE = ("keyword", "markexpr", "ignore", "ignore_glob", "deselect", "doctestmodules")
"""Options of pytest by which tests are chosen."""


def scope_of(config: pytest.Config) -> str:
    """Fingerprint of what a run is asked to collect and to leave out, wherever that is said."""
    top, folder = where_of(config).top, config.invocation_params.dir
    places = []
    for argument in config.stash.get(ARGUMENTS, config.args):
        path, _, within = argument.partition("::")
        places.append(f"{place_of(folder / path, top)}::{within}")
    said = [str(getattr(config.option, name, None) or "") for name in _SCOPE]
    text = repr((sorted(places), said))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _tests(run: Run, where: Where) -> Collected:
    """As the run has collected them."""
    outcome: Outcome = run.outcome
    by_choice: dict[bool, set[str]] = {True: set(), False: set()}
    for test in outcome.tests:
        by_choice[test.selected].add(repository_id(where.root, test.nodeid))
    return Collected(
        ran=frozenset(by_choice[True]),
        left_out=frozenset(by_choice[False]),
        unread=outcome.dropped_modules.keys() | outcome.dropped_files,
        proved=run.selection.records.proved,
    )
