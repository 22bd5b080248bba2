"""What pytest-benchmark measures is in the history, and costs nothing where nothing is recorded."""

from pathlib import Path

import pytest

from benched import FILES, TOTAL, recorded, run
from conftest import QUIET, MakeProject
from pytest_ciopt.adapters.machine import machine
from pytest_ciopt.cli.main import main

MORE = {
    "tests/test_more.py": """\
        import time, pytest

        def test_fails(benchmark):
            benchmark(len, "")
            assert 0

        def test_unused(benchmark): pass

        @pytest.mark.benchmark(timer=time.process_time)
        def test_clock(benchmark): benchmark.pedantic(sum, args=([1],), rounds=150)

        def test_waits(benchmark): benchmark.pedantic(time.sleep, args=(0.05,), rounds=2)
        """,
}


def test_they_are_recorded(project: MakeProject) -> None:
    made = project(FILES | MORE)
    assert run(made, "--ciopt-record=results").ret == 1
    found = {line["id"].rpartition("::")[2]: line for line in recorded()}
    assert found.keys() == {"test_total", "test_clock", "test_waits"}
    total = found["test_total"]
    assert (total["id"], total["clock"]) == (TOTAL, "wall")
    assert total["fingerprint"] == machine().fingerprint
    assert total["min"] <= total["median"] <= total["p95"] <= total["p99"] <= total["max"]
    assert total["rounds"] >= 3
    assert found["test_clock"]["clock"] == "cpu"
    assert (found["test_clock"]["rounds"], len(found["test_clock"]["values"])) == (150, 100)
    assert found["test_waits"]["busy"] < 0.8
    assert main(("history", "check")) == 0


def test_without_the_environment(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(FILES)
    monkeypatch.setenv("CIOPT_RECORD_OMIT", "environment")
    assert run(made, "--ciopt-record=results").ret == 0
    (line,) = recorded()
    assert line.keys().isdisjoint({"machine", "fingerprint"})


@pytest.mark.parametrize("arguments", [("-n2",), ("--benchmark-disable",), ("--benchmark-skip",)])
def test_where_nothing_is_measured(project: MakeProject, arguments: tuple[str, ...]) -> None:
    made = project(FILES)
    assert run(made, "--ciopt-record=results", *arguments).ret == 0
    assert recorded() == []


LISTS = """\
import sys

def pytest_unconfigure():
    with open("loaded.txt", "w") as stream:
        stream.write("\\n".join(sys.modules))
"""


@pytest.mark.parametrize("arguments", [("-p", "benchmark"), ("--ciopt-record=results",)])
def test_nothing_is_loaded_for_nothing(project: MakeProject, arguments: tuple[str, ...]) -> None:
    """Only what is recorded beside pytest-benchmark needs it."""
    made = project(FILES | {"conftest.py": LISTS, "pytest.ini": "[pytest]\npythonpath = .\n"})
    plugins = ("-p", "pytest_ciopt.plugin", *QUIET)
    made.pytester.runpytest_subprocess(*plugins, "tests/test_other.py", *arguments)
    loaded = Path("loaded.txt").read_text().split()
    assert "pytest_ciopt.plugin" in loaded
    assert "pytest_ciopt.hooks.rounds" not in loaded


BREAKS = """\
import pytest_ciopt.hooks.rounds as rounds

def broken(*_):
    raise RuntimeError("no")

rounds.summed_up = broken
"""


def test_an_error_of_ours_does_not_touch_the_run(project: MakeProject) -> None:
    made = project(FILES | {"conftest.py": BREAKS})
    result = run(made, "--ciopt-record=results")
    assert result.ret == 0
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["ciopt: benchmarks are recorded only in part: RuntimeError: no"])
