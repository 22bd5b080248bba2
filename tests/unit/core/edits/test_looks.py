"""What decides whether a function calls something."""

import ast

import pytest

from pytest_ciopt.core.edits.looks import Looks, looks
from pytest_ciopt.core.edits.stores import own_object


def looked_at(source: str, called: str | None = "fill") -> Looks:
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef)
    return looks(node, called, own_object(node) if "self" in source else None)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(k):\n if k not in KEPT: fill(k)", Looks(names=frozenset({"KEPT"}))),
        ("def f(k):\n if k in KEPT: return 1\n fill(k)", Looks(names=frozenset({"KEPT"}))),
        ("def f():\n while not KEPT: fill()", Looks(names=frozenset({"KEPT"}))),
        ("def f():\n return KEPT or fill()", Looks(names=frozenset({"KEPT"}))),
        (
            "def f(k):\n try: return KEPT[k]\n except KeyError: fill(k)",
            Looks(names=frozenset({"KEPT"})),
        ),
        (
            "def f():\n if not SHELF.items: fill()",
            Looks(names=frozenset({"SHELF"}), parts=frozenset({("SHELF", "items")})),
        ),
        ("def f(self):\n if self.kept is None: self.fill()", Looks(own=frozenset({"kept"}))),
        ("def f(one):\n if one.kept is None: fill(one)", Looks(others=frozenset({"kept"}))),
        (
            "def f():\n one = KEPT[0]\n if one.kept is None: fill(one)",
            Looks(names=frozenset({"KEPT"}), others=frozenset({"kept"})),
        ),
        (
            "def f(self, k):\n one = self.kept.get(k)\n two = one\n if two is None: fill(k)",
            Looks(own=frozenset({"kept"})),
        ),
        ("def f():\n def one(): pass\n if not one.kept: fill()", Looks(others=frozenset({"kept"}))),
        ("def f(kept):\n if 'a' not in kept: fill(kept)", Looks(others=frozenset({"a"}))),
        (
            "def f():\n global kept\n if kept is None: kept = fill()",
            Looks(names=frozenset({"kept"})),
        ),
        ("def f(k):\n fill(k)", Looks()),
        ("def f(k):\n if KEPT: other()\n fill(k)", Looks()),
    ],
)
def test_what_is_looked_at(source: str, found: Looks) -> None:
    seen = looked_at(source)
    assert (seen.names - {"self"}, seen.parts, seen.own, seen.others) == (
        found.names,
        found.parts,
        found.own,
        found.others,
    )
    assert bool(seen) == bool(found)


def test_what_is_called_together_with_it() -> None:
    source = "def f(k):\n if k not in KEPT: shelf.put(k, fill(k))\n else: other()"
    assert looked_at(source).called == {"put", "fill"}


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("def f():\n if not KEPT: fill(KEPT)", {("fill", "KEPT")}),
        ("def f(k):\n one = KEPT[k]\n if not one: fill(one)", {("fill", "KEPT")}),
        ("def f(k):\n one = KEPT.get(k)\n two = one.x\n if not two: fill(two)", {("fill", "KEPT")}),
        ("def f(k):\n one = made(KEPT)\n if not one: fill(one)", set()),
        ("def f(one):\n if not one: fill(one)", set()),
        ("def f(k):\n fill(KEPT)\n if not KEPT: fill(k)", set()),
    ],
)
def test_what_is_given_to_what_is_called(source: str, given: set[tuple[str, str]]) -> None:
    assert looked_at(source).given == given


def test_operators_ask() -> None:
    asked = looked_at("def f(k):\n if k not in self: fill(k)").asked
    assert "__contains__" in asked
    assert "__eq__" not in asked


def test_without_a_name_any_call_counts() -> None:
    source = "def f(k):\n if k not in KEPT: MADE_BY[k]()\n if OTHER: x = 1"
    assert looked_at(source, None).names == {"KEPT"}
