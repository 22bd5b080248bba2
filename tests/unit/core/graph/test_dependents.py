import pytest

from loading import Sources, indexed, laid_out, loading, reached
from pytest_ciopt.core.graph.commands import Command
from pytest_ciopt.core.graph.dependents import leads_to, search
from pytest_ciopt.core.graph.reached import Layout, Link, scope_of
from pytest_ciopt.core.testfiles import is_test_module
from pytest_ciopt.settings import Discovery

TREE: Sources = {
    "src/pkg/__init__.py": "",
    "src/pkg/base.py": "",
    "src/pkg/mid.py": "from .base import x",
    "src/pkg/top.py": "import pkg.mid",
    "src/pkg/alone.py": "",
    "src/pkg/sub/__init__.py": "",
    "src/pkg/sub/leaf.py": "from .. import base",
    "tests/test_top.py": "from pkg.top import f",
    "tests/test_alone.py": "from pkg import alone",
    "tests/test_sub.py": "import pkg.sub.leaf",
    "tests/test_nothing.py": "import os",
    "tools.py": "from src.pkg import alone",
}
TESTS = {path for path in TREE if path.startswith("tests/")}


def loading_tests(changed: str, tree: Sources) -> set[str]:
    return {path for path in loading(changed, tree) if is_test_module(path, Discovery())}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("src/pkg/base.py", {"tests/test_top.py", "tests/test_sub.py"}),
        ("src/pkg/mid.py", {"tests/test_top.py"}),
        ("src/pkg/alone.py", {"tests/test_alone.py"}),
        ("src/pkg/sub/leaf.py", {"tests/test_sub.py"}),
        ("src/pkg/sub/__init__.py", {"tests/test_sub.py"}),
        ("src/pkg/__init__.py", TESTS - {"tests/test_nothing.py"}),
        ("tests/test_nothing.py", set()),
    ],
)
def test_tests_that_load_a_file(changed: str, expected: set[str]) -> None:
    assert loading_tests(changed, TREE) == expected


def test_every_possible_root_counts() -> None:
    assert "tools.py" in loading("src/pkg/alone.py", TREE)


