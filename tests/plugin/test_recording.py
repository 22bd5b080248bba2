"""What `--ciopt-record=results` leaves behind, in one process and in several."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from pytest_ciopt.adapters.history.reader import inventory, records
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import (
    Attempt,
    FixtureCost,
    ModuleCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
    Uncollected,
)
from pytest_ciopt.core.history.results import results_of
from pytest_ciopt.hooks import options

RECORD = "--ciopt-record=results"
SUITE = {
    "pytest.ini": "[pytest]\n",
    "tests/test_all.py": """
import time
import unittest
import pytest

@pytest.fixture(scope="module")
def base():
    time.sleep(0.03)
    yield 1
    time.sleep(0.03)

@pytest.fixture(scope="module")
def above(base):
    time.sleep(0.01)

@pytest.fixture(scope="session")
def asked(request):
    time.sleep(0.01)
    request.getfixturevalue("inner")

@pytest.fixture(scope="session")
def inner():
    time.sleep(0.04)

def test_passes(above): pass
@pytest.mark.parametrize("x", ["a\\nb", "\\u00e9", "x" * 90])
def test_ids(x): pass
def test_fails(): assert 1 == 2, "first\\nsecond"
@pytest.mark.skip(reason="not now")
def test_skips(): pass
@pytest.mark.xfail(reason="known")
def test_expected(): assert 0
@pytest.mark.xfail
def test_unexpected(asked): pass
@pytest.fixture
def broken(): raise RuntimeError("no base")
def test_error(broken): pass
@pytest.fixture
def breaks():
    yield
    raise RuntimeError("not closed")
def test_teardown(breaks): pass
""",
}


def segments(project: Project) -> list[list[Record]]:
    state = StateDir(project.repository.root / ".ciopt")
    return [list(records(path)) for path in inventory(state, time.time()).runs.values()]


def segment(project: Project) -> list[Record]:
    (only,) = segments(project)
    return only


def attempts(found: Sequence[Record]) -> dict[str, Attempt]:
    tests = (r for r in found if isinstance(r, Attempt))
    return {r.id.removeprefix("tests/").removeprefix("test_all.py::"): r for r in tests}


def outcomes(attempt: Attempt) -> list[str | None]:
    phases = (attempt.setup, attempt.call, attempt.teardown)
    return [None if phase is None else phase.outcome for phase in phases]


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_run(project: MakeProject, workers: tuple[str, ...]) -> None:
    made = project(SUITE)
    before = time.time()
    assert made.run(RECORD, "-k", "not nothing", *workers).ret == 1
    found = segment(made)
    start, end = found[0], found[-1]
    assert isinstance(start, RunStart)
    assert start.commit == start.repository == made.repository.git("rev-parse", "HEAD").strip()
    assert start.branch == "main"
    assert not start.dirty
    assert start.options == ("--ciopt-record", "-k", *("-n" for _ in workers), "-p")
    assert start.workers == (2 if workers else 0)
    assert before - 1 < start.started < time.time()
    assert start.environment.python == ".".join(map(str, sys.version_info[:3]))
    assert isinstance(end, RunEnd)
    assert (end.exit_status, end.attempts) == (1, 10)
    tests = attempts(found)
    assert {name: outcomes(test) for name, test in tests.items()} == {
        "test_passes": ["passed", "passed", "passed"],
        "test_ids[a\\nb]": ["passed", "passed", "passed"],
        "test_ids[\\xe9]": ["passed", "passed", "passed"],
        f"test_ids[{'x' * 90}]": ["passed", "passed", "passed"],
        "test_fails": ["passed", "failed", "passed"],
        "test_skips": ["skipped", None, "passed"],
        "test_expected": ["passed", "skipped", "passed"],
        "test_unexpected": ["passed", "passed", "passed"],
        "test_error": ["failed", None, "passed"],
        "test_teardown": ["passed", "passed", "failed"],
    }
    assert tests["test_fails"].failure == "AssertionError: first"
    assert tests["test_error"].failure == "RuntimeError: no base"
    assert tests["test_teardown"].failure == "RuntimeError: not closed"
    assert tests["test_skips"].reason == "not now"
    assert (tests["test_expected"].xfail, tests["test_expected"].reason) == (True, "known")
    assert (tests["test_unexpected"].xfail, tests["test_unexpected"].reason) == (True, None)
    known = {"gw0", "gw1"} if workers else {None}
    assert {test.worker for test in tests.values()} <= known
    assert {r.path for r in found if isinstance(r, ModuleCost)} == {"tests/test_all.py"}


def test_fixtures_are_timed_without_those_that_they_ask_for(project: MakeProject) -> None:
    made = project(SUITE)
    made.run(RECORD)
    found = segment(made)
    fixtures = {r.name: r for r in found if isinstance(r, FixtureCost)}
    assert {name: (f.scope, f.place) for name, f in fixtures.items()} == {
        "base": ("module", "tests/test_all.py"),
        "above": ("module", "tests/test_all.py"),
        "asked": ("session", "tests/test_all.py"),
        "inner": ("session", "tests/test_all.py"),
    }
    assert fixtures["base"].setup >= 0.03
    assert fixtures["base"].teardown >= 0.03
    assert 0.01 <= fixtures["above"].setup < fixtures["base"].setup
    assert 0.01 <= fixtures["asked"].setup < fixtures["inner"].setup
    assert fixtures["above"].teardown < 0.02
    first = attempts(found)["test_passes"]
    assert first.setup.seconds >= 0.04


def test_imports_are_timed_apart(project: MakeProject) -> None:
    made = project({"test_slow.py": "import time\ntime.sleep(0.05)\ndef test_a(): pass\n"})
    made.run(RECORD)
    (module,) = (r for r in segment(made) if isinstance(r, ModuleCost))
    assert module.imported >= 0.05
    assert module.collected < module.imported


def test_subtests(project: MakeProject) -> None:
    made = project(
        {
            "test_sub.py": """
