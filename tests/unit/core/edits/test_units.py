import ast
from textwrap import dedent

import pytest

from pytest_ciopt.core.edits.cutting import module
from pytest_ciopt.core.edits.definitions import Kind
from pytest_ciopt.core.edits.mentions import mentions
from pytest_ciopt.core.edits.trees import MAX_SOURCE, parse, same
from pytest_ciopt.core.edits.units import Edit, edit


def tree(text: str) -> ast.Module:
    parsed = parse(dedent(text).encode())
    assert parsed is not None
    return parsed


def edited(before: str, after: str) -> Edit:
    return edit(tree(before), tree(after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 1", "a = 1  # why\n\n"),
        ("a = 'x'", 'a = "x"'),
        ("f(1, 2)", "f(\n    1,\n    2,\n)"),
        ("def f():\n  return 1", "def f():\n\n        # why\n        return (1)"),
        ("a = 0x10", "a = 16"),
        ("x = 1; y = 2", "x = 1\ny = 2"),
        ("a = 'x' 'y'", "a = 'xy'"),
        ("class A: pass", "class A:\n    pass\n"),
    ],
)
def test_comments_and_formatting_are_no_change(before: str, after: str) -> None:
    assert same(tree(before), tree(after))
    assert edited(before, after).empty


@pytest.mark.parametrize(
    ("before", "after", "names", "effects"),
    [
        ("a = 1", "a = 2", {"a"}, False),
        ("a = 0.0", "a = -0.0", {"a"}, False),
        ("a = 1", "a = True", {"a"}, False),
        ("a = 1", "a = 1.0", {"a"}, False),
        ("a = 1e400", "a = 2e400", set(), False),  # both infinite
        ("a, (b, *c) = x", "a, (b, *c) = y", {"a", "b", "c"}, False),
        ("a = b = 1", "a = b = 2", {"a", "b"}, False),
        ("a: int = 1", "a: str = 1", {"a"}, False),
        ("a: int", "a: str", {"a"}, False),
        ("a = 1", "", {"a"}, False),
        ("", "a = 1", {"a"}, False),
        ("a += 1", "a += 2", set(), True),
        ("a.b = 1", "a.b = 2", set(), True),
        ("a[0] = 1", "a[0] = 2", set(), True),
        ("a, b.c = x", "a, b.c = y", set(), True),
        ("f(1)", "f(2)", set(), True),
        ("f()\ng()", "g()\nf()", set(), True),
        ("if x:\n  a = 1", "if x:\n  a = 2", {"a"}, False),
        ("if x:\n  a = 1\nelif y: b = 1", "if x:\n  a = 1\nelif z: b = 1", {"a", "b"}, False),
        ("if x:\n  a = 1\nb = 1", "if x:\n  c = 1\nb = 1", {"a", "c"}, False),
        ("if x:\n  a = 1", "if x:\n  pass", {"a"}, False),
        ("try: import a\nexcept E: a = 0", "try: import b\nexcept E: a = 0", {"a", "b"}, False),
        ("try: import a\nexcept E: a = 0", "try: import a\nexcept F: a = 0", {"a"}, False),
        ("class C:\n  if x: a = 1", "class C:\n  if x: a = 2", {"C.a"}, False),
        ("if x: __all__ = ['a']", "if y: __all__ = ['a']", set(), True),
        ("if x: __all__ = ['a']\nelse: b = 1", "if y: __all__ = ['a']\nelse: b = 1", set(), True),
        ("if x:\n  a = 1\n  f()", "if x:\n  a = 2\n  f()", set(), True),
        ("if x:\n  def a(): 1", "if x:\n  def a(): 2", set(), True),
        ("if x():\n  a = 1", "if x():\n  a = 2", set(), True),
        ("if x:\n  a.b = 1", "if x:\n  a.b = 2", set(), True),
        ("if x:\n  from a import *", "if x:\n  from b import *", set(), True),
        ("try: a = 1\nexcept f(): a = 2", "try: a = 3\nexcept f(): a = 2", set(), True),
        ("try: import a\nexcept E: raise F", "try: import b\nexcept E: raise F", set(), True),
        ("try: import a\nfinally: f()", "try: import b\nfinally: f()", set(), True),
        ("if x:\n  a = 1\nb = 1", "b = 1\nif x:\n  a = 1", set(), True),
        ("from a import *", "from b import *", set(), True),
        ("del a", "del b", set(), True),
        ("import a", "import a as b", {"a", "b"}, False),
        ("import a.b", "import a.c", {"a"}, False),
        ("import a.b\nimport a.c", "import a.b", {"a"}, False),
        ("from a import b", "from .a import b", {"b"}, False),
        ("from a import b", "from c import b", {"b"}, False),
        ("from a import b, c", "from a import c", {"b"}, False),
        ("def f(): return 1", "def f(): return 2", {"f"}, False),
        ("def f(): pass", "async def f(): pass", {"f"}, False),
        ("def f(a=1): pass", "def f(a=2): pass", {"f"}, False),
        ("def f() -> int: pass", "def f() -> str: pass", {"f"}, False),
        ("@a\ndef f(): pass", "@b\ndef f(): pass", {"f"}, False),
        ("@a\n@b\ndef f(): pass", "@b\n@a\ndef f(): pass", {"f"}, False),
        ("def f(): 'one'", "def f(): 'two'", {"f"}, False),
        ("def f():\n  def g(): return 1", "def f():\n  def g(): return 2", {"f"}, False),
        ("'one'\na = 1", "'two'\na = 1", {"__doc__"}, False),
        ("'one'", "", {"__doc__"}, False),
        ("class A:\n  'one'", "class A:\n  'two'", {"A"}, False),
        ("class A(B): pass", "class A(C): pass", {"A"}, False),
        ("class A(x=1): pass", "class A(x=2): pass", {"A"}, False),
        ("@a\nclass A: pass", "@b\nclass A: pass", {"A"}, False),
        ("class A:\n  a = 1", "class A:\n  a = 2", {"A.a"}, False),
        ("class A:\n  f(1)", "class A:\n  f(2)", {"A"}, False),
        ("class A:\n  import a", "class A:\n  import a as b", {"A.a", "A.b"}, False),
        ("class A:\n  def f(s): 1", "class A:\n  def f(s): 2", {"A.f"}, False),
        ("class A:\n  def f(s): 1", "class A: pass", {"A.f"}, False),
        (
            "class A:\n class B:\n  def f(s): 1",
            "class A:\n class B:\n  def f(s): 2",
            {"A.B.f"},
            False,
        ),
        ("class A:\n class B(C): pass", "class A:\n class B(D): pass", {"A.B"}, False),
        # Same-named definitions belong together, in their order.
        ("def f(): 1\ndef f(): 2", "def f(): 2\ndef f(): 1", {"f"}, False),
        ("def f(): 1\nf = 2", "def f(): 1\nf = 3", {"f"}, False),
        (
            "class A:\n @property\n def x(s): 1\n @x.setter\n def x(s, v): 2",
            "class A:\n @property\n def x(s): 1\n @x.setter\n def x(s, v): 3",
            {"A.x"},
            False,
        ),
        # A move is no change of a definition.
        ("def f(): 1\ndef g(): 2", "def g(): 2\ndef f(): 1", set(), False),
        ("def f(): 1\ng = 2", "g = 2\ndef f(): 1", set(), False),
    ],
)
def test_what_two_texts_disagree_on(
    before: str, after: str, names: set[str], effects: bool
) -> None:
    found = edited(before, after)
    assert (set(found.names), found.effects) == (names, effects)
    back = edited(after, before)
    assert (set(back.names), back.effects) == (names, effects)
    assert edited(before, before).empty


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("import helper", "sys.path.insert(0, 'x')"),
        ("A = load()", "os.environ['A'] = '1'"),
        ("a = next(x)", "b = next(x)"),
        ("from a import b", "from c import *"),
        ("class A:\n  x = f()", "g()"),
    ],
)
def test_what_runs_at_import_depends_on_what_ran_before(one: str, other: str) -> None:
    assert not edited(f"{one}\n{other}", f"{other}\n{one}").empty


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 1", "a = 2"),
        ("a = 0.0", "a = 0"),
        ("a = 0.0j", "a = -0.0j"),
        ("a = 'x'", "a = b'x'"),
        ("a = 1", "a = 1\nb = 2"),
        ("f(a)", "f(*a)"),
        ("def f(): pass", "def f(): return"),
        ("f'{a}'", "f'{a!r}'"),
        ("x = a if b else c", "x = b if a else c"),
    ],
)
def test_other_code_is_not_the_same(one: str, other: str) -> None:
    assert not same(tree(one), tree(other))
    assert not same(tree(other), tree(one))


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("def f(): pass", "f", Kind.FUNCTION),
        ("async def f(): pass", "f", Kind.FUNCTION),
        ("class A: pass", "A", Kind.CLASS),
        ("a = 1", "a", Kind.BINDING),
        ("import a.b", "a", Kind.IMPORT),
        ("'text'", "__doc__", Kind.BINDING),
        ("def f(): pass\nf = g(f)", "f", Kind.BINDING),
        ("def f(): pass\ndef f(): pass", "f", Kind.FUNCTION),
        ("class A:\n class B:\n  def f(s): pass", "A.B.f", Kind.FUNCTION),
    ],
)
def test_kinds(text: str, name: str, kind: Kind) -> None:
    found = module(tree(text)).definitions[name]
    assert found.kind is kind
    assert found.name == name
    assert found.name == (f"{found.scope}.{found.simple}" if found.scope else found.simple)


