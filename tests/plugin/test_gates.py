"""Gates judge what a whole run covered and what of a change, and nothing that they cannot tell."""

import json
import sys
from pathlib import Path

import pytest

from conftest import QUIET, MakeProject, Project
from covered import COVERED, FILES, OURS, Run, run, start, told
from pytest_ciopt.adapters.history.reader import lines
from pytest_ciopt.cli.main import main
from pytest_ciopt.core.history.decoding import decoded
from pytest_ciopt.core.history.records import RunEnd
from pytest_ciopt.core.history.totals import Totals

__all__ = ["run", "start"]  # fixtures
THEIRS = ("-p", "pytest_cov", "--cov")


@pytest.fixture
def made(project: MakeProject) -> Project:
    return project(FILES)


# --- the total -----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.parametrize("measuring", [OURS, THEIRS])
def test_the_total(run: Run, measuring: tuple[str, ...], workers: tuple[str, ...]) -> None:
    result = run(*measuring, *workers, "--ciopt-cov-fail-under=66.67")
    assert result.ret == 1
    result.assert_outcomes(passed=2)
    line, most = [line for line in told(result) if "cover" in line or "missing" in line]
    assert line == f"coverage: FAIL: {COVERED}, 66.67 % required"
    assert most == "  Most lines are missing in shop/cart.py (1), shop/unused.py (1)."
    assert run(*measuring, *workers, "--ciopt-cov-fail-under=66.66").ret == 0
    assert Path(".coverage").exists()


def test_measured_by_coverage_run(made: Project) -> None:
    options = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", *QUIET)
    module = (
        "-m",
        "pytest",
        *options,
        "-c",
        "pytest.ini",
        "--override-ini=ciopt_cov_fail_under=99",
    )
    result = made.pytester.runpython_c(
        "import sys\nfrom coverage.cmdline import main\n"
        f"sys.argv[:] = {['coverage', 'run', *module]!r}\nsys.exit(main())"
    )
    assert result.ret == 1
    assert told(result)[0] == f"coverage: FAIL: {COVERED}, 99 % required"
    report = made.pytester.run(sys.executable, "-m", "coverage", "report", "--precision=2")
    assert report.outlines[-1].endswith("66.67%")


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_runs_within_tests_measure_for_themselves(
    made: Project, run: Run, workers: tuple[str, ...]
) -> None:
    """They leave what the outer run has measured alone, and are none of its workers."""
    inner = f"""
        import subprocess, sys

        def test_inner(tmp_path):
            (tmp_path / "test_in.py").write_text("def test_it(): pass")
            flags = {["-p", "pytest_ciopt.plugin", "-p", "no:cacheprovider", *OURS]!r}
            command = [sys.executable, "-m", "pytest", *flags]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout
        """
    made.repository.write({"tests/test_inner.py": inner})
    result = run(*OURS, *workers, "--ciopt-cov-fail-under=66.67")
    result.assert_outcomes(passed=3)
    assert told(result)[0] == f"coverage: FAIL: {COVERED}, 66.67 % required"


def test_groups_in_the_ini_file(made: Project, run: Run) -> None:
    limits = "ciopt_cov_fail_under =\n    50\n    shop/** -> 60\n    each shop/*.py -> 80\n"
    made.repository.write({"pytest.ini": FILES["pytest.ini"] + limits})
    result = run(*OURS)
    assert result.ret == 1
    assert told(result) == [
        f"coverage: pass: {COVERED}, 50 % required",
        f"coverage of shop/**: pass: {COVERED}, 60 % required",
        "coverage of each shop/*.py: FAIL: below 80 %: shop/cart.py 75.00 %, shop/unused.py 0.00 %",
        "  not covered: shop/cart.py:3",
        "  not covered: shop/unused.py:1",
        "  Test the lines above.",
    ]


def test_gates_of_the_ini_file_say_nothing_where_nothing_is_measured(
    made: Project, run: Run
) -> None:
    made.repository.write({"pytest.ini": FILES["pytest.ini"] + "ciopt_cov_fail_under = 99\n"})
    result = run()
    assert result.ret == 0
    assert told(result) == []
    assert run(*THEIRS).ret == 1
    assert run(*THEIRS, "--no-cov").ret == 0