import unittest
class TestA(unittest.TestCase):
    def test_a(self):
        for i in range(3):
            with self.subTest("part", i=i):
                self.assertNotEqual(i, 1)
"""
        }
    )
    made.run(RECORD)
    (test,) = (r for r in segment(made) if isinstance(r, Attempt))
    told = [(s.description, s.outcome) for s in test.subtests]
    if pytest.version_tuple >= (9,):
        assert ("[part] (i=1)", "failed") in told
        assert test.failure == "AssertionError: 1 == 1"
    else:  # pytest itself knew none
        assert told == []
        assert test.call is not None
        assert test.call.outcome == "failed"


RERUNS = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    '''As pytest-rerunfailures does it; its older versions tell of no teardown before a rerun.'''
    from _pytest.runner import runtestprotocol
    for number in range(3):
        item.funcargs = {}
        item._initrequest()
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            again = report.when == "call" and report.failed and number < 2
            if again:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
            if again and not TEARDOWN:
                break
        if not tried(item) or number == 2:
            return True

def tried(item):
    return len(item.module.tried) < 3 and item.name == "test_a"
"""


@pytest.mark.parametrize("teardown", [None, "passed"])
def test_reruns_are_attempts_of_their_own(project: MakeProject, teardown: str | None) -> None:
    made = project(
        {
            "conftest.py": f"TEARDOWN = {teardown is not None}\n{RERUNS}",
            "test_flaky.py": """
tried = []
def test_a():
    tried.append(1)
    assert len(tried) > 2
def test_b(): pass
""",
        }
    )
    assert made.run(RECORD).ret == 0
    tried = [r for r in segment(made) if isinstance(r, Attempt)]
    assert [(r.id, r.attempt, outcomes(r)) for r in tried] == [
        ("test_flaky.py::test_a", 1, ["passed", "rerun", teardown]),
        ("test_flaky.py::test_a", 2, ["passed", "rerun", teardown]),
        ("test_flaky.py::test_a", 3, ["passed", "passed", "passed"]),
        ("test_flaky.py::test_b", 1, ["passed", "passed", "passed"]),
    ]
    assert tried[0].failure == "assert 1 > 2"


