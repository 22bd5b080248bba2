"""`ciopt demo`: passes anywhere, says what ran, and notices when that is not as expected."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ciopt.cli import demo
from pytest_ciopt.cli.demo_project import ALL_TESTS, FILES, STEPS, Step
from pytest_ciopt.cli.main import FAILED, OK, USAGE, main
from pytest_ciopt.core.ci import in_ci

BODY, COMMENT, TEST, FIXTURE, UNKNOWN = STEPS

HOSTILE = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "CIOPT_BASE": "nowhere",
    "PYTEST_ADDOPTS": "-k nothing",
    "PYTEST_XDIST_WORKER": "gw0",
    "PYTHONSAFEPATH": "1",
    "GIT_DIR": "/nonexistent",
    "GIT_AUTHOR_DATE": "never",
}
GITCONFIG = """\
[commit]
    gpgSign = true
[core]
    hooksPath = /nonexistent
[core]
    autocrlf = a value that git stops at
[init]
    defaultBranch = trunk
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made; below a project that is not the demo's."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CI service's variables, a person's git configuration, a broken plugin, another folder."""
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "config").write_text(GITCONFIG)
    (tmp_path / "git" / "ignore").write_text("*.bin\n")
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "broken-1.dist-info").mkdir()
    (tmp_path / "broken-1.dist-info" / "METADATA").write_text("Name: broken\nVersion: 1\n")
    (tmp_path / "broken-1.dist-info" / "entry_points.txt").write_text("[pytest11]\nb = broken\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "git" / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("hostile")
def test_all_is_as_expected_anywhere(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == OK
    said = capsys.readouterr()
    assert said.out.isascii()
    assert said.err == ""
    results = [line.strip() for line in said.out.splitlines() if "as expected" in line]
    assert results == [
        *(f"ok: ran {number} of 10 tests, as expected" for number in (4, 0, 1, 3, 10)),
        "All 5 steps as expected. Now your project: pytest --ciopt-changed",
    ]
    assert said.out.count("(merge base with main)") == 5
    assert "| 4 of 4 collected tests selected" in said.out
    assert "| nothing to run: 1 changed file" in said.out
    assert "all tests run: global: mystery.bin: nobody claims this file" in said.out
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            replace(TEST, expected=frozenset({"test_cart::test_new_cart_is_empty"})),
            [
                "expected: test_cart::test_new_cart_is_empty",
                "ran:      test_stock::test_taken_things_are_gone",
            ],
        ),
        (
            replace(TEST, expected=frozenset()),
            ["expected: nothing", "ran:      test_stock::test_taken_things_are_gone"],
        ),
        (replace(COMMENT, expected=ALL_TESTS), ["ran:      nothing"]),
        (
            replace(TEST, new="assert 1 == 2"),
            ["pytest's exit code: 1, expected 0", "assert 1 == 2"],
        ),
        (
            replace(UNKNOWN, path="pyproject.toml", new="[tool.pytest"),
            ["ran:      pytest wrote no report", "pyproject.toml"],
        ),
    ],
    ids=["another", "one too many", "too few", "red", "no report"],
)
def test_what_is_not_as_expected_fails(
    step: Step, said: list[str], temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.play((step, BODY), keep=False) == FAILED
    output = capsys.readouterr().out
    assert "NOT AS EXPECTED" in output
    for text in said:
        assert text in output
    assert "ok: ran" not in output  # it stopped
    assert "All 2 steps" not in output
    assert list(temporary.iterdir()) == []


def test_keep_leaves_the_committed_project(
    temporary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "STEPS", (UNKNOWN, COMMENT))
    assert main(["demo", "--keep"]) == OK
    (made,) = temporary.iterdir()
    project = made / "shop"
    assert f"The project is in {project}" in capsys.readouterr().out
    assert {path: (project / path).read_text() for path in FILES} == FILES
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_without_git_it_says_what_to_do(
    temporary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(temporary))
    assert main(["demo"]) == USAGE
    assert "git is not installed, or not on PATH. Install git" in capsys.readouterr().err
    assert list(temporary.iterdir()) == []


def test_what_git_refuses_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\necho too old >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert main(["demo"]) == USAGE
    said = capsys.readouterr().err
    assert "`git init` failed" in said
    assert "too old" in said


def test_without_pytest_it_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent: Callable[[str], None] = lambda name: None  # noqa: E731
    monkeypatch.setattr(demo, "find_spec", absent)
    assert main(["demo"]) == USAGE
    assert "pip install pytest" in capsys.readouterr().err


def test_without_a_temporary_folder_it_says_what_to_do(
    temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    temporary.rmdir()
    assert main(["demo"]) == USAGE
    assert "Set TMPDIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    "sign",
    [
        *("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BITBUCKET_BUILD_NUMBER", "CIRCLECI"),
        *("BUILDKITE", "CONTINUOUS_INTEGRATION", "BUILD_NUMBER", "JENKINS_URL", "TEAMCITY_VERSION"),
    ],
)
def test_no_service_is_seen_through_the_environment(sign: str) -> None:
    assert in_ci({sign: "1"})
    assert not in_ci(demo.cleaned({sign: "1"}))


def test_other_variables_are_kept() -> None:
    kept = {"PATH": "/bin", "HOME": "/root", "COVERAGE_PROCESS_START": "rc", "CITY": "Bern"}
    assert demo.cleaned(kept).items() >= kept.items()


def test_each_change_is_to_one_place() -> None:
    for step in STEPS:
        assert not step.old or FILES[step.path].count(step.old) == 1
        assert step.expected <= ALL_TESTS
