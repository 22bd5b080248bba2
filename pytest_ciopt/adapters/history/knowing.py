"""What all segments together know of tests, kept in `.ciopt/cache/`.

One file for each interpreter: a proof holds on that on which it was made.

The file is disposable: it is made anew from the segments when it is damaged, of another version, or
when a segment came or went that is not newer than all others.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from pytest_ciopt.adapters.codeversion import version_of
from pytest_ciopt.adapters.history.reader import Inventory, all_records, lines, records
from pytest_ciopt.adapters.history.writer import CLOSED
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.covered_encoding import COVERED
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.records import Environment, Record, RunStart
from pytest_ciopt.core.history.trace_encoding import TRACED
from pytest_ciopt.core.history.traces import TraceRecord
from pytest_ciopt.core.proof import storing
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import python_of

MOST = 5_000_000
"""Bytes of compressed segments that are read at a time, at about a second each million; a run of
10,000 tests has less than one. What only older ones told is not known then: their tests run, and
are recorded anew."""
_UNKNOWN = python_of(Environment("", "", ""))
"""Of a run that was recorded without its environment, or by another tool."""


def version() -> str:
    """Of the file's form and of what is computed into it."""
    return version_of("9")


def place(python: str) -> str:
    """Where it is kept what runs on an interpreter told, within the folder of the history."""
    return f"cache/records-{python}"


def known(state: StateDir, found: Inventory, python: str) -> tuple[Knowledge, list[str]]:
    """The knowledge of all finished segments of runs on an interpreter, which is named as by
    `python_of`; and lines on what could not be read, used or kept."""
    wanted = {run: path for run, path in found.runs.items() if path.name.endswith(CLOSED)}
    if not wanted:
        return Knowledge(), []
    sizes = dict(_sizes(wanted))
    stored = _load(state, python)
    made, read = (Knowledge(), {}) if stored is None else stored
    if any(sizes.get(run) != size for run, size in read.items()):
        made, read = Knowledge(), {}
    fresh = sorted(sizes.keys() - read.keys())
    if fresh and read and fresh[0] < max(read):
        made, fresh = Knowledge(), sorted(sizes)
    newest = _newest([(wanted[run], sizes[run]) for run in reversed(fresh)])
    # Who knows which interpreter it was proves nothing, and has outcomes all the same.
    told = [line for path in newest.get(python, ()) for line in _added(made, path, all_records)]
    told += [line for path in newest.get(_UNKNOWN, ()) for line in _added(made, path, records)]
    if fresh:
        problem = state.write(place(python), _encoded(made, sizes))
        told.extend([] if problem is None else [problem])
    others = sorted(newest.keys() - {python, _UNKNOWN})
    if others and not made.tests:
        told.append(f"nothing was recorded with {python}, but with {', '.join(others)}")
    return made, told


def relied_on(found: Inventory) -> set[str]:
    """Names of the segments with traces, or with what tests covered, that would be read, whatever
    the interpreter."""
    closed = [path for path in found.runs.values() if path.name.endswith(CLOSED)]
    sizes = dict(_sizes({path.name: path for path in closed}))
    newest = _newest([(p, sizes[p.name]) for p in reversed(closed) if p.name in sizes])
    return {path.name for paths in newest.values() for path in paths if _has_traces(path)}


def _has_traces(path: Path) -> bool:
    try:
        return any(line.startswith((*TRACED, COVERED)) for line in lines(path))
    except (SegmentError, OSError):
        return False


def _newest(segments: Iterable[tuple[Path, int]]) -> dict[str, list[Path]]:
    """Of segments with their sizes, the newest first, those to be read, by interpreter. What cannot
    be read counts for all."""
    chosen: dict[str, list[Path]] = {}
    spent: dict[str, int] = {}
    for path, size in segments:
        python = _python(path)
        if spent.get(python, 0) < MOST:
            chosen.setdefault(python, []).append(path)
            spent[python] = spent.get(python, 0) + size
    return chosen


def _python(path: Path) -> str:
    try:
        start = next(iter(all_records(path)))
    except (SegmentError, OSError):
        return _UNKNOWN  # whoever reads it says why it cannot be read
    return python_of(start.environment) if isinstance(start, RunStart) else _UNKNOWN


def _sizes(wanted: Mapping[str, Path]) -> Iterator[tuple[str, int]]:
    for run, path in wanted.items():
        try:
            yield run, path.stat().st_size
        except OSError:
            continue  # gone meanwhile


def _added(
    made: Knowledge, path: Path, read: Callable[[Path], Iterable[Record | TraceRecord]]
) -> Iterator[str]:
    """A damaged segment adds nothing, be its beginning sound."""
    try:
        made.add(list(read(path)))
    except (SegmentError, OSError) as error:
        yield f"{path.name} is left out: {error}"


def _load(state: StateDir, python: str) -> tuple[Knowledge, dict[str, int]] | None:
    content = state.read(place(python))
    if content is None:
        return None
    head, _, body = content.partition(b"\n")
    try:
        if head.decode("ascii") != _head(body):
            return None
        plain = json.loads(body)
        return storing.knowledge_of(plain), dict(plain["segments"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _encoded(made: Knowledge, segments: Mapping[str, int]) -> bytes:
    plain = storing.plain(made) | {"segments": segments}
    body = json.dumps(plain, separators=(",", ":")).encode("ascii")
    return _head(body).encode("ascii") + b"\n" + body


def _head(body: bytes) -> str:
    return f"{version()} {zlib.crc32(body):08x}"
