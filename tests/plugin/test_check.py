"""`ciopt check` judges what shards covered together, and only where they were the whole."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from covered import COVERED, FILES, OURS, Run, run, start, told
from pytest_ciopt.cli.main import main

__all__ = ["run", "start"]  # a fixture
SHARDS = 2
PLAN = "--ciopt-plan=ciopt-plan.json"


@pytest.fixture
def made(project: MakeProject) -> Project:
    made = project({"README.md": "x"})
    made.repository.commit({**FILES, ".gitignore": ".coverage*\nciopt-*\njobs/\n"})
    return made


def leave(job: Path) -> None:
    """What a job hands on: its history and its data file."""
    assert main(("history", "export", str(job))) == 0
    Path(".coverage").rename(job / "coverage.data")


@pytest.fixture
def jobs(made: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What two shards leave, a folder each."""
    assert main(("plan", f"--shards={SHARDS}")) == 0
    for number in (1, 2):
        result = run(*OURS, PLAN, f"--ciopt-shard={number}/{SHARDS}", "--ciopt-cov-fail-under=99")
        assert result.ret == 0
        assert f"coverage: cannot tell: this is shard {number}/{SHARDS}" in told(result)
        job = Path(f"jobs/{number}")
        leave(job)
        shutil.rmtree(".ciopt")
    monkeypatch.setenv("CIOPT_BASE", "HEAD")
    return Path("jobs")


