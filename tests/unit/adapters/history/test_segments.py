"""Writing and reading segments, with real files, locks and processes."""

import errno
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.adapters.history import lock
from pytest_ciopt.adapters.history.reader import (
    DAMAGED,
    Inventory,
    all_records,
    inventory,
    records,
    set_aside,
)
from pytest_ciopt.adapters.history.writer import CLOSED, FOLDER, NEW, OPEN, Writer, compress
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.encoding import encoded
from pytest_ciopt.core.history.records import (
    Attempt,
    Environment,
    Phase,
    Record,
    RunEnd,
    RunStart,
)
from pytest_ciopt.core.history.traces import Inputs, Trace, TracedTest, TraceRecord, Units
from pytest_ciopt.usecases import keeping, merging
from strategies import ENDS, PARTS_OF_RUNS, STARTS

RUN = "0192f0a1b2c3-" + "0a" * 10
START = RunStart(RUN, 1.79e9, Environment("3.12.1", "cpython", "linux-x86_64"))
ATTEMPTS = [Attempt(f"tests/test_é.py::test[{n}\n]", Phase("passed", n / 1e6)) for n in range(50)]
END = RunEnd(1.79e9 + 1, 0, 50)
NOW = 1.79e9


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / ".ciopt")


def written(state: StateDir) -> Path:
    writer = Writer(state, START)
    writer.write(*ATTEMPTS)
    writer.finish(END)
    assert writer.problem is None
    return state.path / FOLDER / (RUN + CLOSED)


