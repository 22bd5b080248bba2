"""What runs measured of benchmarks, from their segments: the index keeps none of it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters.history.reader import inventory, lines
from pytest_ciopt.adapters.history.writer import CLOSED
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.decoding import SegmentError, decoded
from pytest_ciopt.core.history.encoding import BENCHMARK
from pytest_ciopt.core.history.packing import unpacked
from pytest_ciopt.core.history.records import Benchmark, RunStart


class MeasuredRun(NamedTuple):
    """A run with the benchmarks that it measured."""

    start: RunStart
    benchmarks: tuple[Benchmark, ...]


def measured_runs(state: StateDir, moment: float) -> Iterator[MeasuredRun]:
    """Finished runs that measured any, the newest first. `moment` is the time now.

    What cannot be read is left out. Of packed runs there are no rounds.
    """
    found = inventory(state, moment)
    for run in sorted(found.runs, reverse=True):
        path = found.runs[run]
        if path.name.endswith(CLOSED):
            with suppress(SegmentError, OSError):
                yield from _read(path)
    for pack in sorted(found.packs, reverse=True):
        with suppress(SegmentError, OSError):
            packed = [
                MeasuredRun(one.start, one.benchmarks)
                for one in unpacked(lines(pack))[0]
                if one.benchmarks and one.start.run not in found.runs
            ]
            yield from reversed(packed)


def _read(path: Path) -> Iterator[MeasuredRun]:
    """No other line is decoded. Raises: SegmentError, OSError."""
    rest = lines(path)
    start = decoded(next(rest, b"{}"))
    records = [decoded(line) for line in rest if line.startswith(BENCHMARK)]
    found = tuple(one for one in records if isinstance(one, Benchmark))
    if isinstance(start, RunStart) and found:
        yield MeasuredRun(start, found)
