"""What all segments together know of tests, kept in `.ciopt/cache/records-3.12`.

The file is disposable: it is made anew from the segments when it is damaged, of another version, or
when a segment came or went that is not newer than all others.
"""

import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from pytest_ciopt.adapters.codeversion import version_of
from pytest_ciopt.adapters.history.reader import Inventory, all_records
from pytest_ciopt.adapters.history.writer import CLOSED
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.edits import decorators, definitions, mentions
from pytest_ciopt.core.history import results, traces
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.proof import gathered, knowledge, prints, seen, storing
from pytest_ciopt.core.proof.knowledge import Knowledge

NAME = f"cache/records-{sys.version_info.major}.{sys.version_info.minor}"
NEWEST = 50
"""Runs that are read at a time, at a few tenths of a second each for 10,000 tests. What only older
ones told is not known then: their tests run, and are recorded anew."""
_COMPUTED_BY = (
    decorators,
    definitions,
    mentions,
    results,
    traces,
    gathered,
    knowledge,
    prints,
    seen,
    storing,
)


@cache
def version() -> str:
    """Of the file's form and of what is computed into it."""
    return version_of("4", *_COMPUTED_BY)


def known(state: StateDir, found: Inventory) -> tuple[Knowledge, list[str]]:
    """The knowledge of all finished segments, and lines on what could not be read or kept."""
    wanted = {run: path for run, path in found.runs.items() if path.name.endswith(CLOSED)}
    if not wanted:
        return Knowledge(), []
    sizes = dict(_sizes(wanted))
    stored = _load(state)
    made, read = (Knowledge(), {}) if stored is None else stored
    if any(sizes.get(run) != size for run, size in read.items()):
        made, read = Knowledge(), {}
    fresh = sorted(sizes.keys() - read.keys())
    if fresh and read and fresh[0] < max(read):
        made, fresh = Knowledge(), sorted(sizes)
    told = [line for run in fresh[-NEWEST:] for line in _added(made, wanted[run])]
    if fresh:
        problem = state.write(NAME, _encoded(made, sizes))
        told.extend([] if problem is None else [problem])
    return made, told


def _sizes(wanted: Mapping[str, Path]) -> Iterator[tuple[str, int]]:
    for run, path in wanted.items():
        try:
            yield run, path.stat().st_size
        except OSError:
            continue  # gone meanwhile


def _added(made: Knowledge, path: Path) -> Iterator[str]:
    """A damaged segment adds nothing, be its beginning sound."""
    try:
        made.add(list(all_records(path)))
    except (SegmentError, OSError) as error:
        yield f"{path.name} is left out: {error}"


def _load(state: StateDir) -> tuple[Knowledge, dict[str, int]] | None:
    content = state.read(NAME)
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
