"""`--ciopt-changed` beside pytest's other ways to choose tests, and beside other collectors."""

from textwrap import dedent

import pytest

from conftest import MakeProject, Project

SHOP = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop/__init__.py": "",
    "shop/prices.py": "def price(n):\n    return 2 * n\n",
    "tests/test_cart.py": """
        from shop.prices import price

        def test_cart():
            assert price(1) == 2
        """,
    "tests/test_other.py": "def test_other():\n    pass\n",
}
NUMBER = "import pytest\n\n@pytest.fixture\ndef number():\n    return 1\n"
"""A conftest."""


def collector(suffix: str) -> str:
    """A plugin that makes a test of each file with this suffix; it fails on the word `bad`."""
    return dedent(f"""
        import pytest

        class Item(pytest.Item):
            def runtest(self):
                assert "bad" not in self.path.read_text()

        class File(pytest.File):
            def collect(self):
                yield Item.from_parent(self, name="text")

        def pytest_collect_file(file_path, parent):
            if file_path.suffix == "{suffix}":
                return File.from_parent(parent, path=file_path)
        """)


def outside(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> str:
    """A module as an installed distribution would bring it: importable, not in the repository."""
    folder = pytester.path / "installed"
    folder.mkdir()
    (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return name


def assert_red(result: pytest.RunResult) -> None:
    """The test that the change broke ran."""
    assert result.ret == 1, str(result.stdout) + str(result.stderr)


# --- pytest's own selection ----------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--ff", "--sw"])
def test_earlier_failures_do_not_hide_a_new_one(project: MakeProject, flag: str) -> None:
    shop = project({**SHOP, "tests/test_other.py": "def test_other():\n    assert 0\n"})
    plugin = ("-p", "pytest_ciopt.plugin")
    assert_red(shop.pytester.runpytest_inprocess(*plugin))
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    result = shop.pytester.runpytest_inprocess(*plugin, "--ciopt-changed", flag)
    assert result.ret in (1, 2), str(result.stdout)
    result.stdout.fnmatch_lines(["FAILED tests/test_cart.py::test_cart*"])


def test_a_path_that_does_not_exist_is_an_error_when_nothing_changed(project: MakeProject) -> None:
    result = project(SHOP).run("--ciopt-changed", "tests/test_typo.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: file or directory not found: tests/test_typo.py"])


def test_an_id_that_does_not_exist_is_an_error_in_an_unreached_module(
    project: MakeProject,
) -> None:
    shop = project(SHOP)
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert shop.run("--ciopt-changed", "tests/test_other.py::test_typo").ret == 4


# --- files that pytest collects only because they are named ---------------------------------------


@pytest.mark.parametrize("named", ["command line", "testpaths"])
def test_doctests_of_a_changed_rst_file_that_is_named(project: MakeProject, named: str) -> None:
    ini = "[pytest]\npythonpath = .\n"
    arguments = ("README.rst",) if named == "command line" else ()
    if named == "testpaths":
        ini += "testpaths = tests README.rst\n"
    shop = project({**SHOP, "pytest.ini": ini, "README.rst": ">>> 1 + 1\n2\n"})
    shop.repository.replace("README.rst", "2\n", "3\n")
    assert_red(shop.run("--ciopt-changed", *arguments))


def test_a_named_file_outside_python_files_uses_a_changed_fixture(project: MakeProject) -> None:
    check = "def test_one(number):\n    assert number == 1\n"
    shop = project({**SHOP, "checks/conftest.py": NUMBER, "checks/check_one.py": check})
    shop.repository.replace("checks/conftest.py", "return 1", "return 2")
    assert_red(shop.run("--ciopt-changed", "checks/check_one.py"))


def test_a_named_file_outside_python_files_reads_changed_data(project: MakeProject) -> None:
    check = (
        "from pathlib import Path\n\n"
        "def test_one():\n    assert Path('checks/data.json').read_text() == '1'\n"
    )
    shop = project({**SHOP, "checks/data.json": "1", "checks/check_one.py": check})
    shop.repository.write({"checks/data.json": "2"})
    assert_red(shop.run("--ciopt-changed", "checks/check_one.py"))


def test_named_tests_outside_the_repository(
    project: MakeProject, pytester: pytest.Pytester
) -> None:
    cart = "def test_cart():\n    pass\n"
    shop = project({**SHOP, "tests/test_cart.py": cart, "shop/data.json": "1"})
    folder = pytester.path / "elsewhere"
    folder.mkdir()
    (folder / "test_out.py").write_text(
        "import pathlib, shop\n\n\ndef test_out():\n"
        "    data = pathlib.Path(shop.__file__).with_name('data.json')\n"
        "    assert data.read_text() == '1'\n"
    )
    shop.repository.write({"shop/data.json": "2"})
    root = shop.repository.root
    result = shop.run("--ciopt-changed", f"--rootdir={root}", "-c", "pytest.ini", str(folder))
    assert_red(result)


# --- other collectors ----------------------------------------------------------------------------


def test_a_changed_document_that_a_conftest_collects(project: MakeProject) -> None:
    shop = project({**SHOP, "conftest.py": collector(".md"), "docs/guide.md": "fine"})
    shop.repository.write({"docs/guide.md": "bad"})
    assert_red(shop.run("--ciopt-changed"))


def test_a_collector_that_a_conftest_loads_from_outside(
    project: MakeProject, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"pytest.ini": "[pytest]\n", "specs/tool.py": "", "specs/a.spec": "fine"}
    specs = project({**files, "conftest.py": "pytest_plugins = ['speccollect']\n"})
    outside(pytester, monkeypatch, "speccollect.py", collector(".spec"))
    specs.repository.write({"specs/a.spec": "bad"})
    assert_red(pytester.runpytest_subprocess("-p", "pytest_ciopt.plugin", "--ciopt-changed"))


# --- what a test uses ----------------------------------------------------------------------------


def test_an_override_reaches_the_overridden_fixture_through_another(project: MakeProject) -> None:
    other = "import pytest\n\n@pytest.fixture\ndef wrapped(number):\n    return number\n"
    test = """
        import pytest

        @pytest.fixture
        def number(wrapped):
            return wrapped

        def test_number(number):
            assert number == 1
        """
    files = {"tests/conftest.py": NUMBER, "tests/sub/conftest.py": other}
    shop = project({**SHOP, **files, "tests/sub/test_number.py": test})
    shop.repository.replace("tests/conftest.py", "return 1", "return 2")
    assert_red(shop.run())
    assert_red(shop.run("--ciopt-changed"))


def test_data_of_a_package_that_no_test_imports(project: MakeProject) -> None:
    """A change of `tool/cli.py` runs everything, for something may load it; so must its data."""
    tool = {"tool/__init__.py": "", "tool/cli.py": "", "tool/data.json": "{}"}
    shop = project({**SHOP, **tool})
    shop.repository.write({"tool/data.json": "[]"})
    assert "tests/test_cart.py::test_cart" in shop.select().selected


def test_entry_points_declared_in_a_subfolder_of_a_monorepo(project: MakeProject) -> None:
    declared = '[project]\nname = "svc"\n[project.entry-points."a.plugins"]\none = "a.plug:one"\n'
    core = """
        from importlib.metadata import entry_points

        def load():
            return list(entry_points(group="a.plugins"))
        """
    files = {
        "svc/pytest.ini": "[pytest]\npythonpath = .\n",
        "svc/pyproject.toml": declared,
        "svc/a/__init__.py": "",
        "svc/a/plug.py": "def one():\n    return 1\n",
        "svc/a/core.py": core,
        "svc/tests/test_core.py": "from a.core import load\n\ndef test_core():\n    load()\n",
        "svc/tests/test_plug.py": "from a.plug import one\n\ndef test_plug():\n    one()\n",
    }
    service = project(files)
    service.repository.replace("svc/a/plug.py", "return 1", "return 2")
    told = service.select("--rootdir=svc", "-c", "svc/pytest.ini", "svc")
    assert set(told.selected) == {"tests/test_core.py::test_core", "tests/test_plug.py::test_plug"}


SCRIPT = '[project]\nname = "shop"\n[project.scripts]\nshop-report = "shop.report:main"\n'
STARTS_IT = """
    from shutil import which

    def test_report():
        assert which("shop-report") is None
    """


def test_a_test_that_starts_a_command_of_the_project(project: MakeProject) -> None:
    files = {
        "pyproject.toml": SCRIPT,
        "shop/report.py": "from shop.prices import price\n\ndef main():\n    print(price(1))\n",
        "tests/test_report.py": STARTS_IT,
    }
    shop = project({**SHOP, **files})
    shop.repository.replace("shop/prices.py", "2 * n", "n + n")
    expected = {"tests/test_cart.py::test_cart", "tests/test_report.py::test_report"}
    assert set(shop.select().selected) == expected


def test_a_command_that_is_installed_by_the_change(project: MakeProject) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\n',
        "shop/report.py": "def main():\n    print(1)\n",
        "tests/test_report.py": STARTS_IT,
    }
    shop = project({**SHOP, **files})
    shop.select()  # the index of before is kept
    shop.repository.write({"pyproject.toml": SCRIPT})
    shop.repository.commit()
    shop.repository.replace("shop/report.py", "print(1)", "print(2)")
    assert shop.select().selected == {
        "tests/test_report.py::test_report": "names the command shop-report"
    }


# --- options that a conftest defines --------------------------------------------------------------


@pytest.fixture
def with_own_option(project: MakeProject) -> Project:
    conftest = "def pytest_addoption(parser):\n    parser.addini('mine', 'help')\n"
    return project({**SHOP, "conftest.py": conftest})


@pytest.mark.parametrize("line", ["addopts = --strict-config", "filterwarnings = error"])
def test_an_ini_option_of_a_conftest_is_known_when_nothing_runs(
    with_own_option: Project, line: str
) -> None:
    ini = f"[pytest]\npythonpath = .\nmine = 1\n{line}\n"
    with_own_option.repository.commit({"pytest.ini": ini})
    result = with_own_option.run("--ciopt-changed")
    assert result.ret == 0, str(result.stdout) + str(result.stderr)
