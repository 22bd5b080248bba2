"""Sets of elements by number: most tests cover the same ones. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from pytest_ciopt.core.history.covered import CoveredSet, Element


@dataclass(slots=True)
class _File:
    elements: dict[Element, int] = field(default_factory=dict)
    """Numbers of elements."""
    sets: dict[frozenset[Element], int] = field(default_factory=dict)
    """Numbers of sets."""


class Interning:
    """Numbers sets in the order in which `fresh` tells of them."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._unwritten: list[tuple[str, tuple[Element, ...], int]] = []
        """Path, new elements, and the bits of a new set."""
        self._next = 0

    def number(self, path: str, elements: Collection[Element]) -> int:
        """Of a set of elements of a file. Complexity: linear."""
        whole = frozenset(elements)
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = _File()
        number = file.sets.get(whole)
        if number is None:
            number = file.sets[whole] = self._next
            self._next += 1
            new = tuple(element for element in whole if element not in file.elements)
            for element in new:
                file.elements[element] = len(file.elements)
            self._unwritten.append((path, new, _bits(file.elements[one] for one in whole)))
        return number

    def fresh(self, worker: str | None) -> Iterator[CoveredSet]:
        """What was numbered since the last time."""
        for path, elements, bits in self._unwritten:
            yield CoveredSet(path, elements, bits, worker)
        self._unwritten = []


def _bits(numbers: Iterable[int]) -> int:
    known = sorted(numbers)
    bits = bytearray(((known[-1] if known else 0) >> 3) + 1)
    for number in known:
        bits[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(bits, "little")
