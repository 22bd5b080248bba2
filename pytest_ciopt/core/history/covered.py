"""What each test covered: the records from which the coverage of a whole run is put together again.

An *element* is what coverage.py measures of a file: a line, or, with branches, a pair of lines, of
which one is negative where code begins or ends. Elements are numbered within one file and sets of
them within one process of one run, each in the order in which they are written. Paths are relative
to the repository with forward slashes, or whole outside of it.
"""

from collections.abc import Mapping
from typing import NamedTuple

Element = int | tuple[int, int]
LARGEST = 1 << 28
"""Lines are below it, as in coverage.py."""


class CoveredSet(NamedTuple):
    """A new set of elements of a file, and those of them that are new."""

    path: str
    elements: tuple[Element, ...]
    bits: int
    """One for each element of the set, by its number."""
    worker: str | None = None


class CoveredTest(NamedTuple):
    """All phases of one attempt at a test, fixtures of function scope included."""

    id: str
    """The node id."""
    sets: tuple[int, ...]
    """Numbers, rising."""
    fixtures: tuple[int, ...] = ()
    """Lives of fixtures of wider scope that were used, rising."""
    worker: str | None = None


class CoveredFixture(NamedTuple):
    """One life of a fixture of wider scope."""

    number: int
    sets: tuple[int, ...]
    fixtures: tuple[int, ...] = ()
    worker: str | None = None


class CoveredSession(NamedTuple):
    """What a process covered outside of tests and fixtures: imports, collection, hooks."""

    sets: tuple[int, ...]
    worker: str | None = None


class CoveredContents(NamedTuple):
    """Some of the measured files, as they were at the end."""

    contents: Mapping[str, str]
    """Content ids by path."""
    worker: str | None = None


class CoveredRun(NamedTuple):
    """What the run as a whole has to say, at its end."""

    branches: bool
    whole: bool
    """Whether all tests ran; else only those that the change since the run's base can affect."""
    sets: tuple[int, ...]
    """What was covered in all, by whatever process."""
    scope: str = ""
    """Fingerprint of what the run was asked for: arguments, `-m`, `-k` and the like."""
    settings: str = ""
    """Fingerprint of what coverage.py was configured to measure."""
    gone: tuple[str, ...] = ()
    """Tests that an earlier run knew and that are no more, sorted."""
    doubts: tuple[str, ...] = ()
    """Why what was put together with earlier runs may not be exact."""
    worker: str | None = None
    """In whose numbers the sets are."""


CoveredRecord = (
    CoveredSet | CoveredTest | CoveredFixture | CoveredSession | CoveredContents | CoveredRun
)
