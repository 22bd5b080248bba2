"""What names tell of decorators and calls, and where they mean something else."""

import ast

import pytest

from pytest_ciopt.core.edits.cutting import mentioning, module
from pytest_ciopt.core.edits.decorators import STAR, is_harmless, taken_names


def foreign(source: str) -> set[str]:
    """What others may learn of while the module is imported."""
    return {name for name, one in module(ast.parse(source)).definitions.items() if one.foreign}


def bases(source: str) -> frozenset[str]:
    return module(ast.parse(source)).definitions["C"].bases


@pytest.mark.parametrize(
    ("imports", "taken"),
    [
        ("from functools import cache", set()),
        ("from typing_extensions import override", set()),
        ("from shop import cache", {"cache"}),
        ("from .shop import keep as cache", {"cache"}),
        ("from shop import keep", set()),
        ("def property(f): return f", {"property"}),
        ("class partial: pass", {"partial"}),
        ("skip = pytest.mark.skip", set()),
        ("import shop", set()),
        ("from dataclasses import *", set()),
    ],
)
def test_names_that_mean_something_else(imports: str, taken: set[str]) -> None:
    assert taken_names(ast.parse(imports)) == taken


def test_after_a_star_only_what_is_imported_by_its_name_is_known() -> None:
    taken = taken_names(ast.parse("from shop import *\nfrom functools import cache"))
    assert STAR in taken
    assert "final" in taken
    assert taken.isdisjoint({"cache", "property"})


@pytest.mark.parametrize("name", ["cache", "final", "override", "format", "property"])
def test_decorators_of_such_names_may_register(name: str) -> None:
    source = (
        f"@{name}\ndef f(): pass\n@{name}\nclass C: pass\nX = {name}(1)\ndef g(x={name}(1)): pass\n"
    )
    assert foreign(source) == set()
    assert foreign(f"from shop import {name}\n{source}") == {"f", "C", "X", "g"}
    part = ast.parse(source)
    found = mentioning(part, {}, frozenset((name,)))
    assert found.definitions["f"].foreign
    assert not is_harmless(ast.Name(name), {name})


def test_what_a_lambda_would_call_is_not_called_yet() -> None:
    at_once = "B = add(lambda x: x)\nC = (lambda: add(1))()\nD = lambda x=add(1): x\n"
    assert foreign("A = {1: lambda x: add(x)}\n" + at_once) == {"B", "C", "D"}


def test_a_base_that_comes_with_a_star_may_keep_account() -> None:
    source = "class C(Thread): pass\n"
    for imports, bases in (("", set()), ("from shop import *\n", {"Thread"})):
        found = module(ast.parse(imports + source)).definitions["C"].bases
        assert found == bases
    assert (
        not module(ast.parse("from shop import *\nclass C(Exception): pass")).definitions["C"].bases
    )
