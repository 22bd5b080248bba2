"""What a definition does with the names that it mentions."""

import ast

import pytest

from pytest_ciopt.core.edits.once import COMPUTED, Keeping
from pytest_ciopt.core.edits.uses import Uses


def uses(source: str, *, in_class: bool = False) -> Uses:
    return Uses(*((statement, in_class) for statement in ast.parse(source).body))


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@pytest.mark.parametrize(
    ("source", "called", "handed"),
    [
        ("def f(): g()", "g", ""),
        ("def f(): m.g()", "g", ""),
        ("def f(): m.a.g(1)()", "g", ""),
        ("def f(): g(h, m.k, key=v)", "g h m k v", "h m k v"),
        ("def f(): g([h for x in y])", "g h y", "h x y"),
        ("def f(): g(h())", "g h", ""),
        ("def f(): return g", "", ""),
        ("def f(g): g(); h(g)", "h", "g"),
        ("def f(): g = 1; g(); h(g)", "h", "g"),
        ("def f(self): self.g(); self.k = self.h", "g", ""),
        ("@g(h)\ndef f(): pass", "g h", "h"),
        ("X = g(h)", "g h", "h"),
        ("X = Lazy(lambda: g())", "Lazy g", ""),
        ("X = g", "", ""),
    ],
)
def test_what_is_called_and_what_is_handed_over(source: str, called: str, handed: str) -> None:
    found = uses(source)
    assert (found.calls, found.handed) == (names(called), names(handed))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(): g(); m.h", "g m h"),
        ("def f(): g.a = m.h = 1", "g m"),
        ("def f(g): g(); g.h", "h"),
        ("def f(): g = 1; return g", ""),
        ("def f():\n global g\n g = 1\n return g", "g"),
        ("def f(): m(g=1)", "m"),
        ("def f(x): g(); return m(lambda g: g)", "g m"),
        ("def f(x): g(); return [g for g in x]", "g"),
        ("def f(x):\n g()\n def inner(g): g = 1", "g"),
        ("def f(): getattr(m, 'g')", "getattr m g"),
        ("def f(): m(f'{x}_g')", "m x _g"),
        ("def f(): raise E('The g must be called')", "E"),
        ("def f():\n 'Calls g.'", ""),
    ],
)
def test_what_is_looked_up(source: str, expected: str) -> None:
    assert uses(source).looked_up == names(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(): m.x = 1", "x"),
        ("def f(): del m.x", "x"),
        ("def f(): m.x = 1; print(m.x)", ""),
        ("def f(): m.x = 1\ndef f(): m.x = m.y = 1", "x"),
        ("def f(): m.x = 1\ndef f(): return m.x", ""),
        ("X = 1", "X"),
    ],
)
def test_what_is_only_written(source: str, expected: str) -> None:
    assert uses(source).only_written == names(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x): g(x)", "g"),
        ("def f(x): m.a.g(1, x)", "m.a.g"),
        ("def f(x): g(key=[x])", "g"),
        ("def f(x):\n y = x\n g(y)", "g"),
        ("def f(x): y.g(1)", ""),
        ("def f(x): x.a.g(x)", ".a.g"),
        ("def f(x): x(x)", "."),
        ("def f(x): R[x].g(x)", "R.g"),
        ("X = g(x)", ""),
    ],
)
def test_what_is_called_with_what_was_given(source: str, expected: str) -> None:
    assert uses(source).gives == names(expected)


@pytest.mark.parametrize(
    ("source", "stores", "own_stores"),
    [
        ("def f(self, x): self.x = x", "", "x"),
        ("def f(self, x): m.x = x", "x", ""),
        ("def f(self, x): m.x = self.y = x", "x", "y"),
        ("def f(self, x): self.a.x = x", "", "x"),
        ("def f(self, x): setattr(m, self.n, x)", COMPUTED, ""),
        ("def f(self, x): R.append(x)", "R", ""),
        ("def f(self, x): self.x = 1", "", ""),
        ("@classmethod\ndef f(cls, x): cls.x = x", "x", ""),
    ],
)
def test_what_a_method_keeps_of_what_it_is_given(source: str, stores: str, own_stores: str) -> None:
    found = uses(source, in_class=True)
    assert (found.stores, found.own_stores) == (names(stores), names(own_stores))


def test_a_function_has_no_object_of_its_own() -> None:
    found = uses("def f(self, x): self.x = x")
    assert (found.stores, found.own_stores) == (names("x"), names(""))


def test_definitions_of_one_name_are_taken_together() -> None:
    one, other = uses("def f(x): g(x)"), uses("@lru_cache\ndef f(x): R.append(h())")
    both = one + other
    assert both.calls == names("g append h")
    assert both.gives == names("g")
    assert both.stores == names("R")
    assert both.keeps == (Keeping("f", None),)
    assert Uses().calls == Uses().looked_up == Uses().only_written == names("")


def test_an_assignment_keeps_nothing() -> None:
    assert uses("X = lru_cache(f)").keeps == ()


def test_what_a_method_keeps_may_be_in_its_object() -> None:
    source = "def f(self):\n if not self.x: self.x = g()"
    assert [one.of_self for one in uses(source, in_class=True).keeps] == [True]
    assert [one.of_self for one in uses(source).keeps] == [False]


@pytest.mark.parametrize(
    ("source", "attributes", "variables"),
    [
        ("def f(o): o.kept = 1", {"kept"}, set()),
        ("def f(o, k): o.kept[k] = 1", {"kept"}, set()),
        ("def f(o): o['kept'] = 1", set(), set()),
        ("def f(kept, k): kept[k] = 1", set(), {"kept"}),
        ("def f():\n global kept\n kept = 1", set(), {"kept"}),
        ("def f(o): o.__dict__['kept'] = 1", {"kept"}, set()),
    ],
)
def test_what_is_written_is_an_attribute_or_a_variable(
    source: str, attributes: set[str], variables: set[str]
) -> None:
    found = uses(source)
    assert found.attributes_written == attributes
    assert found.variables_written == variables
