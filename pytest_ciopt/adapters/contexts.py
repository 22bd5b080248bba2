"""Cuts what coverage.py measures into stretches, and turns them into records.

coverage.py has contexts for this, which make a suite of many short tests half as slow again and its
data a hundred times as large. So the context is left as it is: switching it makes coverage.py hand
over what it has gathered, which is noted here, and only what is new goes on into its data.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.adapters.tracing.inputs import content_id, split
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.core.coverage.interning import Interning
from pytest_ciopt.core.coverage.stored import Elements
from pytest_ciopt.core.history.covered import (
    CoveredContents,
    CoveredFixture,
    CoveredRecord,
    CoveredRun,
    CoveredSession,
    CoveredTest,
    Element,
)
from pytest_ciopt.core.history.covered_encoding import encoded_covered

if TYPE_CHECKING:
    from coverage import CoverageData

_PART = 10_000
"""Files in one line of contents: a line that is too long would not be read."""
_TRACERS = ("CTracer", "PyTracer")
"""Cores that hand over all lines of each stretch; others see each line only once."""
_METHODS = ("add_arcs", "add_lines")


class Measuring(Protocol):
    """As much of `coverage.Coverage` as is needed of it."""

    def switch_context(self, new_context: str) -> object:
        """Hands over what was gathered."""

    def sys_info(self) -> Iterable[tuple[str, Any]]:
        """What it is made of."""


class Contexts:
    """Watches what a measurement hands over, from `start` to `stop`.

    Implements what `hooks.dependencies` asks of a tracer.
    """

    def __init__(self, coverage: Measuring, top: Path, *, whole: bool) -> None:
        """`whole` says that contexts are somebody's wish, so that all goes on into the data."""
        self.worker: str | None = None
        self.problem: str | None = None
        self.context = ""
        """The one that coverage.py is to be in."""
        self._coverage = coverage
        self._top, self._folder = top, os.getcwd()
        self._whole = whole
        self._pid = os.getpid()
        self._interning = Interning()
        self._session = Stretch()
        self._stack = [self._session]
        self._lives = count()
        self._paths: dict[str, str] = {}
        self._handed: dict[str, set[Element]] = {}
        """What is in the data already, by coverage.py's name of the file."""
        self._data: CoverageData | None = None
        self._flushes = False
        self._originals: dict[str, Any] = {}

    def start(self) -> bool:
        """Whether it can be done."""
        from coverage import CoverageData

        core = dict(self._coverage.sys_info()).get("core")
        if core not in _TRACERS:
            self.problem = f"coverage.py's core {core} sees each line only once: set core = ctrace"
            return False
        for name in _METHODS:
            self._originals[name] = getattr(CoverageData, name)
            setattr(CoverageData, name, self._watching(self._originals[name]))
        return True

    def stop(self) -> None:
        """Lets go of everything. More than once does no harm."""
        from coverage import CoverageData

        for name, original in self._originals.items():
            setattr(CoverageData, name, original)
        self._originals = {}

    def _watching(self, original: Any) -> Any:
        def watched(data: "CoverageData", *given: Any, **named: Any) -> None:
            if not given:  # somebody's own data: coverage.py itself names nothing
                original(data, **named)
                return
            measured: Mapping[str, Collection[Element]] = given[0]
            if self._flushes:
                self._data = data
            if data is self._data and os.getpid() == self._pid:
                measured = self._left(measured)
            original(data, measured)

        return watched

    def _left(
        self, measured: Mapping[str, Collection[Element]]
    ) -> Mapping[str, Collection[Element]]:
        """What goes on into the data; after an error of ours all of it, as without us."""
        if self.problem is None:
            try:
                return dict(self._noted(measured))
            except Exception as error:
                self.problem = f"{type(error).__name__}: {error}"
        return measured

    def _noted(
        self, measured: Mapping[str, Collection[Element]]
    ) -> Iterator[tuple[str, Collection[Element]]]:
        present = self._stack[-1].units
        for file, elements in measured.items():
            present.add(self._interning.number(self._path(file), elements))
            if self._whole:
                yield file, elements
                continue
            handed = self._handed.setdefault(file, set())
            new = [element for element in elements if element not in handed]
            handed.update(new)
            yield file, new

    def _path(self, file: str) -> str:
        found = self._paths.get(file)
        if found is None:
            path = os.path.join(self._folder, file)
            found = self._paths[file] = place_of(path, self._top) or Path(path).as_posix()
        return found

    # --- boundaries ------------------------------------------------------------------------------

    def enter(self, stretch: Stretch) -> None:
        """From now on everything belongs to `stretch`."""
        self._flush()
        self._stack.append(stretch)

    def leave(self, stretch: Stretch) -> None:
        """Ends `stretch`, and what was entered within it and never left."""
        if stretch in self._stack:
            self._flush()
            del self._stack[self._stack.index(stretch) :]

    def _flush(self) -> None:
        if not self._originals:
            return
        self._flushes = True
        try:
            self._coverage.switch_context(self.context)
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            self.stop()
        finally:
            self._flushes = False

    def new_life(self) -> int:
        """A number for one life of a fixture."""
        return next(self._lives)

    # --- records ---------------------------------------------------------------------------------

    def reads(self, stretch: Stretch, path: str) -> None:
        """Nothing: coverage does not tell of files."""

    def defines(self, stretch: Stretch, function: Callable[..., object]) -> None:
        """Nothing: what did not run is not covered."""

    def test(self, nodeid: str, stretch: Stretch, what: str | None) -> CoveredTest:
        """The record of a test whose stretch has been left."""
        return CoveredTest(nodeid, *_rising(stretch), self.worker)

    def fixture(self, number: int, name: str, stretch: Stretch) -> CoveredFixture:
        """The record of a life whose last stretch has been left."""
        return CoveredFixture(number, *_rising(stretch), self.worker)

    def collected(self, path: str, nodeids: Iterable[str]) -> None:
        """Nothing: whoever judges knows what was collected."""

    def encoded(self, *records: CoveredRecord | None) -> str:
        """The lines of records, after those of the sets that they tell of."""
        known = (record for record in records if record is not None)
        named = (*self._interning.fresh(self.worker), *known)
        return b"".join(map(encoded_covered, named)).decode("ascii")

    def finish(self) -> Iterator[CoveredRecord]:
        """What is known at the end only; nothing is watched any more."""
        self._flush()
        self.stop()
        yield CoveredSession(_rising(self._session)[0], self.worker)


def _rising(stretch: Stretch) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(sorted(stretch.units)), tuple(sorted(stretch.fixtures))


def last_lines(covered: Elements, run: CoveredRun, top: Path) -> str:
    """Lines on a whole run: `run`, with the sets of all that was `covered`."""
    interning = Interning()
    worker = "whole"
    numbers = [interning.number(path, elements) for path, elements in sorted(covered.items())]
    since = {path: content_id(os.path.join(top, path)) for path in covered}
    contents = {path: content for path, content in since.items() if content is not None}
    records: list[CoveredRecord] = list(interning.fresh(worker))
    records += (CoveredContents(part) for part in split(contents, _PART))
    records.append(run._replace(sets=tuple(sorted(numbers)), worker=worker))
    return b"".join(map(encoded_covered, records)).decode("ascii")
