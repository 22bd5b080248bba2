"""Which worker gets which batch, and when: list scheduling for workers that look one test ahead.

Pure. An xdist worker begins a test only when it knows the one after it, as the fixtures that both
use live on; so whoever has but one test left waits for more. What is given ahead can't be taken
back, and a worker that runs a long test would sit on the next long one. So the heaviest batch goes
to the worker that is idle first (longest processing time first, Graham 1969), and a worker that
only needs to know its next test is given the lightest.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pytest_ciopt.core.plan.batches import Batch

Worker = TypeVar("Worker")

_AHEAD = 0.05
"""Seconds of work that a worker has left when it is given more: no answer takes as long."""
HELD = 2
"""Tests that a worker runs or knows to be next: they can't be taken back."""
_PARTS = 8
"""Of an equal share of all tests, one is what a worker has ahead at most: what seems quick may take
long now."""


@dataclass(slots=True)
class _Left:
    """What a worker has not run yet."""

    tests: deque[str] = field(default_factory=deque)
    """In the order in which they run."""
    seconds: float = 0.0


class Dispatch(Generic[Worker]):
    """Each test is given to one worker, and to another one only if its own died before it."""

    def __init__(self, batches: Iterable[Batch], *, takes_back: bool = False) -> None:
        """Nobody has anything yet. `takes_back` says whether tests are asked back."""
        self._takes_back = takes_back
        self._asked: Worker | None = None
        """Who was asked to give tests back, and has not answered."""
        self._queue: list[Batch] = []
        self._seconds: dict[str, float] = {}
        self._batch: dict[str, Batch] = {}
        self._left: dict[Worker, _Left] = {}
        for batch in batches:
            self._put(batch)

    @property
    def is_empty(self) -> bool:
        """Whether no batch waits for a worker."""
        return not self._queue

    @property
    def is_waiting(self) -> bool:
        """Whether tests wait for a worker, or somebody was asked to give some back."""
        return bool(self._queue) or self._asked is not None

    def left(self) -> dict[Worker, int]:
        """How many tests of each worker have not ended."""
        return {worker: len(own.tests) for worker, own in self._left.items()}

    def join(self, worker: Worker) -> None:
        """Another worker takes part."""
        self._left[worker] = _Left()

    def more(self, worker: Worker) -> list[str]:
        """What to give to it now, in the order to run it; nothing, if it has enough."""
        own, tests = self._left[worker], list[str]()
        most = len(self._seconds) // (_PARTS * len(self._left))
        while self._queue and (
            len(own.tests) < HELD or (own.seconds < _AHEAD and len(own.tests) < most)
        ):
            is_next = own.seconds <= min(one.seconds for one in self._left.values())
            batch = self._queue.pop(-1 if is_next else 0)
            own.tests.extend(batch.tests)
            own.seconds += batch.weight
            tests.extend(batch.tests)
        return tests

    def ended(self, worker: Worker, test: str) -> None:
        """A worker is through with a test."""
        own = self._left[worker]
        own.tests.remove(test)
        own.seconds = max(own.seconds - self._seconds[test], 0.0) if own.tests else 0.0

    def leave(self, worker: Worker) -> str | None:
        """A worker is gone. Returns the test that it died in, which nobody runs again; those after
        it are for others. Raises: KeyError, if it never joined."""
        tests = self._left.pop(worker).tests
        if self._asked == worker:
            self._asked = None
        if not tests:
            return None
        died_in = tests.popleft()
        self._put_back(tests)
        return died_in

    def ask(self, idle: Worker) -> tuple[Worker, list[str]] | None:
        """Whom to ask for which tests back, so that they end sooner with a worker that has nothing
        more; None when nobody has any. One is asked at a time."""
        if self.is_waiting or not self._takes_back:
            return None
        busiest = max(self._left, key=lambda one: self._left[one].seconds)
        tests = self._movable(self._left[busiest], self._left[idle].seconds)
        if not tests:
            return None
        self._asked = busiest
        return busiest, tests

    def given_back(self, worker: Worker, tests: Iterable[str]) -> None:
        """The answer: all that were asked for, or none. One that is gone has left all."""
        if self._asked == worker:
            self._asked = None
        own, back = self._left.get(worker, _Left()), set(tests)
        moved = [test for test in own.tests if test in back]
        own.tests = deque(test for test in own.tests if test not in back)
        own.seconds = max(own.seconds - sum(self._seconds[test] for test in moved), 0.0)
        self._put_back(moved)

    def again(self, test: str) -> None:
        """A test waits once more, alone: what it died in, for example."""
        self._put_back([test])

    def forget(self) -> list[str]:
        """Nobody is there for what waits: returns it, and it waits no more."""
        tests = [test for batch in self._queue for test in batch.tests]
        self._queue.clear()
        return tests

    def _movable(self, own: _Left, other: float) -> list[str]:
        """What a worker should give back to one that has `other` seconds left: so much that both
        take as long."""
        taken: list[list[str]] = []
        seconds = 0.0
        for piece in self._pieces(own):
            more = sum(self._seconds[test] for test in piece)
            if other + seconds + more > own.seconds - seconds - more:
                break
            taken.append(piece)
            seconds += more
        return [test for piece in reversed(taken) for test in piece]

    def _pieces(self, own: _Left) -> Iterator[list[str]]:
        """From its end on, what may be given back."""
        end = len(own.tests)
        while end > HELD:
            batch = self._batch[own.tests[end - 1]]
            begin = end - (len(batch.tests) if batch.whole else 1)
            piece = [own.tests[place] for place in range(max(begin, 0), end)]
            if begin < HELD or (batch.whole and piece != list(batch.tests)):
                return  # it has begun
            yield piece
            end = begin

    def _put_back(self, tests: Iterable[str]) -> None:
        again: dict[str, list[str]] = {}
        for test in tests:
            again.setdefault(self._batch[test].name, []).append(test)
        for rest in again.values():
            seconds = sum(self._seconds[test] for test in rest)
            self._put(replace(self._batch[rest[0]], tests=rest, weight=seconds))

    def _put(self, batch: Batch) -> None:
        insort(self._queue, batch, key=lambda one: (one.weight, one.name))
        for test in batch.tests:
            self._batch[test] = batch
            self._seconds[test] = batch.weight / len(batch.tests)