TWICE = """
def test_a(): pass
def test_b(request):
    here = getattr(request.config, "workerinput", {})
    assert here.get("workerid") != "gw0"
"""
HOW_TWICE = [("-n2", "--dist=each"), ("--keep-duplicates", "test_all.py", "test_all.py")]


@pytest.mark.parametrize("how", HOW_TWICE)
def test_the_same_id_twice_is_no_rerun(project: MakeProject, how: tuple[str, ...]) -> None:
    made = project({"test_all.py": TWICE})
    made.run(RECORD, *how)
    found = segment(made)
    tried = sorted((r.id, r.attempt) for r in found if isinstance(r, Attempt))
    assert tried == [*[("test_all.py::test_a", 1)] * 2, *[("test_all.py::test_b", 1)] * 2]
    assert results_of(found).counts == ({".": 1, "F": 1} if "-n2" in how else {".": 2})


@pytest.mark.parametrize("how", HOW_TWICE)
def test_reruns_are_counted_apart_where_an_id_runs_twice(
    project: MakeProject, how: tuple[str, ...]
) -> None:
    lines = "tried = []", "def test_a():", "    tried.append(1)", "    assert len(tried) % 2 == 0"
    again = RERUNS.replace("number < 2", "number < 1").replace("number == 2", "number == 1")
    again = again.replace("len(item.module.tried) < 3", "len(item.module.tried) % 2")
    made = project({"conftest.py": f"TEARDOWN = True{again}", "test_all.py": "\n".join(lines)})
    assert made.run(RECORD, *how).ret == 0
    found = segment(made)
    assert sorted(r.attempt for r in found if isinstance(r, Attempt)) == [1, 1, 2, 2]
    assert results_of(found).counts == {"R": 1}


