"""`ciopt history` on histories that real runs have left."""

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pytest_ciopt.cli.history  # noqa: F401  else each run in this process has it loaded anew
from conftest import MakeProject, Project
from pytest_ciopt.adapters.history.reader import PACK
from pytest_ciopt.adapters.history.writer import Writer
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.cli.main import main
from pytest_ciopt.core.history.records import Attempt, Environment, Phase, RunEnd, RunStart
from repository import Repository

SUITE = {
    "pytest.ini": "[pytest]\n",
    "tests/test_all.py": """
        import time
        from pathlib import Path
        import pytest

        @pytest.fixture(scope="module")
        def base():
            time.sleep(0.02)

        def test_slow(base): time.sleep(0.05)
        def test_quick(): pass
        def test_fails(): assert not Path("broken").exists(), "it is\\tbroken"
        @pytest.mark.skip(reason="not now")
        def test_skips(): pass
        """,
}
SLOW, FAILS = "tests/test_all.py::test_slow", "tests/test_all.py::test_fails"
Ciopt = Callable[..., str]


@pytest.fixture
def ciopt(capsys: pytest.CaptureFixture[str]) -> Ciopt:
    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(("history", *arguments)) == code
        said = capsys.readouterr()
        return said.out if code in (0, 1) and said.out else said.err

    return run


@pytest.fixture
def suite(project: MakeProject) -> Project:
    """With three runs, of which the second has a failure."""
    made = project(SUITE)
    for broken in (False, True, False):
        path = made.repository.root / "broken"
        path.unlink(missing_ok=True)
        if broken:
            path.touch()
        made.run("--ciopt-record=results")
    return made


def test_runs(suite: Project, ciopt: Ciopt) -> None:
    heads, *lines = ciopt("show").splitlines()
    assert heads.split() == "run began (UTC) branch commit environment tests take outcome".split()
    assert [re.split("  +", line)[-1] for line in lines] == [
        "3 passed, 1 skipped",
        "1 failed, 2 passed, 1 skipped",
        "3 passed, 1 skipped",
    ]
    assert all(" main " in line for line in lines)
    documents = json.loads(ciopt("show", "--json"))
    assert [document["outcomes"].get("failed") for document in documents] == [None, 1, None]
    assert len(json.loads(ciopt("show", "--json", "-n", "2"))) == 2


def test_one_run(suite: Project, ciopt: Ciopt) -> None:
    second = json.loads(ciopt("show", "--json"))[1]["run"]
    said = ciopt("show", second[:17])
    assert f"run          {second}\n" in said
    assert "outcome      1 failed, 2 passed, 1 skipped" in said
    assert f"failed   {FAILS}: AssertionError: it is\\tbroken\n" in said
    document = json.loads(ciopt("show", second, "--json"))
    assert document["tests"][FAILS]["outcome"] == "failed"
    assert document["tests"][SLOW]["call"] >= 0.05
    assert document["tests"][SLOW]["setup"] < 0.02


def test_one_test(suite: Project, ciopt: Ciopt) -> None:
    said = ciopt("show", FAILS)
    assert "outcomes   .F.\n" in said
    assert "last fails AssertionError: it is\\tbroken\n" in said
    document = json.loads(ciopt("show", SLOW, "--json"))
    assert [result["outcome"] for result in document["results"]] == ["passed"] * 3
    (expected,) = document["expected"].values()
    assert expected["results"] == 3
    assert expected["call"] >= 0.05


def test_what_nobody_knows(suite: Project, ciopt: Ciopt) -> None:
    assert "knows no run and no test 'tests/test_none.py::test'" in ciopt(
        "show", "tests/test_none.py::test", code=2
    )
    assert "3 runs begin with '0'" in ciopt("show", "0", code=2)


def test_slowest(suite: Project, ciopt: Ciopt) -> None:
    heads, first, *_ = ciopt("slowest").splitlines()
    assert heads.split()[-1] == "id"
    assert first.endswith(SLOW)
    assert json.loads(ciopt("slowest", "--json", "-n1"))[0]["id"] == SLOW
    assert json.loads(ciopt("slowest", "--json", "--of=module"))[0]["id"] == "tests/test_all.py"
    (fixture,) = json.loads(ciopt("slowest", "--json", "--of=fixture"))
    assert fixture["id"] == "tests/test_all.py::base (module)"
    assert fixture["setup"] >= 0.02