@pytest.mark.parametrize(
    ("decorator", "name", "autouse"),
    [
        ("@pytest.fixture", "f", False),
        ("@fixture", "f", False),
        ("@pytest.fixture()", "f", False),
        ("@pytest_asyncio.fixture(scope='module')", "f", False),
        ("@pytest.yield_fixture", "f", False),
        ("@pytest.fixture(name='db')", "db", False),
        ("@pytest.fixture(name=NAME)", None, False),
        ("@pytest.fixture(**options)", None, True),
        ("@pytest.fixture(autouse=True)", "f", True),
        ("@pytest.fixture(autouse=False)", "f", False),
        ("@pytest.fixture(autouse=SLOW)", "f", True),
        ("@other\n@pytest.fixture(name='db')\n@third", "db", False),
    ],
)
def test_fixtures(decorator: str, name: str | None, autouse: bool) -> None:
    found = module(tree(f"{decorator}\ndef f(): pass")).definitions["f"]
    assert (found.fixture, found.fixture_name, found.autouse) == (True, name, autouse)


@pytest.mark.parametrize(
    "decorator",
    [
        "@pytest.mark.slow",
        "@functools.cache",
        "@a.b(fixture=1)",
        "@pytest.mark.usefixtures('db')",
        "@usefixtures('db')",
    ],
)
def test_other_decorators_make_no_fixture(decorator: str) -> None:
    found = module(tree(f"{decorator}\ndef f(): pass")).definitions["f"]
    assert (found.fixture, found.fixture_name, found.autouse) == (False, None, False)


