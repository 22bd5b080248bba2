"""Fixtures for tests on real git repositories: neutral git, no CI service, real pytest runs."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from repository import Decisions, Repository, repository

pytest_plugins = ["pytester"]

_SERVICES = ("CI", "TF_BUILD", "GITHUB_", "GITLAB_", "BUILDKITE", "CIRCLE", "BITBUCKET", "CIOPT_")


@pytest.fixture(autouse=True)
def neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the person's git configuration nor the CI service around us counts.

    No bytecode is written: an edit that leaves the size alone, within a second, keeps it in force.
    """
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for name in os.environ:
        if name.startswith((*_SERVICES, "GIT_", "PYTEST_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


# pytest 8 warns that it can't rewrite the plugin's assertions: this process has imported it.
QUIET = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True)
class Project:
    """A repository on which pytest is run."""

    repository: Repository
    pytester: pytest.Pytester
    decisions_file: Path

    def run(self, *arguments: str) -> pytest.RunResult:
        """Real pytest in the current folder; in this process where that makes no difference."""
        plugins = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", *QUIET)
        if any(argument.startswith("-n") for argument in arguments):
            return self.pytester.runpytest_subprocess(*plugins, "-p", "xdist", *arguments)
        return self.pytester.runpytest_inprocess(*plugins, *arguments)

    def select(self, *arguments: str, exit_code: int = 0) -> Decisions:
        """Runs with `--ciopt-changed` and returns what was decided."""
        self.decisions_file.unlink(missing_ok=True)
        flags = ("--ciopt-changed", f"--ciopt-json={self.decisions_file}")
        result = self.run(*flags, *arguments)
        assert result.ret == exit_code, str(result.stdout) + str(result.stderr)
        return Decisions.read(self.decisions_file)


MakeProject = Callable[[Mapping[str, str | bytes]], Project]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> MakeProject:
    """Makes a repository of files (path: text); pytester keeps what it writes beside it."""

    def make(files: Mapping[str, str | bytes]) -> Project:
        # Importing every installed plugin again takes ten times as long as the run itself.
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        made = repository(pytester.path / "repository", files)
        monkeypatch.chdir(made.root)
        return Project(made, pytester, pytester.path / "decisions.json")

    return make
