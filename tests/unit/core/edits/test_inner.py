"""Functions inside of a function have the names that Python gives them, and their own code."""

import ast
from types import CodeType

import pytest

from pytest_ciopt.core.edits.inner import inner

TEXT = """
@deco(lambda: one())
def f(x=one()):
    two()
    @deco(three())
    def g(y=four()):
        five()
        class C(six()):
            seven()
            def m(self): return eight()
        return lambda: nine()
    async def h():
        ten()
    def generator():
        yield eleven()
    return any(twelve(z) for z in [thirteen(a) for a in x])
"""
CALLS = {
    "": {"two", "deco", "three", "four", "any", "thirteen"},
    ".<locals>.g": {"five", "six", "seven"},
    ".<locals>.g.<locals>.C.m": {"eight"},
    ".<locals>.g.<locals>.<lambda>": {"nine"},
    ".<locals>.h": {"ten"},
    ".<locals>.generator": {"eleven"},
    ".<locals>.<genexpr>": {"twelve", "thirteen"},
}
"""The first iterable of a generator expression is evaluated outside, and counts for both."""


def function() -> ast.FunctionDef:
    (found,) = ast.parse(TEXT).body
    assert isinstance(found, ast.FunctionDef)
    return found


def names_of(code: CodeType) -> set[str]:
    """Qualified names of the functions in a code object."""
    below = [one for one in code.co_consts if isinstance(one, CodeType)]
    return {one.co_qualname for one in below}.union(*map(names_of, below))


def test_each_calls_for_itself() -> None:
    found = {
        one.name: {n.func.id for n in one.code if isinstance(n, ast.Call) if n.func.id}  # type: ignore[attr-defined]
        for one in inner(function())
    }
    assert found.keys() == CALLS.keys()
    assert {name: calls - {"thirteen"} for name, calls in found.items()} == {
        name: calls - {"thirteen"} for name, calls in CALLS.items()
    }
    assert "thirteen" in found[".<locals>.<genexpr>"]


def test_python_names_them_so() -> None:
    names = {f"f{one.name}" for one in inner(function())}
    assert names <= names_of(compile(TEXT, "<source>", "exec"))


@pytest.mark.parametrize(
    ("name", "is_suspended"),
    [("", False), (".g", False), (".h", True), (".generator", True), (".<genexpr>", True)],
)
def test_a_call_of_some_runs_nothing_yet(name: str, is_suspended: bool) -> None:
    found = {one.name: one.is_suspended for one in inner(function())}
    assert found[f".<locals>{name}" if name else ""] is is_suspended