def test_nothing_is_slow_where_runs_are_recorded(project: MakeProject, ciopt: Ciopt) -> None:
    made = project({"test_one.py": "def test(): pass\n"})
    omit = ("-o", "ciopt_record_omit=modules")
    made.run("--ciopt-record=results", *omit, "-k", "none")
    assert ciopt("slowest") == "the recorded runs tell of no tests\n"
    made.run("--ciopt-record=results", *omit)
    said = ciopt("slowest", "--of=module")
    assert said == "the recorded runs tell of no imports of test modules\n"
    said = ciopt("slowest", "--of=fixture")
    assert said == "the recorded runs tell of no fixtures that several tests share\n"
    assert json.loads(ciopt("slowest", "--of=fixture", "--json")) == []
    assert len(ciopt("slowest").splitlines()) == 2


def test_a_clock_that_was_set_back(project: MakeProject, ciopt: Ciopt) -> None:
    made = project(SUITE)
    run = "0192f0a1b2c3-" + "0a" * 10
    start = RunStart(run, 1.79e9, Environment("3.12.1", "cpython", "l"))
    Writer(StateDir(made.repository.root / ".ciopt"), start).finish(RunEnd(1.79e9 - 3600, 0, 0))
    _, began, *_ = ciopt("show", run).splitlines()
    assert began.endswith(
        " UTC, what it took cannot be told, for the clock was set back, exit code 0"
    )


def test_failures(suite: Project, ciopt: Ciopt) -> None:
    _, line = ciopt("failures").splitlines()
    assert re.fullmatch(
        rf" *1 +\S+ +failed +{re.escape(FAILS)}  AssertionError: it is\\tbroken", line
    )
    (failure,) = json.loads(ciopt("failures", "--json"))
    assert (failure["test"], failure["attempts"]) == (FAILS, 1)


def test_an_empty_history(project: MakeProject, ciopt: Ciopt) -> None:
    made = project(SUITE)
    assert ciopt("show").startswith("no runs are recorded yet")
    assert ciopt("slowest").startswith("no runs are recorded yet")
    assert ciopt("failures") == "no failures are recorded\n"
    assert ciopt("check") == "0 runs can be read, 0 damaged files set aside\n"
    assert json.loads(ciopt("show", "--json")) == []
    assert not (made.repository.root / ".ciopt").exists()


def test_merging(suite: Project, ciopt: Ciopt, tmp_path: Path) -> None:
    before = ciopt("show", "--json")
    assert (
        ciopt("export", str(tmp_path / "artifact")) == f"3 runs copied to {tmp_path / 'artifact'}\n"
    )
    own = suite.repository.root / ".ciopt"
    os.rename(own, tmp_path / "old")
    for place in (tmp_path / "artifact", tmp_path / "old"):
        expected = 3 if place.name == "artifact" else 0
        assert ciopt("merge", str(place)) == (
            f"{expected} run{'s' if expected != 1 else ''} merged, {3 - expected} known already, "
            "0 files refused\n"
        )
        assert ciopt("show", "--json") == before
        listing = {path.name: path.read_bytes() for path in (own / "segments").iterdir()}
        assert len(listing) == 3
    assert "does not exist" in ciopt("merge", str(tmp_path / "nowhere"), code=2)


def test_what_is_not_merged(suite: Project, ciopt: Ciopt, tmp_path: Path) -> None:
    ciopt("export", str(tmp_path / "artifact"))
    damaged, _, sound = sorted((tmp_path / "artifact").iterdir())
    damaged.write_bytes(b"\x1f\x8bnonsense")
    pipe, folder = (damaged.with_name(f"{letter}{damaged.name[1:]}") for letter in "ef")
    os.mkfifo(pipe)
    folder.mkdir()
    (tmp_path / "artifact/notes.txt").write_text("mine")
    os.rename(suite.repository.root / ".ciopt", tmp_path / "old")
    told = json.loads(ciopt("merge", str(tmp_path / "artifact"), "--json", code=1))
    assert (told["done"], told["left"], told["refused"]) == (2, 0, 3)
    refused = [line.partition(" is not taken: ")[0] for line in told["told"]]
    assert refused == [str(damaged), str(pipe), str(folder)]
    assert damaged.exists()
    suite.repository.root.joinpath(".git").rename(tmp_path / "git")
    suite.repository.git("init", "-q")
    suite.repository.commit({"another.txt": "first commit"})
    suite.repository.root.joinpath(".ciopt/cache/repository").unlink(missing_ok=True)
    suite.run("--ciopt-record=results")
    os.rename(suite.repository.root / ".ciopt/segments", tmp_path / "others")
    said = ciopt("merge", str(sound), code=1)
    assert said.startswith("0 runs merged, 0 known already, 1 file refused")


