"""Sees which code of the repository runs where there is no `sys.monitoring` (CPython 3.11).

It hears of every call, and so is correct and slow: coverage.py occupies the only faster place that
Python 3.11 has for a tool (`sys.settrace`).
"""

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType

from pytest_ciopt.adapters.tracing.calls import MANY, Calls
from pytest_ciopt.adapters.tracing.child import interrupts
from pytest_ciopt.adapters.tracing.units import Registry, identity, is_body


class Profiler:
    """Gathers code objects as `Monitor` does."""

    def __init__(
        self,
        registry: Registry,
        calls: Calls,
        begins: Callable[[FrameType], None],
        ends: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._calls = calls
        self._note, self._due = calls.noting(), calls.due
        self._begins, self._ends = begins, ends
        self._hits: dict[int, CodeType] = {}
        self.problem: str | None = None
        self._is_on = False

    def start(self) -> bool:
        """Whether no other profiler is there."""
        if sys.getprofile() is not None:
            return False
        self._is_on = True
        threading.setprofile(self._hear)  # of threads that are to come
        sys.setprofile(self._hear)
        return True

    def _hear(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event == "call" or (event == "return" and is_body(code)):
            try:
                if event == "return":
                    if self._registry.place(code.co_filename) is not None:
                        self._ends()
                elif (key := identity(code)) in self._hits:
                    if self._due.get(key, MANY) >= 0:
                        self._note(key, frame)
                elif self._registry.admit(code):
                    if is_body(code):
                        self._begins(frame)
                    self._hits[key] = code
                    if not self._calls.is_quiet(key):
                        self._note(key, frame)
            except Exception as error:  # it would come up in the code that is watched
                self.problem = f"{type(error).__name__}: {error}"
                self._is_on = False
                sys.setprofile(None)
                if interrupts(error):
                    raise

    def take(self) -> dict[int, CodeType]:
        """What has run since the last time, by identity."""
        found = self._hits
        self._hits = {}
        if self._is_on and sys.getprofile() is None:
            sys.setprofile(self._hear)  # Python drops it when there is no room on the stack for it
        return found

    def holds(self) -> bool:
        """Whether no other profiler has taken the place, in this thread at least."""
        return sys.getprofile() == self._hear

    def stop(self) -> None:
        """Lets go of this thread, and of those to come."""
        self._is_on = False
        if self.holds():
            sys.setprofile(None)
            threading.setprofile(None)
