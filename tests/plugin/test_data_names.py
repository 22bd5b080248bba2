"""Data of tests with names that elsewhere mean something else, or nothing."""

import pytest

from conftest import MakeProject

CASES = """
    from pathlib import Path

    def test_cases():
        for case in Path(__file__).with_name("cases").rglob("*"):
            assert case.is_dir() or "BAD" not in case.read_text()
    """
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop/__init__.py": "",
    "shop/prices.py": "PRICE = 1\n",
    "checks/test_prices.py": "from shop import prices\n\ndef test_prices():\n    assert prices\n",
    "tests/test_cases.py": CASES,
    "tests/cases/requirements.txt": "click==8.0\n",
    "tests/cases/pyproject.toml": "[tool.ruff]\na = 1\n",
    "tests/cases/m.pyi": "x: int\n",
    "tests/cases/deep/README.md": "# Fine\n",
    "tests/README.md": "# Tests\n",
    "shop/README.md": "# Shop\n",
    "shop/deep/README.md": "# Deep\n",
}
CASE, PRICES = "tests/test_cases.py::test_cases", "checks/test_prices.py::test_prices"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirements.txt", "click==8.0  # BAD\n"),
        ("requirements.txt", "click==8.0\n# BAD\n"),
        ("requirements-x.txt", "# BAD\n"),
        ("pyproject.toml", "[tool.ruff]\na = 'BAD'\n"),
        ("m.pyi", "x: BAD\n"),
        ("deep/README.md", "# BAD\n"),
        ("deep/.gitignore", "BAD\n"),
        ("deep/mypy.ini", "# BAD\n"),
    ],
)
def test_data_of_tests_with_a_well_known_name(
    project: MakeProject, name: str, content: str
) -> None:
    made = project(FILES)
    made.repository.write({f"tests/cases/{name}": content})
    assert set(made.select(exit_code=1).selected) == {CASE}


@pytest.mark.parametrize(
    ("path", "expected"),
    [("tests/README.md", set()), ("shop/README.md", set()), ("shop/deep/README.md", {PRICES})],
)
def test_elsewhere_such_names_are_harmless(
    project: MakeProject, path: str, expected: set[str]
) -> None:
    made = project(FILES)
    made.repository.write({path: "# Edited\n"})
    assert set(made.select().selected) == expected
