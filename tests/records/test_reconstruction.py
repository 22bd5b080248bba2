"""What a whole run would have covered, from the tests that ran and what the others covered before.

Each case is held against a whole run of the same tree.
"""

import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from covered import OURS, Run, start, told

__all__ = ["start"]  # a fixture
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    ".coveragerc": "[run]\nsource = shop\nbranch = true\n",
    ".gitignore": ".coverage*\nreport.json\n",
    "shop/__init__.py": "",
    "shop/cart.py": """\
        from shop import money


        def total(prices):
            if not prices:
                return 0
            return money.exact(sum(prices))


        def discount(price, percent):
            if percent > 100:
                raise ValueError(percent)
            return money.exact(price * (100 - percent) / 100)
        """,
    "shop/money.py": """\
        UNIT = "EUR"


        def exact(amount):
            if amount < 0:
                return -exact(-amount)
            return amount
        """,
    "shop/stock.py": """\
        def load():
            return {"apple": 3}


        def count(stock, name):
            return stock.get(name, 0)
        """,
    "shop/unused.py": "x = 1\n",
    "tests/conftest.py": """\
        import pytest

        @pytest.fixture(scope="session")
        def stock():
            from shop.stock import load
            yield load()
        """,
    "tests/test_cart.py": """\
        from shop.cart import total

        def test_total(): assert total([1]) == 1
        def test_nothing(): assert total([]) == 0
        """,
    "tests/test_discount.py": """\
        from shop.cart import discount

        def test_discount(): assert discount(10, 50) == 5
        """,
    "tests/test_stock.py": """\
        def test_apple(stock): assert stock["apple"] == 3
        """,
    "tests/test_stock_too.py": """\
        from shop.stock import count

        def test_count(stock): assert count(stock, "pear") == 0
        """,
}
KEEP = ("--ciopt-cov-reconstruct", "--ciopt-record=deps")
CHANGED = (*KEEP, "--ciopt-changed=main~0")
Report = Mapping[str, tuple[list[int], list[list[int]]]]


@pytest.fixture
def made(project: MakeProject, start: Run) -> Project:
    """Whose first commit was run whole."""
    made = project(FILES)
    result = start(*OURS, *KEEP)
    assert result.ret == 0, str(result.stdout)
    return made


def reported(made: Project) -> Report:
    """Missing lines and branches by file, as coverage.py tells of the project's data."""
    done = made.pytester.run(sys.executable, "-m", "coverage", "json", "-q", "-o", "report.json")
    assert done.ret == 0, str(done.stdout)
    files = json.loads(Path("report.json").read_text())["files"]
    return {path: (f["missing_lines"], f.get("missing_branches", [])) for path, f in files.items()}


def whole(made: Project, start: Run) -> Report:
    assert start(*OURS, "--ciopt-record=off").ret in (0, 1)
    return reported(made)


def notes(result: pytest.RunResult) -> list[str]:
    return [line for line in told(result) if "reconstructed" in line or "exact" in line]


def edit_discount(made: Project) -> None:
    made.repository.replace("shop/cart.py", "if percent > 100", "if percent >= 101")


# --- what is carried over ------------------------------------------------------------------------


def test_only_what_changed_runs(made: Project, start: Run) -> None:
    edit_discount(made)
    result = start(*OURS, *CHANGED, "--ciopt-cov-fail-under=80.00")
    result.assert_outcomes(passed=1)
    assert told(result)[:2] == [
        "coverage: 80.00 %, reconstructed from 4 stored and 1 run tests",
        "coverage: pass: 80.00 %, 80.00 % required",
    ]
    assert reported(made) == whole(made, start)


