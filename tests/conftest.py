"""Fixtures for tests on real git repositories: neutral git, no CI service, real pytest runs."""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from _pytest._code import code

import pytest_ciopt
import thoroughness  # noqa: F401  it knows the profile of Hypothesis
from pytest_ciopt.adapters.tracing.monitor import is_available
from repository import Decisions, Repository, repository

pytest_plugins = ["pytester"]

# What a run in this process imports first is forgotten after it: the next would import it again,
# and enums would have several lives.
for module in walk_packages(pytest_ciopt.__path__, "pytest_ciopt."):
    import_module(module.name)

_SERVICES = ("CI", "TF_BUILD", "GITHUB_", "GITLAB_", "BUILDKITE", "CIRCLE", "BITBUCKET", "CIOPT_")
_MEASURING = ("COVERAGE_PROCESS_", "COV_CORE_")
"""By these coverage.py measures child processes: ours would take nearly twice as long."""


@pytest.fixture(autouse=True)
def neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the person's git configuration nor the CI service around us counts, and whoever
    measures this suite does not measure the processes that it starts.

    No bytecode is written: an edit that leaves the size alone, within a second, keeps it in force.
    """
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for name in os.environ:
        if name.startswith((*_SERVICES, *_MEASURING, "GIT_", "PYTEST_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def pytest_collection_finish() -> None:
    """Each run in this process collects garbage several times at its end, to find what was left
    open. What is there before any test need not be looked through each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def long_files_are_parsed_once() -> Iterator[None]:
    """A run that is interrupted, by an error of collection for example, renders a traceback.

    It leads through the files of pytest itself, which are parsed anew in each run: that would take
    a third of the time of the tests of such runs.
    """
    parse, known = code.getstatementrange_ast, dict[tuple[int, str], Any]()

    def remembered(lineno: int, source: Any, *rest: Any, **more: Any) -> Any:
        if len(source.lines) < 200:  # files of tests come and go
            return parse(lineno, source, *rest, **more)
        key = lineno, str(source)
        if key not in known:
            known[key] = None, *parse(lineno, source, *rest, **more)[1:]
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code, "getstatementrange_ast", remembered)
        yield


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
        if "--ciopt-record=deps" in arguments and not is_available():
            # The profiler of Python 3.11 is one a thread, and this one may have its own.
            return self.pytester.runpytest_subprocess(*plugins, *arguments)
        return self.pytester.runpytest_inprocess(*plugins, *arguments)

    def select(self, *arguments: str, exit_code: int = 0) -> Decisions:
        """Runs with `--ciopt-changed` and returns what was decided."""
        self.decisions_file.unlink(missing_ok=True)
        flags = ("--ciopt-changed", f"--ciopt-json={self.decisions_file}")
        result = self.run(*flags, *arguments)
        assert result.ret == exit_code, str(result.stdout) + str(result.stderr)
        return Decisions.read(self.decisions_file)


def failing(made: Project) -> set[str]:
    """Ids of the tests that fail now."""
    result = made.run("--ciopt-record=off", "-rfE", "--tb=no", "-q")
    lines = (line.split(" ") for line in result.outlines)
    return {words[1] for words in lines if words[0] in ("FAILED", "ERROR")}


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
