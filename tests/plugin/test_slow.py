"""Slow tests are those of the history, or marked; budgets of time go by it, too."""

from pathlib import Path

import pytest

from conftest import MakeProject, Project
from covered import told
from lasted import remember
from pytest_ciopt.cli.main import main

FILES = {
    "pytest.ini": "[pytest]\nmarkers = slow\n",
    "test_a.py": """\
        import pytest

        def test_quick(): pass
        def test_long(): pass
        @pytest.mark.slow
        def test_marked(): pass
        """,
}
LONG = "test_a.py::test_long"


@pytest.fixture
def made(project: MakeProject) -> Project:
    made = project(FILES)
    assert made.run("--ciopt-record=results").ret == 0
    return made


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_skipped(made: Project, workers: tuple[str, ...]) -> None:
    remember((LONG, 5.0))
    result = made.run("--ciopt-slow=skip", "-rs", *workers)
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines_random(
        ["SKIPPED*it takes 5.00 s (--ciopt-slow=skip)", "SKIPPED*it is marked slow (--ciopt-slow*"]
    )


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_alone(made: Project, workers: tuple[str, ...]) -> None:
    remember((LONG, 5.0))
    result = made.run("--ciopt-slow=only", "-v", *workers)
    assert result.parseoutcomes()["passed"] == 2
    assert not any("test_quick" in line for line in result.outlines)


def test_reported(made: Project) -> None:
    remember((LONG, 5.0))
    result = made.run("--ciopt-slow=report")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*slow tests (ciopt)*", "1 of 3 tests are slow (over 1.00 s)*"])


def test_a_share(made: Project) -> None:
    remember((LONG, 0.5), ("test_a.py::test_quick", 0.2))
    result = made.run("--ciopt-slow=skip", "--override-ini=ciopt_slow_threshold=50 %")
    result.assert_outcomes(passed=1, skipped=2)


def test_without_a_history(project: MakeProject) -> None:
    made = project(FILES)
    result = made.run("--ciopt-slow=skip")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["the history knows none of the tests yet"])


def test_a_history_that_cannot_be_read(made: Project) -> None:
    Path(".ciopt/index.sqlite").unlink(missing_ok=True)
    Path(".ciopt/segments").rename("elsewhere")
    Path(".ciopt/segments").write_text("no folder")
    result = made.run("--ciopt-slow=report", "--ciopt-record=off")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*slow tests (ciopt)*", "the history *"])


def test_budgets(made: Project) -> None:
    """What the history knows to be long and is not now is noise."""
    remember((LONG, 5.0))
    budget = "--override-ini=ciopt_duration_budget="
    assert told(made.run(f"{budget}each *.py -> 1 s", "--ciopt-record=results")) == [
        "duration of each test of *.py: pass: none takes longer, 1.00 s allowed"
    ]
    made.repository.replace("test_a.py", "def test_long(): pass", LASTS)
    result = made.run(f"{budget}each *.py -> 20 ms", "--ciopt-record=results")
    assert result.ret == 1
    result.assert_outcomes(passed=3)
    (verdict, mend) = told(result)
    assert verdict.startswith("duration of each test of *.py: FAIL: test_a.py::test_long 0.")
    assert mend == "  Make them faster, or raise the budget."
    assert made.run(f"{budget}20 ms", "-k", "long").ret == 0
    assert main(("history", "show")) == 0


LASTS = "def test_long(): import time; time.sleep(0.05)"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("ciopt_duration_budget=long", "ciopt_duration_budget has the line 'long'"),
        ("ciopt_slow_threshold=long", "ciopt_slow_threshold is 'long'"),
    ],
)
def test_values_that_mean_nothing(made: Project, option: str, said: str) -> None:
    result = made.run("--ciopt-slow=report", f"--override-ini={option}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}*"])
