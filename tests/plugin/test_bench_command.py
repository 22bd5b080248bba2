"""`ciopt bench`: the commands on a repository with benchmarks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benched import FILES, TOTAL, FakeTrees, run
from conftest import MakeProject, Project
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.writer import Writer
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.cli import racing
from pytest_ciopt.cli.main import main
from pytest_ciopt.core.history.records import RunEnd, RunStart
from pytest_ciopt.core.history.rounds import Machine, summed_up

PLAIN = "sum(price * 2 for price in prices)"
MORE = "sum(price * 2 for price in prices for _ in range(4)) // 4"
Said = Callable[[], list[str]]


@pytest.fixture
def made(project: MakeProject) -> Project:
    return project(FILES)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out.splitlines()


# --- compare -------------------------------------------------------------------------------------


@pytest.fixture
def put_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeTrees], None]:
    """Instead of processes."""
    return lambda fake: monkeypatch.setattr(racing, "_opened", lambda *_: fake)


@pytest.mark.timeout(300)
def test_two_commits(made: Project, said: Said) -> None:
    """The real thing: four times the work, seen from both sides."""
    made.repository.replace("shop/cart.py", PLAIN, MORE)
    made.repository.commit()
    assert main(("bench", "compare", "HEAD~1", "--fail", "50%")) == 1
    head, line = said()
    assert head.split() == ["benchmark", "change", "from", "to", "in", "seen", "from", "verdict"]
    assert line.startswith(f"{TOTAL}  +")
    assert line.endswith("  slower")
    assert main(("bench", "compare", "HEAD", "HEAD~1", "--fail", "50%")) == 0
    assert said()[1].endswith("  not slower")
    assert len(made.repository.git("worktree", "list").splitlines()) == 1


def test_a_table(made: Project, said: Said, put_in: Callable[[FakeTrees], None]) -> None:
    put_in(FakeTrees({"a": 1.06, "b": 1.0, "c": 1.0, "d": "no"}, {"a": 1.0, "b": 1.0, "d": 1.0}))
    assert main(("bench", "compare", "HEAD")) == 0
    rows = [line.split(maxsplit=1) for line in said()[1:]]
    assert {name: " ".join(rest.split()) for name, rest in rows} == {
        "a": "+6.0 % +6.0 % +6.0 % 93% +3.0 % slower",
        "b": "+0.0 % +0.0 % +0.0 % 88% +3.0 % not slower",
        "c": "it is not in the base",
        "d": "measured alone, no",
    }
    assert main(("bench", "compare", "HEAD", "--fail=5%")) == 1


def test_json(made: Project, said: Said, put_in: Callable[[FakeTrees], None]) -> None:
    put_in(FakeTrees({"a": 1.06, "b": 1.0}, {"a": 1.0}, wall=2.0))
    assert main(("bench", "compare", "HEAD", "--json")) == 0
    first, second = json.loads("\n".join(said()))
    assert (first["verdict"], first["clock"], first["duets"]) == ("slower", "wall", 2)
    assert first["effect"]["median"] == pytest.approx(0.06)
    assert (second["verdict"], second["why"]) == (None, "it is not in the base")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nowhere",), "there is no commit 'nowhere' in this clone"),
        (("HEAD", "nowhere"), "there is no commit 'nowhere' in this clone"),
        (("HEAD", "--fail", "fast"), "--fail is 'fast'"),
    ],
)
def test_what_cannot_be_compared(
    made: Project, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert main(("bench", "compare", *words)) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("words", [("compare", "HEAD"), ("calibrate",)])
def test_without_pytest_benchmark(
    made: Project,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    monkeypatch.setattr(racing, "find_spec", lambda name: None)
    assert main(("bench", *words)) == 2
    assert "pytest-benchmark is not installed for " in capsys.readouterr().err


def test_no_benchmark(project: MakeProject, capsys: pytest.CaptureFixture[str]) -> None:
    project({"tests/test_other.py": "def test_other(): pass\n"})
    assert main(("bench", "compare", "HEAD")) == 2
    assert "pytest finds no benchmark here" in capsys.readouterr().err


# --- trend ---------------------------------------------------------------------------------------


def remember(figures: dict[str, list[float]], machine: str = "A CPU", first: int = 0) -> None:
    """A run each, of these seconds."""
    for number, values in enumerate(zip(*figures.values(), strict=True), first):
        run_id = f"{number:012x}-{'0a' * 10}"
        start = RunStart(run_id, 1.7e9 + number, surroundings(), commit=f"{number:040x}")
        writer = Writer(StateDir(Path(".ciopt")), start)
        for test, value in zip(figures, values, strict=True):
            machine_of = Machine(machine, 2, "linux")
            writer.write(summed_up(test, [value, value * 1.1], 1, "wall", machine_of, 1.0))
        writer.finish(RunEnd(1.7e9 + number, 0, 0))
        writer.close()


def test_the_trend_of_all(made: Project, said: Said) -> None:
    remember({"t.py::a": [0.001] * 12 + [0.002] * 12, "t.py::b": [0.001] * 24})
    assert main(("bench", "trend")) == 0
    head, first, second, *alerts = said()
    assert head.split() == ["least", "runs", "least", "median", "p95", "p99", "benchmark"]
    assert first.split()[1:] == "24 2.00 ms 2.10 ms 2.20 ms 2.20 ms t.py::a".split()
    assert second.split()[-1] == "t.py::b"
    commit = f"{12:040x}"[:10]
    assert alerts == [
        f"t.py::a: {name} 1.10 ms -> 2.20 ms (+100%) since {commit}, 2023-11-14 22:13"
        for name in ("p95", "p99")
    ]


def test_the_trend_of_one(made: Project, said: Said) -> None:
    remember({"t.py::a": [0.001, 0.002, 5e-7], "t.py::ab": [0.001] * 3})
    assert main(("bench", "trend", "t.py::a", "-n2")) == 0
    name, _, *rows = said()
    assert name == "t.py::a"
    assert [line.split()[3:5] for line in rows] == [["2.00", "ms"], ["500", "ns"]]
    assert main(("bench", "trend", "ab", "--json")) == 0
    (found,) = json.loads("\n".join(said()))
    assert (found["benchmark"], len(found["runs"]), found["changes"]) == ("t.py::ab", 3, [])


def test_another_machine_does_not_count(made: Project, said: Said) -> None:
    remember({"t.py::a": [0.005]}, "B CPU")
    remember({"t.py::a": [0.001, 0.002]}, first=1)
    assert main(("bench", "trend", "t.py::a", "--json")) == 0
    (found,) = json.loads("\n".join(said()))
    assert [one["min"] for one in found["runs"]] == [0.001, 0.002]


def test_packed_runs(made: Project, said: Said) -> None:
    """They stay in the trend; what others bring untrusted does not come into it."""
    remember({"t.py::a": [0.001, 0.002, 0.003]})
    assert main(("history", "compact", "--keep=1")) == 0
    for folder, words in (("trusted", ()), ("untrusted", ("--untrusted",))):
        Path(".ciopt/segments").rename(folder)
        said()
        assert main(("history", "merge", folder, *words)) == 0
        said()
        code = main(("bench", "trend", "t.py::a", "--json"))
        assert code == (2 if words else 0)
        if not words:
            (found,) = json.loads("\n".join(said()))
            assert [one["min"] for one in found["runs"]] == [0.001, 0.002, 0.003]


def test_a_real_run_and_no_run(made: Project, said: Said) -> None:
    assert main(("bench", "trend")) == 2
    assert run(made, "--ciopt-record=results").ret == 0
    said()
    assert main(("bench", "trend")) == 0
    assert said()[1].endswith(TOTAL)


# --- calibrate -----------------------------------------------------------------------------------


def test_calibrate(made: Project, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures that are put in: what is slower by 5 % is so in every pair."""
    real = racing.kernels

    class Made:
        def __init__(self, *arguments: object) -> None:
            self.percents = real(*arguments).percents  # type: ignore[arg-type]
            head = {test: 1.0 + percent / 100 for test, percent in self.percents.items()}
            self.sides = FakeTrees(head, dict.fromkeys(head, 1.0))

    monkeypatch.setattr(racing, "kernels", Made)
    assert main(("bench", "calibrate", "--sessions=2")) == 0
    _, equal, five, ten, budget = said()
    assert equal.split() == "equal (false alarms) 36 0 0.0% 0.0% 9.6% 0".split()
    assert five.split() == "5 % slower 12 12 100.0% 75.8% 100.0% 0".split()
    assert ten.split()[:5] == "10 % slower 12 12".split()
    assert budget == "Budget 5%; from and to are Wilson's interval of 95 %."
    assert main(("bench", "calibrate", "--sessions=1", "--json")) == 0
    assert [one["percent"] for one in json.loads("\n".join(said()))] == [0, 5, 10]
