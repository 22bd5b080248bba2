"""`ciopt check` judges durations and benchmarks of several jobs."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benched import FILES, TOTAL, FakeTrees, recorded, run
from conftest import MakeProject, Project
from pytest_ciopt.adapters.duet import sides
from pytest_ciopt.cli import judging
from pytest_ciopt.cli.main import main

FLAG = "--bench-fail=5%"
OTHER = "tests/test_more.py::test_more"
MORE = {"tests/test_more.py": "def test_more(benchmark): benchmark(sum, range(50))\n"}
Figures = Mapping[str, float | str]


@pytest.fixture
def made(project: MakeProject) -> Project:
    """On a branch, one commit after the base, with two benchmarks."""
    made = project(FILES | MORE)
    made.repository.git("switch", "--quiet", "-c", "topic")
    made.repository.commit({"shop/new.py": ""})
    return made


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[Figures, Figures], FakeTrees]:
    """Puts in what a duet measures of head and base."""

    def give(head: Figures, base: Figures) -> FakeTrees:
        fake = FakeTrees(head, base)

        @contextmanager
        def opened(git: object, commit: str, here: object) -> Iterator[FakeTrees]:
            fake.commits.append(commit)
            yield fake

        monkeypatch.setattr(sides, "opened", opened)
        return fake

    return give


def shards(made: Project, *arguments: str) -> None:
    """Two of them, each in a folder."""
    assert main(("plan", "--shards=2", "--", "-p", "benchmark")) == 0
    for number in (1, 2):
        flags = ("--ciopt-plan=ciopt-plan.json", f"--ciopt-shard={number}/2")
        run(made, *flags, *arguments)
        assert main(("history", "export", f"jobs/{number}")) == 0
        shutil.rmtree(".ciopt")


CHECK = ("check", "--plan=ciopt-plan.json", "jobs")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    return lambda: capsys.readouterr().out.splitlines()


def test_benchmarks_that_no_shard_judged(made: Project, given: Any, said: Any) -> None:
    fake = given({TOTAL: 1.06, OTHER: 1.0}, {TOTAL: 1.0, OTHER: 1.0})
    shards(made)
    said()
    assert main((*CHECK, FLAG)) == 1
    passed, failed, mend = said()
    base = made.repository.git("rev-parse", "main")
    assert passed == f"benchmarks: pass: 1 of 2 are no slower (1 measured against {base[:10]})"
    assert failed.startswith(f"benchmark {TOTAL}: FAIL: +6.0 %")
    assert mend.startswith("  Make it faster")
    assert fake.commits == [base]
    (end,) = recorded("end")
    assert [verdict[1] for verdict in end["verdicts"]] == ["pass", "fail"]


def test_a_limit_of_its_own(made: Project, given: Any, said: Any) -> None:
    marker = "import pytest\n\n@pytest.mark.ciopt_bench(fail='10%')\ndef test_total("
    made.repository.replace("tests/test_speed.py", "def test_total(", marker)
    given({TOTAL: 1.056, OTHER: 1.0}, {TOTAL: 1.0, OTHER: 1.0})
    shards(made)
    assert main((*CHECK, FLAG)) == 0
    assert said()[-1].startswith("benchmarks: pass: 2 of 2 are no slower")


def test_what_shards_judged_stands(made: Project, given: Any, said: Any) -> None:
    """Where one could not tell, it is judged here."""
    ini = FILES["pytest.ini"] + "ciopt_bench_fail = 5%\n"
    made.repository.commit({"conftest.py": JUDGING, "pytest.ini": ini})
    fake = given({TOTAL: 1.0, OTHER: 1.0}, {TOTAL: 1.0, OTHER: 1.0})
    shards(made)
    said()
    assert main(CHECK) == 1
    lines = said()
    assert lines[0].startswith(f"benchmark {TOTAL}: FAIL: so slow (shard ")
    assert lines[1].startswith("benchmarks: pass: 1 of 1 are no slower")
    assert {test for _, wanted in fake.asked for test in wanted.tests or ()} == {OTHER}


def test_a_limit_that_is_asked_for_here(made: Project, given: Any, said: Any) -> None:
    """What shards let pass by another one is judged anew."""
    given({TOTAL: 1.06, OTHER: 1.0}, {TOTAL: 1.0, OTHER: 1.0})
    made.repository.commit({"conftest.py": JUDGING.replace("FAIL", "PASS")})
    shards(made, "--override-ini=ciopt_bench_fail=80%")
    said()
    assert main((*CHECK, FLAG)) == 1
    assert [line for line in said() if "FAIL: +6.0 %" in line]


def altered(**about: str) -> None:
    """The segments of the jobs, as if recorded elsewhere."""
    for path in Path("jobs").rglob("*.gz"):
        first, *rest = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        start = json.loads(first)
        start["environment"]["python"] = about.get("python", start["environment"]["python"])
        start["root"] = about.get("root", start["root"])
        path.write_bytes(gzip.compress(json.dumps(start).encode() + b"\n" + b"".join(rest)))


def test_jobs_on_another_python(made: Project, given: Any, said: Any) -> None:
    """Their verdicts stand, and what they could not tell cannot be told here."""
    made.repository.commit({"conftest.py": JUDGING})
    shards(made, "--override-ini=ciopt_bench_fail=5%")
    altered(python="3.99.0")
    said()
    assert main((*CHECK, FLAG)) == 1
    lines = said()
    assert any(line.startswith(f"benchmark {TOTAL}: FAIL: so slow (shard ") for line in lines)
    why = f"benchmarks: cannot tell: {OTHER}: measured on cpython-3.99-"
    assert any(line.startswith(why) for line in lines)


def test_jobs_with_another_rootdir(made: Project, said: Any) -> None:
    shards(made)
    altered(root="tests")
    Path("ciopt-plan.json").unlink()
    said()
    assert main(("check", FLAG, "jobs")) == 0
    assert all("measured with the rootdir tests" in line for line in said())


def test_two_suites_with_the_same_shards(made: Project, said: Any) -> None:
    """Without a plan all runs of the commit count, whatever else is called shard 2/2."""
    made.repository.commit({"conftest.py": JUDGING, ".gitignore": "__pycache__\njobs\n*.json\n"})
    shards(made, "--override-ini=ciopt_bench_fail=5%")
    Path("jobs").rename("first")
    shards(made, "--override-ini=ciopt_bench_fail=5%", "--deselect", TOTAL)
    assert main(("check", FLAG, "first", "jobs")) == 1
    assert f"benchmark {TOTAL}: FAIL: so slow (shard 2/2)" in said()


JUDGING = """\
import pytest
from pytest_ciopt.core.gates.verdict import Ruling, Verdict

