"""Keeps a history in order: merge, compact, prune, check, export. Nothing here runs tests."""

import gzip
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pytest_ciopt.adapters.history import indexing, knowing, reader
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.writer import CLOSED, FOLDER, OPEN, compressed
from pytest_ciopt.adapters.statedir import StateDir, replace_whole
from pytest_ciopt.core.history.decoding import SegmentError, decoded, plain_object
from pytest_ciopt.core.history.encoding import RUN_ID
from pytest_ciopt.core.history.packing import PackedRun, packed, unpacked
from pytest_ciopt.core.history.records import Record, RunStart
from pytest_ciopt.core.history.results import Result, RunResults, RunRow, Subject, results_of
from pytest_ciopt.errors import reason

PACKED_RUNS = 100
"""Runs of a pack: so many that ids hardly count, and few enough to be rewritten by a pruning."""


@dataclass(slots=True)
class Kept:
    """What came of it."""

    done: int = 0
    """Runs that were copied, packed or removed."""
    left: int = 0
    """Runs that were there already, or that stay."""
    refused: int = 0
    """Files that were not taken."""
    told: list[str] = field(default_factory=list)


# --- merge ---------------------------------------------------------------------------------------


def merge(
    state: StateDir,
    paths: Iterable[Path],
    repository: str | None,
    moment: float,
    *,
    untrusted: bool = False,
) -> Kept:
    """Copies the runs of other histories: folders that hold segments, or single files.

    Of `untrusted` ones only results, nothing that could prove a test. What is damaged, or of
    another repository, is left where it is and told. Raises: OSError.
    """
    runs, told = ask(state, moment, Index.runs)
    known = {run.start.run for run in runs}
    partial = {run.start.run for run in runs if run.end is None and not _is_pack(run.source)}
    kept = Kept(told=told)
    for path in _files(paths, kept):
        try:
            found, name, content = _checked(path)
            _same_repository([run.start for run in found], repository)
        except (SegmentError, OSError) as error:
            kept.refused += 1
            kept.told.append(f"{path} is not taken: {reason(error)}")
            continue
        if untrusted:
            content = _results_only(content, packed=_is_pack(name))
        fresh = {run.start.run for run in found} - known
        if not _is_pack(name):  # copied while it went on, and now again from its end
            fresh |= {run.start.run for run in found if run.end is not None} & partial
        kept.left += len(found) - len(fresh)
        if fresh:
            state.make(state.path / FOLDER)
            replace_whole(state.path / FOLDER / name, content)
            kept.done += len(fresh)
            known |= fresh
            partial |= {run.start.run for run in found if run.end is None}
            partial -= {run.start.run for run in found if run.end is not None}
    return kept


def _files(paths: Iterable[Path], kept: Kept) -> Iterator[Path]:
    for path in paths:
        folder = path / FOLDER if (path / FOLDER).is_dir() else path
        if not folder.is_dir():
            yield path
            continue
        names = sorted(os.listdir(folder))
        found = [name for name in names if _is_ours(name)]
        if not found:
            kept.told.append(f"{folder} holds no segments")
        yield from (folder / name for name in found)


def _is_ours(name: str) -> bool:
    run = name.partition(".")[0]
    named = RUN_ID.fullmatch(run) is not None and name in (run + OPEN, run + CLOSED)
    return named or reader.PACK.fullmatch(name) is not None


def _checked(path: Path) -> tuple[Sequence[PackedRun | RunResults], str, bytes]:
    """The runs of a file that is read whole, the name and the bytes of its copy.

    Raises: SegmentError, OSError.
    """
    if not _is_ours(path.name):
        raise SegmentError("its name is not that of a segment")
    if not path.is_file():
        raise SegmentError("it is no regular file")
    if reader.PACK.fullmatch(path.name):
        runs, series = unpacked(reader.lines(path))
        for _ in series:
            pass
        return runs, path.name, path.read_bytes()
    if path.name.endswith(CLOSED):
        return [results_of(reader.records(path))], path.name, path.read_bytes()
    part = reader.sound_part(path)
    if part == reader.NOTHING:
        raise SegmentError("its first line is no start of a run")
    run = results_of(reader.records(path))
    return [run], run.start.run + CLOSED, compressed(path.read_bytes()[: part.size])


def _results_only(content: bytes, *, packed: bool) -> bytes:
    """A compressed segment or pack without what could prove something: traces, and benchmarks, by
    which slower ones would pass. Of a segment what would not be understood is left out, too."""
    lines = gzip.decompress(content).splitlines(keepends=True)
    kept = [line for line in lines if plain_object(line).get("kind") != "benchmark"]
    if not packed:
        kept = [line for line in kept if isinstance(decoded(line), Record)]
    return compressed(b"".join(kept))


def _same_repository(starts: Iterable[RunStart], repository: str | None) -> None:
    others = {start.repository for start in starts} - {None, repository}
    if repository is not None and others:
        raise SegmentError(f"it belongs to another repository ({min(map(str, others))[:12]})")


# --- compact and prune ---------------------------------------------------------------------------


def compact(state: StateDir, keep: int, moment: float) -> Kept:
    """Puts all but the newest `keep` segments into packs, and but those that selections still read.
    Raises: OSError."""
    runs, told = ask(state, moment, Index.runs)
    single = [run for run in runs if run.source.endswith(CLOSED) and not _is_pack(run.source)]
    needed = knowing.relied_on(reader.inventory(state, moment))
    older = [run for run in single[keep:][::-1] if run.source not in needed]
    for first in range(0, len(older), PACKED_RUNS):
        part = older[first : first + PACKED_RUNS]
        paths = [state.path / FOLDER / run.source for run in part]
        _write_pack(state, [results_of(reader.records(path)) for path in paths])
        for path in paths:
            path.unlink(missing_ok=True)
    return Kept(len(older), len(runs) - len(older), told=told)


def _is_pack(name: str) -> bool:
    return reader.PACK.fullmatch(name) is not None


def _write_pack(state: StateDir, runs: Sequence[RunResults]) -> None:
    """The name tells what is inside, so that the same runs make the same file."""
    ids = sorted(run.start.run for run in runs)
    digest = sha256(" ".join(ids).encode("ascii")).hexdigest()[:20]
    path = state.path / FOLDER / f"pack-{ids[-1][:12]}-{digest}.jsonl.gz"
    inside = sorted(runs, key=lambda run: run.start.run)
    replace_whole(path, compressed(b"".join(packed(inside))))


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
    kept = Kept(len(gone), len(runs) - len(gone), told=told)
    for name in sorted({run.source for run in runs if run.start.run in gone and not rehearse}):
        path = state.path / FOLDER / name
        if _is_pack(name):
            rest = [run for run in pack_results(path) if run.start.run not in gone]
            if rest:
                _write_pack(state, rest)
        path.unlink(missing_ok=True)
    return kept


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
    """Reads every segment, sets damaged ones aside, and makes the index anew. Raises: OSError."""
    with suppress(FileNotFoundError):
        (state.path / indexing.NAME).unlink()
    damaged = _damaged(state)
    runs, told = ask(state, moment, Index.runs)
    return Kept(left=len(runs), refused=len(_damaged(state) - damaged), told=told)


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
    if not _is_pack(run.source):
        return results_of(reader.records(path))
    return next(one for one in pack_results(path) if one.start.run == run.start.run)
