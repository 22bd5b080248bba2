"""The gate on benchmarks. Figures of duets are put in, but for one that is real."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from benched import FILES, TOTAL, FakeTrees, recorded, run
from conftest import MakeProject, Project
from covered import told
from pytest_ciopt.adapters.duet.child import NotMeasured
from pytest_ciopt.hooks import benching
from repository import repository

FLAG = "--ciopt-bench-fail=5%"
Figures = Mapping[str, float | str]
Given = Callable[[Figures, Figures], FakeTrees]


@pytest.fixture
def made(project: MakeProject) -> Project:
    """On a branch, one commit after the base."""
    made = project(FILES)
    made.repository.git("switch", "--quiet", "-c", "topic")
    made.repository.commit({"docs/notes.md": ""})
    return made


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Puts in what a duet measures of head and base."""

    def give(head: Figures, base: Figures) -> FakeTrees:
        fake = FakeTrees(head, base)

        @contextmanager
        def opened(config: object, commit: str) -> Iterator[FakeTrees]:
            fake.commits.append(commit)
            yield fake

        monkeypatch.setattr(benching, "opened", opened)
        return fake

    return give


def here(made: Project, *arguments: str) -> pytest.RunResult:
    """In this process."""
    return made.run("-p", "benchmark", *arguments)


def test_what_is_slower_fails(made: Project, given: Given) -> None:
    fake = given({TOTAL: 1.06}, {TOTAL: 1.0})
    result = here(made, FLAG, f"--ciopt-json={made.decisions_file}")
    assert result.ret == 1
    result.assert_outcomes(passed=2)
    assert told(result) == [
        f"benchmark {TOTAL}: FAIL: +6.0 % (+6.0 % to +6.0 % in 93%, 8 pairs, cpu clock; seen from "
        "+3.0 % on), 5.0 % allowed",
        "  Make it faster, or allow more with @pytest.mark.ciopt_bench(fail=...).",
    ]
    assert fake.commits == [made.repository.git("rev-parse", "main")]
    result.stdout.fnmatch_lines([f"ciopt: 1 benchmark is measured against {fake.commits[0][:10]}"])
    (verdict,) = json.loads(made.decisions_file.read_text())["gates"]
    assert (verdict["gate"], verdict["ruling"]) == (f"benchmark {TOTAL}", "fail")
    (end,) = recorded("end")
    assert end["verdicts"][0][:2] == [f"benchmark {TOTAL}", "fail"]
    assert [line["id"] for line in recorded()] == [TOTAL]


def test_what_is_not_slower_passes(made: Project, given: Given) -> None:
    given({TOTAL: 1.02}, {TOTAL: 1.0})
    result = here(made, FLAG)
    assert result.ret == 0
    (line,) = told(result)
    assert line.startswith("benchmarks: pass: 1 of 1 are no slower (1 measured against ")


@pytest.mark.parametrize(("budget", "code"), [("10%", 0), ("40 ms", 1), ("200 ms", 0)])
def test_a_budget_of_its_own(made: Project, given: Given, budget: str, code: int) -> None:
    marker = f"import pytest\n\n@pytest.mark.ciopt_bench(fail={budget!r})\ndef test_total("
    made.repository.replace("tests/test_speed.py", "def test_total(", marker)
    given({TOTAL: 1.056}, {TOTAL: 1.0})
    result = here(made, FLAG, "--strict-markers")
    assert result.ret == code
    assert ("FAIL" in told(result)[0]) is bool(code)


def test_what_is_too_noisy(made: Project, given: Given) -> None:
    fake = given({TOTAL: 1.0}, {TOTAL: 1.0})
    fake.noise = 0.3
    result = here(made, FLAG)
    assert result.ret == 0
    assert told(result)[0].startswith(f"benchmark {TOTAL}: cannot tell: too noisy: ")


def test_what_is_new(made: Project, given: Given) -> None:
    given({TOTAL: 1.0}, {})
    result = here(made, FLAG)
    assert result.ret == 0
    assert told(result) == [f"benchmarks: pass: 0 of 1 are no slower; new: {TOTAL}"]


def test_what_breaks_in_the_base(made: Project, given: Given) -> None:
    given({TOTAL: 1.0}, {TOTAL: "ImportError: no"})
    result = here(made, FLAG)
    assert result.ret == 0
    assert told(result) == [f"benchmark {TOTAL}: cannot tell: in the base ImportError: no"]


