"""Reads segments, adopts those of killed runs, and sets damaged ones aside.

Nothing in a segment is trusted: it may come from another machine or a pull request.
"""

import contextlib
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters.history import lock
from pytest_ciopt.adapters.history.writer import CLOSED, FOLDER, NEW, OPEN, compress
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.covered import CoveredRecord
from pytest_ciopt.core.history.covered_encoding import COVERED
from pytest_ciopt.core.history.decoding import MAX_LINE, SegmentError, decoded
from pytest_ciopt.core.history.encoding import RUN_ID
from pytest_ciopt.core.history.records import Attempt, Record, RunEnd, RunStart
from pytest_ciopt.core.history.trace_encoding import TRACED
from pytest_ciopt.core.history.traces import TraceRecord

DAMAGED = "damaged"
PACK = re.compile(r"pack-[0-9a-f]{12}-[0-9a-f]{20}\.jsonl\.gz", re.ASCII)
"""Name of a pack: the moment of its newest run, then a digest of its runs."""
MAX_SEGMENT = 1_000_000_000
"""Bytes of text up to which a segment is read."""
MAX_LINES = 2_000_000
"""Lines up to which one is read, at 4 to 10 microseconds each: the results of two million tests, or
everything of half a million. A forged file of 0.5 MB may hold twenty million that say nothing."""
_PARTIAL = {
    "": re.compile(r"index\.sqlite\.[0-9a-f]{12}", re.ASCII),
    "cache": re.compile(
        r"(imports|listing|records|repository|search)[^/]*\.[0-9a-f]{12}", re.ASCII
    ),
    FOLDER: re.compile(
        rf"{RUN_ID.pattern}{re.escape(NEW)}|"
        rf"({RUN_ID.pattern}{re.escape(CLOSED)}|{PACK.pattern})\.[0-9a-f]{{12}}",
        re.ASCII,
    ),
}
"""By folder, what is written beside a file, to take its place."""
_DAY = 86_400
"""Seconds after which an open segment counts as left behind where there are no locks."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """The segments of a folder, after what was left behind has been seen to."""

    runs: dict[str, Path] = field(default_factory=dict)
    """By run id, sorted: closed segments, and open ones of runs that go on."""
    packs: list[Path] = field(default_factory=list)
    """Sorted by time."""
    told: list[str] = field(default_factory=list)
    """What was done, a line each."""


def inventory(state: StateDir, moment: float) -> Inventory:
    """Lists the segments; compresses those whose writers were killed. `moment` is the time now.

    Never raises: what cannot be read or renamed stays and is told.
    """
    found = Inventory()
    for name in _PARTIAL:
        _sweep(state.path, name, moment)
    folder = state.path / FOLDER
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return found
    for name in names:
        if PACK.fullmatch(name):
            found.packs.append(folder / name)
        run = name.partition(".")[0]
        if RUN_ID.fullmatch(run) is None or name not in (run + OPEN, run + CLOSED):
            continue
        path: Path | None = folder / name
        if name == run + OPEN:
            path = _left_behind(folder / name, moment, found.told)
        if path is not None:
            found.runs.setdefault(run, path)  # an open one comes before its closed copy
    return found


def _sweep(top: Path, folder: str, moment: float) -> None:
    """Removes what a process left that was killed while it wrote a file; none writes for a day."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(top / folder):
            if _PARTIAL[folder].fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    if moment - entry.stat(follow_symlinks=False).st_mtime > _DAY:
                        os.unlink(entry.path)


def _left_behind(path: Path, moment: float, told: list[str]) -> Path | None:
    """The segment of a run that goes on, or the closed one that was made of a dead run's.

    There may be a closed copy, too, which was merged: the more complete of the two counts.
    """
    closed = path.with_name(path.name.removesuffix(OPEN) + CLOSED)
    try:
        with open(path, "rb+") as stream:
            held = lock.acquire(stream.fileno())
            fresh = moment - os.fstat(stream.fileno()).st_mtime < _DAY
            goes_on = held is lock.Lock.HELD or (held is lock.Lock.UNKNOWN and fresh)
            if not goes_on and not lock.is_same_file(stream.fileno(), str(path)):
                raise FileNotFoundError  # somebody else has just adopted it
            part = sound_part(path)
            whole = _whole(closed, told)
            if whole is not None and whole >= part:
                if not goes_on:  # killed between the two
                    path.unlink()
                return closed
            if goes_on:
                return path
            if part == NOTHING:
                told.append(set_aside(path, "its first line is no start of a run"))
                return None
            compress(path, part.size)
            path.unlink()
    except FileNotFoundError:  # its run has ended since it was listed, or it was adopted
        return closed if closed.exists() else None
    except OSError as error:
        told.append(f"{path.name} cannot be adopted: {error.strerror or error}")
        return None
    told.append(
        f"adopted the segment of a run that was not recorded to its end: "
        f"{part.attempts:,} tests, {closed.name}"
    )
    return closed


