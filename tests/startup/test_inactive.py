"""What the plugin costs those who have it installed and do not ask for it: almost nothing."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_ciopt.core.stdlib import LOADED
from repository import repository

FILES = {
    "pytest.ini": "[pytest]\n",
    "conftest.py": """
        import json
        import sys

        def pytest_unconfigure(config):
            if not hasattr(config, "workerinput"):
                with open("modules.json", "w") as stream:
                    json.dump(sorted(sys.modules), stream)

        def pytest_sessionfinish(session):
            if hasattr(session.config, "workerinput"):
                with open(f"{session.config.workerinput['workerid']}.json", "w") as stream:
                    json.dump(sorted(sys.modules), stream)
        """,
    "test_one.py": "def test_one():\n    pass\n",
}
HEAVY = {"sqlite3", "_sqlite3", "coverage", "statistics", "tomllib", "ctypes"}
"""Beside those of the design: what takes long to import and has no place here."""


class Started:
    """One run of pytest in a process of its own."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self.folder = folder
        self.done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert self.done.returncode in (0, 5), self.done.stdout + self.done.stderr

    def modules(self, process: str = "modules") -> set[str]:
        found: list[str] = json.loads((self.folder / f"{process}.json").read_text())
        return set(found)

    def ours(self, process: str = "modules") -> set[str]:
        return {name for name in self.modules(process) if name.startswith("pytest_ciopt")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path / "repository", FILES).root


PLUGIN = ("-p", "ciopt")
"""By the name of its entry point, as pytest loads it by itself."""


def alone(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Started:
    """No other installed plugin is loaded: they import what they like."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Started(folder, arguments)


def test_few_modules_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = alone(folder, monkeypatch, *PLUGIN).ours()
    assert "pytest_ciopt.plugin" in ours
    assert len(ours) <= 5, sorted(ours)


def test_nothing_heavy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert alone(folder, monkeypatch, *PLUGIN).modules() & HEAVY == set()


def test_nothing_that_pytest_alone_does_not_import(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = alone(folder, monkeypatch).modules()
    ours = alone(folder, monkeypatch, *PLUGIN).modules()
    # Loading it by name takes the metadata of distributions, which autoload takes anyway.
    more = {name for name in ours - without if name.partition(".")[0] not in ("email", "csv")}
    names = {name.partition(".")[0] for name in more}
    assert names <= {"pytest_ciopt", "quopri", "_csv", "zipfile"} | _of_metadata(), sorted(names)


def _of_metadata() -> set[str]:
    code = "import importlib.metadata, json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_few_modules_with_autoload(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where other plugins are loaded, too, ours are as few."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    ours = Started(folder, ()).ours()
    assert 1 <= len(ours) <= 5, sorted(ours)


def test_few_modules_in_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = alone(folder, monkeypatch, *PLUGIN, "-p", "xdist", "-n1")
    assert 1 <= len(started.ours("gw0")) <= 5, sorted(started.ours("gw0"))
    assert started.modules("gw0") & (HEAVY - {"ctypes"}) == set()


def test_what_pytest_alone_has_loaded() -> None:
    """That no module of a project takes the place of."""
    code = "import sys, pytest; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) >= LOADED


@pytest.mark.parametrize("arguments", [(), ("-v", "--co"), ("-k", "nothing")])
def test_nothing_is_printed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    """But for the name in pytest's own list of plugins."""
    done = alone(folder, monkeypatch, *PLUGIN, *arguments).done
    lines = [line for line in done.stdout.splitlines() if not line.startswith("plugins: ")]
    assert not any("ciopt" in line for line in lines)
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [(), ("--co",), ("--markers",)])
def test_nothing_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    alone(folder, monkeypatch, *PLUGIN, *arguments)
    assert not list(folder.rglob(".ciopt"))
    assert not list(folder.rglob("CACHEDIR.TAG"))


def test_git_is_not_asked(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    alone(folder, monkeypatch, *PLUGIN)
    assert not (tmp_path / "asked").exists()
    alone(folder, monkeypatch, *PLUGIN, "--ciopt-changed")
    assert (tmp_path / "asked").exists()


def test_variables_alone_ask_for_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They say how to select, not that it is to be done."""
    for name in ("CIOPT_BASE", "CIOPT_JSON", "CIOPT_EXPLAIN", "CIOPT_STRICT"):
        monkeypatch.setenv(name, "1")
    started = alone(folder, monkeypatch, *PLUGIN)
    assert len(started.ours()) <= 5
    assert not (folder / ".ciopt").exists()
    assert not (folder / "1").exists()


def test_warnings_that_are_errors(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import of ours before pytest rewrites it would warn."""
    assert alone(folder, monkeypatch, *PLUGIN, "-W", "error").ours()
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    assert Started(folder, ("-W", "error", "--ciopt-changed")).ours()


def test_the_active_plugin_imports_nothing_heavy_either(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "test_one.py").write_text("def test_one():\n    assert 1\n")
    modules = alone(folder, monkeypatch, *PLUGIN, "--ciopt-changed").modules()
    assert "pytest_ciopt.hooks.early" in modules
    assert modules & (HEAVY - {"tomllib", "ctypes"}) == set()


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (("--ciopt-record=deps",), "pytest_ciopt.hooks.tracing"),
        (("--ciopt-cov", "--ciopt-cov-fail-under=0"), "pytest_ciopt.hooks.covering"),
    ],
)
def test_who_selects_nothing_does_not_load_the_import_graph(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], loaded: str
) -> None:
    ours = alone(folder, monkeypatch, *PLUGIN, *arguments).ours()
    assert loaded in ours
    assert {name for name in ours if "graph" in name or "selection" in name} == set()


REWRITTEN = """
    import json
    import sys

    def pytest_unconfigure():
        loaders = {n: getattr(module, "__loader__", None) for n, module in sys.modules.items()}
        with open("modules.json", "w") as stream:
            json.dump([n for n in loaders if "Rewriting" in type(loaders[n]).__name__], stream)
    """


def test_pytest_does_not_compile_our_modules_again(folder: Path) -> None:
    """It would, in search of assertions, and take longer than the decision itself."""
    (folder / "conftest.py").write_text(textwrap.dedent(REWRITTEN))
    started = Started(folder, ("--ciopt-changed", "--ciopt-record=deps"))
    assert "conftest" in started.modules()
    assert started.ours() <= {"pytest_ciopt", "pytest_ciopt.hooks", "pytest_ciopt.plugin"}
