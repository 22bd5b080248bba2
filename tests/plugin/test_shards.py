"""Shards of real runs: together they run each test once, whatever the plan knows."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import dedent

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.adapters import plans
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.cli.main import main
from pytest_ciopt.core.plan.plan import SIZES, planned
from pytest_ciopt.core.plan.work import Module
from pytest_ciopt.hooks import sharding
from pytest_ciopt.usecases import remember

FILES = {
    "pytest.ini": "[pytest]\n",
    ".gitignore": "__pycache__\n",
    "tests/test_many.py": """
        import pytest, time

        @pytest.mark.parametrize("number", range(8))
        def test_many(number):
            time.sleep(0.01)
        """,
    "tests/test_two.py": "def test_a(): pass\ndef test_b(): pass\n",
    "tests/deep/test_one.py": "def test_one(): pass\n",
}
MANY = [f"tests/test_many.py::test_many[{number}]" for number in range(8)]
ALL = [*MANY, "tests/test_two.py::test_a", "tests/test_two.py::test_b"]
ALL.append("tests/deep/test_one.py::test_one")
RECORD = "--ciopt-record=results"
PROVED = r"proved: {} tests in 3 shards \(cpython-.+\), each ran once\n"


@pytest.fixture
def made(project: MakeProject) -> Project:
    return project(FILES)


@pytest.fixture
def recorded(made: Project) -> Project:
    assert made.run(RECORD).ret == 0
    return made


@pytest.fixture
def timed(made: Project) -> Project:
    """With a history that no noise of this machine is in."""
    seconds = dict.fromkeys(MANY, 1.0) | dict.fromkeys(ALL[8:10], 0.5) | {ALL[10]: 1.0}
    made.repository.write({".test_durations": json.dumps(seconds)})
    assert main(("history", "import", ".test_durations")) == 0
    return made


def ids(text: Iterable[str]) -> list[str]:
    return [line.split()[0] for line in text if "::" in line and " PASSED" in line]


def run(made: Project, number: int, shards: int, *arguments: str) -> list[str]:
    result = made.run("-v", f"--ciopt-shard={number}/{shards}", *arguments)
    assert result.ret == 0
    return ids(result.outlines)


def together(made: Project, shards: int, *arguments: str) -> list[list[str]]:
    """What each shard runs; all of them are tests of the suite, each is in one."""
    ran = [run(made, number, shards, *arguments) for number in range(1, shards + 1)]
    assert Counter(test for tests in ran for test in tests) == Counter(ALL)
    return ran


@pytest.mark.parametrize("shards", [1, 2, 3, 20])
def test_each_test_runs_once(made: Project, shards: int) -> None:
    ran = together(made, shards)
    assert sorted(test for tests in ran for test in tests) == sorted(ALL)


def test_a_history_that_grows_between_two_shards_changes_nothing(recorded: Project) -> None:
    """The first shard makes the plan, the others find it."""
    first = run(recorded, 1, 3)
    slow = FILES["tests/test_two.py"].replace("pass", "__import__('time').sleep(0.3)")
    recorded.repository.write({"tests/test_two.py": slow})
    assert recorded.run(RECORD).ret == 0
    rest = [test for number in (2, 3) for test in run(recorded, number, 3)]
    assert Counter(first + rest) == Counter(ALL)


def test_whose_durations_divide_the_tests_is_said(recorded: Project) -> None:
    """Another machine has recorded others: its shards would not be the rest of these."""
    result = recorded.run("--ciopt-shard=1/2")
    said = "by recorded durations of this machine, which has to run all shards; expected *"
    result.stdout.fnmatch_lines([f"ciopt: shard 1/2, {said}"])


@pytest.mark.parametrize("flag", ["--ciopt-shard=", "--ciopt-plan="])
def test_an_empty_value_is_no_shard(made: Project, flag: str) -> None:
    """As a variable of a CI service is that nobody has set."""
    result = made.run(flag, *(["--ciopt-shard=1/2"] if "plan" in flag else []))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{flag[:-1]} is empty*"])


TWICE = """
import sys, pytest
sys.exit(max(pytest.main(sys.argv[1:]) for _ in range(2)))
"""


def test_the_variable_counts_in_each_run_of_a_process(
    made: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But in none that a test starts."""
    plugins = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin")
    ran = []
    for number in (1, 2):
        monkeypatch.setenv("CIOPT_SHARD", f"{number}/2")
        done = subprocess.run(
            [sys.executable, "-c", TWICE, *plugins, "-v"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        ran += [line.split()[0] for line in done.stdout.splitlines() if " PASSED" in line]
    assert Counter(ran) == Counter(dict.fromkeys(ALL, 2))


def test_runners_with_other_histories_agree_in_ci(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    first = run(recorded, 1, 2)
    shutil.rmtree(".ciopt")
    assert Counter(first + run(recorded, 2, 2)) == Counter(ALL)


def test_in_ci_it_is_said_how_to_do_better(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = recorded.run("--ciopt-shard=1/2")
    result.stdout.fnmatch_lines(
        ["ciopt: shard 1/2, by the size of test files", "ciopt: note: *`ciopt plan`*"]
    )


def test_a_history_that_all_jobs_share_counts_in_ci(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    shared = "ciopt_shard_history=shared"
    result = recorded.run("--ciopt-shard=1/2", "-o", shared)
    result.stdout.fnmatch_lines(["ciopt: shard 1/2, by recorded durations; expected *"])
    together(recorded, 2, "-o", shared)


def test_durations_in_the_repository_count_everywhere(
    made: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    durations = dict.fromkeys(MANY, 0.1) | {"tests/test_two.py::test_a": 5.0}
    made.repository.write({".test_durations": json.dumps(durations)})
    ran = together(made, 2, "-o", "ciopt_durations=.test_durations")
    alone = next(tests for tests in ran if "tests/test_two.py::test_a" in tests)
    assert set(MANY).isdisjoint(alone)
    made.repository.write({".test_durations": "[]"})
    result = made.run("--ciopt-shard=1/2", "-o", "ciopt_durations=.test_durations")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*ciopt_durations: *.test_durations cannot be used: *"])


def test_durations_of_a_project_of_a_larger_repository(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their ids are relative to pytest's rootdir."""
    tests = "def test_a(): pass\ndef test_b(): pass\n"
    names = ("one", "two", "three")
    made = project(
        {"sub/pytest.ini": "[pytest]\n"} | {f"sub/test_{name}.py": tests for name in names}
    )
    durations = {f"test_{name}.py::test_{test}": 0.1 for name in names for test in "ab"}
    made.repository.write(
        {"sub/.test_durations": json.dumps(durations | {"test_one.py::test_a": 5.0})}
    )
    monkeypatch.setenv("CI", "true")
    monkeypatch.chdir(made.repository.root / "sub")
    flags = ("--ciopt-shard=1/2", "-o", "ciopt_durations=.test_durations")
    result = made.run(*flags)
    result.stdout.fnmatch_lines(["*by the durations in ciopt_durations; expected 5.*"])


def test_what_is_slow_is_split(timed: Project) -> None:
    ran = together(timed, 2)
    assert all(not set(MANY).isdisjoint(tests) for tests in ran)


def test_other_files_are_not_imported(made: Project) -> None:
    note = "with open('seen', 'a') as seen: seen.write(__name__ + '\\n')\n"
    paths = [path for path in FILES if path.endswith(".py")]
    made.repository.commit({path: note + dedent(FILES[path]) for path in paths})
    ran = run(made, 1, 2)
    imported = Path("seen").read_text().split()
    assert len(imported) == len({test.split("::")[0] for test in ran}) < len(paths)


def test_new_tests_run_in_the_shard_of_their_module(recorded: Project) -> None:
    run(recorded, 1, 2)
    recorded.repository.write(
        {
            "tests/test_two.py": FILES["tests/test_two.py"] + "def test_new(): pass\n",
            "tests/test_new.py": "def test_new(): pass\n",
        }
    )
    ran = [test for number in (1, 2) for test in run(recorded, number, 2)]
    assert Counter(ran) == Counter(
        [*ALL, "tests/test_two.py::test_new", "tests/test_new.py::test_new"]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("tests/test_two.py", "tests/test_many.py", "tests/deep"),
        (
            "tests/test_two.py::test_a",
            "tests/test_two.py::test_b",
            "tests/test_many.py",
            "tests/deep",
        ),
        ("-n2",),
        ("-n2", "--dist=loadgroup"),
        ("--import-mode=importlib",),
        ("-p", "no:cacheprovider", "-k", "test"),
    ],
)
def test_beside_other_arguments(recorded: Project, arguments: tuple[str, ...]) -> None:
    if "-n2" in arguments:
        found = [
            recorded.run(f"--ciopt-shard={number}/2", *arguments).parseoutcomes()["passed"]
            for number in (1, 2)
        ]
        assert sum(found) == len(ALL)
    else:
        together(recorded, 2, *arguments)


def test_groups_of_xdist_do_not_hide_the_ids(made: Project) -> None:
    """xdist writes the group behind the id."""
    marked = FILES["tests/test_many.py"].replace(
        "@pytest", "@pytest.mark.xdist_group('g')\n        @pytest", 1
    )
    made.repository.write({"tests/test_many.py": marked})
    made.repository.commit({})
    plan("--shards=2")
    found = [
        made.run(
            f"--ciopt-shard={number}/2", "--ciopt-plan=ciopt-plan.json", "-n2", "--dist=loadgroup"
        )
        for number in (1, 2)
    ]
    assert sum(one.parseoutcomes()["passed"] for one in found) == len(ALL)
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0


def test_files_that_are_no_modules(made: Project) -> None:
    """Text doctests, and what a conftest collects."""
    made.repository.write(
        {
            **{f"docs/test_{name}.txt": ">>> 1\n1\n" for name in "abcdef"},
            **{f"docs/{name}.case": "" for name in "uvwxyz"},
            "docs/conftest.py": """
                import pytest

                class Case(pytest.Item):
                    def runtest(self): pass

                class File(pytest.File):
                    def collect(self): yield Case.from_parent(self, name="case")

                def pytest_collect_file(file_path, parent):
                    if file_path.suffix == ".case":
                        return File.from_parent(parent, path=file_path)
                """,
        }
    )
    ran = [test for number in (1, 2, 3) for test in run(made, number, 3, "docs")]
    assert len(ran) == len(set(ran)) == 12


@pytest.mark.parametrize("shards", [2, 3, 5])
def test_folders_that_go_by_several_names(made: Project, shards: int) -> None:
    os.symlink("tests", "linked", target_is_directory=True)
    ran = [test for number in range(1, shards + 1) for test in run(made, number, shards, "linked")]
    assert Counter(ran) == Counter(test.replace("tests/", "linked/", 1) for test in ALL)


def test_a_rootdir_whose_name_begins_with_a_dot(
    made: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = {f".ci/test_{name}.py": "def test_it(): pass\n" for name in "abcdef"}
    made.repository.commit({".ci/pytest.ini": "[pytest]\n", **inside})
    monkeypatch.chdir(made.repository.root / ".ci")
    ran = [test for number in (1, 2, 3) for test in run(made, number, 3)]
    assert sorted(ran) == [f"test_{name}.py::test_it" for name in "abcdef"]


def test_arguments_outside_of_the_rootdir(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {f"other/test_{name}.py": "def test_it(): pass\n" for name in "uvwxyz"}
    made.repository.commit({"inner/pytest.ini": "[pytest]\n", **other})
    monkeypatch.chdir(made.repository.root / "inner")
    ran = [test for n in (1, 2, 3) for test in run(made, n, 3, "--rootdir=.", "../other")]
    assert len(ran) == len(set(ran)) == 6


def test_collectors_that_yield_what_lies_elsewhere(made: Project) -> None:
    made.repository.commit(
        {
            **{f"suites/{name}.suite": "" for name in "abcdef"},
            **{f"suites/check_{name}.py": "def test_it(): pass\n" for name in "abcdef"},
            "suites/conftest.py": """
                import pytest

                class Suite(pytest.File):
                    def collect(self):
                        path = self.path.with_name(f"check_{self.path.stem}.py")
                        yield pytest.Module.from_parent(self, path=path)

                def pytest_collect_file(file_path, parent):
                    if file_path.suffix == ".suite":
                        return Suite.from_parent(parent, path=file_path)
                """,
        }
    )
    for arguments in ((), ("--ciopt-plan=ciopt-plan.json",)):
        if arguments:
            plan("--shards=3", "--", "suites")
        ran = [test for n in (1, 2, 3) for test in run(made, n, 3, "suites", *arguments)]
        assert sorted(ran) == [f"suites/check_{name}.py::test_it" for name in "abcdef"]


def test_colons_in_names_of_files(made: Project) -> None:
    files = {f"co::lons/test_{name}::x.py": "def test_it(): pass\n" for name in "abcdef"}
    made.repository.commit(files)
    ran = [test for n in (1, 2, 3) for test in run(made, n, 3, "--import-mode=importlib")]
    found = [test for test in ran if "co::lons" in test]
    assert len(found) == len(set(found)) == 6


def test_a_plan_for_a_part_of_the_repository(
    made: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rootdir lies below the top."""
    inside = {f"sub/tests/test_{name}.py": "def test_it(): pass\n" for name in "abcdef"}
    made.repository.commit({"sub/pytest.ini": "[pytest]\n", **inside})
    monkeypatch.chdir(made.repository.root / "sub")
    plan("--shards=2")
    for number in (1, 2):
        run(made, number, 2, "--ciopt-plan=ciopt-plan.json")
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", "../.ciopt/segments")) == 0
    assert capsys.readouterr().out.startswith("proved: 6 tests in 2 shards")


@pytest.mark.parametrize("flag", ["--setup-only", "--setup-plan"])
def test_what_is_only_set_up_did_not_run(made: Project, flag: str) -> None:
    plan("--shards=1")
    made.run("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json", flag)
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 2  # nothing is recorded


def test_what_runs_twice_in_a_shard(made: Project, capsys: pytest.CaptureFixture[str]) -> None:
    plan("--shards=1")
    twice = ("--keep-duplicates", "tests", "tests/test_two.py")
    made.run("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json", *twice)
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 1
    assert "ran more than once: tests/test_two.py::test_a (shards 1, 1)" in capsys.readouterr().out


def test_new_tests_under_the_plan_of_a_selection_run_at_home(
    made: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids that the plan left out are known; others it did not know."""
    more = "import os\nif 'MORE' in os.environ:\n    def test_new(): pass\n"
    made.repository.commit({"tests/test_two.py": FILES["tests/test_two.py"] + more})
    made.repository.replace("tests/test_two.py", "def test_a(): pass", "def test_a(): assert 1")
    plan("--shards=2", "--changed")
    monkeypatch.setenv("MORE", "1")
    flag = "--ciopt-plan=ciopt-plan.json"
    ran = [test for number in (1, 2) for test in run(made, number, 2, flag)]
    assert sorted(ran) == [f"tests/test_two.py::test_{name}" for name in ("a", "new")]


def test_a_controller_that_fails_has_workers_that_run_everything(
    made: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pytester.mkdir("broken")
    (folder / "broken.py").write_text(
        "import os\nfrom pytest_ciopt.hooks import sharding\n"
        "if 'PYTEST_XDIST_WORKER' not in os.environ: sharding.agreed = None\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))
    made.run("--ciopt-shard=1/2", "-n2", "-p", "broken").assert_outcomes(passed=len(ALL))


def test_a_shard_without_tests(made: Project) -> None:
    result = made.run("--ciopt-shard=1/20", "tests/deep")
    other = made.run("--ciopt-shard=2/20", "tests/deep")
    assert (result.ret, other.ret) == (0, 0)
    empty = other if "1 passed" in result.stdout.str() else result
    empty.stdout.fnmatch_lines(["ciopt: shard */20 has no tests; *"])


def test_that_there_are_no_tests_at_all_is_not_hidden(made: Project) -> None:
    made.repository.write({"docs/readme.md": ""})
    codes = {made.run(f"--ciopt-shard={number}/2", "docs").ret for number in (1, 2)}
    assert codes == {pytest.ExitCode.NO_TESTS_COLLECTED}


@pytest.mark.parametrize("arguments", [("-k", "test_one"), ("--deselect", "tests/test_two.py")])
def test_a_shard_of_which_a_filter_leaves_nothing(
    made: Project, arguments: tuple[str, ...]
) -> None:
    assert {made.run(f"--ciopt-shard={number}/5", *arguments).ret for number in range(1, 6)} == {0}


def test_a_failing_test_fails_its_shard(made: Project) -> None:
    made.repository.write({"tests/test_two.py": "def test_a(): assert 0\n"})
    codes = sorted(made.run(f"--ciopt-shard={number}/2").ret for number in (1, 2))
    assert codes == [0, 1]


def test_with_a_selection_each_shard_selects_within_its_part(made: Project) -> None:
    made.repository.replace("tests/test_many.py", "0.01", "0.02")
    made.repository.replace("tests/deep/test_one.py", "pass", "assert 1")
    ran = [test for number in (1, 2) for test in run(made, number, 2, "--ciopt-changed")]
    assert Counter(ran) == Counter([*MANY, "tests/deep/test_one.py::test_one"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ciopt-shard=3/2",), "there is no shard 3/2*"),
        (("--ciopt-shard=0/2",), "there is no shard 0/2*"),
        (("--ciopt-shard=two",), "--ciopt-shard is 'two'. Write K/N*"),
        (("--ciopt-shard=auto",), "--ciopt-shard=auto finds no numbers*"),
        (("--ciopt-plan=plan",), "--ciopt-plan is given without --ciopt-shard*"),
        (
            ("--ciopt-shard=1/2", "--ciopt-plan=none"),
            "--ciopt-plan: *none cannot be used: No such*",
        ),
        (("--ciopt-shard=1/2", "--ciopt-plan=pytest.ini"), "--ciopt-plan: * it is no JSON*"),
        (("--ciopt-shard=1/2", "-o", "ciopt_shard_history=x"), "ciopt_shard_history is 'x'*"),
    ],
)
def test_bad_input(made: Project, arguments: tuple[str, ...], message: str) -> None:
    result = made.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CIOPT_SHARD": "2/3"}, "2/3"),
        ({"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, "2/3"),
        ({"CIRCLE_NODE_INDEX": "2", "CIRCLE_NODE_TOTAL": "3"}, "3/3"),
        ({"BUILDKITE_PARALLEL_JOB": "0", "BUILDKITE_PARALLEL_JOB_COUNT": "3"}, "1/3"),
        ({"SYSTEM_JOBPOSITIONINPHASE": "1", "SYSTEM_TOTALJOBSINPHASE": "3"}, "1/3"),
        ({"SEMAPHORE_JOB_INDEX": "3", "SEMAPHORE_JOB_COUNT": "3"}, "3/3"),
    ],
)
def test_the_shard_from_the_environment(
    made: Project, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    flags = () if "CIOPT_SHARD" in variables else ("--ciopt-shard=auto",)
    made.run(*flags).stdout.fnmatch_lines([f"ciopt: shard {expected}, *"])


def test_auto_takes_what_the_workflow_makes_of_a_matrix(
    made: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIOPT_SHARD", "2/3")
    for flag, expected in (("--ciopt-shard=auto", "2/3"), ("--ciopt-shard=1/3", "1/3")):
        made.run(flag).stdout.fnmatch_lines([f"ciopt: shard {expected}, *"])


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_runs_within_tests_are_no_shards(
    made: Project, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    inner = """
        import os, subprocess, sys

        def test_inner(tmp_path):
            for name in "abcdefgh":
                (tmp_path / f"test_{name}.py").write_text("def test_it(): pass")
            command = [sys.executable, "-m", "pytest", "-p", "pytest_ciopt.plugin", str(tmp_path)]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
            assert "8 passed" in done.stdout, done.stdout
        """
    made.repository.write({f"tests/test_inner_{name}.py": inner for name in "abcdef"})
    made.repository.commit({})
    monkeypatch.setenv("CIOPT_SHARD", "1/2")
    result = made.run("tests", *arguments)
    assert result.ret == 0
    assert 0 < result.parseoutcomes()["passed"] < len(ALL) + 6
    assert list(Path(".ciopt/segments").iterdir())


@pytest.mark.parametrize("strict", [False, True])
def test_an_error_of_ours_loses_no_test(
    made: Project, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(sharding, "agreed", fails)
    result = made.run("--ciopt-shard=1/2", *(["--ciopt-strict"] if strict else []))
    if strict:
        assert result.ret == pytest.ExitCode.USAGE_ERROR
    else:
        result.assert_outcomes(passed=len(ALL))
        result.stdout.fnmatch_lines(["ciopt: all tests run and not only those of the shard: *"])


def test_a_history_that_cannot_be_written_to_is_not_used(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next shard would find a plan of its own."""

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(plans, "keep", refused)
    result = recorded.run("--ciopt-shard=1/2")
    result.stdout.fnmatch_lines(["ciopt: shard 1/2, by the size of test files", "*cannot be kept*"])


def test_of_two_that_plan_at_a_time_the_first_counts(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    one, other = (
        planned([Module("a.py", 1.0), Module("b.py", weight)], 2, origin=SIZES)
        for weight in (2.0, 0.5)
    )
    assert one != other
    assert plans.keep(state, "key", one) == plans.keep(state, "key", other) == one
    (path,) = (state.path / plans.FOLDER).iterdir()
    path.write_text("damaged")
    assert plans.keep(state, "key", other) == plans.kept(state, "key") == other


def test_plans_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    """And no others: many may be made before the second shard of the first one runs."""
    state = StateDir(tmp_path / "state")
    plan = planned([Module("a.py", 1.0)], 2, origin=SIZES)
    for number in range(30):
        plans.keep(state, f"key{number:02}", plan)
    moment = time.time() - 8 * 86_400
    os.utime(state.path / plans.FOLDER / "key00.json", (moment, moment))
    plans.keep(state, "another", plan)
    left = {path.stem for path in (state.path / plans.FOLDER).iterdir()}
    assert left == {"another", *(f"key{number:02}" for number in range(1, 30))}


# --- plans that are made on purpose --------------------------------------------------------------


def plan(*arguments: str, code: int = 0) -> None:
    assert main(("plan", *arguments)) == code


def test_a_plan_is_carried_out_and_proved(
    recorded: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(".ciopt/segments")
    plan("--shards=3")
    together(recorded, 3, "--ciopt-plan=ciopt-plan.json")
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0
    assert re.fullmatch(PROVED.format(11), capsys.readouterr().out)
    assert main(("verify", "ciopt-plan.json", ".ciopt")) == 0
    run(recorded, 2, 3, "--ciopt-plan=ciopt-plan.json")  # once more, as a failed job would
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0


def test_shards_with_other_distributions_are_not_of_one_suite(
    made: Project,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a matrix of versions of a library: what the one job lost, the other has."""
    given = "--ciopt-plan=ciopt-plan.json"
    plan("--shards=2")
    run(made, 1, 2, given)
    site = tmp_path / "site-packages"
    (site / "django-5.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(site)
    run(made, 2, 2, given)
    capsys.readouterr()
    verify = ("verify", "ciopt-plan.json", ".ciopt/segments")
    assert main(verify) == 1
    said = capsys.readouterr().out
    assert len(re.findall("^not proved: .*, distributions [0-9a-f]{8}\\)$", said, re.M)) == 2
    assert "--one-environment counts them as one" in said
    assert main((*verify, "--one-environment")) == 0
    run(made, 1, 2, given)
    assert main(verify) == 1
    (site / "django-5.0.dist-info").rmdir()
    run(made, 2, 2, given)
    assert main(verify) == 0


def test_watched_variables_distinguish_shards(
    made: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made.repository.commit({"pytest.ini": "[pytest]\nciopt_environment = DB\n"})
    plan("--shards=2")
    for number, database in ((1, "sqlite"), (2, "postgres")):
        monkeypatch.setenv("DB", database)
        run(made, number, 2, "--ciopt-plan=ciopt-plan.json")
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 1
    assert len(re.findall(", DB [0-9a-f]{8}", capsys.readouterr().out)) == 2


def test_a_failed_shard_that_passes_where_the_clock_is_behind(
    made: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that made the job green is the one to prove, though it seems to be the older."""
    given = ("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json")
    made.repository.write({"tests/test_two.py": "def test_a(): assert 0\ndef test_b(): pass\n"})
    plan("--shards=1")
    assert made.run("-x", *given).ret == 1
    verify = ("verify", "ciopt-plan.json", ".ciopt/segments")
    assert main(verify) == 1
    made.repository.write({"tests/test_two.py": FILES["tests/test_two.py"]})
    monkeypatch.setattr(remember, "now", lambda: time.time() - 7200)
    assert made.run(*given).ret == 0
    assert main(verify) == 0


def test_what_is_not_proved(recorded: Project, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(".ciopt/segments")
    plan("--shards=2")
    run(recorded, 1, 2, "--ciopt-plan=ciopt-plan.json")
    recorded.run("--ciopt-shard=1/2", RECORD)
    recorded.run(RECORD)
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 1
    said = capsys.readouterr().out
    assert "  shard 2/2 left no segment\n" in said
    assert "  did not run: tests/" in said
    assert ": it is of no shard\n" in said
    assert ": it is shard 1/2 of another plan\n" in said


def test_a_module_that_cannot_be_collected_did_not_run(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    plan("--shards=1")
    made.repository.write({"tests/test_two.py": "import nothing_of_the_kind\n"})
    made.run("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json")
    capsys.readouterr()
    assert main(("verify", "--json", "ciopt-plan.json", ".ciopt/segments")) == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["proved"]
    (found,) = document["environments"].values()
    assert found["broken"] == ["tests/test_two.py"]
    assert set(found["missing"]) == set(ALL)  # a collection error interrupts the run


def test_tests_that_no_plan_has(made: Project, capsys: pytest.CaptureFixture[str]) -> None:
    plan("--shards=1")
    made.repository.write({"tests/test_new.py": "def test_new(): pass\n"})
    run(made, 1, 1, "--ciopt-plan=ciopt-plan.json")
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 1
    said = capsys.readouterr().out
    assert "  ran and is not planned: tests/test_new.py::test_new\n" in said


def test_a_plan_of_another_number_of_shards(made: Project) -> None:
    plan("--shards=3")
    result = made.run("--ciopt-shard=1/2", "--ciopt-plan=ciopt-plan.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ciopt-shard is 1/2, but *plan for 3 shards*"])


def test_a_plan_of_another_commit_is_told(made: Project) -> None:
    plan("--shards=1")
    made.repository.commit({"README.md": "more"})
    result = made.run("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json")
    result.stdout.fnmatch_lines(["ciopt: note: the plan is of commit *, not of *"])
    result.assert_outcomes(passed=len(ALL))


def test_a_plan_of_a_selection(made: Project, capsys: pytest.CaptureFixture[str]) -> None:
    made.repository.replace("tests/test_many.py", "0.01", "0.02")
    plan("--shards=2", "--changed")
    ran = [run(made, number, 2, "--ciopt-plan=ciopt-plan.json") for number in (1, 2)]
    assert sorted(test for tests in ran for test in tests) == MANY
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0
    result = made.run("--ciopt-shard=1/2", "--ciopt-plan=ciopt-plan.json", "--ciopt-changed")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ciopt-changed is given beside --ciopt-plan*"])
    made.repository.commit({"README.md": "more"})
    result = made.run("--ciopt-shard=1/2", "--ciopt-plan=ciopt-plan.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("later", "named"),
    [
        ({"tests/test_two.py": "def test_a(): assert 0\n"}, "tests/test_two.py"),
        ({"tests/test_many.py": FILES["tests/test_many.py"]}, "tests/test_many.py"),
        ({"tests/conftest.py": "import os\n"}, "tests/conftest.py"),
        ({"tests/data/one.json": "1"}, "tests/data/one.json"),
        ({"data/kept.json": "2"}, "data/kept.json"),
        ({"setup.cfg": "[x]\n"}, "setup.cfg"),
    ],
)
def test_a_plan_of_a_selection_upon_other_edits(
    made: Project, later: dict[str, str], named: str
) -> None:
    """A test that they can break would be in no shard."""
    made.repository.commit({"data/kept.json": "1"})
    edited = FILES["tests/test_many.py"].replace("0.01", "0.02")
    made.repository.write({"tests/test_many.py": dedent(edited)})
    plan("--shards=2", "--changed", "--output=tests/plan.json")
    given = ("--ciopt-shard=1/2", "--ciopt-plan=tests/plan.json")
    left = {"report.xml": "", "dist/made.whl": "", ".coverage": ""}
    made.repository.write(left)  # what jobs download, and what the shard before has left
    assert made.run(*given, "--junitxml=tests/1.xml", "--ciopt-json=tests/1.json").ret == 0
    for report in ("tests/1.xml", "tests/1.json"):
        Path(report).unlink()
    made.repository.write(later)
    result = made.run(*given)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ciopt-plan: {named} is not what it was when the plan*"])


def test_what_is_ignored_is_no_edit(made: Project) -> None:
    """An installation, for example, that writes below a package, or to a lock file."""
    made.repository.commit({"pytest.ini": "[pytest]\nciopt_ignore =\n  version.py\n  uv.lock\n"})
    made.repository.commit({"uv.lock": ""})
    made.repository.replace("tests/test_many.py", "0.01", "0.02")
    plan("--shards=1", "--changed")
    made.repository.write({"uv.lock": "version = 1", "tests/version.py": ""})
    given = ("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json")
    made.run(*given).assert_outcomes(passed=len(MANY))


def test_the_plan_of_a_selection_is_of_its_edits_committed_or_not(made: Project) -> None:
    """Staging alone edits nothing."""
    made.repository.replace("tests/test_many.py", "0.01", "0.02")
    made.repository.write({"tests/test_new.py": "def test_new(): pass\n"})
    Path("tests/deep/test_one.py").unlink()
    plan("--shards=1", "--changed")
    given = ("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json")
    assert made.run(*given).ret == 0
    made.repository.git("add", "--all")
    assert made.run(*given).ret == 0
    edits = plans.read(Path("ciopt-plan.json")).uncommitted or {}
    assert [*edits] == ["tests/deep/test_one.py", "tests/test_many.py", "tests/test_new.py"]
    assert edits["tests/deep/test_one.py"] == ""


def test_a_plan_of_all_tests_is_of_any_edits(made: Project) -> None:
    plan("--shards=1")
    made.repository.replace("tests/test_many.py", "0.01", "0.02")
    given = ("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json")
    made.run(*given).assert_outcomes(passed=len(ALL))


FROM_ADDOPTS = "ciopt: note: the plan decides, not the --ciopt-changed of addopts: it is of "


@pytest.mark.parametrize("beside", [(), ("-n2",)])
@pytest.mark.parametrize("flag", ["--ciopt-changed", "--ciopt-changed=HEAD"])
def test_a_plan_decides_where_addopts_selects(
    made: Project, flag: str, beside: tuple[str, ...]
) -> None:
    """A team that selects by default can't leave the flag out for one job."""
    plan("--shards=1")
    made.repository.write({"pytest.ini": f"[pytest]\naddopts = {flag}\n"})
    given = ("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json", *beside)
    result = made.run(*given)
    result.assert_outcomes(passed=len(ALL))
    result.stdout.fnmatch_lines([f"{FROM_ADDOPTS}all tests"])
    result = made.run(*given, flag)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ciopt-changed is given beside --ciopt-plan*"])


def test_a_plan_is_made_of_what_addopts_selects(
    made: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a run without shards would run it; the variables count as the flags do."""
    made.repository.commit({"pytest.ini": "[pytest]\naddopts = --ciopt-changed\n"})
    monkeypatch.setenv("CIOPT_BASE", "HEAD")
    made.repository.replace("tests/test_many.py", "0.01", "0.02")
    plan("--shards=1")
    assert re.search("plan is of the change since .*: addopts has", capsys.readouterr().err)
    plan("--shards=1", "--changed")
    assert "addopts" not in capsys.readouterr().err
    monkeypatch.setenv("CIOPT_SHARD", "1/1")
    monkeypatch.setenv("CIOPT_PLAN", "ciopt-plan.json")
    result = made.run("-v")
    assert ids(result.outlines) == MANY
    result.stdout.fnmatch_lines([f"{FROM_ADDOPTS}what a change since * can affect"])


def test_a_file_of_arguments_is_typed(made: Project) -> None:
    plan("--shards=1")
    Path("words").write_text("--ciopt-changed\n")
    result = made.run("--ciopt-shard=1/1", "--ciopt-plan=ciopt-plan.json", "@words")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("doctests", [(), ("--doctest-modules",)])
def test_a_plan_of_a_selection_of_nothing(
    made: Project, capsys: pytest.CaptureFixture[str], doctests: tuple[str, ...]
) -> None:
    made.repository.commit({"mod.py": DOCTEST, "test_text.txt": ">>> 1\n1\n"})
    made.repository.write({"README.md": "more"})
    plan("--shards=3", "--changed", "--", *doctests)
    assert capsys.readouterr().err == ""
    for number in (1, 2, 3):
        assert run(made, number, 3, "--ciopt-plan=ciopt-plan.json", *doctests) == []
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0
    assert re.fullmatch(PROVED.format(0), capsys.readouterr().out)


def test_why_a_selection_plans_everything(
    made: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIOPT_BASE", "nowhere")
    made.run("--ciopt-changed").stdout.fnmatch_lines(["ciopt: all tests run: *'nowhere'*"])
    line = re.search("^ciopt: all .*$", capsys.readouterr().out, re.MULTILINE)
    plan("--shards=2", "--changed")
    assert line is not None
    assert line[0] in capsys.readouterr().err.splitlines()


def test_what_the_shell_writes_is_a_change(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    made.repository.write({"child.yml": ""})
    plan("--shards=2", "--changed")
    assert "; all tests run: global: child.yml: " in capsys.readouterr().err
    plan("--shards=2")
    assert "all tests run" not in capsys.readouterr().err


DOCTEST = 'def f():\n    """\n    >>> 1\n    1\n    """\n'


def test_a_plan_of_a_selection_leaves_doctests_of_modules(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    made.repository.commit({"mod.py": DOCTEST})
    made.repository.replace("tests/test_many.py", "0.01", "0.02")
    doctests = "--doctest-modules"
    plan("--shards=3", "--changed", "--", doctests)
    ran = [run(made, n, 3, "--ciopt-plan=ciopt-plan.json", doctests) for n in (1, 2, 3)]
    assert sorted(test for tests in ran for test in tests) == MANY
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0


def test_links_and_files_outside_of_the_rootdir_are_proved(
    project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    made = project(
        {
            "sub/pytest.ini": "[pytest]\n",
            "sub/test_a.py": "def test_a(): pass\n",
            "lib/test_b.py": "def test_b(): pass\n",
            "shared/test_c.py": "def test_c(): pass\n",
        }
    )
    Path("sub/linked").symlink_to("../shared")
    made.repository.commit()
    asked = ("--rootdir=sub", "-c", "sub/pytest.ini", "sub", "lib")
    plan("--shards=3", "--", *asked)
    for number in (1, 2, 3):
        made.run(f"--ciopt-shard={number}/3", "--ciopt-plan=ciopt-plan.json", *asked)
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0, capsys.readouterr().out
    assert re.fullmatch(PROVED.format(3), capsys.readouterr().out)


def test_several_tests_of_one_id_are_proved(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    conftest = """
        import pytest

        class Case(pytest.Item):
            def runtest(self): pass

        class Cases(pytest.File):
            def collect(self):
                return [Case.from_parent(self, name="case") for _ in range(3)]

        def pytest_collect_file(file_path, parent):
            if file_path.suffix == ".cases":
                return Cases.from_parent(parent, path=file_path)
        """
    made.repository.commit({"conftest.py": conftest, "some.cases": ""})
    plan("--shards=2")
    for number in (1, 2):
        run(made, number, 2, "--ciopt-plan=ciopt-plan.json")
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--shards=abc",), "abc is no number of shards"),
        (("--shards=0",), "0 is no number of shards"),
        (("--shards=2", "--price=x"), "x is no amount"),
        (("--shards=2", "--billed=0"), "0 is no time"),
    ],
)
def test_numbers_that_are_none(
    made: Project, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(("plan", *arguments))
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_plan_is_no_folder(made: Project, capsys: pytest.CaptureFixture[str]) -> None:
    plan("--shards=2", "--output=tests", code=2)
    assert "tests is a folder" in capsys.readouterr().err


def test_as_few_shards_as_suffice(timed: Project, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    plan("--max-shards=4", "--target-minutes=10", "--github-matrix")
    assert json.loads(capsys.readouterr().out) == {"shard": ["1/1"]}
    plan("--max-shards=4", "--target-minutes=0.0001", "--json")
    assert json.loads(capsys.readouterr().out)["shards"] == 4
    assert main(("plan", "--max-shards=4")) == 2
    assert "--max-shards needs --target-minutes" in capsys.readouterr().err
    assert main(("plan",)) == 2
    assert "needs --shards or --max-shards" in capsys.readouterr().err


def test_a_child_pipeline_of_gitlab(timed: Project, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    plan("--shards=3", "--gitlab=.gitlab/shard.yml")
    include = [{"local": ".gitlab/shard.yml"}]
    assert json.loads(capsys.readouterr().out) == {
        "include": include,
        "tests": {"extends": ".ciopt-shard", "parallel": 3},
    }
    plan("--shards=1", "--gitlab=.gitlab/shard.yml")
    variables = {"CIOPT_SHARD": "1/1"}
    job = {"extends": ".ciopt-shard", "variables": variables}
    assert json.loads(capsys.readouterr().out) == {"include": include, "tests": job}


SHARING = {
    "conftest.py": """
        import pytest

        @pytest.fixture(scope="session")
        def database(): pass

        @pytest.fixture(scope="module")
        def table(): pass

        @pytest.fixture(scope="module")
        def unused(): pass
        """,
    "pkg/__init__.py": "",
    "pkg/conftest.py": """
        import pytest

        @pytest.fixture(scope="package")
        def server(): pass
        """,
    "test_a.py": "def test(database): pass\n",
    "test_b.py": "def test(): pass\n",
    "test_c.py": "def test(database): pass\n",
    "test_d.py": "def test(table): pass\n",
    "pkg/test_e.py": "def test(server): pass\n",
    "pkg/test_f.py": "def test(server): pass\n",
}
DEAR = {"database": 30.0, "server": 20.0, "table": 40.0}
"""Seconds of each life of a fixture."""


def test_fixtures_count_where_they_are_used(
    project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    """Durations are put into the history as they would be measured, so that no noise is in them."""
    made = project(SHARING)
    assert made.run(RECORD).ret == 0
    (segment,) = Path(".ciopt/segments").iterdir()
    lines = [json.loads(line) for line in gzip.decompress(segment.read_bytes()).splitlines()]
    for line in lines:
        if line.get("kind") == "fixture":
            line["setup"] = DEAR.get(line["name"], 0.0)
    changed = "".join(f"{json.dumps(line)}\n" for line in lines)
    segment.write_bytes(gzip.compress(changed.encode()))
    capsys.readouterr()
    plan("--shards=3", "--json")
    found = json.loads(capsys.readouterr().out)
    assert sorted(round(one) for one in found["seconds"]) == [20, 30, 40]
    modules = json.loads(Path("ciopt-plan.json").read_text())["modules"]
    assert modules["test_a.py"]["home"] == modules["test_c.py"]["home"]
    assert modules["pkg/test_e.py"]["home"] == modules["pkg/test_f.py"]["home"]


def test_how_many_shards_nobody_knows_without_durations(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    plan("--max-shards=3", "--target-minutes=5", code=2)
    assert "--max-shards needs durations. Record a run first" in capsys.readouterr().err


@pytest.mark.parametrize("root", ["", "sub/"])
def test_a_plan_by_the_durations_in_the_repository(
    project: MakeProject,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    root: str,
) -> None:
    seconds = dict.fromkeys(MANY, 1.0) | {ALL[8]: 10.0, "tests/test_gone.py::test_it": 99.0}
    files = FILES | {
        "pytest.ini": "[pytest]\nciopt_durations = .test_durations\n",
        ".test_durations": json.dumps(seconds),
    }
    made = project({root + name: text for name, text in files.items()})
    monkeypatch.chdir(made.repository.root / root)
    plan("--max-shards=2", "--target-minutes=0.1", "--json")
    said, warned = capsys.readouterr()
    document = json.loads(said)
    assert warned == ""
    assert document["made_from"] == "durations"
    assert document["seconds"] == [11.0, 11.0]  # 18 s and two unknown tests of 2 s each
    Path(".test_durations").write_text("[]")
    plan("--shards=2", code=2)
    assert "ciopt_durations: " in capsys.readouterr().err


def test_what_shards_cost(timed: Project, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    plan("--max-shards=3", "--max-cost=2", "--price=1", "--startup=30")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["1", "2", "3"]
    assert all("cost" in line for line in lines[:3])
    (best,) = (line for line in lines if line.endswith("<- chosen"))
    assert best.startswith("    2 shards  slowest job       35 s  billed 2.0 min  cost 2.000")
    assert main(("plan", "--max-shards=3", "--max-cost=0.5", "--price=1")) == 2
    assert "The cheapest is 1, for 1.00" in capsys.readouterr().err


def test_a_plan_is_shown_and_explained(timed: Project, capsys: pytest.CaptureFixture[str]) -> None:
    plan("--shards=2")
    capsys.readouterr()
    plan("show")
    said = capsys.readouterr().out
    line = r"^ +([12]) +\d.\d s ± 0.0 s .* tests? +\d files?  #+$"
    assert re.findall(line, said, re.MULTILINE) == ["1", "2"]
    assert "imbalance 1.0" in said
    plan("show", MANY[0], "tests/test_two.py", "tests/test_two.py::new")
    said = capsys.readouterr().out
    assert f"{MANY[0]}: shard " in said
    assert "  it is split: in one shard it would take " in said
    assert "  it is kept whole: " in said
    assert "tests/test_two.py::new: not in the plan; what is new in its module runs in " in said
    plan("show", "-o", "nowhere.json", code=2)


def test_names_are_understood_from_everywhere(
    timed: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed.repository.write({"tests/test_new.py": ""})
    plan("--shards=2")

    def shown(word: str) -> str:
        capsys.readouterr()
        plan("show", word, "-o", str(root / "ciopt-plan.json"))
        return capsys.readouterr().out

    root = timed.repository.root
    expected = shown(ALL[8])
    assert re.match(rf"{ALL[8]}: shard \d, as the plan says\n", expected)
    assert shown(f"./{ALL[8]}") == shown(str(root / ALL[8])) == expected
    assert re.search(r"test_new.py: not in .* shard \d .*by a hash", shown("tests/test_new.py"))
    assert shown("tests/test_tow.py") == (
        "tests/test_tow.py: not in the plan, and no such file is in the repository\n"
    )
    monkeypatch.chdir(root / "tests")
    assert shown("test_two.py::test_a") == shown(ALL[8]) == expected
    assert shown("deep/../test_two.py::test_a") == expected


def test_what_a_selection_left_out_is_in_no_shard(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    made.repository.replace("tests/test_two.py", "test_a(): pass", "test_a(): print()")
    plan("--shards=2", "--changed")
    capsys.readouterr()
    plan("show", ALL[9], MANY[0])
    left, module, unread = capsys.readouterr().out.splitlines()
    assert left == f"{ALL[9]}: no shard runs it: the selection left it out"
    assert "runs 1 test; the selection left out 1 test; home is " in module
    assert unread == f"{MANY[0]}: no shard runs it: the selection left its file out"


def test_a_plan_is_of_all_shards(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job may know its number before the plan is made."""
    monkeypatch.setenv("CIOPT_SHARD", "1/2")
    plan("--shards=2")
    found = plans.read(Path("ciopt-plan.json"))
    assert sorted(test for number in (1, 2) for test in found.named(number)) == sorted(ALL)


def test_arguments_of_pytest_are_handed_on(made: Project) -> None:
    plan("--shards=2", "--output=part.json", "--", "tests/deep")
    found = plans.read(Path("part.json"))
    assert [test for number in (1, 2) for test in found.named(number)] == [ALL[-1]]


def test_plans_that_cannot_be_verified(made: Project, capsys: pytest.CaptureFixture[str]) -> None:
    run(made, 1, 2)
    (kept,) = Path(".ciopt/plans").iterdir()
    assert main(("verify", str(kept), ".ciopt/segments")) == 2
    assert "does not name all tests" in capsys.readouterr().err
    plan("--shards=2")
    assert main(("verify", "ciopt-plan.json", "nowhere")) == 2
    Path("damaged.jsonl").write_text("{}")
    assert main(("verify", "ciopt-plan.json", "damaged.jsonl")) == 2
    assert main(("verify", "nothing.json", ".ciopt/segments")) == 2


def test_the_key_of_a_kept_plan(made: Project) -> None:
    """Reports that have the shard in their names must not keep the shards apart."""
    run(made, 1, 2, "--junitxml=report-1.xml")
    run(made, 2, 2, "--junitxml=report-2.xml")
    assert len(list(Path(".ciopt/plans").iterdir())) == 1
    run(made, 1, 2, "tests/deep")
    assert len(list(Path(".ciopt/plans").iterdir())) == 2


# --- what belongs together -----------------------------------------------------------------------

TOGETHER = {
    "tests/test_many.py": """
        import pytest

        @pytest.mark.parametrize("number", range(8))
        @pytest.mark.xdist_group("g")
        def test_many(number): pass
        """,
    "tests/test_two.py": """
        import pytest

        @pytest.mark.ciopt_together("pair")
        def test_a(): pass

        def test_b(): pass
        """,
    "tests/deep/test_one.py": """
        import pytest
        pytestmark = pytest.mark.ciopt_together("pair")

        def test_one(): pass
        """,
}


@pytest.mark.parametrize("recording", [True, False])
def test_groups_stay_together(project: MakeProject, recording: bool) -> None:
    made = project(FILES | TOGETHER)
    if recording:
        assert made.run(RECORD).ret == 0
    plan("--shards=4")
    ran = together(made, 4, "--ciopt-plan=ciopt-plan.json")
    where = {test: number for number, tests in enumerate(ran) for test in tests}
    assert len({where[test] for test in MANY}) == 1
    assert where["tests/test_two.py::test_a"] == where["tests/deep/test_one.py::test_one"]


def test_a_class_stays_together(project: MakeProject) -> None:
    code = """
        import pytest

        @pytest.mark.ciopt_together
        class TestA:
            def test_1(self): pass
            def test_2(self): pass

        class TestB:
            def test_1(self): pass
            def test_2(self): pass
        """
    project({"pytest.ini": "[pytest]\n", "test_a.py": code})
    plan("--shards=3")
    found = plans.read(Path("ciopt-plan.json"))
    one, other = (found.shard_of(f"test_a.py::TestA::test_{number}") for number in (1, 2))
    assert one == other


def test_without_collecting_a_module_with_groups_is_not_split(project: MakeProject) -> None:
    made = project(FILES | TOGETHER)
    assert made.run(RECORD).ret == 0
    ran = together(made, 3)
    assert len([tests for tests in ran if not set(MANY).isdisjoint(tests)]) == 1


def test_durations_do_not_split_a_module_with_groups(project: MakeProject) -> None:
    made = project(FILES | TOGETHER)
    made.repository.write({".test_durations": json.dumps(dict.fromkeys(ALL, 1.0))})
    ran = together(made, 3, "-o", "ciopt_durations=.test_durations")
    assert len([tests for tests in ran if not set(MANY).isdisjoint(tests)]) == 1


def test_no_module_is_split_below_a_conftest_that_makes_groups(project: MakeProject) -> None:
    conftest = """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.xdist_group("g"))
        """
    made = project(FILES | {"tests/conftest.py": conftest})
    assert made.run(RECORD).ret == 0
    ran = together(made, 3)
    assert len([tests for tests in ran if not set(MANY).isdisjoint(tests)]) == 1


# --- separate processes --------------------------------------------------------------------------

SLOW = {
    f"tests/test_{name}.py": f"""
        import pytest, time

        @pytest.fixture(scope="module")
        def base(): time.sleep(0.05)

        @pytest.mark.parametrize("number", range({number}))
        def test_it(base, number): time.sleep(0.05)
        """
    for name, number in (("a", 12), ("b", 8), ("c", 3), ("d", 1))
}


def process(made: Project, number: int, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "xdist"]
    command += ["-p", "pytest_ciopt.plugin", "--ciopt-plan=ciopt-plan.json"]
    command += [f"--ciopt-shard={number}/3", *arguments]
    return subprocess.Popen(command, cwd=made.repository.root, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_a_shard_that_is_killed_can_be_run_again(
    project: MakeProject, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    made = project({"pytest.ini": "[pytest]\n"} | SLOW)
    plan("--shards=3")
    several = [process(made, number, *arguments) for number in (1, 2, 3)]
    segments = made.repository.root / ".ciopt/segments"
    wait_until(
        lambda: any(b'"shard":"2/3"' in s and b'"kind":"test"' in s for s in texts(segments))
    )
    several[1].kill()
    assert [one.wait() for one in several] == [0, -9, 0]
    capsys.readouterr()
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 1
    said = capsys.readouterr().out
    assert "  shard 2/3 was not recorded to its end\n" in said
    assert "  did not run: tests/" in said
    assert process(made, 2, *arguments).wait() == 0
    assert main(("verify", "ciopt-plan.json", ".ciopt/segments")) == 0
    assert re.fullmatch(PROVED.format(24), capsys.readouterr().out)


def texts(segments: Path) -> Iterable[bytes]:
    return [path.read_bytes() for path in segments.glob("*.jsonl")]


def wait_until(happens: Callable[[], bool]) -> None:
    for _ in range(600):
        if happens():
            return
        time.sleep(0.05)
    raise AssertionError("it never happens")