def test_a_gate_fails_by_what_was_put_together(made: Project, start: Run) -> None:
    edit_discount(made)
    result = start(*OURS, *CHANGED, "--ciopt-cov-fail-under=80.01")
    assert result.ret == 1
    assert "coverage: FAIL: 80.00 %, 80.01 % required" in told(result)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('UNIT = "EUR"\n', '# of all prices\n\n\nUNIT = "EUR"  # so far\n'),
        ("    if amount < 0:\n", "    if (\n        amount\n        < 0\n    ):\n\n"),
        (
            "        return -exact(-amount)\n",
            "        return -exact(\n            -amount\n        )\n",
        ),
    ],
)
def test_lines_that_only_moved(made: Project, start: Run, old: str, new: str) -> None:
    made.repository.replace("shop/money.py", old, new)
    result = start(*OURS, *CHANGED)
    result.assert_outcomes()
    assert notes(result) == ["coverage: 80.00 %, reconstructed from 5 stored and 0 run tests"]
    assert reported(made) == whole(made, start)


def test_a_new_function_that_nobody_uses(made: Project, start: Run) -> None:
    new = "\n\nclass Tax:\n    rate = 19\n\n    def of(self, price):\n        return price\n"
    path = Path("shop/stock.py")
    path.write_text(path.read_text() + new)
    result = start(*OURS, *CHANGED)
    assert len(notes(result)) == 1
    assert reported(made) == whole(made, start)


def test_a_function_is_moved_within_its_file(made: Project, start: Run) -> None:
    head, first, second = Path("shop/stock.py").read_text().partition("def count")
    Path("shop/stock.py").write_text(f"{first}{second}\n\n{head}".rstrip() + "\n")
    assert notes(start(*OURS, *CHANGED))
    assert reported(made) == whole(made, start)


def test_a_changed_test_covers_less(made: Project, start: Run) -> None:
    made.repository.replace("tests/test_cart.py", "total([]) == 0", "total([2]) == 2")
    result = start(*OURS, *CHANGED)
    result.assert_outcomes(passed=1)
    assert notes(result) == ["coverage: 72.00 %, reconstructed from 4 stored and 1 run tests"]
    assert reported(made) == whole(made, start)


def test_a_test_is_gone(made: Project, start: Run) -> None:
    made.repository.replace("tests/test_cart.py", "def test_nothing(): assert total([]) == 0\n", "")
    assert "reconstructed from 4 stored and 0 run tests" in notes(start(*OURS, *CHANGED))[0]
    assert reported(made) == whole(made, start)


def test_a_shared_fixture_is_of_all_who_use_it(made: Project, start: Run) -> None:
    """The first one pays for it; it is gone, and the other one is not run."""
    Path("tests/test_stock.py").unlink()
    result = start(*OURS, *CHANGED)
    result.assert_outcomes()
    assert reported(made) == whole(made, start)


def test_a_module_that_a_test_imports_first(project: MakeProject, start: Run) -> None:
    late = "def test_late():\n    from shop import money\n    assert money.UNIT\n"
    soon = "def test_soon():\n    from shop.money import exact\n    assert exact(1)\n"
    made = project({**FILES, "tests/test_a.py": late, "tests/test_b.py": soon})
    made.repository.git("rm", "-q", "tests/test_cart.py", "tests/test_discount.py")
    made.repository.commit()
    assert start(*OURS, *KEEP).ret == 0
    Path("tests/test_a.py").write_text("def test_late(): pass\n")
    result = start(*OURS, *CHANGED)
    result.assert_outcomes(passed=1)
    assert reported(made) == whole(made, start)


# --- one on another ------------------------------------------------------------------------------


def test_selections_stand_on_each_other(made: Project, start: Run) -> None:
    first = made.repository.git("rev-parse", "HEAD")
    edit_discount(made)
    Path("tests/test_stock.py").unlink()
    made.repository.write(
        {"tests/test_zero.py": "from shop.cart import total\ndef test_0(): total([0])"}
    )
    second = made.repository.commit()
    assert notes(start(*OURS, *KEEP, f"--ciopt-changed={first}"))
    made.repository.replace("shop/money.py", "-exact(-amount)", "- exact(-1 * amount)")
    made.repository.replace("shop/stock.py", 'return {"apple"', '# all\n    return {"apple"')
    third = made.repository.commit()
    result = start(*OURS, *KEEP, f"--ciopt-changed={second}")
    result.assert_outcomes(passed=4)
    assert notes(result) == ["coverage: 80.00 %, reconstructed from 1 stored and 4 run tests"]
    assert reported(made) == whole(made, start)
    made.repository.replace("tests/test_zero.py", "[0]", "[7]")
    result = start(*OURS, *KEEP, f"--ciopt-changed={third}", "--ciopt-cov-no-drop")
    assert notes(result) == ["coverage: 80.00 %, reconstructed from 4 stored and 1 run tests"]
    assert f"coverage against the base: pass: 80.00 % now, 80.00 % at {third[:10]}" in told(result)


