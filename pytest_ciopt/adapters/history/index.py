"""Asks the index of a history. Whoever asks sees one state of it, whatever is added meanwhile."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from errno import ENOENT
from pathlib import Path
from typing import TypeVar

from pytest_ciopt.adapters.history import indexing
from pytest_ciopt.adapters.history.filling import counts_in, from_text, text
from pytest_ciopt.adapters.history.indexing import NAME
from pytest_ciopt.adapters.history.reader import inventory
from pytest_ciopt.adapters.history.sealing import is_sound
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.decoding import SegmentError, decoded
from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.history.limits import Slowest
from pytest_ciopt.core.history.records import RunEnd, RunStart
from pytest_ciopt.core.history.results import GOOD, Kind, Result, RunRow
from pytest_ciopt.core.history.toll import USUAL, Suite

_T = TypeVar("_T")
UNREADABLE = (OSError, sqlite3.Error)
"""What asking may raise."""
_TRIES = 5
"""Listings of a history that others are packing at the same time."""


def ask(
    state: StateDir, moment: float, question: Callable[["Index"], _T], *, anew: bool = False
) -> tuple[_T, list[str]]:
    """The answer to a question, from an index that holds all closed segments.

    Also returns lines on what was adopted or set aside. `moment` is the time now, in seconds of the
    epoch. An index that is damaged is made anew, with `anew` any. Raises: OSError, sqlite3.Error.
    """
    told: list[str] = []
    for _ in range(_TRIES):
        found = inventory(state, moment)
        told += found.told
        wanted, path = indexing.sources(found), state.path / NAME
        with suppress(FileNotFoundError):  # a file was packed or pruned since it was listed
            try:
                opened = _made_anew(path, wanted) if anew else _opened(path, wanted)
                return _answered(opened, told, question)
            except (sqlite3.DatabaseError, SegmentError):
                return _answered(_made_anew(path, wanted), told, question)
    raise FileNotFoundError(ENOENT, "its files come and go too fast to be read", str(state.path))


def _answered(
    opened: tuple[sqlite3.Connection, list[str]],
    before: Sequence[str],
    question: Callable[["Index"], _T],
) -> tuple[_T, list[str]]:
    connection, told = opened
    with closing(connection):
        return question(Index(connection)), [*before, *told]


def _opened(path: Path, wanted: Mapping[str, Path]) -> tuple[sqlite3.Connection, list[str]]:
    if is_sound(path):
        connection, current = _read_only(path), False
        try:
            current = indexing.is_current(connection, wanted)
        finally:
            if not current:
                connection.close()
        if current:
            return connection, []
    if not wanted:
        return indexing.in_memory(wanted)
    try:
        told = indexing.build(path, wanted)
        return _read_only(path), told
    except (OSError, sqlite3.OperationalError):  # a folder or a disk that cannot be written to
        return indexing.in_memory(wanted)


def _made_anew(path: Path, wanted: Mapping[str, Path]) -> tuple[sqlite3.Connection, list[str]]:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return indexing.in_memory(wanted)
    return _opened(path, wanted)


def _read_only(path: Path) -> sqlite3.Connection:
    # Immutable: the file is only ever replaced, so that no lock is wanted.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    connection.text_factory = from_text
    return connection


class Index:
    """One state of the index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._ask = connection.execute

    def runs(self, limit: int = -1) -> list[RunRow]:
        """The newest runs first; all of them without a limit."""
        rows = self._ask(f"{_RUNS} ORDER BY id DESC LIMIT ?", (limit,))
        return [_run(row) for row in rows]

    def sources(self) -> set[str]:
        """Names of the files that could be read."""
        return {name for (name,) in self._ask("SELECT name FROM source")}

    def runs_like(self, prefix: str) -> list[RunRow]:
        """Runs whose id begins so, or holds it behind the dash, the newest first."""
        rows = self._ask(
            f"{_RUNS} WHERE substr(id, 1, :length) = :prefix "
            "OR substr(id, 14, :length) = :prefix ORDER BY id DESC",
            {"length": len(prefix), "prefix": prefix},
        )
        return [_run(row) for row in rows]

    def estimates(self, kind: Kind) -> dict[str, dict[str, Estimate]]:
        """By environment and id."""
        names = dict(self._ask("SELECT number, name FROM environment"))
        found: dict[str, dict[str, Estimate]] = {name: {} for name in names.values()}
        by_number = {number: found[name] for number, name in names.items()}
        rows = self._ask(
            "SELECT environment, id, setup, call, teardown, spread, count "
            "FROM estimate JOIN subject ON number = subject WHERE kind = ? ORDER BY id",
            (kind,),
        )
        for number, name, *values in rows:
            by_number[number][name] = Estimate(*values)
        return found

    def suites(self) -> dict[str, Suite]:
        """All tests together, by environment."""
        executes = dict(self._executes())
        rows = self._ask(
            "SELECT name, count(*), sum(setup + call + teardown) FROM estimate "
            "JOIN subject ON subject.number = subject "
            "JOIN environment ON environment.number = environment "
            "WHERE kind = 'test' GROUP BY name"
        )
        return {
            name: Suite(tests, seconds, executes.get(name, USUAL)) for name, tests, seconds in rows
        }

    def _executes(self) -> Iterator[tuple[str, float]]:
        """Functions that a test executed in the newest runs that tell of it, by environment."""
        told = "environment = ? AND instr(finish, '\"executed\"')"
        newest = f"{_RUNS} WHERE {told} ORDER BY id DESC LIMIT {_NEWEST}"
        for number, name in self._ask("SELECT number, name FROM environment"):
            runs = [_run(row) for row in self._ask(newest, (number,))]
            executed = sum(run.end.executed for run in runs if run.end is not None)
            tests = sum(sum(run.outcomes.values()) for run in runs)
            if tests:
                yield name, executed / tests

    def results(self, kind: Kind, name: str) -> list[tuple[RunRow, Result]]:
        """What the newest runs said of one test, module or fixture, oldest first."""
        runs = {row[-1]: _run(row) for row in self._ask(_RUNS)}
        rows = self._ask(
            f"{_RESULTS} WHERE kind = ? AND subject.id = CAST(? AS TEXT) ORDER BY run.id",
            (kind, text(name)),
        )
        return [(runs[number], Result(*values)) for _, number, *values in rows]

    def failures(self, limit: int = -1) -> Iterator[tuple[str, str, Result]]:
        """(id, run id, result) of tests that were bad or rerun, newest first.

        Modules that could not be collected count, too.
        """
        runs = dict(self._ask("SELECT number, id FROM run"))
        rows = self._ask(
            f"{_RESULTS} WHERE kind <> 'fixture' AND outcome IN ('F', 'E', 'R') "
            "ORDER BY run.id DESC, subject.id LIMIT ?",
            (limit,),
        )
        for name, number, *values in rows:
            yield name, runs[number], Result(*values)

    def commits_of(self, file: str) -> list[str]:
        """Commits of the runs that know tests of a file, the newest first."""
        rows = self._ask(
            "SELECT DISTINCT run.id, start FROM run JOIN result ON run = run.number "
            "JOIN subject ON subject.number = subject "
            "WHERE kind = 'test' AND subject.id >= CAST(? AS TEXT) "
            "AND subject.id < CAST(? AS TEXT) "
            "ORDER BY run.id DESC",
            (text(f"{file}::"), text(f"{file}:;")),
        )
        starts = (decoded(str(start).encode()) for _, start in rows)
        commits = (s.commit for s in starts if isinstance(s, RunStart))
        return [commit for commit in commits if commit is not None]

    def passed(self, job: str) -> list[str]:
        """Commits upon which all of a job has passed, and after that nothing of it failed: the
        newest run first, each once."""
        ended = f"{_RUNS} WHERE instr(start, ?) AND finish IS NOT NULL"
        rows = self._ask(f"{ended} ORDER BY id DESC", (job,))
        found: dict[str, bool] = {}
        for run in map(_run, rows):
            commit, end = run.start.commit, run.end
            if run.start.job != job or run.start.dirty or commit is None or end is None:
                continue
            if end.job == job or end.exit_status not in _TELLING_NOTHING:
                found.setdefault(commit, end.job == job)
        return [commit for commit, is_good in found.items() if is_good]

    def slowest(self) -> dict[str, Slowest]:
        """By test, of all environments; only results of runs that came to their end."""
        rows = self._ask(f"{_SLOWEST} WHERE kind = 'fixture' GROUP BY subject.id")
        shared = sum(micro for _, micro in rows) / _MICRO
        good = ", ".join(f"'{outcome}'" for outcome in sorted(GOOD))
        rows = self._ask(
            f"{_SLOWEST} WHERE kind = 'test' AND outcome IN ({good}) GROUP BY subject.id"
        )
        return {name: Slowest(micro / _MICRO, shared) for name, micro in rows}

    def subjects(self, kind: Kind) -> list[str]:
        """Ids of all that is known, sorted."""
        rows = self._ask("SELECT id FROM subject WHERE kind = ? ORDER BY id", (kind,))
        return [name for (name,) in rows]


_MICRO = 1e6
_SLOWEST = (
    "SELECT subject.id, max(setup + call + teardown) "
    "FROM result JOIN subject ON subject.number = subject"
)
_TELLING_NOTHING = (0, 5)
"""Exit codes of runs of a part, and of runs without a test: neither good nor bad."""
_NEWEST = 10
"""Runs by which is told what a test executes."""
_RUNS = "SELECT start, finish, outcomes, seconds, source, number FROM run"
_RESULTS = (
    "SELECT subject.id, run, outcome, setup, call, teardown, attempts, failure "
    "FROM result JOIN subject ON subject.number = subject JOIN run ON run.number = run"
)


def _run(row: Sequence[object]) -> RunRow:
    start, end = decoded(str(row[0]).encode()), None
    if row[1] is not None:
        end = decoded(str(row[1]).encode())
    if not isinstance(start, RunStart) or not isinstance(end, RunEnd | None):
        raise SegmentError("a row that is no run")
    return RunRow(start, end, counts_in(str(row[2])), float(str(row[3])), str(row[4]))
