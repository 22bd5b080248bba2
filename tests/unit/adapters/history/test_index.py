"""The index of real segments: complete, disposable, never locked."""

import gzip
import os
import random
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ciopt.adapters.history import indexing, sealing
from pytest_ciopt.adapters.history.filling import KEPT
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.indexing import NAME
from pytest_ciopt.adapters.history.reader import DAMAGED, inventory
from pytest_ciopt.adapters.history.writer import CLOSED, FOLDER, Writer
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.packing import packed
from pytest_ciopt.core.history.records import Attempt, Environment, Phase, RunEnd, RunStart
from pytest_ciopt.core.history.results import Kind, results_of
from pytest_ciopt.usecases import keeping

NOW = 1.79e9
LINUX = Environment("3.12.1", "cpython", "linux-x86_64")
ODD = ["t.py::test[\ud800]", "t.py::test[a\0b\n]", "t.py::" + "x" * 10_000, "t.py::é"]


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / ".ciopt")


def run_id(number: int) -> str:
    return f"{number:012x}-" + "0a" * 10


def record(
    state: StateDir, number: int, seconds: dict[str, float], environment: Environment = LINUX
) -> None:
    start = RunStart(run_id(number), NOW + number, environment, branch="main")
    writer = Writer(state, start)
    for test, took in seconds.items():
        writer.write(Attempt(test, Phase("passed", 0.0), Phase("passed", took)))
    writer.finish(RunEnd(NOW + number + 1, 0, len(seconds)))
    assert writer.problem is None


def pack(state: StateDir, *numbers: int) -> Path:
    """What compaction makes of segments; they stay."""
    from pytest_ciopt.adapters.history.reader import records

    folder = state.path / FOLDER
    runs = [results_of(records(folder / (run_id(number) + CLOSED))) for number in numbers]
    path = folder / f"pack-{numbers[-1]:012x}-{'0b' * 10}.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(packed(runs))))
    return path


def everything(index: Index) -> object:
    tests = index.subjects(Kind.TEST)
    return (
        [replace(run, source="") for run in index.runs()],
        index.estimates(Kind.TEST),
        {
            test: [(r.start.run, result) for r, result in index.results(Kind.TEST, test)]
            for test in tests
        },
        list(index.failures()),
    )


def asked(state: StateDir) -> object:
    answer, told = ask(state, NOW, everything)
    assert told == []
    return answer


def estimates(state: StateDir) -> dict[str, float]:
    answer, _ = ask(state, NOW, lambda index: index.estimates(Kind.TEST))
    return {test: one.seconds for one_of in answer.values() for test, one in one_of.items()}


def test_a_history_without_runs(state: StateDir) -> None:
    assert asked(state) == ([], {}, {}, [])
    assert not state.path.exists()


def test_what_was_recorded_is_found(state: StateDir) -> None:
    record(state, 1, {"t.py::a": 1.0, "t.py::b": 5.0})
    record(state, 2, {"t.py::a": 3.0}, LINUX._replace(python="3.11.9"))
    (runs, known), _ = ask(state, NOW, lambda i: (i.runs(), i.estimates(Kind.TEST)))
    assert [(run.start.run, run.outcomes, run.seconds) for run in runs] == [
        (run_id(2), {".": 1}, 3.0),
        (run_id(1), {".": 2}, 6.0),
    ]
    assert {name: {t: e.seconds for t, e in of.items()} for name, of in known.items()} == {
        "cpython-3.12-linux-x86_64": {"t.py::a": 1.0, "t.py::b": 5.0},
        "cpython-3.11-linux-x86_64": {"t.py::a": 3.0},
    }
    (like,), _ = ask(state, NOW, lambda index: index.runs_like(run_id(2)[:12]))
    assert like == runs[0]


@pytest.mark.parametrize("test", ODD)
def test_any_id(state: StateDir, test: str) -> None:
    record(state, 1, {test: 2.0})
    record(state, 2, {test: 2.0})
    assert estimates(state) == {test: 2.0}
    results, _ = ask(state, NOW, lambda index: index.results(Kind.TEST, test))
    assert len(results) == 2


@pytest.mark.parametrize("seed", range(4))
def test_the_order_in_which_segments_arrive_does_not_matter(state: StateDir, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"t.py::test_{n}" for n in range(5)]
    numbers = list(range(1, 30))
    aside = state.path / "aside"
    for number in numbers:
        record(state, number, {name: chance.random() for name in names if chance.random() < 0.8})
    folder = state.path / FOLDER
    whole = asked(state)
    (state.path / NAME).unlink()
    os.rename(folder, aside)
    folder.mkdir()
    chance.shuffle(numbers)
    for place, number in enumerate(numbers):
        os.rename(aside / (run_id(number) + CLOSED), folder / (run_id(number) + CLOSED))
        if place % 4 == 0:
            asked(state)
    assert asked(state) == whole


def test_the_newest_results_are_kept(state: StateDir) -> None:
    for number in (*range(10, 10 + KEPT), 1):  # the last one is the oldest
        record(state, number, {"t.py::a": float(number)})
    asked(state)
    record(state, 2, {"t.py::a": 2.0})
    results, _ = ask(state, NOW, lambda index: index.results(Kind.TEST, "t.py::a"))
    assert [result.call for _, result in results] == [n * 10**6 for n in range(10, 10 + KEPT)]
    assert len(asked(state)[0]) == KEPT + 2  # type: ignore[index]