@pytest.fixture(autouse=True, scope="session")
def judging():
    from pytest_ciopt.hooks import benching

    def judged(budgets, measured, *_):
        for test in budgets:
            if "total" in test:
                return [Verdict(f"benchmark {test}", Ruling.FAIL, "so slow")]
        return [Verdict("benchmarks", Ruling.UNKNOWN, "no base")]

    benching.judged = judged
"""
"""Stands for a duet in the shards."""


def test_where_nothing_can_be_measured(
    made: Project, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards(made)
    said()
    monkeypatch.setattr(judging, "find_spec", lambda name: None)
    assert main((*CHECK, FLAG)) == 0
    why = "pytest-benchmark is not installed where `ciopt check` runs"
    assert said() == [f"benchmarks: cannot tell: {OTHER}, {TOTAL}: {why}"]


def test_no_benchmark(project: MakeProject, said: Any) -> None:
    made = project({"tests/test_other.py": "def test_other(): pass\n"})
    shards(made)
    said()
    assert main((*CHECK, FLAG)) == 0
    assert said() == ["benchmarks: cannot tell: no benchmark was run"]


def test_a_plan_that_was_not_carried_out(made: Project, said: Any) -> None:
    shards(made)
    shutil.rmtree("jobs/2")
    assert main((*CHECK, FLAG)) == 1
    assert said()[-1] == "benchmarks: cannot tell: the shards did not run what was planned"


@pytest.mark.timeout(300)
def test_a_real_duet(made: Project, said: Any) -> None:
    plain, more = "price * 2 for price in prices", "price * 2 for price in prices for _ in range(8)"
    made.repository.replace("shop/cart.py", f"sum({plain})", f"sum({more}) // 8")
    made.repository.commit()
    shards(made)
    assert main((*CHECK, "--bench-fail=50%")) == 1
    assert said()[-2].startswith(f"benchmark {TOTAL}: FAIL: +")
    assert len(made.repository.git("worktree", "list").splitlines()) == 1


# --- durations -----------------------------------------------------------------------------------

SLEEPING = {
    "pytest.ini": "[pytest]\nciopt_duration_budget =\n    0.15 s\n    each tests/** -> 80 ms\n",
    "tests/test_a.py": "import time\ndef test_a(): time.sleep(0.1)\n",
    "tests/test_b.py": "import time\ndef test_b(): time.sleep(0.1)\n",
}


def test_budgets_of_time(project: MakeProject, said: Any) -> None:
    """Of all shards together, where the history agrees."""
    made = project(SLEEPING)
    for _ in range(3):
        made.run("--ciopt-record=results")
    shutil.copytree(".ciopt", "kept")
    shards(made)
    shutil.rmtree(".ciopt", ignore_errors=True)
    shutil.copytree("kept", ".ciopt")
    said()
    assert main(CHECK) == 1
    lines = said()
    assert lines[0].startswith("duration of all tests: FAIL: 0.2")
    assert lines[2].startswith("duration of each test of tests/**: FAIL: ")
    assert main((*CHECK, "--json")) == 1
    assert [one["ruling"] for one in json.loads("\n".join(said()))] == ["fail", "fail"]


def test_without_segments_nothing_is_said_of_time(project: MakeProject, said: Any) -> None:
    project(SLEEPING)
    Path("empty").mkdir()
    assert main(("check", "empty")) == 0
    assert said() == []
