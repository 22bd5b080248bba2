"""Which units call which, over a whole process.

A caller is the nearest code of the repository below on the stack, whatever installed code lies
between. Of each code object it is noted at its first `MANY` calls, then at the first call of each
stretch in which it runs, as many times again, and from then on in some of these stretches only.

What a frame executes is asked only of those whose global names belong to code of the repository:
each such question raises an audit event, and most frames are of installed code.

Where no code of the repository is below a function that is inside of another one, whoever gave it
away may be anybody who got it from that: its callers are then not all noted, either.
"""

from _thread import get_ident
from collections.abc import Callable, Mapping, Set
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FrameType

from pytest_ciopt.adapters.tracing.lines import FINDING
from pytest_ciopt.adapters.tracing.units import identity
from pytest_ciopt.core.history.traces import LOCALS

MANY = 32
"""Calls of one code object that are all noted."""
_SETTLED = -MANY
"""From here down most callers are known."""
_SAMPLE = 8
"""From then on a caller is noted in every so many stretches."""

_SUSPENDED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR

Pair = tuple[int, int]
"""Identities of the calling code and of that which is called."""


def _is_plain_inner(code: CodeType) -> bool:
    """Whether code is inside of a function, and runs when it is called."""
    return not code.co_flags & _SUSPENDED and LOCALS in code.co_qualname


class Calls:
    """Gathers pairs of code objects."""

    def __init__(
        self,
        known: Mapping[int, CodeType],
        outer: Set[int],
        source_is_sought: Callable[[], None],
    ) -> None:
        """`source_is_sought` is told each time that `FINDING` starts, whose callers are nobody's
        business."""
        self._known, self._outer = known, outer
        """Code of the repository, by identity; and of that what is outside of functions."""
        self._source_is_sought = source_is_sought
        self.in_tests: set[Pair] = set()
        self.at_import: set[Pair] = set()
        """Below the body of a module, or outside of tests and fixtures."""
        self.lines: set[tuple[int, int, int]] = set()
        """Calls outside of functions: code, called code, and line."""
        self.pairs = self.at_import
        """Where pairs go at present."""
        self.bodies: list[tuple[int, FrameType]] = []
        """Bodies of modules that are running within tests and fixtures: thread and frame."""
        self.many: set[int] = set()
        """Code of which not all callers may be noted."""
        self.due: dict[int, int] = {}
        """By code object, `MANY` if it is not here: how many more calls are noted each; below 0, in
        how many stretches the first one was."""

    def is_quiet(self, called: int) -> bool:
        """Whether nobody needs to be told who called a code object first in this stretch, of which
        this is asked once."""
        due = self.due.get(called, MANY)
        if due > _SETTLED or self.pairs is not self.in_tests:
            return False
        self.due[called] = due - 1
        return due % _SAMPLE != 0

    def noting(self) -> Callable[[int, FrameType], None]:
        """What to tell of a start: the identity of the code, and its frame."""
        known, outer, due = self._known, self._outer, self.due
        finding, source_is_sought = identity(FINDING), self._source_is_sought
        ours: set[int] = set()
        """Identities of the global names of code of the repository."""

        def note(called: int, frame: FrameType) -> None:
            if called == finding:
                due[called] = MANY
                source_is_sought()
                return
            ours.add(identity(frame.f_globals))
            below = frame.f_back
            while below is not None:
                if identity(below.f_globals) in ours:
                    caller = identity(below.f_code)
                    if caller in outer:
                        self.lines.add((caller, called, below.f_lineno or 0))
                        break
                    if caller in known:
                        self.pairs.add((caller, called))
                        break
                below = below.f_back
            else:
                if _is_plain_inner(frame.f_code):  # a thread executes it, or code that is installed
                    self.many.add(called)
            left = due.get(called, MANY)
            if left == 0:
                self.many.add(called)
            if left > _SETTLED:
                due[called] = left - 1

        return note

    def is_over(self, frame: FrameType | None) -> bool:
        """Whether the innermost body has failed: it is not below a frame of its thread."""
        thread, body = self.bodies[-1]
        if thread != get_ident():
            return False
        while frame is not None:
            if frame is body:
                return False
            frame = frame.f_back
        return True
