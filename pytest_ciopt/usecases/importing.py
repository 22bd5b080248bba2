"""Takes over results that other tools have left, each file as one run."""

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.writer import Writer
from pytest_ciopt.adapters.paths import folders_above
from pytest_ciopt.adapters.sources import python_files
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.others.found import ForeignError, Found
from pytest_ciopt.core.history.others.recognise import read
from pytest_ciopt.core.history.records import Environment, RunEnd, RunStart
from pytest_ciopt.usecases.keeping import Kept

_LARGEST = 500_000_000
"""Bytes of a file that is read."""
_NOWHERE = Environment("", "", "")


def import_files(
    state: StateDir, top: Path, paths: Iterable[Path], moment: float, *, root: str = ""
) -> Kept:
    """A run a file. Its id is made from the content, so that a file counts once.

    Ids in files are taken to be relative to `root`, a folder from the top, where it has the files
    that they name; or else to the folder of the file, or to one above it. Raises: OSError.
    """
    runs, told = ask(state, moment, Index.runs)
    known = {run.start.run for run in runs}
    kept, files = Kept(told=told), tuple(python_files(top))
    for path in paths:
        try:
            start, found = _read(path, files, [root, *folders_above(path, top)])
        except ForeignError as error:
            kept.refused += 1
            kept.told.append(f"{path} is not imported: {error}")
            continue
        if found.skipped:
            kept.told.append(
                f"{path}: {found.skipped:,} results left out, whose test file is unknown"
            )
        if start.run in known:
            kept.left += 1
            continue
        _write(state, start, found)
        known.add(start.run)
        kept.done += 1
    return kept


def _read(path: Path, files: Collection[str], roots: Sequence[str]) -> tuple[RunStart, Found]:
    if path.stat().st_size > _LARGEST:
        raise ForeignError("it is too large")
    content = path.read_bytes()
    found = read(content, files, roots)
    if not found.records:
        raise ForeignError("it holds no results of tests that are in this repository")
    started = path.stat().st_mtime if found.started is None else found.started
    digest = sha256(content + found.root.encode("utf-8", "surrogateescape")).hexdigest()[:20]
    # The moment of a file's last change differs between copies: only what is inside may count.
    run = f"{int((found.started or 0) * 1000):012x}-{digest}"
    start = RunStart(
        run,
        round(started, 3),
        _NOWHERE,
        commit=found.commit,
        branch=found.branch,
        root=found.root,
        source=found.source,
    )
    return start, found


def _write(state: StateDir, start: RunStart, found: Found) -> None:
    writer = Writer(state, start)
    writer.write(*found.records)
    writer.finish(RunEnd(start.started, 0, len(found.records)))
    if writer.problem is not None:
        raise OSError(None, writer.problem)
