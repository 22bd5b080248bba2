"""Builds `index.sqlite` from the segments.

The index is never altered in place: what is new is added to a copy, which then replaces it. So
readers need no locks, a process that is killed leaves the old index, and of two that build at the
same time one wins, whose work the next reader completes.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from pytest_ciopt.adapters.codeversion import version_of
from pytest_ciopt.adapters.history import reader
from pytest_ciopt.adapters.history.filling import STANDING, Filling, from_text, standing_in
from pytest_ciopt.adapters.history.sealing import is_sound, seal
from pytest_ciopt.adapters.history.writer import CLOSED
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.packing import PackedRun, standing_of, unpacked
from pytest_ciopt.core.history.results import (
    NO_COPY,
    RunResults,
    Standing,
    results_of,
)

NAME = "index.sqlite"


def version() -> str:
    """Of the schema and of what is computed into it. An index of another one is made anew."""
    return version_of("2")


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
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(
            contextlib.closing(sqlite3.connect(path, isolation_level=None))
        )
        connection.text_factory = from_text
        # Nobody sees the file before it is whole.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        stack.pop_all()
    return connection


def in_memory(wanted: Mapping[str, Path]) -> tuple[sqlite3.Connection, list[str]]:
    """An index for this process alone, where none can be written."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(contextlib.closing(_connected(":memory:")))
        told = fill(connection, wanted)
        stack.pop_all()
    return connection, told


def _lost(connection: sqlite3.Connection, wanted: Mapping[str, Path]) -> bool:
    """Whether runs may have gone with files, so that the results of older ones are wanted again, or
    a fresh file tells more of a run than the one that was read."""
    known, sizes = _known(connection), _sizes(wanted)
    if any(name in known and known[name] != size for name, size in sizes.items()):
        return True  # a run that was merged while it went on, and again later
    gone = known.keys() - wanted.keys()
    inside = {
        run: (source in gone, standing_in(*columns))
        for run, source, *columns in connection.execute(f"SELECT id, source, {STANDING} FROM run")
    }
    told = dict.fromkeys(inside, NO_COPY)
    for path in (path for name, path in wanted.items() if name not in known):
        with contextlib.suppress(SegmentError, OSError):
            for run, its in _told_again(path, told):
                told[run] = max(its, told[run])
    return any(
        told[run] != before if orphaned else told[run] > before
        for run, (orphaned, before) in inside.items()
    )


def _told_again(path: Path, known: Container[str]) -> Iterator[tuple[str, Standing]]:
    """Of a file the runs that are known, and how much it tells of them."""
    found: Sequence[PackedRun | RunResults] = ()
    if reader.PACK.fullmatch(path.name):
        found = unpacked(reader.lines(path))[0]
    elif path.name.removesuffix(CLOSED) in known:
        found = [results_of(reader.records(path))]
    for run in found:
        if run.start.run in known:
            yield run.start.run, standing_of(run)


def fill(connection: sqlite3.Connection, wanted: Mapping[str, Path]) -> list[str]:
    """Adds what is new. A damaged file is set aside, and told."""
    told: list[str] = []
    if _version(connection) is None:
        connection.executescript(schema())
    connection.execute("BEGIN")
    if _version(connection) is None:
        connection.execute("INSERT INTO meta VALUES ('version', ?)", (version(),))
    filling = Filling(connection)
    known, sizes = _known(connection), _sizes(wanted)
    connection.executemany(
        "DELETE FROM source WHERE name = ?", ((name,) for name in known if name not in wanted)
    )
    for name, path in wanted.items():
        if name in known and known[name] == sizes.get(name):
            continue
        try:
            filling.add(path)
        except SegmentError as error:
            told.append(reader.set_aside(path, str(error)))
        except FileNotFoundError:
            raise  # packed, pruned or set aside since it was listed
        except OSError as error:
            told.append(f"{name} cannot be read: {error.strerror or error}")
        else:
            row = (name, sizes.get(name, 0))
            connection.execute("INSERT OR REPLACE INTO source VALUES (?, ?)", row)
    filling.finish()
    connection.execute("COMMIT")
    return told