def test_a_fresh_clone_refuses_runs_of_another_repository(
    suite: Project, ciopt: Ciopt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Repository(tmp_path / "foreign")
    foreign.root.mkdir()
    foreign.git("init", "-q")
    foreign.commit({"other.txt": "first commit"})
    monkeypatch.chdir(foreign.root)
    theirs = suite.repository.root / ".ciopt"
    said = ciopt("merge", str(theirs), code=1)
    assert said.startswith("0 runs merged, 0 known already, 3 files refused")
    suite.repository.git("clone", "-q", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert ciopt("merge", str(theirs)).startswith("3 runs merged")


def test_a_killed_run_of_another_machine_is_merged(
    suite: Project, ciopt: Ciopt, tmp_path: Path
) -> None:
    (path, *_) = sorted((suite.repository.root / ".ciopt/segments").iterdir())
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.unlink()
    partial = tmp_path / path.name.removesuffix(".gz")
    partial.write_bytes(b"".join(lines[:3]) + lines[3][:-9])
    assert ciopt("merge", str(partial)).startswith("1 run merged")
    assert "(not recorded to its end)" in ciopt("show").splitlines()[-1]


@pytest.mark.parametrize("partial_first", [True, False])
def test_a_run_merged_while_it_went_on_is_completed(
    suite: Project, ciopt: Ciopt, tmp_path: Path, partial_first: bool
) -> None:
    ciopt("export", str(tmp_path / "artifact"))
    whole = max((tmp_path / "artifact").iterdir())
    partial = tmp_path / whole.name.removesuffix(".gz")
    lines = gzip.decompress(whole.read_bytes()).splitlines(keepends=True)
    partial.write_bytes(b"".join(lines[:3]))
    before = ciopt("show", "--json"), ciopt("slowest", "--json")
    os.rename(suite.repository.root / ".ciopt", tmp_path / "old")
    for path in (partial, whole) if partial_first else (whole, partial):
        ciopt("merge", str(path))
        ciopt("slowest")
    assert ciopt("merge", str(tmp_path / "artifact")).startswith("2 runs merged, 1 known already")
    assert (ciopt("show", "--json"), ciopt("slowest", "--json")) == before


def test_compacting_and_merging_counts_nothing_twice(
    suite: Project, ciopt: Ciopt, tmp_path: Path
) -> None:
    shown = (("show", "--json"), ("slowest", "--json"), ("failures", "--json"), ("show", SLOW))
    before = [ciopt(*arguments) for arguments in shown]
    ciopt("export", str(tmp_path / "artifact"))
    assert ciopt("compact", "--keep", "1") == "2 runs packed, 1 stay as they are\n"
    folder = suite.repository.root / ".ciopt/segments"
    assert sum(path.name.startswith("pack-") for path in folder.iterdir()) == 1
    assert len(list(folder.iterdir())) == 2
    assert [ciopt(*arguments) for arguments in shown] == before
    assert ciopt("merge", str(tmp_path / "artifact")).startswith("0 runs merged, 3 known already")
    second = json.loads(before[0])[1]["run"]
    assert f"failed   {FAILS}: AssertionError" in ciopt("show", second)
    assert ciopt("compact", "--keep", "1") == "0 runs packed, 3 stay as they are\n"


@pytest.mark.parametrize("compacted", [False, True])
def test_pruning(suite: Project, ciopt: Ciopt, compacted: bool) -> None:
    first, second, third = (run["run"] for run in json.loads(ciopt("show", "--json")))
    if compacted:
        ciopt("compact", "--keep", "1")
    assert ciopt("prune", "--keep", "2", "--dry-run") == "1 run would be removed, 2 stay\n"
    assert ciopt("prune", "--keep", "2") == "1 run removed, 2 stay\n"
    assert [run["run"] for run in json.loads(ciopt("show", "--json"))] == [first, second]
    assert ciopt("prune", "--older-than", "2d") == "0 runs removed, 2 stay\n"
    assert ciopt("prune", "--max-size", "0k") == "2 runs removed, 0 stay\n"
    assert json.loads(ciopt("show", "--json")) == []
    assert third not in str(list((suite.repository.root / ".ciopt/segments").iterdir()))


def test_pruning_of_what_a_pack_and_a_segment_hold(
    suite: Project, ciopt: Ciopt, tmp_path: Path
) -> None:
    newest, *older = (run["run"] for run in json.loads(ciopt("show", "--json")))
    ciopt("export", str(tmp_path / "segments"))
    ciopt("compact", "--keep", "1")
    ciopt("export", str(tmp_path / "packed"))
    os.rename(suite.repository.root / ".ciopt", tmp_path / "old")
    ciopt("merge", str(tmp_path / f"segments/{older[0]}.jsonl.gz"))
    ciopt("merge", str(tmp_path / "packed"))
    folder = suite.repository.root / ".ciopt/segments"
    assert sum(PACK.fullmatch(path.name) is not None for path in folder.iterdir()) == 1
    assert ciopt("prune", "--keep", "1") == "2 runs removed, 1 stay\n"
    assert [run["run"] for run in json.loads(ciopt("show", "--json"))] == [newest]
    assert [path.name for path in folder.iterdir()] == [f"{newest}.jsonl.gz"]


@pytest.mark.parametrize(
    "arguments", [("--keep", "0"), ("--older-than", "soon"), ("--max-size", "1x")]
)
def test_limits_that_mean_nothing(
    suite: Project, arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(("history", "prune", *arguments))
    assert ended.value.code == 2
    assert arguments[1] in capsys.readouterr().err


def test_pruning_needs_a_limit(suite: Project, ciopt: Ciopt) -> None:
    assert "needs a limit" in ciopt("prune", code=2)
    assert len(json.loads(ciopt("show", "--json"))) == 3


def test_checking(suite: Project, ciopt: Ciopt) -> None:
    folder = suite.repository.root / ".ciopt/segments"
    first, second, _ = sorted(folder.iterdir())
    first.write_bytes(first.read_bytes()[:-9])
    assert ciopt("check", code=1) == "2 runs can be read, 1 damaged file set aside\n"
    assert (folder / "damaged" / first.name).exists()
    second.write_bytes(b"")
    told = json.loads(ciopt("check", "--json", code=1))
    assert (told["left"], told["refused"]) == (1, 1)
    (line,) = told["told"]
    assert second.name in line
    assert ciopt("check") == "1 run can be read, 0 damaged files set aside\n"


def test_tables_for_other_programs(suite: Project, ciopt: Ciopt, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(ciopt("export", "-", "--format=csv"))))
    lines = [json.loads(line) for line in ciopt("export", "-", "--format=jsonl").splitlines()]
    assert len(rows) == len(lines) == 12
    assert [(row["run"], row["test"], row["outcome"]) for row in rows] == [
        (line["run"], line["test"], line["outcome"]) for line in lines
    ]
    assert sum(row["outcome"] == "failed" for row in rows) == 1
    target = tmp_path / "results.csv"
    assert ciopt("export", str(target), "--format=csv") == f"3 runs written to {target}\n"
    assert len(target.read_text().splitlines()) == 13
    told = json.loads(ciopt("export", str(target), "--format=csv", "--json"))
    assert told == {"done": 3, "left": 0, "refused": 0, "told": []}


def keys_of(document: Any) -> Iterator[str]:
    """Those that stand in the documentation; names that differ have no place there."""
    if isinstance(document, list):
        for one in document:
            yield from keys_of(one)
    elif isinstance(document, dict):
        yield from document
        for name, value in document.items():
            named = name in ("tests", "expected", "outcomes", "uncollected")
            yield from keys_of(list(value.values()) if named else value)


def test_what_other_programs_read_is_documented(
    suite: Project, ciopt: Ciopt, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/history-json.md").read_text()
    run = json.loads(ciopt("show", "--json"))[1]["run"]
    target = str(tmp_path / "exported")
    for arguments in (
        *(("show",), ("show", run), ("show", FAILS), ("slowest",), ("failures",), ("check",)),
        *(("export", target), ("merge", target), ("prune", "--keep=2"), ("compact", "--keep=1")),
    ):
        keys = set(keys_of(json.loads(ciopt(*arguments, "--json"))))
        assert keys
        assert {key for key in keys if f"`{key}`" not in page} == set()


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_importing_what_pytest_writes(
    project: MakeProject, ciopt: Ciopt, tmp_path: Path, family: str
) -> None:
    made = project(SUITE | {"broken": ""})
    made.run(f"--junitxml={tmp_path / 'junit.xml'}", "-o", f"junit_family={family}")
    said = ciopt("import", str(tmp_path / "junit.xml"))
    assert said == "1 run imported, 0 known already, 0 files refused\n"
    assert ciopt("import", str(tmp_path / "junit.xml")).startswith("0 runs imported, 1 known")
    (run,) = json.loads(ciopt("show", "--json"))
    assert run["source"] == "junit"
    assert run["outcomes"] == {"failed": 1, "passed": 2, "skipped": 1}
    (slow,) = json.loads(ciopt("slowest", "--json", "-n1"))
    assert slow["id"] == SLOW
    assert slow["call"] >= 0.05
    (failure,) = json.loads(ciopt("failures", "--json"))
    assert failure["test"] == FAILS
    assert failure["failure"].startswith("AssertionError: it is")


def test_importing_what_others_write(project: MakeProject, ciopt: Ciopt, tmp_path: Path) -> None:
    project(SUITE)
    durations = tmp_path / ".test_durations"
    durations.write_text(json.dumps({SLOW: 3.5, FAILS: 0.5}))
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    said = ciopt("import", str(durations), str(other), code=1)
    assert said == "1 run imported, 0 known already, 1 file refused\n"
    (first, _) = json.loads(ciopt("slowest", "--json"))
    assert (first["id"], first["seconds"]) == (SLOW, 3.5)
    assert "does not exist" in ciopt("import", str(tmp_path / "none.xml"), code=2)


def test_importing_into_a_project_of_a_larger_repository(
    project: MakeProject, ciopt: Ciopt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids in files are relative to pytest's rootdir, those of the history to the top."""
    made = project({f"sub/{path}": text for path, text in SUITE.items()} | SUITE)
    report = {"$report_type": "TestReport", "nodeid": FAILS, "outcome": "passed", "duration": 2.5}
    figures = dict.fromkeys(("min", "max", "mean", "median", "stddev"), 1.0)
    benchmark = {"fullname": SLOW, "stats": figures | {"rounds": 5, "iterations": 1}}
    contents = [
        {SLOW: 3.5},
        report | {"when": "call"},
        {"benchmarks": [benchmark]},
    ]
    monkeypatch.chdir(made.repository.root / "sub")
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.json"
        path.write_text(f"{json.dumps(content)}\n")
        assert ciopt("import", str(path)).startswith("1 run imported, 0 known already")
        assert ciopt("import", str(path)).startswith("0 runs imported, 1 known already")
    made.run(f"--junitxml={tmp_path / 'junit.xml'}", "-o", "junit_family=xunit2")
    assert ciopt("import", str(tmp_path / "junit.xml")).startswith("1 run imported")
    found = {one["id"]: one["seconds"] for one in json.loads(ciopt("slowest", "--json"))}
    assert len(found) == 4
    assert min(found) == f"sub/{FAILS}"
    assert f"sub/{SLOW}" in found
    assert main(("bench", "trend", f"sub/{SLOW}", "--json")) == 0


def test_a_file_of_a_project_is_imported_from_the_top(project: MakeProject, ciopt: Ciopt) -> None:
    made = project({f"sub/{path}": text for path, text in SUITE.items()})
    made.repository.write({"sub/.test_durations": json.dumps({SLOW: 3.5})})
    ciopt("import", "sub/.test_durations")
    (one,) = json.loads(ciopt("slowest", "--json"))
    assert (one["id"], one["seconds"]) == (f"sub/{SLOW}", 3.5)


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_modules_that_cannot_be_collected(
    project: MakeProject, ciopt: Ciopt, workers: tuple[str, ...]
) -> None:
    skipped = "import pytest\npytest.skip('not here', allow_module_level=True)\n"
    broken = {"tests/test_broken.py": "import nothing_of_that_name\n"}
    made = project(SUITE | broken | {"tests/test_elsewhere.py": skipped})
    flags = ("--ciopt-record=results", *workers)
    assert made.run(*flags, "--continue-on-collection-errors").ret == 1
    assert made.run(*flags).ret in (1, 2)  # the first one under xdist
    _, interrupted, continued = ciopt("show").splitlines()
    assert re.search(r" 1 error(, 3 passed)?, [12] skipped( \(exit code 2\))?$", interrupted)
    assert continued.endswith(" 1 error, 3 passed, 2 skipped")
    for run in (interrupted, continued):
        last = ciopt("show", run.split()[0]).splitlines()[-1]
        assert last == (
            "error    tests/test_broken.py: "
            "ModuleNotFoundError: No module named 'nothing_of_that_name'"
        )
    document = json.loads(ciopt("show", continued.split()[0], "--json"))
    assert list(document["uncollected"]) == ["tests/test_broken.py"]
    assert "tests/test_broken.py" not in document["tests"]
    (failed,) = json.loads(ciopt("failures", "--json", "-n1"))
    assert failed["test"] == "tests/test_broken.py"


def test_a_run_that_failed_without_a_failed_test(project: MakeProject, ciopt: Ciopt) -> None:
    made = project(
        SUITE | {"conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 7\n"}
    )
    made.run("--ciopt-record=results")
    assert ciopt("show").splitlines()[1].endswith(" 3 passed, 1 skipped (exit code 7)")


def test_a_target_that_cannot_be_written_to(suite: Project, ciopt: Ciopt, tmp_path: Path) -> None:
    target = tmp_path / "none" / "results.csv"
    said = ciopt("export", "--format=csv", str(target), code=2)
    assert said == f"ciopt: {target}: No such file or directory\n"
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in ciopt("export", str(tmp_path / "file"), code=2)


def test_an_output_that_lacks_characters(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project({"test_one.py": "def test(): assert 0, 'caf\u00e9'\n"})
    made.run("--ciopt-record=results")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    code = "from pytest_ciopt.cli.main import main; raise SystemExit(main(('history', 'failures')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("test_one.py::test  AssertionError: caf\\xe9\n")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_table_with_ids_that_no_encoding_knows(
    project: MakeProject, ciopt: Ciopt, tmp_path: Path, form: str
) -> None:
    made = project(SUITE)
    state = StateDir(made.repository.root / ".ciopt")
    start = RunStart("0192f0a1b2c3-" + "0a" * 10, 1.79e9, Environment("3.12.1", "cpython", "l"))
    writer = Writer(state, start)
    phase = Phase("passed", 0.5)
    writer.write(Attempt("t.py::test[\ud800\u00e9]", phase, phase, phase))
    writer.finish(RunEnd(1.79e9, 0, 1))
    assert "test[\\ud800\u00e9]" in ciopt("export", "--format=csv", "-")
    target = tmp_path / "results"
    ciopt("export", f"--format={form}", str(target))
    text = target.read_text(encoding="utf-8")
    assert ("\\ud800\u00e9" if form == "csv" else "\\ud800\\u00e9") in text


def test_one_line_a_test_from_the_newest_environment_that_knows_it(
    suite: Project, ciopt: Ciopt, tmp_path: Path
) -> None:
    only_there = "tests/test_all.py::test_elsewhere"
    durations = tmp_path / ".test_durations"
    durations.write_text(json.dumps({SLOW: 3.5, only_there: 2.5}))
    ciopt("import", str(durations))
    found = {one["id"]: one for one in json.loads(ciopt("slowest", "--json"))}
    assert len(found) == 5
    assert found[SLOW]["environment"].startswith("cpython-")
    assert found[SLOW]["seconds"] < 3.5
    assert (found[only_there]["environment"], found[only_there]["seconds"]) == ("unknown", 2.5)
