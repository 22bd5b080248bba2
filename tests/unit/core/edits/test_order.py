"""What has its place in the order in which a module runs."""

import ast

import pytest

from pytest_ciopt.core.edits.order import order


def placed(text: str, *, lazy: bool = False) -> list[str]:
    return list(order(ast.parse(text).body, lazy=lazy))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(): pass\nX = 1", ["X"]),  # nobody needs it
        ("def f(): pass\nX = f()", ["f", "X"]),
        ("def f(): pass\n@f\ndef g(): pass", ["f", "g"]),
        ("def f(): pass\n@f\nclass C: pass", ["f", "C"]),
        ("def f(): pass\nclass C(f()): pass", ["f", "C"]),
        ("def f(): pass\ndef g(x=f): pass", ["f", "g"]),
        ("X = 1\ndef f(x=X): pass", ["X", "f"]),
        ("X = 1\nasync def f(*, x=X): pass", ["X", "f"]),
        ("X = 1\ndef f(x=1): pass", ["X"]),
        ("X = 1\ndef f(): return X", ["X"]),
        ("import X\ndef f(x=X): pass", ["X"]),  # imports come first
        ("class C: pass\ndef f(x: C): pass", ["C", "f"]),
        ("class C: pass\ndef f() -> C: pass", ["C", "f"]),
        ("class C:\n  def f(self): pass\n  g = property(f)", ["C", "C.f", "C.g"]),
        ("class C:\n  def f(self): pass\n  def g(self): pass", ["C"]),
        (
            "from a import *\ndef f(): pass",
            ["ImportFrom(module='a', names=[alias(name='*')], level=0)", "f"],
        ),
        ("pass\nfrom a import b, c as d\nimport e.f", ["b", "d", "e.f"]),
    ],
)
def test_functions_have_a_place_where_something_needs_them(text: str, names: list[str]) -> None:
    assert placed(text) == names


def test_annotations_that_are_not_evaluated_need_nothing() -> None:
    text = "class C: pass\ndef f(x: C) -> C: pass"
    assert placed(text, lazy=True) == ["C"]
    assert placed(f"{text}\ndef g(x=C): pass", lazy=True) == ["C", "g"]
