"""`pytest --ciopt-changed` on a small project: what runs, what is told, how it ends."""

from collections.abc import Callable

import pytest

from conftest import MakeProject, Project
from shop_project import PRODUCT, TEST_CART

SHOP = PRODUCT | {
    "tests/conftest.py": f"""{PRODUCT["tests/conftest.py"]}
        @pytest.fixture
        def shelf():
            return "shelf"
        """,
    "tests/test_cart.py": TEST_CART,
    "tests/test_stock.py": """
        from shop import stock

        def test_stock():
            assert stock.stock() == 3

        def test_shelf(shelf):
            assert shelf
        """,
}

CART = {"tests/test_cart.py::test_total", "tests/test_cart.py::test_empty"}
STOCK = {"tests/test_stock.py::test_stock", "tests/test_stock.py::test_shelf"}


@pytest.fixture
def shop(project: MakeProject) -> Project:
    return project(SHOP)


def test_imports_are_followed_to_the_tests(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    told = shop.select()
    assert told.selected == dict.fromkeys(CART, "imports shop.prices.price via shop.cart")
    assert told.dropped == {"tests/test_stock.py": "not reached"}


def test_nothing_changed_ends_early_with_success(shop: Project) -> None:
    result = shop.run("--ciopt-changed")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["nothing to run: nothing changed since the base"])
    result.stdout.no_fnmatch_line("*not imported*")


def test_nothing_selected_imports_nothing(shop: Project) -> None:
    shop.repository.commit({"tests/conftest.py": "raise RuntimeError('imported')\n"})
    result = shop.run("--ciopt-changed", "-n2")
    assert result.ret == 0, str(result.stdout)
    result.stdout.no_fnmatch_line("*workers*")


@pytest.mark.parametrize(
    "edit",
    [
        lambda shop: shop.repository.replace("shop/prices.py", "2 * n", "2 * n  # twice"),
        lambda shop: shop.repository.replace("shop/prices.py", "2 * n", "(2 *\n  n)"),
        lambda shop: shop.repository.write({"docs/guide.md": "words", "LICENSE": "MIT"}),
    ],
    ids=["comment", "formatting", "prose"],
)
def test_edits_without_effect_select_nothing(
    shop: Project, edit: Callable[[Project], None]
) -> None:
    edit(shop)
    result = shop.run("--ciopt-changed")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["nothing to run: *, and no test that * can affect"])


def test_a_test_body_selects_that_test(shop: Project) -> None:
    shop.repository.replace("tests/test_cart.py", "== 0", "== 0 + 0")
    told = shop.select()
    assert set(told.selected) == {"tests/test_cart.py::test_empty"}


def test_a_fixture_selects_its_users(shop: Project) -> None:
    shop.repository.replace("tests/conftest.py", '"shelf"', '"the shelf"')
    told = shop.select()
    assert set(told.selected) == {"tests/test_stock.py::test_shelf"}
    assert told.selected["tests/test_stock.py::test_shelf"] == (
        "uses the fixture shelf of tests/conftest.py"
    )


def test_the_skeleton_of_a_conftest_selects_all_below(shop: Project) -> None:
    shop.repository.replace("tests/conftest.py", "import pytest", "import pytest\nX = 1")
    assert set(shop.select().selected) == CART | STOCK


def test_an_unreached_module_selects_everything(shop: Project) -> None:
    shop.repository.write({"shop/orphan.py": "x = 1\n"})
    told = shop.select()
    assert told.everything == (
        "global: no test imports shop/orphan.py, so something may load it dynamically"
    )
    assert set(told.selected) == CART | STOCK


def test_header_and_summary(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = shop.run("--ciopt-changed")
    result.stdout.fnmatch_lines(
        [
            "ciopt: base ???????????? (merge base with main); 1 changed file",
            "*selection (ciopt)*",
            "2 of 2 collected tests selected, in 1 of 2 test modules; 1 module not imported",
            "       2  imports shop.prices.price via shop.cart",
        ]
    )


def test_a_failing_test_stays_red(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    result = shop.run("--ciopt-changed")
    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)


def test_an_unknown_base_is_a_usage_error(shop: Project) -> None:
    result = shop.run("--ciopt-changed=nowhere")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: cannot compare with 'nowhere': *"])


def test_without_git_everything_runs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest_subprocess("--ciopt-changed")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["ciopt: all tests run: this is not a git repository"])


def test_only_the_equals_form_takes_a_value(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    result = shop.run("--ciopt-changed", "tests")
    assert result.ret == 0
    result.assert_outcomes(passed=2)


def test_xdist_workers_apply_the_same_decision(shop: Project) -> None:
    shop.repository.replace("shop/prices.py", "2 * n", "n * 2")
    told = shop.select("-n2")
    assert set(told.selected) == CART
    assert told.dropped == {"tests/test_stock.py": "not reached"}


def test_a_circle_of_imports_ends(project: MakeProject) -> None:
    made = project(
        {
            "checks/__init__.py": "",
            "checks/helper.py": "import checks.test_a\n",
            "checks/test_a.py": "from checks import helper\n\ndef test_a():\n    assert 1\n",
        }
    )
    made.repository.replace("checks/test_a.py", "assert 1", "assert 2")
    assert made.select().selected == {"checks/test_a.py::test_a": "changed"}


def test_a_test_body_does_not_reach_who_loads_modules_by_the_folder(project: MakeProject) -> None:
    made = project(
        {
            "checks/__init__.py": "",
            "checks/conftest.py": "import pkgutil\n\nprint(list(pkgutil.iter_modules(['x'])))\n",
            "checks/test_a.py": "def test_a():\n    assert 1\n\ndef test_b():\n    pass\n",
        }
    )
    made.repository.replace("checks/test_a.py", "assert 1", "assert 2")
    assert set(made.select().selected) == {"checks/test_a.py::test_a"}
