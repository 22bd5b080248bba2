"""Which annotations are not evaluated when a function is defined."""

import ast
import sys

import pytest

from pytest_ciopt.core.edits.annotations import are_lazy, unevaluated, without

FUTURE = "from __future__ import annotations\n"
TEXT = """
@decorated(a)
def f(x: A, /, y: "B" = d, *args: C, z: D = e, **options: None) -> E:
    n: int = 1
    self.m: int = 2
    if n:
        k: str
    class Local:
        attribute: G
        def method(self, w: H) -> "I":
            v: int = 3
    async def inner(u: J):
        return u
    return lambda n: n
"""


def function(text: str) -> ast.FunctionDef:
    (found,) = ast.parse(text).body
    assert isinstance(found, ast.FunctionDef)
    return found


def said(node: ast.AST) -> set[object]:
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names | {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}


@pytest.mark.parametrize("lazy", [True, False])
def test_of_a_function(lazy: bool) -> None:
    found = unevaluated(function(TEXT), lazy=lazy)
    texts = {f"{name}: {ast.unparse(node)}" for name, node in found.of_function}
    constant = {"y: 'B'", "options: None"}
    evaluated = {"x: A", "args: C", "z: D", "return: E"}
    assert texts == (constant | evaluated if lazy else constant)


@pytest.mark.parametrize("lazy", [True, False])
def test_those_of_local_variables_never_are(lazy: bool) -> None:
    found = unevaluated(function(TEXT), lazy=lazy)
    assert [ast.unparse(node) for _, node in found.of_variables].count("int") == 3
    assert {ast.unparse(node) for _, node in found.of_variables} == {"int", "str"}


def test_without_them() -> None:
    whole = function(TEXT)
    bare = without(whole, unevaluated(whole, lazy=True).nodes)
    types = {"A", "B", "C", "D", "E", "int", "str"}
    assert types <= said(whole)
    assert types.isdisjoint(said(bare))
    assert said(bare) == said(whole) - types - {None}
    assert without(bare, unevaluated(bare, lazy=True).nodes) is bare


@pytest.mark.parametrize(
    ("annotation", "is_type"),
    [
        ("Store", True),
        ("shop.Store[int] | None", True),
        ("'shop.Store[int]'", True),
        ("Annotated[Store, opened]", False),
        ("t.Annotated[Store, opened]", False),
        ("'Annotated[Store, opened]'", False),
        ("Depends(opened)", False),
        ("List['Depends(opened)']", False),
        ("(lambda: opened)", False),
    ],
)
def test_an_annotation_may_hold_values(annotation: str, is_type: bool) -> None:
    found = unevaluated(function(f"def f(x: {annotation}): ..."), lazy=True)
    assert bool(found.types) is is_type
    assert found.nodes


def test_a_module_says_whether_they_are_evaluated() -> None:
    assert are_lazy(ast.parse(f'"""Docstring."""\n{FUTURE}{TEXT}'))
    assert are_lazy(ast.parse(TEXT)) is (sys.version_info >= (3, 14))
