"""Shards of a real project, each a process of its own: together they are the whole, and proved.

networkx is pure Python, and its wheel has its tests: 1,400 of them are taken here.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ciopt.cli.main import main
from repository import repository

SHARDS = 3
TESTS = ("networkx/classes", "networkx/utils", "-k", "not leak")  # those are slow
PROOF = ("verify", "ciopt-plan.json", ".ciopt/segments")
PLAN = ("--ciopt-plan=ciopt-plan.json",)
NEUTRAL = (
    "-p",
    "no:cacheprovider",
    "-p",
    "no:cov",
    "-p",
    "no:timeout",
    "-p",
    "no:hypothesispytest",
)
BEFORE_IT_DIES = 40
"""Tests that a shard has run."""
PASSED = re.compile(r"^(?:\[gw\d+\] \[ *\d+%\] PASSED (\S+)|(\S+) PASSED)")


@dataclass(frozen=True, slots=True)
class Suite:
    """A repository, its history of one run, and what ran."""

    root: Path
    tests: list[str]


@pytest.fixture
def networkx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Its installed files, as a repository of their own."""
    found = importlib.util.find_spec("networkx")
    assert found is not None
    assert found.origin is not None
    top = tmp_path / "networkx"
    shutil.copytree(
        Path(found.origin).parent, top / "networkx", ignore=shutil.ignore_patterns("__pycache__")
    )
    repository(top, {"pytest.ini": "[pytest]\n", ".gitignore": "ciopt-*\n"})
    monkeypatch.chdir(top)
    done = pytest_in(top, "--ciopt-record=results", *TESTS)
    assert done.returncode == 0, done.stdout[-2000:]
    ran = passed(done.stdout.splitlines())
    assert len(ran) > 1000
    return Suite(top, sorted(ran))


def command(*arguments: str) -> tuple[str, ...]:
    return sys.executable, "-m", "pytest", "-v", "--color=no", *NEUTRAL, *arguments


def pytest_in(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # Not -P: the copy is to be imported, and the installed one is not.
    return subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, check=False
    )


def passed(lines: Iterable[str]) -> list[str]:
    found = (PASSED.match(line) for line in lines)
    return [one[1] or one[2] for one in found if one]


def killed_in_the_middle(folder: Path, *arguments: str) -> list[str]:
    """What it had run when it died."""
    process = subprocess.Popen(
        command(*arguments), cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    ran: list[str] = []
    with process:
        for line in process.stdout:
            ran += passed([line])
            if len(ran) == BEFORE_IT_DIES:
                os.killpg(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    return ran


@pytest.mark.timeout(300)
def test_one_is_killed_and_run_again(networkx: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """The first with workers, the second is killed, the third without."""
    top = networkx.root
    assert main(("plan", f"--shards={SHARDS}", "--", *TESTS)) == 0
    ran = []
    for number, more in enumerate((("-n2",), ("-n0",), ("-n0",)), 1):
        shard = (f"--ciopt-shard={number}/{SHARDS}", *PLAN, *more, *TESTS)
        if number == 2:
            before = killed_in_the_middle(top, *shard)
            assert main(PROOF) == 1
            assert "did not run" in capsys.readouterr().out
        done = pytest_in(top, *shard)
        assert done.returncode == 0, done.stdout[-2000:]
        ran.append(passed(done.stdout.splitlines()))
        if number == 2:
            assert ran[-1][: len(before)] == before, "it does the same again"
    assert main(PROOF) == 0, capsys.readouterr().out
    assert sorted(test for tests in ran for test in tests) == networkx.tests


@pytest.mark.timeout(300)
def test_without_a_plan_the_history_that_grows_divides_nothing_twice(networkx: Suite) -> None:
    ran: list[str] = []
    for number in (1, 2):
        shard = (f"--ciopt-shard={number}/2", "--ciopt-record=results", *TESTS)
        ran += passed(pytest_in(networkx.root, *shard).stdout.splitlines())
    assert sorted(ran) == networkx.tests
