"""Which classes may be those of one object, as far as class statements show. Pure."""

import re
from collections.abc import Iterable

_CLASS = re.compile(rb"^[ \t]*class\s+(\w+)\s*(?:\(([^)]*)\))?", re.MULTILINE)
_NAME = re.compile(rb"\w+")
_DELEGATING = re.compile(rb"^[ \t]+(?:def\s+)?__getattr(?:ibute)?__\b", re.MULTILINE)
"""A method that may look attributes up in other objects."""
_ASSIGNED = re.compile(rb"(\w++)\s*(?:=(?!=)|:)")
"""What may be an attribute that is set, perhaps to a method of something else."""

_ByName = dict[bytes, set[int]]


class Families:
    """Of the texts of Python files. A base is found by its simple name, wherever it is defined."""

    def __init__(self, contents: Iterable[bytes]) -> None:
        self._classes: list[tuple[bytes, frozenset[bytes]]] = []
        """Names, and names of what stands in the parentheses."""
        self._delegating: set[int] = set()
        """Numbers of classes in files with such methods."""
        self._assigned: set[bytes] = set()
        self._named: _ByName = {}
        self._derived: _ByName = {}
        for content in contents:
            self._assigned.update(_ASSIGNED.findall(content))
            delegates = _DELEGATING.search(content) is not None
            for name, bases in _CLASS.findall(content):
                self._add(name, frozenset(_NAME.findall(bases)), delegates=delegates)

    def _add(self, name: bytes, bases: frozenset[bytes], *, delegates: bool) -> None:
        number = len(self._classes)
        self._classes.append((name, bases))
        self._named.setdefault(name, set()).add(number)
        for base in bases:
            self._derived.setdefault(base, set()).add(number)
        if delegates:
            self._delegating.add(number)

    def may_have(self, one: str, other: str, method: str) -> bool:
        """Whether an object of a class `one` may have a method of a class `other`: one of them
        derives from the other, a third one from both, the attribute is set somewhere, or attributes
        are looked up in other objects."""
        if method.encode() in self._assigned:
            return True
        mine, others = self._below(one), self._below(other)
        return not mine.isdisjoint(others) or not self._above(mine).isdisjoint(self._delegating)

    def _below(self, name: str) -> set[int]:
        """Classes of a name, and what derives from them."""
        found = set(self._named.get(name.encode(), ()))
        waiting = list(found)
        while waiting:
            fresh = self._derived.get(self._classes[waiting.pop()][0], set()) - found
            found |= fresh
            waiting.extend(fresh)
        return found

    def _above(self, classes: set[int]) -> set[int]:
        """Classes, and what they derive from."""
        found, waiting = set(classes), list(classes)
        while waiting:
            _, bases = self._classes[waiting.pop()]
            fresh = set[int]().union(*(self._named.get(base, ()) for base in bases)) - found
            found |= fresh
            waiting.extend(fresh)
        return found
