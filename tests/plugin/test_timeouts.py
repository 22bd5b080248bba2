"""Limits of tests come from what they took."""

import re

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.core.history import limits as limits_of
from pytest_ciopt.hooks import timeouts

LIMIT = "--ciopt-timeout=2"
FILES = {
    "pytest.ini": "[pytest]\n",
    "conftest.py": """
        import pytest

        @pytest.fixture(autouse=True)
        def told(request):
            marker = request.node.get_closest_marker("timeout")
            print("limit", request.node.name, marker and marker.args[0])
        """,
    "test_all.py": """
        import time, pytest
        from pathlib import Path

        def test_quick(): pass
        def test_hangs():
            if Path("hang").exists(): time.sleep(60)
        @pytest.mark.timeout(7)
        def test_own(): pass
        """,
}


@pytest.fixture
def made(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(limits_of, "FLOOR", 0.5)
    return project(FILES)


def limits(made: Project, *arguments: str) -> dict[str, str]:
    result = made.run("-p", "pytest_timeout", "-s", "-q", *arguments)
    assert result.ret == 0
    return dict(re.findall(r"limit (\w+) (\S+)", result.stdout.str()))


def test_a_test_that_hangs_is_stopped(made: Project) -> None:
    assert made.run("--ciopt-record=results", "-p", "pytest_timeout").ret == 0
    made.repository.write({"hang": ""})
    result = made.run("-p", "pytest_timeout", LIMIT)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*Timeout (>*s) from pytest-timeout.*"])


def test_what_is_slow_has_more_time(made: Project) -> None:
    slow = FILES["test_all.py"].replace("test_quick(): pass", "test_quick(): time.sleep(0.4)")
    made.repository.write({"test_all.py": slow})
    assert made.run("--ciopt-record=results", "-p", "pytest_timeout").ret == 0
    found = limits(made, "--ciopt-timeout=10")
    assert 4 <= float(found["test_quick"]) < 20
    assert (found["test_hangs"], found["test_own"]) == ("0.5", "7")


def test_fixtures_that_are_shared_count_for_whichever_comes_first(made: Project) -> None:
    fixture = "@pytest.fixture(scope='module', autouse=True)\n        def base(): time.sleep(0.3)\n"
    code = FILES["test_all.py"].replace("def test_quick", f"{fixture}\n        def test_quick")
    made.repository.write({"test_all.py": code})
    assert made.run("--ciopt-record=results", "-p", "pytest_timeout").ret == 0
    assert 3 <= float(limits(made, "--ciopt-timeout=10")["test_hangs"]) < 15


def test_a_lower_limit_for_all_counts(made: Project) -> None:
    assert made.run("--ciopt-record=results", "-p", "pytest_timeout").ret == 0
    assert limits(made, LIMIT, "--timeout=0.4")["test_quick"] == "None"
    assert limits(made, LIMIT, "--timeout=9")["test_quick"] == "0.5"


def test_what_nobody_knows_has_no_limit(made: Project) -> None:
    assert limits(made, LIMIT, "--ciopt-record=off")["test_quick"] == "None"
    result = made.run("-p", "pytest_timeout", LIMIT, "--ciopt-record=off")
    result.stdout.fnmatch_lines(["ciopt: no test has a limit of --ciopt-timeout: *"])


@pytest.mark.parametrize("by", ["ini", "environment"])
def test_other_ways_to_ask(made: Project, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    assert made.run("--ciopt-record=results", "-p", "pytest_timeout").ret == 0
    if by == "ini":
        made.repository.write({"pytest.ini": "[pytest]\nciopt_timeout = 2\n"})
    else:
        monkeypatch.setenv("CIOPT_TIMEOUT", "2")
    assert limits(made)["test_quick"] == "0.5"


def test_under_xdist(made: Project) -> None:
    """Workers set the limits, a minute here: they are processes of their own."""
    assert made.run("--ciopt-record=results", "-p", "pytest_timeout").ret == 0
    code = """
        def test_quick(request):
            assert request.node.get_closest_marker("timeout").args == (60.0,)
        """
    made.repository.write({"test_all.py": code})
    made.run("-p", "pytest_timeout", LIMIT, "-n2").assert_outcomes(passed=1)


@pytest.mark.parametrize("factor", ["1", "0", "-3", "nan", "inf", "ten"])
def test_factors_that_mean_nothing(made: Project, factor: str) -> None:
    result = made.run("-p", "pytest_timeout", f"--ciopt-timeout={factor}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ciopt-timeout is '{factor}'. *"])


def test_without_pytest_timeout(made: Project) -> None:
    result = made.run(LIMIT)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ciopt-timeout needs pytest-timeout*"])


def test_a_history_that_cannot_be_read(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(timeouts, "ask", refused)
    result = made.run("-p", "pytest_timeout", LIMIT)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["ciopt: no test has a limit: the history cannot be read: *"])
