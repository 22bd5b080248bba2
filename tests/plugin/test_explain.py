"""What people and tools are told: `ciopt select`, without running anything."""

import pytest

from conftest import MakeProject
from pytest_ciopt.cli.main import main

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


def selected(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines that `ciopt select` prints for other tools."""
    capsys.readouterr()
    assert main(["select", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_select_from_a_subfolder_when_everything_runs(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = project(SHOP)
    monkeypatch.setenv("CIOPT_BASE", "unknown")
    assert selected(capsys) == ["tests/test_cart.py"]
    monkeypatch.chdir(shop.repository.root / "tests")
    assert selected(capsys) == ["test_cart.py"]


def test_select_prints_modules_whose_doctests_are_reached(
    project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    ini = "[pytest]\npythonpath = .\naddopts = --doctest-modules\n"
    prices = 'def price(n):\n    """\n    >>> price(1)\n    2\n    """\n    return 2 * n\n'
    shop = project({**SHOP, "pytest.ini": ini, "shop/prices.py": prices})
    shop.repository.replace("shop/prices.py", "2 * n", "3 * n")
    assert "shop/prices.py" in selected(capsys)


def test_select_asks_the_hooks_for_further_changed_files(
    project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or else says on stderr that it cannot; `pytest --ciopt-changed` runs the test."""
    declares = "def pytest_ciopt_changed_files(config):\n    return ['shop/prices.py']\n"
    project({**SHOP, "conftest.py": declares})
    assert selected(capsys) == ["tests/test_cart.py"]
