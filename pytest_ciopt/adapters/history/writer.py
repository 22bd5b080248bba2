"""Writes the segment of one run, line by line as the run goes.

Each record is handed to the system at once: when the process is killed, only what had not been
written is lost. `finish` compresses the file and makes it immutable.
"""

import contextlib
import gzip
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from pytest_ciopt.adapters.history import lock
from pytest_ciopt.adapters.statedir import SEGMENTS, StateDir, replace_whole
from pytest_ciopt.core.history.encoding import encoded, encoded_passed
from pytest_ciopt.core.history.parts import without
from pytest_ciopt.core.history.records import Record, RunEnd, RunStart

FOLDER = SEGMENTS
OPEN, CLOSED = ".jsonl", ".jsonl.gz"
NEW = ".new"
_LEVEL = 6
"""gzip's own default: level 9 takes three times as long for 2 % less."""


class Writer:
    """The segment of a run. After the first error it is silent, and `problem` says why."""

    def __init__(
        self, state: StateDir, start: RunStart, omitted: Collection[str] = frozenset()
    ) -> None:
        self.problem: str | None = None
        self._omitted = omitted
        self._path = state.path / FOLDER / f"{start.run}{OPEN}"
        self._size = 0
        self._descriptor = -1
        try:
            self._open(state, start)
        except OSError as error:
            self._give_up(error)

    def _open(self, state: StateDir, start: RunStart) -> None:
        state.make(self._path.parent)
        # Under its name from the moment on that it is locked: else others would take it for dead.
        hidden = self._path.with_suffix(NEW)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(hidden, flags, 0o644)
        lock.acquire(self._descriptor)
        self.write(start)
        if self.problem is None:
            os.replace(hidden, self._path)
        else:
            hidden.unlink(missing_ok=True)

    def write(self, *records: Record) -> None:
        """Appends records; either all of them are in the file afterwards or none is."""
        if self._descriptor < 0:
            return
        if self._omitted:
            records = self._left(records)
        single = len(records) == 1
        self.append(encoded(records[0]) if single else b"".join(map(encoded, records)))

    def passed(
        self, nodeid: str, setup: float, call: float, teardown: float, worker: str | None
    ) -> None:
        """As `write` of an `Attempt` of which nothing else is to be told than seconds; sooner."""
        known = None if "workers" in self._omitted else worker
        self.append(encoded_passed(nodeid, setup, call, teardown, known))

    def append(self, text: bytes) -> None:
        """Appends whole lines that are encoded already, as `write` does."""
        if self._descriptor < 0:
            return
        try:
            done = os.write(self._descriptor, text)
            while done < len(text):  # a disk that is nearly full takes a part, then says why
                done += os.write(self._descriptor, text[done:])
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(self._descriptor, self._size)
            self._give_up(error)
            return
        self._size += len(text)

    def _left(self, records: Sequence[Record]) -> tuple[Record, ...]:
        kept = (without(record, self._omitted) for record in records)
        return tuple(record for record in kept if record is not None)

    def finish(self, end: RunEnd) -> None:
        """Writes the end, and replaces the file by a compressed one."""
        self.write(end)
        if self._descriptor < 0:
            return
        try:
            compress(self._path)
            self._path.unlink()
        except OSError as error:
            self._give_up(error)
        self.close()

    def close(self) -> None:
        """Lets go of the file. It stays as it is."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _give_up(self, error: OSError) -> None:
        self.problem = f"{self._path.parent} cannot be written to: {error.strerror or error}"
        self.close()


def compress(path: Path, size: int | None = None) -> Path:
    """Makes the compressed twin of an open segment, of its first `size` bytes. Raises: OSError."""
    target = path.with_name(path.name.removesuffix(OPEN) + CLOSED)
    replace_whole(target, compressed(path.read_bytes()[:size]))
    return target


def compressed(content: bytes) -> bytes:
    """Without a time in it, so that the same content gives the same bytes."""
    return gzip.compress(content, _LEVEL, mtime=0)
