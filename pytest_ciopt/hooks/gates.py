"""Asks the judges at the end of a run, and makes it fail when a gate does."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_ciopt.adapters.environment import environ
from pytest_ciopt.adapters.paths import write_text
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.records import Gated, Judged
from pytest_ciopt.errors import reason
from pytest_ciopt.hooks.covering import Covering, asked
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.lasting import Lasting
from pytest_ciopt.hooks.measuring import MEASURING
from pytest_ciopt.hooks.options import GATED, HISTORY, QUALITY, benchmarks_are_judged
from pytest_ciopt.hooks.own_gates import Own
from pytest_ciopt.hooks.request import file_of, resolved, switch
from pytest_ciopt.hooks.wholeness import Wholeness
from pytest_ciopt.report import gates as told

if TYPE_CHECKING:
    from pytest_ciopt.hooks.contexts import Contexts

_NAME = "ciopt-gates"
_GOOD = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
_QUIET = -1


def start(config: pytest.Config) -> None:
    """Registers what judges, or, in a worker, what keeps its measurement.

    Raises: pytest.UsageError for what means nothing.
    """
    rules, lasting = asked(config), Lasting(config)
    contexts = _contexts(config)
    benching = tuple(_benching(config))
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(config), _NAME)
    elif not config.option.collectonly:
        wholeness = Wholeness(config)
        covering = Covering(config, rules, contexts)
        config.pluginmanager.register(wholeness, f"{_NAME}-wholeness")
        judges: tuple[Judge, ...] = (covering, lasting, *benching, Own(config))
        gates = Gates(config, covering, judges, wholeness)
        config.pluginmanager.register(gates, _NAME)


def _benching(config: pytest.Config) -> "Iterator[Judge]":
    """The judge of benchmarks, if anything is asked of them."""
    if benchmarks_are_judged(config) and not config.option.collectonly:
        from pytest_ciopt.hooks import benching

        judge = benching.start(config)
        if judge is not None:
            yield judge


def _contexts(config: pytest.Config) -> "Contexts | None":
    """Keeps what each test covers, if that is asked for."""
    if config.option.collectonly or not switch(config, config.option, "ciopt_cov_reconstruct"):
        return None
    from pytest_ciopt.hooks.contexts import NAME, Contexts

    contexts = Contexts(config, partial(_write, config))
    config.pluginmanager.register(contexts, NAME)
    return contexts


def _write(config: pytest.Config, lines: str) -> None:
    """Where the run is recorded."""
    remembering: Any = config.pluginmanager.getplugin(HISTORY)
    if remembering is not None:
        remembering.add_covered(lines)


class Judge(Protocol):
    """What has gates, and verdicts in the end."""

    gates: list[str]

    def judge(self, session: pytest.Session, wholeness: Wholeness) -> list[Verdict]:
        """A verdict a gate, or none at all."""


class Worker:
    """In a worker of xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._measuring = config.stash.get(MEASURING, None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Before the controller hears that it is done."""
        if self._measuring is not None:
            self._measuring.stop()


class Asked(Breakable):
    """One judge, whose errors are its own."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.verdicts: list[Verdict] = []

    def ask(self, session: pytest.Session, wholeness: Wholeness) -> list[Verdict]:
        """An error of ours can tell nothing, and fails nothing."""
        self._ask(session, wholeness)
        if self.problem is not None:
            why = f"pytest-ciopt failed with {self.problem}"
            gates = self._judge.gates or ["coverage"]  # only that is judged without a gate
            return [Verdict(gate, Ruling.UNKNOWN, why) for gate in gates]
        return self.verdicts

    @harmless
    def _ask(self, session: pytest.Session, wholeness: Wholeness) -> None:
        self.verdicts = self._judge.judge(session, wholeness)


class Gates:
    """In the process that hears of all tests."""

    def __init__(
        self,
        config: pytest.Config,
        covering: Covering,
        judges: "tuple[Judge, ...]",
        wholeness: Wholeness,
    ) -> None:
        self._config = config
        self._covering, self._judges = covering, judges
        self._wholeness = wholeness
        self._other: float | None = getattr(config.option, "cov_fail_under", None)
        """The limit of pytest-cov, which a selection suspends."""
        self.verdicts: list[Verdict] = []
        self._unwritten: str | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Only what would have been a success fails."""
        self.verdicts = [
            one for judge in self._judges for one in Asked(judge).ask(session, self._wholeness)
        ]
        self._write()
        kept = tuple(Judged(one.gate, one.ruling.value, one.why) for one in self.verdicts)
        self._config.stash[GATED] = Gated(self._covering.total, kept)
        failed = any(one.ruling is Ruling.FAIL for one in self.verdicts)
        if failed and session.exitstatus in _GOOD:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self) -> None:
        file = file_of(self._config, self._config.option, QUALITY)
        if file is None:
            return
        try:
            write_text(Path(resolved(self._config, file)), told.code_quality(self.verdicts))
        except OSError as error:
            self._unwritten = f"--ciopt-code-quality: {file} cannot be written: {reason(error)}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Each verdict; under `-q` those that are no success."""
        quiet = self._config.get_verbosity() <= _QUIET
        shown = [one for one in self.verdicts if not quiet or one.ruling is not Ruling.PASS]
        notes = [*self._covering.notes, *filter(None, [self._unwritten])]
        if not (shown or notes) or self._config.getoption("no_summary", False):
            return
        terminalreporter.write_sep("=", "gates (ciopt)")
        for line in notes:
            terminalreporter.write_line(line)
        for verdict in shown:
            for line in told.lines(verdict):
                terminalreporter.write_line(line, red=verdict.ruling is Ruling.FAIL)
        for line in told.beside(self._covering.limit, self._other):
            terminalreporter.write_line(line)
        for line in told.annotations(self.verdicts, environ()):
            terminalreporter.write_line(line)
