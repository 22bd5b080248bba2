"""What two texts of a module disagree on, by fingerprint."""

import ast
import sys
from dataclasses import replace

import pytest

from pytest_ciopt.core.history.traces import Source
from pytest_ciopt.core.proof import prints
from pytest_ciopt.core.proof.prints import Difference

BASE = '''
"""Docstring."""
import os
from a import b
if TYPE_CHECKING:
    from c import d
LIMIT = 3

def plain(x, y=1):
    """What it does."""
    return x + y

@cached
def decorated(x):
    """What it does."""
    return x

class C(Base):
    """A class."""
    size = 1

    def method(self):
        return self.size

print("imported")
'''


def source(text: str) -> Source:
    made = prints.source("", ast.parse(text))
    assert made is not None
    return made


def difference(old: str, new: str) -> Difference:
    assert old != new
    return prints.difference(source(old), source(new))


def edited(old: str, new: str) -> Difference:
    assert BASE.count(old) == 1
    return difference(BASE, BASE.replace(old, new))


def names(*found: str) -> frozenset[str]:
    return frozenset(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT  =  3  # a comment"),
        ("    return x + y", "\n    return (x\n        + y)"),
        ("    from c import d", "    from c import e"),
        ("class C(Base):", "# a comment\nclass C( Base ):"),
    ],
)
def test_no_difference(old: str, new: str) -> None:
    assert edited(old, new) == Difference()


@pytest.mark.parametrize(
    ("old", "new", "unit"),
    [
        ("return x + y", "return x - y", "plain"),
        ("return self.size", "return 0", "C.method"),
        ("return x\n\nclass", "return -x\n\nclass", "decorated"),
    ],
)
def test_bodies_and_signatures(old: str, new: str, unit: str) -> None:
    assert edited(old, new) == Difference(units=names(unit))


def test_a_signature_is_seen_without_a_call() -> None:
    assert edited("y=1", "y=2") == Difference(units=names("plain"), bindings=names("plain"))


def test_a_docstring_is_no_part_of_what_runs() -> None:
    head, _, tail = BASE.rpartition("What it does.")
    assert difference(BASE, BASE.replace("What it does.", "What it did.", 1)) == Difference(
        documented=names("plain")
    )
    assert difference(BASE, f"{head}What it did.{tail}") == Difference(
        documented=names("decorated")
    )
    assert edited('"""A class."""', '"""Another."""') == Difference(documented=names("C"))
    assert edited('    """A class."""\n', "") == Difference(documented=names("C"))


def test_beside_another_signature_a_docstring_tells_nothing() -> None:
    edit = BASE.replace("y=1", "y=2").replace("What it does.", "What it did.", 1)
    assert difference(BASE, edit).documented == frozenset()


def test_what_a_function_returns_by_its_annotation_is_seen_without_a_call() -> None:
    found = difference("def f() -> int: ...\n", "def f() -> str: ...\n")
    assert found == Difference(units=names("f"), bindings=names("f"))


FUTURE = "from __future__ import annotations\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{FUTURE}def f(x: int) -> int: ...\n", f"{FUTURE}def f(x: str) -> int: ...\n"),
        (f"{FUTURE}def f(x): ...\n", f"{FUTURE}def f(x) -> int: ...\n"),
        ("def f(x: 'A'): ...\n", "def f(x: 'B'): ...\n"),
        ("def f(x: 'A', y): ...\n", "def f(x, y: 'A'): ...\n"),
        ("def f():\n x: int = 3\n", "def f():\n x: str = 3\n"),
        (
            f"{FUTURE}@overload\ndef f(x: int): ...\ndef f(x): ...\n",
            f"{FUTURE}@overload\ndef f(x: str): ...\ndef f(x): ...\n",
        ),
    ],
)
def test_annotations_that_are_not_evaluated_are_no_part_of_what_runs(old: str, new: str) -> None:
    assert difference(old, new) == Difference(annotated=names("f"))


def test_those_of_variables_tell_nothing_beside_another_body() -> None:
    old, new = "def f():\n x: int = 3\n", "def f():\n x: int = 3\n y: int = 4\n"
    assert difference(old, new) == Difference(units=names("f"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{FUTURE}def f(x: int): return 1\n", f"{FUTURE}def f(x: str): return 2\n"),
        ("def f() -> 'A':\n  'One.'\n", "def f() -> 'B':\n  'Two.'\n  return 3\n"),
    ],
)
def test_those_of_functions_do(old: str, new: str) -> None:
    found = difference(old, new)
    assert found.units == found.annotated == names("f")
    assert not found.bindings


def test_annotations_in_a_class_belong_to_it() -> None:
    old, new = (f"{FUTURE}class C:\n  x: {of} = 1\n" for of in ("int", "str"))
    assert "C.x" in difference(old, new).bindings


@pytest.mark.skipif(sys.version_info < (3, 12), reason="types have parameters from 3.12 on")
@pytest.mark.parametrize("text", ["def f[T: int](): ...\n", "class f[T: int]: ...\n"])
def test_parameters_of_types_are_seen_without_a_call(text: str) -> None:
    assert difference(text, text.replace("int", "str")).bindings == names("f")


def test_whoever_decorates_a_function_sees_its_signature() -> None:
    both = Difference(units=names("decorated"), bindings=names("decorated"))
    assert edited("decorated(x)", "decorated(x, *, y=0)") == both


