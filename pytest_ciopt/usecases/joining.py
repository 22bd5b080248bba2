"""Makes one record of what the shards of a selection kept, for later selections to stand on.

A shard by itself knows neither which tests are gone nor what may not be exact: whoever has all of
them puts the coverage together, and keeps it with their tests in a run of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_ciopt.adapters.contexts import last_lines
from pytest_ciopt.adapters.coverage_data import project_data
from pytest_ciopt.adapters.coverage_report import holding, measured
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history import reader
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.adapters.tracing.inputs import content_id
from pytest_ciopt.core.coverage.rebuilt import Rebuilt
from pytest_ciopt.core.coverage.stored import Elements, Stored
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Measured
from pytest_ciopt.core.history.covered import (
    CoveredContents,
    CoveredRecord,
    CoveredRun,
    CoveredTest,
)
from pytest_ciopt.core.history.covered_encoding import encoded_covered
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.records import RunStart
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.core.plan.document import digest
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.core.plan.position import position
from pytest_ciopt.report.gates import reconstructed
from pytest_ciopt.usecases.rebuilding import NotStored, Ran, planned, rebuild
from pytest_ciopt.usecases.verifying import segments_in


class Place(Protocol):
    """Where it is done."""

    @property
    def git(self) -> Git | None:
        """None outside a repository."""

    @property
    def state(self) -> StateDir:
        """Its history."""

    @property
    def top(self) -> Path:
        """Of the working tree."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What the tests of all shards covered."""

    records: tuple[CoveredRecord, ...]
    """Without a last one on the whole. Sets are numbered within the workers of each shard."""
    asked: tuple[str, str]
    """Scope and settings, see `CoveredRun`."""

    def lines(self, covered: Elements, rebuilt: Rebuilt, top: Path, *, branches: bool) -> bytes:
        """Of a segment. `covered` is what the shards covered in all, of files below `top`, and
        `rebuilt` what was put together of it."""
        own = b"".join(map(encoded_covered, self.records))
        gone = tuple(sorted(rebuilt.gone))
        last = CoveredRun(branches, False, (), *self.asked, gone, rebuilt.doubts)
        return own + last_lines(covered, last, top).encode("ascii")


@dataclass(frozen=True, slots=True)
class Put:
    """What shards of a selection covered, with what the tests cover that it left out."""

    measured: Measured | None
    """None where nobody knows what was left out, or where it may not be exact."""
    partial: str | None
    """Then, why."""
    notes: tuple[str, ...]
    """What is to be told of it."""
    kept: bytes = b""
    """Lines of a segment, on which later selections can stand."""


def put_together(
    plan: Plan, paths: Iterable[Path], covered: Elements, here: Place, *, branches: bool
) -> Put:
    """Of a plan of a selection that is proved to be carried out; `covered` is what was measured.
    Afterwards the project's data file has it."""
    if here.git is None or plan.base is None:
        return Put(None, coverage.LEFT_OUT, ())
    try:
        shards = joined(plan, paths, covered, here.top)
        now = Ran(covered, branches, *shards.asked)
        where = (plan.base, here.git, here.state)
        found, branches = rebuild(now, planned(plan), *where, plan.proving)
    except (NotStored, GitError) as error:
        return Put(None, coverage.LEFT_OUT, (f"coverage is not reconstructed: {error}",))
    kept = shards.lines(covered, found, here.top, branches=branches)
    with holding(found.covered, here.top, {}, project_data(), branches=branches) as put:
        files = measured(put, here.top)
    told = reconstructed(found.stored, found.ran, coverage.total(files))
    if not found.doubts:
        return Put(files, None, (f"coverage: {told}",), kept)
    doubts = (f"  It may not be exact: {doubt}." for doubt in found.doubts)
    why = f"{told}, perhaps not exactly: {found.doubts[0]}"
    return Put(None, why, (f"coverage: {told}", *doubts), kept)


def joined(plan: Plan, paths: Iterable[Path], covered: Elements, top: Path) -> Joined:
    """What the shards kept of a plan that is proved to be carried out, in this environment.

    Raises: NotStored where that is not all, or not of what is there now and was `covered` in all.
    """
    found = _newest(plan, paths)
    if any(start.environment.key != surroundings().key for start, _ in found.values()):
        raise NotStored("the shards ran on another Python than this one")
    shards = {number: tuple(_kept(path)) for number, (_, path) in sorted(found.items())}
    asked = set()
    for number in range(1, plan.shards + 1):
        shard = f"shard {number}/{plan.shards}"
        end = _end(shards.get(number, ()))
        if end is None:
            mend = "Run all of them with --ciopt-cov-reconstruct."
            raise NotStored(f"{shard} did not keep what its tests cover", mend)
        if found[number][0].dirty:
            raise NotStored(f"{shard} ran with uncommitted changes")
        asked.add((end.scope, end.settings))
        if not _is_within(Stored(shards[number]).total, covered):
            raise NotStored(f"the data files lack what {shard} covered")
    if len(asked) > 1:
        raise NotStored("the shards had other arguments, or other settings of coverage.py")
    records = [
        record
        for number, several in shards.items()
        for record in _renamed(several, found[number][0].root, number)
    ]
    other = next(_altered(records, top), None)
    if other is not None:
        raise NotStored(f"{other} is not what it was in the shards")
    return Joined(tuple(records), asked.pop())


def _is_within(part: Elements, whole: Elements) -> bool:
    return all(elements <= whole.get(path, frozenset()) for path, elements in part.items())


def _altered(records: Iterable[CoveredRecord], top: Path) -> Iterator[str]:
    for record in records:
        if isinstance(record, CoveredContents):
            for path, content in record.contents.items():
                if content_id(str(top / path)) != content:
                    yield path


def _newest(plan: Plan, paths: Iterable[Path]) -> dict[int, tuple[RunStart, Path]]:
    """Segments of the plan's shards, the newest of each: it was run again."""
    known = digest(plan)
    found: dict[int, tuple[RunStart, Path]] = {}
    for path in segments_in(paths):
        start = _start(path)
        if start is None or start.plan != known:
            continue
        number = position(start.shard or "", {}).number
        if number not in found or found[number][0].run < start.run:
            found[number] = start, path
    return found


def _start(path: Path) -> RunStart | None:
    try:
        first = next(reader.records(path), None)
    except (SegmentError, OSError) as error:
        raise NotStored(f"{path} cannot be read: {error}") from error
    return first if isinstance(first, RunStart) else None


def _kept(path: Path) -> Iterator[CoveredRecord]:
    try:
        yield from reader.covered_records(path)
    except (SegmentError, OSError) as error:
        raise NotStored(f"{path} cannot be read: {error}") from error


def _end(records: Iterable[CoveredRecord]) -> CoveredRun | None:
    return next((one for one in records if isinstance(one, CoveredRun)), None)


def _renamed(records: Iterable[CoveredRecord], root: str, number: int) -> Iterator[CoveredRecord]:
    """With workers and tests as they are named for all shards together, without the end of one."""
    for record in records:
        if isinstance(record, CoveredRun):
            continue
        worker = f"{number}-{record.worker or 'main'}"
        if isinstance(record, CoveredTest):
            yield record._replace(id=repository_id(root, record.id), worker=worker)
        else:
            yield record._replace(worker=worker)