def test_a_failing_test_stays_the_first_thing(made: Project, run: Run) -> None:
    made.repository.replace("tests/test_cart.py", "== 1", "== 2")
    result = run(*OURS, "--ciopt-cov-fail-under=99")
    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)
    text = result.stdout.str()
    assert text.index("= FAILURES =") < text.index("= gates (ciopt) =")


def test_warnings_that_are_errors(run: Run) -> None:
    """A database left open would be one."""
    for workers in ((), ("-n2",)):
        result = run(*OURS, *workers, "-W", "error", "--ciopt-cov-fail-under=60")
        assert result.ret == 0, result.stdout.str() + result.stderr.str()
        result.assert_outcomes(passed=2)


# --- runs that are not whole ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-k", "total"), "the run was narrowed with -k"),
        (("tests/test_cart.py",), "the run was narrowed to tests/test_cart.py"),
        (("--deselect=tests/test_cart.py",), "the run was narrowed with --deselect"),
        (("--ciopt-shard=1/2",), "this is shard 1/2"),
        (("--ciopt-changed",), "only the tests ran that the change can affect"),
    ],
)
def test_what_a_part_covers_is_no_total(run: Run, arguments: tuple[str, ...], why: str) -> None:
    result = run(*OURS, *arguments, "--ciopt-cov-fail-under=99", "--ciopt-cov-no-drop")
    assert result.ret == 0
    assert told(result) == [
        f"coverage: cannot tell: {why}",
        f"coverage against the base: cannot tell: {why}",
    ]


def test_a_run_that_is_cut_short(made: Project, run: Run) -> None:
    made.repository.replace("tests/test_cart.py", "== 1", "== 2")
    result = run(*OURS, "-x", "--ciopt-cov-fail-under=99")
    assert told(result)[-1] == "coverage: cannot tell: the run was cut short"


def test_a_module_that_cannot_be_collected(made: Project, run: Run) -> None:
    made.repository.write({"tests/test_broken.py": "import nothing_of_the_kind\n"})
    options = ("--continue-on-collection-errors", "--ciopt-cov-fail-under=99")
    result = run(*OURS, *options)
    assert result.ret == 1
    assert "coverage: cannot tell: not all test modules could be collected" in told(result)


def test_markers_are_meant_where_the_gate_is_asked_for_beside_them(made: Project, run: Run) -> None:
    assert run(*OURS, "-m", "not slow", "--ciopt-cov-fail-under=99").ret == 1
    made.repository.write({"pytest.ini": FILES["pytest.ini"] + "ciopt_cov_fail_under = 99\n"})
    assert run(*OURS, "-m", "not slow").ret == 0
    assert run(*OURS, "tests").ret == 0
    assert run(*OURS, "tests", "--ciopt-cov-fail-under=99").ret == 1


def test_collecting_measures_nothing(run: Run) -> None:
    result = run(*OURS, "--co", "--ciopt-cov-fail-under=99")
    assert result.ret == 0
    assert told(result) == []


# --- the change ----------------------------------------------------------------------------------

EDITED = (
    FILES["shop/cart.py"].replace("return 0", "return 0.0").replace("sum(prices)", "sum(prices, 0)")
)


@pytest.mark.parametrize("selecting", [(), ("--ciopt-changed",)])
def test_changed_lines(made: Project, run: Run, selecting: tuple[str, ...]) -> None:
    """A selection runs all that can cover what changed, so that it can be told."""
    made.repository.write({"shop/cart.py": EDITED})
    result = run(*OURS, *selecting, "--ciopt-patch-fail-under=51")
    assert result.ret == 1
    assert told(result) == [
        "patch coverage: FAIL: 50.00 % of 2 changed lines, 51 % required",
        "  not covered: shop/cart.py:3",
        "  Test the lines above.",
    ]
    assert run(*OURS, *selecting, "--ciopt-patch-fail-under=50").ret == 0


def test_changed_lines_with_fewer_tests_cannot_be_told(made: Project, run: Run) -> None:
    made.repository.write({"shop/cart.py": EDITED})
    result = run(*OURS, "-k", "discount", "--ciopt-patch-fail-under=99")
    assert result.ret == 0
    assert told(result)[-1] == "patch coverage: cannot tell: the run was narrowed with -k"


