"""What a function mentions: for each rule the smallest function that needs it."""

import ast
import symtable
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ciopt.core.edits.cutting import module
from pytest_ciopt.core.edits.definitions import Definition
from pytest_ciopt.core.edits.mentions import mentions


def function(text: str) -> Definition:
    """The function `f` of a text."""
    return module(ast.parse(text)).definitions["f"]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("def f(): x", set()),
        ("def f(x, /, y, *z, w=1, **v): pass", {"x", "y", "z", "w", "v"}),
        ("async def f(x): pass", {"x"}),
        ("def f():\n def g(x): pass\n return g", {"x"}),  # a maker of tests
        ("def f(): return lambda x: 1", {"x"}),
    ],
)
def test_parameters_are_asked_for_and_not_mentioned(text: str, asks: set[str]) -> None:
    found = function(text)
    assert found.named.asks == asks
    assert found.mentions.isdisjoint(asks)
    assert found.named.loose.isdisjoint(asks)


def test_functions_of_one_name_ask_for_what_each_of_them_does() -> None:
    assert function("def f(x): pass\ndef f(y): pass").named.asks == {"x", "y"}


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return x",
        "def f(*x): return x",
        "def f(**x): return x",
        "def f(): x = 1; return x",
        "def f(): x: int = 1; return x",
        "def f():\n return x\n x = 1",
        "def f(): x += 1",
        "def f(): a, (b, *x) = c; return x",
        "def f():\n for x in y: x",
        "async def f():\n async for x in y: x",
        "def f():\n with y as x: x",
        "def f():\n try: pass\n except E as x: x",
        "def f():\n if (x := 1): x",
        "def f(): del x",
        "def f():\n match y:\n  case x: return x",
        "def f():\n match y:\n  case [*x]: return x",
        "def f():\n match y:\n  case {**x}: return x",
        "def f():\n match y:\n  case A(b=x): return x",
        "def f():\n def x(): pass\n x()",
        "def f():\n async def x(): pass\n x()",
        "def f(): return [x for x in y if x]",
        "def f(): return {x: x for x in y}",
        "def f(): return {x for x in y}",
        "def f(): return any(x for x in y)",
        "def f(): return [z for x in y for z in x]",
        "def f(): return [(x := z) for z in y], x",
        "def f(): return lambda x: x",
        "def f():\n x = 1\n return lambda: x",
        "def f():\n x = 1\n return lambda: lambda: [x for _ in x]",
        "def f():\n x = 1\n def g():\n  return x\n return g",
        "def f(x):\n class C:\n  def go(self): return x",
        "def f(x): x[0] = 1",
    ],
)
def test_what_a_function_binds_is_no_mention(text: str) -> None:
    found = function(text)
    assert "x" not in found.mentions
    assert "x" not in found.named.values