@pytest.mark.parametrize(
    ("old", "new", "binding"),
    [
        ("LIMIT = 3", "LIMIT = 4", "LIMIT"),
        ("@cached", "@cached()", "decorated"),
        ("size = 1", "size = 2", "C.size"),
        ("C(Base)", "C(Base, metaclass=M)", "C"),
        ("import os", "import os.path as os", "os"),
        ("from a import b", "from e import b", "b"),
        ('"""Docstring."""', '"""Another."""', "__doc__"),
    ],
)
def test_what_importing_binds(old: str, new: str, binding: str) -> None:
    found = edited(old, new)
    assert found.units <= found.bindings  # a constant may be a function that is bound again
    found = replace(found, units=names(), relearned=names(), imports=False)
    assert found == Difference(bindings=names(binding))


@pytest.mark.parametrize(
    ("old", "new", "differ"),
    [
        ("import os", "import os.path", True),
        ("import os", "", True),
        ("X = 1", "import os", True),
        ("import os\nX = 1", "import os\nX = 2", False),
    ],
)
def test_whether_it_imports_something_else(old: str, new: str, differ: bool) -> None:
    assert difference(old, new).imports == differ


def came(*found: str) -> Difference:
    return Difference(bindings=names(*found), moved=names(*found))


def test_names_that_come() -> None:
    assert edited("LIMIT = 3", "LIMIT = 3\nMORE = 1") == came("MORE")
    assert edited("import os\n", "import os\nimport a.b\n") == replace(came("a"), imports=True)
    added = edited("    def method", "    def other(self): pass\n\n    def method")
    assert added == came("C.other")


def test_names_that_go() -> None:
    assert edited("LIMIT = 3\n", "") == replace(came("LIMIT"), units=names("LIMIT"))
    assert edited("import os\n", "") == replace(came("os"), imports=True)
    gone = edited('def plain(x, y=1):\n    """What it does."""\n    return x + y\n', "")
    assert gone == replace(came("plain"), units=names("plain"))


@pytest.mark.parametrize(
    ("line", "is_lost"),
    [
        ("ONE = catalog.add(1)", True),
        ("ONE = re.compile('a')", False),
        ("ONE = 1", False),
        ("class C:\n  one = catalog.add(1)", False),  # whoever names the class learns of it
    ],
)
def test_what_a_call_made_and_others_may_know_is_lost(line: str, is_lost: bool) -> None:
    text = "import re\nfrom shop import catalog\n"
    assert difference(f"{text}{line}\n", text).lost == (names("ONE") if is_lost else names())


@pytest.mark.parametrize(
    ("old", "new", "differ"),
    [
        ("@add\ndef f(): pass", "def f(): pass", True),
        ("@add\ndef f(): pass", "@add(1)\ndef f(): pass", True),
        ("@add\ndef f(): pass", "@add\ndef f(x): pass", False),
        ("def f(): pass", "@add\ndef f(): pass", True),
        ("@pytest.mark.x\ndef f(): pass", "def f(): pass", False),
        ("@add\nclass f: pass", "class f: pass", True),
        ("class f(Base): pass", "class f: pass", True),
        ("class f(Base): pass", "class f(Other, Base): pass", True),
        ("class f: pass", "class f(Base): pass", True),
    ],
)
def test_who_is_told_of_what_is_made_otherwise(old: str, new: str, differ: bool) -> None:
    text = "import pytest\nfrom shop import Base, Other, add\n{}\n"
    found = difference(text.format(old), text.format(new))
    assert found.bindings == names("f")
    assert found.relearned == (names("f") if differ else names())


@pytest.mark.parametrize(
    ("old", "new", "is_remade"),
    [
        ("def f(self): pass", "@abstractmethod\n  def f(self): pass", True),
        ("@other\n  def f(self): pass", "def f(self): pass", True),
        ("def f(self): pass", "async def f(self): pass", True),
        ("def f(self): pass", "def f(self): yield", True),
        ("def f(self): pass", "def f(self, x): pass", False),
        ("def f(self): pass", "def f(self): return 1", False),
    ],
)
def test_methods_of_which_more_than_the_signature_differs(
    old: str, new: str, is_remade: bool
) -> None:
    text = "class C:\n  {}\n"
    found = difference(text.format(old), text.format(new))
    assert found.remade == (names("C.f") if is_remade else names())


def test_only_names_that_one_text_lacks_have_come_or_gone() -> None:
    assert edited("LIMIT = 3", "BOUND = 3").moved == names("LIMIT", "BOUND")
    for old, new in (("LIMIT = 3", "LIMIT = 4"), ("@cached", "@other"), ("x, y=1", "x, y=2")):
        assert edited(old, new).moved == names()


def test_who_knew_of_a_class_or_a_decorated_function_that_is_gone_cannot_be_told() -> None:
    text = BASE.partition("@cached")[0] + BASE.partition("return x\n\n")[2]
    assert difference(BASE, text).lost == names("decorated")
    assert difference(BASE, BASE.partition("class C")[0]).lost == names("C")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('print("imported")', 'print("loaded")'),
        ('print("imported")', ""),
        ('print("imported")', 'print("imported")\nif x():\n    y = 1'),
        ("import os\nfrom a import b", "from a import b\nimport os"),
    ],
)
def test_other_code_that_runs_at_import(old: str, new: str) -> None:
    assert edited(old, new).effects


def test_exports_count_by_name() -> None:
    old, new = '__all__ = ["a", "b"]\n', '__all__ = ("b", "c")\n'
    assert difference(old, new).bindings == names("a", "c")
    assert difference(old, '__all__ = ["b", "a"]\n') == Difference()
    assert difference(old, "").bindings == names("__all__")
    assert difference(old, "__all__ = listed()\n").bindings >= names("__all__")


def test_a_text_that_is_nested_too_deep() -> None:
    assert prints.source("", ast.Module([ast.Expr(_nested(100_000))], [])) is None


def _nested(depth: int) -> ast.expr:
    found: ast.expr = ast.Constant(1)
    for _ in range(depth):
        found = ast.UnaryOp(ast.USub(), found)
    return found