def test_a_worker_that_dies(project: MakeProject) -> None:
    made = project({"test_crash.py": "import os\ndef test_a(): os._exit(3)\ndef test_b(): pass\n"})
    made.run(RECORD, "-n1")
    tests = {r.id: r for r in segment(made) if isinstance(r, Attempt)}
    assert outcomes(tests["test_crash.py::test_a"]) == ["passed", "failed", None]
    assert "crashed" in str(tests["test_crash.py::test_a"].failure)
    assert outcomes(tests["test_crash.py::test_b"]) == ["passed"] * 3


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_is_killed(project: MakeProject, workers: tuple[str, ...], seed: int) -> None:
    """At most the running test of each worker is lost, and what was still on its way."""
    text = "import time, pytest\n@pytest.mark.parametrize('n', range(2_000))\ndef test(n):\n"
    made = project({"test_many.py": text + "    time.sleep(0.002)\n"})
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    plugins = ["-p", "pytest_ciopt.plugin", *(("-p", "xdist") if workers else ()), *workers]
    passed = 0
    with subprocess.Popen(
        [*command, *plugins, RECORD], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            passed += "PASSED" in line
            if passed >= 50 * (seed + 1):
                break
        os.killpg(child.pid, signal.SIGKILL)
        passed += sum("PASSED" in line for line in child.stdout)
    result = made.run(RECORD, "-k", "0]")
    result.stdout.fnmatch_lines(
        ["ciopt: adopted the segment of a run that was not recorded to its end: *"]
    )
    killed, whole = segments(made)
    assert not any(isinstance(r, RunEnd) for r in killed)
    kept = [r for r in killed if isinstance(r, Attempt)]
    # The line is printed before the teardown, and a record is written after it.
    assert len(kept) >= passed - max(1, 2 * len(workers))
    assert all(outcomes(r) == ["passed"] * 3 for r in kept)
    assert isinstance(whole[-1], RunEnd)


INTERRUPTED = """
import pytest
def test_before(): pass
@pytest.fixture
def stops():
    yield
    pytest.exit("enough")
"""


@pytest.mark.parametrize(
    ("test", "kept"),
    [
        ("def test_now(): pytest.exit('enough')", None),
        ("def test_now(stops): pass", None),
        ("def test_now(stops): assert 0", ["passed", "failed", None]),
        ("def test_now(stops): pytest.skip()", ["passed", "skipped", None]),
    ],
)
def test_a_test_that_is_interrupted_has_not_passed(
    project: MakeProject, test: str, kept: list[str | None] | None
) -> None:
    made = project({"test_all.py": f"{INTERRUPTED}{test}\ndef test_after(): pass\n"})
    assert made.run(RECORD).ret == 2
    found = segment(made)
    told = {r.id: outcomes(r) for r in found if isinstance(r, Attempt)}
    assert told.pop("test_all.py::test_before") == ["passed"] * 3
    assert told == ({} if kept is None else {"test_all.py::test_now": kept})
    end = found[-1]
    assert isinstance(end, RunEnd)
    assert (end.exit_status, end.attempts) == (2, 1 + len(told))


def test_tests_of_workers_that_are_interrupted_have_not_passed(project: MakeProject) -> None:
    hears = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    several = "import os, signal, time, pytest\n@pytest.mark.parametrize('n', [0, 1])\n"
    stops = "def test(n): time.sleep(1); n and os.kill(os.getppid(), signal.SIGINT); time.sleep(4)"
    made = project({"conftest.py": hears, "test_all.py": several + stops})
    assert made.run(RECORD, "-n2").ret == 2
    assert not [r for r in segment(made) if isinstance(r, Attempt)]


def test_without_a_repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(pytester.path.parent))
    pytester.makepyfile("def test_a(): pass")
    result = pytester.runpytest_inprocess(RECORD)
    assert result.ret == 0
    (path,) = inventory(StateDir(pytester.path / ".ciopt"), time.time()).runs.values()
    start, *rest = records(path)
    assert isinstance(start, RunStart)
    assert (start.commit, start.repository, start.branch) == (None, None, None)
    assert len(rest) == 3


