"""The marker `ciopt_always` and the hooks by which a project says what no analysis sees."""

import pytest

from conftest import MakeProject

SHOP = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop/__init__.py": "",
    "shop/prices.py": "def price(n):\n    return 2 * n\n",
    "tests/test_cart.py": """
        from shop.prices import price

        def test_cart():
            assert price(1) == 2
        """,
}
CART = "tests/test_cart.py::test_cart"


# --- ciopt_always --------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["trylast=True", "tryfirst=True", "wrapper=True"])
def test_a_marker_that_a_conftest_adds_to_collected_items(project: MakeProject, when: str) -> None:
    conftest = f"""
        import pytest

        @pytest.hookimpl({when})
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker("ciopt_always")
            {"return (yield)" if when.startswith("wrapper") else ""}
        """
    assert set(project({**SHOP, "conftest.py": conftest}).select().selected) == {CART}


def test_a_marker_that_a_plugin_of_the_repository_adds(project: MakeProject) -> None:
    plugin = "def pytest_itemcollected(item):\n    item.add_marker('ciopt_always')\n"
    ini = "[pytest]\npythonpath = .\naddopts = -p marking\n"
    shop = project({**SHOP, "marking.py": plugin, "pytest.ini": ini})
    # In a process of its own: `-p` imports the module, which pytester cannot always undo.
    result = shop.pytester.runpytest_subprocess("-p", "pytest_ciopt.plugin", "--ciopt-changed")
    assert result.parseoutcomes().get("passed") == 1, str(result.stdout) + str(result.stderr)


def test_a_hook_of_a_plugin_that_a_conftest_loads_from_outside(
    project: MakeProject, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project({**SHOP, "conftest.py": "pytest_plugins = ['company']\n"})
    folder = pytester.path / "installed"
    folder.mkdir()
    (folder / "company.py").write_text("def pytest_ciopt_always(item):\n    return 'smoke'\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    result = pytester.runpytest_subprocess("-p", "pytest_ciopt.plugin", "--ciopt-changed")
    assert result.parseoutcomes().get("passed") == 1, str(result.stdout) + str(result.stderr)


# --- pytest_ciopt_dependencies -------------------------------------------------------------------


def depends_on(glob: str) -> str:
    return f"def pytest_ciopt_dependencies(path, config):\n    return [{glob!r}]\n"


def test_a_module_of_which_a_part_is_selected_anyway_is_asked_too(project: MakeProject) -> None:
    test = """
        import pytest

        def test_plain():
            pass

        @pytest.mark.ciopt_always
        def test_marked():
            pass
        """
    schema = {"schemas/order.json": "1", "schemas/tool.py": ""}
    shop = project(
        {**SHOP, **schema, "conftest.py": depends_on("schemas/*.json"), "tests/test_part.py": test}
    )
    shop.repository.write({"schemas/order.json": "2"})
    selected = shop.select().selected
    assert {"tests/test_part.py::test_plain", "tests/test_part.py::test_marked"} <= set(selected)


def test_a_file_that_is_harmless_by_default_counts_for_who_depends_on_it(
    project: MakeProject,
) -> None:
    shop = project({**SHOP, "conftest.py": depends_on("docs/*.md"), "docs/usage.md": "1"})
    shop.repository.write({"docs/usage.md": "2"})
    assert set(shop.select().selected) == {CART}


def test_the_text_of_a_module_counts_for_who_depends_on_it(project: MakeProject) -> None:
    test = "def test_style():\n    pass\n"
    shop = project({**SHOP, "conftest.py": depends_on("shop/*.py"), "tests/test_style.py": test})
    shop.repository.replace("shop/prices.py", "2 * n", "2 * n  # twice")
    assert "tests/test_style.py::test_style" in shop.select().selected


# --- pytest_ciopt_changed_files ------------------------------------------------------------------

DECLARES = "def pytest_ciopt_changed_files(config):\n    return ['shop/prices.py']\n"


def test_a_declared_file_counts(project: MakeProject) -> None:
    assert set(project({**SHOP, "conftest.py": DECLARES}).select().selected) == {CART}


def test_a_declared_file_counts_although_only_its_comments_changed(project: MakeProject) -> None:
    shop = project({**SHOP, "conftest.py": DECLARES})
    shop.repository.replace("shop/prices.py", "2 * n", "2 * n  # twice")
    assert set(shop.select().selected) == {CART}


def test_a_declared_file_in_a_checkout_reached_through_a_symlink(
    project: MakeProject, pytester: pytest.Pytester
) -> None:
    shop = project({**SHOP, "conftest.py": DECLARES})
    link = pytester.path / "link"
    link.symlink_to(shop.repository.root)
    where = (f"--rootdir={link}", "-c", str(link / "pytest.ini"), str(link / "tests"))
    assert shop.run("--ciopt-changed", *where).ret == 0