def test_a_pack_says_what_its_segments_said(state: StateDir) -> None:
    for number in range(1, 9):
        record(state, number, {"t.py::a": number / 4, f"t.py::{number % 3}": 1.0})
    whole = asked(state)
    path = pack(state, 1, 2, 3, 4, 5)
    assert asked(state) == whole  # both hold the same runs
    for number in range(1, 6):
        (state.path / FOLDER / (run_id(number) + CLOSED)).unlink()
    assert asked(state) == whole
    (state.path / NAME).unlink()
    assert asked(state) == whole
    runs, _ = ask(state, NOW, lambda index: index.runs())
    assert {run.source for run in runs[3:]} == {path.name}


def test_segments_that_go_are_forgotten(state: StateDir) -> None:
    for number in range(1, 4):
        record(state, number, {"t.py::a": float(number)})
    asked(state)
    (state.path / FOLDER / (run_id(3) + CLOSED)).unlink()
    results, told = ask(state, NOW, lambda index: index.results(Kind.TEST, "t.py::a"))
    assert [result.call for _, result in results] == [1_000_000, 2_000_000]
    assert told == []


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_index_is_made_anew(state: StateDir, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(1, 4):
        record(state, number, {f"t.py::{n}": n / 8 for n in range(40)})
    whole = asked(state)
    path = state.path / NAME
    content = bytearray(path.read_bytes())
    if seed % 3 == 0:
        del content[chance.randrange(len(content)) :]
    elif seed % 3 == 1:
        place = chance.randrange(len(content) - 600)
        content[place : place + 600] = chance.randbytes(600)
    else:
        content[: chance.randrange(1, 200)] = b""
    path.write_bytes(content)
    assert asked(state) == whole


@pytest.mark.parametrize("writable", [True, False])
def test_an_index_that_holds_what_no_segment_may_is_made_anew(
    state: StateDir, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    record(state, 1, {"t.py::a": 1.0})
    asked(state)
    with sqlite3.connect(state.path / NAME) as connection:
        connection.execute("UPDATE run SET start = replace(start, '\"run\"', '\"walk\"')")
    connection.close()
    sealing.seal(state.path / NAME)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    if not writable:
        monkeypatch.setattr(Path, "unlink", refused)
    (run,), told = ask(state, NOW, Index.runs)
    assert (run.start.run, told) == (run_id(1), [])


def test_an_index_of_another_version_is_made_anew(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, 1, {"t.py::a": 1.0})
    asked(state)
    with sqlite3.connect(state.path / NAME) as connection:
        connection.execute("UPDATE estimate SET call = 7")
    connection.close()
    sealing.seal(state.path / NAME)
    assert estimates(state) == {"t.py::a": 7.0}
    monkeypatch.setattr(indexing, "version", lambda: "later")
    assert estimates(state) == {"t.py::a": 1.0}


def test_a_segment_that_is_packed_after_it_was_listed(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        record(state, number, {"t.py::a": float(number)})
    listed = inventory(state, NOW)
    keeping.compact(state, 1, NOW)
    (state.path / NAME).unlink()
    answers = iter([listed])
    monkeypatch.setattr(
        "pytest_ciopt.adapters.history.index.inventory",
        lambda *of: next(answers, None) or inventory(*of),
    )
    runs, told = ask(state, NOW, Index.runs)
    assert [run.start.run for run in runs] == [run_id(3), run_id(2), run_id(1)]
    assert told == []


def test_a_damaged_segment_is_set_aside_and_told(state: StateDir) -> None:
    record(state, 1, {"t.py::a": 1.0})
    record(state, 2, {"t.py::a": 2.0})
    path = state.path / FOLDER / (run_id(2) + CLOSED)
    path.write_bytes(path.read_bytes()[:-20])
    packed_one = state.path / FOLDER / f"pack-{9:012x}-{'0b' * 10}.jsonl.gz"
    packed_one.write_bytes(gzip.compress(b'{"kind":"pack","schema":9,"runs":1}\n'))
    _, told = ask(state, NOW, Index.runs)
    assert [line.partition(" ")[0] for line in told] == [packed_one.name, path.name]
    assert "schema 9: a later version" in told[0]
    assert sorted(os.listdir(path.parent / DAMAGED)) == sorted([packed_one.name, path.name])
    assert estimates(state) == {"t.py::a": 1.0}


def test_a_folder_that_cannot_be_written_to(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, 1, {"t.py::a": 1.0})

    def refuse(*_: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(indexing, "build", refuse)
    assert estimates(state) == {"t.py::a": 1.0}
    assert not (state.path / NAME).exists()


READER = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_index import *
state = StateDir(Path(sys.argv[1]))
number = int(sys.argv[2])
for n in range(6):
    record(state, 100 * number + n, {{f"t.py::{{t}}": 1.0 for t in range(50)}})
    found = estimates(state)
    assert len(found) == 50, len(found)
"""


def test_sixteen_writers_and_readers_lose_nothing_and_wait_for_nobody(state: StateDir) -> None:
    script = READER.format(path=[str(Path(__file__).parent)])
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(state.path), str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(1, 17)
    ]
    said = [child.communicate()[1] for child in children]
    assert [child.returncode for child in children] == [0] * 16, said
    runs, told = ask(state, NOW, Index.runs)
    assert told == []
    assert {run.start.run for run in runs} == {
        run_id(100 * number + n) for number in range(1, 17) for n in range(6)
    }
    assert sorted(os.listdir(state.path)) == [".gitignore", "CACHEDIR.TAG", NAME, FOLDER]
