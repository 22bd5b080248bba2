"""Starts and ends the recording of a run, and tells what went wrong with it."""

import sys
from collections.abc import Callable, Iterator
from shlex import split
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_ciopt.adapters.environment import digests, variable
from pytest_ciopt.adapters.paths import homes, names_of
from pytest_ciopt.core.history.failures import Folders
from pytest_ciopt.core.history.parts import PARTS
from pytest_ciopt.core.history.records import Benchmark, Gated
from pytest_ciopt.hooks.costs import Costs, Sending
from pytest_ciopt.hooks.options import (
    AFTERWARDS,
    DEPS,
    GATED,
    HISTORY,
    IF_CHEAP,
    MENDED,
    RECORDS,
    SELECTION,
    SHARD,
    VARIABLES,
    WATCHED,
    WHY,
    benchmarks_are_measured,
    ends_early,
    recording,
    runs_tests,
)
from pytest_ciopt.hooks.recording import Recording
from pytest_ciopt.hooks.request import job_of, state_dir_of, switch
from pytest_ciopt.report.outcome import Outcome
from pytest_ciopt.usecases.remember import About, begin

if TYPE_CHECKING:  # a run that selects nothing does not import them
    from pytest_ciopt.hooks.collection import Collection
    from pytest_ciopt.hooks.rounds import Rounds
    from pytest_ciopt.hooks.run import Run
    from pytest_ciopt.hooks.sharding import Sharding
    from pytest_ciopt.hooks.tracing import Traces


def start(config: pytest.Config) -> None:
    """Registers what measures, and, where all tests are reported, what writes.

    Raises: pytest.UsageError for a value that means nothing.
    """
    if recording(config) == IF_CHEAP:  # our door opened late
        from pytest_ciopt.hooks import settling

        settling.settle(config, config.option)
    value = recording(config)
    if value not in RECORDS:
        raise pytest.UsageError(f"ciopt_record is {value!r}. Use off, results, deps or auto.")
    omitted = _omitted(config)
    manager = config.pluginmanager
    costs = Costs()
    manager.register(costs, f"{HISTORY}-costs")
    if hasattr(config, "workerinput"):
        manager.register(Sending(costs), f"{HISTORY}-sending")
    if not runs_tests(config.option):
        return
    remembering = None if hasattr(config, "workerinput") else Remembering(config, omitted, costs)
    if remembering is not None and benchmarks_are_measured(config):
        remembering.rounds = _rounds(config, remembering)
    if value == DEPS and not ends_early(config):
        _trace(config, remembering)
    if remembering is not None:  # behind, so that it finishes behind
        manager.register(remembering, HISTORY)


def _rounds(config: pytest.Config, remembering: "Remembering") -> "Rounds":
    """Only beside pytest-benchmark."""
    from pytest_ciopt.hooks.rounds import taken_by

    return taken_by(config, remembering.keep)


def _trace(config: pytest.Config, remembering: "Remembering | None") -> None:
    from pytest_ciopt.hooks.tracing import Traces, watch

    watch(config, config.option)
    traces = Traces(config, lambda lines: None if remembering is None else remembering.add(lines))
    if remembering is not None:
        remembering.traces = traces
    config.pluginmanager.register(traces, f"{HISTORY}-traces")
    traces.start()


def _omitted(config: pytest.Config) -> frozenset[str]:
    said = variable("CIOPT_RECORD_OMIT")
    words = said.replace(",", " ").split() if said else config.getini("ciopt_record_omit")
    unknown = sorted(set(words) - set(PARTS))
    if unknown:
        raise pytest.UsageError(
            f"ciopt_record_omit names {unknown[0]!r}. The parts are {', '.join(PARTS)}."
        )
    return frozenset(words)


def _arguments(config: pytest.Config) -> tuple[str, ...]:
    """As pytest puts them together: those of the configuration file and the environment first."""
    everywhere = split(variable("PYTEST_ADDOPTS") or "")
    return *config.getini("addopts"), *everywhere, *map(str, config.invocation_params.args)