@pytest.mark.parametrize(
    "text",
    [
        "def x(): return 1\nf = x",
        "def f(): return x",
        "def f(): (x): int; return x",
        "def f(a): a.x: int",
        "def f(a=x): return a",
        "def f(x=x): return x",
        "def f(a: x): return a",
        "def f() -> x: x = 1",
        "@x\ndef f(x): pass",
        "def f(a): a.x",
        "def f(x): x.x",
        "def f(a): a(x=1)",
        "def f(x): g('x')",
        "def f(x): g('a.x')",
        "def f():\n global x\n x = 1",
        "def f():\n def g():\n  global x\n  x = 1\n x = 1",
        "def f():\n x = 1\n def g():\n  nonlocal x\n  x = 1",
        "def f(): from m import x; x = 1",
        "def f(): import x.y",
        "def f():\n import m as x\n return x",
        # Each scope for itself.
        "def f(): x; return lambda x: x",
        "def f(): return (lambda x: x), x",
        "def f():\n def g(x): return x\n return x",
        "def f():\n def g(): x = 1\n return x",
        "def f():\n def g(y=x):\n  x = 1\n return g",
        "def f(): return [x for x in x]",
        "def f(): return [1 for x in y], x",
        "def f():\n def g(): return [(x := z) for z in y]\n return x",
        "def f(): return (lambda: [(x := z) for z in y]), x",
        "def f():\n @x\n def g():\n  x = 1",
        "def f():\n def g(a: x):\n  x = 1",
        # What a class holds can be seen from outside.
        "def f():\n class x: pass",
        "def f():\n class C(x): pass",
        "def f():\n class C:\n  x = 1",
        "def f(x):\n class C:\n  x = x",
        "def f():\n class C:\n  def x(self): pass",
        "def f():\n class C:\n  x = 1\n  def go(self): return x",
        "def f():\n class C:\n  def go(self, x): return x\n x",
        # So can what a decorator is given, and what is handed on by its name.
        "def f():\n @app.add\n def x(): pass",
        "def f(): x = 1; return locals()",
        "def f(x): x = 1; return eval(code)",
        "def f():\n def x(): pass\n setattr(m, x.__name__, x)",
        "def f():\n match y:\n  case A(x=1): pass",
    ],
)
def test_what_others_may_bind_is_a_mention(text: str) -> None:
    assert "x" in function(text).mentions


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("def f(): return g(x)", True),
        ("def f(): x = 1; return g(x)", False),
        ("def f(x): return g(x)", False),
        ("def f(): import x; return g(x)", True),
        ("def f():\n try: import x\n except E: x = None\n return g(x)", True),
        ("def f():\n global x\n x = 1\n return g(x)", True),
        ("def f(x):\n class C:\n  x = 1", False),
        ("def f():\n class C:\n  y = x", True),
        ("def f(): return x.y", False),
        ("def f(): return a.x", True),
        ("def f(): return a.x.y", False),
        ("def f(): return a.b.x", True),
        ("def f(): import a; return a.x", True),
        ("def f(a): return a.x", True),
        ("def f(): a = g(); return h(a.b.x)", True),
        ("def f(): return g().x", True),
        ("def f(): return [a.x for a in b]", True),
        ("def f(): a.x = y", False),
        ("def f(): return getattr(a, 'x')", True),
        ("def f(a): return getattr(a, 'x')", True),
        ("def f(): return getattr(x, 'y')", False),
        ("def f(): return getattr(x, y)", True),
        ("def f(): return x['y'], a.x['y']", False),
        ("def f(): return x(), a.x()", False),
        ("def f():\n for y in a.x: pass", False),
        ("def f(): return [y for y in x]", False),
        ("def f(): return x is None or y in a.x", False),
        ("def f(): return x + 1, 1 + a.x", False),
        ("def f(): return 'x.' + y", True),
        ("def f(): return f'a.x.{y}'", True),
        ("def f(): return g('a.x')", True),
        ("def f(): return g('x')", True),
        ("def f(): return y == 'x'", True),
        ("def f(): return x.__dict__", True),
        ("def f(): import a.x as y", True),
        ("def f(): return g('a x')", False),
        ("def f():\n class C:\n  x = 1", False),
        ("def f(x): return locals(), g(x)", True),
    ],
)
def test_what_is_handed_on_as_a_whole(text: str, whole: bool) -> None:
    assert ("x" in function(text).named.values) is whole


@pytest.mark.parametrize(
    "text",
    [
        "X = [x for x in y]",
        "X = lambda x: 1",
        "class X:\n  y = lambda x: x",
        "class X:\n  for x in y: pass",
    ],
)
def test_outside_of_functions_every_name_counts(text: str) -> None:
    definitions = module(ast.parse(text)).definitions.values()
    assert "x" in frozenset().union(*(one.mentions for one in definitions))


def test_code_that_runs_at_import_mentions_all_of_its_names() -> None:
    cut = module(ast.parse("for x in y:\n  def g(z): z.w"))
    assert {"x", "y", "g", "z", "w"} <= cut.effects_named.every
    assert cut.effects_named.loose == {"z", "w"}


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        ("'Holds a name.'", False),
        ("'Holds a name.'\n  y = 1", False),
        ("'''Adds.\n\n  >>> name()\n  '''", True),
        ("y = 1\n  'What the name is.'", False),
        ("y = 'name'", True),
        ("name", True),
    ],
)
def test_docstrings_of_classes_are_prose(body: str, counts: bool) -> None:
    cut = module(ast.parse(f"class A:\n  {body}\n"))
    assert any("name" in one.mentions for one in cut.definitions.values()) is counts
    assert any("name" in one.named.loose for one in cut.definitions.values()) in (counts, False)


def test_a_docstring_is_part_of_what_is_compared() -> None:
    one, other = (module(ast.parse(f"class A:\n  '{text}'")).definitions["A"] for text in "ab")
    assert one.documented != other.documented
    assert one.content == other.content


@pytest.mark.parametrize(
    "text",
    [
        "The name is taken.",
        "this name is taken",
        "where name goes",
        "no more than name of them",
        "a name must be given",
        "Name: they are one, the name",
    ],
)
def test_sentences_mention_nothing(text: str) -> None:
    assert function(f"def f(): raise E({text!r})").mentions == {"f", "E"}
    assert module(ast.parse(f"X = {text!r}")).definitions["X"].mentions == {"X"}


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "a.name",
        "a:name",
        "a/name.py",
        "a, name",
        "a name",  # of a named tuple
        "the",
        "name or other",
        "not name",
        "import name",
        "from name import ",
        "x if name else ",
        "name(the, other)",
        "run --name because of it",
        "{{ name }} are the best",
        "{name} are the best",
        "%(name)s are the best",
        "$name are the best",
        "<name> are the best",
        "name = are the best",
        "def g():\n    '''Do the other.'''\n    name()",
        "    name()  # the other\n",
        "print('and the other', name)",
    ],
)
def test_other_strings_mention_their_words(text: str) -> None:
    words = {"name"} if "name" in text else {"the"}
    assert words <= function(f"def f(): g({text!r})").mentions
    assert words <= function(f"def f(): g({text!r})").named.loose


