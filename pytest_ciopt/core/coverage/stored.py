"""What the tests of one run covered, each by itself, as its segment tells. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from pytest_ciopt.core.history.covered import (
    CoveredContents,
    CoveredFixture,
    CoveredRecord,
    CoveredRun,
    CoveredSession,
    CoveredSet,
    CoveredTest,
    Element,
)
from pytest_ciopt.core.history.fields import SegmentError
from pytest_ciopt.core.nodeids import repository_id

Elements = Mapping[str, frozenset[Element]]
"""By path."""
_Worker = str | None
_Set = tuple[_Worker, int]
"""A number counts within its process only."""


class Stored:
    """The records of a run, put together. Complexity: linear in their number."""

    def __init__(self, records: Iterable[CoveredRecord], id: str = "", root: str = "") -> None:
        """`id` is the run's; `root` is what ids of tests begin with at the top of the repository.

        Raises: SegmentError for records that name what is not there.
        """
        self.id = id
        self.run: CoveredRun | None = None
        """None where the run did not come to its end."""
        self.contents: dict[str, str] = {}
        """Content ids by path."""
        self._elements: dict[tuple[_Worker, str], list[Element]] = {}
        """By number."""
        self._sets: dict[_Worker, list[tuple[str, int]]] = {}
        """Path and bits by number."""
        self._tests: dict[str, list[CoveredTest]] = {}
        self._lives: dict[tuple[_Worker, int], CoveredFixture] = {}
        self._session: set[_Set] = set()
        for record in records:
            self._take(record, root)
        self._check()

    def _check(self) -> None:
        named = set(self._session)
        for test in chain.from_iterable(self._tests.values()):
            named.update(_numbered(test.worker, test.sets[-1:]))
        for life in self._lives.values():
            named.update(_numbered(life.worker, life.sets[-1:]))
        if self.run is not None:
            named.update(_numbered(self.run.worker, self.run.sets[-1:]))
        if any(number >= len(self._sets.get(worker, ())) for worker, number in named):
            raise SegmentError("a set of elements that is not there")
        for worker, sets in self._sets.items():
            if any(bits >> len(self._elements[worker, path]) for path, bits in sets):
                raise SegmentError("an element that is not there")

    def _take(self, record: CoveredRecord, root: str) -> None:
        match record:
            case CoveredSet():
                key = record.worker, record.path
                self._elements.setdefault(key, []).extend(record.elements)
                self._sets.setdefault(record.worker, []).append((record.path, record.bits))
            case CoveredTest():
                self._tests.setdefault(repository_id(root, record.id), []).append(record)
            case CoveredFixture():
                self._lives[record.worker, record.number] = record
            case CoveredSession():
                self._session.update(_numbered(record.worker, record.sets))
            case CoveredContents():
                self.contents.update(record.contents)
            case CoveredRun():
                self.run = record

    @property
    def ids(self) -> frozenset[str]:
        """Tests that ran, as their ids read at the top of the repository."""
        return frozenset(self._tests)

    def of(self, tests: Iterable[str]) -> Elements:
        """What some tests covered together, fixtures that they used included."""
        found: set[_Set] = set()
        lives: set[tuple[_Worker, int]] = set()
        for test in tests:
            for record in self._tests.get(test, ()):
                found.update(_numbered(record.worker, record.sets))
                lives.update(_numbered(record.worker, record.fixtures))
        seen: set[tuple[_Worker, int]] = set()
        while lives:
            key = lives.pop()
            life = self._lives.get(key)
            seen.add(key)
            if life is not None:
                found.update(_numbered(life.worker, life.sets))
                lives.update(set(_numbered(life.worker, life.fixtures)) - seen)
        return self._joined(found)

    @property
    def outside(self) -> Elements:
        """What was covered outside of tests and fixtures."""
        return self._joined(self._session)

    @property
    def total(self) -> Elements:
        """What was covered in all."""
        run = self.run
        return {} if run is None else self._joined(set(_numbered(run.worker, run.sets)))

    def _joined(self, sets: Iterable[_Set]) -> dict[str, frozenset[Element]]:
        bits: dict[tuple[_Worker, str], int] = {}
        for worker, number in sets:
            path, own = self._sets[worker][number]
            bits[worker, path] = bits.get((worker, path), 0) | own
        found: dict[str, frozenset[Element]] = {}
        for key, several in bits.items():
            elements = frozenset(_chosen(self._elements[key], several))
            found[key[1]] = found.get(key[1], frozenset()) | elements
        return found


def _numbered(worker: _Worker, numbers: Iterable[int]) -> Iterator[_Set]:
    return ((worker, number) for number in numbers)


def _chosen(elements: Iterable[Element], bits: int) -> Iterator[Element]:
    digits = reversed(f"{bits:b}")
    return (element for element, digit in zip(elements, digits, strict=False) if digit == "1")


def united(several: Iterable[Elements]) -> dict[str, frozenset[Element]]:
    """All of them."""
    found: dict[str, set[Element]] = {}
    for one in several:
        for path, elements in one.items():
            found.setdefault(path, set()).update(elements)
    return {path: frozenset(elements) for path, elements in found.items()}
