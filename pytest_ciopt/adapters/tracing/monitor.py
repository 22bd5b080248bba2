"""Sees which code of the repository runs, through `sys.monitoring` (CPython 3.12 and later).

One tool *discovers* code: it hears of the first start of everything, and never again. Another one
*records*: it hears of the first few starts or resumptions of each code object of the repository
within a stretch, and of some more until it is known who calls it. At a boundary only what was put
to sleep is armed again. `restart_events` is never called: it would make all code of the process
fire again, and wake what coverage.py has put to sleep.

Source: the measurements in `docs/explanation/recording-dependencies.md`.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from pytest_ciopt.adapters.tracing.calls import MANY, Calls
from pytest_ciopt.adapters.tracing.child import interrupts
from pytest_ciopt.adapters.tracing.units import Registry, identity, is_body

_IDS = (3, 4, 2, 5, 1, 0)
"""Those first that Python reserves for nobody (debugger 0, coverage 1, profiler 2, optimizer 5)."""

_FEW = 4
"""With which start in a stretch a code object is put to sleep. Arming it again costs as much as
five to ten events; of the functions that a test of Flask runs, 90 % start less often."""

_Event = Callable[[CodeType, int], object]


def is_available() -> bool:
    """Whether this Python can be watched at little cost."""
    return hasattr(sys, "monitoring")


class Monitor:
    """Between `start` and `stop` it gathers code objects."""

    def __init__(
        self,
        registry: Registry,
        calls: Calls,
        begins: Callable[[FrameType], None],
        ends: Callable[[], None],
    ) -> None:
        """`begins` and `ends` are told of bodies of modules."""
        self._registry = registry
        self._calls = calls
        self._note = calls.noting()
        self._begins, self._ends = begins, ends
        self._hits: dict[int, CodeType] = {}
        """What started in this stretch, by identity."""
        self._heard: dict[int, int] = {}
        """How often that was heard of, about: threads may spoil a count."""
        self._asleep: dict[int, CodeType] = {}
        """What is not heard of until the next one."""
        self._name = f"pytest-ciopt {identity(self)}"
        self._ids: tuple[int, ...] = ()
        self._monitoring: Any = vars(sys)["monitoring"]
        events = self._monitoring.events
        self._start: int = events.PY_START
        self._local: int = events.PY_START | events.PY_RESUME
        self.problem: str | None = None
        """An error of ours, after which nothing is gathered."""

    def start(self) -> bool:
        """Whether two of the six tool ids were free."""
        monitoring = self._monitoring
        free = [number for number in _IDS if monitoring.get_tool(number) is None]
        if len(free) < 2:
            return False
        self._ids = discovering, recording = free[0], free[1]
        for number in self._ids:
            monitoring.use_tool_id(number, self._name)
        events = monitoring.events
        hear = monitoring.register_callback
        hear(discovering, events.PY_START, self._discovers())
        hear(recording, events.PY_START, self._records())
        hear(recording, events.PY_RESUME, self._records())
        hear(recording, events.PY_RETURN, self._returned)
        monitoring.set_events(discovering, events.PY_START)
        return True

    def _discovers(self) -> _Event:
        admit, hits, disable = self._registry.admit, self._hits, self._monitoring.DISABLE
        note, bodies, heard = self._note, self._calls.bodies, self._heard

        def discovered(code: CodeType, offset: int) -> object:
            try:
                if admit(code):
                    frame, body = sys._getframe(1), is_body(code)
                    if bodies:
                        self._leave(frame)
                    if body:
                        self._begins(frame)
                    key = identity(code)
                    hits[key], heard[key] = code, 1
                    note(key, frame)
                    self._arm(code)
            except Exception as error:  # it would come up in the code that is watched
                self.problem = f"{type(error).__name__}: {error}"
                if interrupts(error):
                    raise
            return disable

        return discovered

    def _records(self) -> _Event:
        hits, asleep, disable = self._hits, self._asleep, self._monitoring.DISABLE
        heard = self._heard
        bodies, due, below = self._calls.bodies, self._calls.due, sys._getframe
        is_quiet, note = self._calls.is_quiet, self._note

        def recorded(code: CodeType, offset: int) -> object:
            if bodies:
                self._leave(below(1))
            key = identity(code)
            hits[key] = code
            times = heard[key] = heard.get(key, 0) + 1
            # Asking for a frame raises an audit event.
            if due.get(key, MANY) >= 0 or (times == 1 and not is_quiet(key)):
                note(key, below(1))
                if due[key] >= 0:
                    return None
            if times < _FEW:
                return None
            # Not by a call: another thread could come before the answer takes effect.
            asleep[key] = code
            return disable

        return recorded

    def _leave(self, frame: FrameType) -> None:
        """Ends bodies of modules that have failed: of those no end is heard."""
        try:
            while self._calls.bodies and self._calls.is_over(frame):
                self._ends()
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            if interrupts(error):
                raise

    def _returned(self, code: CodeType, offset: int, value: object) -> object:
        try:
            if is_body(code):
                self._ends()
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            if interrupts(error):
                raise
        return None

    def take(self) -> dict[int, CodeType]:
        """What was hit since the last time, by identity; it will be heard of again."""
        found = {}
        self._heard.clear()
        while self._hits:  # one by one: other threads may add some meanwhile
            key, code = self._hits.popitem()
            found[key] = code
        if self._asleep and self.holds():
            arm, recording, events = self._monitoring.set_local_events, self._ids[1], self._local
            while self._asleep:
                _, code = self._asleep.popitem()
                arm(recording, code, 0)
                arm(recording, code, events)
        return found

    def _arm(self, code: CodeType) -> None:
        events = self._local | self._monitoring.events.PY_RETURN if is_body(code) else self._local
        self._monitoring.set_local_events(self._ids[1], code, events)

    def holds(self) -> bool:
        """Whether the tools are still ours: anybody may free or silence them."""
        if not self._ids:
            return False
        (discovering, recording), tool = self._ids, self._monitoring.get_tool
        ours = tool(discovering) is self._name and tool(recording) is self._name
        return ours and self._monitoring.get_events(discovering) == self._start

    def stop(self) -> None:
        """Gives the tools back; what was armed stays so, and is heard by nobody."""
        monitoring, ids, self._ids = self._monitoring, self._ids, ()
        for number in ids:
            if monitoring.get_tool(number) is self._name:
                monitoring.set_events(number, 0)
                events = monitoring.events
                for event in (events.PY_START, events.PY_RESUME, events.PY_RETURN):
                    monitoring.register_callback(number, event, None)
                monitoring.free_tool_id(number)
