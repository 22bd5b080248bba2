"""Fills the tables of an index from segments and packs."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ciopt.adapters.history import reader
from pytest_ciopt.core.history.encoding import encoded
from pytest_ciopt.core.history.estimates import estimated
from pytest_ciopt.core.history.packing import PackedRun, Series, standing_of, unpacked
from pytest_ciopt.core.history.results import Result, Standing, Subject, results_of, standing

KEPT = 50
"""Results of a subject in an environment; older ones are in the segments only."""
STANDING = "finish IS NOT NULL, outcomes, seconds"
"""Columns of a run for `standing_in`."""

_Key = tuple[int, int]
"""Subject and environment."""


class Filling:
    """Gathers new results in memory, and writes them at the end."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        ask = connection.execute
        self._runs: dict[str, int] = dict(ask("SELECT id, number FROM run"))
        self._ids = {number: run for run, number in self._runs.items()}
        self._environments: dict[str, int] = dict(ask("SELECT name, number FROM environment"))
        self._subjects: dict[tuple[str, str], int] = {
            (kind, name): number
            for number, kind, name in ask("SELECT number, kind, id FROM subject")
        }
        self._added_to = bool(self._runs)
        self._last = max(self._ids, default=0)
        self._superseded: set[int] = set()
        """Numbers of copies of which a more complete one came."""
        self._fresh: defaultdict[_Key, list[tuple[int, Result]]] = defaultdict(list)

    def add(self, path: Path) -> None:
        """Reads a file whole before anything of it counts. Raises: SegmentError, OSError."""
        if reader.PACK.fullmatch(path.name):
            runs, series = unpacked(reader.lines(path))
            self._add_pack(path.name, runs, list(series))
            return
        whole = results_of(reader.records(path))
        run = PackedRun(whole.start, whole.end, whole.counts, whole.seconds)
        numbers = self._number_of(path.name, run)
        if numbers is not None:
            for subject, result in whole.results.items():
                self._keep(subject, numbers, result)

    def _add_pack(self, name: str, runs: Sequence[PackedRun], series: Iterable[Series]) -> None:
        numbers = [self._number_of(name, run) for run in runs]
        for one in series:
            for place, result in zip(one.runs, one.results, strict=True):
                fresh = numbers[place]
                if fresh is not None:
                    self._keep(one.subject, fresh, result)

    def _number_of(self, source: str, run: PackedRun) -> _Key | None:
        """Numbers of a run and its environment; None when it is known already, as completely."""
        known = self._runs.get(run.start.run)
        if known is not None:
            fresh, before = standing_of(run), self._standing(known)
            if fresh == before:
                row = (source, known)
                self._connection.execute("UPDATE run SET source = ? WHERE number = ?", row)
            if fresh <= before:
                return None
            self._superseded.add(known)
            self._connection.execute("DELETE FROM run WHERE number = ?", (known,))
        number = self._last = self._last + 1
        environment = self._environment(run.start.environment.key)
        self._runs[run.start.run], self._ids[number] = number, run.start.run
        self._connection.execute(
            "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(number, run.start.run, source, environment),
                encoded(run.start).decode("ascii"),
                None if run.end is None else encoded(run.end).decode("ascii"),
                _counts(run.counts),
                run.seconds,
            ),
        )
        return number, environment

    def _standing(self, number: int) -> Standing:
        rows = self._connection.execute(f"SELECT {STANDING} FROM run WHERE number = ?", (number,))
        return standing_in(*rows.fetchone())

    def _environment(self, name: str) -> int:
        if name not in self._environments:
            number = self._environments[name] = len(self._environments) + 1
            row = (number, text(name))
            self._connection.execute("INSERT INTO environment VALUES (?, CAST(? AS TEXT))", row)
        return self._environments[name]

    def _keep(self, subject: Subject, run: _Key, result: Result) -> None:
        number = self._subjects.setdefault(subject, len(self._subjects) + 1)
        results = self._fresh[number, run[1]]
        results.append((run[0], result))
        if len(results) >= 4 * KEPT:
            self._fresh[number, run[1]] = self._newest(results)

    def _newest(self, results: list[tuple[int, Result]]) -> list[tuple[int, Result]]:
        current = (pair for pair in results if pair[0] not in self._superseded)
        return sorted(current, key=lambda pair: self._ids[pair[0]])[-KEPT:]

    def finish(self) -> None:
        """Writes what was gathered, and estimates anew what it concerns."""
        write = self._connection.executemany
        write(
            "INSERT OR IGNORE INTO subject VALUES (?, ?, CAST(? AS TEXT))",
            ((number, kind, text(name)) for (kind, name), number in self._subjects.items()),
        )
        if self._added_to:
            for key, fresh in self._fresh.items():
                fresh.extend(self._stored(key))
        newest = {key: self._newest(several) for key, several in self._fresh.items()}
        kept = {key: several for key, several in newest.items() if several}
        write("DELETE FROM result WHERE subject = ? AND environment = ?", kept)
        write("INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT))", _rows(kept))
        write("INSERT OR REPLACE INTO estimate VALUES (?, ?, ?, ?, ?, ?, ?)", _estimates(kept))

    def _stored(self, key: _Key) -> Iterator[tuple[int, Result]]:
        rows = self._connection.execute(
            "SELECT run, outcome, setup, call, teardown, attempts, failure FROM result "
            "WHERE subject = ? AND environment = ?",
            key,
        )
        for run, *values in rows:
            yield run, Result(*values)


def _rows(kept: Mapping[_Key, Sequence[tuple[int, Result]]]) -> Iterator[Sequence[object]]:
    for key in sorted(kept):
        for run, r in sorted(kept[key], key=lambda pair: pair[0]):
            failure = None if r.failure is None else text(r.failure)
            yield (*key, run, str(r.outcome), r.setup, r.call, r.teardown, r.attempts, failure)


def _estimates(kept: Mapping[_Key, Sequence[tuple[int, Result]]]) -> Iterator[Sequence[object]]:
    for key, several in kept.items():
        e = estimated([result for _, result in several])
        yield (*key, e.setup, e.call, e.teardown, e.spread, e.count)


def _counts(counts: Mapping[str, int]) -> str:
    return " ".join(f"{letter}{number}" for letter, number in sorted(counts.items()))


def counts_in(words: str) -> dict[str, int]:
    """What `_counts` gave."""
    return {word[0]: int(word[1:]) for word in words.split()}


def standing_in(ended: int, outcomes: str, seconds: float) -> Standing:
    """How much the copy of a run tells that the index has."""
    return standing(bool(ended), counts_in(outcomes), seconds)


def text(value: str) -> bytes:
    """As SQLite keeps it, with `CAST(? AS TEXT)`; Python would refuse lone surrogates."""
    return value.encode("utf-8", "surrogatepass")


def from_text(value: bytes) -> str:
    """What `text` gave."""
    return value.decode("utf-8", "surrogatepass")
