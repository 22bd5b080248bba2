"""Documents of `--ciopt-json` are held to the schema that the reference publishes."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from conftest import MakeProject, Project
from pytest_ciopt.core.change import Status

SCHEMA = Path(__file__).parents[2] / "docs/reference/decisions.schema.json"

SHOP = {
    "shop/__init__.py": "",
    "shop/prices.py": "def price(n):\n    return 2 * n\n",
    "tests/test_prices.py": """
        from shop.prices import price

        def test_price():
            assert price(1) == 2
        """,
    "tests/test_other.py": """
        def test_one():
            assert True

        def test_two():
            assert True
        """,
    "pytest.ini": "[pytest]\npythonpath = .\n",
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(content)
    return content


@pytest.fixture
def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema)


@pytest.fixture
def shop(project: MakeProject) -> Project:
    return project(SHOP)


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
def test_a_partial_run(
    shop: Project, validator: Draft202012Validator, workers: tuple[str, ...]
) -> None:
    shop.repository.replace("tests/test_other.py", "test_one():\n", "test_one():\n    print()\n")
    document = shop.select(*workers).document
    validator.validate(document)
    assert {test["selected"] for test in document["tests"]} == {True, False}
    assert document["dropped_modules"]
    assert document["base"] is not None


def test_everything_runs(shop: Project, validator: Draft202012Validator) -> None:
    shop.repository.write({"mystery.bin": "?"})
    document = shop.select().document
    validator.validate(document)
    assert document["everything"]
    assert not document["dropped_modules"]


def test_nothing_is_selected(shop: Project, validator: Draft202012Validator) -> None:
    shop.repository.write({"README.md": "words"})
    document = shop.select().document
    validator.validate(document)
    assert document["changed"]
    assert not document["tests"]


def test_renamed_and_deleted_files(shop: Project, validator: Draft202012Validator) -> None:
    shop.repository.git("mv", "tests/test_other.py", "tests/test_others.py")
    document = shop.select().document
    validator.validate(document)
    assert {change["status"] for change in document["changed"]} == {"renamed", "deleted"}


def test_without_a_selection(shop: Project, validator: Draft202012Validator) -> None:
    shop.run(f"--ciopt-json={shop.decisions_file}")
    document = json.loads(shop.decisions_file.read_text(encoding="ascii"))
    validator.validate(document)
    assert document["base"] is None


def test_notes_are_told(shop: Project, validator: Draft202012Validator) -> None:
    shop.repository.write({".ciopt": "a file where the folder should be\n"})
    document = shop.select().document
    validator.validate(document)
    assert document["notes"]


def test_every_status_is_in_the_schema(schema: dict[str, Any]) -> None:
    known = schema["$defs"]["changed"]["properties"]["status"]["enum"]
    assert known == [status.value for status in Status]


def test_what_the_schema_does_not_name_is_refused(
    shop: Project, validator: Draft202012Validator
) -> None:
    document = shop.select().document | {"more": 1}
    with pytest.raises(ValidationError, match="more"):
        validator.validate(document)
