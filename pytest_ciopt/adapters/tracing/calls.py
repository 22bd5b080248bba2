"""Which units call which, over a whole process.

A caller is the nearest code of the repository below on the stack, whatever installed code lies
between. It is noted whenever a code object is heard of: the first `MANY` times at each call, later
at the first call of a stretch, and in the end in some of the stretches only.
"""

from _thread import get_ident
from collections.abc import Callable, Iterable, Mapping, Set
from types import CodeType, FrameType

from pytest_ciopt.adapters.tracing.units import identity

MANY = 32
"""Calls of one code object that are all noted."""
_SETTLED = 64
"""Stretches in which a code object runs until most of its callers are known."""
_SAMPLE = 8
"""From then on a caller is noted in every so many stretches."""
_QUIET = -1

Pair = tuple[int, int]
"""Identities of the calling code and of that which is called."""


class Calls:
    """Gathers pairs of code objects."""

    def __init__(self, known: Mapping[int, CodeType], outer: Set[int]) -> None:
        self._known, self._outer = known, outer
        """Code of the repository, by identity; and of that what is outside of functions."""
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
        self._due: dict[int, int] = {}
        self._stretches: dict[int, int] = {}

    def is_quiet(self, code: CodeType) -> bool:
        """Whether nobody needs to be told who called a code object this time."""
        return self._due.get(identity(code), MANY) < 0 and self.pairs is self.in_tests

    def noting(self) -> Callable[[CodeType, FrameType | None], bool]:
        """What to tell of a start: the code, and the frame below. The answer is whether the code's
        next start is wanted, too."""
        known, outer, due = self._known, self._outer, self._due

        def note(code: CodeType, frame: FrameType | None) -> bool:
            called = identity(code)
            left = due.get(called, MANY)
            while frame is not None:
                caller = identity(frame.f_code)
                if caller in outer:
                    self.lines.add((caller, called, frame.f_lineno or 0))
                    break
                if caller in known:
                    self.pairs.add((caller, called))
                    break
                frame = frame.f_back
            if left > 0:
                due[called] = left - 1
                return True
            self.many.add(called)
            return False

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

    def ended(self, codes: Iterable[int]) -> None:
        """Tells that a stretch is over in which these ran."""
        due, stretches = self._due, self._stretches
        for code in codes:
            number = stretches[code] = stretches.get(code, 0) + 1
            if number >= _SETTLED and due.get(code, MANY) <= 0:
                due[code] = 0 if number % _SAMPLE == 0 else _QUIET