@pytest.mark.parametrize(
    ("changed", "user", "source"),
    [
        # Packages are loaded before what lies in them.
        ("pkg/__init__.py", "tests/test_a.py", "import pkg.mod"),
        ("pkg/__init__.py", "tests/test_a.py", "from pkg.sub.deep import x"),
        ("pkg/sub/__init__.py", "tests/test_a.py", "from pkg.sub.deep import x"),
        ("pkg/__init__.py", "pkg/test_inside.py", ""),
        ("pkg/__init__.py", "pkg/sub/test_inside.py", ""),
        ("pkg/__init__.py", "pkg/sub/__init__.py", ""),
        # In a folder of the package that is none itself: pytest sets up the package around it.
        ("pkg/__init__.py", "pkg/data/test_inside.py", ""),
        ("pkg/__init__.py", "pkg/data/more/test_inside.py", ""),
        ("pkg/__init__.py", "pkg/data/again/test_inside.py", ""),
        ("pkg/mod.py", "pkg/data/test_inside.py", ""),
        # Names of several files.
        ("pkg/mod.py", "tests/test_a.py", "import pkg"),
        ("ns/mod.py", "tests/test_a.py", "import ns.mod"),
        ("lib/ns/mod.py", "tests/test_a.py", "import ns.mod"),
        ("lib/ns/mod.py", "tests/test_a.py", "import mod"),
        ("tests/helper.py", "tests/test_a.py", "import helper"),
        ("tests/helper.py", "tests/test_a.py", "from tests.helper import x"),
        ("tests/helper.py", "tests/test_a.py", "from . import helper"),
        ("tests/helper.py", "tests/deep/test_a.py", "from ..helper import x"),
        ("conftest.py", "tests/test_a.py", "import conftest"),
        ("tests/test_b.py", "tests/test_a.py", "from tests.test_b import x"),
        # A script in a package finds what lies in its folder, which is first on its path.
        ("pkg/mod.py", "pkg/tool.py", "import mod"),
        ("pkg/mod.py", "pkg/sub/deep.py", "import mod"),
        ("pkg/sub/deep.py", "pkg/tool.py", "from sub import deep"),
        ("pkg/sub/deep.py", "pkg/sub/tool.py", "import deep"),
        ("pkg/sub/__init__.py", "pkg/tool.py", "import sub.deep"),
        ("pkg/json/tool.py", "pkg/tool.py", "import json.tool"),
        # And one that is started there.
        ("pkg/mod.py", "tests/test_a.py", "run([python, '-m', 'mod'], cwd='pkg')"),
        ("pkg/sub/deep.py", "tests/test_a.py", "run('python -m sub.deep', cwd='pkg')"),
        ("pkg/sub/__main__.py", "tests/test_a.py", "run('python -m sub', cwd='pkg')"),
        # Strings that may name a file or a module; the package is reached before the module.
        ("pkg/db.py", "tests/test_a.py", "use('pkg.db')"),
        ("pkg/__init__.py", "tests/test_a.py", "use('pkg.db')"),
        ("pkg/mod.py", "tests/test_a.py", "use('pkg.db')"),
        # Computed names can go deep, where nobody names anything.
        ("far/a/b/mod.py", "tests/test_a.py", "import_module(f'far.{name}')"),
        ("src/far/a/b/mod.py", "tests/test_a.py", "import_module(f'far.{name}')"),
        ("far/a/b/mod.py", "far/test_a.py", "from pkgutil import walk_packages"),
        ("far/a/b/__init__.py", "far/test_a.py", "from pkgutil import walk_packages"),
    ],
)
def test_what_loads_a_file(changed: str, user: str, source: str) -> None:
    tree: Sources = {
        "pkg/__init__.py": "from pkg import mod",
        "pkg/mod.py": "",
        "pkg/db.py": "",
        "pkg/sub/__init__.py": "",
        "pkg/sub/deep.py": "",
        "pkg/data/again/__init__.py": "",
    }
    assert user in loading(changed, tree | {changed: tree.get(changed, ""), user: source})


@pytest.mark.parametrize(
    ("changed", "user", "source"),
    [
        ("pkg/mod.py", "tests/test_a.py", "import pkg.mode"),
        ("pkg/mod.py", "tests/test_a.py", "import other.pkg.mod2"),
        ("pkg/mod.py", "tests/test_a.py", "import mod"),  # its folder is a package
        ("pkg/mod.py", "pkgs/tool.py", "import mod"),
        ("pkg/mod.py", "tests/test_a.py", "from . import mod"),
        ("pkg/mod.py", "tests/test_a.py", "open('mod.txt')"),
        ("pkg/sub/__init__.py", "pkg/test_above.py", "import pkg"),
        ("pkg/test_b.py", "pkg/test_a.py", ""),
    ],
)
def test_what_does_not(changed: str, user: str, source: str) -> None:
    tree: Sources = {"pkg/__init__.py": "", changed: "", user: source}
    assert user not in loading(changed, tree)


@pytest.mark.parametrize(
    ("changed", "source", "expected"),
    [
        ("pkg/mod.py", "import mod", True),
        ("pkg/queue.py", "import queue", True),  # pytest has not loaded that
        ("pkg/typing.py", "import typing", False),
        ("pkg/typing.py", "import pkg.typing", True),
        ("pkg/json/__init__.py", "import json", False),
        ("pkg/json/tag.py", "import json", False),
        ("pkg/json/tag.py", "from pkg.json import tag", True),
        ("lib/typing.py", "import typing", True),  # a folder that is no package was there before
    ],
)
def test_what_is_loaded_before_the_path_changes(changed: str, source: str, expected: bool) -> None:
    tree: Sources = {
        "pkg/__init__.py": "",
        "pkg/json/__init__.py": "",
        changed: "",
        "tests/test_a.py": source,
    }
    suspects = frozenset({"pkg"})
    layout = laid_out(tree)._replace(packages=frozenset({"pkg/json"}), suspects=suspects)
    found = search({changed: "changed"}, indexed(tree), layout).files
    assert ("tests/test_a.py" in found) is expected


