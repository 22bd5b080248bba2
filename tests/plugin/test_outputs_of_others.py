"""What others write or judge in a run: JUnit XML, coverage, items of other collectors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import MakeProject, Project

SHOP = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop/__init__.py": "",
    "shop/prices.py": "def price(n):\n    return 2 * n\n",
    "shop/stock.py": "def stock():\n    return 3\n",
    "tests/test_cart.py": """
        from shop.prices import price

        def test_cart():
            assert price(1) == 2

        def test_empty():
            assert price(0) == 0
        """,
    "tests/test_stock.py": """
        from shop.stock import stock

        def test_stock():
            assert stock() == 3
        """,
}
CART, EMPTY = "tests/test_cart.py::test_cart", "tests/test_cart.py::test_empty"
DISTRIBUTED = pytest.mark.parametrize("more", [(), ("-n2",)], ids=["one process", "xdist"])


@pytest.fixture
def shop(project: MakeProject) -> Project:
    return project(SHOP)


# --- JUnit XML -----------------------------------------------------------------------------------


def cases(path: Path) -> tuple[dict[str, str], list[str]]:
    """Counts of the test suite, and names of its cases."""
    suite = ElementTree.parse(path).getroot().find("testsuite")
    assert suite is not None
    return suite.attrib, [case.attrib["name"] for case in suite.iter("testcase")]


@pytest.mark.parametrize(
    ("edit", "more"),
    [({}, ()), ({}, ("-n2",)), ({"README.md": "words"}, ())],
    ids=["no change", "xdist", "prose"],
)
def test_junit_of_nothing(shop: Project, edit: Mapping[str, str], more: Sequence[str]) -> None:
    shop.repository.write(edit)
    assert shop.run("--ciopt-changed", "--junitxml=out/report.xml", *more).ret == 0
    counts, names = cases(Path("out/report.xml"))
    assert names == []
    assert (counts["tests"], counts["failures"], counts["errors"]) == ("0", "0", "0")


@DISTRIBUTED
def test_junit_of_a_part(shop: Project, more: Sequence[str]) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    assert shop.run("--ciopt-changed", "--junitxml=report.xml", *more).ret == 1
    counts, names = cases(Path("report.xml"))
    assert sorted(names) == ["test_cart", "test_empty"]
    assert counts["failures"] == "1"


def test_junit_asked_for_in_addopts(shop: Project) -> None:
    ini = "[pytest]\npythonpath = .\naddopts = --junitxml=report.xml\n"
    shop.repository.commit({"pytest.ini": ini})
    assert shop.run("--ciopt-changed").ret == 0
    assert cases(Path("report.xml"))[1] == []


def test_junit_report_is_no_change_of_the_next_run(shop: Project) -> None:
    """It is untracked and nobody claims it, but this run writes it anew."""
    shop.run("--ciopt-changed", "--junitxml=report.xml")
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    assert shop.run("--ciopt-changed", "--junitxml=report.xml").ret == 1
    assert sorted(cases(Path("report.xml"))[1]) == ["test_cart", "test_empty"]


def test_own_document_is_no_change_of_the_next_run(shop: Project) -> None:
    options = ("--ciopt-changed", "--ciopt-json=decisions.json")
    shop.run(*options)
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    result = shop.run(*options)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*; 1 changed file"])


def test_an_output_that_git_tracks_is_a_change(shop: Project) -> None:
    shop.repository.commit({"decisions.json": "{}"})
    shop.run("--ciopt-changed", "--ciopt-json=decisions.json")
    result = shop.run("--ciopt-changed", "--ciopt-json=decisions.json")
    result.stdout.fnmatch_lines(["*; 1 changed file*; all tests run: global: decisions.json*"])


def test_the_result_log_of_another_plugin(project: MakeProject) -> None:
    """Whoever writes a file in `pytest_sessionfinish` and is no conftest still writes it."""
    plugin = """
        def pytest_sessionfinish(session, exitstatus):
            with open("told.txt", "w") as stream:
                stream.write(f"{int(session.exitstatus)} {session.testscollected}")
        """
    ini = "[pytest]\npythonpath = .\naddopts = -p writing\n"
    shop = project({**SHOP, "writing.py": plugin, "pytest.ini": ini})
    plugins = ("-p", "pytest_ciopt.plugin", "-p", "no:cacheprovider")
    assert shop.pytester.runpytest_subprocess(*plugins, "--ciopt-changed").ret == 0
    assert Path("told.txt").read_text() == "0 0"


# --- coverage ------------------------------------------------------------------------------------


def covered(project: Project, *arguments: str) -> pytest.RunResult:
    """In a process of its own: this one may be measured already."""
    plugins = ["-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", "-p", "pytest_cov"]
    if any(argument.startswith("-n") for argument in arguments):
        plugins += ["-p", "xdist"]
    return project.pytester.runpytest_subprocess(*plugins, *arguments)


@pytest.fixture
def limited(project: MakeProject) -> Project:
    """A project whose tests reach 100 % only together."""
    addopts = "--cov=shop --cov-fail-under=100"
    ini = f"[pytest]\npythonpath = .\naddopts = {addopts}\n"
    return project({**SHOP, "pytest.ini": ini, ".gitignore": ".coverage*\n"})


@DISTRIBUTED
def test_a_limit_is_suspended_for_a_part(limited: Project, more: Sequence[str]) -> None:
    limited.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = covered(limited, "--ciopt-changed", *more)
    assert result.ret == 0, str(result.stdout) + str(result.stderr)
    result.stdout.fnmatch_lines(["note: --cov-fail-under=100 is suspended: *"])
    result.stdout.no_fnmatch_line("*FAIL Required test coverage*")


def test_a_limit_is_suspended_for_a_part_of_one_module(limited: Project) -> None:
    limited.repository.replace("tests/test_cart.py", "== 0", "== 0 + 0")
    result = covered(limited, "--ciopt-changed", "tests/test_cart.py")
    assert result.ret == 0, str(result.stdout)
    result.stdout.fnmatch_lines(["note: --cov-fail-under=100 is suspended: *"])


@DISTRIBUTED
def test_a_limit_is_suspended_for_nothing(limited: Project, more: Sequence[str]) -> None:
    result = covered(limited, "--ciopt-changed", *more)
    assert result.ret == 0, str(result.stdout) + str(result.stderr)
    result.stdout.fnmatch_lines(["note: --cov-fail-under=100 is suspended: *"])


def test_a_limit_of_the_coverage_configuration_is_suspended(limited: Project) -> None:
    ini = "[pytest]\npythonpath = .\naddopts = --cov=shop\n"
    limited.repository.commit({"pytest.ini": ini, ".coveragerc": "[report]\nfail_under = 100\n"})
    limited.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = covered(limited, "--ciopt-changed")
    assert result.ret == 0, str(result.stdout)
    result.stdout.fnmatch_lines(["note: --cov-fail-under=100 is suspended: *"])


@DISTRIBUTED
def test_a_limit_holds_when_nothing_was_dropped(limited: Project, more: Sequence[str]) -> None:
    """Everything runs, and the new module is not covered."""
    limited.repository.write({"shop/orphan.py": "def orphan():\n    return 1\n"})
    result = covered(limited, "--ciopt-changed", *more)
    assert result.ret == 1, str(result.stdout)
    result.stdout.fnmatch_lines(["*Required test coverage of 100*not reached*"])
    result.stdout.no_fnmatch_line("*suspended*")


def test_a_limit_holds_when_what_was_asked_for_runs_whole(limited: Project) -> None:
    """Not the selection but the person left the other module out."""
    limited.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = covered(limited, "--ciopt-changed", "tests/test_cart.py")
    assert result.ret == 1, str(result.stdout)
    result.stdout.no_fnmatch_line("*suspended*")


def test_a_limit_holds_without_the_flag(limited: Project) -> None:
    result = covered(limited, "tests/test_cart.py")
    assert result.ret == 1
    result.stdout.no_fnmatch_line("*ciopt*")


def test_a_failing_test_stays_red_beside_a_suspended_limit(limited: Project) -> None:
    limited.repository.replace("shop/prices.py", "2 * n", "3 * n")
    result = covered(limited, "--ciopt-changed")
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1


def test_coverage_switched_off(limited: Project) -> None:
    limited.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = covered(limited, "--ciopt-changed", "--no-cov")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*suspended*")


def test_a_quiet_run_does_not_fail_either(limited: Project) -> None:
    limited.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert covered(limited, "--ciopt-changed", "-q").ret == 0


# --- items of other collectors -------------------------------------------------------------------

YAML = """
    import pytest

    class Spec(pytest.Item):
        def runtest(self):
            import shop.prices

            name, _, value = self.path.read_text().partition(":")
            assert shop.prices.price(1) == int(value)

        def repr_failure(self, excinfo):
            return str(excinfo.value)

        def reportinfo(self):
            return self.path, 0, self.name

    class SpecFile(pytest.File):
        def collect(self):
            yield Spec.from_parent(self, name="spec")

    def pytest_collect_file(file_path, parent):
        if file_path.suffix == ".yaml":
            return SpecFile.from_parent(parent, path=file_path)
    """
SPEC = "specs/price.yaml::spec"


@pytest.fixture(params=["conftest.py", "specs/conftest.py"])
def specs(project: MakeProject, request: pytest.FixtureRequest) -> Project:
    """YAML files that a conftest, at the top or beside them, makes tests of."""
    conftest: str = request.param
    # In a process of its own the conftest of a subfolder is found by collection alone.
    return project({**SHOP, conftest: YAML, "specs/price.yaml": "price: 2"})


def test_items_of_files_are_selected_by_a_change_of_a_module(specs: Project) -> None:
    specs.repository.replace("shop/prices.py", "2 * n", "3 * n")
    told = specs.select(exit_code=1)
    assert {SPEC, CART} <= told.selected.keys()


def test_items_of_files_in_workers(project: MakeProject) -> None:
    specs = project({**SHOP, "specs/conftest.py": YAML, "specs/price.yaml": "price: 2"})
    specs.repository.replace("shop/prices.py", "2 * n", "3 * n")
    told = specs.select("-n2", exit_code=1)
    assert {SPEC, CART} <= told.selected.keys()


def test_items_of_files_are_selected_by_a_change_of_anything_that_counts(specs: Project) -> None:
    specs.repository.replace("shop/stock.py", "return 3", "return 2 + 1")
    told = specs.select()
    assert SPEC in told.selected
    assert CART not in told.selected


def test_a_changed_file_is_selected(specs: Project) -> None:
    specs.repository.write({"specs/price.yaml": "price: 3"})
    result = specs.run("--ciopt-changed")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED specs/price.yaml::spec*"])


def test_a_new_file_is_selected(specs: Project) -> None:
    specs.repository.write({"specs/more.yaml": "price: 3"})
    assert specs.run("--ciopt-changed").ret == 1


def test_a_change_of_the_collector_selects_its_items(specs: Project) -> None:
    for name in ("conftest.py", "specs/conftest.py"):
        if (specs.repository.root / name).exists():
            specs.repository.replace(name, "price(1)", "price(2)")
    assert specs.run("--ciopt-changed").ret == 1


def test_a_deleted_file_is_no_error(specs: Project) -> None:
    (specs.repository.root / "specs/price.yaml").unlink()
    assert specs.run("--ciopt-changed").ret == 0


def test_a_named_file(specs: Project) -> None:
    specs.repository.replace("shop/prices.py", "2 * n", "3 * n")
    assert specs.run("--ciopt-changed", "specs/price.yaml").ret == 1


@pytest.mark.parametrize("edit", [None, "shop/prices.py"], ids=["no change", "comment"])
def test_items_of_files_are_dropped_when_nothing_counts(specs: Project, edit: str | None) -> None:
    if edit is not None:
        specs.repository.replace(edit, "2 * n", "2 * n  # twice")
    told = specs.select()
    assert told.selected == {}


def test_a_collector_that_reads_python_files(project: MakeProject) -> None:
    """Such as a linter: what it says depends on the whole text, comments included."""
    linter = """
        import pytest

        class Lint(pytest.Item):
            def runtest(self):
                assert "TODO" not in self.path.read_text()

        class LintFile(pytest.File):
            def collect(self):
                yield Lint.from_parent(self, name="lint")

        def pytest_collect_file(file_path, parent):
            if file_path.suffix == ".py":
                return LintFile.from_parent(parent, path=file_path)
        """
    shop = project({**SHOP, "conftest.py": linter})
    shop.repository.replace("shop/prices.py", "2 * n", "2 * n  # TODO")
    result = shop.run("--ciopt-changed")
    assert result.ret == 1, str(result.stdout)
    result.stdout.fnmatch_lines(["FAILED shop/prices.py::lint*"])
    result.stdout.no_fnmatch_line("*test_stock*")


def test_a_collector_of_the_folder(project: MakeProject) -> None:
    """A conftest may take over a whole folder."""
    conftest = """
        import json
        import pytest

        class Listed(pytest.Dir):
            def collect(self):
                for name in json.loads((self.path / "manifest.json").read_text()):
                    yield from self.ihook.pytest_collect_file(
                        file_path=self.path / name, parent=self
                    )

        def pytest_collect_directory(path, parent):
            if (path / "manifest.json").is_file():
                return Listed.from_parent(parent, path=path)
        """
    files = {"conftest.py": conftest, "listed/manifest.json": '["check.py"]'}
    shop = project({**SHOP, **files, "listed/check.py": "def test_one():\n    assert True\n"})
    python_files = "[pytest]\npythonpath = .\npython_files = test_*.py check.py\n"
    shop.repository.commit({"pytest.ini": python_files})
    shop.repository.replace("listed/check.py", "True", "False")
    assert shop.run("--ciopt-changed").ret == 1
