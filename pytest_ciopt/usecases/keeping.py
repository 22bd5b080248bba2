"""Keeps a history in order: compact, prune, check, export. Nothing here runs tests."""

import os
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pytest_ciopt.adapters.history import indexing, knowing, reader
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.writer import CLOSED, FOLDER, compressed
from pytest_ciopt.adapters.statedir import StateDir, replace_whole
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.packing import PackedRun, packed, standing_of, unpacked
from pytest_ciopt.core.history.results import (
    Result,
    RunResults,
    RunRow,
    Subject,
    results_of,
)

PACKED_RUNS = 100
"""Runs of a pack: so many that ids hardly count, and few enough to be rewritten by a pruning."""


@dataclass(slots=True)
class Kept:
    """What came of it."""

    done: int = 0
    """Runs that were copied, packed or removed, or files that were set aside."""
    left: int = 0
    """Runs that were there already, or that stay."""
    refused: int = 0
    """Files that were not taken."""
    told: list[str] = field(default_factory=list)


# --- compact and prune ---------------------------------------------------------------------------


def compact(state: StateDir, keep: int, moment: float) -> Kept:
    """Puts all but the newest `keep` segments into packs, and but those that selections still read.
    Raises: OSError."""
    runs, told = ask(state, moment, Index.runs)
    single = [run for run in runs if run.source.endswith(CLOSED) and not is_pack(run.source)]
    needed = knowing.relied_on(reader.inventory(state, moment))
    older = [run for run in single[keep:][::-1] if run.source not in needed]
    for first in range(0, len(older), PACKED_RUNS):
        part = older[first : first + PACKED_RUNS]
        paths = [state.path / FOLDER / run.source for run in part]
        _write_pack(state, [results_of(reader.records(path)) for path in paths])
        for path in paths:
            path.unlink(missing_ok=True)
    return Kept(len(older), len(runs) - len(older), told=told)


def is_pack(name: str) -> bool:
    """Whether a file holds many runs, by its name."""
    return reader.PACK.fullmatch(name) is not None


def _write_pack(state: StateDir, runs: Sequence[RunResults]) -> Path:
    """Returns where. Raises: OSError."""
    path = state.path / FOLDER / pack_name(runs)
    inside = sorted(runs, key=lambda run: run.start.run)
    replace_whole(path, compressed(b"".join(packed(inside))))
    return path


def pack_name(runs: Sequence[PackedRun | RunResults]) -> str:
    """It tells what is inside: the same runs, known as completely, make the same file."""
    inside = sorted((run.start.run, standing_of(run)) for run in runs)
    words = [run if told[0] else f"{run} {told[1]} {told[2]:.6f}" for run, told in inside]
    digest = sha256(" ".join(words).encode("ascii")).hexdigest()[:20]
    return f"pack-{inside[-1][0][:12]}-{digest}.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a pruning leaves; None does not limit."""

    age: float | None = None
    """Seconds since the run began."""
    count: int | None = None
    size: int | None = None
    """Bytes of all segments."""


def doomed(runs: Sequence[RunRow], sizes: Sequence[float], limits: Limits, now: float) -> set[str]:
    """Ids of runs beyond a limit. `runs` are newest first, `sizes` their bytes."""
    gone, total = set(), 0.0
    for place, (run, size) in enumerate(zip(runs, sizes, strict=True)):
        total += size
        old = limits.age is not None and now - run.start.started > limits.age
        many = limits.count is not None and place >= limits.count
        if old or many or (limits.size is not None and total > limits.size):
            gone.add(run.start.run)
    return gone


def prune(state: StateDir, limits: Limits, moment: float, rehearse: bool = False) -> Kept:
    """Removes runs beyond a limit; with `rehearse` it only counts them. Raises: OSError."""
    runs, told = ask(state, moment, Index.runs)
    gone = doomed(runs, _sizes(state, runs), limits, moment)
    if gone and not rehearse:
        for path in indexing.sources(reader.inventory(state, moment)).values():
            _remove_from(state, path, gone)
    return Kept(len(gone), len(runs) - len(gone), told=told)


def _remove_from(state: StateDir, path: Path, gone: Container[str]) -> None:
    """Removes runs from any file, for several may hold the same. Raises: OSError."""
    if not is_pack(path.name):
        if path.name.removesuffix(CLOSED) in gone:
            path.unlink(missing_ok=True)
        return
    with suppress(SegmentError):  # whoever reads it sets it aside
        inside = unpacked(reader.lines(path))[0]
        if any(run.start.run in gone for run in inside):
            rest = [run for run in pack_results(path) if run.start.run not in gone]
            if not rest or _write_pack(state, rest) != path:
                path.unlink(missing_ok=True)


def _sizes(state: StateDir, runs: Sequence[RunRow]) -> list[float]:
    """Bytes of each run; of a pack its share."""
    sharing: dict[str, int] = {}
    for run in runs:
        sharing[run.source] = sharing.get(run.source, 0) + 1
    bytes_of = {name: (state.path / FOLDER / name).stat().st_size for name in sharing}
    return [bytes_of[run.source] / sharing[run.source] for run in runs]


def pack_results(path: Path) -> list[RunResults]:
    """The runs of a pack. Raises: SegmentError, OSError."""
    runs, series = unpacked(reader.lines(path))
    found: list[dict[Subject, Result]] = [{} for _ in runs]
    for one in series:
        for place, result in zip(one.runs, one.results, strict=True):
            found[place][one.subject] = result
    return [_whole(run, results) for run, results in zip(runs, found, strict=True)]


def _whole(run: PackedRun, results: dict[Subject, Result]) -> RunResults:
    return RunResults(run.start, run.end, results, run.counts, run.seconds, run.benchmarks)


# --- check and export ----------------------------------------------------------------------------


def check(state: StateDir, moment: float) -> Kept:
    """Reads every segment, sets damaged ones aside, and makes the index anew.

    Where nothing can be written it reads all the same, and tells what stays: of `refused` files
    only those that are `done` were set aside. Raises: OSError.
    """
    damaged, found = _damaged(state), reader.inventory(state, moment)
    index = state.path / indexing.NAME
    try:
        index.unlink(missing_ok=True)
    except OSError as error:
        found.told.append(f"{index.name} cannot be made anew: {error.strerror or error}")
    (runs, read), told = ask(state, moment, lambda i: (len(i.runs()), i.sources()), anew=True)
    unread = [path for name, path in indexing.sources(found).items() if name not in read]
    aside = len(_damaged(state) - damaged)
    refused = aside + sum(path.exists() for path in unread)
    return Kept(aside, runs, refused, told=list(dict.fromkeys([*found.told, *told])))


def _damaged(state: StateDir) -> set[str]:
    folder = state.path / FOLDER / reader.DAMAGED
    return set(os.listdir(folder)) if folder.is_dir() else set()


def export(state: StateDir, folder: Path, moment: float) -> Kept:
    """Copies all closed segments to a folder that is not hidden. Raises: OSError."""
    runs, told = ask(state, moment, Index.runs)
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted({run.source for run in runs}):
        replace_whole(folder / name, (state.path / FOLDER / name).read_bytes())
    return Kept(len(runs), told=told)


def run_results(state: StateDir, run: RunRow) -> RunResults:
    """A run with all its tests, from the file that tells of it. Raises: SegmentError, OSError."""
    path = state.path / FOLDER / run.source
    if not is_pack(run.source):
        return results_of(reader.records(path))
    return next(one for one in pack_results(path) if one.start.run == run.start.run)