class Part(NamedTuple):
    """How much the sound lines at the beginning of a segment tell. The greater tells more."""

    ended: bool
    attempts: int
    """Lines of tests."""
    size: int
    """Bytes of text."""


NOTHING = Part(False, 0, 0)


def sound_part(path: Path) -> Part:
    """Up to the first line that is not sound; `NOTHING` without the start of a run.

    Raises: OSError.
    """
    part = NOTHING
    with contextlib.suppress(SegmentError):
        for longer in _parts(path):
            part = longer
    return part


def _whole(path: Path, told: list[str]) -> Part | None:
    """Of a closed segment, if there is one. It is set aside when it is damaged."""
    part = NOTHING
    try:
        for longer in _parts(path):
            part = longer
    except FileNotFoundError:
        return None
    except SegmentError as error:
        told.append(set_aside(path, str(error)))
        return None
    return part


def _parts(path: Path) -> Iterator[Part]:
    """Longer and longer ones. Raises: SegmentError at the first line that is not sound, OSError."""
    part = NOTHING
    for line in lines(path):
        if not line.endswith(b"\n"):
            raise SegmentError("its last line is cut off")
        record = decoded(line)
        if part == NOTHING and not isinstance(record, RunStart):
            raise SegmentError("its first line is no start of a run")
        ended, attempts = isinstance(record, RunEnd), isinstance(record, Attempt)
        part = Part(part.ended or ended, part.attempts + attempts, part.size + len(line))
        yield part


def set_aside(path: Path, why: str) -> str:
    """Moves a damaged segment out of the way, into `damaged/`; returns a line about it."""
    target = path.parent / DAMAGED / path.name
    try:
        target.parent.mkdir(exist_ok=True)
        os.replace(path, target)
    except OSError as error:
        return f"{path.name} is damaged ({why}), and stays: {error.strerror or error}"
    return f"{path.name} is damaged ({why}): set aside in {DAMAGED}/"


def records(path: Path) -> Iterator[Record]:
    """The records of a segment, its `RunStart` first, without traces, which are not even decoded.

    Raises: SegmentError, OSError.
    """
    for record in _records(path, skipped=(*TRACED, COVERED)):
        if isinstance(record, Record):
            yield record


def all_records(path: Path) -> Iterator[Record | TraceRecord]:
    """The same with traces. Raises: SegmentError, OSError."""
    for record in _records(path, skipped=(COVERED,)):
        if isinstance(record, Record | TraceRecord):
            yield record


def covered_records(path: Path) -> Iterator[CoveredRecord]:
    """What tests covered. Raises: SegmentError, OSError."""
    for record in _records(path, skipped=TRACED):
        if isinstance(record, CoveredRecord):
            yield record


def _records(
    path: Path, skipped: tuple[bytes, ...]
) -> Iterator[Record | TraceRecord | CoveredRecord]:
    """An open segment may end in half a line."""
    run = path.name.partition(".")[0]
    first = True
    for line in lines(path):
        if not line.endswith(b"\n"):
            if path.name.endswith(OPEN):
                return
            raise SegmentError("its last line is cut off")
        if not first and line.startswith(skipped):
            continue
        record = decoded(line)
        if first and not (isinstance(record, RunStart) and record.run == run):
            raise SegmentError("its first line is not the start of this run")
        if not first and isinstance(record, RunStart):
            raise SegmentError("a second run begins in it")
        first = False
        if record is not None:
            yield record
    if first:
        raise SegmentError("it is empty")


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a segment or a pack; a very long one is cut.

    Raises: SegmentError when it is too large or cannot be decompressed, OSError.
    """
    size = count = 0
    try:
        with open(path, "rb") if path.name.endswith(OPEN) else gzip.open(path, "rb") as stream:
            while line := stream.readline(MAX_LINE + 1):
                size, count = size + len(line), count + 1
                if size > MAX_SEGMENT:
                    raise SegmentError("it is too large")
                if count > MAX_LINES:
                    raise SegmentError(f"it has more than {MAX_LINES:,} lines")
                yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SegmentError(f"it cannot be decompressed: {error}") from error