class Remembering:
    """The life of one recording."""

    def __init__(self, config: pytest.Config, omitted: frozenset[str], costs: Costs) -> None:
        self._config = config
        self._costs = costs
        self._omitted = omitted
        self._recording: Recording | None = None
        self._told: tuple[str, ...] = ()
        self._job: str | None = None
        """What the job is known by on a CI service."""
        self._cut = False
        self.traces: Traces | None = None
        """Of dependencies, if they are recorded, too."""
        self.rounds: Rounds | None = None
        """Of benchmarks, if pytest-benchmark is there."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Opens the segment. An error of ours is told at the end; the run goes on."""
        try:
            self._job = job_of(self._config).digest
            begun = begin(self._about())
        except Exception as error:
            self._told = (f"this run is not recorded: {type(error).__name__}: {error}",)
            return
        self._told = (*self._config.stash.get(MENDED, []), *begun.told)
        grouped = getattr(self._config.option, "dist", "no") == "loadgroup"
        folders = Folders(names_of(self._config.rootpath), homes())
        self._recording = Recording(begun.writer, self._costs, folders, grouped=grouped)
        self._config.pluginmanager.register(self._recording, f"{HISTORY}-recording")

    def _about(self) -> About:
        config, run = self._config, self._selection()
        base = None if run is None else run.decided.base
        workers: Any = getattr(config.option, "tx", None) or ()
        sharding: Sharding | None = config.pluginmanager.getplugin(SHARD)
        plan = getattr(config.option, "ciopt_plan", None)
        return About(
            rootpath=config.rootpath,
            arguments=_arguments(config),
            workers=len(workers) if getattr(config.option, "dist", "no") != "no" else 0,
            state_dir=state_dir_of(config),
            shard=None if sharding is None else str(sharding.position),
            plan=None if sharding is None else sharding.digest,
            base=None if run is None or base is None else base.commit,
            everything=None if run is None or not run.asked else run.selection.everything,
            variables=config.stash.get(VARIABLES, None) or self._watched(sharding),
            job=self._job,
            omitted=self._omitted,
            given=(config.invocation_params.dir / plan,) if plan else (),
        )

    def _watched(self, sharding: "Sharding | None") -> dict[str, str] | None:
        """Of a shard they count even where dependencies are not recorded: environments of which
        each has to run everything differ in them."""
        watched = self._config.getini(WATCHED)
        return digests(watched) if watched and sharding is not None else None

    def _selection(self) -> "Run | None":
        plugin: Collection | None = self._config.pluginmanager.getplugin(SELECTION)
        return None if plugin is None else plugin.run

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Closes the segment, when all others are done with the session."""
        if self._recording is not None:
            if self.traces is not None:
                self.traces.keep_sources()
            run = self._selection()
            outcome = Outcome() if run is None else run.outcome
            gated = cast("Gated", self._config.stash.get(GATED, Gated()))
            job = self._job if self._all_passed(session) else None

            def ended(result: object) -> None:
                self._end(outcome, gated, job, result)

            if job is None:
                ended(session.exitstatus)
            else:  # what comes behind may still end the run with another exit code
                self._config.stash[AFTERWARDS] = lambda result: self._tell_late(ended, result)

    def _tell_late(self, ended: Callable[[object], None], result: object) -> None:
        """What fails now is told by hand, for pytest has printed its summary."""
        before = self._recording.told if self._recording is not None else None
        ended(result)
        if self._recording is not None and self._recording.told != before:
            sys.stderr.write(f"ciopt: {self._recording.told}\n")

    def _end(self, outcome: Outcome, gated: Gated, job: str | None, result: object) -> None:
        """Closes the segment. `result` is the exit code, or None after an exception."""
        if self._recording is not None:
            failed = pytest.ExitCode.INTERNAL_ERROR
            status = int(result) if isinstance(result, int) else int(failed)
            executed = 0 if self.traces is None else self.traces.executed
            self._recording.finish(status, outcome, gated, None if status else job, executed)
            self._recording.writer.close()

    def pytest_keyboard_interrupt(self) -> None:
        """Also of `pytest.exit`, whatever exit code that asks for."""
        self._cut = True

    def _all_passed(self, session: pytest.Session) -> bool:
        """Whether all tests of the commit are known to have passed, here or upon the base."""
        cut = self._cut or session.testsfailed or session.shouldfail or session.shouldstop
        if session.exitstatus != pytest.ExitCode.OK or cut:
            return False
        if self._config.pluginmanager.hasplugin(SHARD):
            return False
        run = self._selection()
        if run is None or run.selection.everything is not None:
            return True  # what a selection left out is not always told: files of other collectors
        return run.decided.base is not None and run.decided.base.passed

    def keep(self, record: Benchmark) -> None:
        """Writes what was measured of a benchmark."""
        if self._recording is not None:
            self._recording.writer.write(record)

    def add_covered(self, lines: str) -> None:
        """As `add`, what tests covered. Not of a shard that must not be called one: it would be
        taken for a whole run."""
        if "shards" not in self._omitted or not self._config.pluginmanager.hasplugin(SHARD):
            self.add(lines)

    def add(self, lines: str) -> None:
        """Writes what is encoded already."""
        if self._recording is not None:
            self._recording.writer.append(lines.encode("ascii"))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What went wrong or was mended; to those who ask for reasons, also what is recorded."""
        problems = [one.told for one in (self._recording, self.traces) if one is not None]
        if self.rounds is not None and self.rounds.problem is not None:
            problems.append(f"benchmarks are recorded only in part: {self.rounds.problem}")
        for line in (*self._told, *filter(None, problems), *self._why()):
            terminalreporter.write_line(f"ciopt: {line}")

    def _why(self) -> Iterator[str]:
        config, why = self._config, self._config.stash.get(WHY, None)
        is_recorded = self._recording is not None and self._recording.told is None
        if is_recorded and why is not None and switch(config, config.option, "ciopt_explain"):
            what = "dependencies" if self.traces is not None else "results without dependencies"
            yield f"recorded: {what} ({why})"