def ciopt_check(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own: coverage.py, once used, no longer measures whoever uses it."""
    code = "import sys; from pytest_ciopt.cli.main import main; sys.exit(main())"
    whole = (sys.executable, "-P", "-c", code, "check", *arguments)
    return subprocess.run(whole, capture_output=True, text=True, check=False)


def check(*arguments: str, code: int) -> list[str]:
    done = ciopt_check(*arguments)
    assert done.returncode == code, done.stderr
    return done.stdout.splitlines()


def test_all_shards_together(jobs: Path) -> None:
    plan = ("--plan=ciopt-plan.json", "jobs/1", "jobs/2")
    found = check("--cov-fail-under=66.66", *plan, code=0)
    assert found == [f"coverage: pass: {COVERED}, 66.66 % required"]
    found = check("--cov-fail-under=66.67", *plan, code=1)
    assert found[0] == f"coverage: FAIL: {COVERED}, 66.67 % required"
    assert Path(".coverage").exists()
    assert (jobs / "1/coverage.data").exists()
    assert not list(Path().glob(".coverage.*"))


def test_limits_of_the_configuration(made: Project, jobs: Path) -> None:
    lines = (
        "ciopt_cov_fail_under =\n    50\n    each shop/cart.py -> 80\nciopt_patch_fail_under = 9\n"
    )
    made.repository.write({"pytest.ini": FILES["pytest.ini"] + lines})
    found = check("jobs", code=1)
    assert [line.partition(":")[0] for line in found if line[0] != " "] == [
        "coverage",
        "coverage of each shop/cart.py",
        "patch coverage",
    ]


def test_a_shard_that_is_missing(jobs: Path) -> None:
    found = check(
        *("--cov-fail-under=1", "--patch-fail-under=1"),
        *("--plan=ciopt-plan.json", "jobs/1"),
        code=1,
    )
    assert "  shard 2/2 left no segment" in found
    why = "cannot tell: the shards did not run what was planned"
    assert found[-2:] == [f"coverage: {why}", f"patch coverage: {why}"]


def test_what_is_kept_is_compared_with(made: Project, jobs: Path) -> None:
    """The default branch runs in shards, too."""
    base = made.repository.git("rev-parse", "HEAD")
    first = check("--cov-no-drop=0", "jobs", code=0)
    assert first[0].startswith("coverage against the base: cannot tell: no whole run")
    second = check("--cov-no-drop=0", "--json", "jobs/1", code=1)
    (verdict,) = json.loads("\n".join(second))
    assert verdict["ruling"] == "fail"
    assert verdict["why"].endswith(f"{COVERED} at {base[:10]}")
    assert main(("history", "show")) == 0


def test_changed_lines(jobs: Path) -> None:
    quality = "--code-quality=out/quality.json"
    found = check("--base=HEAD~1", "--patch-fail-under=99", quality, "jobs", code=1)
    paths = [one["location"]["path"] for one in json.loads(Path("out/quality.json").read_text())]
    assert paths == ["shop/cart.py", "shop/unused.py"]
    done = ciopt_check("--base=HEAD~1", "--patch-fail-under=99", "--code-quality=shop", "jobs")
    assert done.returncode == 1
    assert done.stderr == "ciopt: --code-quality: shop cannot be written: Is a directory\n"
    assert found == [
        "patch coverage: FAIL: 71.42 % of 7 changed lines, 99 % required",
        "  not covered: shop/cart.py:3",
        "  not covered: shop/unused.py:1",
        "  Test the lines above.",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("jobs",), "nothing is asked. Give a limit"),
        (("--cov-fail-under=1", "shop"), "no data file of coverage.py is there"),
        (("--cov-fail-under=much", "jobs"), "--cov-fail-under is 'much'"),
        (("--cov-fail-under=1", "--plan=none.json", "jobs"), "none.json cannot be used"),
        (("--patch-fail-under=1", "--base=nowhere", "jobs"), "'nowhere'"),
    ],
)
def test_bad_input(jobs: Path, arguments: tuple[str, ...], said: str) -> None:
    done = ciopt_check(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_damaged_data_file(jobs: Path) -> None:
    whole = (jobs / "1/coverage.data").read_bytes()
    (jobs / "1/coverage.data").write_bytes(whole[:100] + b"x" * 5000)
    done = ciopt_check("--cov-fail-under=1", "jobs")
    assert done.returncode == 2
    assert "coverage.data is no data file of coverage.py, or damaged" in done.stderr


# --- shards of a selection -----------------------------------------------------------------------

KEEP = ("--ciopt-cov-reconstruct", "--ciopt-record=deps")
SELECTED = ("--plan=ciopt-plan.json", "jobs")


@pytest.fixture
def selected(made: Project, start: Run) -> Path:
    """What two shards of a selection leave, where git would see it."""
    made.repository.commit({".gitignore": ".coverage*\n__pycache__/\n"})
    assert start(*OURS, *KEEP).ret == 0
    base = made.repository.git("rev-parse", "HEAD")
    made.repository.replace("shop/cart.py", "/ 100", "/ 100.0")
    made.repository.commit()
    assert main(("plan", f"--changed={base}", f"--shards={SHARDS}")) == 0
    for number in (1, 2):
        result = start(*OURS, *KEEP, PLAN, f"--ciopt-shard={number}/{SHARDS}")
        assert result.ret == 0
        assert told(result) == [f"coverage is not reconstructed: this is shard {number}/{SHARDS}"]
        job = made.repository.root.parent / f"out/{number}"  # else the next one had changes
        leave(job)
    return (made.repository.root.parent / "out").rename("jobs")


def later(made: Project, start: Run) -> list[str]:
    """A selection of another change, in a clean checkout."""
    shutil.rmtree("jobs")
    Path("ciopt-plan.json").unlink()
    made.repository.replace("shop/cart.py", "return 0", "return 1 - 1")
    return told(start(*OURS, *KEEP, "--ciopt-changed=HEAD"))


def test_shards_of_a_selection(made: Project, start: Run, selected: Path) -> None:
    """What the plan left out is put to what the shards covered, and can be stood on."""
    assert check("--cov-fail-under=66.67", *SELECTED, code=1)[:2] == [
        f"coverage: {COVERED}, reconstructed from 1 stored and 1 run tests",
        f"coverage: FAIL: {COVERED}, 66.67 % required",
    ]
    found = later(made, start)
    assert found == [f"coverage: {COVERED}, reconstructed from 1 stored and 1 run tests"]


def test_shards_of_a_selection_that_nobody_put_together(
    made: Project, start: Run, selected: Path
) -> None:
    (line,) = later(made, start)
    assert line.startswith("coverage is not reconstructed: no run of ")


def test_the_data_file_has_what_is_judged(made: Project, selected: Path) -> None:
    check("--cov-fail-under=1", *SELECTED, code=0)
    report = made.pytester.run(sys.executable, "-m", "coverage", "report", "--precision=2")
    assert report.outlines[-1].endswith("66.67%")


def test_a_shard_that_kept_nothing(made: Project, start: Run, selected: Path) -> None:
    shutil.rmtree(selected / "2")
    assert start(*OURS, "--ciopt-record=deps", PLAN, "--ciopt-shard=2/2").ret == 0
    leave(selected / "2")
    lines = check("--cov-fail-under=1", *SELECTED, code=0)
    why = "shard 2/2 did not keep what its tests cover"
    assert lines[0].startswith(f"coverage is not reconstructed: {why}")
    assert lines[1].startswith("coverage: cannot tell: only the tests ran that the change can")
    (line,) = later(made, start)
    assert line.startswith("coverage is not reconstructed: no run of ")


def test_files_that_are_not_those_of_the_shards(made: Project, selected: Path) -> None:
    made.repository.replace("shop/cart.py", "return 0", "return 1 - 1")
    lines = check("--cov-fail-under=1", *SELECTED, code=0)
    why = "shop/cart.py is not what it was in the shards"
    assert lines[0] == f"coverage is not reconstructed: {why}"


def test_another_commit_is_checked_out(made: Project, selected: Path) -> None:
    plan = made.repository.git("rev-parse", "HEAD")
    now = made.repository.commit({"docs.md": "x"})
    done = ciopt_check("--cov-fail-under=1", *SELECTED)
    assert done.returncode == 2
    assert f"the plan is of commit {plan[:10]}, and {now[:10]} is checked out" in done.stderr


@pytest.fixture
def redone(made: Project, start: Run, selected: Path) -> Callable[..., None]:
    """Does the second shard once more."""

    def again(*arguments: str) -> None:
        shutil.rmtree(selected / "2")
        start(*OURS, *KEEP, PLAN, "--ciopt-shard=2/2", *arguments)
        leave(selected / "2")

    return again


def test_a_shard_with_uncommitted_changes(made: Project, redone: Callable[..., None]) -> None:
    """Of a kind upon which a shard runs all the same: others are refused."""
    made.repository.write({"notes.bin": ""})
    redone()
    Path("notes.bin").unlink()
    lines = check("--cov-fail-under=1", *SELECTED, code=0)
    assert lines[0].startswith("coverage is not reconstructed: ")


def test_data_files_that_are_missing(selected: Path) -> None:
    """One shard ran the only test: without its data file its segment says what is missing."""
    files = [selected / f"{number}/coverage.data" for number in (1, 2)]
    both = [file.read_bytes() for file in files]
    found = []
    for content in both:
        for file in files:
            file.write_bytes(content)
        found.append(check("--cov-fail-under=1", *SELECTED, code=0)[0])
    lacking = [line for line in found if "the data files lack what shard" in line]
    assert len(lacking) == 1, found


def test_fewer_data_files_than_shards(jobs: Path) -> None:
    """Their segments are there."""
    (jobs / "2/coverage.data").unlink()
    found = check("--cov-fail-under=1", "--plan=ciopt-plan.json", "jobs", code=0)
    assert found == ["coverage: cannot tell: 2 shards ran tests, and 1 data file is there"]
    assert main(("coverage", "trend")) == 2


def test_the_change_since_another_base(made: Project, selected: Path) -> None:
    arguments = ("--cov-fail-under=1", "--patch-fail-under=99", "--base=HEAD~2", *SELECTED)
    (line,) = [one for one in check(*arguments, code=0) if one.startswith("patch")]
    assert line.startswith("patch coverage: cannot tell: the plan is of the change since ")


def test_tests_that_another_run_has_proved(made: Project, start: Run) -> None:
    """A test does less since a run on a branch: what it covered at the base is over."""
    made.repository.commit({".gitignore": ".coverage*\n__pycache__/\njobs/\nciopt-*\n"})
    assert start(*OURS, *KEEP).ret == 0
    base = made.repository.git("rev-parse", "HEAD")
    made.repository.replace("tests/test_cart.py", "total([1]) == 1", "total")
    made.repository.commit()
    assert start(*OURS, *KEEP, f"--ciopt-changed={base}").ret == 0
    made.repository.replace("shop/cart.py", "/ 100", "/ 100.0")
    made.repository.commit()
    assert main(("plan", f"--changed={base}", "--shards=1")) == 0
    assert start(*OURS, *KEEP, PLAN, "--ciopt-shard=1/1").ret == 0
    leave(Path("jobs/1"))
    lines = check("--cov-fail-under=66.66", *SELECTED, code=0)
    doubt = "It may not be exact: tests were proved by another run than those of the base."
    assert f"  {doubt}" in lines
    assert lines[-1].startswith("coverage: cannot tell: ")
    code = "import sys; from pytest_ciopt.cli.main import main; sys.exit(main())"
    done = made.pytester.run(sys.executable, "-P", "-c", code, "coverage", "combine")
    assert doubt in done.outlines


def test_a_data_file_that_git_does_not_ignore(made: Project, start: Run) -> None:
    made.repository.commit({".gitignore": "__pycache__/\n"})
    assert main(("plan", "--shards=1")) == 0
    assert start(*OURS, PLAN, "--ciopt-shard=1/1").ret == 0
    leave(Path("jobs/1"))
    check("--cov-fail-under=1", *SELECTED, code=0)
    (*_, newest) = sorted(Path(".ciopt/segments").iterdir())
    assert not json.loads(gzip.decompress(newest.read_bytes()).splitlines()[0]).get("dirty")