@pytest.mark.parametrize(
    "text",
    ["name[other]", "name.A[other.B, None]", "name | None", "A[[name], B]", "A[name.other] | B.C"],
)
def test_plain_names_of_types_are_those_of_the_module(text: str) -> None:
    named = function(f"def f(): return cast({text!r}, 1)").named
    assert "name" in named.every
    assert named.loose <= {"A", "B", "C", "other", "None"} - {"name"}


@pytest.mark.parametrize(
    "text",
    [
        *("name[0]", "name['key']", "name[other", "name or None", "[name, other()]", "None, name"),
        *("name | other", "name - None", "A[name.name]", "A[other.name]", "name"),
    ],
)
def test_other_names_in_texts_may_be_those_of_others(text: str) -> None:
    assert "name" in function(f"def f(): return cast({text!r}, 1)").named.loose


def test_parts_of_formatted_strings_count() -> None:
    assert "name" in function("def f(x): g(f'the name of the {x}')").mentions


def test_a_long_string_mentions_nothing() -> None:
    assert function(f"def f(): g({'name, ' * 200!r})").mentions == {"f", "g"}


# --- against the compiler ------------------------------------------------------------------------

SOURCES = [ast, symtable, __import__("argparse"), __import__("dataclasses"), __import__("pickle")]


def outer_names(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that a function, or one inside of it, takes from the module or the builtins."""
    yield from (one.get_name() for one in table.get_symbols() if one.is_global())
    for inner in table.get_children():
        yield from outer_names(inner)


def functions(table: symtable.SymbolTable, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    for inner in table.get_children():
        name = f"{prefix}{inner.get_name()}"
        if inner.get_type() == "function":
            yield name, set(outer_names(inner))
        elif inner.get_type() == "class":
            yield from functions(inner, f"{name}.")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_whatever_the_compiler_takes_from_the_module_is_a_mention(source: object) -> None:
    text = Path(source.__file__).read_text("utf-8")  # type: ignore[attr-defined]
    definitions = module(ast.parse(text)).definitions
    seen = 0
    for name, names in functions(symtable.symtable(text, "m.py", "exec")):
        if name in definitions:
            seen += 1
            lost = names - definitions[name].mentions - {"__name__", "__class__"}
            assert not lost, name
    assert seen > 10


def test_mentions_of_a_tree() -> None:
    assert mentions(ast.parse("def f(x): return lambda y: z")) == {"f", "x", "y", "z"}


@pytest.mark.parametrize(
    ("text", "plain", "parts", "dotted"),
    [
        ("def f(): return g(x)", "g x", "", ""),
        ("def f(a): return g(a.x, b.c.x, g().x)", "", "b.x", ""),
        ("def f(): return g('x', 'a.y.b', '.z')", "", "", "y b z"),
        ("def f(): return __import__('a.y')", "", "", "a y"),
        ("def f(): return [a.x for a in b]", "", "", ""),
    ],
)
def test_three_kinds_of_what_may_be_a_module(
    text: str, plain: str, parts: str, dotted: str
) -> None:
    found = function(text)
    assert found.named.plain - {"g"} == set(plain.split()) - {"g"}
    assert found.named.parts == {tuple(part.split(".")) for part in parts.split()}
    assert found.named.dotted == set(dotted.split())
    assert found.named.leading == ({"a"} if "a.y" in text else set())


@pytest.mark.parametrize(
    ("text", "rooted"),
    [
        ("def f(self): return self.x + a.b.y", "self.x a.b"),
        ("def f(self): return [self.x for a in self.x if a.y]", "self.x"),
        ("def f(self, a): return self.x, a.x", ""),
        ("def f(self): return self.x, x", ""),
        ("def f(self): return self.x, g(x=1)", ""),
        ("def f(self): return self.x, 'x'", ""),
        ("def f(self): return self.x, g().x", ""),
        ("def f(self, x): return self.x", ""),
        ("def f(self):\n  def g(): return self.x", "self.x"),
        ("def f(self): return self.x\ndef f(self): return x", ""),
        ("def f(self): return x\ndef f(self): return self.x", ""),
        ("def f(self): return self.x\ndef f(self): return a.x", "self.x a.x"),
        ("def f(self): return self.x\ndef f(self): return 1", "self.x"),
    ],
)
def test_attributes_of_plain_names_alone(text: str, rooted: str) -> None:
    found = module(ast.parse(text)).definitions["f"].named
    assert found.rooted == {tuple(part.split(".")) for part in rooted.split()}
    assert {name for _, name in found.rooted} <= found.every & found.loose


def test_the_scope_of_a_fixture_is_no_name() -> None:
    text = "@pytest.fixture(scope='session', name='session')\ndef f(): pass"
    assert "session" in function(text).mentions
    assert "session" not in function(text.replace(", name='session'", "")).mentions
