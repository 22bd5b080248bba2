"""Judges how long benchmarks take, by the history and by a duet with the base."""

from collections.abc import Generator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from pytest_ciopt.adapters.duet.child import Wanted, ask
from pytest_ciopt.adapters.environment import environ, variable
from pytest_ciopt.core.ci import in_ci
from pytest_ciopt.core.gates.budgets import Slowdown, slowdown
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.records import Benchmark
from pytest_ciopt.core.history.rounds import WALL
from pytest_ciopt.core.nodeids import without_group
from pytest_ciopt.errors import CioptError
from pytest_ciopt.hooks.options import BENCH_FAIL, HISTORY, benchmarks_are_measured
from pytest_ciopt.hooks.rounds import is_benchmark, limit_of, taken_by
from pytest_ciopt.hooks.trees import ground_of, opened, place_of
from pytest_ciopt.hooks.wholeness import Wholeness
from pytest_ciopt.usecases.benching import GATE, judged
from pytest_ciopt.usecases.duet import Measure

_TOLD = "ciopt_benchmark"
"""Of the report of a benchmark that passed, its own budget, "" without one: xdist ships texts."""
_NAME = "ciopt-benching"
_FLAG = "--ciopt-bench-fail"


def start(config: pytest.Config) -> "Benching | None":
    """Registers what watches benchmarks; the judge of them where all tests are reported.

    Raises: pytest.UsageError for a budget that means nothing.
    """
    try:
        budget = _budget(config)
    except CioptError as error:
        raise pytest.UsageError(str(error)) from error
    if budget is None:
        return None
    config.pluginmanager.register(Noting(), f"{_NAME}-noting")
    if hasattr(config, "workerinput"):
        return None
    benching = Benching(config, budget)
    config.pluginmanager.register(benching, _NAME)
    return benching


def _budget(config: pytest.Config) -> Slowdown | None:
    flag, said = getattr(config.option, BENCH_FAIL), variable(BENCH_FAIL.upper())
    if flag is not None:
        return slowdown(flag, _FLAG)
    if said is not None:
        return slowdown(said, BENCH_FAIL.upper())
    configured = config.getini(BENCH_FAIL)
    return slowdown(configured, BENCH_FAIL) if configured else None


class Noting:
    """Where tests run: which of them are benchmarks, and what is asked of them."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Of calls that passed."""
        report = yield
        if report.when == "call" and report.passed and is_benchmark(item):
            setattr(report, _TOLD, limit_of(item) or "")
        return report


class Benching:
    """The judge of benchmarks."""

    def __init__(self, config: pytest.Config, budget: Slowdown) -> None:
        self._config, self._budget = config, budget
        self.gates = [GATE]
        self._own: dict[str, str] = {}
        """Budgets of markers, "" without one, of the benchmarks that passed."""
        self._measured: dict[str, Benchmark] = {}
        self._has_told = False
        self.asked = getattr(config.option, BENCH_FAIL) is not None or variable(BENCH_FAIL.upper())
        """Whether it is asked for in this very run, and not only configured."""
        if benchmarks_are_measured(config):
            taken_by(config, self._take)

    def _take(self, record: Benchmark) -> None:
        self._measured[record.id] = record

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Also of the workers' tests."""
        grouped = getattr(self._config.option, "dist", "no") == "loadgroup"
        test = without_group(report.nodeid) if grouped else report.nodeid
        if hasattr(report, _TOLD):
            self._own[test] = getattr(report, _TOLD)
        elif report.failed:
            self._own.pop(test, None)

    def judge(self, session: pytest.Session, wholeness: Wholeness) -> list[Verdict]:
        """Verdicts; none where it is only configured and nothing was measured."""
        if not self._own and self.asked and next(wholeness.selected(), None) is not None:
            return [Verdict(GATE, Ruling.PASS, "the change can affect no benchmark")]
        why = next(self._not_at_all(session), None)
        if why is not None:
            return [Verdict(GATE, Ruling.UNKNOWN, why)] if why else []
        try:
            broken = list(self._measure_apart())
            budgets = {
                test: slowdown(own, f"ciopt_bench of {test}") if own else self._budget
                for test, own in self._own.items()
                if test in self._measured  # others ask for the fixture and leave it alone
            }
            if not budgets:
                return broken or [Verdict(GATE, Ruling.UNKNOWN, "no benchmark was run")]
            measured = {test: self._measured[test] for test in budgets}
            ground = ground_of(self._config)
            return broken + judged(budgets, measured, ground, self._opened, self._tell)
        except (CioptError, OSError) as error:
            return [Verdict(GATE, Ruling.UNKNOWN, str(error))]
        except KeyboardInterrupt:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            return [Verdict(GATE, Ruling.UNKNOWN, "the measuring was interrupted")]

    def _not_at_all(self, session: pytest.Session) -> Generator[str]:
        """Why nothing is judged; "" where nothing need be said."""
        if not benchmarks_are_measured(self._config):
            yield "pytest-benchmark is not loaded" if self.asked else ""
        if not self._own:
            yield "no benchmark was run" if self.asked else ""
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            yield "tests failed"
        if session.exitstatus != pytest.ExitCode.OK or session.shouldfail or session.shouldstop:
            yield "the run was cut short"
        if not self._measured and not self._workers():
            yield "benchmarks are disabled" if self.asked else ""
        if not self._measured and not (self.asked or in_ci(environ())):
            yield f"workers measure no benchmarks: say {_FLAG} to measure them apart"

    def _workers(self) -> bool:
        return getattr(self._config.option, "dist", "no") != "no"

    def _measure_apart(self) -> Generator[Verdict]:
        """Workers disable benchmarks: those run here, alone, and are recorded as if they had not.

        A verdict on each that breaks so. Raises: NotMeasured, OSError.
        """
        missing = frozenset(self._own) - self._measured.keys()
        if not missing or not self._workers():
            return
        self._tell(f"{len(missing):,} measured without workers")
        remembering: Any = self._config.pluginmanager.getplugin(HISTORY)
        found = ask(place_of(self._config), Wanted(missing, WALL))
        for record in found.benchmarks.values():
            self._take(record)
            if remembering is not None:
                remembering.keep(record)
        for test in sorted(missing - found.benchmarks.keys()):
            if (trouble := found.trouble(test)) is not None:
                why = f"measured alone, {trouble}"
                yield Verdict(f"benchmark {test}", Ruling.UNKNOWN, why)

    def _opened(self, commit: str) -> AbstractContextManager[Measure]:
        """As `usecases.benching.Open` is. Raises: GitError, OSError."""
        return opened(self._config, commit)

    def _tell(self, line: str) -> None:
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None and self._config.get_verbosity() >= 0:
            reporter.ensure_newline()
            if self._workers() and not self._has_told:
                reporter.write("\n")  # pytest does not know that xdist's line is open
            self._has_told = True
            reporter.write_line(f"ciopt: {line}")
