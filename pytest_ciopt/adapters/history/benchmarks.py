"""What runs measured of benchmarks, from their segments: the index keeps none of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters.history.reader import inventory, lines
from pytest_ciopt.adapters.history.writer import CLOSED
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.decoding import SegmentError, decoded
from pytest_ciopt.core.history.records import Benchmark, RunStart

_KIND = b'{"kind":"benchmark"'
"""How a line begins that tells of one."""


class MeasuredRun(NamedTuple):
    """A run with the benchmarks that it measured."""

    start: RunStart
    benchmarks: tuple[Benchmark, ...]


def measured_runs(state: StateDir, moment: float) -> Iterator[MeasuredRun]:
    """Finished runs that measured any, the newest first. `moment` is the time now.

    What cannot be read is left out. Packed runs have none.
    """
    runs = inventory(state, moment).runs
    for run in sorted(runs, reverse=True):
        if runs[run].name.endswith(CLOSED):
            try:
                found = _read(runs[run])
            except (SegmentError, OSError):
                continue
            if found is not None:
                yield found


def _read(path: Path) -> MeasuredRun | None:
    """No other line is decoded. Raises: SegmentError, OSError."""
    rest = lines(path)
    start = decoded(next(rest, b"{}"))
    records = [decoded(line) for line in rest if line.startswith(_KIND)]
    found = tuple(one for one in records if isinstance(one, Benchmark))
    return MeasuredRun(start, found) if isinstance(start, RunStart) and found else None
