"""`--ciopt-changed` with each of pytest's own ways to choose, collect and tell: an intersection.

Most tests here are comparisons: pytest runs once without and once with the selection, and what
fails must be the same, while fewer tests run.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from conftest import MakeProject, Project

SHOP = {
    "pytest.ini": "[pytest]\npythonpath = .\nmarkers = slow\n",
    "shop/__init__.py": "",
    "shop/prices.py": "def price(n):\n    return 2 * n\n",
    "shop/cart.py": """
        from shop.prices import price

        def total(ns):
            return sum(map(price, ns))
        """,
    "shop/stock.py": "def stock():\n    return 3\n",
    "tests/test_cart.py": """
        import pytest

        from shop.cart import total

        def test_total():
            assert total([1, 2]) == 6

        @pytest.mark.slow
        def test_slow_total():
            assert total([1]) == 2

        class TestCart:
            @pytest.mark.parametrize("n", [0, 1], ids=["a::b", "c[d]"])
            def test_each(self, n):
                assert total([n]) == 2 * n
        """,
    "tests/test_stock.py": """
        import pytest

        from shop import stock

        def test_stock():
            assert stock.stock() == 3

        @pytest.mark.slow
        def test_slow_stock():
            assert stock.stock() < 4
        """,
    "tests/sub/test_more.py": """
        from shop.prices import price

        def test_p():
            assert price(1) == 2
        """,
}
STOCK = "tests/test_stock.py::test_stock"


@pytest.fixture
def shop(project: MakeProject) -> Project:
    return project(SHOP)


@pytest.fixture
def broken(shop: Project) -> Project:
    """The tests of cart and prices fail, but for one; those of stock are not reached."""
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    return shop


def outcomes(result: pytest.RunResult) -> tuple[set[str], set[str]]:
    """Ids of the tests that failed (or could not be collected), and of those that passed."""
    failed, passed = set(), set()
    for line in result.stdout.lines:
        word, _, rest = line.partition(" ")
        if word in ("FAILED", "ERROR", "SUBFAILED(i=1)"):
            failed.add(rest.split(" - ")[0])
        elif word == "PASSED":
            passed.add(rest)
    return failed, passed


def compared(project: Project, *arguments: str) -> tuple[set[str], set[str], set[str]]:
    """What failed with either, what passed without and with the selection. Both exit alike."""
    plain = project.run("-rA", *arguments)
    chosen = project.run("-rA", "--ciopt-changed", *arguments)
    told = f"{plain.stdout}\n{plain.stderr}\n=== selected ===\n{chosen.stdout}\n{chosen.stderr}"
    failed, passed = outcomes(plain)
    assert failed | passed, told
    assert outcomes(chosen)[0] == failed, told
    assert plain.ret == chosen.ret or not failed, told
    return failed, passed, outcomes(chosen)[1]


# --- filters by name, marker and place -----------------------------------------------------------

FILTERS: Mapping[str, Sequence[str]] = {
    "everything": (),
    "-k": ("-k", "total or stock"),
    "-m": ("-m", "slow"),
    "-m not": ("-m", "not slow"),
    "-k and -m": ("-k", "total", "-m", "slow"),
    "--deselect": ("--deselect", "tests/test_cart.py::test_total"),
    "--ignore": ("--ignore", "tests/test_stock.py"),
    "--ignore-glob": ("--ignore-glob", "*/test_st*.py"),
    "id": ("tests/test_cart.py::test_total",),
    "id of a method": ("tests/test_cart.py::TestCart::test_each",),
    "id with brackets": ("tests/test_cart.py::TestCart::test_each[c[d]]",),
    "id with colons": (
        "tests/test_cart.py::TestCart::test_each[a::b]",
        "tests/test_cart.py::test_total",
    ),
    "ids of both": ("tests/test_cart.py::test_total", STOCK),
    "module twice": ("tests/test_cart.py", "tests/test_cart.py::test_total", STOCK),
    "modules": ("tests/test_cart.py", "tests/test_stock.py"),
    "odd spelling": ("./tests/../tests//test_cart.py", "tests/sub/../test_stock.py"),
    "folder": ("tests/sub",),
    "folders": ("tests/sub", "tests"),
    "folder and id": ("tests/sub", STOCK),
    "--keep-duplicates": ("--keep-duplicates", "tests/sub", "tests"),
    "-x": ("-x",),
    "--maxfail": ("--maxfail=2",),
    "importlib": ("--import-mode=importlib",),
    "append": ("--import-mode=append",),
    "-p no:cacheprovider": ("-p", "no:cacheprovider"),
    "-p no:xdist": ("-p", "no:xdist"),
    "--strict": ("--strict-markers", "--strict-config"),
    "-n0": ("-n0",),
}


@pytest.mark.parametrize("arguments", FILTERS.values(), ids=FILTERS)
def test_the_same_failures_and_no_more_tests(broken: Project, arguments: Sequence[str]) -> None:
    failed, without, passed = compared(broken, *arguments)
    assert failed
    assert passed == {name for name in without if "test_stock" not in name}


DISTRIBUTED: Mapping[str, Sequence[str]] = {
    "folder": (),
    "loadfile": ("--dist", "loadfile", "tests/sub", "tests/test_cart.py", "tests/test_stock.py"),
    "-k": ("--dist", "worksteal", "-k", "total or stock or test_p or c[d]"),
}


@pytest.mark.parametrize("arguments", DISTRIBUTED.values(), ids=DISTRIBUTED)
def test_distributed_runs_fail_alike(broken: Project, arguments: Sequence[str]) -> None:
    result = broken.run("--ciopt-changed", "-rA", "-n2", *arguments)
    failed, passed = outcomes(result)
    cart = "tests/test_cart.py::"
    names = ("test_total", "test_slow_total", "TestCart::test_each[c[d]]")
    assert result.ret == 1
    assert failed == {*(cart + name for name in names), "tests/sub/test_more.py::test_p"}
    assert passed <= {cart + "TestCart::test_each[a::b]"}


@pytest.mark.parametrize("arguments", [(), ("tests/test_stock.py",), ("tests", STOCK)])
def test_an_absolute_path_from_another_folder(
    broken: Project,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: Sequence[str],
) -> None:
    root = broken.repository.root
    monkeypatch.chdir(pytester.path)
    places = [str(root / one) for one in arguments] or [str(root)]
    result = broken.run("--ciopt-changed", "-c", str(root / "pytest.ini"), *places)
    stock_only = arguments == ("tests/test_stock.py",)
    assert result.ret == (0 if stock_only else 1), str(result.stdout)
    assert "test_stock" not in str(result.stdout).partition("short test summary")[2]


def test_a_folder_reached_through_a_symlink(broken: Project, pytester: pytest.Pytester) -> None:
    link = pytester.path / "link"
    link.symlink_to(broken.repository.root / "tests")
    failed, _, passed = compared(broken, "--rootdir=.", "-c", "pytest.ini", str(link))
    assert failed
    assert not any("test_stock" in name for name in passed)


def test_names_of_modules(project: MakeProject) -> None:
    files = {name.replace("tests/", "shop/tests/"): text for name, text in SHOP.items()}
    shop = project({**files, "shop/tests/__init__.py": "", "shop/tests/sub/__init__.py": ""})
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    # The current folder must be importable for pytest to find the module.
    names = ("-p", "no:xdist", "--pyargs", "shop.tests.test_cart", "shop.tests.test_stock")
    plain = shop.pytester.run(sys.executable, "-m", "pytest", *names)
    plugin = ("-p", "pytest_ciopt.plugin", "--ciopt-changed")
    result = shop.pytester.run(sys.executable, "-m", "pytest", *plugin, *names)
    assert plain.parseoutcomes() == {"failed": 3, "passed": 3}, str(plain.stdout)
    assert {k: v for k, v in result.parseoutcomes().items() if k in ("failed", "passed")} == {
        "failed": 3,
        "passed": 1,
    }, str(result.stdout)


def test_a_method_of_a_class_that_is_not_reached_is_no_error(shop: Project) -> None:
    shop.repository.replace("tests/test_cart.py", "== 6", "== 7")
    result = shop.run("--ciopt-changed", "tests/test_cart.py::TestCart")
    assert result.ret == 0, str(result.stdout) + str(result.stderr)
    result.assert_outcomes(deselected=2)


@pytest.mark.parametrize("arguments", [(), ("tests/test_stock.py",), (STOCK,)])
def test_only_what_is_not_reached_is_named(broken: Project, arguments: Sequence[str]) -> None:
    """An emptied list of arguments must not fall back to `testpaths`."""
    ini = "[pytest]\npythonpath = .\nmarkers = slow\ntestpaths = tests\n"
    broken.repository.git("stash", "--quiet")
    broken.repository.commit({"pytest.ini": ini})
    broken.repository.git("stash", "pop", "--quiet")
    result = broken.run("--ciopt-changed", *arguments)
    assert result.ret == (0 if arguments else 1), str(result.stdout)
    if arguments:
        assert not result.parseoutcomes().keys() & {"passed", "failed"}


# --- exit codes ----------------------------------------------------------------------------------


def test_nothing_selected_is_a_success(shop: Project) -> None:
    assert shop.run("--ciopt-changed").ret == 0


def test_nothing_matches_and_we_are_not_asked(broken: Project) -> None:
    assert broken.run("-k", "nothing").ret == 5


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["one process", "xdist"])
def test_nothing_matches_and_everything_is_selected(shop: Project, more: Sequence[str]) -> None:
    shop.repository.write({"shop/orphan.py": "x = 1\n"})
    assert shop.run("--ciopt-changed", "-k", "nothing", *more).ret == 5


def test_nothing_matches_of_what_we_dropped_nothing(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    assert shop.run("--ciopt-changed", "tests/test_cart.py", "-k", "nothing").ret == 5


def test_nothing_matches_in_an_empty_folder(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    (shop.repository.root / "empty").mkdir()
    assert shop.run("--ciopt-changed", "empty").ret == 5


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["one process", "xdist"])
def test_a_filter_leaves_only_what_we_drop(broken: Project, more: Sequence[str]) -> None:
    result = broken.run("--ciopt-changed", "-k", "stock", *more)
    assert result.ret == 0, str(result.stdout)


@pytest.mark.parametrize(
    "edit",
    [
        {"shop/prices.py": "def price(n)\n"},
        {"shop/prices.py": "raise RuntimeError('at import')\n"},
        {"shop/prices.py": "def cost(n):\n    return 2 * n\n"},
        {"tests/test_cart.py": "def test_cart(:\n"},
        {"tests/test_cart.py": "import shop.missing\n\ndef test_cart():\n    pass\n"},
        {"tests/conftest.py": "import shop.missing\n"},
        {"tests/sub/conftest.py": "import shop.missing\n"},
    ],
    ids=["syntax", "raises", "name", "test syntax", "test import", "conftest", "nested conftest"],
)
def test_a_collection_error_ends_as_it_does_without_us(
    shop: Project, edit: Mapping[str, str]
) -> None:
    shop.repository.write(edit)
    plain, chosen = shop.run("-rA"), shop.run("-rA", "--ciopt-changed")
    assert plain.ret not in (0, 5)
    assert chosen.ret == plain.ret, str(chosen.stdout) + str(chosen.stderr)
    assert outcomes(chosen)[0] == outcomes(plain)[0]


def test_a_collection_error_in_workers(shop: Project) -> None:
    shop.repository.write({"tests/sub/conftest.py": "import shop.missing\n"})
    result = shop.run("--ciopt-changed", "-n2")
    assert result.ret not in (0, 5), str(result.stdout)
    assert "shop.missing" in str(result.stdout) + str(result.stderr)


def test_errors_of_collection_may_be_continued_after(shop: Project) -> None:
    shop.repository.write({"tests/sub/test_more.py": "import shop.missing\n"})
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    failed, _, _ = compared(shop, "--continue-on-collection-errors")
    assert {"tests/sub/test_more.py", "tests/test_cart.py::test_total"} <= failed


def test_an_interrupt_stays_an_interrupt(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "return 2 * n", "raise KeyboardInterrupt")
    plugin = ("-p", "pytest_ciopt.plugin")
    assert shop.pytester.runpytest_subprocess(*plugin, "--ciopt-changed").ret == 2


# --- the cache of earlier failures ---------------------------------------------------------------


def cached(project: Project, *arguments: str) -> pytest.RunResult:
    """A run that remembers failures from one run to the next."""
    return project.pytester.runpytest_inprocess("-p", "pytest_ciopt.plugin", "-rA", *arguments)


@pytest.mark.parametrize("flag", ["--lf", "--ff", "--sw", "--nf"])
def test_earlier_failures_that_the_change_reaches(broken: Project, flag: str) -> None:
    plain = outcomes(cached(broken))[0]
    again = outcomes(cached(broken, "--ciopt-changed", flag))[0]
    assert again
    assert again == plain if flag != "--sw" else again <= plain


def test_last_failures_alone_are_run_of_what_is_selected(shop: Project) -> None:
    shop.repository.replace("tests/test_cart.py", "== 6", "== 7")
    cached(shop)
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    failed, passed = outcomes(cached(shop, "--ciopt-changed", "--lf"))
    assert (failed, passed) == ({"tests/test_cart.py::test_total"}, set())


def test_what_we_drop_is_not_forgotten_by_the_cache(shop: Project) -> None:
    """It did not run, so it still counts as failed."""
    shop.repository.commit({"tests/test_stock.py": "def test_stock():\n    assert False\n"})
    assert cached(shop).ret == 1
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert cached(shop, "--ciopt-changed").ret == 0
    assert outcomes(cached(shop, "--lf"))[0] == {STOCK}


def test_what_ends_early_is_not_forgotten_by_the_cache(shop: Project) -> None:
    shop.repository.commit({"tests/test_stock.py": "def test_stock():\n    assert False\n"})
    assert cached(shop).ret == 1
    assert cached(shop, "--ciopt-changed").ret == 0
    assert outcomes(cached(shop, "--lf"))[0] == {STOCK}


# --- listing -------------------------------------------------------------------------------------


def test_collecting_only_lists_what_is_selected(broken: Project) -> None:
    result = broken.run("--ciopt-changed", "--co", "-q")
    listed = {line for line in result.stdout.lines if "::" in line}
    assert result.ret == 0
    assert "tests/test_cart.py::test_total" in listed
    assert "tests/test_cart.py::TestCart::test_each[a::b]" in listed
    assert not any("test_stock" in line for line in listed)


def test_collecting_only_of_nothing(shop: Project) -> None:
    result = shop.run("--ciopt-changed", "--co", "-q")
    assert result.ret == 0
    assert not any("::" in line for line in result.stdout.lines)


CONFTEST = """
    import pytest

    def pytest_addoption(parser):
        parser.addoption("--mine", action="store", help="an option of the conftest")
        parser.addoption("--switch", action="store_true", help="another one")

    def pytest_configure(config):
        config.addinivalue_line("markers", "own: a marker of the conftest")

    @pytest.fixture
    def till():
        "A fixture of the conftest."
    """


@pytest.fixture
def with_conftest(project: MakeProject) -> Project:
    return project({**SHOP, "conftest.py": CONFTEST})


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--help", "*--mine=MINE*an option of the conftest*"),
        ("--help", "*--ciopt-changed*"),
        ("--markers", "@pytest.mark.own: a marker of the conftest"),
        ("--markers", "@pytest.mark.ciopt_always: *"),
        ("--fixtures", "till -- conftest.py:*"),
    ],
)
def test_information_is_whole_although_nothing_changed(
    with_conftest: Project, flag: str, line: str
) -> None:
    result = with_conftest.run("--ciopt-changed", flag)
    assert result.ret == 0, str(result.stdout) + str(result.stderr)
    result.stdout.fnmatch_lines([line])


def test_version(with_conftest: Project) -> None:
    result = with_conftest.run("--ciopt-changed", "--version")
    assert result.ret == 0
    assert f"pytest {pytest.__version__}" in str(result.stdout) + str(result.stderr)


@pytest.mark.parametrize(
    "arguments",
    [("--mine=1",), ("--mine", "1"), ("--switch",), ("--switch", "tests")],
    ids=" ".join,
)
def test_options_of_a_conftest(with_conftest: Project, arguments: Sequence[str]) -> None:
    result = with_conftest.run("--ciopt-changed", *arguments)
    assert result.ret == 0, str(result.stdout) + str(result.stderr)
    with_conftest.repository.replace("shop/prices.py", "2 * n", "3 * n")
    failed, _, passed = compared(with_conftest, *arguments)
    assert failed
    assert STOCK not in passed


def test_an_option_nobody_defines_is_an_error(with_conftest: Project) -> None:
    assert with_conftest.run("--ciopt-changed", "--nobody").ret == 4


# --- where the flag stands -----------------------------------------------------------------------


def test_the_flag_in_addopts(broken: Project) -> None:
    ini = "[pytest]\npythonpath = .\nmarkers = slow\naddopts = --ciopt-changed\n"
    broken.repository.git("stash", "--quiet")
    broken.repository.commit({"pytest.ini": ini})
    broken.repository.git("stash", "pop", "--quiet")
    result = broken.run("tests")
    result.assert_outcomes(passed=1, failed=4)


def test_the_flag_in_the_environment(broken: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--ciopt-changed")
    broken.run("tests/test_cart.py", "tests/test_stock.py").assert_outcomes(passed=1, failed=3)


def test_the_flag_before_two_folders(broken: Project) -> None:
    broken.run("--ciopt-changed", "tests/sub", "tests/test_stock.py").assert_outcomes(failed=1)


def test_the_flag_in_a_file_of_arguments(broken: Project, pytester: pytest.Pytester) -> None:
    file = pytester.path / "arguments"
    file.write_text("--ciopt-changed\ntests/sub\n")
    result = broken.run(f"@{file}")
    assert result.ret == 1, str(result.stdout) + str(result.stderr)
    result.assert_outcomes(failed=1)


def test_the_last_flag_counts(broken: Project) -> None:
    broken.repository.git("commit", "--quiet", "--all", "-m", "change")
    broken.run("--ciopt-changed", "--ciopt-changed=HEAD~1").assert_outcomes(failed=4, passed=1)


def test_a_double_dash_ends_options(broken: Project) -> None:
    broken.run("--ciopt-changed", "--", "tests/sub", "tests/test_stock.py").assert_outcomes(
        failed=1
    )


def test_stdin_is_not_read(broken: Project) -> None:
    result = broken.pytester.run(
        *(sys.executable, "-m", "pytest", "-p", "pytest_ciopt.plugin", "--ciopt-changed"),
        stdin=b"nothing for git",
    )
    assert result.ret == 1, str(result.stdout) + str(result.stderr)


# --- doctests ------------------------------------------------------------------------------------

DOCTESTS = {
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --doctest-modules --doctest-glob=*.md\n",
    "shop/__init__.py": "",
    "shop/prices.py": '''
        def price(n):
            """
            >>> price(1)
            2
            """
            return 2 * n
        ''',
    "shop/cart.py": '''
        from shop.prices import price

        def total(ns):
            """
            >>> total([1, 2])
            6
            """
            return sum(map(price, ns))
        ''',
    "shop/stock.py": '''
        def stock():
            """
            >>> stock()
            {3}
            >>> from shop.rates import rate
            >>> rate()
            5
            """
            return {3}
        ''',
    "shop/rates.py": "def rate():\n    return 5\n",
    "shop/alone.py": 'def alone():\n    """\n    >>> alone()\n    1\n    """\n    return 1\n',
    "guide/use.md": ">>> from shop.cart import total\n>>> total([2])\n4\n",
    "guide/other.md": ">>> 1 + 1\n2\n",
    "tests/test_cart.py": SHOP["tests/test_cart.py"].replace("@pytest.mark.slow", ""),
}
DOCTEST_EDITS: Mapping[str, tuple[str, str, str]] = {
    "module": ("shop/prices.py", "2 * n", "3 * n"),
    "only in a doctest": ("shop/rates.py", "return 5", "return 6"),
    "expected value": ("shop/stock.py", "    {3}\n    >>> from", "    {4}\n    >>> from"),
    "expected value in markdown": ("guide/other.md", "2\n", "3\n"),
}


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("edit", DOCTEST_EDITS.values(), ids=DOCTEST_EDITS)
def test_doctests_fail_alike(project: MakeProject, edit: tuple[str, str, str], mode: str) -> None:
    doctests = project(DOCTESTS)
    name, old, new = edit
    doctests.repository.replace(name, old, new)
    failed, without, passed = compared(doctests, f"--import-mode={mode}")
    assert failed
    assert passed < without or name != "shop/prices.py", passed


def test_doctests_of_a_document_in_docs(project: MakeProject) -> None:
    """Prose is harmless by default, but not where it is collected."""
    doctests = project({**DOCTESTS, "docs/start.md": ">>> 1 + 1\n2\n"})
    doctests.repository.replace("docs/start.md", "2\n", "3\n")
    failed, _, _ = compared(doctests)
    assert failed == {"docs/start.md::start.md"}


def test_doctests_asked_for_on_the_command_line(project: MakeProject) -> None:
    ini = {"pytest.ini": "[pytest]\npythonpath = .\n"}
    doctests = project({**DOCTESTS, **ini})
    doctests.repository.replace("shop/prices.py", "2 * n", "3 * n")
    failed, _, _ = compared(doctests, "--doctest-modules", "--doctest-glob", "*.md")
    assert {"shop/prices.py::shop.prices.price", "guide/use.md::use.md"} <= failed


def test_a_doctest_with_a_fixture_of_a_conftest(project: MakeProject) -> None:
    conftest = """
        import pytest

        @pytest.fixture(autouse=True)
        def names(doctest_namespace):
            doctest_namespace["one"] = 1
        """
    text = ">>> one\n1\n"
    doctests = project({**DOCTESTS, "guide/conftest.py": conftest, "guide/one.md": text})
    doctests.repository.replace("guide/conftest.py", "= 1", "= 2")
    failed, _, _ = compared(doctests)
    assert failed == {"guide/one.md::one.md"}


# --- unittest ------------------------------------------------------------------------------------

UNITTEST = {
    "pytest.ini": "[pytest]\npythonpath = . tests\n",
    "cases/__init__.py": "",
    "cases/base.py": """
        import unittest

        class Base(unittest.TestCase):
            value = 1

            def setUp(self):
                self.number = self.value

            def helper(self):
                return 1

            def test_inherited(self):
                self.assertEqual(self.helper(), 1)
        """,
    "tests/test_case.py": """
        import unittest

        from cases.base import Base

        def setUpModule():
            global ready
            ready = 1

        class TestDerived(Base):
            def test_number(self):
                self.assertEqual(self.number, 1)

        class Local(unittest.TestCase):
            size = 2

            def setUp(self):
                self.one = 1
                self.addCleanup(self.check)

            def check(self):
                assert self.one == 1

            @classmethod
            def setUpClass(cls):
                cls.two = 2

            def test_one(self):
                self.assertEqual(self.one, 1)

            def test_two(self):
                self.assertEqual(self.two, self.size)

            def test_ready(self):
                self.assertEqual(ready, 1)

            def test_parts(self):
                for i in range(3):
                    with self.subTest(i=i):
                        self.assertLess(i, 3)

        class Child(Local):
            def test_child(self):
                self.assertEqual(self.one + self.two, 3)

        class Aside(unittest.TestCase):
            def test_aside(self):
                pass
        """,
    "tests/test_imports_case.py": """
        from test_case import Local

        class TestElsewhere(Local):
            pass
        """,
    "tests/test_other.py": "def test_other():\n    pass\n",
}
UNITTEST_EDITS: Mapping[str, tuple[str, str, str]] = {
    "setUp": ("tests/test_case.py", "self.one = 1", "self.one = 5"),
    "setUpClass": ("tests/test_case.py", "cls.two = 2", "cls.two = 3"),
    "setUpModule": ("tests/test_case.py", "ready = 1", "ready = 2"),
    "cleanup": ("tests/test_case.py", "assert self.one == 1", "assert self.one == 2"),
    "attribute of the class": ("tests/test_case.py", "size = 2", "size = 3"),
    "method that subclasses inherit": (
        "tests/test_case.py",
        "self.assertEqual(self.one, 1)",
        "self.assertEqual(self.one, 2)",
    ),
    "subTest": ("tests/test_case.py", "self.assertLess(i, 3)", "self.assertLess(i, 1)"),
    "base class": ("tests/test_case.py", "class Child(Local)", "class Child(Base)"),
    "setUp of a base elsewhere": ("cases/base.py", "= self.value", "= 7"),
    "attribute of a base elsewhere": ("cases/base.py", "value = 1", "value = 7"),
    "helper of a base elsewhere": ("cases/base.py", "return 1", "return 2"),
    "test of a base elsewhere": ("cases/base.py", "self.helper(), 1", "self.helper(), 2"),
}


@pytest.mark.parametrize("edit", UNITTEST_EDITS.values(), ids=UNITTEST_EDITS)
def test_unittest_classes_fail_alike(project: MakeProject, edit: tuple[str, str, str]) -> None:
    cases = project(UNITTEST)
    cases.repository.replace(*edit)
    failed, without, passed = compared(cases)
    assert failed
    assert "tests/test_other.py::test_other" in without - passed


# --- packages of tests ---------------------------------------------------------------------------
# (Not called `tests`: under some import modes, this process has a package of that name already.)

NUMBER = """
    import pytest

    @pytest.fixture
    def number({argument}):
        return {value}
    """
USES_NUMBER = "def test_number(number):\n    assert number == {}\n"
PACKAGES = {
    "pytest.ini": "[pytest]\n",
    "suite/__init__.py": "TOP = 1\n",
    "suite/conftest.py": NUMBER.format(argument="", value=1),
    "suite/test_number.py": USES_NUMBER.format(1),
    "suite/unit/__init__.py": "",
    "suite/unit/conftest.py": NUMBER.format(argument="number", value="number + 1"),
    "suite/unit/test_number.py": USES_NUMBER.format(2),
    "suite/unit/deep/__init__.py": "from suite import TOP\n",
    "suite/unit/deep/test_number.py": """
        from . import TOP

        def test_number(number):
            assert number == 2

        def test_top():
            assert TOP == 1
        """,
    "suite/e2e/__init__.py": "",
    "suite/e2e/conftest.py": NUMBER.format(argument="", value=9),
    "suite/e2e/test_number.py": USES_NUMBER.format(9),
}
PACKAGE_EDITS: Mapping[str, tuple[str, str, str, int]] = {
    "fixture at the top": ("suite/conftest.py", "return 1", "return 5", 3),
    "override": ("suite/unit/conftest.py", "number + 1", "number + 2", 2),
    "override without the other": ("suite/e2e/conftest.py", "return 9", "return 8", 1),
    "init at the top": ("suite/__init__.py", "TOP = 1", "TOP = 2", 1),
    "init that raises": ("suite/unit/__init__.py", "", "raise RuntimeError\n", 1),
    "scope": ("suite/conftest.py", "@pytest.fixture", "@pytest.fixture(scope='session')", 0),
}


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
@pytest.mark.parametrize("edit", PACKAGE_EDITS.values(), ids=PACKAGE_EDITS)
def test_conftests_of_packages_fail_alike(
    project: MakeProject, edit: tuple[str, str, str, int], mode: str
) -> None:
    packages = project(PACKAGES)
    name, old, new, least = edit
    packages.repository.replace(name, old, new)
    failed, _, _ = compared(packages, f"--import-mode={mode}")
    assert len(failed) >= least


# --- other parts of pytest that may be missing ---------------------------------------------------


@pytest.mark.parametrize("plugin", ["terminal", "cacheprovider", "xdist", "junitxml", "doctest"])
def test_a_plugin_of_pytest_is_missing(broken: Project, plugin: str) -> None:
    arguments = ("-p", f"no:{plugin}")
    assert broken.run("--ciopt-changed", *arguments).ret == 1
    broken.repository.git("checkout", "--quiet", ".")
    assert broken.run("--ciopt-changed", *arguments).ret == 0


def test_a_document_without_a_terminal(broken: Project) -> None:
    told = broken.select("-p", "no:terminal", exit_code=1)
    assert "tests/test_cart.py::test_total" in told.selected


@pytest.mark.parametrize("plugins", [("faulthandler",), ("logging", "capture"), ("python",)])
def test_rarer_plugins_of_pytest_are_missing(broken: Project, plugins: Sequence[str]) -> None:
    arguments = [word for plugin in plugins for word in ("-p", f"no:{plugin}")]
    plain, chosen = broken.run(*arguments), broken.run("--ciopt-changed", *arguments)
    assert chosen.ret == plain.ret or (plain.ret, chosen.ret) == (5, 0), str(chosen.stdout)


TWICE = """
    import sys
    import pytest

    arguments = ["-p", "pytest_ciopt.plugin", "-p", "no:cacheprovider"]
    first = pytest.main([*arguments, *{first}])
    with open("shop/prices.py", "w") as stream:
        stream.write("def price(n):\\n    return 3 * n\\n")
    second = pytest.main([*arguments, *{second}])
    print("codes", int(first), int(second))
    """


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        (["--ciopt-changed"], ["--ciopt-changed"], "codes 0 1"),
        (["--ciopt-changed", "tests/sub"], [], "codes 0 1"),
        (["--ciopt-changed=nowhere"], ["--ciopt-changed"], "codes 4 1"),
        (["--ciopt-changed"], ["--ciopt-changed", "tests/test_stock.py"], "codes 0 0"),
    ],
)
def test_two_runs_in_one_process(
    shop: Project, first: list[str], second: list[str], codes: str
) -> None:
    script = shop.pytester.makepyfile(twice=TWICE.format(first=first, second=second))
    result = shop.pytester.runpython(script)
    result.stdout.fnmatch_lines([codes])


# --- how much is told ----------------------------------------------------------------------------


def test_quiet(broken: Project) -> None:
    result = broken.run("--ciopt-changed", "-q")
    result.stdout.no_fnmatch_line("*ciopt*")
    result.stdout.fnmatch_lines(["FAILED tests/test_cart.py::test_total*"])


@pytest.mark.parametrize("flag", ["-q", "-qq"])
def test_quiet_runs_still_say_why_everything_runs(
    shop: Project, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    monkeypatch.setenv("CIOPT_BASE", "unknown")
    shop.run("--ciopt-changed", flag).stdout.fnmatch_lines(["ciopt: all tests run: *'unknown'*"])


def test_no_summary(broken: Project) -> None:
    result = broken.run("--ciopt-changed", "--no-summary")
    assert result.ret == 1
    result.stdout.no_fnmatch_line("*selection (ciopt)*")
    result.stdout.fnmatch_lines(["ciopt: base *"])


def test_no_header_and_no_colour_codes(broken: Project) -> None:
    result = broken.run("--ciopt-changed", "--no-header", "--color=no")
    result.stdout.no_fnmatch_line("ciopt: base *")
    assert "\x1b" not in str(result.stdout)


def test_marker_under_strict_markers(shop: Project) -> None:
    test = "import pytest\n\n@pytest.mark.ciopt_always\ndef test_smoke():\n    pass\n"
    shop.repository.commit({"tests/test_smoke.py": test})
    told = shop.select("--strict-markers")
    assert told.selected == {"tests/test_smoke.py::test_smoke": "always: marked ciopt_always"}
    assert shop.run("--strict-markers").ret == 0


def test_our_ini_options_under_strict_config(shop: Project) -> None:
    names = "ciopt_base ciopt_ignore ciopt_run_all ciopt_dir ciopt_explain ciopt_json ciopt_strict"
    ini = "".join(f"{name} =\n" for name in names.split())
    text = f"[pytest]\npythonpath = .\nmarkers = slow\n{ini}"
    shop.repository.commit({"pytest.ini": text})
    assert shop.run("--ciopt-changed", "--strict-config").ret == 0
    assert shop.run("--strict-config").ret == 0


# --- where pytest is started ---------------------------------------------------------------------


def test_from_a_subfolder(broken: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(broken.repository.root / "tests")
    assert "tests/sub/test_more.py::test_p" in broken.select(exit_code=1).selected
    broken.run("--ciopt-changed", "sub", "test_stock.py").assert_outcomes(failed=1)
    monkeypatch.chdir(broken.repository.root / "tests/sub")
    broken.run("--ciopt-changed", "../test_stock.py", "test_more.py").assert_outcomes(failed=1)


def monorepo(project: MakeProject) -> Project:
    """Two services and a library that one of them uses."""
    files = {"lib/money/__init__.py": "def cents(n):\n    return 100 * n\n"}
    for name, test in {
        "one": "import money\n\ndef test_one():\n    assert money.cents(1) == 100\n",
        "two": "import two\n\ndef test_two():\n    assert two.TWO == 2\n",
    }.items():
        files[f"{name}/pytest.ini"] = "[pytest]\npythonpath = . ../lib\n"
        files[f"{name}/{name}.py"] = f"{name.upper()} = {('one', 'two').index(name) + 1}\n"
        files[f"{name}/tests/test_it.py"] = test
    return project(files)


@pytest.mark.parametrize("how", ["chdir", "rootdir"])
def test_a_subfolder_of_a_monorepo(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    repository = monorepo(project)
    repository.repository.replace("lib/money/__init__.py", "100", "10")
    for service, code in (("one", 1), ("two", 0)):
        if how == "chdir":
            monkeypatch.chdir(repository.repository.root / service)
            result = repository.run("--ciopt-changed")
        else:
            where = (f"--rootdir={service}", "-c", f"{service}/pytest.ini", f"{service}/tests")
            result = repository.run("--ciopt-changed", *where)
        assert result.ret == code, f"{service}: {result.stdout}"


def test_the_ids_of_a_monorepo_are_those_of_pytest(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = monorepo(project)
    repository.repository.replace("two/two.py", "2", "3")
    monkeypatch.chdir(repository.repository.root / "two")
    told = repository.select(exit_code=1)
    assert [(test["id"], test["path"]) for test in told.document["tests"]] == [
        ("tests/test_it.py::test_two", "two/tests/test_it.py")
    ]


def test_a_relative_document_is_written_where_pytest_was_started(
    broken: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken.repository.root / "tests")
    broken.run("--ciopt-changed", "--ciopt-json=told/it.json")
    assert Path("told/it.json").is_file()


@pytest.mark.parametrize(
    "arguments", [("shop/alone.py",), ("shop/alone.py", "-n2"), ("shop", "-k", "alone")]
)
def test_doctests_that_were_left_out_leave_nothing_to_run(
    project: MakeProject, arguments: Sequence[str]
) -> None:
    doctests = project(DOCTESTS)
    doctests.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = doctests.run("--ciopt-changed", *arguments)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*not imported*"])


@pytest.mark.parametrize("more", [(), ("-q",)])
def test_a_run_without_some_doctests_has_no_total_coverage(
    project: MakeProject, more: Sequence[str]
) -> None:
    """The limit is suspended and that is said, as loud as the person wanted it."""
    doctests = project(DOCTESTS)
    doctests.repository.replace("shop/prices.py", "2 * n", "n * 2")
    flags = ("-p", "pytest_cov.plugin", "--cov=shop", "--cov-fail-under=100")
    result = doctests.run("--ciopt-changed", *flags, *more)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*--cov-fail-under=100 is suspended: only some tests ran*"])
