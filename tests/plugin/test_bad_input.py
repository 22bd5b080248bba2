"""Repositories and files that are not as they should be: no lost test, no broken run."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import MakeProject
from pytest_ciopt.adapters.git import Git
from repository import repository

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
NUMBER: Mapping[str, str] = {
    "pytest.ini": "[pytest]\n",
    "conftest.py": "import pytest\n\n@pytest.fixture\ndef number():\n    return 1\n",
}
USES_NUMBER = "def test_number(number):\n    assert number == 1\n"


def assert_red(result: pytest.RunResult) -> None:
    assert result.ret == 1, str(result.stdout) + str(result.stderr)


# --- tests that git does not tell of -------------------------------------------------------------


def test_tests_in_a_submodule_use_a_changed_fixture(project: MakeProject, tmp_path: Path) -> None:
    whole = project(NUMBER)
    inner = repository(tmp_path / "inner", {"test_number.py": USES_NUMBER})
    allow = ("-c", "protocol.file.allow=always")
    whole.repository.git(*allow, "submodule", "add", "--quiet", str(inner.root), "tests")
    whole.repository.commit()
    whole.repository.replace("conftest.py", "return 1", "return 2")
    assert_red(whole.run("--ciopt-changed"))


@pytest.mark.parametrize("folder", ["gen_tests", "gen-tests"])
def test_tests_in_an_ignored_folder_use_a_changed_fixture(
    project: MakeProject, folder: str
) -> None:
    whole = project({**NUMBER, ".gitignore": f"{folder}/\n"})
    whole.repository.write({f"{folder}/test_number.py": USES_NUMBER})
    whole.repository.replace("conftest.py", "return 1", "return 2")
    assert_red(whole.run("--ciopt-changed"))


def test_an_ignored_test_file_is_not_known_to_be_unchanged(project: MakeProject) -> None:
    shop = project({**SHOP, ".gitignore": "test_local.py\n"})
    shop.repository.write({"tests/test_local.py": "def test_local():\n    assert False\n"})
    assert_red(shop.run("--ciopt-changed"))


# --- contents ------------------------------------------------------------------------------------


@pytest.mark.timeout(20)
def test_many_statements_on_one_line_are_read_in_linear_time(project: MakeProject) -> None:
    """Such as a minified script that a module carries as a string; 100 KB of it."""
    shop = project(SHOP)
    script = f"SCRIPT = '{'import a;' * 11_000}'\n"
    shop.repository.write(
        {"shop/script.py": script, "tests/test_script.py": "import shop.script\n"}
    )
    assert shop.run("--ciopt-changed").ret == 0


# --- our own errors ------------------------------------------------------------------------------


def test_an_error_of_ours_at_the_first_question_to_git(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("injected")

    shop = project(SHOP)
    monkeypatch.setattr(Git, "__init__", fail)
    result = shop.run("--ciopt-changed")
    result.stdout.fnmatch_lines(["*all tests run: *RuntimeError: injected*"])
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"])
def test_a_rule_that_ignores_everything_does_not_hide_itself(
    project: MakeProject, name: str
) -> None:
    heads = {"setup.cfg": "tool:pytest", "pyproject.toml": "tool.pytest.ini_options"}
    head = heads.get(name, "pytest")
    value, rule = ("['.']", "['**']") if name == "pyproject.toml" else (".", "**")
    plain = f"[{head}]\npythonpath = {value}\n"
    made = project({name: plain, "test_it.py": "def test_it():\n    pass\n", "a.json": "1"})
    made.repository.write({name: f"{plain}ciopt_ignore = {rule}\n"})
    assert str(made.select().everything).startswith(f"global: {name} [{head}]")
    made.repository.commit()
    made.repository.write({"a.json": "2", "test_it.py": "def test_it():\n    assert 1\n"})
    assert made.select("--ciopt-changed=HEAD").selected == {}
    made.repository.replace(name, "pythonpath", "# A comment\npythonpath")
    assert made.select("--ciopt-changed=HEAD").selected == {}