@pytest.mark.parametrize(
    ("changed", "source", "expected"),
    [
        ("tests/typing/uses.py", "import typing", False),
        ("tests/typing/deep/uses.py", "import typing", False),
        ("tests/typing/uses.py", "import uses", True),
        ("tests/typing/uses.py", "import tests.typing.uses", True),
        ("tests/shop/uses.py", "import shop.uses", True),
        ("json/typing/uses.py", "import json", True),  # `json` is a package here
        ("json/typing/uses.py", "import typing", False),
    ],
)
def test_a_folder_that_is_no_package_stands_behind_the_standard_library(
    changed: str, source: str, expected: bool
) -> None:
    tree: Sources = {"json/__init__.py": "", changed: "", "tests/test_a.py": source}
    assert ("tests/test_a.py" in loading(changed, tree)) is expected


def test_circles_end() -> None:
    tree = {"a.py": "import b", "b.py": "import c", "c.py": "import a", "test_c.py": "import c"}
    assert loading("a.py", tree) == {"b.py", "c.py", "test_c.py"}


def test_a_changed_conftest_is_reached_with_all_below_it() -> None:
    tree = {
        "lib.py": "",
        "tests/conftest.py": "import lib",
        "tests/a/test_a.py": "",
        "test_b.py": "",
    }
    found = reached("lib.py", tree)
    assert found.scopes == {"tests": Link("tests/conftest.py", "conftest above it")}
    assert scope_of("tests/a/test_a.py", found.scopes) == found.scopes["tests"]
    assert scope_of("tests/test_x.py", found.scopes) == found.scopes["tests"]
    assert scope_of("test_b.py", found.scopes) is None
    assert scope_of("tests2/test_b.py", found.scopes) is None
    assert scope_of("test_b.py", {"": Link(None, "x")}) == Link(None, "x")
    assert scope_of("test_b.py", {}) is None


def test_the_nearest_scope_counts() -> None:
    scopes = {"": Link("conftest.py", "x"), "a/b": Link("a/b/conftest.py", "x")}
    assert scope_of("a/b/c/test.py", scopes) == scopes["a/b"]
    assert scope_of("a/test.py", scopes) == scopes[""]


def test_a_file_that_only_ends_like_a_conftest_is_none() -> None:
    assert reached("a/my_conftest.py", {"a/my_conftest.py": ""}).scopes == {}


def test_reasons_tell_the_shortest_chain() -> None:
    tree: Sources = {
        "a.py": "",
        "b.py": "import a",
        "c.py": "import b",
        "test_a.py": "import c\nimport b\n",
        "pkg/__init__.py": "",
        "pkg/m.py": "",
    }
    found = reached("a.py", tree).files
    assert found == {
        "a.py": Link(None, "changed"),
        "b.py": Link("a.py", "imports a"),
        "c.py": Link("b.py", "imports b"),
        "test_a.py": Link("b.py", "imports b"),
    }
    assert reached("pkg/__init__.py", tree).files["pkg/m.py"].how == "is in the package pkg"


def test_narrowed_files_reach_who_loads_them_but_not_themselves() -> None:
    tree = {"test_a.py": "", "test_b.py": "from test_a import x", "lib.py": "", "conftest.py": ""}
    found = search({}, indexed(tree), laid_out(tree), {"test_a.py": True})
    assert set(found.files) == {"test_b.py"}
    found = search({}, indexed(tree), laid_out(tree), {"conftest.py": True})
    assert (found.files, found.scopes) == ({}, {})