@pytest.mark.parametrize("by", ["ini", "environment"])
def test_other_ways_to_ask(project: MakeProject, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    ini = "[pytest]\nciopt_record = results\n" if by == "ini" else "[pytest]\n"
    made = project(SUITE | {"pytest.ini": ini})
    if by == "environment":
        monkeypatch.setenv("CIOPT_RECORD", "results")
    made.run()
    assert len(segments(made)) == 1
    made.run("--ciopt-record=off")
    assert len(segments(made)) == 1


FLAGS = [
    *("--ciopt-bench-fail=5%", "--ciopt-changed", "--ciopt-code-quality=q.json", "--ciopt-cov"),
    *("--ciopt-cov-fail-under=0", "--ciopt-cov-no-drop", "--ciopt-cov-reconstruct"),
    *("--ciopt-dist", "--ciopt-explain", "--ciopt-json=d.json", "--ciopt-patch-fail-under=0"),
    *("--ciopt-shard=1/1", "--ciopt-slow=report", "--ciopt-timeout=10"),
]
"""All of ours but for the one that records; a plan is a matter of shards."""


def test_the_flags_are_all_of_ours() -> None:
    named = {flag.partition("=")[0] for flag in FLAGS}
    assert named | {"--ciopt-plan", "--ciopt-record", "--ciopt-strict"} == set(options.FLAGS)


@pytest.mark.parametrize("flag", FLAGS)
def test_who_uses_another_flag_keeps_results(project: MakeProject, flag: str) -> None:
    made = project({"pytest.ini": "[pytest]\n", "test_a.py": "def test_a(): pass\n"})
    apart = ("-n0",) if "-cov" in flag or "patch" in flag else ()  # coverage is one a process
    made.run(flag, *apart, *(("-p", "pytest_timeout") if "timeout" in flag else ()))
    assert isinstance(segment(made)[-1], RunEnd)


def test_who_says_it_by_a_variable_keeps_results(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIOPT_DIST", "true")
    made = project(SUITE)
    made.run("-n1")
    assert len(segments(made)) == 1


def test_to_be_strict_asks_for_nothing_else(project: MakeProject) -> None:
    made = project(SUITE)
    made.run("--ciopt-strict")
    assert not (made.repository.root / ".ciopt").exists()


def test_nothing_is_kept_unless_asked(project: MakeProject) -> None:
    made = project(SUITE)
    made.run()
    made.run("--collect-only", RECORD)
    assert not (made.repository.root / ".ciopt").exists()


def test_a_value_that_means_nothing(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIOPT_RECORD", "everything")
    result = project(SUITE).run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*ciopt_record is 'everything'. Use off, results, deps or auto.*"])


def test_options_are_seen_wherever_they_are_said(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--ciopt-record=results -x --durations='3'")
    ini = "[pytest]\naddopts = -ra --import-mode=importlib\n"
    made = project({"pytest.ini": ini, "test_a.py": "def test_a(): pass\n"})
    made.run("-qs")
    start = segment(made)[0]
    assert isinstance(start, RunStart)
    assert start.options == tuple(
        sorted(("--ciopt-record", "--durations", "--import-mode", "-p", "-s", "-x"))
    )


def test_secrets_of_the_command_line_stay_there(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2")
    made = project(
        {
            "conftest.py": "def pytest_addoption(parser): parser.addoption('--password')\n",
            "test_a.py": "def test_a(): print('hunter2')\n",
        }
    )
    assert made.run(RECORD, "--password=hunter2", "-k", "not hunter2").ret == 0
    assert "hunter2" not in repr(segment(made))
    assert "password" not in repr(segment(made))


def test_a_folder_that_cannot_be_written_to(project: MakeProject) -> None:
    made = project(SUITE)
    (made.repository.root / ".ciopt").write_text("in the way")
    plain = made.run()
    result = made.run(RECORD)
    assert result.ret == plain.ret == 1
    result.assert_outcomes(**plain.parseoutcomes())
    told = [line for line in result.outlines if line.startswith("ciopt:")]
    assert len(told) == 1
    assert re.fullmatch(r"ciopt: this run is recorded only in part: \S+ cannot be .*", told[0])


@pytest.mark.parametrize("place", ["writer.Writer.write", "writer.Writer.finish"])
def test_an_error_of_ours_ends_the_recording_only(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("ours")

    made = project(SUITE)
    plain = made.run()
    monkeypatch.setattr(f"pytest_ciopt.adapters.history.{place}", broken)
    result = made.run(RECORD)
    assert result.ret == 1
    result.assert_outcomes(**plain.parseoutcomes())
    result.stdout.fnmatch_lines(["ciopt: this run is *recorded*: ZeroDivisionError: ours"])


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.parametrize("place", ["_set_up", "_collected", "_torn_down"])
def test_an_error_of_ours_ends_the_measuring_only(
    project: MakeProject, workers: tuple[str, ...], place: str
) -> None:
    breaking = f"""
from pytest_ciopt.hooks.costs import Costs
from pytest_ciopt.hooks.harmless import harmless

@harmless
def broken(self, *arguments):
    raise ZeroDivisionError("ours")

Costs.{place} = broken
"""
    made = project(SUITE | {"conftest.py": breaking})
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "pytest_ciopt.plugin",
    ]
    extra = ("-p", "xdist", *workers) if workers else ()
    done = subprocess.run([*command, *extra, RECORD], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ciopt: this run is recorded only in part: ZeroDivisionError: ours" in done.stdout
    found = segment(made)
    assert len(attempts(found)) == 10
    assert isinstance(found[-1], RunEnd)


FAILURES = {
    "pytest.ini": "[pytest]\naddopts = --doctest-modules --continue-on-collection-errors\n",
    "conftest.py": """
import pytest

def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".yaml":
        return File.from_parent(parent, path=file_path)

class File(pytest.File):
    def collect(self):
        yield Case.from_parent(self, name="case")

class Case(pytest.Item):
    def runtest(self): raise RuntimeError
    def repr_failure(self, excinfo): return "the case failed\\n  no further details"
""",
    "case.yaml": "",
    "a/test_same.py": "def test(): pass\n",
    "b/test_same.py": "def test(): pass\n",
    "test_all.py": """
import os, pathlib, pytest
def adds():
    '''
    >>> 1 + 1
    3
    '''
def test_unknown(nothing): pass
def test_here(): open(os.path.abspath("none.txt"))
def test_home(): open(pathlib.Path.home() / "none.txt")
def test_skips(): pytest.skip(f"no {os.getcwd()}")
""",
}


@pytest.mark.parametrize("how", [(), ("--tb=line",), ("-n2",)])
def test_failures_are_told_in_a_line_and_without_folders(
    project: MakeProject, how: tuple[str, ...]
) -> None:
    made = project(FAILURES)
    made.run(RECORD, *how)
    found = segment(made)
    tests = attempts(found)
    assert {name: test.failure for name, test in tests.items() if test.failure} == {
        "case.yaml::case": "the case failed",
        "test_all.adds": "Expected: 3, Got: 2",
        "test_unknown": "fixture 'nothing' not found",
        "test_here": "FileNotFoundError: [Errno 2] No such file or directory: 'none.txt'",
        "test_home": "FileNotFoundError: [Errno 2] No such file or directory: '~/none.txt'",
    }
    assert tests["test_skips"].reason == "no ."
    (uncollected,) = {r.why for r in found if isinstance(r, Uncollected)}
    assert str(uncollected).startswith("import file mismatch: imported module 'test_same' has ")
    assert str(made.repository.root) not in repr(found)


def test_the_phases_of_a_test_add_up(project: MakeProject) -> None:
    made = project({"test_a.py": "import time\ndef test_a(): time.sleep(0.02)\n"})
    made.run(RECORD)
    (test,) = (r for r in segment(made) if isinstance(r, Attempt))
    assert isinstance(test.call, Phase)
    assert test.call.seconds >= 0.02
    assert test.setup.seconds < test.call.seconds


CHANGED = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "one.py": "def f(): return 1\n",
    "two.py": "def g(): return 2\n",
    "tests/test_one.py": "from one import f\ndef test_f(): assert f()\n",
    "tests/test_two.py": "from two import g\ndef test_g(): assert g()\n",
    "tests/test_three.py": """
def test_changed(): assert 1
def test_other(): assert 2
""",
}


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_selection_is_recorded_with_its_reasons(
    project: MakeProject, workers: tuple[str, ...]
) -> None:
    made = project(CHANGED)
    made.repository.replace("one.py", "1", "3")
    made.repository.replace("tests/test_three.py", "assert 1", "assert 3")
    assert made.run("--ciopt-changed", *workers).ret == 0
    start, *_, end = found = segment(made)
    assert isinstance(start, RunStart)
    assert isinstance(end, RunEnd)
    assert start.base == start.commit
    assert start.dirty
    assert start.everything is None
    assert {r.id: r.selected for r in found if isinstance(r, Attempt)} == {
        "tests/test_one.py::test_f": "imports one.f",
        "tests/test_three.py::test_changed": "changed",
    }
    assert (end.dropped, end.unread) == (1, 1)


def test_why_everything_ran_is_recorded_once(project: MakeProject) -> None:
    made = project(CHANGED)
    made.repository.write({"pytest.ini": "[pytest]\npythonpath = . \naddopts = -q\n"})
    assert made.run("--ciopt-changed").ret == 0
    start, *_ = found = segment(made)
    assert isinstance(start, RunStart)
    assert start.everything is not None
    assert "pytest.ini" in start.everything
    assert [r.selected for r in found if isinstance(r, Attempt)] == [None] * 4


def test_a_run_that_ends_early_is_recorded(project: MakeProject) -> None:
    made = project(CHANGED)
    assert made.run("--ciopt-changed").ret == 0
    start, end = segment(made)
    assert isinstance(start, RunStart)
    assert isinstance(end, RunEnd)
    assert (end.exit_status, end.attempts) == (0, 0)


def test_recording_can_be_declined(project: MakeProject) -> None:
    made = project(CHANGED)
    assert made.run("--ciopt-changed", "--ciopt-record=off").ret == 0
    assert segments(made) == []


def test_parts_are_left_out(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    ini = "[pytest]\nciopt_record = results\nciopt_record_omit = failures modules\n"
    made = project(SUITE | {"pytest.ini": ini})
    made.run()
    kinds = {type(record) for record in segment(made)}
    assert ModuleCost not in kinds
    assert FixtureCost in kinds
    assert all(r.failure is None for r in segment(made) if isinstance(r, Attempt))
    monkeypatch.setenv("CIOPT_RECORD_OMIT", "fixtures, commit")  # instead of the ini option
    made.run()
    _, second = segments(made)
    assert isinstance(second[0], RunStart)
    assert second[0].commit is None
    kinds = {type(record) for record in second}
    assert ModuleCost in kinds
    assert FixtureCost not in kinds


def test_a_part_that_is_none(project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIOPT_RECORD_OMIT", "failures, names")
    result = project(SUITE).run(RECORD)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*ciopt_record_omit names 'names'. The parts are benchmarks, *"])


def test_what_shared_fixtures_take_is_told_apart(project: MakeProject) -> None:
    made = project(SUITE)
    made.run(RECORD)
    tests = attempts(segment(made))
    first, later = tests["test_passes"], tests["test_skips"]
    assert first.setup.shared >= 0.04
    assert first.setup.seconds - first.setup.shared < 0.03
    assert later.setup.shared == 0.0
    last = tests["test_teardown"]
    assert last.teardown is not None
    assert last.teardown.shared >= 0.03  # of `base`


def test_git_that_refuses_is_told(
    project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project({"pytest.ini": "[pytest]\n", "test_a.py": "def test_a(): pass\n"})
    (tmp_path / "git").write_text(
        "#!/bin/sh\necho 'fatal: detected dubious ownership in repository' >&2; exit 128\n"
    )
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    result = made.run(RECORD)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["ciopt: this run is recorded without its commit: git refuses this checkout, *"]
    )
    (start, *_) = segment(made)
    assert isinstance(start, RunStart)
    assert start.commit is None


COUNTS = """
import sys
from pathlib import Path
import pytest, pytest_ciopt

OURS = str(Path(pytest_ciopt.__file__).parent)
calls = []

def count(frame, event, _):
    if event == "call" and frame.f_code.co_filename.startswith(OURS):
        calls.append(frame.f_code.co_name)

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    calls.clear()
    sys.setprofile(count)
    try:
        return (yield)
    finally:
        sys.setprofile(None)
        print(f"<{item.name}: {len(calls)}>", sorted(calls))
"""


def test_few_functions_of_ours_are_called_for_a_test(project: MakeProject) -> None:
    """What recording adds to each test is held down; time says nothing where machines are busy."""
    suite = "import pytest\n@pytest.mark.parametrize('n', range(3))\ndef test_it(n): pass\n"
    made = project({"conftest.py": COUNTS, "test_it.py": suite})
    result = made.run(RECORD, "-s", "-p", "no:cacheprovider")
    assert result.ret == 0
    # Three reports, three calls each; five that write; a fixture, before and after its set-up.
    result.stdout.fnmatch_lines(["*<test_it?1?: 16>*"])
