"""Cuts what runs into stretches, and turns them into records.

Units and lives of fixtures are numbered here, so a process has one tracer. Whoever uses it says
where stretches begin and end: they nest, and what runs inside belongs to the innermost one.
"""

import _thread
import inspect
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType

from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.tracing import inputs
from pytest_ciopt.adapters.tracing.calls import Calls
from pytest_ciopt.adapters.tracing.files import PROCESS, Files
from pytest_ciopt.adapters.tracing.monitor import Monitor, is_available
from pytest_ciopt.adapters.tracing.places import Places
from pytest_ciopt.adapters.tracing.profiler import Profiler
from pytest_ciopt.adapters.tracing.starts import Starts
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.adapters.tracing.told import Listener, Told
from pytest_ciopt.adapters.tracing.units import Registry
from pytest_ciopt.core.history.trace_encoding import encoded_trace
from pytest_ciopt.core.history.traces import (
    CHILD,
    STARTED,
    Collected,
    Inputs,
    TracedCalls,
    TracedFixture,
    TracedImport,
    TracedRead,
    TracedSession,
    TracedTest,
    TraceRecord,
    digest_of,
)

_LOST = "another tool took the place of the monitor"
_PART = 10_000
"""Files in one line of inputs: a line that is too long would not be read."""


def can_trace() -> bool:
    """Whether this Python can be watched."""
    return sys.implementation.name == "cpython"


