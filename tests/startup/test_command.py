"""What `ciopt select` loads and starts, for most of what a small decision costs is that."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from repository import Repository, repository

SLOW = {"dataclasses", "inspect", "json", "hashlib", "configparser", "shlex", "tempfile", "ast"}
REPORT = """
import json, sys
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.cli.main import main
commands, start = [], Git._start
def noted(self, arguments, stdin):
    commands.append(arguments[0])
    return start(self, arguments, stdin)
Git._start = noted
code = main(sys.argv[1:])
modules = sorted(sys.modules)
print(json.dumps([code, modules, commands]), file=sys.stderr)
""".replace("import json, sys", "import sys").replace("print(json", "import json; print(json")


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    made = repository(
        tmp_path / "project", {"mod.py": "a = 1\n", "test_mod.py": "import mod\n\ndef test(): 0\n"}
    )
    made.write({"mod.py": "a = 1\nb = a\n"})
    return made


def environment() -> dict[str, str]:
    names = ("COVERAGE_", "CIOPT_", "GITHUB_", "CI")
    return {k: v for k, v in os.environ.items() if not k.startswith(names)}


def told(project: Repository) -> tuple[int, set[str], list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT, "select", "--base", "HEAD"],
        cwd=project.root,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "test_mod.py\n", done.stderr
    code, modules, commands = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules), commands


def test_nothing_slow_is_imported(project: Repository) -> None:
    told(project)  # the first time, a key is made of git's answer
    _, modules, _ = told(project)
    assert not modules & (SLOW - {"hashlib"})
    assert "pytest_ciopt.core.cibase" not in modules


def test_git_is_started_no_more_often_than_needed(project: Repository) -> None:
    code, _, commands = told(project)
    assert code == 0
    assert commands == ["rev-parse", "rev-parse", "ls-files", "status", "cat-file"]
    project.git("add", "mod.py")
    assert told(project)[2] == [*commands[:-1], "diff-index", "cat-file"]


@pytest.mark.parametrize("arguments", [("select",), ("--version",), ("select", "--base", "no")])
def test_the_script_says_and_ends_as_the_function_does(
    project: Repository, arguments: tuple[str, ...]
) -> None:
    ended = []
    for name in ("main", "command"):
        code = f"import sys; from pytest_ciopt.cli.main import {name}; sys.exit({name}())"
        ended.append(
            subprocess.run(
                [sys.executable, "-c", code, *arguments],
                cwd=project.root,
                env=environment(),
                capture_output=True,
                text=True,
            )
        )
    assert ended[0].stdout == ended[1].stdout
    assert ended[0].stderr == ended[1].stderr
    assert ended[0].returncode == ended[1].returncode
    assert ended[0].stdout or ended[0].returncode