def test_a_project_that_is_imported_from_elsewhere_passes_nothing(made: Project, run: Run) -> None:
    """As one that is installed, and not from the checkout: what changed is not what ran."""
    made.repository.write({"shop/cart.py": EDITED, ".coveragerc": "[run]\nsource = tests\n"})
    result = run(*OURS, "--ciopt-patch-fail-under=99")
    assert result.ret == 0
    why = "patch coverage: cannot tell: no changed file is measured: shop/cart.py"
    assert told(result)[0] == why


def test_a_new_file_that_nobody_imports(made: Project, run: Run) -> None:
    made.repository.write({"shop/new.py": "x = (\n    1\n)\n"})
    result = run(*OURS, "--ciopt-patch-fail-under=1")
    assert "  not covered: shop/new.py:1" in told(result)


def test_gitlab_gets_a_report(made: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is no change of the next run."""
    made.repository.replace("shop/cart.py", "return 0", "return 1 - 1")
    monkeypatch.setenv("CIOPT_BASE", "HEAD")
    quality = ("--ciopt-code-quality=out/quality.json", "--ciopt-changed")
    for _ in range(2):
        assert run(*OURS, "--ciopt-patch-fail-under=51", *quality).ret == 1
        (issue,) = json.loads(Path("out/quality.json").read_text())
        assert issue["location"] == {"path": "shop/cart.py", "lines": {"begin": 3, "end": 3}}
        assert issue["description"] == "patch coverage: not covered"
    assert run(*quality).ret == 0
    assert json.loads(Path("out/quality.json").read_text()) == []


def test_a_report_that_cannot_be_written(made: Project, run: Run) -> None:
    result = run("--ciopt-code-quality=shop")
    assert result.ret == 0
    assert told(result) == ["--ciopt-code-quality: shop cannot be written: Is a directory"]


def test_github_marks_the_lines(made: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made.repository.write({"shop/cart.py": EDITED})
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("CIOPT_BASE", "HEAD")
    result = run(*OURS, "--ciopt-patch-fail-under=51")
    where = "file=shop/cart.py,line=3,endLine=3"
    assert f"::warning {where},title=patch coverage::not covered" in result.outlines


def test_without_a_repository(made: Project, run: Run) -> None:
    made.repository.root.joinpath(".git").rename(made.pytester.path / "git")
    result = run(*OURS, "--ciopt-patch-fail-under=99", "--ciopt-cov-no-drop")
    assert result.ret == 0
    why = "cannot tell: this is no git repository"
    assert told(result) == [
        f"patch coverage: {why}",
        f"coverage against the base: {why}",
    ]


# --- the base ------------------------------------------------------------------------------------


def test_no_drop(made: Project, run: Run) -> None:
    base = made.repository.git("rev-parse", "HEAD")
    flags = (*OURS, "--ciopt-cov-no-drop")
    first = run(*flags)
    assert first.ret == 0
    assert told(first)[-2].startswith("coverage against the base: cannot tell: no whole run")
    made.repository.git("checkout", "-q", "-b", "work")
    made.repository.commit({"README.md": "x"})
    made.repository.write({"shop/more.py": "x = 1\ny = 2\n"})
    result = run(*flags)
    assert result.ret == 1
    why = f"54.54 % now, {COVERED} at {base[:10]}"
    assert told(result)[-2] == f"coverage against the base: FAIL: {why}"
    assert run(*OURS, "--ciopt-cov-no-drop=12.2").ret == 0
    assert run(*OURS, "--ciopt-cov-no-drop", "tests").ret == 1, "the folder is no value"


def test_the_nearest_commit_before_the_base_counts(made: Project, run: Run) -> None:
    """A run of what is not committed does not."""
    before = made.repository.git("rev-parse", "HEAD")
    assert run(*OURS).ret == 0
    made.repository.commit({"README.md": "x"})
    made.repository.write({"shop/more.py": "x = 1\n" * 50})
    assert run(*OURS).ret == 0
    made.repository.root.joinpath("shop/more.py").unlink()
    result = run(*OURS, "--ciopt-cov-no-drop")
    why = f"{COVERED} now, {COVERED} at {before[:10]}, 1 before the base"
    assert told(result)[-1] == f"coverage against the base: pass: {why}"


# --- where verdicts go ---------------------------------------------------------------------------


def test_history_and_document(made: Project, run: Run) -> None:
    limits = ("--ciopt-cov-fail-under=99", "--ciopt-patch-fail-under=10")
    assert run(*OURS, *limits, "--ciopt-json=decisions.json").ret == 1
    (segment,) = Path(".ciopt/segments").iterdir()
    end = decoded(list(lines(segment))[-1])
    assert isinstance(end, RunEnd)
    assert end.exit_status == 1
    assert end.coverage == Totals(7, 5, 2, 1)
    assert [(one.gate, one.ruling) for one in end.verdicts] == [
        ("coverage", "fail"),
        ("patch coverage", "pass"),
    ]
    document = json.loads(Path("decisions.json").read_text())
    assert [gate["ruling"] for gate in document["gates"]] == ["fail", "pass"]
    assert main(("history", "show")) == 0


def test_quiet_runs_hear_of_failures_only(run: Run) -> None:
    assert told(run("-q", *OURS, "--ciopt-cov-fail-under=1")) == []
    assert told(run("-q", *OURS, "--ciopt-cov-fail-under=99"))[0].startswith("coverage: FAIL")


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--ciopt-cov-fail-under=much", "--ciopt-cov-fail-under is 'much'. Write a percentage"),
        ("--ciopt-patch-fail-under=101", "--ciopt-patch-fail-under is '101'"),
        ("--ciopt-cov-no-drop=-1", "--ciopt-cov-no-drop is '-1'"),
        ("--override-ini=ciopt_cov_fail_under=-> 8", "ciopt_cov_fail_under has the line '-> 8'"),
    ],
)
def test_values_that_mean_nothing(run: Run, argument: str, said: str) -> None:
    result = run(argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}*".replace("[", "[[]")])


def test_without_coverage(made: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made.pytester.mkdir("without")
    (folder / "without.py").write_text("import sys\nsys.modules['coverage'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    result = run("-p", "without", *OURS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: coverage.py is not installed. Install it: *ciopt*cov*"])


def test_a_configuration_that_coverage_refuses(made: Project, run: Run) -> None:
    made.repository.write({".coveragerc": "[run]\nbranch = perhaps\n"})
    result = run(*OURS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: coverage.py cannot be configured: *perhaps*"])


def test_an_error_of_ours_fails_nothing(
    made: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made.pytester.mkdir("broken")
    (folder / "broken.py").write_text(
        "from pytest_ciopt.hooks import covering\ncovering.judged = None\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))
    result = run("-p", "broken", *OURS, "--ciopt-cov-fail-under=99")
    assert result.ret == 0
    result.assert_outcomes(passed=2)
    why = "pytest-ciopt failed with TypeError: 'NoneType' object is not callable"
    assert told(result)[-1] == f"coverage: cannot tell: {why}"


# --- gates of the project ------------------------------------------------------------------------

OWN = """
    import pytest

    @pytest.hookimpl(optionalhook=True)
    def pytest_ciopt_gates(session, partial):
        {}
    """


def own(project: MakeProject, body: str, *arguments: str) -> tuple[int, list[str]]:
    files = {
        "conftest.py": OWN.format(body),
        "test_it.py": "def test_it(): pass\ndef test_2(): pass",
    }
    result = project(files).run(*arguments)
    return result.ret, told(result)


def test_a_gate_of_the_project_passes(project: MakeProject) -> None:
    code, lines = own(project, "yield 'size', True, f'{session.testscollected} of {partial}'")
    assert (code, lines) == (0, ["size: pass: 2 of None"])


def test_a_gate_of_the_project_fails(project: MakeProject) -> None:
    body = "return [('size', False, 'too large'), ('age', None, f'{partial}')]"
    code, lines = own(project, body, "-k", "test_it")
    assert code == 1
    assert lines == ["size: FAIL: too large", "age: cannot tell: the run was narrowed with -k"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return [('size', 7, 'why')]", "('size', 7, 'why') is no (name, whether it passes, why)"),
        ("return [1 / 0]", "the hook failed with ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_no_verdict_fails_nothing(project: MakeProject, body: str, why: str) -> None:
    code, lines = own(project, body)
    assert code == 0
    assert lines == [f"pytest_ciopt_gates: cannot tell: {why}", "  Mend the conftest."]


def test_a_hook_without_gates(project: MakeProject) -> None:
    assert own(project, "return None") == (0, [])