class Tracer:
    """Watches this process from `start` to `stop`."""

    def __init__(self, top: str, git: Git | None = None, *, children: bool = True) -> None:
        self.git = git
        """None outside of a repository."""
        self._watches_children = children
        self._since = time.time_ns()
        self._places = Places(top)
        self._registry = Registry(self._places)
        self._session = Stretch()
        self._stack = [self._session]
        self._starts = Starts(self._places.tops)
        self._files = Files(self._places, self._registry, self._session, self._starts)
        forget = self._files.forget_lines
        self._calls = Calls(self._registry.codes, self._registry.bodies, forget)
        self._monitor: Monitor | Profiler = (Monitor if is_available() else Profiler)(
            self._registry, self._calls, self._body_begins, self._body_ends
        )
        self._told = Told()
        """What children did, all together."""
        self._children: list[TracedFixture] = []
        """Their records that have not been written yet."""
        self._reads: set[str] = set()
        self._lists: set[str] = set()
        self._lives = itertools.count()
        self.worker: str | None = None
        self.loaded: dict[str, str] = {}
        """Content ids of the Python files that were loaded, when the end has come."""

    def start(self) -> bool:
        """Whether there was a place for us beside other tools."""
        if not self._monitor.start():
            return False
        if self._watches_children:
            self._starts.start()
        self._files.start()
        return True

    def stop(self) -> None:
        """Lets go of everything. More than once does no harm."""
        self._files.stop()
        self._starts.stop()
        self._monitor.stop()

    @property
    def problem(self) -> str | None:
        """Why no more is seen, None while all is well."""
        return self._monitor.problem or self._files.problem

    # --- boundaries ------------------------------------------------------------------------------

    def enter(self, stretch: Stretch) -> None:
        """From now on everything belongs to `stretch`."""
        self._cut(stretch)
        self._stack.append(stretch)

    def leave(self, stretch: Stretch) -> None:
        """Ends `stretch`, and what was entered within it and never left."""
        if stretch not in self._stack:
            return
        position = self._stack.index(stretch)
        self._cut(self._stack[position - 1])
        del self._stack[position:]

    def _cut(self, following: Stretch) -> None:
        present = self._stack[-1]
        if not self._monitor.holds():
            present.miss(_LOST)
            following.miss(_LOST)
        self._gather(present)
        self._calls.bodies.clear()
        self._sort_calls(following)
        self._files.forget_lines()
        self._files.stretch = following
        if _thread._count():
            self._add(following, self._running_elsewhere())

    def _gather(self, stretch: Stretch) -> None:
        codes = self._monitor.take()
        if codes:
            numbers = self._registry.numbers(codes)
            self._add(stretch, numbers)
            if self._calls.bodies:
                # The body of a module runs once: what it called concerns others as well.
                self._session.units |= numbers

    def _body_begins(self, frame: FrameType) -> None:
        """The body of a module begins."""
        present = self._stack[-1]
        if present is not self._session:
            self._gather(present)
            self._calls.bodies.append((_thread.get_ident(), frame))
            self._sort_calls(present)

    def _body_ends(self) -> None:
        if self._calls.bodies:
            present = self._stack[-1]
            self._gather(present)
            self._calls.bodies.pop()
            self._sort_calls(present)

    def _sort_calls(self, stretch: Stretch) -> None:
        calls = self._calls
        outside = calls.bodies or stretch is self._session
        calls.pairs = calls.at_import if outside else calls.in_tests

    def _add(self, stretch: Stretch, numbers: set[int]) -> None:
        if numbers and min(numbers) < 0:
            for number in [number for number in numbers if number < 0]:
                numbers.discard(number)
                file = self._registry.meaning(number)
                if file is None:
                    stretch.miss(PROCESS)
                else:
                    stretch.read(file)
        stretch.units |= numbers

    def _running_elsewhere(self) -> set[int]:
        """Units that other threads are in the midst of: they started before this moment."""
        here = _thread.get_ident()
        codes = []
        for thread, top in sys._current_frames().items():
            frame = None if thread == here else top
            while frame is not None:
                codes.append(frame.f_code)
                frame = frame.f_back
        return self._registry.numbers_of_frames(codes)

    @property
    def present(self) -> Stretch:
        """The innermost stretch."""
        return self._stack[-1]

    def new_life(self) -> int:
        """A number for one life of a fixture."""
        return next(self._lives)

    # --- records ---------------------------------------------------------------------------------

    def reads(self, stretch: Stretch, path: str) -> None:
        """Says of a file that what runs in a stretch depends on it."""
        place = self._places.find(path)
        if place:
            stretch.read(place)

    def defines(self, stretch: Stretch, function: Callable[..., object]) -> None:
        """Says of a function, and of what it wraps, that a stretch depends on how it is defined,
        though it may not have run."""
        codes = (getattr(one, "__code__", None) for one in (function, inspect.unwrap(function)))
        ours = [code for code in codes if isinstance(code, CodeType)]
        self._add(stretch, self._registry.numbers_of_frames(ours))

    def test(self, nodeid: str, stretch: Stretch, what: str | None = None) -> TracedTest:
        """The record of a test whose stretch has been left. For `what` see `TracedTest`."""
        self._ask_children(stretch)
        self._name(stretch)
        return TracedTest(nodeid, stretch.trace(), self.worker, what)

    def fixture(self, number: int, name: str, stretch: Stretch) -> TracedFixture:
        """The record of a life whose last stretch has been left."""
        self._ask_children(stretch)
        self._name(stretch)
        return TracedFixture(number, name, stretch.trace(), self.worker)

    def collected(self, path: str, nodeids: Iterable[str]) -> Collected:
        """The record of a module, all of whose tests are known."""
        return Collected(path, digest_of(nodeids), self.worker)

    def _ask_children(self, stretch: Stretch) -> None:
        """Each child that told all that it did has a life of its own, which the stretch uses."""
        starts, stretch.starts = stretch.starts, []
        for start in starts:
            lines = self._starts.told(start)
            told = Listener(self._places, self._registry, start.written).hear(lines or ())
            if lines is None:
                told.stretch.miss(PROCESS)
            if told.stretch.unseen is not None:
                stretch.miss(told.stretch.unseen)
                continue
            self._name(told.stretch)
            self._told.sources |= told.sources
            self._told.folders |= told.folders
            number = self.new_life()
            stretch.fixtures.add(number)
            self._children.append(TracedFixture(number, CHILD, told.stretch.trace(), self.worker))

    def _name(self, stretch: Stretch) -> None:
        if stretch.to_run:
            # What cannot be compiled was read all the same.
            for place in stretch.to_run - self._registry.sources():
                stretch.read(place)
        self._reads |= stretch.reads
        self._lists |= stretch.lists

    def encoded(self, *records: TraceRecord) -> str:
        """The lines of records, after those with the names of units that they may tell of."""
        named = (units._replace(worker=self.worker) for units in self._registry.fresh())
        children, self._children = self._children, []
        return b"".join(map(encoded_trace, (*named, *children, *records))).decode("ascii")

    def finish(self) -> Iterator[TraceRecord]:
        """What is known at the end only; nothing is watched any more."""
        self._cut(self._session)
        self.stop()
        for path, stretch in sorted(self._files.imports.items()):
            self._name(stretch)
            yield TracedImport(path, stretch.trace(of_import=True), self.worker)
        in_tests = self._registry.callers(self._calls.in_tests, ())
        at_import = self._registry.callers(self._calls.at_import, self._calls.lines)
        many = self._registry.named(self._calls.many)
        for number in sorted({*in_tests, *at_import, *many}):
            both = [_rising(by.get(number, set())) for by in (in_tests, at_import)]
            yield TracedCalls(number, both[0], both[1], number in many, self.worker)
        for what, readers in sorted(self._files.readers.items()):
            units, handed = map(_rising, (readers.units, readers.handed))
            yield TracedRead(what, units, handed, self.worker)
        self._name(self._session)
        name = inputs.shadowed(self._places)
        if name is not None:
            self._session.miss(f"{name} is loaded from outside of the repository")
        yield TracedSession(self._session.trace(), self.worker)
        yield from self._inputs()

    def _inputs(self) -> Iterator[Inputs]:
        top, worker = self._places.top, self.worker
        loaded = self._registry.sources() | inputs.loaded_sources(self._places)
        sources = {path for path in loaded if path.endswith((".py", ".pyw"))}
        self.loaded = inputs.content_ids(top, sources, self._since)
        # What only children loaded is not there for an import in this process.
        apart = self._told.sources - sources
        data = inputs.content_ids(top, self._not_ignored() | apart, self._since)
        installed = inputs.distributions(sys.path)
        folders = inputs.listing_ids(top, self._lists)
        packages = inputs.package_ids(top, sources | apart, self._told.folders)
        yield Inputs({}, {}, folders, installed, worker, packages)
        for part in inputs.split(self.loaded, _PART):
            yield Inputs(part, worker=worker)
        for part in inputs.split(data, _PART):
            yield Inputs({}, part, worker=worker)

    def _not_ignored(self) -> set[str]:
        """What git ignores is made by the run, or by the person who runs it."""
        reads = {one for one in self._reads if not one.startswith(STARTED)}
        if self.git is None or not reads:
            return reads
        try:
            return reads - self.git.ignored(reads)
        except GitError:
            return reads


def _rising(numbers: set[int]) -> tuple[int, ...]:
    return tuple(sorted(number for number in numbers if number >= 0))


def tracer_for(folder: Path, *, children: bool = True) -> Tracer:
    """A tracer for the repository that `folder` lies in; without one, for the folder. `children`:
    whether it watches Pythons that tests start."""
    try:
        git = Git(folder)
    except GitError:
        return Tracer(os.path.abspath(folder), children=children)
    return Tracer(str(git.top), git, children=children)