def test_shards_together_are_a_whole_run(project: MakeProject, start: Run) -> None:
    made = project(FILES)
    for shard in ("1/2", "2/2"):
        assert start(*OURS, *KEEP, f"--ciopt-shard={shard}").ret == 0
    edit_discount(made)
    result = start(*OURS, *CHANGED)
    assert notes(result) == ["coverage: 80.00 %, reconstructed from 4 stored and 1 run tests"]
    assert reported(made) == whole(made, start)


def test_a_shard_that_is_not_called_one_is_no_whole_run(
    project: MakeProject, start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(FILES)
    monkeypatch.setenv("CIOPT_RECORD_OMIT", "shards")
    assert start(*OURS, *KEEP, "--ciopt-shard=1/2").ret == 0
    edit_discount(made)
    (note,) = notes(start(*OURS, *CHANGED))
    assert note.startswith("coverage is not reconstructed: no run of ")


def test_a_test_that_ran_since_is_as_it_ran_then(made: Project, start: Run) -> None:
    """The selection takes that run for a proof, so nothing runs the second time."""
    made.repository.replace("tests/test_cart.py", "total([]) == 0", "total([2]) == 2")
    new = "from shop.money import exact\ndef test_less(): assert exact(-1) == -1\n"
    made.repository.write({"tests/test_money.py": new})
    start(*OURS, *CHANGED).assert_outcomes(passed=2)
    result = start(*OURS, *CHANGED)
    result.assert_outcomes()
    assert notes(result) == ["coverage: 80.00 %, reconstructed from 6 stored and 0 run tests"]
    assert reported(made) == whole(made, start)


def test_a_run_in_between_did_not_keep_it(made: Project, start: Run) -> None:
    made.repository.replace("tests/test_cart.py", "total([]) == 0", "total([2]) == 2")
    assert start("--ciopt-record=deps").ret == 0
    lines = notes(start(*OURS, *CHANGED))
    assert "nothing is stored of tests/test_cart.py::test_nothing" in lines[1]


def test_an_import_is_removed(made: Project, start: Run) -> None:
    made.repository.replace("shop/cart.py", "from shop import money\n", "")
    text = Path("shop/cart.py").read_text().replace("money.exact(", "(")
    Path("shop/cart.py").write_text(text)
    result = start(*OURS, *CHANGED)
    assert "  It may not be exact: perhaps only what is gone imported shop/money.py." in told(
        result
    )


def test_a_body_that_takes_another_way(project: MakeProject, start: Run) -> None:
    files = {
        "shop/flag.py": "FLAG = True\n",
        "shop/use.py": "from shop.flag import FLAG\nif FLAG:\n    A = 1\nelse:\n    A = 2\n",
        "tests/test_use.py": "from shop.use import A\ndef test_use(): assert A\n",
    }
    made = project({**FILES, **files})
    assert start(*OURS, *KEEP).ret == 0
    made.repository.write({"shop/flag.py": "FLAG = False\n"})
    start(*OURS, *CHANGED).assert_outcomes(passed=1)
    assert reported(made) == whole(made, start)


def test_functions_of_one_line(project: MakeProject, start: Run) -> None:
    files = {
        "shop/one.py": "def a(x): return x\n\ndef b(x):\n    return x + 1\n",
        "tests/test_a.py": "from shop.one import a\ndef test_a(): assert a(1) == 1\n",
        "tests/test_b.py": "from shop.one import b\ndef test_b(): assert b(1) == 2\n",
    }
    made = project({**FILES, **files})
    assert start(*OURS, *KEEP).ret == 0
    made.repository.replace("shop/one.py", "x + 1", "1 + x")
    start(*OURS, *CHANGED).assert_outcomes(passed=1)
    assert reported(made) == whole(made, start)


@pytest.mark.parametrize(
    "base", [("tests/test_cart.py",), ("-m", "not slow"), ("--ignore=tests/test_stock.py",)]
)
def test_the_base_was_asked_for_less(
    project: MakeProject, start: Run, base: tuple[str, ...]
) -> None:
    made = project(FILES)
    assert start(*OURS, *KEEP, *base).ret == 0
    edit_discount(made)
    assert "is not reconstructed" in told(start(*OURS, *CHANGED))[0]


def test_the_base_was_measured_otherwise(made: Project, start: Run) -> None:
    made.repository.write({".coveragerc": FILES[".coveragerc"] + "omit = shop/stock.py\n"})
    edit_discount(made)
    lines = told(start(*OURS, *CHANGED, "--ciopt-cov-fail-under=1"))
    assert "coverage.py was configured otherwise when the base was run" in lines[-1]


def test_data_of_tests_are_left_alone(project: MakeProject, start: Run) -> None:
    own = """\
        from coverage import CoverageData

        def test_own():
            data = CoverageData(no_disk=True)
            data.add_lines(line_data={"a.py": [1]})
            data.add_lines({"a.py": [2]})
            assert sorted(data.lines("a.py")) == [1, 2]
        """
    project({**FILES, "tests/test_own.py": own})
    start(*OURS, *KEEP).assert_outcomes(passed=6)


# --- beside others -------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.parametrize("theirs", [True, False])
def test_under_workers_and_pytest_cov(
    project: MakeProject, start: Run, workers: tuple[str, ...], theirs: bool
) -> None:
    made = project(FILES)
    measuring = ("-p", "pytest_cov", "--cov", "--cov-report=") if theirs else OURS
    assert start(*measuring, *workers, *KEEP).ret == 0
    before = reported(made)
    edit_discount(made)
    result = start(*measuring, *workers, *CHANGED, "--ciopt-cov-fail-under=80.00")
    result.assert_outcomes(passed=1)
    assert notes(result) == ["coverage: 80.00 %, reconstructed from 4 stored and 1 run tests"]
    assert before == whole(made, start)


def test_contexts_of_pytest_cov_stay(project: MakeProject, start: Run) -> None:
    project(FILES)
    theirs = ("-p", "pytest_cov", "--cov", "--cov-report=", "--cov-context=test")
    assert start(*theirs, "--ciopt-record=off").ret == 0
    before = _by_context()
    assert len(before) > 5
    assert start(*theirs, *KEEP).ret == 0
    assert _by_context() == before


def _by_context() -> set[tuple[object, ...]]:
    with closing(sqlite3.connect(".coverage")) as data:
        return set(
            data.execute(
                "SELECT context, path, fromno, tono FROM arc "
                "JOIN context ON context.id = context_id JOIN file ON file.id = file_id"
            )
        )


def test_tests_that_start_processes_run_always(project: MakeProject, start: Run) -> None:
    child = """\
        import subprocess, sys

        def test_child():
            code = "from shop import unused"
            subprocess.run([sys.executable, "-c", code], check=True)
        """
    rc = FILES[".coveragerc"] + "patch = subprocess\n"
    made = project({**FILES, ".coveragerc": rc, "tests/test_child.py": child})
    assert start(*OURS, *KEEP).ret == 0
    edit_discount(made)
    result = start(*OURS, *CHANGED)
    assert notes(result) == ["coverage: 84.00 %, reconstructed from 4 stored and 2 run tests"]
    assert reported(made) == whole(made, start)


def test_without_branches(project: MakeProject, start: Run) -> None:
    made = project({**FILES, ".coveragerc": "[run]\nsource = shop\n"})
    assert start(*OURS, *KEEP).ret == 0
    edit_discount(made)
    made.repository.replace("shop/money.py", "UNIT", "# always\nUNIT")
    assert len(notes(start(*OURS, *CHANGED))) == 1
    assert reported(made) == whole(made, start)


def test_names_of_files_may_be_relative(project: MakeProject, start: Run) -> None:
    rc = "[run]\nsource = shop\nbranch = true\nrelative_files = true\n"
    made = project({**FILES, ".coveragerc": rc})
    assert start(*OURS, *KEEP).ret == 0
    edit_discount(made)
    assert len(notes(start(*OURS, *CHANGED))) == 1
    assert reported(made) == whole(made, start)


# --- what cannot be told -------------------------------------------------------------------------


def test_nothing_is_stored(project: MakeProject, start: Run) -> None:
    made = project(FILES)
    assert start(*OURS, "--ciopt-record=deps").ret == 0
    edit_discount(made)
    base = made.repository.git("rev-parse", "--short=10", "HEAD")
    result = start(*OURS, *CHANGED, "--ciopt-cov-fail-under=99")
    assert result.ret == 0
    what = f"no run of {base}, the base, stored what each test covers"
    assert told(result) == [
        f"coverage is not reconstructed: {what}. Run it there with --ciopt-cov-reconstruct, and "
        "bring its history here.",
        f"coverage: cannot tell: it is of a part, and not reconstructed: {what}",
    ]


def test_a_core_that_sees_each_line_once(
    project: MakeProject, start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.version_info < (3, 12):
        pytest.skip("there is no such core before Python 3.12")
    project({**FILES, ".coveragerc": "[run]\nsource = shop\n"})
    monkeypatch.setenv("COVERAGE_CORE", "sysmon")
    result = start(*OURS, *KEEP)
    assert result.ret == 0
    why = "coverage.py's core SysMonitor sees each line only once: set core = ctrace"
    assert told(result) == [f"what tests cover is not kept: {why}"]


def test_narrowed_runs_store_nothing(project: MakeProject, start: Run) -> None:
    made = project(FILES)
    assert start(*OURS, *KEEP, "-k", "total").ret == 0
    edit_discount(made)
    assert "is not reconstructed" in told(start(*OURS, *CHANGED))[0]


def test_a_selection_that_was_narrowed(made: Project, start: Run) -> None:
    edit_discount(made)
    found = told(start(*OURS, *CHANGED, "-k", "discount"))
    assert found == ["coverage is not reconstructed: the run was narrowed with -k"]


def test_an_error_of_ours_is_told(
    made: Project, start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It neither breaks the run nor goes unnoticed, be no gate asked for."""
    plugin = "from pytest_ciopt.hooks import rebuilding\nrebuilding.rebuild = lambda *_: 1 / 0\n"
    (made.pytester.path / "broken.py").write_text(plugin)
    monkeypatch.setenv("PYTHONPATH", str(made.pytester.path))
    edit_discount(made)
    result = start(*OURS, *CHANGED, "-p", "broken")
    assert result.ret == 0
    why = "pytest-ciopt failed with ZeroDivisionError: division by zero"
    assert told(result) == [f"coverage: cannot tell: {why}"]


def test_an_error_of_ours_while_measuring_loses_nothing(
    project: MakeProject, start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(FILES)
    plugin = """\
from pytest_ciopt.core.coverage.interning import Interning

number, seen = Interning.number, []

def broken(self, path, elements):
    seen.append(path)
    return number(self, path, elements) if len(seen) < 4 else 1 / 0

Interning.number = broken
"""
    (made.pytester.path / "broken.py").write_text(plugin)
    monkeypatch.setenv("PYTHONPATH", str(made.pytester.path))
    result = start(*OURS, *KEEP, "-p", "broken")
    result.assert_outcomes(passed=5)
    why = "what tests cover is not kept: ZeroDivisionError: division by zero"
    assert told(result) == [why]
    assert reported(made) == whole(made, start)
