"""How many workers `-n auto` starts for a part of the tests."""

import re
from textwrap import dedent

import pytest

from conftest import MakeProject, Project

FILES = {
    "pytest.ini": "[pytest]\n",
    "test_slow.py": """
        import pytest, time

        @pytest.mark.parametrize("number", range(5))
        def test_slow(number): time.sleep(0.1)
        """,
    "test_quick.py": "def test_quick(): pass\n",
}
CPUS = "PYTEST_XDIST_AUTO_NUM_WORKERS"


@pytest.fixture
def made(project: MakeProject) -> Project:
    return project(FILES)


@pytest.fixture(autouse=True)
def machine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of four processors, where a worker is worth a tenth of a second."""
    folder = pytester.mkdir("machine")
    (folder / "machine.py").write_text(
        dedent("""
        import pytest
        from pytest_ciopt.hooks import autoworkers

        autoworkers.WORTH = 0.1

        @pytest.hookimpl(tryfirst=True)
        def pytest_xdist_auto_num_workers(config): return 4
        """)
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))


def workers(made: Project, *arguments: str) -> int:
    result = made.run("-nauto", "-p", "machine", *arguments)
    assert result.ret == 0
    found = re.search(r"(\d) workers? \[", result.stdout.str())
    return 0 if found is None else int(found[1])


@pytest.fixture
def recorded(made: Project) -> Project:
    assert made.run("--ciopt-record=results").ret == 0
    return made


def edit(made: Project, path: str) -> None:
    made.repository.write({path: FILES[path].replace("pass", "assert 1").replace("0.1", "0.11")})


def test_little_work_needs_none(recorded: Project) -> None:
    edit(recorded, "test_quick.py")
    assert workers(recorded, "--ciopt-changed") == 0


def test_more_work_has_more(recorded: Project) -> None:
    edit(recorded, "test_slow.py")
    assert workers(recorded, "--ciopt-changed") == 4


def test_it_is_said(recorded: Project) -> None:
    edit(recorded, "test_quick.py")
    result = recorded.run("-nauto", "-p", "machine", "--ciopt-changed")
    result.stdout.fnmatch_lines(["ciopt: 0 of 4 workers: 0.0 s of tests are expected"])


@pytest.mark.parametrize("history", [True, False])
def test_of_what_nobody_knows_xdist_decides(made: Project, history: bool) -> None:
    if history:
        assert made.run("--ciopt-record=results", "test_slow.py").ret == 0
    edit(made, "test_quick.py")
    assert workers(made, "--ciopt-changed") == 4


def test_without_a_part_xdist_decides(recorded: Project) -> None:
    assert workers(recorded) == 4


def test_what_is_typed_stays(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(recorded, "test_quick.py")
    monkeypatch.setenv(CPUS, "2")
    assert workers(recorded, "--ciopt-changed") == 4
    result = recorded.run("-n2", "--ciopt-changed")
    assert "2 workers [1 item]" in result.stdout.str()
