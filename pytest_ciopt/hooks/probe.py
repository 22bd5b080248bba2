"""In a process that measures benchmarks: runs those that are asked for, and tells what it found.

Loaded by name and instead of our plugin. Options, markers and hooks of ours are known, so that no
configuration breaks for lack of them, and do nothing.
"""

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pytest_ciopt.adapters.duet.child import ASKED
from pytest_ciopt.adapters.environment import taken
from pytest_ciopt.adapters.machine import given_up
from pytest_ciopt.core.gates.answers import Answer, answer_text, question
from pytest_ciopt.core.history.encoding import shortened
from pytest_ciopt.core.history.records import Benchmark
from pytest_ciopt.hooks import hookspecs, options
from pytest_ciopt.hooks.rounds import Rounds, is_benchmark, taken_by

_QUIET: dict[str, object] = {
    # Benchmarks run alone, each of them, in the order in which they stand.
    **{"numprocesses": None, "dist": "no", "tx": []},
    **{"keyword": "", "markexpr": "", "lf": False, "failedfirst": False, "newfirst": False},
    **{"stepwise": False, "maxfail": 0, "randomly_reorganize": False, "randomly_seed": 0},
    **{"random_order_bucket": "none", "reruns": 0, "collectonly": False},
    # Nobody writes or compares what the session around writes and compares.
    **{"xmlpath": None, "report_log": None, "htmlpath": None, "json_report": False},
    **{"benchmark_skip": False, "benchmark_autosave": False, "benchmark_save": None},
    **{"benchmark_json": None, "benchmark_compare": None, "benchmark_compare_fail": []},
    **{"benchmark_histogram": False, "benchmark_cprofile": None, "benchmark_only": False},
}
"""Options of pytest and of plugins, where they are there."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ours may stand in `addopts`."""
    options.add(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Conftest files may implement them."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Before pytest-cov starts to measure."""
    known = early_config.known_args_namespace
    for name, value in (("cov_source", []), ("no_cov", True), ("cov_fail_under", None)):
        if hasattr(known, name):
            setattr(known, name, value)
            setattr(early_config.option, name, value)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Before xdist makes workers of its options."""
    for name, value in _QUIET.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    for marker in options.MARKERS:
        config.addinivalue_line("markers", marker)
    asked = taken(ASKED)
    if asked is not None:
        config.pluginmanager.register(Probe(Path(asked).read_text(encoding="ascii")), "ciopt-probe")
    return (yield)


class Probe:
    """Takes part in the run."""

    def __init__(self, asked: str) -> None:
        self._question = question(asked)
        self._benchmarks: dict[str, Benchmark] = {}
        self._collected: frozenset[str] = frozenset()
        self._failed: dict[str, str] = {}
        self._pauses: dict[str, int] = {}
        self._tests: frozenset[str] = frozenset()
        self._rounds: Rounds | None = None

    def _take(self, record: Benchmark) -> None:
        self._benchmarks[record.id] = record

    def pytest_configure(self, config: pytest.Config) -> None:
        """Measures as a recorded run does."""
        self._rounds = taken_by(config, self._take)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leaves out what is not asked for."""
        tests = self._question.tests
        kept = [
            item for item in items if is_benchmark(item) and (tests is None or item.nodeid in tests)
        ]
        left = [item for item in items if item not in kept]
        config.hook.pytest_deselected(items=left)
        items[:] = kept
        self._collected = frozenset(item.nodeid for item in kept)
        modules = (getattr(item, "module", None) for item in (*kept, *left))
        self._tests = frozenset(getattr(module, "__name__", "") for module in modules)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be imported here."""
        if report.failed:
            self._failed[report.nodeid] = _told(report.longrepr)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Counts how often it waits."""
        before = given_up()
        result = yield
        after = given_up()
        if before is not None and after is not None:
            self._pauses[item.nodeid] = after - before
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails here."""
        if report.outcome != "passed":
            self._failed.setdefault(report.nodeid, _told(report.longrepr))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Writes the answer."""
        if self._rounds is not None and self._rounds.problem is not None:
            self._failed |= dict.fromkeys(self._collected, self._rounds.problem)
        found, pauses = self._benchmarks, self._pauses
        known = pauses.keys() & found.keys()
        computing = frozenset(test for test in known if pauses[test] < found[test].rounds)
        answer = Answer(found, self._collected, self._failed, self._modules(), computing)
        Path(self._question.answer).write_text(answer_text(answer), encoding="ascii")

    def _modules(self) -> dict[str, str]:
        found = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and name != "__main__" and name not in self._tests:
                found[name] = os.path.realpath(file).replace(os.sep, "/")
        return found


def _told(longrepr: object) -> str:
    match longrepr:
        case (_, _, str(reason)):
            return shortened(reason)
    crash = getattr(longrepr, "reprcrash", None)
    if crash is not None:
        return shortened(str(crash.message))
    lines = [line.strip() for line in str(longrepr or "").splitlines()]
    errors = (line.removeprefix("E ").strip() for line in lines if line.startswith("E "))
    return shortened(next(errors, next(filter(None, reversed(lines)), "it failed")))