def test_a_finished_segment_holds_what_was_written(state: StateDir) -> None:
    path = written(state)
    assert list(records(path)) == [START, *ATTEMPTS, END]
    found = inventory(state, NOW)
    assert found.runs == {RUN: path}
    assert found.told == []
    assert sorted(os.listdir(path.parent)) == [path.name]
    assert (state.path / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("omitted", ["workers", "reasons"])
@pytest.mark.parametrize("seconds", [0.25, -1.0, float("nan"), float("inf"), 1e300])
def test_passed_is_written_as_an_attempt(tmp_path: Path, omitted: str, seconds: float) -> None:
    """The short way of most tests, with what a project leaves out and what broken clocks say."""
    took = (0.5, seconds, 0.125)
    phases = [Phase("passed", one) for one in took]
    lines = []
    for way in ("long", "short"):
        state = StateDir(tmp_path / way)
        writer = Writer(state, START, {omitted})
        if way == "long":
            writer.write(Attempt("a.py::é", *phases, worker="gw1"))
        else:
            writer.passed("a.py::é", *took, "gw1")
        writer.close()
        lines.append((state.path / FOLDER / (RUN + OPEN)).read_bytes().splitlines()[1])
    assert lines[0] == lines[1]
    assert (b"gw1" in lines[0]) is (omitted != "workers")


def test_traces_are_read_by_those_who_ask_for_them(state: StateDir) -> None:
    traces: list[TraceRecord] = [
        Units("a.py", ("f", "g")),
        TracedTest(ATTEMPTS[0].id, Trace(units=(0, 1))),
        Inputs({"a.py": "changed"}),
    ]
    writer = Writer(state, START)
    writer.write(ATTEMPTS[0])
    writer.append(b"".join(map(encoded, traces)))
    writer.write(ATTEMPTS[1])
    path = state.path / FOLDER / (RUN + OPEN)
    assert list(records(path)) == [START, *ATTEMPTS[:2]]
    assert list(all_records(path)) == [START, ATTEMPTS[0], *traces, ATTEMPTS[1]]
    writer.close()


def test_a_trace_in_another_spelling_is_none_of_the_records(state: StateDir) -> None:
    writer = Writer(state, START)
    writer.append(b'{ "path": "a.py", "names": ["f"], "kind": "units" }\n')
    path = state.path / FOLDER / (RUN + OPEN)
    assert list(records(path)) == [START]
    assert list(all_records(path)) == [START, Units("a.py", ("f",))]
    writer.close()


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = written(StateDir(tmp_path / "a")), written(StateDir(tmp_path / "b"))
    assert one.read_bytes() == other.read_bytes()


@given(STARTS, st.lists(PARTS_OF_RUNS, max_size=5), st.none() | ENDS)
def test_any_run_survives_its_files(
    start: RunStart, inside: list[Record], end: RunEnd | None
) -> None:
    """Open, closed or adopted after a kill, and copied into another history."""
    with tempfile.TemporaryDirectory() as folder:
        state, other = StateDir(Path(folder) / "one"), StateDir(Path(folder) / "other")
        writer = Writer(state, start)
        writer.write(*inside)
        expected = [start, *inside]
        assert list(records(state.path / FOLDER / (start.run + OPEN))) == expected
        if end is None:
            writer.close()  # as a kill does
        else:
            writer.finish(end)
            expected.append(end)
        found = inventory(state, NOW)
        assert [list(records(path)) for path in found.runs.values()] == [expected]
        assert merging.merge(other, [state.path], None, NOW).done == 1
        assert list(records(other.path / FOLDER / (start.run + CLOSED))) == expected


def test_a_segment_can_be_read_while_it_is_written(state: StateDir) -> None:
    writer = Writer(state, START)
    writer.write(*ATTEMPTS)
    found = inventory(state, time.time())
    path = found.runs[RUN]
    assert path.name == RUN + OPEN
    assert found.told == []
    with open(path, "ab") as stream:
        stream.write(b'{"kind":"test"')  # half a line
    assert list(records(path)) == [START, *ATTEMPTS]
    writer.close()


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_segments import *
writer = Writer(StateDir(Path(sys.argv[1])), START)
number = 0
while True:
    writer.write(Attempt(f"test_{{number}}", Phase("passed", 0.0)))
    number += 1
    print(number, flush=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_writer_loses_nothing_that_it_wrote(state: StateDir, seed: int) -> None:
    script = KILLED.format(path=[str(Path(__file__).parent), str(Path(__file__).parents[3])])
    command = [sys.executable, "-c", script, str(state.path)]
    wanted = random.Random(seed).randrange(1, 3_000)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = 0
        while told < wanted:
            told = int(child.stdout.readline())
        assert inventory(state, time.time()).runs[RUN].name.endswith(OPEN)  # it lives
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        told = int(rest[-1]) if rest else told
    found = inventory(state, time.time())
    (line,) = found.told
    assert line.startswith("adopted the segment of a run that was not recorded to its end: ")
    kept = list(records(found.runs[RUN]))
    assert kept[0] == START
    assert [r.id for r in kept[1:] if isinstance(r, Attempt)][:told] == [
        f"test_{n}" for n in range(told)
    ]
    assert f"{len(kept) - 1:,} tests" in line
    assert inventory(state, time.time()).told == []


def test_a_run_that_ends_while_the_folder_is_read_is_there(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(state, START)
    folder = state.path / FOLDER
    listed = list(os.scandir(folder))
    assert [entry.name for entry in listed] == [RUN + OPEN]
    writer.finish(END)
    with monkeypatch.context() as patch:
        patch.setattr("pytest_ciopt.adapters.history.reader.os.scandir", lambda path: listed)
        found = inventory(state, NOW)
    assert found.told == []
    assert found.runs == {RUN: folder / (RUN + CLOSED)}


def test_half_a_line_of_a_killed_writer_is_dropped(state: StateDir) -> None:
    writer = Writer(state, START)
    writer.write(*ATTEMPTS)
    writer.close()
    with open(state.path / FOLDER / (RUN + OPEN), "ab") as stream:
        stream.write(encoded(ATTEMPTS[0])[:-5])
    (path,) = inventory(state, time.time()).runs.values()
    assert path.name == RUN + CLOSED
    assert list(records(path)) == [START, *ATTEMPTS]


@pytest.mark.parametrize("left", [b"", b"\n", b"{}\n", b"null\n", b"\xff" * 100])
def test_an_open_file_that_is_no_segment_is_set_aside(state: StateDir, left: bytes) -> None:
    folder = state.path / FOLDER
    folder.mkdir(parents=True)
    (folder / (RUN + OPEN)).write_bytes(left)
    found = inventory(state, time.time())
    assert found.runs == {}
    assert found.told == [
        f"{RUN}.jsonl is damaged (its first line is no start of a run): set aside in damaged/"
    ]
    assert (folder / DAMAGED / (RUN + OPEN)).read_bytes() == left


def test_without_locks_a_file_is_left_alone_for_a_day(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "acquire", lambda _: lock.Lock.UNKNOWN)
    writer = Writer(state, START)
    writer.write(*ATTEMPTS)
    writer.close()
    now = time.time()
    assert inventory(state, now + 80_000).runs[RUN].name == RUN + OPEN
    assert inventory(state, now + 90_000).runs[RUN].name == RUN + CLOSED


def test_names_that_are_none_of_ours_are_passed_over(state: StateDir) -> None:
    path = written(state)
    for name in (
        "notes.txt",
        "x.jsonl.gz",
        RUN + ".new",
        RUN.upper() + CLOSED,
        RUN + ".jsonl.gz.1",
    ):
        (path.parent / name).write_text("{}")
    assert inventory(state, NOW).runs == {RUN: path}


@pytest.mark.parametrize("name", [RUN + OPEN, RUN + CLOSED])
def test_what_is_no_regular_file_is_passed_over(state: StateDir, name: str) -> None:
    """A reader would wait for ever for what a pipe has to say."""
    folder = state.path / FOLDER
    folder.mkdir(parents=True)
    os.mkfifo(folder / name)
    assert inventory(state, NOW) == Inventory()


def test_what_a_killed_process_left_beside_is_removed(state: StateDir) -> None:
    path = written(state)
    writer = Writer(state, START)  # killed after it had compressed its file
    writer.write(*ATTEMPTS)
    writer.close()
    partial = path.with_name(f"{path.name}.0123456789ab")
    hidden = path.with_name("f" * 12 + RUN[12:] + NEW)
    beside = [
        path.with_name(f"pack-{RUN}.jsonl.gz.0123456789ab"),
        state.path / "index.sqlite.0123456789ab",
        state.path / "cache/records-cpython-3.12.1-linux-x86_64.0123456789ab",
    ]
    foreign = [
        path.with_name(f"{path.name}.notes"),
        state.path / "mine.0123456789ab",
        state.path / "cache/mine.0123456789ab",
    ]
    (state.path / "cache").mkdir()
    for left in (partial, hidden, *beside, *foreign):
        left.write_text("{}")
    now = time.time()
    assert inventory(state, now).runs == {RUN: path}
    assert all(left.exists() for left in (partial, hidden, *beside, *foreign))
    assert inventory(state, now + 90_000).told == []
    assert not any(left.exists() for left in (partial, hidden, *beside))
    assert all(left.exists() for left in (path, *foreign))


@pytest.mark.parametrize("lives", [True, False])
@pytest.mark.parametrize("copied", ["less", "all", "nothing sound"])
def test_a_copy_never_takes_the_place_of_a_segment_that_tells_more(
    state: StateDir, copied: str, lives: bool
) -> None:
    """A run was copied while it went on, and the copy was merged."""
    writer = Writer(state, START)
    writer.write(*ATTEMPTS[:17])
    closed = compress(state.path / FOLDER / (RUN + OPEN))
    if copied == "all":
        writer.finish(END)
        writer = Writer(state, START)
        writer.write(*ATTEMPTS[:17])
    elif copied == "nothing sound":
        closed.write_bytes(closed.read_bytes()[:-9])
    writer.write(*ATTEMPTS[17:20])
    if not lives:
        writer.close()
    path = inventory(state, time.time()).runs[RUN]
    writer.close()
    if copied == "all":
        assert list(records(path)) == [START, *ATTEMPTS[:17], END]
        return
    assert path.name == RUN + (OPEN if lives else CLOSED)
    assert list(records(path)) == [START, *ATTEMPTS[:20]]
    assert (closed.parent / DAMAGED).exists() is (copied == "nothing sound")


def test_damage_of_any_kind_is_an_error_with_a_reason(state: StateDir) -> None:
    path = written(state)
    sound = path.read_bytes()
    refused = 0
    for seed in range(400):
        chance = random.Random(seed)
        damaged = bytearray(sound)
        if seed % 2:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            damaged[chance.randrange(10, len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            kept = list(records(path))
        except SegmentError:
            refused += 1
        else:
            assert kept == [START, *ATTEMPTS, END], seed
    assert refused > 390


def rewritten(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(gzip.compress(b"".join(lines)))


def test_forged_segments(state: StateDir) -> None:
    path = written(state)
    other = json.loads(encoded(START)) | {"run": "f" * 12 + "-" + "0" * 20}
    cases = {
        "it is empty": [],
        "not the start of this run": [json.dumps(other).encode() + b"\n"],
        "a second run": [encoded(START), encoded(START)],
        "first line": [encoded(ATTEMPTS[0])],
        "cut off": [encoded(START), encoded(ATTEMPTS[0])[:-1]],
        "no JSON": [encoded(START), b"\n"],
    }
    for said, lines in cases.items():
        rewritten(path, lines)
        with pytest.raises(SegmentError, match=said):
            list(records(path))


def test_a_bomb_is_not_swallowed(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_ciopt.adapters.history.reader.MAX_SEGMENT", 1_000_000)
    path = written(state)
    rewritten(path, [encoded(START), *([b'{"kind":"later"}\n'] * 100_000)])
    assert path.stat().st_size < 100_000
    with pytest.raises(SegmentError, match="too large"):
        list(records(path))
    rewritten(path, [encoded(START), b" " * 50_000_000])  # one line
    with pytest.raises(SegmentError, match="too large"):
        list(records(path))


def test_lines_that_say_nothing_are_not_read_for_ever(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_ciopt.adapters.history.reader.MAX_LINES", 1_000)
    path = written(state)
    forged = [encoded(START), *([b'{"kind":"q"}\n'] * 999)]
    rewritten(path, forged)
    assert list(records(path)) == [START]
    rewritten(path, [*forged, b"{}"])
    with pytest.raises(SegmentError, match="it has more than 1,000 lines"):
        list(records(path))
    said = merging.merge(StateDir(state.path / "other"), [path], None, NOW)
    assert (said.done, said.refused) == (0, 1)
    assert keeping.check(state, NOW).refused == 1
    assert (path.parent / DAMAGED / path.name).exists()


def test_what_cannot_be_set_aside_stays(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(state)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    assert set_aside(path, "why") == (
        f"{path.name} is damaged (why), and stays: Read-only file system"
    )
    assert path.exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = Writer(StateDir(tmp_path / "file/.ciopt"), START)
    assert writer.problem is not None
    assert "cannot be written to" in writer.problem
    writer.write(*ATTEMPTS)
    writer.finish(END)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_ends_the_recording_and_nothing_else(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(state, START)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._descriptor)
    os.close(full)
    writer.write(*ATTEMPTS)
    assert writer.problem is not None
    assert "No space left on device" in writer.problem
    writer.finish(END)
    (path,) = inventory(state, time.time()).runs.values()
    assert list(records(path)) == [START]