def test_narrowed_files_are_reached_by_something_else() -> None:
    tree = {"test_a.py": "import lib", "test_b.py": "import test_a", "lib.py": ""}
    found = search({"lib.py": "changed"}, indexed(tree), laid_out(tree), {"test_a.py": True})
    assert set(found.files) == {"lib.py", "test_a.py", "test_b.py"}


def test_narrowed_files_may_import_each_other() -> None:
    tree = {"test_a.py": "import test_b", "test_b.py": "import test_a", "test_c.py": ""}
    found = search({}, indexed(tree), laid_out(tree), {"test_a.py": True, "test_b.py": True})
    assert set(found.files) == {"test_a.py", "test_b.py"}


def test_doctests_count_where_they_are_collected() -> None:
    tree = {"lib.py": "", "mod.py": '"""\n>>> import lib.x\n"""', "test_m.py": "import mod"}
    assert reached("lib.py", tree).doctests == {}
    found = reached("lib.py", tree, tests=Discovery(doctest_modules=True))
    assert set(found.doctests) == {"mod.py"}
    assert found.doctests["mod.py"].via == "lib.py"
    assert set(found.files) == {"lib.py"}, "who imports the module does not run its doctests"


def test_doctests_of_modules_whose_names_were_searched_before() -> None:
    tree = {
        "pkg/__init__.py": "from pkg import a",
        "pkg/a.py": "",
        "pkg/b.py": "",
        "m.py": '"""\n>>> from pkg import b\n"""',
        "n.py": '"""\n>>> from pkg.b import x\n"""',
    }
    found = reached("pkg/a.py", tree, tests=Discovery(doctest_modules=True))
    assert {"m.py", "n.py"} <= set(found.doctests)


def test_entry_points_reach_their_loaders() -> None:
    tree = {"pkg/__init__.py": "", "pkg/plug.py": "", "pkg/dep.py": "", "load.py": ""}
    loaders = (("load.py", frozenset({"pkg.plug"})),)
    assert "load.py" in loading("pkg/plug.py", tree, loaders=loaders)
    assert "load.py" not in loading("pkg/dep.py", tree, loaders=loaders)
    tree["pkg/plug.py"] = "from . import dep"
    assert "load.py" in loading("pkg/dep.py", tree, loaders=loaders)
    assert "load.py" in loading("pkg/__init__.py", tree, loaders=loaders)


def test_a_command_reaches_who_names_it() -> None:
    tree = {
        "shop/__init__.py": "",
        "shop/cli.py": "from shop import prices",
        "shop/prices.py": "",
        "shop/other.py": "",
        "test_a.py": 'run(["report"])',
        "test_b.py": 'run(["other"])',
    }
    commands = (Command("report", ("shop.cli",)),)
    found = reached("shop/prices.py", tree, commands=commands)
    assert set(found.files) == {"shop/prices.py", "shop/cli.py", "test_a.py"}
    assert found.files["test_a.py"] == Link("shop/cli.py", "names the command report")
    assert loading("shop/other.py", tree, commands=commands) == set()
    assert "test_a.py" in loading("shop/__init__.py", tree, commands=commands)


def test_a_command_of_a_package() -> None:
    tree = {"shop/__init__.py": "", "shop/cli/__init__.py": "", "test_a.py": 'run("report -v")'}
    commands = (Command("report", ("shop.cli",)),)
    assert loading("shop/cli/__init__.py", tree, commands=commands) == {"test_a.py"}


def test_the_top_may_be_a_package_itself() -> None:
    tree = {"__init__.py": "", "mod.py": "", "sub/__init__.py": "", "sub/a.py": "import repo.mod"}
    assert "sub/a.py" in loading("mod.py", tree, top="repo")
    assert "sub/a.py" not in loading("mod.py", tree, top="other")
    assert {"mod.py", "sub/__init__.py", "sub/a.py"} <= loading("__init__.py", tree, top="repo")


