"""What a source loads when it is imported."""

import ast

import pytest

from pytest_ciopt.core.edits.loads import Import, loads, may_load

TEXT = b"""\
import a, b.c as d
from .e import (
    f,
    g as h,
)
from i import \\
    j
from .. import k
from l import *
if x:
    import m
elif y:
    import n
else:
    import o
try:
    import p
except ImportError:
    import q
finally:
    import r
class C:
    import s
    def f(self):
        import nothing
for _ in x:
    with y:
        import t
match x:
    case 1:
        import u
if TYPE_CHECKING:
    import nothing
else:
    import v
if typing.TYPE_CHECKING:
    import nothing
def f():
    import nothing
"""
AT_THE_MARGIN = {
    Import(0, "", "a"),
    Import(0, "", "b.c"),
    Import(1, "e", "f"),
    Import(1, "e", "g"),
    Import(0, "i", "j"),
    Import(2, "", "k"),
    Import(0, "l", "*"),
}


def test_what_runs_outside_of_functions() -> None:
    indented = {Import(0, "", name) for name in "mnopqrstuv"}
    assert loads(ast.parse(TEXT)) == AT_THE_MARGIN | indented


def test_what_the_text_shows() -> None:
    assert may_load(TEXT) == AT_THE_MARGIN


@pytest.mark.parametrize(
    "text",
    [
        b"importlib = 1\nfrom_a = 2\n",
        b"import (\n",
        b"x = '''\n  import a\n'''\n",
        b"",
    ],
)
def test_what_is_no_import(text: bytes) -> None:
    assert may_load(text) == frozenset()
