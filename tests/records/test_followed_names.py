"""Edits of what importing binds, each with the tests that it breaks, and one that is spared.

As in `test_recorded_kinds`, all tests are run after the edit, to see which they are.
"""

from collections.abc import Mapping

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

BASE = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "app/__init__.py": "",
    "app/options.py": "FAST = True\nclass Missing(Exception): pass\n",
    "app/fast.py": "def double(n): return 2 * n\ndef halve(n): return n / 2\n",
    "app/slow.py": "def double(n): return n + n\n",
    "tests/test_free.py": "import app.code\n\ndef test_free():\n    assert app.code.spare() == 1\n",
}
SPARE = "\n\ndef spare():\n    return 1\n"
LIMIT = """
import sys
if sys.version_info >= (3, 0):
    LIMIT = 3
else:
    LIMIT = 4
"""
CHOICE = """
from app.options import FAST
if FAST:
    from app.fast import double
else:
    double = None
"""
TRIED = """
from app import options
try:
    from app.fast import double
except (ImportError, options.Missing):
    double = None
"""
DOUBLES = "from app.code import double\n\ndef test_it():\n    assert double(2) == 4\n"
SHIM = """
def _price(): return 3
def _cost(): return 3

def __getattr__(name):
    return globals()[f"_{name}"]
"""
FIELD = """
from typing import cast
from app.fast import double

class Order:
    double = 3

def twice(): return cast("list[double]", double(2))
"""
STREAM = """
import io

class Stream(io.StringIO):
    def shout(self): return self.getvalue().upper()
"""
ORDERS = """
class Order: pass

class Sale(Order):
    def do_pay(self): pass

def steps():
    return [name for kind in Order.__subclasses__() for name in dir(kind) if name[:3] == "do_"]
"""
COMPUTED = "from app import code\n\ndef test_it():\n    assert getattr(code, 'FA' + 'ST')\n"
TELLING = """
KINDS = []

class Base:
    def __init_subclass__(cls): KINDS.append(cls.__name__)

class Process:
    def __init_subclass__(cls): KINDS.append(cls.__name__)
"""

CASES: dict[str, tuple[str, str, tuple[str, str, str]]] = {
    "what is chosen": (
        LIMIT,
        "from app import code\n\ndef test_it():\n    assert code.LIMIT == 3\n",
        ("app/code.py", "LIMIT = 3", "LIMIT = 5"),
    ),
    "how it is chosen": (
        LIMIT,
        "from app.code import LIMIT\n\ndef test_it():\n    assert LIMIT == 3\n",
        ("app/code.py", "(3, 0)", "(9, 0)"),
    ),
    "what decides": (CHOICE, DOUBLES, ("app/options.py", "FAST = True", "FAST = False")),
    "what the chosen import gives": (CHOICE, DOUBLES, ("app/fast.py", "2 * n", "3 * n")),
    "a chosen import that is renamed": (
        CHOICE.replace("import double", "import double as double"),
        DOUBLES,
        ("app/code.py", "double as double", "halve as double"),
    ),
    "an import that is tried": (TRIED, DOUBLES, ("app/code.py", "app.fast", "app.none")),
    "what is tried is gone": (TRIED, DOUBLES, ("app/fast.py", "def double", "def doubled")),
    "what is tried cannot be imported": (
        TRIED,
        DOUBLES,
        ("app/fast.py", "def double", "from app.options import Missing\nraise Missing\ndef double"),
    ),
    "a choice in a class": (
        "from app.options import FAST\nclass Order:\n    if FAST:\n        size = 3\n",
        "from app import code\n\ndef test_it():\n    assert code.Order().size == 3\n",
        ("app/code.py", "size = 3", "size = 4"),
    ),
    "what is looked up among the globals": (
        SHIM,
        "from app import code\n\ndef test_it():\n    assert code.price() == 3\n",
        ("app/code.py", "def _price(): return 3", "_price = lambda: 4"),
    ),
    "what a class has a name in common with": (
        FIELD,
        "from app import code\n\ndef test_it():\n    assert code.twice() == 4\n",
        ("app/fast.py", "def double(n): return 2 * n", "double = str"),
    ),
    "a class of the standard library's is gone": (
        STREAM,
        "from app import code\n\ndef test_it():\n    assert code.Stream('a').shout() == 'A'\n",
        ("app/code.py", "class Stream", "class Streams"),
    ),
    "its base": (
        STREAM,
        "from app import code\n\ndef test_it():\n    assert code.Stream('a').shout() == 'A'\n",
        ("app/code.py", "io.StringIO", "io.BytesIO"),
    ),
    "a name of a module that imports it": (
        "from app.options import FAST\n",
        COMPUTED,
        ("app/options.py", "FAST = True", "FAST = False"),
    ),
    "a name of a module that imports it with a star": (
        "from app.options import *\n",
        COMPUTED,
        ("app/options.py", "FAST = True", "FAST = False"),
    ),
    "a method of a class that is found by its base": (
        ORDERS,
        "from app.code import steps\n\ndef test_it():\n    assert steps() == ['do_pay']\n",
        ("app/code.py", "do_pay", "do_buy"),
    ),
    "a class of which others learn": (
        "from app.telling import Base\n",
        "import app.code\nfrom app.telling import KINDS\n\ndef test_it(): assert KINDS == []\n",
        ("app/code.py", "import Base\n", "import Base\nclass Sale(Base): pass\n"),
    ),
    "a class with a base that is named as one of the standard library's": (
        "from app.telling import Process\n",
        "import app.code\nfrom app.telling import KINDS\n\ndef test_it(): assert KINDS == []\n",
        ("app/code.py", "import Process\n", "import Process\nclass Sale(Process): pass\n"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_edit_breaks_is_selected(project: MakeProject, name: str) -> None:
    code, test, (path, old, new) = CASES[name]
    files: Mapping[str, str] = {"app/code.py": code + SPARE, "app/telling.py": TELLING}
    made = project({**BASE, **files, "tests/test_it.py": test})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace(path, old, new)
    broken = failing(made)
    assert "tests/test_it.py::test_it" in broken
    assert broken <= made.select(exit_code=1).selected.keys()


@pytest.mark.parametrize("name", ["what is chosen", "what decides", "its base", "how it is chosen"])
def test_others_are_spared(project: MakeProject, name: str) -> None:
    code, test, (path, old, new) = CASES[name]
    made = project({**BASE, "app/code.py": code + SPARE, "tests/test_it.py": test})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace(path, old, new)
    assert made.select(exit_code=1).selected.keys() == {"tests/test_it.py::test_it"}