def test_a_removed_file_is_still_missed_by_who_imports_it() -> None:
    tree = {"test_a.py": "from pkg import gone", "test_b.py": "import pkg.gone.more"}
    found = search({"pkg/gone.py": "deleted"}, indexed(tree), Layout(frozenset({"pkg"})))
    assert {"test_a.py", "test_b.py"} <= set(found.files)


def test_a_new_file_shadows_what_was_found_before() -> None:
    """Adding `calendar.py` or `calendar/day.py` alters what the name means to all who import it."""
    tree = {"lib/tool.py": "", "test_a.py": "import tool", "test_b.py": "from calendar import day"}
    assert "test_a.py" in loading("tool.py", tree | {"tool.py": ""})
    assert "test_b.py" in loading("calendar.py", tree | {"calendar.py": ""})
    assert "test_b.py" in loading("calendar/day.py", tree | {"calendar/day.py": ""})


@pytest.mark.parametrize(
    ("script", "at", "expected"),
    [
        ("scripts/run.py", "test_a.py", True),
        ("scripts/run.py", "helper.py", True),
        ("scripts/other/run.py", "test_a.py", True),
        ("pkg/run.py", "test_a.py", True),  # a test may well run a module of a package
        ("scripts/test_run.py", "test_a.py", False),  # tests are not run by name
        ("scripts/rerun.py", "test_a.py", False),
    ],
)
def test_scripts_by_their_bare_name(script: str, at: str, expected: bool) -> None:
    name = "test_run.py" if "test_run" in script else "run.py"
    tree = {"pkg/__init__.py": "", script: "", at: f"run(HERE / '{name}')"}
    assert (at in loading(script, tree)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("scripts/run.py", True), ("./scripts/run.py", True), ("../scripts/run.py", True),
     ("{ROOT}/scripts/run.py", True), ("%s/run.py", True),
     ("bin/run.py", False), ("scripts/rerun.py", False)],
)  # fmt: skip
def test_scripts_by_their_path(text: str, expected: bool) -> None:
    tree = {"scripts/run.py": "", "test_a.py": f"run(f'{text}')"}
    assert ("test_a.py" in loading("scripts/run.py", tree, top="repo")) is expected


def test_leads_to_the_first_file_that_satisfies() -> None:
    tree = {"a.py": "", "b.py": "import a", "test_b.py": "import b", "c.py": ""}

    def goal(path: str) -> bool:
        return path.startswith("test_")

    assert leads_to("a.py", indexed(tree), laid_out(tree), goal) == "test_b.py"
    assert leads_to("test_b.py", indexed(tree), laid_out(tree), goal) == "test_b.py"
    assert leads_to("c.py", indexed(tree), laid_out(tree), goal) is None


def test_the_order_of_files_makes_no_difference() -> None:
    backwards = dict(reversed(TREE.items()))
    for changed in TREE:
        found, again = reached(changed, TREE), reached(changed, backwards)
        assert found.files == again.files
        assert found.scopes == again.scopes
        assert found.doctests == again.doctests


TOTAL = "shop/management/commands/total.py"


def test_settings_are_loaded_in_every_run() -> None:
    tree = {
        "site/settings.py": 'INSTALLED_APPS = ["shop.apps.ShopConfig"]\nROOT = "site.urls"\n',
        "site/urls.py": "",
        "shop/__init__.py": "",
        "shop/admin.py": "",
        TOTAL: "",
        "shop/views.py": "",
        "other/views.py": "",
    }
    layout = laid_out(tree)._replace(settings=("site/settings.py",))
    for path in ("site/settings.py", "site/urls.py", "shop/admin.py", TOTAL):
        found = search({path: "changed"}, indexed(tree), layout)
        assert found.scopes == {"": Link("site/settings.py", "settings of every run")}, path
        assert search({path: "changed"}, indexed(tree), laid_out(tree)).scopes == {}
        assert search({path: ""}, indexed(tree), layout, reasons=False).scopes.keys() == {""}
    for path in ("other/views.py", "shop/views.py"):
        assert search({path: "changed"}, indexed(tree), layout).scopes == {}
