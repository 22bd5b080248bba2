"""The four hooks: at the top and in subfolders, in one process and in workers, with and without us.

Whatever a hook adds is a reason to run more; what none of them can do is to drop a test.
"""

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

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
        """,
    "tests/deep/test_stock.py": """
        from shop.stock import stock

        def test_stock():
            assert stock() == 3
        """,
    "tests/deep/test_plain.py": "def test_plain():\n    pass\n",
}
CART = "tests/test_cart.py::test_cart"
STOCK = "tests/deep/test_stock.py::test_stock"
PLAIN = "tests/deep/test_plain.py::test_plain"
DISTRIBUTED = pytest.mark.parametrize("more", [(), ("-n2",)], ids=["one process", "xdist"])


def hook(signature: str, *body: str) -> str:
    """A conftest with one of our hooks.

    Names of modules are split, for who names a file in a string is reached from it anyway.
    """
    lines = ["import pytest", "", "@pytest.hookimpl(optionalhook=True)"]
    lines += [f"def pytest_ciopt_{signature}:", *(f"    {line}" for line in body)]
    return "\n".join(lines).replace(".py'", "' '.py'") + "\n"


def with_hook(project: MakeProject, place: str, conftest: str) -> Project:
    return project({**SHOP, place: conftest})


# --- veto ----------------------------------------------------------------------------------------

VETO = hook("veto(config, changed)", "return 'the moon is full'")


@DISTRIBUTED
def test_a_veto_runs_everything(project: MakeProject, more: Sequence[str]) -> None:
    told = with_hook(project, "conftest.py", VETO).select(*more)
    assert told.everything == "pytest_ciopt_veto: the moon is full"
    assert set(told.selected) == {CART, STOCK, PLAIN}


def test_a_veto_sees_what_changed(project: MakeProject) -> None:
    conftest = hook(
        "veto(config, changed)",
        "return 'seen' if list(changed) == ['docs/a.md', 'shop/prices.py'] else None",
    )
    shop = with_hook(project, "conftest.py", conftest)
    shop.repository.write({"docs/a.md": "words"})
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert shop.select().everything == "pytest_ciopt_veto: seen"


def test_no_veto_changes_nothing(project: MakeProject) -> None:
    conftest = hook("veto(config, changed)", "return None")
    shop = with_hook(project, "conftest.py", conftest)
    assert shop.select().selected == {}
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert set(shop.select().selected) == {CART}


def test_a_veto_of_the_conftest_in_testpaths(project: MakeProject) -> None:
    """Such conftests are loaded before collection, too."""
    ini = {"pytest.ini": "[pytest]\npythonpath = .\ntestpaths = tests\n"}
    shop = project({**SHOP, **ini, "tests/conftest.py": VETO})
    assert set(shop.select().selected) == {CART, STOCK, PLAIN}


def test_a_veto_of_a_plugin_of_the_repository(project: MakeProject) -> None:
    ini = {"pytest.ini": "[pytest]\npythonpath = .\naddopts = -p vetoing\n"}
    shop = project({**SHOP, **ini, "vetoing.py": VETO})
    plugins = ("-p", "pytest_ciopt.plugin", "--ciopt-changed")
    result = shop.pytester.runpytest_subprocess(*plugins)
    result.assert_outcomes(passed=3)


def test_the_summary_tells_of_a_veto(project: MakeProject) -> None:
    result = with_hook(project, "conftest.py", VETO).run("--ciopt-changed")
    result.stdout.fnmatch_lines(["ciopt: *all tests run: pytest_ciopt_veto: the moon is full"])


# --- always --------------------------------------------------------------------------------------

ALWAYS = hook("always(item)", "return 'smoke' if 'plain' in item.name else None")


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("conftest.py", ()),
        ("tests/conftest.py", ()),
        ("tests/deep/conftest.py", ()),
        ("tests/deep/conftest.py", ("-n2",)),
    ],
)
def test_a_test_that_always_runs(project: MakeProject, place: str, more: Sequence[str]) -> None:
    told = with_hook(project, place, ALWAYS).select(*more)
    assert told.selected == {PLAIN: "always: smoke"}


def test_a_hook_of_a_subfolder_is_not_asked_about_other_tests(project: MakeProject) -> None:
    conftest = hook("always(item)", "return True")
    told = with_hook(project, "tests/deep/conftest.py", conftest).select()
    assert set(told.selected) == {STOCK, PLAIN}


def test_always_beside_what_the_change_reaches(project: MakeProject) -> None:
    shop = with_hook(project, "conftest.py", ALWAYS)
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert set(shop.select().selected) == {CART, PLAIN}


@pytest.mark.parametrize("value", ["None", "False", "''", "0"])
def test_a_falsy_answer_selects_nothing(project: MakeProject, value: str) -> None:
    conftest = hook("always(item)", f"return {value}")
    assert with_hook(project, "conftest.py", conftest).select().selected == {}


def test_always_and_filters_intersect(project: MakeProject) -> None:
    shop = with_hook(project, "conftest.py", ALWAYS)
    assert shop.select("-k", "cart").selected == {}
    assert set(shop.select("tests/deep/test_plain.py").selected) == {PLAIN}
    assert set(shop.select(PLAIN).selected) == {PLAIN}


@pytest.mark.parametrize("argument", [PLAIN, "tests/deep/test_plain.py", "tests/deep"])
def test_always_in_a_subfolder_and_its_test_named(project: MakeProject, argument: str) -> None:
    shop = with_hook(project, "tests/deep/conftest.py", ALWAYS)
    assert set(shop.select(argument).selected) == {PLAIN}


# --- dependencies --------------------------------------------------------------------------------


def depends(*globs: str) -> str:
    return hook("dependencies(path, config)", f"return {list(globs)!r}")


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("conftest.py", ()),
        ("tests/deep/conftest.py", ()),
        ("tests/deep/conftest.py", ("-n2",)),
    ],
)
def test_a_declared_dependency(project: MakeProject, place: str, more: Sequence[str]) -> None:
    shop = with_hook(project, place, depends("shop/prices.py"))
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert set(shop.select(*more).selected) == {CART, STOCK, PLAIN}


def test_a_dependency_reached_through_imports(project: MakeProject) -> None:
    """What a test depends on may itself depend on the change."""
    shop = with_hook(project, "tests/deep/conftest.py", depends("shop/cart.py"))
    shop.repository.commit({"shop/cart.py": "from shop.prices import price\n"})
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert set(shop.select().selected) == {CART, STOCK, PLAIN}


def test_a_dependency_that_did_not_change(project: MakeProject) -> None:
    shop = with_hook(project, "conftest.py", depends("shop/stock.py"))
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert set(shop.select().selected) == {CART}


@pytest.mark.parametrize(
    "body",
    [
        "return [path.parents[2] / 'shop' / 'prices.py']",
        "return ['shop/*.py']",
        "return ('shop/**',)",
        "return {'./shop/prices.py'}",
        "yield config.rootpath / 'shop/prices.py'",
        "return [config.rootpath / 'shop' / '*.py']",
        "return ['tests/../shop/prices.py']",
        "return ['shop']",
        "return ['shop/']",
    ],
)
def test_ways_to_write_a_dependency(project: MakeProject, body: str) -> None:
    conftest = hook("dependencies(path, config)", body)
    shop = with_hook(project, "tests/deep/conftest.py", conftest)
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert set(shop.select().selected) == {CART, STOCK, PLAIN}


def test_a_dependency_that_was_deleted(project: MakeProject) -> None:
    shop = with_hook(project, "tests/deep/conftest.py", depends("tests/data/*.json"))
    shop.repository.commit({"tests/data/one.json": "1"})
    (shop.repository.root / "tests/data/one.json").unlink()
    assert {STOCK, PLAIN} <= set(shop.select().selected)


def test_a_dependency_in_a_monorepo_is_relative_to_the_rootdir(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"svc/{name}": text for name, text in SHOP.items()}
    shop = project({**files, "svc/tests/deep/conftest.py": depends("shop/prices.py")})
    shop.repository.replace("svc/shop/prices.py", "2 * n", "n * 2")
    monkeypatch.chdir(shop.repository.root / "svc")
    assert set(shop.select().selected) == {CART, STOCK, PLAIN}


@pytest.mark.parametrize("argument", [PLAIN, "tests/deep/test_plain.py"])
def test_a_named_test_with_a_declared_dependency(project: MakeProject, argument: str) -> None:
    """Files named on the command line are filtered before the conftest beside them is loaded."""
    shop = with_hook(project, "tests/deep/conftest.py", depends("shop/prices.py"))
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    assert set(shop.select(argument).selected) == {PLAIN}


@pytest.mark.parametrize("argument", [PLAIN, "tests/deep/test_plain.py"])
def test_a_named_test_from_another_folder(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, argument: str
) -> None:
    shop = with_hook(project, "tests/deep/conftest.py", depends("shop/prices.py"))
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    monkeypatch.chdir(shop.repository.root / "shop")
    assert set(shop.select(f"../{argument}").selected) == {PLAIN}


def test_the_hook_gets_each_module_once(project: MakeProject) -> None:
    conftest = hook(
        "dependencies(path, config)",
        "with open(config.rootpath / 'asked.txt', 'a') as stream:",
        "    stream.write(f'{path.relative_to(config.rootpath).as_posix()}\\n')",
    )
    shop = with_hook(project, "conftest.py", conftest)
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    shop.select()
    asked = Path("asked.txt").read_text().split()
    assert {"tests/deep/test_stock.py", "tests/deep/test_plain.py"} <= set(asked)
    assert len(asked) == len(set(asked))


# --- changed files -------------------------------------------------------------------------------


def declares(*paths: str) -> str:
    return hook("changed_files(config)", f"return {list(paths)!r}")


@DISTRIBUTED
def test_a_declared_change(project: MakeProject, more: Sequence[str]) -> None:
    told = with_hook(project, "conftest.py", declares("shop/prices.py")).select(*more)
    assert set(told.selected) == {CART}


def test_a_declared_change_beside_a_real_one(project: MakeProject) -> None:
    shop = with_hook(project, "conftest.py", declares("shop/prices.py"))
    shop.repository.replace("shop/stock.py", "return 3", "return 2 + 1")
    assert set(shop.select().selected) == {CART, STOCK}


@pytest.mark.parametrize("name", ["shop/prices.py", "tests/deep/data.json"])
def test_the_name_in_the_hook_itself_reaches_nothing(project: MakeProject, name: str) -> None:
    """A conftest that names a file for our hook does not load it by that."""
    conftest = hook("changed_files(config)", f"return ['{name}']").replace("' '", "")
    shop = project({**SHOP, "conftest.py": conftest, "tests/deep/data.json": "1"})
    assert set(shop.select().selected) == ({CART} if "prices" in name else {STOCK, PLAIN})


def test_declared_changes_of_two_conftests(project: MakeProject) -> None:
    ini = {"pytest.ini": "[pytest]\npythonpath = .\ntestpaths = tests\n"}
    first = {"conftest.py": declares("shop/prices.py")}
    second = {"tests/conftest.py": declares("shop/stock.py")}
    assert set(project({**SHOP, **ini, **first, **second}).select().selected) == {CART, STOCK}


@pytest.mark.parametrize(
    "body",
    [
        "return [config.rootpath / 'shop' / 'prices.py']",
        "return ('shop/../shop/prices.py',)",
        "yield './shop/prices.py'",
        "return ['shop/prices.py', 'shop/prices.py']",
        "return {config.rootpath / 'shop/prices.py'}",
    ],
)
def test_ways_to_declare_a_change(project: MakeProject, body: str) -> None:
    shop = with_hook(project, "conftest.py", hook("changed_files(config)", body))
    assert set(shop.select().selected) == {CART}


@pytest.mark.parametrize("value", ["None", "[]", "()"])
def test_no_declared_change(project: MakeProject, value: str) -> None:
    conftest = hook("changed_files(config)", f"return {value}")
    assert with_hook(project, "conftest.py", conftest).select().selected == {}


def test_a_declared_file_that_does_not_exist(project: MakeProject) -> None:
    """It may have been deleted, or is made by the tests: who knows."""
    result = with_hook(project, "conftest.py", declares("data/gone.bin")).run("--ciopt-changed")
    result.assert_outcomes(passed=3)


def test_a_declared_file_outside_the_repository(project: MakeProject) -> None:
    shop = with_hook(project, "conftest.py", declares("../elsewhere.json"))
    assert set(shop.select().selected) == {CART, STOCK, PLAIN}


def test_a_declared_folder(project: MakeProject) -> None:
    """Whatever it is taken for: the tests that load something of it run."""
    told = with_hook(project, "conftest.py", declares("shop")).select()
    assert {CART, STOCK} <= set(told.selected)


@pytest.mark.parametrize("name", ["changed_files(config)", "veto(config, changed)"])
def test_a_hook_too_late_to_be_asked_is_not_silently_ignored(
    project: MakeProject, name: str
) -> None:
    """A conftest below the rootdir is loaded by collection: all runs, or a line says it."""
    conftest = hook(name, "return ['shop/stock.py']" if "files" in name else "return 'all'")
    result = with_hook(project, "tests/deep/conftest.py", conftest).run("--ciopt-changed")
    told = str(result.stdout)
    ran = result.parseoutcomes().get("passed", 0)
    assert ran or f"pytest_ciopt_{name.partition('(')[0]}" in told, told


# --- hooks that fail -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signature",
    [
        "veto(config, changed)",
        "always(item)",
        "dependencies(path, config)",
        "changed_files(config)",
    ],
)
def test_an_error_in_a_hook_does_not_end_green(project: MakeProject, signature: str) -> None:
    conftest = hook(signature, "raise RuntimeError('in the hook')")
    shop = with_hook(project, "conftest.py", conftest)
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    result = shop.run("--ciopt-changed")
    assert result.ret in (1, 2, 3, 4), str(result.stdout)
    assert "in the hook" in str(result.stdout) + str(result.stderr)


@pytest.mark.parametrize("value", ["'shop/prices.py'", "5", "[5]", "[None]"])
@pytest.mark.parametrize("name", ["changed_files(config)", "dependencies(path, config)"])
def test_a_hook_with_an_answer_of_another_type(project: MakeProject, name: str, value: str) -> None:
    """A text in place of a list is easily written; its letters are no files."""
    shop = with_hook(project, "conftest.py", hook(name, f"return {value}"))
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    result = shop.run("--ciopt-changed")
    assert result.ret in (1, 2, 3, 4), str(result.stdout) + str(result.stderr)


# --- without us ----------------------------------------------------------------------------------

ALL_HOOKS = """
    import pytest

    @pytest.hookimpl(optionalhook=True)
    def pytest_ciopt_changed_files(config):
        return ["shop/prices.py"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_ciopt_veto(config, changed):
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_ciopt_dependencies(path, config):
        return ["shop/prices.py"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_ciopt_always(item):
        return True
    """


@pytest.mark.parametrize("place", ["conftest.py", "tests/deep/conftest.py"])
def test_conftests_with_hooks_work_where_the_plugin_is_missing(
    project: MakeProject, place: str
) -> None:
    shop = with_hook(project, place, ALL_HOOKS)
    shop.pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


@pytest.mark.parametrize("arguments", [("-p", "no:ciopt"), ()], ids=["no:ciopt", "autoload"])
def test_conftests_with_hooks_work_where_the_plugin_is_installed(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    shop = with_hook(project, "conftest.py", ALL_HOOKS)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = shop.pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)
    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("*ciopt*:*")


def test_the_plugin_is_found_by_its_entry_point(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = with_hook(project, "conftest.py", ALWAYS)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = shop.pytester.runpytest_subprocess("--ciopt-changed")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*always: smoke*"])


def test_blocked_and_asked_for_is_an_error_of_usage(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a run of everything, or nothing, under a flag that nobody knows."""
    shop = project(SHOP)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = shop.pytester.runpytest_subprocess("-p", "no:ciopt", "--ciopt-changed")
    assert result.ret == 4


def test_hooks_are_not_called_without_the_flag(project: MakeProject) -> None:
    conftest = "\n".join(
        hook(signature, "raise RuntimeError('in the hook')")
        for signature in ("veto(config, changed)", "always(item)", "changed_files(config)")
    )
    with_hook(project, "conftest.py", conftest).run().assert_outcomes(passed=3)


def test_a_mistyped_argument_of_a_hook_is_named(project: MakeProject) -> None:
    shop = with_hook(project, "conftest.py", hook("veto(config, files)", "return None"))
    result = shop.run("--ciopt-changed")
    assert result.ret not in (0, 5)
    assert "pytest_ciopt_veto" in str(result.stdout) + str(result.stderr)


# --- what means nothing --------------------------------------------------------------------------


@DISTRIBUTED
@pytest.mark.parametrize("name", ["changed_files(config)", "dependencies(path, config)"])
@pytest.mark.parametrize("told", ["5", "'shop/prices.py'", "[5]", "[None]", "b'x'", "True"])
def test_an_answer_that_means_nothing_is_an_error_of_usage(
    project: MakeProject, name: str, told: str, more: Sequence[str]
) -> None:
    """A text alone would be read letter by letter, and the file that it names be missed."""
    shop = with_hook(project, "conftest.py", hook(name, f"return {told}"))
    shop.repository.replace("shop/stock.py", "3", "4")
    result = shop.run("--ciopt-changed", *more)
    assert result.ret != 0
    hook_name = name.partition("(")[0]
    said = f"*pytest_ciopt_{hook_name} returned {told.strip('[]')}. Return paths in a list*"
    assert fnmatch(f"{result.stdout}{result.stderr}", said)
