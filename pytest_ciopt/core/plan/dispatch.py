"""Which worker gets which batch, and when: list scheduling for workers that look one test ahead.

Pure. An xdist worker begins a test only when it knows the one after it, as the fixtures that both
use live on; so whoever has but one test left waits for more. What is given ahead can't be taken
back, and a worker that runs a long test would sit on the next long one. So the heaviest batch goes
to the worker that is idle first (longest processing time first, Graham 1969), and a worker that
only needs to know its next test is given the lightest.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pytest_ciopt.core.plan.batches import Batch

Worker = TypeVar("Worker")

_AHEAD = 0.05
"""Seconds of work that a worker has left when it is given more: no answer takes as long."""
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

    def __init__(self, batches: Iterable[Batch]) -> None:
        """Nobody has anything yet."""
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
            len(own.tests) < 2 or (own.seconds < _AHEAD and len(own.tests) < most)
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
        if not tests:
            return None
        died_in = tests.popleft()
        again: dict[str, list[str]] = {}
        for test in tests:
            again.setdefault(self._batch[test].name, []).append(test)
        for name, rest in again.items():
            self._put(Batch(name, rest, sum(self._seconds[test] for test in rest)))
        return died_in

    def again(self, test: str) -> None:
        """A test waits once more, alone: what it died in, for example."""
        self._put(Batch(test, [test], self._seconds[test]))

    def forget(self) -> list[str]:
        """Nobody is there for what waits: returns it, and it waits no more."""
        tests = [test for batch in self._queue for test in batch.tests]
        self._queue.clear()
        return tests

    def _put(self, batch: Batch) -> None:
        insort(self._queue, batch, key=lambda one: (one.weight, one.name))
        for test in batch.tests:
            self._batch[test] = batch
            self._seconds[test] = batch.weight / len(batch.tests)
