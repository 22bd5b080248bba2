"""Asks at the end of a run whether it covered enough, and makes it fail when it did not."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ciopt.adapters.coverage_data import running
from pytest_ciopt.adapters.coverage_report import NoReport, Reporting, measured
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.adapters.git import GitError
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.options import names_in
from pytest_ciopt.core.history.records import Gated, Judged
from pytest_ciopt.errors import CioptError
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.measuring import MEASURING
from pytest_ciopt.hooks.options import COVERED, GATED, SELECTION, SHARD
from pytest_ciopt.hooks.request import settings_of, where_of
from pytest_ciopt.report import gates as told
from pytest_ciopt.usecases.decide import base_of
from pytest_ciopt.usecases.guarding import Place, Rules, Said, judged, rules

if TYPE_CHECKING:
    from pytest_ciopt.core.base import Base, NoBase

_NAME = "ciopt-gates"
_NARROW = frozenset(("-k", "--deselect", "--last-failed", "--lf", "--stepwise", "--sw"))
_CHOSEN = frozenset(("-m", "--ignore"))
"""Meant, where the gate is asked for beside them."""
_WHOLE = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
_GOOD = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
_QUIET = -1


def start(config: pytest.Config) -> None:
    """Registers what judges, or, in a worker, what keeps its measurement.

    Raises: pytest.UsageError for what means nothing.
    """
    asked = _asked(config)
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(config), _NAME)
    elif not config.option.collectonly:
        config.pluginmanager.register(Gates(config, asked), _NAME)


def _asked(config: pytest.Config) -> Rules:
    lines = config.getini("ciopt_cov_fail_under")
    total = _said(config, "ciopt_cov_fail_under", "")
    try:
        return rules(lines, total, *(_said(config, n, config.getini(n)) for n in COVERED[1:]))
    except CioptError as error:
        raise pytest.UsageError(str(error)) from error


def _said(config: pytest.Config, name: str, configured: str) -> Said | None:
    """Flag, environment, ini."""
    flag: str | None = getattr(config.option, name)
    if flag is not None:
        return flag, f"--{name.replace('_', '-')}"
    if value := variable(name.upper()):
        return value, name.upper()
    return (configured, name) if configured else None


class Worker(Breakable):
    """In a worker of xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._measuring = config.stash.get(MEASURING, None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Before the controller hears that it is done."""
        if self._measuring is not None:
            self._measuring.stop()


class Gates(Breakable):
    """In the process that hears of all tests."""

    def __init__(self, config: pytest.Config, asked: Rules) -> None:
        self._config = config
        self._rules = asked
        self._uncollected = 0
        self._other: float | None = getattr(config.option, "cov_fail_under", None)
        """The limit of pytest-cov, which a selection suspends."""
        self.verdicts: list[Verdict] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be collected leaves its tests out."""
        self._uncollected += report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Only what would have been a success fails; an error of ours fails nothing."""
        self._judge(session)
        if self.problem is not None:
            why = f"pytest-ciopt failed with {self.problem}"
            self.verdicts = [Verdict(g, Ruling.UNKNOWN, why) for g in self._rules.gates]
        failed = any(one.ruling is Ruling.FAIL for one in self.verdicts)
        if failed and session.exitstatus in _GOOD:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @harmless
    def _judge(self, session: pytest.Session) -> None:
        found = self._measured()
        partial = self._partial(session)
        if isinstance(found, str):
            # Where gates are configured and nothing is measured, nobody asked for them now.
            if self._is_explicit() or self._config.stash.get(MEASURING, None) is not None:
                self.verdicts = [Verdict(g, Ruling.UNKNOWN, found) for g in self._rules.gates]
            return
        # All tests that the change can affect are enough for what it changed.
        partial_patch = next(self._cuts(session), None)
        self.verdicts = judged(self._rules, found, self._place(), partial, partial_patch)
        self._config.stash[GATED] = Gated(
            coverage.total(found) if partial is None else None,
            tuple(Judged(one.gate, one.ruling.value, one.why) for one in self.verdicts),
        )

    def _measured(self) -> Measured | str:
        """Or why nothing is."""
        own = self._config.stash.get(MEASURING, None)
        plugin: Any = self._config.pluginmanager.getplugin("_cov")
        try:
            if own is not None:
                with own.combined() as whole:
                    return measured(whole, self._top())
            found: Reporting | None = running()
            if plugin is not None and not getattr(plugin.options, "no_cov", False):
                found = getattr(plugin.cov_controller, "cov", None)
            if found is None:
                return "coverage is not measured: say --cov or --ciopt-cov"
            return measured(found, self._top())
        except NoReport as error:
            return error.what

    def _top(self) -> Path:
        return where_of(self._config).top

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

    def _is_explicit(self) -> bool:
        return any(getattr(self._config.option, name) is not None for name in COVERED)

    def _partial(self, session: pytest.Session) -> str | None:
        """Why not all tests ran that a whole run has; None for a whole one."""
        return next(chain(self._cuts(session), self._selected()), None)

    def _selected(self) -> Iterator[str]:
        plugin: Any = self._config.pluginmanager.getplugin(SELECTION)
        if plugin is not None and (plugin.run.outcome.partial or plugin.run.ends_early):
            yield "only the tests ran that the change can affect"

    def _cuts(self, session: pytest.Session) -> Iterator[str]:
        sharding: Any = self._config.pluginmanager.getplugin(SHARD)
        if sharding is not None and sharding.position.shards > 1:
            yield f"this is shard {sharding.position}"
        if session.exitstatus not in _WHOLE or session.shouldfail or session.shouldstop:
            yield "the run was cut short"
        if self._uncollected:
            yield "not all test modules could be collected"
        yield from self._asked_for_less()

    def _asked_for_less(self) -> Iterator[str]:
        given = set(names_in(map(str, self._config.invocation_params.args)))
        refused = _NARROW if self._is_explicit() else _NARROW | _CHOSEN
        if narrowed := sorted(given & refused):
            yield f"the run was narrowed with {narrowed[0]}"
        if self._config.args_source is pytest.Config.ArgsSource.ARGS:
            folder = self._config.invocation_params.dir
            for argument in self._config.args:
                is_folder = (folder / argument.partition("::")[0]).is_dir()
                if not is_folder or "::" in argument or not self._is_explicit():
                    yield f"the run was narrowed to {argument}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Each verdict; under `-q` those that are no success."""
        quiet = self._config.get_verbosity() <= _QUIET
        shown = [one for one in self.verdicts if not quiet or one.ruling is not Ruling.PASS]
        if not shown or self._config.getoption("no_summary", False):
            return
        terminalreporter.section("gates (ciopt)")
        for verdict in shown:
            for line in told.lines(verdict):
                terminalreporter.write_line(line, red=verdict.ruling is Ruling.FAIL)
        for line in told.beside(self._rules.thresholds.total, self._other):
            terminalreporter.write_line(line)
        if variable("GITHUB_ACTIONS") == "true":
            for line in told.annotations(self.verdicts):
                terminalreporter.write_line(line)
