"""Of the copies of one run the one that tells most counts, whatever comes first."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest

from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.reader import inventory, records
from pytest_ciopt.adapters.history.writer import CLOSED, FOLDER, OPEN, Writer
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import (
    Attempt,
    Environment,
    FixtureCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
)
from pytest_ciopt.core.history.results import Kind
from pytest_ciopt.usecases import keeping
from pytest_ciopt.usecases.merging import merge

NOW = 1.79e9
LINUX = Environment("3.12.1", "cpython", "linux-x86_64")
PASSED = Phase("passed", 0.5)
ATTEMPTS = [Attempt(f"t.py::test_{n}", PASSED, PASSED, PASSED) for n in range(9)]
END = RunEnd(NOW + 9, 0, 9)


def start(number: int) -> RunStart:
    return RunStart(f"{number:012x}-" + "0a" * 10, NOW + number, LINUX)


def segment(state: StateDir, number: int, *inside: Record) -> Path:
    writer = Writer(state, start(number))
    writer.write(*inside)
    writer.close()
    return inventory(state, NOW).runs[start(number).run]


def pack(state: StateDir) -> Path:
    keeping.compact(state, 0, NOW)
    (path,) = inventory(state, NOW).packs
    return path


def told(state: StateDir) -> list[tuple[str, bool, int]]:
    """Of each run whether it has its end, and how many tests."""
    runs, said = ask(state, NOW, Index.runs)
    assert said == []
    return [(run.start.run, run.end is not None, sum(run.outcomes.values())) for run in runs]


@pytest.fixture
def copies(tmp_path: Path) -> list[Path]:
    """Of run 1 with 2 tests, with 5, in packs with 3 and with 7, there with another run each."""
    places = [StateDir(tmp_path / name) for name in "abcd"]
    first, second = segment(places[0], 1, *ATTEMPTS[:2]), segment(places[1], 1, *ATTEMPTS[:5])
    for other, state, tests in ((2, places[2], 3), (3, places[3], 7)):
        segment(state, 1, *ATTEMPTS[:tests])
        segment(state, other, ATTEMPTS[0], END)
    return [first, second, pack(places[2]), pack(places[3])]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_copies_without_an_end(tmp_path: Path, copies: Sequence[Path], order: list[int]) -> None:
    state, expected = StateDir(tmp_path / "all"), 0
    for place in order:
        tests = (2, 5, 3, 7)[place]
        said = merge(state, [copies[place]], None, NOW)
        others = place > 1
        assert (said.done, said.left) == (others + (tests > expected), tests <= expected)
        expected = max(tests, expected)
        assert told(state)[-1] == (start(1).run, False, expected)
        assert merge(state, [copies[place]], None, NOW).done == 0
    incrementally = ask(state, NOW, lambda index: index.estimates(Kind.TEST))
    (state.path / "index.sqlite").unlink()
    assert ask(state, NOW, lambda index: index.estimates(Kind.TEST)) == incrementally
    assert len(incrementally[0][LINUX.key]) == 7


@pytest.mark.parametrize("first", [True, False])
def test_the_end_counts_more_than_tests_in_a_pack(
    tmp_path: Path, copies: Sequence[Path], first: bool
) -> None:
    """A part that was compacted is completed by what comes later, and packed with that again."""
    state, whole = StateDir(tmp_path / "all"), StateDir(tmp_path / "whole")
    complete = segment(whole, 1, *ATTEMPTS, END)
    for path in (complete, copies[3]) if first else (copies[3], complete):
        merge(state, [path], None, NOW)
    wanted = [(start(3).run, True, 1), (start(1).run, True, 9)]
    assert told(state) == wanted
    assert merge(state, copies, None, NOW).done == 1  # run 2
    keeping.compact(state, 0, NOW)
    assert not inventory(state, NOW).runs
    assert told(state)[::2] == wanted
    (state.path / "index.sqlite").unlink()
    assert told(state)[-1] == wanted[-1]


def test_of_the_same_tests_the_longer_text_tells_more(tmp_path: Path) -> None:
    """What follows the last test may prove something: fixtures, and what was loaded."""
    short, long = StateDir(tmp_path / "short"), StateDir(tmp_path / "long")
    fixture = FixtureCost("db", "session", "t.py", 0.5, 0.5)
    paths = [segment(short, 1, *ATTEMPTS[:2]), segment(long, 1, *ATTEMPTS[:2], fixture)]
    for order in (paths, paths[::-1]):
        state = StateDir(tmp_path / f"all{order is paths}")
        for path in order:
            merge(state, [path], None, NOW)
        (path,) = inventory(state, NOW).runs.values()
        assert list(records(path))[-1] == fixture


def test_a_copy_of_a_run_that_goes_on_is_known_already(
    tmp_path: Path, copies: Sequence[Path]
) -> None:
    state = StateDir(tmp_path / "all")
    writer = Writer(state, start(1))
    writer.write(*ATTEMPTS[:6])
    said = merge(state, copies[:2], None, NOW)
    assert (said.done, said.left) == (0, 2)
    folder = state.path / FOLDER
    assert [path.name for path in folder.glob("*.jsonl*")] == [start(1).run + OPEN]
    writer.finish(END)
    assert merge(state, copies[:2], None, NOW).done == 0
    assert list(records(folder / (start(1).run + CLOSED))) == [start(1), *ATTEMPTS[:6], END]


def test_a_pack_of_a_known_name_replaces_none(tmp_path: Path, copies: Sequence[Path]) -> None:
    """Else who names a pack of other runs so would take away what is here."""
    state, other = StateDir(tmp_path / "all"), StateDir(tmp_path / "other")
    merge(state, [copies[2]], None, NOW)
    (known,) = inventory(state, NOW).packs
    segment(other, 4, ATTEMPTS[0], END)
    merge(state, [pack(other).rename(other.path / known.name)], None, NOW)
    assert [run for run, *_ in told(state)] == [start(number).run for number in (4, 2, 1)]
