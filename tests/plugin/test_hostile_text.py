"""What somebody else wrote into a history or a plan reaches no terminal as it is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.adapters.history.writer import Writer
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.cli.main import main
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Environment,
    Phase,
    RunEnd,
    RunStart,
)
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.plan.document import encoded
from pytest_ciopt.core.plan.plan import SIZES, Plan, Share

RED, TITLE = "\x1b[31m", "\x1b]0;mine\x07"
RUN = "0192f0a1b2c3-" + "0a" * 10
TEST = f"test_a.py::test[{TITLE}]"
MODULE = f"test_a{RED}.py"
OF_MODULE = Share(1, {1: (f"{MODULE}::{TITLE}",)})
PLAN = json.loads(encoded(Plan(1, {MODULE: OF_MODULE}, origin=SIZES, complete=True)))
SHARE = PLAN["modules"][MODULE]
Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """What a command prints on both outputs, of which none may be hostile."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(arguments) in (0, 1, 2)
        said = "".join(capsys.readouterr())
        assert all(line.isprintable() for line in said.splitlines())
        return said

    return run


@pytest.fixture
def merged(project: MakeProject, say: Say, tmp_path: Path) -> Project:
    """A history with a run of somebody else."""
    made = project({"test_a.py": "def test(): pass\n"})
    start = RunStart(
        RUN,
        1.79e9,
        Environment("3.12.1", f"{RED}cpython", TITLE),
        branch=f"main{RED}",
        options=(f"--cov{TITLE}",),
        everything=f"because {RED}",
        plan=f"{RED}plan",
    )
    writer = Writer(StateDir(tmp_path / "theirs"), start)
    failed = Phase("failed", 0.5)
    writer.write(Attempt(TEST, Phase("passed", 0.0), failed, failure=f"assert {RED}"))
    writer.write(Benchmark(TEST, 5, 7, 1e-9, 2.0, 2.0, 0.5, 3.0, f"{RED}CPU"))
    writer.finish(RunEnd(1.79e9, 1, 1, coverage=Totals(4, 2)))
    assert say("history", "merge", str(tmp_path / "theirs")).startswith("1 run merged")
    return made


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "show"),
        ("history", "show", RUN),
        ("history", "show", TEST),
        ("history", "show", f"{TEST}?"),
        ("history", "failures"),
        ("history", "merge", f"none{RED}"),
        ("bench", "trend"),
        ("bench", "trend", TEST),
        ("coverage", "trend"),
    ],
)
def test_of_a_history(merged: Project, say: Say, arguments: tuple[str, ...]) -> None:
    assert "\\x1b" in say(*arguments)


def test_of_segments(merged: Project, say: Say, tmp_path: Path) -> None:
    merged.repository.root.joinpath("plan.json").write_text(json.dumps(PLAN))
    segments = str(tmp_path / "theirs/segments")
    assert "\\x1b" in say("verify", "plan.json", segments)
    check = ("check", "--plan", "plan.json", "--bench-fail", "5%", segments)
    assert "\\x1b" in say(*check)


@pytest.mark.parametrize(
    "other",
    [
        {"commit": RED},
        {"base": RED},
        {"made_from": RED},
        {"schema": RED},
        {"modules": {MODULE: SHARE | {"home": 2}}},
        {"modules": {MODULE: SHARE | {"tests": {"1": [TITLE, TITLE]}}}},
    ],
)
def test_of_a_plan(merged: Project, say: Say, other: dict[str, object]) -> None:
    merged.repository.root.joinpath("plan.json").write_text(json.dumps(PLAN | other))
    assert "plan.json cannot be used: " in say("plan", "show", "-o", "plan.json")
    assert "plan.json cannot be used: " in say("verify", "plan.json", ".")
    flags = ("--ciopt-plan=plan.json", "--ciopt-shard=1/1")
    told = merged.run(*flags)
    assert told.ret == pytest.ExitCode.USAGE_ERROR
    assert "\x1b" not in str(told.stderr)
