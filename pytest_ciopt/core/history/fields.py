"""The values of one line of a segment, none of them trusted: each is asked for by its type."""

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import cast

from pytest_ciopt.core.history.encoding import LONGEST, OBJECT_ID
from pytest_ciopt.core.history.records import Phase

OUTCOMES = frozenset(("passed", "failed", "skipped", "rerun"))
LARGE = 1 << 53
"""Counts are below it: larger numbers are not the same in every reader of JSON."""


class SegmentError(ValueError):
    """A line that no version of pytest-ciopt has written so."""


class Fields:
    """The values of an object, by name and type. Each method raises SegmentError for another."""

    def __init__(self, plain: Mapping[str, object]) -> None:
        self._plain = plain

    def text(self, name: str) -> str:
        """A text."""
        value = self._plain.get(name)
        if not isinstance(value, str):
            raise SegmentError(f"{name} is no text")
        return value

    def maybe(self, name: str) -> str | None:
        """A text, or None where the key is absent."""
        return None if self._plain.get(name) is None else self.text(name)

    def object_id(self, name: str) -> str | None:
        """The id of a commit or a tree, or None where the key is absent."""
        value = self.maybe(name)
        if value is not None and OBJECT_ID.fullmatch(value) is None:
            raise SegmentError(f"{name} is no id of git's")
        return value

    def one_of(self, name: str, known: frozenset[str]) -> str:
        """One of the words that are known."""
        return one_of(self.text(name), known, name)

    def flag(self, name: str) -> bool:
        """True or false; false where the key is absent."""
        value = self._plain.get(name, False)
        if not isinstance(value, bool):
            raise SegmentError(f"{name} is neither true nor false")
        return value

    def count(self, name: str, default: int | None = None) -> int:
        """A whole number, not negative."""
        value = self._plain.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGE:
            raise SegmentError(f"{name} is no count")
        return value

    def moment(self, name: str) -> float:
        """Seconds of the epoch."""
        value = self._plain.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e11:
            raise SegmentError(f"{name} is no moment")
        return float(value)

    def seconds(self, name: str) -> float:
        """A duration."""
        return duration(self._plain.get(name), name)

    def maybe_seconds(self, name: str) -> float | None:
        """A duration, or None where the key is absent."""
        return None if self._plain.get(name) is None else self.seconds(name)

    def items(self, name: str) -> list[object]:
        """A list; empty where the key is absent."""
        value = self._plain.get(name, [])
        if not isinstance(value, list):
            raise SegmentError(f"{name} is no list")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        values = tuple(self.items(name))
        if not all(isinstance(value, str) for value in values):
            raise SegmentError(f"{name} holds more than texts")
        return tuple(map(str, values))

    def phase(self, name: str) -> Phase | None:
        """A phase of a test, or None where the key is absent."""
        match self._plain.get(name):
            case None:
                return None
            case [str(outcome), took, *shared] if len(shared) <= 1:
                whole = duration(took, name)
                of_it = min(whole, duration(shared[0], name)) if shared else 0.0
                return Phase(one_of(outcome, OUTCOMES, name), whole, of_it)
        raise SegmentError(f"{name} is no phase of a test")

    def numbers(self, name: str) -> tuple[int, ...]:
        """A list of rising whole numbers, written as the first one and the steps from there."""
        plain = self.items(name)
        if set(map(type, plain)) - {int}:
            raise SegmentError(f"{name} holds more than whole numbers")
        first, *steps = cast("list[int]", plain) or [0]
        if first < 0 or min(steps, default=1) < 1 or first + sum(steps) >= LARGE:
            raise SegmentError(f"{name} does not rise")
        return tuple(accumulate(steps, initial=first)) if plain else ()

    def by_name(self, name: str) -> dict[str, object]:
        """An object whose keys are data, e.g. paths; empty where the key is absent."""
        return dict(self.inner(name)._plain) if name in self._plain else {}

    def texts_by_name(self, name: str) -> dict[str, str]:
        """The same, its values texts."""
        found = self.by_name(name)
        if not all(isinstance(value, str) for value in found.values()):
            raise SegmentError(f"{name} holds more than texts")
        return {key: str(value) for key, value in found.items()}

    def inner(self, name: str) -> "Fields":
        """An object in the object."""
        value = self._plain.get(name)
        if not isinstance(value, dict):
            raise SegmentError(f"{name} is no object")
        return Fields(value)


def one_of(word: str, known: frozenset[str], name: str) -> str:
    """The word, if it is known. Raises: SegmentError."""
    if word not in known:
        raise SegmentError(f"{name} is none of {', '.join(sorted(known))}")
    return word


def duration(value: object, name: str) -> float:
    """The value, if it is one. Raises: SegmentError."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise SegmentError(f"{name} is no duration")
    if not 0 <= value < LONGEST or math.isnan(value):
        raise SegmentError(f"{name} is no duration")
    return float(value)
