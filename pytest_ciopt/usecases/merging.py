"""Takes over the runs of other histories, and of each run the copy that tells most."""

import gzip
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ciopt.adapters.history import reader
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.writer import CLOSED, FOLDER, OPEN, compressed
from pytest_ciopt.adapters.statedir import StateDir, replace_whole
from pytest_ciopt.core.history.decoding import SegmentError, decoded, plain_object
from pytest_ciopt.core.history.encoding import RUN_ID, encoded
from pytest_ciopt.core.history.packing import PackedRun, standing_of, unpacked
from pytest_ciopt.core.history.records import Record, RunEnd, RunStart
from pytest_ciopt.core.history.results import NO_COPY, RunResults, Standing, results_of, standing
from pytest_ciopt.errors import reason
from pytest_ciopt.usecases.keeping import Kept, is_pack, pack_name


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
    another repository, is left where it is and told. Of a run that is here already only a copy is
    taken that tells more. Raises: OSError.
    """
    runs, told = ask(state, moment, Index.runs)
    known = {
        run.start.run: standing(run.end is not None, run.outcomes, run.seconds) for run in runs
    }
    kept = Kept(told=told)
    for path in _files(paths, kept):
        try:
            found, content = _checked(path)
            _same_repository([run.start for run in found], repository)
        except (SegmentError, OSError) as error:
            kept.refused += 1
            kept.told.append(f"{path} is not taken: {reason(error)}")
            continue
        packed = is_pack(path.name)
        if untrusted:
            content = _results_only(content, packed=packed)
        if packed:
            more = [run for run in found if standing_of(run) > known.get(run.start.run, NO_COPY)]
        else:
            more = [run for run in found if _tells_more(state, run, content, known)]
        if more:
            name = pack_name(found) if packed else found[0].start.run + CLOSED
            state.make(state.path / FOLDER)
            replace_whole(state.path / FOLDER / name, content)
        kept.done += len(more)
        kept.left += len(found) - len(more)
        known |= {run.start.run: standing_of(run) for run in more}
    return kept


def _tells_more(
    state: StateDir, run: PackedRun | RunResults, content: bytes, known: Mapping[str, Standing]
) -> bool:
    """Whether a segment tells more of its run than what is here, also when that goes on.

    Of two copies without the end that know the same tests, the one with more text tells more.
    """
    before, its = known.get(run.start.run, NO_COPY), standing_of(run)
    if before[0]:
        return False
    # In this order: when a run ends, its closed segment is there before the open one is gone.
    paths = [state.path / FOLDER / f"{run.start.run}{ending}" for ending in (OPEN, CLOSED)]
    here = [told for path in paths if (told := _told_by(path)) is not None]
    if not here:
        return its > before
    return its >= before and (its, len(gzip.decompress(content))) > max(here)


def _told_by(path: Path) -> tuple[Standing, int] | None:
    """How much a segment tells, and the bytes of its text; None where there is none."""
    try:
        run = results_of(reader.records(path))
        return standing_of(run), sum(map(len, reader.lines(path)))
    except (SegmentError, OSError):
        return None


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


def _checked(path: Path) -> tuple[Sequence[PackedRun | RunResults], bytes]:
    """The runs of a file that is read whole, and the bytes of its copy.

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
        return runs, path.read_bytes()
    if path.name.endswith(CLOSED):
        return [results_of(reader.records(path))], path.read_bytes()
    part = reader.sound_part(path)
    if part == reader.NOTHING:
        raise SegmentError("its first line is no start of a run")
    run = results_of(reader.records(path))
    return [run], compressed(path.read_bytes()[: part.size])


def _results_only(content: bytes, *, packed: bool) -> bytes:
    """A compressed segment or pack without what could prove something: traces, its job and
    that its tests passed, and benchmarks, by which slower ones would pass. Of a segment what
    would not be understood is left out, too."""
    lines = gzip.decompress(content).splitlines(keepends=True)
    kept = [line for line in lines if plain_object(line).get("kind") != "benchmark"]
    if not packed:
        kept = [line for line in kept if isinstance(decoded(line), Record)]
    return compressed(b"".join(map(_without_job, kept)))


def _without_job(line: bytes) -> bytes:
    record = decoded(line) if plain_object(line).get("job") is not None else None
    return encoded(record._replace(job=None)) if isinstance(record, RunStart | RunEnd) else line


def _same_repository(starts: Iterable[RunStart], repository: str | None) -> None:
    others = {start.repository for start in starts} - {None, repository}
    if repository is not None and others:
        raise SegmentError(f"it belongs to another repository ({min(map(str, others))[:12]})")