@pytest.mark.parametrize(
    ("head", "bases"),
    [
        ("class A", False),
        ("class A()", False),
        ("class A(object)", False),
        ("class A(B)", True),
        ("class A(metaclass=M)", True),
        ("class A(object, B)", True),
    ],
)
def test_bases(head: str, bases: bool) -> None:
    assert module(tree(f"{head}: pass")).definitions["A"].has_bases is bases


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("import a.b as x", {"a"}),
        ("from a.b import c as x", {"a"}),
        ("from . import x", {""}),
        ("from .a import x", {""}),
        ("import a as x\nimport b as x", {"a", "b"}),
    ],
)
def test_where_an_import_comes_from(text: str, origins: set[str]) -> None:
    assert module(tree(text)).definitions["x"].origins == origins


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b(c=d)[e]", {"a", "b", "c", "d", "e"}),
        ("def f(a, /, b, *c, d=1, **e) -> g: pass", {"f", "a", "b", "c", "d", "e", "g"}),
        ("x = 'one.two three-four'", {"x", "one", "two", "three", "four"}),
        ("x = f'{a}_suffix {b!r}'", {"x", "a", "_suffix", "b"}),
        ("def f():\n  global a\n  a = 1", {"f", "a"}),
        ("def f():\n  def g():\n    nonlocal a", {"f", "g", "a"}),
        ("from a.b import c as d", {"c"}),
        ("import a.b", {"a", "b"}),
        ("match x:\n  case A(b=1): pass", {"x", "A", "b"}),
        ("@a.b('c')\nclass D(E, f=g): h: i = j", set("abcDEfghij")),
        ("x = '" + "word " * 400 + "'", {"x"}),
        ("lambda a: b", {"a", "b"}),
        ("x = b'name'", {"x"}),
    ],
)
def test_every_identifier_is_a_mention(text: str, expected: set[str]) -> None:
    assert mentions(tree(text)) == expected


def test_a_definition_mentions_what_its_decorators_and_signature_mention() -> None:
    text = "@deco(a)\ndef f(b: c = d): return e\n\n@deco\nclass A(Base):\n  x = g\n"
    found = module(tree(text)).definitions
    assert {"deco", "a", "c", "d", "e"} <= found["f"].mentions
    assert found["f"].named.asks == {"b"}
    assert {"deco", "Base"} <= found["A"].mentions
    assert "g" in found["A.x"].mentions


@pytest.mark.parametrize(
    "source",
    [
        b"def f(:",
        b"\xff\xfe",
        b"a = '\xe9'",
        b"\0",
        b"# coding: no-such-codec\na = 1",
        b"(" * 5_000 + b")" * 5_000,
        b"-" * 200_000 + b"1",
        b"#" * (MAX_SOURCE + 1),
        b"print 'a'",
    ],
    ids=["syntax", "utf-16", "latin-1", "nul", "codec", "nested", "unary", "huge", "python 2"],
)
def test_what_cannot_be_parsed_has_no_tree(source: bytes) -> None:
    assert parse(source) is None


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\xef\xbb\xbfa = 1",
        b"# coding: latin-1\na = '\xe9'",
        b"a = 1\r\nb = 2\r",
        b"a = '\\d'",
        b"assert (1, 'x')",
        b"1 is 1",
    ],
    ids=["empty", "BOM", "latin-1", "line ends", "escape", "assert", "identity"],
)
def test_what_python_accepts_is_parsed_without_warnings(source: bytes) -> None:
    assert parse(source) is not None


@pytest.mark.parametrize("terms", [10, 985, 3_000])
def test_long_expressions_are_compared_without_an_error(terms: int) -> None:
    """Generated tests have them; a comparison that is too deep has to say 'cannot be parsed'."""
    texts = [f"x = {' + '.join(['a'] * terms)} + {last}\n".encode() for last in "bc"]
    before, after = map(parse, texts)
    if before is not None and after is not None:
        assert not same(before, after)
        found = edit(before, after)
        assert found.effects or found.names == {"x"}
    assert before is not None or terms > 900
