"""Edits that alter what importing does, far from the tests that see it.

As in `test_recorded_kinds`, all tests are run after the edit, to see which they are. What is edited
is seen by way of other modules; one more test imports it, so that it is no stranger.
"""

from collections.abc import Mapping

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

PLUGGED = "import app.plug\n"
BUILD = "def build(): return 3\n"
SIZE = "SIZE = build()\n"
MEASURE = "def measure(size=SIZE): return size\n"
BASE = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "app/__init__.py": "",
    "app/words.py": "KEY = 'pen'\nKIND = 'ink'\nMAX_RATE = 3\ndef price(n=1): return n\n",
    "app/catalog.py": """
from collections import defaultdict

ITEMS = {}
HEARING = defaultdict(list)

def register(key):
    def decorator(function):
        ITEMS[key] = function
        return function
    return decorator

def add(key):
    ITEMS[key] = key
    return key

class Item:
    def __init_subclass__(cls): ITEMS[cls.key] = cls

def listen(event):
    def decorator(function):
        HEARING[event].append(function)
        return function
    return decorator

class Field:
    def __init__(self, size): self.size = size
    def __set_name__(self, owner, name): ITEMS[name] = self.size
""",
    "app/plug.py": "from app import catalog\ncatalog.ITEMS['plug'] = 1\nTHING = 1\n",
    "app/shop.py": """
from app import catalog, words

@catalog.register(words.KEY)
def pen(): return 1

class Ink(catalog.Item): key = words.KIND

added = catalog.add(words.MAX_RATE)
loose = catalog.add("loose")

def plain(): return 1

@catalog.listen("opened")
def hear(): return 1

class Holder:
    shelf = catalog.Field(3)
""",
    "app/eager.py": BUILD + SIZE + MEASURE,
    "app/typed.py": """
from dataclasses import dataclass

@dataclass
class Order:
    size: int = 3
""",
    "app/lazy.py": """
class Lazy:
    def __init__(self, function): self.function = function
    def __get__(self, thing, kind):
        thing.__dict__[self.function.__name__] = self.function(thing)
        return thing.__dict__[self.function.__name__]

class Thing:
    @Lazy
    def size(self): return 3

THING = Thing()
""",
    "app/hub.py": "from app import words as impl\n",
    "app/shape.py": """
import abc

class Shape(abc.ABC):
    def area(self): return 1
""",
    "app/square.py": """
from app.shape import Shape

class Square(Shape): pass
""",
    "app/use.py": """
from app import catalog, lazy, square, typed
from app.hub import impl
import app.plug
import app.shop

def hearing(event): return len(catalog.HEARING.get(event, ()))
def size_of(name): return catalog.ITEMS[name]
def has(key): return key in catalog.ITEMS
def rate(kind): return getattr(impl, f"{kind}_RATE")
def kind(name): return typed.Order.__dataclass_fields__[name].type
def size(): return lazy.THING.size
def area(): return getattr(square, "Square")().area()
""",
    "tests/test_last.py": """
def test_last():
    from app import eager, plug, shop, typed, words
    assert words and shop and plug and eager and typed
""",
}
SIZES = "from app import use\ndef test_first(): assert use.size() == 3\n"

