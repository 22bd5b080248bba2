"""Builds `index.sqlite` from the segments.

The index is never altered in place: what is new is added to a copy, which then replaces it. So
readers need no locks, a process that is killed leaves the old index, and of two that build at the
same time one wins, whose work the next reader completes.
"""

import contextlib
import os
import shutil
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from pytest_ciopt.adapters.codeversion import version_of
from pytest_ciopt.adapters.history import reader
from pytest_ciopt.adapters.history.writer import CLOSED
from pytest_ciopt.core.history import estimates, packing, results
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.encoding import encoded
from pytest_ciopt.core.history.estimates import estimated
from pytest_ciopt.core.history.packing import PackedRun, Series, unpacked
from pytest_ciopt.core.history.results import Result, Subject, results_of

NAME = "index.sqlite"
KEPT = 50
"""Results of a subject in an environment; older ones are in the segments only."""

_SEAL = slice(60, 64)
"""Bytes of `user_version`. **Source:** https://www.sqlite.org/fileformat.html, 1.3."""

_Key = tuple[int, int]
"""Subject and environment."""


@cache
def version() -> str:
    """Of the schema and of what is computed into it. An index of another one is made anew."""
    return version_of("1", results, estimates, packing)


@cache
def schema() -> str:
    """The statements that make the tables."""
    return files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")


def sources(found: reader.Inventory) -> dict[str, Path]:
    """By name, what an index is made from: packs before segments, for they may hold the same."""
    closed = (path for path in found.runs.values() if path.name.endswith(CLOSED))
    return {path.name: path for path in (*found.packs, *closed)}


def is_current(connection: sqlite3.Connection, wanted: Mapping[str, Path]) -> bool:
    """Whether an index was made from these very files."""
    return _version(connection) == version() and _known(connection) == _sizes(wanted)


def _version(connection: sqlite3.Connection) -> str | None:
    with contextlib.suppress(sqlite3.DatabaseError):
        row = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        return None if row is None else str(row[0])
    return None


def _known(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT name, size FROM source"))


def _sizes(wanted: Mapping[str, Path]) -> dict[str, int]:
    found = {}
    for name, path in wanted.items():
        with contextlib.suppress(OSError):
            found[name] = path.stat().st_size
    return found


def seal(path: Path) -> None:
    """Writes a checksum of the file into its header, where SQLite has a number for its users."""
    checksum = _checksum(path.read_bytes())
    with open(path, "rb+") as stream:
        stream.seek(_SEAL.start)
        stream.write(checksum)


def is_sound(path: Path) -> bool:
    """Whether the file is as it was sealed. SQLite itself overlooks much damage."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return content[_SEAL] == _checksum(content)


def _checksum(content: bytes) -> bytes:
    view = memoryview(content)
    found = zlib.crc32(view[_SEAL.stop :], zlib.crc32(view[: _SEAL.start]))
    return found.to_bytes(4, "big")


def build(target: Path, wanted: Mapping[str, Path]) -> list[str]:
    """Brings the index at `target` up to date; returns lines on what was set aside.

    Raises: OSError, sqlite3.Error.
    """
    temporary = target.with_name(f"{target.name}.{os.urandom(6).hex()}")
    try:
        with contextlib.closing(_copied(target, temporary, wanted)) as connection:
            told = fill(connection, wanted)
        seal(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return told


def _copied(target: Path, temporary: Path, wanted: Mapping[str, Path]) -> sqlite3.Connection:
    """A copy of the index, or an empty one where the old one cannot be added to."""
    if is_sound(target):
        shutil.copyfile(target, temporary)
        connection = _connected(temporary)
        with contextlib.suppress(sqlite3.DatabaseError):
            if _version(connection) == version() and not _lost(connection, wanted):
                return connection
        connection.close()
        temporary.unlink()
    return _connected(temporary)


def _connected(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = from_text
    # Nobody sees the file before it is whole.
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    return connection


def in_memory(wanted: Mapping[str, Path]) -> tuple[sqlite3.Connection, list[str]]:
    """An index for this process alone, where none can be written."""
    connection = _connected(":memory:")
    return connection, fill(connection, wanted)


def text(value: str) -> bytes:
    """As SQLite keeps it, with `CAST(? AS TEXT)`; Python would refuse lone surrogates."""
    return value.encode("utf-8", "surrogatepass")


def from_text(value: bytes) -> str:
    """What `text` gave."""
    return value.decode("utf-8", "surrogatepass")


def _lost(connection: sqlite3.Connection, wanted: Mapping[str, Path]) -> bool:
    """Whether runs may have gone with files: then the results of older ones are wanted again."""
    gone = [name for name in _known(connection) if name not in wanted]
    fresh = [path for name, path in wanted.items() if name not in _known(connection)]
    packed: set[str] = set()
    for path in fresh:
        if reader.PACK.fullmatch(path.name):
            with contextlib.suppress(SegmentError, OSError):
                packed.update(run.start.run for run in unpacked(reader.lines(path))[0])
    inside = connection.execute("SELECT id, source FROM run").fetchall()
    return any(source in gone and run not in packed for run, source in inside)


def fill(connection: sqlite3.Connection, wanted: Mapping[str, Path]) -> list[str]:
    """Adds what is new. A damaged file is set aside, and told."""
    told: list[str] = []
    if _version(connection) is None:
        connection.executescript(schema())
    connection.execute("BEGIN")
    if _version(connection) is None:
        connection.execute("INSERT INTO meta VALUES ('version', ?)", (version(),))
    filling = _Filling(connection)
    known, sizes = _known(connection), _sizes(wanted)
    connection.executemany(
        "DELETE FROM source WHERE name = ?", ((name,) for name in known if name not in wanted)
    )
    for name, path in wanted.items():
        if known.get(name) == sizes.get(name):
            continue
        try:
            filling.add(path)
        except SegmentError as error:
            told.append(reader.set_aside(path, str(error)))
        except OSError as error:
            told.append(f"{name} cannot be read: {error.strerror or error}")
        else:
            row = (name, sizes.get(name, 0))
            connection.execute("INSERT OR REPLACE INTO source VALUES (?, ?)", row)
    filling.finish()
    connection.execute("COMMIT")
    return told


class _Filling:
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
        """Numbers of a run and its environment; None for a run that is known already."""
        if run.start.run in self._runs:
            row = (source, run.start.run)
            self._connection.execute("UPDATE run SET source = ? WHERE id = ?", row)
            return None
        number = len(self._runs) + 1
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
        return sorted(results, key=lambda pair: self._ids[pair[0]])[-KEPT:]

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
        kept = {key: self._newest(several) for key, several in self._fresh.items()}
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
