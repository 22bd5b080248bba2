"""Judges what a run covered."""

from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ciopt.adapters.coverage_data import running
from pytest_ciopt.adapters.coverage_report import NoReport, Reporting, measured
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.errors import CioptError
from pytest_ciopt.hooks.measuring import MEASURING
from pytest_ciopt.hooks.options import COVERED, SELECTION
from pytest_ciopt.hooks.request import settings_of, where_of
from pytest_ciopt.hooks.wholeness import Wholeness
from pytest_ciopt.usecases.decide import base_of
from pytest_ciopt.usecases.guarding import Place, Rules, judged, rules, said

if TYPE_CHECKING:
    from pytest_ciopt.core.base import Base, NoBase


def asked(config: pytest.Config) -> Rules:
    """What is asked of coverage. Raises: pytest.UsageError for what means nothing."""
    lines = config.getini("ciopt_cov_fail_under")
    configured = ("", *map(config.getini, COVERED[1:]))
    values = (
        said(getattr(config.option, name), f"--{name.replace('_', '-')}", name, text)
        for name, text in zip(COVERED, configured, strict=True)
    )
    try:
        return rules(lines, *values)
    except CioptError as error:
        raise pytest.UsageError(str(error)) from error


class Covering:
    """The judge of coverage."""

    def __init__(self, config: pytest.Config, asked: Rules) -> None:
        self._config = config
        self._rules = asked
        self.gates = asked.gates
        self.limit = asked.thresholds.total
        """Of the total, None where nothing is asked of it."""
        self.total: Totals | None = None
        """Of a whole run."""

    def judge(self, session: pytest.Session, wholeness: Wholeness) -> list[Verdict]:
        """Verdicts; none where gates are configured and nobody measures."""
        if not self.gates and MEASURING not in self._config.stash:
            return []
        found = self._measured()
        if isinstance(found, str):
            if wholeness.explicit or self._config.stash.get(MEASURING, None) is not None:
                return [Verdict(gate, Ruling.UNKNOWN, found) for gate in self.gates]
            return []
        partial = next(chain(wholeness.cuts(session), wholeness.selected()), None)
        # All tests that the change can affect are enough for what it changed.
        partial_patch = next(wholeness.cuts(session), None)
        self.total = coverage.total(found) if partial is None else None
        return judged(self._rules, found, self._place(), partial, partial_patch)

    def _measured(self) -> Measured | str:
        """Or why nothing is."""
        own = self._config.stash.get(MEASURING, None)
        plugin: Any = self._config.pluginmanager.getplugin("_cov")
        try:
            if own is not None:
                with own.combined() as whole:
                    return measured(whole, where_of(self._config).top)
            found: Reporting | None = running()
            if plugin is not None and not getattr(plugin.options, "no_cov", False):
                found = getattr(plugin.cov_controller, "cov", None)
            if found is None:
                return "coverage is not measured: say --cov or --ciopt-cov"
            if found is running() and getattr(self._config.option, "tx", None):
                return "workers are measured apart: combine, and let `ciopt check` judge"
            return measured(found, where_of(self._config).top)
        except NoReport as error:
            return error.what

    def _place(self) -> Place:
        where = where_of(self._config)
        base: Base | NoBase | None = None
        selection: Any = self._config.pluginmanager.getplugin(SELECTION)
        if selection is not None and selection.run.asked:
            base = selection.run.decided.base
        elif where.git is not None:
            try:
                base = base_of(where.git, settings_of(self._config, self._config.option))
            except GitError:
                base = None
        return Place(where.git, where.state, base)
