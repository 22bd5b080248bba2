"""What is recorded where nobody has said it: dependencies, where they add little to the run."""

from pathlib import Path

import pytest

from conftest import MakeProject, Project
from lasted import remember
from library import CONFIG
from pytest_ciopt.adapters.history.index import Index
from pytest_ciopt.adapters.tracing.monitor import is_available
from pytest_ciopt.cli.main import main
from seen import newest

FILES = CONFIG | {
    "conftest.py": "import lib\nlib.two()\n",
    "test_a.py": """
import lib, os
def test_long(): assert lib.one() == 1
def test_what_children_get(): assert not [n for n in os.environ if n.startswith("CIOPT")]
""",
}
LONG = "test_a.py::test_long", 60.0
DEPENDENCIES = "ciopt: recorded: dependencies (2 tests take 60.0 s, of which they add about 0.5%)"
RESULTS = "ciopt: recorded: results without dependencies ({})"
SLOW_PYTHON = "this Python is slow to watch, other than CPython 3.12 and later"
EXPLAIN = "--ciopt-explain"


@pytest.fixture
def made(project: MakeProject) -> Project:
    """A suite that takes long, as the history says."""
    made = project(FILES)
    assert made.run("--ciopt-record=results").ret == 0
    remember(LONG)
    return made


def units(made: Project) -> set[str]:
    """What the long test ran in the last run."""
    tests = newest(made.repository.root).tests
    return tests["test_long"].units if tests else set()


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_where_tests_take_long(made: Project, workers: tuple[str, ...]) -> None:
    result = made.run(EXPLAIN, *workers)
    assert result.ret == 0
    if is_available():
        result.stdout.fnmatch_lines([DEPENDENCIES])
        assert units(made) == {"test_a.py:test_long", "lib.py:one"}
        # Watched before conftest files were loaded.
        assert "lib.py:two" in newest(made.repository.root).session.units
    else:
        result.stdout.fnmatch_lines([RESULTS.format(SLOW_PYTHON)])
        assert units(made) == set()


@pytest.mark.skipif(not is_available(), reason="sys.monitoring is of Python 3.12")
def test_records_are_used(made: Project) -> None:
    """Nobody has asked for dependencies, and a test that does not run what changed is left out."""
    made.run(EXPLAIN)
    made.repository.replace("lib.py", "def six(): return 6", "def six(): return 7")
    assert not made.select().selected
    made.repository.replace("lib.py", "def one(): return 1", "def one(): return int('1')")
    assert set(made.select().selected) == {"test_a.py::test_long"}


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_where_tests_are_quick(project: MakeProject, workers: tuple[str, ...]) -> None:
    made = project(FILES)
    first = made.run(EXPLAIN, *workers)
    first.stdout.fnmatch_lines([RESULTS.format("no earlier run tells what the tests take")])
    second = made.run(EXPLAIN, *workers)
    if is_available():
        too_much = "2 tests take 0.0 s, and they would add more than 10%"
        second.stdout.fnmatch_lines([RESULTS.format(too_much)])
    assert units(made) == set()


def test_what_another_environment_took_is_better_than_nothing(made: Project) -> None:
    for segment in Path(".ciopt/segments").iterdir():
        segment.unlink()
    (made.repository.root / "junit.xml").write_text(
        '<testsuites><testsuite><testcase classname="test_a" name="test_long" time="60.0" '
        'file="test_a.py"/></testsuite></testsuites>'
    )
    assert main(("history", "import", "junit.xml")) == 0
    made.run("--ciopt-record=auto")
    assert bool(units(made)) == is_available()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--ciopt-changed=HEAD",), "no test runs"),
        (
            ("--ciopt-bench-fail=5%",),
            "benchmarks are judged, and nothing is to run beside them",
        ),
    ],
)
def test_not_where_it_is_of_no_use_or_in_the_way(
    made: Project, arguments: tuple[str, ...], why: str
) -> None:
    made.run(EXPLAIN, *arguments).stdout.fnmatch_lines([RESULTS.format(why)])
    assert not newest(made.repository.root).session.units


@pytest.mark.parametrize("flag", ["--setup-only", "--setup-plan"])
@pytest.mark.parametrize("record", ["auto", "deps", "results"])
def test_what_is_only_set_up_is_not_recorded(made: Project, flag: str, record: str) -> None:
    """pytest calls no test, and reports that all have passed."""
    before = set(Path(".ciopt/segments").iterdir())
    assert made.run(flag, f"--ciopt-record={record}", EXPLAIN).ret == 0
    assert set(Path(".ciopt/segments").iterdir()) == before


@pytest.mark.skipif(not is_available(), reason="sys.monitoring is of Python 3.12")
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    ("functions", "what"), [(3, "about 8.?%"), (300, "more than 10%")], ids=["few", "many"]
)
def test_what_tests_execute_is_counted(
    project: MakeProject, workers: tuple[str, ...], functions: int, what: str
) -> None:
    """300 functions a test are much for tests that take a tenth of a second, and 3 are not."""
    many = "".join(f"def f{number}(): pass\n" for number in range(functions))
    call = f"import many\ndef test(): [getattr(many, f'f{{n}}')() for n in range({functions})]\n"
    tests = [f"test_{number}.py" for number in range(40)]
    made = project({"many.py": many, **CONFIG, **dict.fromkeys(tests, call)})
    assert made.run("--ciopt-record=deps", *workers).ret == 0
    remember(*((f"{name}::test", 0.1) for name in tests))
    made.run(EXPLAIN, *workers).stdout.fnmatch_lines([f"*(40 tests take 4.0 s, *{what})"])


def test_nothing_is_watched_where_nothing_runs(made: Project) -> None:
    made.run("--ciopt-changed=HEAD", "--ciopt-record=deps")
    assert not newest(made.repository.root).session.units


def test_it_can_be_said(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said otherwise counts before."""
    monkeypatch.setenv("CIOPT_RECORD", "auto")
    assert "ciopt" not in str(made.run().stdout)
    assert bool(units(made)) == is_available()
    assert "recorded:" not in str(made.run(EXPLAIN, "--ciopt-record=results").stdout)
    assert units(made) == set()


def test_a_history_that_cannot_be_read(made: Project) -> None:
    Path(".ciopt/index.sqlite").unlink(missing_ok=True)
    Path(".ciopt/segments").rename("elsewhere")
    Path(".ciopt/segments").write_text("no folder")
    result = made.run(EXPLAIN)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["ciopt: this run is *"])
    assert "ciopt: recorded:" not in str(result.stdout)


def test_an_error_of_ours_records_less(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(Index, "suites", broken)
    result = made.run(EXPLAIN)
    result.assert_outcomes(passed=2)
    why = "what tests take is not known: ZeroDivisionError: of ours"
    result.stdout.fnmatch_lines([RESULTS.format(why)])


def test_what_was_mended_is_told(made: Project) -> None:
    """The history is read before the run is recorded."""
    (segment, *_) = sorted(Path(".ciopt/segments").iterdir())
    segment.write_bytes(b"no archive")
    made.run("--ciopt-record=auto").stdout.fnmatch_lines(["ciopt: * is damaged (*): set aside*"])


def test_a_door_that_opens_late(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin is loaded by a conftest file: what was imported before it was not watched."""
    made.repository.write({"conftest.py": 'pytest_plugins = "pytest_ciopt.plugin"\n'})
    monkeypatch.setenv("CIOPT_RECORD", "auto")
    result = made.pytester.runpytest_subprocess()
    assert result.ret == 1  # the variable is there for tests, too
    assert bool(units(made)) == is_available()
