"""A stretch of execution: what ran and was read between two boundaries, or several of those."""

from pytest_ciopt.adapters.tracing.starts import Start
from pytest_ciopt.core.history.traces import Trace

MOST = 5_000
"""Files and folders that one trace names; with more it says that it does not name them."""


class Stretch:
    """Fills while a test, a fixture or an import goes on, perhaps with interruptions."""

    __slots__ = ("fixtures", "lists", "reads", "starts", "to_run", "units", "unseen", "written")

    def __init__(self) -> None:
        self.units: set[int] = set()
        self.reads: set[str] = set()
        self.lists: set[str] = set()
        self.written: set[str] = set()
        """Files that were written before they were read: they are no inputs."""
        self.to_run: set[str] = set()
        """Modules that the import system has opened to run them."""
        self.fixtures: set[int] = set()
        self.starts: list[Start] = []
        """Children that have not been asked yet what they did."""
        self.unseen: str | None = None

    def read(self, place: str) -> None:
        """A file was opened to read."""
        if place not in self.written:
            self.reads.add(place)

    def miss(self, why: str) -> None:
        """More may have happened than was seen. The first reason stays."""
        if self.unseen is None:
            self.unseen = why

    def trace(self, *, of_import: bool = False) -> Trace:
        """What was seen so far. Complexity: linear, but for sorting."""
        if len(self.reads) + len(self.lists) > MOST:
            self.reads, self.lists = set(), set()
            self.miss("reads too many files to name them")
        return Trace(
            units=() if of_import else tuple(sorted(self.units)),
            reads=tuple(sorted(self.reads)),
            lists=tuple(sorted(self.lists)),
            fixtures=tuple(sorted(self.fixtures)),
            unseen=self.unseen,
        )