def test_what_cannot_be_measured(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(*_: object) -> Iterator[FakeTrees]:
        raise NotMeasured("the base's code is not what is imported: shop comes from elsewhere")
        yield

    monkeypatch.setattr(benching, "opened", opened)
    result = here(made, FLAG)
    assert result.ret == 0
    why = "the base's code is not what is imported: shop comes from elsewhere"
    assert told(result) == [f"benchmarks: cannot tell: {TOTAL}: {why}"]


def test_interrupted(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session ends as one that was interrupted, and is recorded to its end."""

    @contextmanager
    def opened(*_: object) -> Iterator[FakeTrees]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(benching, "opened", opened)
    result = here(made, FLAG)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert told(result) == ["benchmarks: cannot tell: the measuring was interrupted"]
    assert recorded("end")[0]["exit"] == 2


def test_an_error_of_ours(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benching, "judged", lambda *_: 1 // 0)
    result = here(made, FLAG)
    assert result.ret == 0
    (line,) = told(result)
    assert line.startswith("benchmarks: cannot tell: pytest-ciopt failed with ZeroDivisionError")


@pytest.mark.parametrize("changed", ["docs/notes.md", "tests/test_other.py"])
def test_a_selection(made: Project, given: Given, changed: str) -> None:
    """What the change cannot reach is not measured, whether nothing runs or something."""
    fake = given({TOTAL: 1.06}, {TOTAL: 1.0})
    made.repository.write({changed: "def test_other(): assert 1\n"})
    result = here(made, FLAG, "--ciopt-changed")
    assert (result.ret, fake.asked) == (0, [])
    assert told(result) == ["benchmarks: pass: the change can affect no benchmark"]
    made.repository.replace("shop/cart.py", "* 2", "* 2 * 1")
    assert here(made, FLAG, "--ciopt-changed").ret == 1


# --- the history ---------------------------------------------------------------------------------


def test_the_history_clears(made: Project, given: Given) -> None:
    """Runs of the base count, those of the change do not."""
    fake = given({TOTAL: 1.0}, {TOTAL: 1.0})
    made.repository.git("switch", "--quiet", "main")
    for _ in range(3):
        assert here(made, "--ciopt-record=results").ret == 0
    made.repository.git("switch", "--quiet", "topic")
    result = here(made, "--ciopt-bench-fail=400%")
    assert told(result) == ["benchmarks: pass: 1 of 1 are no slower (1 by the history)"]
    assert fake.asked == []


def test_the_change_does_not_become_the_usual(made: Project, given: Given) -> None:
    fake = given({TOTAL: 1.0}, {TOTAL: 1.0})
    for _ in range(3):
        assert here(made, "--ciopt-record=results").ret == 0
    here(made, "--ciopt-bench-fail=400%")
    assert len(fake.asked) == 8


def test_an_unreadable_history(made: Project, given: Given) -> None:
    given({TOTAL: 1.0}, {TOTAL: 1.0})
    here(made, "--ciopt-record=results")
    for segment in Path(".ciopt/segments").iterdir():
        segment.write_bytes(b"damaged")
    assert here(made, FLAG).ret == 0


# --- nothing to compare with ---------------------------------------------------------------------


def test_the_base_itself(made: Project, given: Given) -> None:
    fake = given({TOTAL: 2.0}, {TOTAL: 1.0})
    made.repository.git("switch", "--quiet", "main")
    result = here(made, FLAG)
    assert (result.ret, fake.asked) == (0, [])
    why = "this is the base itself, and nothing differs from it"
    assert told(result) == [f"benchmarks: pass: {why}"]
    made.repository.write({"shop/other.py": "x = 1\n"})
    assert here(made, FLAG).ret == 1


def test_no_base(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIOPT_BASE", "nowhere")
    result = here(made, FLAG)
    assert result.ret == 0
    assert told(result)[0] == (
        "benchmarks: cannot tell: cannot compare with 'nowhere': the commit is not in this clone"
    )


def test_no_git(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(pytester.path.parent))
    made = repository(pytester.path / "plain", FILES)
    made.git("rev-parse", "HEAD")
    (made.root / ".git").rename(pytester.path / "gone")
    monkeypatch.chdir(made.root)
    result = here(Project(made, pytester, pytester.path / "decisions.json"), FLAG)
    assert result.ret == 0
    assert told(result) == ["benchmarks: cannot tell: this is no git repository"]


# --- runs that are not judged --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("tests/test_other.py",), 0, ["benchmarks: cannot tell: no benchmark was run"]),
        (("--benchmark-disable",), 0, ["benchmarks: cannot tell: benchmarks are disabled"]),
        (("--benchmark-skip",), 0, ["benchmarks: cannot tell: no benchmark was run"]),
        (("--co",), 0, []),
        (("-k", "nothing"), 5, ["benchmarks: cannot tell: no benchmark was run"]),
    ],
)
def test_nothing_was_measured(
    made: Project, given: Given, arguments: tuple[str, ...], code: int, said: list[str]
) -> None:
    fake = given({TOTAL: 2.0}, {TOTAL: 1.0})
    result = here(made, FLAG, *arguments)
    assert (result.ret, told(result), fake.asked) == (code, said, [])


def test_without_pytest_benchmark(made: Project) -> None:
    ini = "--override-ini=addopts="
    result = made.run(FLAG, ini, "tests/test_other.py")
    assert told(result) == ["benchmarks: cannot tell: pytest-benchmark is not loaded"]
    assert told(made.run("--override-ini=ciopt_bench_fail=5%", ini, "tests/test_other.py")) == []


@pytest.mark.parametrize(
    ("test", "code", "said"),
    [("assert 0", 1, "tests failed"), ("import pytest; pytest.exit('now')", 2, "the run was cut")],
)
def test_runs_that_do_not_succeed(
    made: Project, given: Given, test: str, code: int, said: str
) -> None:
    fake = given({TOTAL: 2.0}, {TOTAL: 1.0})
    made.repository.write({"tests/test_then.py": f"def test_then(): {test}\n"})
    result = here(made, FLAG)
    assert (result.ret, fake.asked) == (code, [])
    assert told(result)[0].startswith(f"benchmarks: cannot tell: {said}")


def test_a_benchmark_that_failed_is_not_judged(made: Project, given: Given) -> None:
    fake = given({TOTAL: 2.0}, {TOTAL: 1.0})
    made.repository.replace("tests/test_speed.py", "== 39800", "== 0")
    assert here(made, FLAG, "--maxfail=9").ret == 1
    assert fake.asked == []


@pytest.mark.parametrize(
    ("source", "said"),
    [("flag", "--ciopt-bench-fail is 'fast'"), ("ini", "ciopt_bench_fail is 'fast'")],
)
def test_budgets_that_mean_nothing(made: Project, source: str, said: str) -> None:
    option = "--ciopt-bench-fail" if source == "flag" else "--override-ini=ciopt_bench_fail"
    result = here(made, f"{option}=fast")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}*"])


def test_a_marker_that_means_nothing(made: Project, given: Given) -> None:
    given({TOTAL: 1.0}, {TOTAL: 1.0})
    marker = "import pytest\n\n@pytest.mark.ciopt_bench(fail='fast')\ndef test_total("
    made.repository.replace("tests/test_speed.py", "def test_total(", marker)
    result = here(made, FLAG)
    assert result.ret == 0
    assert told(result)[0].startswith(f"benchmarks: cannot tell: ciopt_bench of {TOTAL} is 'fast'")


def test_where_it_is_said(made: Project, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given({TOTAL: 1.06}, {TOTAL: 1.0})
    assert here(made, "--override-ini=ciopt_bench_fail=5%").ret == 1
    monkeypatch.setenv("CIOPT_BENCH_FAIL", "20%")
    assert here(made, "--override-ini=ciopt_bench_fail=5%").ret == 0
    assert here(made, FLAG).ret == 1


# --- real duets ----------------------------------------------------------------------------------


@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [(), ("-n2", "--dist=loadgroup")])
def test_four_times_the_work(made: Project, workers: tuple[str, ...]) -> None:
    """Under workers the benchmarks run apart, and are recorded as well."""
    plain = "sum(price * 2 for price in prices)"
    more = "sum(price * 2 for price in prices for _ in range(4)) // 4"
    made.repository.replace("shop/cart.py", plain, more)
    marker = "import pytest\n\n@pytest.mark.xdist_group('speed')\ndef test_total("
    made.repository.replace("tests/test_speed.py", "def test_total(", marker)
    result = run(made, "--ciopt-bench-fail=50%", *workers)
    assert result.ret == 1
    (verdict, _) = told(result)
    assert verdict.startswith(f"benchmark {TOTAL}: FAIL: +")
    assert verdict.endswith(", 50.0 % allowed")
    assert [line["id"] for line in recorded()] == [TOTAL]
    assert len(made.repository.git("worktree", "list").splitlines()) == 1


def test_what_breaks_without_workers(made: Project, given: Given) -> None:
    """And what asks for the fixture only."""
    made.repository.write(
        {
            "tests/test_alone.py": """\
                import os

                def test_alone(benchmark):
                    assert "PYTEST_XDIST_WORKER" in os.environ
                    benchmark(len, "")

                def test_unused(benchmark): pass
                """,
            "tests/test_speed.py": "",
        }
    )
    result = run(made, FLAG, "-n1")
    assert result.ret == 0
    (line, *_) = told(result)
    assert line.startswith(
        "benchmark tests/test_alone.py::test_alone: cannot tell: measured alone, "
    )


def test_workers_without_the_flag(made: Project) -> None:
    result = run(made, "--override-ini=ciopt_bench_fail=5%", "-n2")
    assert result.ret == 0
    assert told(result) == [
        "benchmarks: cannot tell: workers measure no benchmarks: say --ciopt-bench-fail to measure "
        "them apart"
    ]


def test_workers_in_ci_without_the_flag(
    made: Project, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is configured is meant there, whatever it costs."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("CIOPT_BASE", "HEAD")
    result = run(made, "--override-ini=ciopt_bench_fail=5%", "-n2")
    why = "this is the base itself, and nothing differs from it"
    assert told(result) == [f"benchmarks: pass: {why}"]
    result.stdout.fnmatch_lines(["ciopt: 1 measured without workers"])


def test_a_shard_judges_its_own(made: Project, given: Given) -> None:
    fake = given({TOTAL: 1.06}, {TOTAL: 1.0})
    codes = {here(made, FLAG, f"--ciopt-shard={k}/2").ret for k in (1, 2)}
    assert codes == {0, 1}
    assert {wanted.tests for _, wanted in fake.asked} == {frozenset((TOTAL,))}
