"""Tells what was selected and why, and sees to the ends of a run: exit code, JSON, coverage."""

from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest

from pytest_ciopt.adapters.paths import root_of, write_text
from pytest_ciopt.core.history.records import Gated, Judged
from pytest_ciopt.hooks.answers import paths
from pytest_ciopt.hooks.items import Describer
from pytest_ciopt.hooks.options import GATED
from pytest_ciopt.hooks.run import Run
from pytest_ciopt.report import decisions, lines
from pytest_ciopt.report.tables import printable

_QUIET = -1
_ASKED_ONCE = ("pytest_ciopt_changed_files", "pytest_ciopt_veto")


class Telling:
    """Header, summary, explanation and document of a run; not in xdist workers."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._describer = Describer(run.top, run.rootpath)
        self._asked = False
        self._broken = False

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Asks the hooks of conftests, which are loaded by now."""
        if not self._run.asked or self._run.ends_early:
            return
        told = config.hook.pytest_ciopt_changed_files(config=config)
        files = [self._run.rootpath / one for one in paths(told, "pytest_ciopt_changed_files")]
        places = {file: self._describer.place(file) for file in files}
        if files:
            self._run.decide(tuple(sorted(place for place in places.values() if place)))
        outside = [str(file) for file, place in places.items() if place is None]
        if outside:
            self._run.veto(f"pytest_ciopt_changed_files names {outside[0]}, outside the repository")
        changed = tuple(file.change.path for file in self._run.selection.changed)
        veto = config.hook.pytest_ciopt_veto(config=config, changed=changed)
        if veto:
            self._run.veto(f"pytest_ciopt_veto: {veto}")
        self._asked = True

    def pytest_plugin_registered(self, plugin: object) -> None:
        """A conftest that is loaded by collection comes too late for some hooks: it is told."""
        for name in _ASKED_ONCE if self._asked else ():
            if hasattr(plugin, name):
                file = getattr(plugin, "__file__", plugin)
                self._run.notes.append(
                    f"{name} in {file} was not asked: only conftests that are loaded before "
                    "collection are"
                )

    def pytest_report_header(self) -> str:
        """One line."""
        decided = self._run.decided
        return lines.header(decided.selection, decided.base, decided.mend)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Under xdist the outcome is known only once the workers are down."""
        self._suspend_coverage(session.config)
        return (yield)

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_testnodedown(self, node: object) -> None:
        """The first worker's account may show that the run is a partial one."""
        self._suspend_coverage(node.config)  # type: ignore[attr-defined]

    def _suspend_coverage(self, config: pytest.Config) -> None:
        """A total over some tests is no total: it may not fail the run."""
        plugin = config.pluginmanager.getplugin("_cov")
        if plugin is None or not (self._run.outcome.partial or self._run.ends_early):
            return
        limit = getattr(plugin.options, "cov_fail_under", None)
        if limit and not getattr(plugin.options, "no_cov", False):
            plugin.options.cov_fail_under = 0
            self._run.notes.append(
                f"--cov-fail-under={limit:g} is suspended: only some tests ran, so their coverage "
                "says nothing about the whole"
            )

    def pytest_internalerror(self) -> None:
        """xdist tells of an error inside a worker by this hook, and goes on."""
        self._broken = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Nothing left to run because nothing needs to is a success, not "no tests collected".

        But a worker that broke while it selected has not shown that.
        """
        emptied = self._run.outcome.partial or self._run.ends_early
        done = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self._broken and done:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        elif emptied and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
        if self._run.settings.json is not None:
            gated = cast("Gated", session.config.stash.get(GATED, Gated()))
            self._write(Path(self._run.settings.json), gated.verdicts)

    def _write(self, path: Path, verdicts: tuple[Judged, ...]) -> None:
        run, notes = self._run, self._notes()
        root = root_of(run.rootpath, run.top)
        base, header = run.decided.base, self.pytest_report_header()
        text = decisions.document(run.selection, base, run.outcome, notes, verdicts, root, header)
        try:
            write_text(path, text)
        except OSError as error:
            run.notes.append(f"--ciopt-json: {path} cannot be written: {error.strerror or error}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The summary block; under `-q` only why everything runs, and what went otherwise."""
        config, run = terminalreporter.config, self._run
        if config.getoption("no_summary", False):
            return
        if run.settings.explain:
            terminalreporter.write_sep("=", "why each test runs or not (ciopt)")
            for line in (*lines.changed(run.selection.changed), *lines.explanation(run.outcome)):
                terminalreporter.write_line(line)
        quiet = config.get_verbosity() <= _QUIET
        if quiet and run.selection.everything is not None:
            terminalreporter.write_line(self.pytest_report_header())
        elif quiet and run.ends_early:
            terminalreporter.write_line(f"ciopt: {lines.nothing(run.selection)}")
        if quiet:
            for note in self._notes():
                terminalreporter.write_line(f"ciopt: {printable(note)}")
        else:
            self._block(terminalreporter)

    def _block(self, terminalreporter: pytest.TerminalReporter) -> None:
        run = self._run
        terminalreporter.write_sep("=", "selection (ciopt)")
        for line in lines.summary(run.selection, run.outcome, self._notes(), run.ends_early):
            terminalreporter.write_line(line)

    def _notes(self) -> tuple[str, ...]:
        return (*self._run.decided.notes, *self._run.notes)
