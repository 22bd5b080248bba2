"""One contract for every way to an index: each must answer as the fake does.

On disk in one go, run by run, from packs, after `index.sqlite` was deleted in between, merged from
two halves in any order, and in memory, where a history cannot be written to.
"""

import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_index import FakeIndex
from pytest_ciopt.adapters.history import indexing
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.reader import inventory
from pytest_ciopt.adapters.history.writer import Writer
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import (
    Attempt,
    Environment,
    FixtureCost,
    ModuleCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
    Uncollected,
)
from pytest_ciopt.core.history.results import Kind, RunRow, results_of
from pytest_ciopt.usecases import keeping, merging
from thoroughness import examples

NOW = 1.79e9
ENVIRONMENTS = [Environment(f"3.{minor}.1", "cpython", "linux") for minor in (11, 12)]
IDS = ["a.py::t", "a.py::t[1]", "b/a.py::t", "a.py::\ud800", "a.py:", "c.py::x\0y"]
SECONDS = st.integers(0, 10**7).map(lambda micro: micro / 1e6)
PHASES = st.builds(Phase, st.sampled_from(["passed", "failed", "skipped"]), SECONDS, st.just(0.0))
ATTEMPTS = st.builds(
    Attempt,
    st.sampled_from(IDS),
    PHASES,
    st.none() | PHASES,
    st.none() | PHASES,
    failure=st.none() | st.text(max_size=5),
    xfail=st.booleans(),
)
INSIDE = st.one_of(
    ATTEMPTS,
    ATTEMPTS,
    ATTEMPTS,
    st.builds(ModuleCost, st.sampled_from(["a.py", "c.py"]), SECONDS, SECONDS),
    st.builds(FixtureCost, st.just("db"), st.just("session"), st.just("a.py"), SECONDS, SECONDS),
    st.builds(
        Uncollected,
        st.sampled_from(["a.py", "d.py"]),
        st.sampled_from(["failed", "skipped"]),
        st.none() | st.just("no"),
    ),
)
Run = Sequence[Record]


@st.composite
def histories(draw: st.DrawFn) -> list[Run]:
    numbers = draw(st.lists(st.integers(0, 99), unique=True, max_size=6))
    return [
        [
            RunStart(
                f"{number:012x}-" + "0a" * 10,
                NOW + number,
                draw(st.sampled_from(ENVIRONMENTS)),
                commit=draw(st.none() | st.just(f"{number:040x}")),
                root=draw(st.sampled_from(["", "b"])),
            ),
            *draw(st.lists(INSIDE, max_size=6)),
            *draw(st.sampled_from([[], [RunEnd(NOW + number + 1, 1, 0)]])),
        ]
        for number in numbers
    ]


def write(state: StateDir, runs: Iterable[Run]) -> None:
    for start, *inside in runs:
        assert isinstance(start, RunStart)
        writer = Writer(state, start)
        writer.write(*inside)
        writer.close()
    inventory(state, NOW)  # adopts them, with or without an end


class Answers(Protocol):
    def __call__(self, index: Index, /) -> object: ...


def on_disk(state: StateDir, runs: Sequence[Run], question: Answers) -> object:
    write(state, runs)
    return ask(state, NOW, question)[0]


def run_by_run(state: StateDir, runs: Sequence[Run], question: Answers) -> object:
    for run in runs:
        write(state, [run])
        ask(state, NOW, question)
    return ask(state, NOW, question)[0]


def in_packs(state: StateDir, runs: Sequence[Run], question: Answers) -> object:
    write(state, runs)
    keeping.compact(state, 1, NOW)
    return ask(state, NOW, question)[0]


def deleted_in_between(state: StateDir, runs: Sequence[Run], question: Answers) -> object:
    for place, run in enumerate(runs):
        write(state, [run])
        ask(state, NOW, question)
        if place % 2:
            (state.path / indexing.NAME).unlink()
    return ask(state, NOW, question)[0]


def merged(state: StateDir, runs: Sequence[Run], question: Answers) -> object:
    halves = [StateDir(state.path.with_name(name)) for name in ("one", "two")]
    for half, part in zip(halves, (runs[::2], runs), strict=True):  # they overlap
        write(half, part)
    if len(runs) > 2:
        keeping.compact(halves[0], 1, NOW)
    random.Random(len(runs)).shuffle(halves)
    for half in (*halves, *halves):
        if half.path.exists():
            merging.merge(state, [half.path], None, NOW)
    return ask(state, NOW, question)[0]


def in_memory(state: StateDir, runs: Sequence[Run], question: Answers) -> object:
    write(state, runs)
    connection, told = indexing.in_memory(indexing.sources(inventory(state, NOW)))
    with closing(connection):
        assert told == []
        return question(Index(connection))


WAYS = [on_disk, run_by_run, in_packs, deleted_in_between, merged, in_memory]


def answers(index: Index | FakeIndex) -> dict[str, object]:
    """Of every question that there is."""
    found: dict[str, object] = {
        "runs": [plain(row) for row in index.runs()],
        "two runs": [plain(row) for row in index.runs(2)],
        "runs like": [plain(row) for row in index.runs_like("00000000000")],
        "by the second part": [plain(row) for row in index.runs_like("0a0a")],
        "failures": list(index.failures()),
        "two failures": list(index.failures(2)),
        "slowest": index.slowest(),
        "suites": {
            name: (suite.tests, round(suite.seconds, 7)) for name, suite in index.suites().items()
        },
        "commits": [index.commits_of(file) for file in ("a.py", "b/a.py", "b/b/a.py", "none")],
    }
    for kind in Kind:
        names = index.subjects(kind)
        found[f"names of {kind}"] = names
        found[f"estimates of {kind}"] = index.estimates(kind)
        found[f"results of {kind}"] = [
            [(row.start.run, result) for row, result in index.results(kind, name)] for name in names
        ]
    return found


def plain(row: RunRow) -> tuple[object, ...]:
    return row.start, row.end, dict(row.outcomes), round(row.seconds, 6)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@given(runs=histories())
@settings(max_examples=examples(60), deadline=None)
def test_every_index_answers_as_the_fake(
    way: Callable[[StateDir, Sequence[Run], Answers], object], runs: list[Run]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = way(StateDir(Path(folder) / ".ciopt"), runs, answers)
    assert found == answers(FakeIndex(map(results_of, runs)))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_of_many_results_the_newest_count(
    way: Callable[[StateDir, Sequence[Run], Answers], object], tmp_path: Path
) -> None:
    took = [random.Random(1).random() for _ in range(70)]
    runs: list[Run] = [
        [
            RunStart(f"{number:012x}-" + "0a" * 10, NOW, ENVIRONMENTS[0]),
            Attempt("a.py::t", Phase("passed", 0.0), Phase("passed", seconds)),
        ]
        for number, seconds in enumerate(took)
    ]
    found = way(StateDir(tmp_path / ".ciopt"), runs, answers)
    assert found == answers(FakeIndex(map(results_of, runs)))