CASES: dict[str, tuple[str, tuple[str, str, str]]] = {
    "a decorator registers by a name of another module": (
        "use.has('pen')",
        ("app/words.py", "'pen'", "'pencil'"),
    ),
    "a base reads a name of another module": (
        "use.has('ink')",
        ("app/words.py", "'ink'", "'inks'"),
    ),
    "a call registers by a name of another module": ("use.has(3)", ("app/words.py", "= 3", "= 4")),
    "what a call registered is gone": (
        "use.has('loose')",
        ("app/shop.py", 'loose = catalog.add("loose")\n', ""),
    ),
    "a decorator that registers is gone": (
        "use.has('pen')",
        ("app/shop.py", "@catalog.register(words.KEY)\n", ""),
    ),
    "a decorator that registers is new": (
        "not use.has('fresh')",
        ("app/shop.py", "def plain", "@catalog.register('fresh')\ndef plain"),
    ),
    "a decorator that puts it into a list of many is gone": (
        "use.hearing('opened') == 1",
        ("app/shop.py", '@catalog.listen("opened")\n', ""),
    ),
    "a descriptor that is told its name": (
        "use.size_of('shelf') == 3",
        ("app/shop.py", "Field(3)", "Field(4)"),
    ),
    "a base that registers is gone": (
        "use.has('ink')",
        ("app/shop.py", "(catalog.Item)", ""),
    ),
    "a method is abstract": (
        "use.area() == 1",
        ("app/shape.py", "    def area", "    @abc.abstractmethod\n    def area"),
    ),
    "an import is gone": ("use.has('plug')", ("app/use.py", PLUGGED, "")),
    "an import is only for type checkers": (
        "use.has('plug')",
        (
            "app/use.py",
            "import app.plug\n",
            "TYPE_CHECKING = 0\nif TYPE_CHECKING:\n  import app.plug\n",
        ),
    ),
    "an import is late": (
        "use.has('plug')",
        ("app/use.py", PLUGGED, f"def load():\n  {PLUGGED}"),
    ),
    "a name of a module that another one calls otherwise": (
        "use.rate('MAX') == 3",
        ("app/words.py", "MAX_RATE = 3", "MAX_RATE = 4"),
    ),
    "a module's annotations are texts": (
        "use.kind('size') is int",
        ("app/typed.py", "\nfrom data", "\nfrom __future__ import annotations\nfrom data"),
    ),
    "a function is defined below its use": (
        "eager_size() == 3",
        ("app/eager.py", BUILD + SIZE, SIZE + BUILD),
    ),
    "a default is evaluated sooner": (
        "eager_size() == 3",
        ("app/eager.py", SIZE + MEASURE, MEASURE + SIZE),
    ),
    "what a descriptor keeps": (
        "use.size() == 3",
        ("app/lazy.py", "= self.function(thing)", "= 2 * self.function(thing)"),
    ),
}
IT = """
from app import use
def eager_size():
    from app.eager import measure
    return measure()
def test_it(): assert {}
"""


@pytest.mark.parametrize("name", CASES)
def test_what_the_edit_breaks_is_selected(project: MakeProject, name: str) -> None:
    asked, (path, old, new) = CASES[name]
    files: Mapping[str, str] = {"tests/test_a.py": SIZES, "tests/test_it.py": IT.format(asked)}
    made = project({**BASE, **files})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace(path, old, new)
    broken = failing(made)
    assert "tests/test_it.py::test_it" in broken
    assert broken <= made.select(exit_code=1).selected.keys()


def test_a_circle_breaks_whoever_imports_the_other_module_first(project: MakeProject) -> None:
    files = {
        "app/one.py": "def one(): return 1\n",
        "app/two.py": "import app.one\ndef two(): return app.one.one()\n",
        "tests/test_a.py": "def test_a():\n  from app.two import two\n  assert two() == 1\n",
        "tests/test_b.py": "def test_b():\n  from app.one import one\n  assert one() == 1\n",
    }
    made = project({**BASE, **files})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("app/one.py", "def one", "from app.two import two\ndef one")
    assert failing(made) == {"tests/test_a.py::test_a"}
    assert "tests/test_a.py::test_a" in made.select(exit_code=1).selected


def test_a_test_that_loads_a_module_again_is_called_by_no_other_import(
    project: MakeProject,
) -> None:
    files = {
        "app/hooks.py": "CALLED = []\n",
        "app/plug.py": "from app import hooks\nFOUND = [call() for call in hooks.CALLED]\n",
        "tests/test_a.py": """
import importlib
from app import hooks, plug
def test_again():
    def called(): return 1
    hooks.CALLED.append(called)
    importlib.reload(plug)
    hooks.CALLED.clear()
    assert plug.FOUND == [1]
    plug.FOUND.append(2)
""",
        "tests/test_b.py": "import app.plug\ndef test_other(): assert app.plug.FOUND\n",
    }
    made = project({**BASE, **files})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("tests/test_a.py", "return 1", "return 2")
    assert made.select(exit_code=1).selected.keys() == {"tests/test_a.py::test_again"}


SPARED = {
    "an import of what is loaded all the same": (
        "import app.plug\n",
        "from app.plug import THING\n",
    ),
    "an import of the standard library": ("\ndef has", "\nimport json\ndef has"),
    "functions change places": (
        "def kind(name): return typed.Order.__dataclass_fields__[name].type\n"
        "def size(): return lazy.THING.size\n",
        "def size(): return lazy.THING.size\n"
        "def kind(name): return typed.Order.__dataclass_fields__[name].type\n",
    ),
}


@pytest.mark.parametrize("name", SPARED)
def test_what_alters_nothing_selects_nobody(project: MakeProject, name: str) -> None:
    made = project({**BASE, "tests/test_it.py": IT.format("use.has('plug')")})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("app/use.py", *SPARED[name])
    reasons = set(made.select().selected.values())
    assert reasons <= {"has to import app/use.py, which changed"}
